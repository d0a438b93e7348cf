"""SQLite, read-only: the jobs that run in the worker's child.

Engine first: the file is opened read-only, `query_only` is set, and an authorizer allows reading and listed
functions. The child's limits hold where SQLite's own do not reach, inside one function.

A database in WAL mode needs care: SQLite makes `-wal` and `-shm` files even for readers. What is at rest is read as
immutable; what is in use is read beside its writer, without touching the shared memory file.
"""

import os
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from crowquill.errors import ToolFailed, ToolRetry
from crowquill.tools.context import Json
from crowquill.tools.sql.advice import explain_error
from crowquill.tools.sql.cells import result
from crowquill.tools.sql.guard import (
    CLOCKS,
    FUNCTIONS,
    HEAP,
    LIMITS,
    MAX_ROWS,
    TABLE_FUNCTIONS,
    VIRTUAL_TABLES,
    authorize,
    strict_names,
)

_WAL_VERSION = 2  # bytes 18 and 19 of the file
_IMMUTABLE = "immutable=1"
BUSY_SECONDS = 2.0
_LOG_SECONDS = 1.0
PROGRESS_STEPS = 20_000  # virtual machine instructions between two looks at the clock
_MODULE = re.compile(r"\bUSING\s+(\w+)", re.IGNORECASE)
ERRORS = (sqlite3.Error, sqlite3.Warning, ValueError, OverflowError)


