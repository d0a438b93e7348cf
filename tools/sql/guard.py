"""What a query may do, as data: SQLite's authorizer actions, functions, and limits. Everything else is refused."""

import difflib
import re
import sqlite3
from collections.abc import Iterable

ACTIONS = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE})

FUNCTIONS = frozenset(
    [
        *("abs", "avg", "ceil", "ceiling", "coalesce", "count", "cume_dist", "date", "datetime"),
        *("dense_rank", "exp", "first_value", "floor", "glob", "group_concat", "ifnull", "iif"),
        *("instr", "json_array_length", "json_extract", "json_each", "json_type", "julianday", "lag"),
        *(
            "last_value",
            "lead",
            "length",
            "like",
            "ln",
            "log",
            "log10",
            "log2",
            "lower",
            "ltrim",
            "max",
            "min",
        ),
        *("mod", "nth_value", "ntile", "nullif", "octet_length", "percent_rank", "pow", "power", "rank"),
        *("replace", "round", "row_number", "rtrim", "sign", "sqrt", "strftime", "string_agg", "substr"),
        *("substring", "sum", "time", "timediff", "total", "trim", "trunc", "typeof", "unicode", "unixepoch"),
        "upper",
    ]
)

LIMITS = {
    sqlite3.SQLITE_LIMIT_LENGTH: 1_000_000,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 20_000,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
    sqlite3.SQLITE_LIMIT_VDBE_OP: 250_000,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 200,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 200,
    sqlite3.SQLITE_LIMIT_COLUMN: 200,
}

MAX_ROWS, MAX_BYTES, MAX_CELL = 1000, 256_000, 2000
"""Rows, bytes of all cells, and characters of one cell that a result may have."""


def authorize(action: int, first: str | None, second: str | None, database: str | None, trigger: str | None) -> int:
    """SQLite's authorizer callback: allow reading and listed functions, deny everything else."""
    if action not in ACTIONS:
        return sqlite3.SQLITE_DENY
    if action == sqlite3.SQLITE_FUNCTION and (second is None or second.lower() not in FUNCTIONS):
        return sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK


def explain(message: str, names: Iterable[str]) -> str:
    """Return SQLite's error message with the nearest known table or column name."""
    wanted = re.search(r"no such (?:table|column): (?:\w+\.)?(\w+)", message)
    if wanted is not None:
        near = difflib.get_close_matches(wanted[1], list(names), n=3, cutoff=0.5)
        return message + (f"; nearest: {', '.join(near)}" if near else "")
    if "not authorized" in message or "prohibited" in message:
        return "only SELECT with ordinary functions is allowed; nothing can be changed or attached"
    return message
