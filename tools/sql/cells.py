"""Rows as they leave the worker: capped in number, width and size, each cell as JSON holds it."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from crowquill.tools.context import Json
from crowquill.tools.sql.guard import MAX_BYTES, MAX_CELL, MAX_COLUMNS, MAX_ROWS

_BLOB_BYTES = 32
MAX_FILE_ROWS, MAX_FILE_BYTES = 100_000, 5_000_000
"""Rows and bytes of a result that goes into a file: what one response of the worker holds."""
_MAX_INTEGER = 2**63


def result(
    names: Sequence[str], rows: Iterable[Sequence[Any]], *, max_rows: int = MAX_ROWS, timeless: bool = False
) -> dict[str, Json]:
    """Return `{"columns", "rows", "truncated", "timeless"}`, reading no more rows than are kept and one.

    `timeless`: the rows do not depend on when the query is run, but for changes of the database.
    """
    kept, truncated = _fetch(rows, max_rows)
    columns: list[Json] = [*_distinct(names[:MAX_COLUMNS])]
    truncated = truncated or len(names) > MAX_COLUMNS
    return {"columns": columns, "rows": kept, "truncated": truncated, "timeless": timeless}


def _fetch(found: Iterable[Sequence[Any]], max_rows: int) -> tuple[list[Json], bool]:
    rows: list[Json] = []
    size, truncated = 0, False
    for row in found:
        cells = [cell(value) for value in row[:MAX_COLUMNS]]
        size += sum(len(str(shown).encode("utf-8", "replace")) for shown, _ in cells)
        if len(rows) == max_rows or size > _bytes(max_rows):
            return rows, True
        truncated = truncated or any(cut for _, cut in cells)
        rows.append([shown for shown, _ in cells])
    return rows, truncated


def _bytes(max_rows: int) -> int:
    """Return how many bytes so many rows may have: more when a whole file of them is wanted."""
    return MAX_BYTES if max_rows <= MAX_ROWS else MAX_FILE_BYTES


def cell(value: Any) -> tuple[Any, bool]:
    """Return a value as JSON holds it, and whether something was cut off.

    Decimals become numbers, moments ISO 8601 texts, and what JSON has no word for the text that Python has.
    """
    match value:
        case bool():
            return ("true" if value else "false"), False
        case None | int() if value is None or abs(value) < _MAX_INTEGER:
            return value, False
        case bytes() | bytearray() | memoryview():
            data = bytes(value[: _BLOB_BYTES + 1])
            cut = len(data) > _BLOB_BYTES
            return f"x'{data[:_BLOB_BYTES].hex()}'" + ("…" if cut else ""), cut
        case Decimal() if value.is_finite():
            return (int(value) if value == value.to_integral_value() else float(value)), False
        case float() if value == value and abs(value) != float("inf"):
            return value, False
        case datetime() | date() | time():
            return value.isoformat(" ") if isinstance(value, datetime) else value.isoformat(), False
        case timedelta():
            return str(value), False
        case _:
            text = str(value)
            return (text[:MAX_CELL] + "…", True) if len(text) > MAX_CELL else (text, False)


def _distinct(names: Sequence[str]) -> list[str]:
    """Return column names without doubles, so that a cell can be cited by row and name."""
    seen: dict[str, int] = {}
    result = []
    for name in names:
        shown = str(name)[:MAX_CELL]
        seen[shown] = seen.get(shown, 0) + 1
        result.append(shown if seen[shown] == 1 else f"{shown} ({seen[shown]})")
    return result