class Clock:
    """The time that a job has left."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    def over(self) -> bool:
        """Say whether the time is used up."""
        return time.monotonic() > self._end

    def limit(self, connection: sqlite3.Connection) -> None:
        """Interrupt statements of this connection at the end."""
        connection.set_progress_handler(self.over, PROGRESS_STEPS)


def query(request: Any) -> Json:
    """Worker job: `{"path", "sql", "seconds"}` to `{"columns", "rows", "truncated", "timeless"}`.

    Raises:
        ToolRetry: the statement is wrong or not allowed; the message has the nearest names.
        ToolFailed: the file cannot be read, or it took too long.
    """
    path, sql, clock = str(request["path"]), str(request["sql"]), Clock(float(request["seconds"]))
    called: set[str] = set()

    def watch(action: int, first: str | None, second: str | None, *rest: str | None) -> int:
        if action == sqlite3.SQLITE_FUNCTION and second is not None:
            called.add(second.lower())  # also those in the views that it reads
        return authorize(action, first, second, *rest)

    with opened(path) as connection:
        connection.set_authorizer(watch)
        clock.limit(connection)
        strict = strict_names(sql)
        try:
            with closing(_executed(connection, strict)) as cursor:
                if cursor.description is None:
                    raise ToolRetry("only SELECT statements give a result")
                names = [str(column[0]) for column in cursor.description]
                most = int(request.get("max_rows", MAX_ROWS))
                return result(names, cursor, max_rows=most, timeless=called.isdisjoint(CLOCKS))
        except ERRORS as error:
            if clock.over():
                raise ToolFailed(
                    f"the query took longer than {clock.seconds:g} seconds; make it narrower"
                ) from None
            advice = explain_error(str(error), columns_of(connection), _functions(connection))
            wants_text = strict != sql and "no such column" in advice
            raise ToolRetry(advice + "; text stands in single quotes" * wants_text) from None
        except MemoryError:
            raise ToolFailed("the query needs too much memory; make it narrower") from None


def _executed(connection: sqlite3.Connection, sql: str) -> sqlite3.Cursor:
    """Run a statement, and for a moment again when another program is just at work on its write-ahead log.

    A reader that may not mend the index of the log can meet it half written or begun anew
    (SQLITE_READONLY_RECOVERY, SQLITE_READONLY_CANTINIT): a moment later it is whole.
    """
    end = time.monotonic() + _LOG_SECONDS
    while True:
        try:
            return connection.execute(sql)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_READONLY or time.monotonic() > end:
                raise
            time.sleep(0.005)


@contextmanager
def opened(path: str) -> Iterator[sqlite3.Connection]:
    """Open a file for reading, without an authorizer yet; an unlocked one is checked to be unchanged afterwards.

    Raises:
        ToolFailed: it cannot be read.
        ToolRetry: it was at rest, and another program began to write to it.
    """
    file = Path(path)
    way = _way_to_read(file)
    before = file.stat()
    uri = f"file:{quote(os.fsencode(path))}?mode=ro&{way}"
    try:
        connection = sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None)
    except sqlite3.Error as error:
        raise ToolFailed(f"the database cannot be read: {error}") from None
    with closing(connection):
        harden(connection)
        yield connection
    after = file.stat()
    if way == _IMMUTABLE and (before.st_mtime_ns, before.st_size) != (after.st_mtime_ns, after.st_size):
        raise ToolRetry("another program changed the database in the meantime; run it again")


def _way_to_read(path: Path) -> str:
    """Return the URI parameter by which the file can be read without writing beside it."""
    try:
        with path.open("rb") as file:
            header = file.read(20)
        log, shared = Path(f"{path}-wal"), Path(f"{path}-shm")
        if _WAL_VERSION not in header[18:20]:
            return ""
        if not log.exists() or log.stat().st_size == 0:
            return _IMMUTABLE
    except OSError as error:
        raise ToolFailed(f"the database cannot be read: {error.strerror}") from None
    if not shared.exists():
        raise ToolFailed(
            "its write-ahead log was left behind by a crash; open it once with the program it belongs to"
        )
    return "readonly_shm=1"


def harden(connection: sqlite3.Connection, *, writing: bool = False) -> None:
    """Set what bounds a connection, and load the schema; with `writing` it may change rows. Raises ToolFailed."""
    connection.text_factory = lambda data: data.decode("utf-8", "replace")
    purpose = "foreign_keys=1" if writing else "query_only=1"
    try:
        for setting in (purpose, "trusted_schema=0", "temp_store=2", f"hard_heap_limit={HEAP}"):
            connection.execute(f"PRAGMA {setting}")
        _executed(connection, "SELECT count(*) FROM sqlite_master").fetchone()  # loads the schema, however wide
    except sqlite3.Error as error:
        raise ToolFailed(f"the database cannot be read: {error}") from None
    _connect_virtual_tables(connection)
    if hasattr(connection, "enable_load_extension"):  # some Pythons are built without it
        connection.enable_load_extension(False)
    for limit, value in LIMITS.items():
        connection.setlimit(limit, value)


def _connect_virtual_tables(connection: sqlite3.Connection) -> None:
    """Connect full-text and similar tables: SQLite does so by a pretended CREATE, which the authorizer refuses."""
    found = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL%'").fetchall()
    modules = [(name, _MODULE.search(sql)) for name, sql in found]
    names = [name for name, module in modules if module is not None and module[1].lower() in VIRTUAL_TABLES]
    for name in (*TABLE_FUNCTIONS, *names):
        with suppress(sqlite3.Error):  # a damaged one is refused when it is used
            connection.execute(f"SELECT 1 FROM {quoted(name)} LIMIT 0")  # noqa: S608 - quoted


def quoted(name: str) -> str:
    """Return a table or column name as it can stand in a statement, whatever it contains."""
    return '"' + name.replace('"', '""') + '"'


def columns_of(connection: sqlite3.Connection) -> dict[str, list[str]]:
    """Return the columns of each table, for advice; without the authorizer, which refuses PRAGMA."""
    connection.set_authorizer(None)
    names: dict[str, list[str]] = {}
    try:
        for table, column in connection.execute(
            "SELECT m.name, c.name FROM sqlite_master AS m, pragma_table_xinfo(m.name) AS c"
            " WHERE m.type IN ('table', 'view') AND c.hidden <> 1 LIMIT 5000"
        ):
            names.setdefault(str(table), []).append(str(column))
    except sqlite3.Error:
        pass  # a broken view; what was found so far is advice enough
    return names


def _functions(connection: sqlite3.Connection) -> set[str]:
    """Return the functions that are allowed and that this SQLite has; to be called after `columns_of`."""
    try:
        found = connection.execute("SELECT DISTINCT name FROM pragma_function_list").fetchall()
    except sqlite3.Error:
        return set()  # built without it
    return {name for (name,) in found} & FUNCTIONS
