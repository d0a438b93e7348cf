"""Reads the schema of a database, and looks for values: the worker's jobs behind `schema.py` and `values.py`.

Names and keys come from the engine. Rows and sample values are read under the same guard and limits as a model's
query, because views are code of whoever made the database; what takes too long is left out.
"""

import re
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crowquill.tools.context import Json
from crowquill.tools.sql.guard import authorize
from crowquill.tools.sql.session import Deadline, Opener, Session
from crowquill.tools.sql.sqlite import Clock, opened, quoted
from crowquill.tools.sql.values import meant, nearest_values

MAX_TABLES, MAX_COLUMNS = 1000, 10_000
"""Tables, and columns of all tables, that are described."""
MAX_COUNTED = 1_000_000
"""Rows that are counted; a larger table is said to have more."""
MAX_SAMPLES, SAMPLE_LENGTH = 40, 60
"""Distinct text values that are kept of a column, and their characters: a question may name one of them."""
MAX_HITS = 40
"""Values that one look-up finds."""

_SAMPLED_ROWS, _SEARCHED_ROWS, _SEARCHED_VALUES = 5000, 200_000, 20_000
_TEXT_SHADOWS = ("_data", "_idx", "_content", "_docsize", "_config", "_segments", "_segdir", "_stat")
_SHADOWS = (*_TEXT_SHADOWS, "_node", "_rowid", "_parent")
_DAY = re.compile(r"\d{4}-\d{2}(?:-\d{2}(?:[ T]\d{2}:\d{2}.*)?)?")
_DATE_NAME = re.compile(r"(?:^|_)(?:date|year|day|month|time|at|on)(?:$|_)|(?:Date|Year|Time)$")
_TEXT_TYPE = re.compile(r"CHAR|TEXT|ENUM|CLOB|STRING", re.IGNORECASE)
_DATE_TYPE = re.compile(r"^(?:DATE|TIME|YEAR)", re.IGNORECASE)

