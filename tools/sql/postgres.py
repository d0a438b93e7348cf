"""PostgreSQL: the jobs that run in the worker's child.

Engine first: a fresh connection for each query, in a READ ONLY transaction that is rolled back, by the extended
protocol (which knows one statement only), with limits of the server's own. A role that can write is refused, but
where the user allows changes: then one that reaches more than data is.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from functools import partial
from typing import Any

import psycopg
import sqlalchemy
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool

from crowquill.errors import ToolFailed
from crowquill.tools.context import Json
from crowquill.tools.sql.changes import Change
from crowquill.tools.sql.changing import counted, run_change
from crowquill.tools.sql.describe import describe_session, look_up
from crowquill.tools.sql.querying import run_query
from crowquill.tools.sql.server import CONNECT_SECONDS, columns_by_table, read_tables, server_url
from crowquill.tools.sql.session import Deadline, Rows, Session, Writer

_ROLES = "(SELECT oid, rolname FROM pg_roles WHERE pg_has_role(current_user, oid, 'MEMBER')) r"
"""The role itself and all that it is a member of: it may SET ROLE to each of them."""
_POWERS = (
    (
        "it is a superuser, or may create roles or databases, or replicate",
        "SELECT rolname FROM pg_roles WHERE (rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication)"
        " AND pg_has_role(current_user, oid, 'MEMBER')",
    ),
    (
        "it is a member of a role that reaches the server's files or other sessions",
        f"SELECT rolname FROM {_ROLES} WHERE rolname IN ('pg_read_server_files', 'pg_write_server_files',"  # noqa: S608
        " 'pg_execute_server_program', 'pg_signal_backend', 'pg_write_all_data', 'pg_checkpoint', 'pg_maintain')",
    ),
    (
        "it owns tables",
        "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S')"
        " AND pg_has_role(current_user, relowner, 'MEMBER')",
    ),
    (
        "it may write to tables",
        f"SELECT relname FROM pg_class c, {_ROLES} WHERE c.relkind IN ('r', 'p', 'v', 'f')"  # noqa: S608
        " AND (has_table_privilege(r.oid, c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, TRIGGER')"
        " OR has_any_column_privilege(r.oid, c.oid, 'INSERT, UPDATE')) AND c.relnamespace <> ALL"
        " (SELECT oid FROM pg_namespace WHERE nspname IN ('pg_catalog', 'information_schema'))",
    ),
    (
        "it may create tables (REVOKE CREATE ON SCHEMA … FROM PUBLIC)",
        f"SELECT nspname FROM pg_namespace n, {_ROLES} WHERE has_schema_privilege(r.oid, n.oid, 'CREATE')"  # noqa: S608
        " AND nspname NOT LIKE 'pg\\_%'",
    ),
    (
        "it may create schemas",
        f"SELECT rolname FROM {_ROLES} WHERE has_database_privilege(r.oid, current_database(), 'CREATE')",  # noqa: S608
    ),
)
"""Ways in which a role can change something, and the query that finds the first."""
_BEYOND_DATA = 2
"""How many of these reach more than the data of a database: never allowed."""
_NAMES = (
    "SELECT CASE WHEN table_schema = current_schema() THEN table_name ELSE table_schema || '.' || table_name END,"
    " column_name FROM information_schema.columns WHERE table_schema NOT IN ('pg_catalog', 'information_schema')"
    " ORDER BY 1, ordinal_position LIMIT 20000"
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


def change(request: Any) -> Json:
    """Worker job: see `changing.run_change`."""
    return run_change(request, _opened_to_write)


@contextmanager
def _opened(request: Mapping[str, Any], deadline: Deadline) -> Iterator[Session]:
    connection = connect(server_url(request), deadline)
    with closing(connection):
        connection.read_only = True
        try:
            refuse_writers(connection, allowed=bool(request.get("write")))
            yield _session(connection)
        finally:
            with suppress(psycopg.Error):
                connection.rollback()


@contextmanager
def _opened_to_write(request: Mapping[str, Any], deadline: Deadline) -> Iterator[Writer]:
    with closing(connect(server_url(request), deadline, read_only=False)) as connection:
        refuse_writers(connection, allowed=True)
        yield Writer(_session(connection), partial(_run, connection), connection.commit)


def _session(connection: psycopg.Connection[Any]) -> Session:
    return Session(
        "postgres",
        partial(_stream, connection),
        partial(_names, connection),
        (psycopg.Error, UnicodeError),
        lambda error: isinstance(error, psycopg.errors.QueryCanceled),
        recover=connection.rollback,
    )


def _run(connection: psycopg.Connection[Any], change: Change) -> tuple[int, tuple[list[str], list[Sequence[Any]]]]:
    names, rows = _stream(connection, change.returning)
    count, shown = counted(rows)
    return count, (names, shown)


def connect(url: URL, deadline: Deadline, *, read_only: bool = True) -> psycopg.Connection[Any]:
    """Open a connection with the server's own limits on. Raises ToolFailed."""
    milliseconds = int(deadline.left * 1000)
    limits = {
        "default_transaction_read_only": "on" if read_only else "off",
        "statement_timeout": milliseconds,
        "lock_timeout": min(2000, milliseconds),
        "idle_in_transaction_session_timeout": milliseconds + 5000,
        "client_connection_check_interval": 1000,
    }
    keywords = {**url.query, **url.translate_connect_args(username="user", database="dbname")}
    keywords["options"] = " ".join(f"-c {name}={value}" for name, value in limits.items())
    try:
        return psycopg.connect(**{"connect_timeout": CONNECT_SECONDS, **keywords})
    except (psycopg.Error, UnicodeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ToolFailed(f"the PostgreSQL server cannot be used: {reason}") from None


def refuse_writers(connection: psycopg.Connection[Any], *, allowed: bool = False) -> None:
    """Refuse a role that can change anything, or with `allowed` more than data.

    Raises:
        ToolFailed: it can; the message says where it stands how to make one that cannot.
    """
    for power, sql in _POWERS[: _BEYOND_DATA if allowed else None]:
        found = connection.execute(f"{sql} LIMIT 1".encode()).fetchone()
        if found is not None:
            raise ToolFailed(
                f"this role can write: {power} ({str(found[0])[:60]}). Use one that may only read; docs/sql.md has"
                " the statements that make it"
            )


def _stream(connection: psycopg.Connection[Any], statement: str) -> tuple[list[str], Rows]:
    cursor = connection.cursor()
    rows = cursor.stream(statement.encode())  # the extended protocol, row by row
    first = next(rows, None)
    names = [column.name for column in cursor.description or ()]

    def all_rows() -> Iterator[Sequence[Any]]:
        if first is not None:
            yield first
            yield from rows

    return names, all_rows()


def _names(connection: psycopg.Connection[Any]) -> dict[str, list[str]]:
    return columns_by_table(connection.execute(_NAMES).fetchall())


def _tables(request: Mapping[str, Any], deadline: Deadline, limit: tuple[int, int]) -> list[dict[str, Any]]:
    engine = sqlalchemy.create_engine(
        "postgresql+psycopg://", poolclass=NullPool, creator=partial(connect, server_url(request), deadline)
    )
    return read_tables(engine, limit)
