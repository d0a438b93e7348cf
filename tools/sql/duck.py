"""DuckDB, read-only, over a database file or over CSV, Parquet, JSON and Excel files: jobs of the worker's child.

Engine first: no file may be reached but those that the user named, no extension is loaded, memory is bounded and
nothing is spilt, and the configuration is locked before a statement is run.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import duckdb

from crowquill.errors import ToolFailed
from crowquill.tools.context import Json
from crowquill.tools.sql.describe import describe_session, look_up
from crowquill.tools.sql.files import add_files
from crowquill.tools.sql.querying import run_query
from crowquill.tools.sql.server import columns_by_table
from crowquill.tools.sql.session import Deadline, Rows, Session

_SETTINGS = {
    "memory_limit": "280MB",
    "threads": "2",
    "temp_directory": "",
    "max_temp_directory_size": "0KB",
    "preserve_insertion_order": "true",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_persistent_secrets": "false",
    "allow_community_extensions": "false",
    "python_enable_replacements": "false",
}
_LOCKS = ("SET enable_external_access=false", "SET lock_configuration=true")
_BATCH = 200
_COLUMNS = (
    "SELECT CASE WHEN schema_name = 'main' THEN table_name ELSE schema_name || '.' || table_name END, column_name,"
    " data_type, coalesce(comment, '') FROM duckdb_columns()"
    " WHERE internal = false AND schema_name <> 'information_schema' ORDER BY table_name, column_index"
)
_KEYS = (
    "SELECT table_name, constraint_type, constraint_column_names, referenced_table, referenced_column_names"
    " FROM duckdb_constraints() WHERE constraint_type IN ('PRIMARY KEY', 'FOREIGN KEY')"
)


def query(request: Any) -> Json:
    """Worker job: see `querying.run_query`."""
    return run_query(request, _opened)


def schema(request: Any) -> Json:
    """Worker job: see `describe.describe_session`."""
    return describe_session(request, _opened, _tables)


def lookup(request: Any) -> Json:
    """Worker job: see `describe.look_up`."""
    return look_up(request, _opened)


@contextmanager
def _opened(request: Mapping[str, Any], deadline: Deadline) -> Iterator[Session]:
    with closing(_connection(request)) as connection:
        _prepare(connection, request, thorough=False)
        yield _session(connection)


def _session(connection: duckdb.DuckDBPyConnection) -> Session:
    names = columns_by_table(row[:2] for row in connection.execute(_COLUMNS).fetchall())
    return Session(
        "duckdb",
        partial(_stream, connection),
        lambda: names,
        (duckdb.Error, MemoryError),
        lambda error: isinstance(error, duckdb.InterruptException),
        only=tuple({*names, *(name.split(".")[-1] for name in names), "information_schema.tables"}),
    )


def _connection(request: Mapping[str, Any]) -> duckdb.DuckDBPyConnection:
    path = request.get("path")
    try:
        return duckdb.connect(":memory:" if path is None else str(path), path is not None, dict(_SETTINGS))
    except duckdb.Error as error:
        raise ToolFailed(f"the DuckDB database cannot be read: {_line(error)}") from None


def _prepare(
    connection: duckdb.DuckDBPyConnection, request: Mapping[str, Any], *, thorough: bool
) -> dict[str, list[str]]:
    """Make a view of each file, lock the configuration, and return what is to be said of each table."""
    paths = [Path(path) for path in request.get("files", ())]
    notes = add_files(connection, paths, thorough=thorough) if paths else {}
    connection.execute("SET allowed_paths=?", [[str(path) for path in paths]])
    for lock in _LOCKS:
        connection.execute(lock)
    return notes


def _stream(connection: duckdb.DuckDBPyConnection, statement: str) -> tuple[list[str], Rows]:
    cursor = connection.execute(statement)
    return [str(column[0]) for column in cursor.description or ()], _batches(cursor)


def _batches(cursor: duckdb.DuckDBPyConnection) -> Iterator[Sequence[Any]]:
    while rows := cursor.fetchmany(_BATCH):
        yield from rows


def _tables(request: Mapping[str, Any], deadline: Deadline, limit: tuple[int, int]) -> list[dict[str, Any]]:
    with closing(_connection(request)) as connection:
        notes = _prepare(connection, request, thorough=True)
        found = connection.execute(_COLUMNS).fetchall()[: limit[1]]
        keys = connection.execute(_KEYS).fetchall()
    tables: dict[str, dict[str, Any]] = {}
    for table, column, kind, comment in found:
        entry = tables.setdefault(table, {"name": table, "kind": "table", "columns": [], "links": []})
        entry["notes"] = notes.get(table, [])
        key = any(row[0] == table and row[1] == "PRIMARY KEY" and column in row[2] for row in keys)
        entry["columns"].append({"name": column, "type": kind, "key": key, "comment": comment})
    for table, kind, columns, other, others in keys:
        if kind == "FOREIGN KEY" and table in tables:
            links = [{"column": own, "table": other, "to": to} for own, to in zip(columns, others, strict=False)]
            tables[table]["links"] += links
    return list(tables.values())[: limit[0]]


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
