"""Reads the sheets of Excel and OpenDocument files as typed columns."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook

_KINDS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (bool, "BOOLEAN"),
    ((int, float), "DOUBLE"),
    (datetime, "TIMESTAMP"),
    (date, "DATE"),
)
MAX_CELLS = 2_000_000
"""Cells of one sheet; more would not fit into the memory of the child."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet: names and types of its columns, their values, and what is to be said of it."""

    name: str
    types: tuple[tuple[str, str], ...]
    columns: tuple[list[Any], ...]
    notes: tuple[str, ...]


def sheets(path: Path) -> list[Sheet]:
    """Return the sheets that hold something. Raises ValueError."""
    try:
        with CalamineWorkbook.from_path(str(path)) as book:
            found = [
                (name, book.get_sheet_by_name(name).to_python(skip_empty_area=True)) for name in book.sheet_names
            ]
    except CalamineError as error:
        raise ValueError(str(error)) from None
    made = [_sheet(name, rows) for name, rows in found if any(_filled(row) for row in rows)]
    if not made:
        raise ValueError("it has no filled sheet")
    return made


def _filled(row: Sequence[Any]) -> int:
    return sum(value not in ("", None) for value in row)


def _sheet(name: str, rows: Sequence[Sequence[Any]]) -> Sheet:
    """Take the first row that is as wide as most for the header, and what stands above it for a title."""
    widths = [_filled(row) for row in rows]
    usual = sorted(width for width in widths if width)[sum(width > 0 for width in widths) // 2]
    start = next(at for at, width in enumerate(widths) if width >= min(usual, max(widths)))
    body = [row for row in rows[start + 1 :] if _filled(row)]
    notes = [f"{start} line{'s' * (start != 1)} above the header skipped"] if start else []
    empty = len(rows) - start - 1 - len(body)
    notes += [f"{empty} empty line{'s' * (empty != 1)} skipped"] if empty else []
    if len(body) * len(rows[start]) > MAX_CELLS:
        kept = MAX_CELLS // len(rows[start])
        notes.append(f"only the first {kept} of {len(body)} rows are read: the sheet is too large; save it as CSV")
        body = body[:kept]
    names = _names(rows[start])
    columns = [[row[at] if at < len(row) else None for row in body] for at in range(len(names))]
    typed = [_typed(values) for values in columns]
    types = tuple((column, kind) for column, (kind, _) in zip(names, typed, strict=True))
    return Sheet(name, types, tuple(values for _, values in typed), tuple(notes))


def _names(header: Sequence[Any]) -> list[str]:
    names: list[str] = []
    for number, value in enumerate(header):
        plain = " ".join(str(value).split()) if value not in ("", None) else f"column{number}"
        name, again = plain, 1
        while name.casefold() in {other.casefold() for other in names}:
            name, again = f"{plain}_{again}", again + 1
        names.append(name)
    return names


def _typed(values: Sequence[Any]) -> tuple[str, list[Any]]:
    """Return the DuckDB type of a column and its values; a column of several kinds is text."""
    present = [value for value in values if value not in ("", None)]
    for classes, kind in _KINDS:
        if present and all(_is(value, classes) for value in present):
            whole = kind == "DOUBLE" and all(float(value).is_integer() and abs(value) < 2**53 for value in present)
            shown = [None if value in ("", None) else (int(value) if whole else value) for value in values]
            return ("BIGINT" if whole else kind), shown
    return "VARCHAR", [None if value in ("", None) else _text(value) for value in values]


def _is(value: Any, classes: type | tuple[type, ...]) -> bool:
    return isinstance(value, classes) and (classes is bool or not isinstance(value, bool))


def _text(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value.isoformat() if isinstance(value, date | time) else str(value)
