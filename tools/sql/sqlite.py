"""SQLite, read-only: the jobs that run in the worker's child.

Engine first: the file is opened with `mode=ro` and `query_only`, and an authorizer allows reading and nothing else.
The child's limits on time and memory hold where SQLite's own do not reach, inside one function.
"""

import sqlite3
from contextlib import closing
from typing import Any
from urllib.parse import quote

from crowquill.errors import ToolFailed, ToolRetry
from crowquill.tools.context import Json
from crowquill.tools.sql.guard import LIMITS, MAX_BYTES, MAX_CELL, MAX_ROWS, authorize, explain

_SAMPLES = 3
_TABLES, _COUNTED = 60, 2_000_000


def _open(path: str) -> sqlite3.Connection:
    try:
        connection = sqlite3.connect(f"file:{quote(path)}?mode=ro", uri=True, timeout=2, isolation_level=None)
        connection.execute("PRAGMA query_only=1")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error as error:
        raise ToolFailed(f"the database cannot be read: {error}") from None
    if hasattr(connection, "enable_load_extension"):  # some Pythons are built without it
        connection.enable_load_extension(False)
    for limit, value in LIMITS.items():
        connection.setlimit(limit, value)
    return connection


def query(request: Any) -> Json:
    """Worker job: `{"path", "sql"}` to `{"columns", "rows", "truncated"}`.

    Raises:
        ToolRetry: the statement is wrong or not allowed; the message has the nearest names.
        ToolFailed: the file cannot be read.
    """
    with closing(_open(str(request["path"]))) as connection:
        names = _names(connection)
        connection.set_authorizer(authorize)
        try:
            cursor = connection.execute(str(request["sql"]))
            if cursor.description is None:
                raise ToolRetry("only SELECT statements give a result")
            columns = [str(column[0]) for column in cursor.description]
            rows, truncated = _fetch(cursor)
        except (sqlite3.Error, sqlite3.Warning, ValueError, OverflowError) as error:
            raise ToolRetry(explain(str(error), names)) from None
    return {"columns": columns, "rows": rows, "truncated": truncated}  # type: ignore[dict-item]  # JSON is invariant


def _fetch(cursor: sqlite3.Cursor) -> tuple[list[list[Any]], bool]:
    rows: list[list[Any]] = []
    size = 0
    truncated = False
    for row in cursor:
        cells = [_cell(value) for value in row]
        size += sum(len(str(cell)) for cell, _ in cells)
        if len(rows) == MAX_ROWS or size > MAX_BYTES:
            return rows, True
        truncated = truncated or any(cut for _, cut in cells)
        rows.append([cell for cell, _ in cells])
    return rows, truncated


def _cell(value: Any) -> tuple[Any, bool]:
    if isinstance(value, bytes):
        return f"x'{value[:32].hex()}'" + ("…" if len(value) > 32 else ""), len(value) > 32
    if isinstance(value, str) and len(value) > MAX_CELL:
        return value[:MAX_CELL] + "…", True
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return str(value), False
    return value, False


def _names(connection: sqlite3.Connection) -> list[str]:
    tables = [
        row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")
    ]
    columns = [
        column[1]
        for table in tables[:_TABLES]
        for column in connection.execute("SELECT * FROM pragma_table_info(?)", (table,))
    ]
    return sorted({*tables, *columns})


def describe(request: Any) -> Json:
    """Worker job: `{"path"}` to the tables and views with columns, keys, row counts and sample values."""
    with closing(_open(str(request["path"]))) as connection:
        tables = connection.execute(
            "SELECT name, type FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%'"
            " ORDER BY name LIMIT ?",
            (_TABLES,),
        ).fetchall()
        return [_describe(connection, name, kind) for name, kind in tables]


def _describe(connection: sqlite3.Connection, name: str, kind: str) -> dict[str, Json]:
    quoted = '"' + name.replace('"', '""') + '"'
    columns: list[Json] = []
    for _, column, type_, _, _, key in connection.execute("SELECT * FROM pragma_table_info(?)", (name,)).fetchall():
        columns.append(
            {"name": column, "type": type_, "key": bool(key), "samples": _samples(connection, quoted, column)}
        )
    links: list[Json] = [
        {"column": link[3], "table": link[2], "to": link[4]}
        for link in connection.execute("SELECT * FROM pragma_foreign_key_list(?)", (name,))
    ]
    count = connection.execute(f"SELECT count(*) FROM (SELECT 1 FROM {quoted} LIMIT {_COUNTED})").fetchone()[0]  # noqa: S608 - quoted
    return {"name": name, "kind": kind, "columns": columns, "links": links, "rows": count}


def _samples(connection: sqlite3.Connection, quoted: str, column: str) -> Json:
    """Return a few distinct text values of a column, or its smallest and largest value."""
    field = '"' + column.replace('"', '""') + '"'
    try:
        found = connection.execute(
            f"SELECT DISTINCT {field} FROM (SELECT {field} FROM {quoted} LIMIT 5000)"  # noqa: S608 - quoted
            f" WHERE typeof({field}) = 'text' LIMIT 40"
        ).fetchall()
    except sqlite3.Error:
        return []
    return [str(row[0])[:60] for row in found]
