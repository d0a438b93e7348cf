"""Finds numbers and dates in text columns of files, however they are written, and reads them as such."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

_SAMPLE = 20_000
_EUROPEAN = re.compile(r"[+-]?(?:\d{1,3}(?:[. ]\d{3})+|\d+)(?:,\d+)?")
_ENGLISH = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?|[+-]?\d+(?:\.\d+)?")
_STYLES = (
    (re.compile(r"\d{4}-\d{1,2}-\d{1,2}"), "%Y-%m-%d"),
    (re.compile(r"\d{4}/\d{1,2}/\d{1,2}"), "%Y/%m/%d"),
    (re.compile(r"\d{1,2}\.\d{1,2}\.\d{4}"), "%d.%m.%Y"),
    (re.compile(r"\d{1,2}-\d{1,2}-\d{4}"), "%d-%m-%Y"),
    (re.compile(r"\d{1,2} [A-Za-z]{3} \d{4}"), "%d %b %Y"),
    (re.compile(r"\d{1,2} [A-Za-z]{4,9} \d{4}"), "%d %B %Y"),
    (re.compile(r"[A-Za-z]{3} \d{1,2}, \d{4}"), "%b %d, %Y"),
    (re.compile(r"[A-Za-z]{4,9} \d{1,2}, \d{4}"), "%B %d, %Y"),
)
_SLASHED = re.compile(r"(\d{1,2})/(\d{1,2})/\d{4}")


@dataclass(frozen=True, slots=True)
class _Reading:
    """How a text column is read: an expression over it, and what is to be said."""

    expression: str
    note: str


def rewritten(
    connection: duckdb.DuckDBPyConnection, source: str, *, european: bool, thorough: bool
) -> tuple[str, list[str]]:
    """Return the columns to select from `source`, those that hold numbers or dates converted, and notes on them.

    `european`: in doubt, a comma stands before decimals; `thorough`: count what cannot be converted.
    """
    described = connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()  # noqa: S608 - ours
    texts = [str(row[0]) for row in described if row[1] == "VARCHAR"]
    samples = _samples(connection, source, texts)
    selected, notes = [], []
    for name in (str(row[0]) for row in described):
        reading = _reading(name, samples[name], european=european) if name in samples else None
        if reading is None:
            selected.append(_quoted(name))
            continue
        selected.append(f"{reading.expression} AS {_quoted(name)}")
        lost = _lost(connection, source, name, reading.expression) if thorough else ""
        notes.append(reading.note + lost)
    return ", ".join(selected), notes


def _samples(connection: duckdb.DuckDBPyConnection, source: str, names: Sequence[str]) -> dict[str, list[str]]:
    if not names:
        return {}
    fields = ", ".join(map(_quoted, names))
    rows = connection.execute(f"SELECT {fields} FROM {source} LIMIT {_SAMPLE}").fetchall()  # noqa: S608 - quoted
    return {
        name: [row[at].strip() for row in rows if row[at] is not None and row[at].strip()]
        for at, name in enumerate(names)
    }


def _reading(name: str, values: Sequence[str], *, european: bool) -> _Reading | None:
    if not values:
        return None
    field = f"trim({_quoted(name)})"
    shown = repr(name[:40])
    for pattern, separators, point in _number_styles(european=european):
        if any("," in value for value in values) and all(pattern.fullmatch(value) for value in values):
            plain = field
            for separator in separators:
                plain = f"replace({plain}, '{separator}', '')"
            plain = plain if point == "." else f"replace({plain}, ',', '.')"
            said = "decimal commas" if point == "," else "commas between thousands"
            return _Reading(f"TRY_CAST({plain} AS DOUBLE)", f"{shown} has {said}")
    return _dates(field, shown, values)


def _number_styles(*, european: bool) -> list[tuple[re.Pattern[str], str, str]]:
    styles = [(_EUROPEAN, ". ", ","), (_ENGLISH, ",", ".")]
    return styles if european else styles[::-1]


def _dates(field: str, shown: str, values: Sequence[str]) -> _Reading | None:
    formats, slashed = dict[str, None](), []
    for value in values:
        style = next((style for pattern, style in _STYLES if pattern.fullmatch(value)), None)
        if style is not None:
            formats[style] = None
        elif found := _SLASHED.fullmatch(value):
            slashed.append((int(found[1]), int(found[2])))
        else:
            return None
    if slashed:
        order = _order(slashed)
        if order is None:
            return None
        formats[order] = None
    listed = ", ".join(f"'{style}'" for style in formats)
    styles = f"{len(formats)} styles of date ({', '.join(formats)})" if len(formats) > 1 else f"dates {listed}"
    return _Reading(f"CAST(try_strptime({field}, [{listed}]) AS DATE)", f"{shown} has {styles}")


def _order(slashed: Sequence[tuple[int, int]]) -> str | None:
    """Return whether day or month comes first; None when the values do not tell."""
    day_first, month_first = any(first > 12 for first, _ in slashed), any(second > 12 for _, second in slashed)
    if day_first == month_first:
        return None
    return "%d/%m/%Y" if day_first else "%m/%d/%Y"


def _lost(connection: duckdb.DuckDBPyConnection, source: str, name: str, expression: str) -> str:
    """Say how many values of the whole file the expression cannot read."""
    raw = _quoted(name)
    sql = f"SELECT count(*) FROM {source} WHERE trim({raw}) <> '' AND {expression} IS NULL"  # noqa: S608 - quoted
    found = connection.execute(sql).fetchone()
    return f"; {found[0]} other values are read as nothing" if found is not None and found[0] else ""


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
