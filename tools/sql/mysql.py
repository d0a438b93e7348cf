"""MySQL and MariaDB: the jobs that run in the worker's child.

Engine first: a fresh connection for each query, without multiple statements or local files, in a READ ONLY
transaction that is rolled back, with the server's own time limit. An account that can write is refused, but where
the user allows changes: then one that reaches more than data is.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import pymysql
import sqlalchemy
from pymysql.cursors import SSCursor
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool

from crowquill.errors import ToolFailed
from crowquill.tools.context import Json
from crowquill.tools.sql.changes import Change
from crowquill.tools.sql.changing import run_change
from crowquill.tools.sql.describe import describe_session, look_up
from crowquill.tools.sql.querying import run_query
from crowquill.tools.sql.server import CONNECT_SECONDS, batches, columns_by_table, read_tables, server_url
from crowquill.tools.sql.session import Deadline, Rows, Session, Writer

_HARMLESS = frozenset({"USAGE", "SELECT", "SHOW VIEW", "SHOW DATABASES"})
_OF_DATA = frozenset({"INSERT", "UPDATE", "DELETE", "EXECUTE", "LOCK TABLES", "CREATE TEMPORARY TABLES"})
"""What an account may have beside these where the user allows changes."""
_PRIVILEGES = re.compile(r"GRANT (.+?) ON (.+?) TO ", re.IGNORECASE | re.DOTALL)
_ROLE = re.compile(r"GRANT (?!.* ON )(.+?) TO ", re.IGNORECASE | re.DOTALL)
_PLAYGROUND = frozenset({"`test`.*", "`test\\_%`.*"})
"""What MariaDB's installer lets everybody write to."""
_TIMEOUTS = frozenset({1028, 1317, 1969, 3024})  # interrupted, or longer than the server's limit
_NAMES = (
    "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = database()"
    " ORDER BY table_name, ordinal_position LIMIT 20000"
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
    try:
        refuse_writers(connection, allowed=bool(request.get("write")))
        _execute(connection, "SET SESSION TRANSACTION READ ONLY")
        _execute(connection, "START TRANSACTION READ ONLY")
        yield _session(connection)
    finally:
        connection.close()


@contextmanager
def _opened_to_write(request: Mapping[str, Any], deadline: Deadline) -> Iterator[Writer]:
    connection = connect(server_url(request), deadline)
    try:
        refuse_writers(connection, allowed=True)
        _execute(connection, "START TRANSACTION")
        yield Writer(_session(connection), partial(_run, connection), connection.commit)
    finally:
        connection.close()


def _session(connection: "pymysql.Connection[Any]") -> Session:
    return Session(
        "mysql",
        partial(_stream, connection),
        lambda: columns_by_table(_execute(connection, _NAMES)),
        (pymysql.MySQLError, UnicodeError),
        lambda error: bool(error.args) and error.args[0] in _TIMEOUTS,
        quote="`",
    )


def _run(connection: "pymysql.Connection[Any]", change: Change) -> tuple[int, None]:
    _require_transactions(connection, change)
    with connection.cursor() as cursor:
        return cursor.execute(change.statement), None


def _require_transactions(connection: "pymysql.Connection[Any]", change: Change) -> None:
    """Refuse a table whose engine cannot take a change back. Raises ToolFailed."""
    found = _execute(
        connection,
        "SELECT t.engine FROM information_schema.tables t JOIN information_schema.engines e ON e.engine = t.engine"
        " WHERE t.table_schema = database() AND t.table_name = %s AND e.transactions <> 'YES'",
        change.table,
    )
    if found:
        raise ToolFailed(
            f"tables of the engine {found[0][0]} cannot take a change back, so it cannot be shown before"
        )


def connect(url: URL, deadline: Deadline) -> "pymysql.Connection[Any]":
    """Open a connection with the server's own limits on. Raises ToolFailed."""
    keywords = url.translate_connect_args(username="user", database="database")
    try:
        connection = pymysql.connect(
            **{"charset": "utf8mb4", "user": "", **keywords, **dict(url.query)},
            connect_timeout=CONNECT_SECONDS,
            read_timeout=deadline.left + 1,
            write_timeout=deadline.left + 1,
            local_infile=False,
            autocommit=False,
        )
    except (pymysql.MySQLError, OSError, UnicodeError, TypeError) as error:
        reason = " ".join(str(error.args[-1] if error.args else error).split())[:200]
        raise ToolFailed(f"the MySQL server cannot be used: {reason}") from None
    limit = f"max_statement_time={deadline.left:.3f}"
    if "mariadb" not in str(connection.get_server_info()).lower():  # type: ignore[no-untyped-call]
        limit = f"max_execution_time={int(deadline.left * 1000)}"
    for setting in (limit, "lock_wait_timeout=2", "innodb_lock_wait_timeout=2"):
        _execute(connection, f"SET SESSION {setting}")
    return connection


def refuse_writers(connection: "pymysql.Connection[Any]", *, allowed: bool = False) -> None:
    """Refuse an account that can change anything, or with `allowed` more than data. Raises ToolFailed."""
    harmless = _HARMLESS | _OF_DATA if allowed else _HARMLESS
    pending, seen = ["CURRENT_USER()", "PUBLIC"], set[str]()
    while pending:
        grantee = pending.pop()
        if grantee in seen:
            continue
        seen.add(grantee)
        for line in _grants(connection, grantee):
            if found := _PRIVILEGES.match(line):
                granting = ", GRANT OPTION" if line.rstrip().endswith("WITH GRANT OPTION") else ""
                if not (grantee == "PUBLIC" and found[2] in _PLAYGROUND):
                    _refuse(found[1] + granting, found[2], harmless)
            elif found := _ROLE.match(line):
                pending += [role.strip() for role in found[1].split(",")]


def _grants(connection: "pymysql.Connection[Any]", grantee: str) -> list[str]:
    try:
        return [str(row[0]) for row in _execute(connection, f"SHOW GRANTS FOR {grantee}")]
    except pymysql.MySQLError:
        if grantee == "PUBLIC":
            return []  # MySQL, and MariaDB before 10.11, know no such grantee
    try:  # MariaDB shows the grants of a role only to whoever has taken it on
        _execute(connection, f"SET ROLE {grantee}")
        return [str(row[0]) for row in _execute(connection, "SHOW GRANTS FOR CURRENT_ROLE")]
    except pymysql.MySQLError:
        raise ToolFailed(f"what the role {grantee[:60]} may do cannot be read, so it is not used") from None


def _refuse(privileges: str, where: str, harmless: Collection[str]) -> None:
    granted = {re.sub(r"\(.*", "", part).strip().upper() for part in re.split(r",(?![^(]*\))", privileges)}
    if powers := sorted(granted.difference(harmless)):
        wanted = "SELECT only" if "INSERT" not in harmless else "SELECT, INSERT, UPDATE and DELETE only"
        raise ToolFailed(
            f"this account can write: it has {', '.join(powers[:3])} on {where[:60]}. Use one that has {wanted};"
            " docs/sql.md has the statements that make it"
        )


def _stream(connection: "pymysql.Connection[Any]", statement: str) -> tuple[list[str], Rows]:
    cursor = connection.cursor(SSCursor)
    cursor.execute(statement)
    return [str(column[0]) for column in cursor.description or ()], batches(cursor)


def _execute(connection: "pymysql.Connection[Any]", statement: str, *values: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values if values else None)
        return list(cursor.fetchall())


def _tables(request: Mapping[str, Any], deadline: Deadline, limit: tuple[int, int]) -> list[dict[str, Any]]:
    engine = sqlalchemy.create_engine(
        "mysql+pymysql://", poolclass=NullPool, creator=partial(connect, server_url(request), deadline)
    )
    return read_tables(engine, limit)
