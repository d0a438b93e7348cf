"""Any other database that SQLAlchemy reaches: jobs of the worker's child.

Here the engine's own guard is not known: the statement is an allow-listed SELECT, written anew from its syntax
tree, in a transaction that is rolled back. That the account can only read is for the user to see to; a run says so.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

import sqlalchemy
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from crowquill.errors import ToolFailed
from crowquill.tools.context import Json
from crowquill.tools.sql.describe import describe_session, look_up
from crowquill.tools.sql.querying import run_query
from crowquill.tools.sql.server import batches, columns_by_table, read_tables, server_url
from crowquill.tools.sql.session import Deadline, Rows, Session

_DIALECTS = {"mssql": "tsql", "mariadb": "mysql", "postgresql": "postgres", "cockroachdb": "postgres"}
"""SQLAlchemy's names of dialects that sqlglot calls otherwise."""


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
    engine = _engine(request)
    try:
        connection = engine.connect()
    except Exception as error:  # drivers raise what they like
        raise ToolFailed(f"the database cannot be used: {' '.join(str(error).split())[:200]}") from None
    try:
        yield Session(
            _DIALECTS.get(engine.dialect.name, engine.dialect.name),
            partial(_stream, connection),
            partial(_names, engine),
            (SQLAlchemyError,),
            lambda error: False,
            quote=engine.dialect.identifier_preparer.initial_quote,
            recover=connection.rollback,
        )
    finally:
        with suppress(SQLAlchemyError):
            connection.rollback()


def _engine(request: Mapping[str, Any]) -> Engine:
    try:
        return sqlalchemy.create_engine(server_url(request), poolclass=NullPool)
    except (SQLAlchemyError, ImportError) as error:
        raise ToolFailed(f"no driver for this database: {' '.join(str(error).split())[:200]}") from None


def _stream(connection: Connection, statement: str) -> tuple[list[str], Rows]:
    cursor = connection.connection.cursor()
    try:
        cursor.execute(statement)
    except Exception as error:  # the driver's own tree of errors, which is not known here
        raise SQLAlchemyError(str(error)) from None
    return [str(column[0]) for column in cursor.description or ()], batches(cursor)


def _names(engine: Engine) -> dict[str, list[str]]:
    tables: Sequence[dict[str, Any]] = read_tables(engine, (200, 5000))
    return columns_by_table((table["name"], column["name"]) for table in tables for column in table["columns"])


def _tables(request: Mapping[str, Any], deadline: Deadline, limit: tuple[int, int]) -> list[dict[str, Any]]:
    try:
        return read_tables(_engine(request), limit)
    except SQLAlchemyError as error:
        raise ToolFailed(f"the database cannot be used: {' '.join(str(error).split())[:200]}") from None