Tables = Callable[[Mapping[str, Any], Deadline, tuple[int, int]], list[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class _Reader:
    """Asks our own questions of a database: `ask` gives all rows, or none when refused or out of time."""

    ask: Callable[[str], list[Sequence[Any]]]
    quoted: Callable[[str], str]
    typed: bool
    """Whether a column holds what its type says; in SQLite, any column may hold anything."""

    def table(self, name: str) -> str:
        """Return a table's name as a statement needs it; servers have `schema.table`."""
        return ".".join(map(self.quoted, name.split(".", 1))) if self.typed else self.quoted(name)


def describe(request: Any) -> Json:
    """Worker job for SQLite: `{"path", "seconds"}` to a list of tables and views.

    Each is `{"name", "kind", "columns", "links", "rows", "more"}` and for some engines "comment" and "notes"; a
    column is `{"name", "type", "key", "samples", "all", "low", "high"}`, a link `{"column", "table", "to"}`. `rows`
    is null where counting took too long; with `all`, the samples are all values there are, and they repeat.

    Raises:
        ToolFailed: the file cannot be read.
    """
    clock = Clock(float(request["seconds"]))
    with opened(str(request["path"])) as connection:
        tables = _tables(connection)
        connection.set_authorizer(authorize)
        clock.limit(connection)
        _measure(tables, _Reader(lambda sql: _all(connection, sql, clock), quoted, typed=False))
    result: list[Json] = [*tables]
    return result


def describe_session(request: Any, opened: Opener, tables: Tables) -> Json:
    """Worker job for other engines: as `describe`. Raises ToolFailed."""
    deadline = Deadline(float(request["seconds"]))
    found = tables(request, deadline, (MAX_TABLES, MAX_COLUMNS))
    with opened(request, deadline) as session:
        _measure(found, _session_reader(session, deadline))
    result: list[Json] = [*found]
    return result


def look_up_sqlite(request: Any) -> Json:
    """Worker job for SQLite: as `look_up`."""
    clock = Clock(float(request["seconds"]))
    with opened(str(request["path"])) as connection:
        connection.set_authorizer(authorize)
        clock.limit(connection)
        return _hits(request, _Reader(lambda sql: _all(connection, sql, clock), quoted, typed=False))


def look_up(request: Any, opened: Opener) -> Json:
    """Worker job: find values that a question names, in the given text columns.

    The request has `columns` (pairs of table and column), `phrases` (squeezed; a value must be one of them) and
    `like` (texts whose nearest values are wanted). The response is a list of `[table, column, value, text]`, where
    `text` is the entry of `like`, or "" for a phrase.
    """
    deadline = Deadline(float(request["seconds"]))
    with opened(request, deadline) as session:
        return _hits(request, _session_reader(session, deadline))


def _session_reader(session: Session, deadline: Deadline) -> _Reader:
    def ask(sql: str) -> list[Sequence[Any]]:
        if deadline.over():
            return []
        try:
            return list(session.stream(sql)[1])
        except session.failures:
            session.recover()
            return []

    return _Reader(ask, session.quoted, typed=True)


def _hits(request: Mapping[str, Any], reader: _Reader) -> Json:
    hits: list[Json] = []
    for table, column in request["columns"]:
        field, source = reader.quoted(column), reader.table(table)
        inner = f"SELECT {field} FROM {source} LIMIT {_SEARCHED_ROWS}"  # noqa: S608 - quoted
        rows = reader.ask(f"SELECT DISTINCT {field} FROM ({inner}) s LIMIT {_SEARCHED_VALUES}")  # noqa: S608
        values = [value for (value,) in rows if isinstance(value, str) and 0 < len(value) <= 200]
        hits += [[table, column, value, ""] for value in meant(request["phrases"], values)]
        hits += [[table, column, value, text] for text in request["like"] for value in nearest_values(text, values)]
        if len(hits) >= MAX_HITS:
            break
    return hits[:MAX_HITS]


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


def _measure(tables: Sequence[dict[str, Any]], reader: _Reader) -> None:
    """Add row counts to tables, and sample values or ends to columns."""
    for table in tables:
        _count(table, reader)
    for table in tables:
        for column in table["columns"]:
            _sample(table, column, reader)


def _count(table: dict[str, Any], reader: _Reader) -> None:
    inner = f"SELECT 1 FROM {reader.table(table['name'])} LIMIT {MAX_COUNTED + 1}"  # noqa: S608 - quoted
    found = reader.ask(f"SELECT count(*) FROM ({inner}) s")  # noqa: S608
    count = int(found[0][0]) if found else None
    table["more"] = count is not None and count > MAX_COUNTED
    table["rows"] = None if count is None else min(count, MAX_COUNTED)


def _sample(table: dict[str, Any], column: dict[str, Any], reader: _Reader) -> None:
    """Add distinct short texts of a column, or the first and last value of one that holds dates."""
    column.update(samples=[], all=False, low=None, high=None)
    kind = str(column["type"])
    texts = _texts(table, column, reader) if not reader.typed or _TEXT_TYPE.search(kind) else []
    dated = bool(texts) and all(_DAY.fullmatch(text) for text in texts)
    if not dated:
        column["samples"] = texts
        rows = 0 if table["rows"] is None else int(table["rows"])
        column["all"] = 0 < len(texts) < MAX_SAMPLES and 3 * len(texts) <= rows <= _SAMPLED_ROWS
    looks_dated = _DATE_TYPE.match(kind) if reader.typed else not texts and _DATE_NAME.search(column["name"])
    if (dated or looks_dated) and table["rows"] and not table["more"]:
        _add_ends(table, column, reader)


def _texts(table: dict[str, Any], column: dict[str, Any], reader: _Reader) -> list[str]:
    field, source = reader.quoted(column["name"]), reader.table(table["name"])
    is_text = "" if reader.typed else f"typeof({field}) = 'text' AND "
    inner = f"SELECT {field} FROM {source} LIMIT {_SAMPLED_ROWS}"  # noqa: S608 - quoted
    value = f"CAST({field} AS CHAR({SAMPLE_LENGTH}))" if "ENUM" in str(column["type"]).upper() else field
    rows = reader.ask(
        f"SELECT DISTINCT {value} FROM ({inner}) s"  # noqa: S608
        f" WHERE {is_text}length({value}) BETWEEN 1 AND {SAMPLE_LENGTH} LIMIT {MAX_SAMPLES}"
    )
    return [text.rstrip() for (text,) in rows if isinstance(text, str)]


def _add_ends(table: dict[str, Any], column: dict[str, Any], reader: _Reader) -> None:
    field = reader.quoted(column["name"])
    ends = reader.ask(f"SELECT min({field}), max({field}) FROM {reader.table(table['name'])}")  # noqa: S608 - quoted
    if ends and not any(end is None or isinstance(end, float | bytes) for end in ends[0]):
        column["low"], column["high"] = (str(end)[:SAMPLE_LENGTH] for end in ends[0])


def _all(connection: sqlite3.Connection, sql: str, clock: Clock) -> list[Sequence[Any]]:
    """Return all rows, or none when the time is over or a view does what is not allowed."""
    if clock.over():
        return []
    try:
        return connection.execute(sql).fetchall()
    except (sqlite3.Error, MemoryError):
        return []
