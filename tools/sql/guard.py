"""What a query may do, as data: SQLite's authorizer actions, functions and limits. Everything else is refused.

This module is pure: it opens nothing, and its sentences are the ones a model sees when it is refused.
"""

import difflib
import re
import sqlite3
from collections.abc import Collection, Mapping, Sequence

ACTIONS = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE})
"""Authorizer actions that are allowed."""

_FUNCTION_NAMES = """
    -> ->> abs acos acosh asin asinh atan atan2 atanh avg bm25 ceil ceiling char coalesce concat concat_ws cos
    cosh count cume_dist current_date current_time current_timestamp date datetime degrees dense_rank exp
    first_value floor format glob group_concat hex highlight ifnull iif if instr json json_array
    json_array_length json_each json_error_position json_extract json_group_array json_group_object json_object
    json_patch json_pretty json_quote json_remove json_replace json_set json_insert json_tree json_type
    json_valid julianday lag
    last_value lead length like likelihood likely ln log log10 log2 lower ltrim match max median min mod
    nth_value ntile nullif octet_length offsets percent_rank percentile percentile_cont percentile_disc pi pow
    power printf quote radians rank replace round row_number rtrim sign sin sinh snippet soundex sqlite_version
    sqrt strftime string_agg substr substring sum tan tanh time timediff total trim trunc typeof unhex unicode
    unistr unixepoch unlikely upper
"""
FUNCTIONS = frozenset(_FUNCTION_NAMES.split())
"""SQL functions that a query may use: they compute from their arguments, and reach no file, memory or setting."""

INTERNAL_PRAGMAS = frozenset({"data_version"})
"""PRAGMAs that full-text tables run themselves; they only read a counter."""

VIRTUAL_TABLES = frozenset({"fts3", "fts4", "fts5", "rtree", "rtree_i32"})
"""Modules whose tables may be used; SQLite must connect them before the authorizer is on."""
TABLE_FUNCTIONS = ("json_each", "json_tree")
"""Functions that stand for tables, and that need the same."""

LIMITS = {
    sqlite3.SQLITE_LIMIT_LENGTH: 1_000_000,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 20_000,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
    sqlite3.SQLITE_LIMIT_VDBE_OP: 250_000,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 200,
    sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 100,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 200,
}
"""Limits of the engine, once the schema is loaded."""

MAX_ROWS, MAX_COLUMNS, MAX_CELL, MAX_BYTES = 1000, 200, 2000, 256_000
"""Rows and columns of a result, characters of one cell, bytes of all cells."""
HEAP = 256 * 2**20
"""Bytes that the engine may allocate."""

_ELSEWHERE = {
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
_QUOTED = re.compile(
    r"""
    '(?:[^']|'')*' | `(?:[^`]|``)*` | \[[^\]]*(?:\]|\Z) | --[^\n]* | /\*.*?(?:\*/|\Z)
    | "(?P<name>(?:[^"]|"")*)"
    """,
    re.VERBOSE | re.DOTALL,
)
_NAME_LENGTH, _MESSAGE_LENGTH = 60, 300
_NEAREST = 3


def authorize(action: int, first: str | None, second: str | None, database: str | None, trigger: str | None) -> int:
    """SQLite's authorizer callback: allow reading and the listed functions, deny everything else."""
    if action == sqlite3.SQLITE_FUNCTION:
        allowed = second is not None and second.lower() in FUNCTIONS
    elif action == sqlite3.SQLITE_PRAGMA:
        allowed = first in INTERNAL_PRAGMAS and second is None
    else:
        allowed = action in ACTIONS
    return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY


def strict_names(sql: str) -> str:
    """Write names in double quotes with backticks, which SQLite never takes for a text.

    It takes "contry" for the text 'contry' when there is no such column, and the answer is wrong without an error
    (sqlite.org/quirks.html, 8).
    """

    def strict(found: re.Match[str]) -> str:
        name = found["name"]
        return found[0] if name is None else "`" + name.replace('""', '"').replace("`", "``") + "`"

    return _QUOTED.sub(strict, sql)


def explain_error(message: str, schema: Mapping[str, Sequence[str]], functions: Collection[str] = FUNCTIONS) -> str:
    """Return SQLite's message as advice, with the nearest names of `schema` (table name to column names).

    The message may quote the statement or a view, so it is kept to one short line.
    """
    message = " ".join(message.split())[:_MESSAGE_LENGTH]
    if found := re.search(r"no such table: (?:\w+\.)?(.+)", message):
        return _with_nearest(message, found[1], schema)
    if found := re.search(r"(?:no such|ambiguous) column(?: name)?: (?:.*\.)?(.+)", message):
        return _about_column(message, found[1].strip("\"'`"), schema)
    if found := re.search(r"no such function: (\w+)", message):
        if other := _ELSEWHERE.get(found[1].lower()):
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


def _with_nearest(message: str, wanted: str, known: Mapping[str, Sequence[str]]) -> str:
    names = _nearest(wanted, list(known))
    return f"{message}; nearest: {', '.join(map(_clean, names))}" if names else message


def _nearest(wanted: str, names: Sequence[str]) -> list[str]:
    by_folded = {name.lower(): name for name in names}
    close = difflib.get_close_matches(wanted.lower(), list(by_folded), n=_NEAREST, cutoff=0.5)
    return [by_folded[name] for name in close]


def _clean(name: str) -> str:
    """Return a name of the database without what could be more than a name: it comes from outside."""
    return re.sub(r"[^\w .$-]", "", name)[:_NAME_LENGTH]
