"""What a query may do, as data: SQLite's authorizer actions, functions and limits. Everything else is refused.

This module is pure: it opens nothing.
"""

import re
import sqlite3

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

_CLOCK_NAMES = """
    current_date current_time current_timestamp date datetime julianday strftime time timediff unixepoch
"""
CLOCKS = frozenset(_CLOCK_NAMES.split())
"""Those of them that know the time: SQLite takes 'now', and nothing, for a moment."""

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

_QUOTED = re.compile(
    r"""
    '(?:[^']|'')*' | `(?:[^`]|``)*` | \[[^\]]*(?:\]|\Z) | --[^\n]* | /\*.*?(?:\*/|\Z)
    | "(?P<name>(?:[^"]|"")*)"
    """,
    re.VERBOSE | re.DOTALL,
)


def authorize(action: int, first: str | None, second: str | None, *_: str | None) -> int:
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
