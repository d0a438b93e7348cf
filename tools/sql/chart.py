"""Bar and line charts of a small result, drawn in the worker's child by code of ours: no model writes any of it."""

import base64
import re
import warnings
from pathlib import Path
from typing import Any, Literal, cast

from crowquill.errors import ToolRetry, UserError
from crowquill.memory.evidence import Table
from crowquill.tools.context import Json
from crowquill.tools.pictures import drawn, new_figure, plain
from crowquill.tools.sql.save import new_file
from crowquill.tools.worker import Worker

ChartKind = Literal["bar", "line"]
JOBS = {"chart": "crowquill.tools.sql.chart:draw"}
"""The job of the worker that draws."""
MAX_BARS, MAX_POINTS, MAX_SERIES = 40, 1000, 5
"""Rows of a bar chart and of a line chart, and columns of numbers that are drawn."""

_SECONDS = 20.0
_LABEL_LENGTH = 28
_MOMENT = re.compile(r"\d{4}(-\d{2}){0,2}([ T]\d{2}(:\d{2}){0,2})?|\d{4}-?(Q[1-4]|W\d{2})")
"""A label that stands for a time, as in 2024, 2024-05, 2024-05-31, 2024-Q2: such rows make a line."""
_SPREAD = 8  # labels longer than this, or many of them, lie across


def draw(request: Any) -> Json:
    """Worker job: `{"columns", "rows", "kind"}` to `{"svg", "png"}`, base64; kind is "bar", "line" or "".

    Raises:
        ToolRetry: there is no column of numbers, or there are too many rows.
    """
    columns, rows = [str(name) for name in request["columns"]], request["rows"]
    label, series = _columns(columns, rows)
    labels = [_label(row[label]) if label is not None else str(at) for at, row in enumerate(rows, 1)]
    kind = request["kind"] or ("line" if all(map(_MOMENT.fullmatch, labels)) and len(rows) > 2 else "bar")
    most = MAX_BARS if kind == "bar" else MAX_POINTS
    if len(rows) > most:
        raise ToolRetry(f"{len(rows)} rows are too many for a {kind} chart: take the first {most}, or group them")
    figure = new_figure()
    axes = figure.add_subplot()
    for number, column in enumerate(series):
        heights = [float("nan") if row[column] is None else float(row[column]) for row in rows]
        _add(axes, kind, heights, plain(columns[column]), (number, len(series)))
    _name_axes(axes, labels, plain(columns[label]) if label is not None else "row")
    if len(series) > 1:
        axes.legend()
    else:
        axes.set_ylabel(plain(columns[series[0]]))
    with warnings.catch_warnings(action="ignore"):  # a letter that the font does not have
        return cast("Json", drawn(figure))


def _columns(columns: list[str], rows: list[list[Any]]) -> tuple[int | None, list[int]]:
    """Return the column of labels, if any, and those of numbers."""
    numeric = [
        at
        for at in range(len(columns))
        if any(_is_number(row[at]) for row in rows) and all(row[at] is None or _is_number(row[at]) for row in rows)
    ]
    if not numeric:
        raise ToolRetry("there is nothing to draw: the result has no column of numbers")
    others = [at for at in range(len(columns)) if at not in numeric]
    label = others[0] if others else (numeric[0] if len(numeric) > 1 else None)
    return label, [at for at in numeric if at != label][:MAX_SERIES]


def _is_number(cell: Any) -> bool:
    return isinstance(cell, int | float) and not isinstance(cell, bool)


def _label(cell: Any) -> str:
    text = "NULL" if cell is None else " ".join(str(cell).split())
    return text if len(text) <= _LABEL_LENGTH else text[: _LABEL_LENGTH - 1] + "…"


def _add(axes: Any, kind: str, heights: list[float], name: str, place: tuple[int, int]) -> None:
    number, count = place
    if kind == "line":
        axes.plot(range(len(heights)), heights, marker="o" if len(heights) <= MAX_BARS else None, label=name)
    else:
        width = 0.8 / count
        axes.bar(
            [at + (number - (count - 1) / 2) * width for at in range(len(heights))], heights, width, label=name
        )


def _name_axes(axes: Any, labels: list[str], name: str) -> None:
    step = -(-len(labels) // MAX_BARS)
    across = len(labels) > _SPREAD or any(len(label) > _SPREAD for label in labels)
    turn = {"rotation": 45, "ha": "right"} if across else {}
    axes.set_xticks(range(0, len(labels), step), [plain(label) for label in labels[::step]], **turn)
    axes.set_xlabel(name)
    axes.grid(visible=True, axis="y", alpha=0.3)
    axes.set_axisbelow(True)


async def save_chart(table: Table, path: Path, kind: ChartKind | None = None) -> None:
    """Draw a result into a new .svg or .png file; a line where the labels are times, else bars.

    Raises:
        ToolRetry: the result cannot be drawn; the message says why.
        ToolFailed: drawing took too long.
        UserError: the suffix is unknown, the file exists, or it cannot be written.
    """
    form = path.suffix.lower().lstrip(".")
    if form not in ("svg", "png"):
        raise UserError(f"{path.name}: a chart is saved as .svg or .png")
    worker = Worker(JOBS)
    try:
        rows = cast("Json", [list(row) for row in table.rows])
        request: Json = {"columns": list(table.columns), "rows": rows, "kind": kind if kind is not None else ""}
        pictures = cast("dict[str, str]", await worker.run("chart", request, seconds=_SECONDS))
    finally:
        worker.release()
    with new_file(path) as file:
        file.write(base64.b64decode(pictures[form]))
