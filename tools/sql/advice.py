"""An engine's error as advice for a model: the nearest names, and how the dialect says it.

A message may quote the statement, a view or a value, so it is kept to one short line.
"""

import difflib
import re
from collections.abc import Collection, Mapping, Sequence

from crowquill.tools.sql.guard import FUNCTIONS

_IN_SQLITE = {
    "concat": "x || y",
    "curdate": "date('now')",
    "date_format": "strftime('%Y-%m', x)",
    "date_trunc": "strftime('%Y-%m', x)",
    "datediff": "julianday(x) - julianday(y)",
    "day": "strftime('%d', x)",
    "getdate": "datetime('now')",
    "len": "length(x)",
    "month": "strftime('%m', x)",
    "now": "datetime('now')",
    "regexp": "LIKE or GLOB",
    "to_char": "strftime('%Y-%m', x)",
    "year": "strftime('%Y', x)",
}
"""Functions of other dialects, and how SQLite says it."""
_NAME_LENGTH, _MESSAGE_LENGTH = 60, 300
_NEAREST = 3
_NUMBERED = re.compile(r"""^\(\d+, ["'](.*)["']\)$""", re.DOTALL)  # MySQL's errors are pairs
_TABLE = re.compile(
    r"""
      relation\ "(?P<pg>[^"]+)"\ does\ not | FROM-clause\ entry\ for\ table\ "(?P<alias>[^"]+)"
    | Table\ '(?:[^'.]*\.)?(?P<my>[^']+)'\ doesn't\ exist | Unknown\ table\ '(?P<unknown>[^']+)'
    | Table\ with\ name\ (?P<duck>\S+)\ does\ not | Referenced\ table\ "(?P<referenced>[^"]+)"
    """,
    re.VERBOSE,
)
_COLUMN = re.compile(
    r"""
      column\ (?:\w+\.)?"?(?P<pg>[\w ]+?)"?\ (?:of\ relation\ \S+\ )?does\ not\ exist
    | column\ reference\ "(?P<twice>[^"]+)" | Column\ '(?P<both>[^']+)'\ in
    | Unknown\ column\ '(?:[^'.]*\.)?(?P<my>[^']+)' | Referenced\ column\ "(?P<duck>[^"]+)"
    | column\ name\ "(?P<unsure>[^"]+)" | column\ named\ "(?P<named>[^"]+)"
    """,
    re.VERBOSE,
)


def explain(message: str, schema: Mapping[str, Sequence[str]], dialect: str) -> str:
    """Return a message of PostgreSQL, MySQL or DuckDB with the nearest names of `schema`, and the dialect."""
    shown = " ".join(_NUMBERED.sub(r"\1", message.split("\nLINE ")[0]).split())[:_MESSAGE_LENGTH]
    if found := _TABLE.search(shown):
        return _with_nearest(shown, _named(found), schema)
    if found := _COLUMN.search(shown):
        return _about_column(shown, _named(found), schema)
    return f"{shown} (the dialect is {dialect})"


def _named(found: re.Match[str]) -> str:
    return next(name for name in found.groups() if name is not None)


def explain_error(message: str, schema: Mapping[str, Sequence[str]], functions: Collection[str] = FUNCTIONS) -> str:
    """Return SQLite's message as advice, with the nearest names of `schema` (table name to column names)."""
    message = " ".join(message.split())[:_MESSAGE_LENGTH]
    if found := re.search(r"no such table: (?:\w+\.)?(.+)", message):
        return _with_nearest(message, found[1], schema)
    if found := re.search(r"(?:no such|ambiguous) column(?: name)?: (?:.*\.)?(.+)", message):
        return _about_column(message, found[1].strip("\"'`"), schema)
    if found := re.search(r"no such function: (\w+)", message):
        if other := _IN_SQLITE.get(found[1].lower()):
            return f"{message}; in SQLite: {other}"
        return _with_nearest(message, found[1], dict.fromkeys(sorted(functions), ()))
    if found := re.search(r"not authorized to use function: (\w+)", message):
        return f"the function {found[1]} is not allowed here"
    if "bindings supplied" in message:
        return "write the values into the statement; ? and :name stand for nothing here"
    if "one statement" in message:
        return "only one statement at a time"
    if "not authorized" in message or "prohibited" in message:
        return "only SELECT is allowed: nothing can be changed, attached or set; the tool `schema` shows the tables"
    if "syntax error" in message or "unrecognized token" in message or "incomplete input" in message:
        return f"{message} (the dialect is SQLite; one SELECT statement)"
    return message


def _about_column(message: str, wanted: str, schema: Mapping[str, Sequence[str]]) -> str:
    homes: dict[str, list[str]] = {}
    for table, columns in schema.items():
        for column in columns:
            homes.setdefault(column, []).append(table)
    exact = [column for column in homes if column.lower() == wanted.lower()]
    names = exact if exact else _nearest(wanted, list(homes))
    places = [f"{_clean(name)} (in {', '.join(map(_clean, homes[name][:3]))})" for name in names]
    return f"{message}; nearest: {', '.join(places)}" if places else message


def nearest_names(wanted: str, names: Sequence[str]) -> str:
    """Return "; nearest: …", or nothing when no name is near."""
    near = _nearest(wanted, names)
    return f"; nearest: {', '.join(map(_clean, near))}" if near else ""


def _with_nearest(message: str, wanted: str, known: Mapping[str, Sequence[str]]) -> str:
    return message + nearest_names(wanted, list(known))


def _nearest(wanted: str, names: Sequence[str]) -> list[str]:
    by_folded = {name.lower(): name for name in names}
    close = difflib.get_close_matches(wanted.lower(), list(by_folded), n=_NEAREST, cutoff=0.5)
    return [by_folded[name] for name in close]


def _clean(name: str) -> str:
    """Return a name of the database without what could be more than a name: it comes from outside."""
    return re.sub(r"[^\w .$-]", "", name)[:_NAME_LENGTH]
