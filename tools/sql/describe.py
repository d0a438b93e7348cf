"""Reads the schema of a SQLite database: the worker's job behind `schema.py`.

Names and keys come from the engine. Rows and sample values are read under the same authorizer and limits as a
model's query, because views are code of whoever made the file; what takes too long is left out.
"""

import re
import sqlite3
from typing import Any

from crowquill.tools.context import Json
from crowquill.tools.sql.guard import authorize
from crowquill.tools.sql.sqlite import Clock, opened, quoted

MAX_TABLES, MAX_COLUMNS = 500, 3000
"""Tables, and columns of all tables, that are described."""
MAX_COUNTED = 1_000_000
"""Rows that are counted; a larger table is said to have more."""
MAX_SAMPLES, SAMPLE_LENGTH = 40, 60
"""Distinct text values that are kept of a column, and their characters: a question may name one of them."""

_SAMPLED_ROWS = 5000
_TEXT_SHADOWS = ("_data", "_idx", "_content", "_docsize", "_config", "_segments", "_segdir", "_stat")
_SHADOWS = (*_TEXT_SHADOWS, "_node", "_rowid", "_parent")
_DAY = re.compile(r"\d{4}-\d{2}(?:-\d{2}(?:[ T]\d{2}:\d{2}.*)?)?")
_DATE_NAME = re.compile(r"(?:^|_)(?:date|year|day|month|time|at|on)(?:$|_)|(?:Date|Year|Time)$")


def describe(request: Any) -> Json:
    """Worker job: `{"path", "seconds"}` to a list of tables and views.

    Each is `{"name", "kind", "columns", "links", "rows", "more"}`, a column `{"name", "type", "key", "samples",
    "low", "high"}`, a link `{"column", "table", "to"}`. `rows` is null where counting took too long.

    Raises:
        ToolFailed: the file cannot be read.
    """
    clock = Clock(float(request["seconds"]))
    with opened(str(request["path"])) as connection:
        tables = _tables(connection)
        connection.set_authorizer(authorize)
        clock.limit(connection)
        for table in tables:
            _count(connection, table, clock)
        for table in tables:
            for column in table["columns"]:
                _sample(connection, table, column, clock)
    result: list[Json] = [*tables]
    return result


def _tables(connection: sqlite3.Connection) -> list[dict[str, Any]]:
    found = connection.execute(
        "SELECT name, type, sql LIKE 'CREATE VIRTUAL%' FROM sqlite_master WHERE type IN ('table', 'view')"
        " AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY type, name"
    ).fetchall()
    virtual = [name for name, _, is_virtual in found if is_virtual]
    shadows = {name + ending for name in virtual for ending in _SHADOWS}
    tables: list[dict[str, Any]] = []
    left = MAX_COLUMNS
    for name, kind, _ in found[:MAX_TABLES]:
        columns = _columns(connection, name) if name not in shadows else []
        left -= len(columns)
        if columns and left >= 0:
            tables.append({"name": name, "kind": kind, "columns": columns, "links": _links(connection, name)})
    return tables


def _columns(connection: sqlite3.Connection, table: str) -> list[dict[str, Any]]:
    try:
        # table_info would leave out generated columns; hidden ones belong to virtual tables
        rows = connection.execute(
            "SELECT name, type, pk FROM pragma_table_xinfo(?) WHERE hidden <> 1", (table,)
        ).fetchall()
    except sqlite3.Error:
        return []  # a view over a table that is gone
    return [{"name": name, "type": type_, "key": key > 0} for name, type_, key in rows]


def _links(connection: sqlite3.Connection, table: str) -> list[Json]:
    rows = connection.execute(
        'SELECT "from", "table", coalesce("to", (SELECT name FROM pragma_table_info(f."table") WHERE pk = 1))'
        " FROM pragma_foreign_key_list(?) AS f ORDER BY id, seq",
        (table,),
    )
    return [{"column": column, "table": other, "to": "" if to is None else to} for column, other, to in rows]


def _count(connection: sqlite3.Connection, table: dict[str, Any], clock: Clock) -> None:
    sql = f"SELECT count(*) FROM (SELECT 1 FROM {quoted(table['name'])} LIMIT {MAX_COUNTED + 1})"  # noqa: S608 - quoted
    found = _first(connection, sql, clock)
    count = None if found is None else int(found[0])
    table["more"] = count is not None and count > MAX_COUNTED
    table["rows"] = None if count is None else min(count, MAX_COUNTED)


def _sample(connection: sqlite3.Connection, table: dict[str, Any], column: dict[str, Any], clock: Clock) -> None:
    """Add distinct short texts of a column, or the first and last value of one that holds dates."""
    column.update(samples=[], low=None, high=None)
    field, source = quoted(column["name"]), quoted(table["name"])
    texts = _all(
        connection,
        f"SELECT DISTINCT {field} FROM (SELECT {field} FROM {source} LIMIT {_SAMPLED_ROWS})"  # noqa: S608 - quoted
        f" WHERE typeof({field}) = 'text' AND length({field}) BETWEEN 1 AND {SAMPLE_LENGTH} LIMIT {MAX_SAMPLES}",
        clock,
    )
    dated = bool(texts) and all(_DAY.fullmatch(text) for (text,) in texts)
    if not dated:
        column["samples"] = [text for (text,) in texts]
    if (dated or (not texts and _DATE_NAME.search(column["name"]))) and table["rows"] and not table["more"]:
        ends = _first(connection, f"SELECT min({field}), max({field}) FROM {source}", clock)  # noqa: S608 - quoted
        if ends is not None and all(isinstance(end, str | int) for end in ends):
            column["low"], column["high"] = (str(end)[:SAMPLE_LENGTH] for end in ends)


def _first(connection: sqlite3.Connection, sql: str, clock: Clock) -> Any:
    rows = _all(connection, sql, clock)
    return rows[0] if rows else None


def _all(connection: sqlite3.Connection, sql: str, clock: Clock) -> list[Any]:
    """Return all rows, or none when the time is over or a view does what is not allowed."""
    if clock.over():
        return []
    try:
        return connection.execute(sql).fetchall()
    except (sqlite3.Error, MemoryError):
        return []
