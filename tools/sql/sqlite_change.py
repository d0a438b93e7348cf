"""SQLite, written to: the jobs that make a change, a copy of the file before it, and put that copy back.

The file is opened for writing only here. A change holds the write lock from before it is copied until it is
committed, so the copy is what was there before, whoever else writes.
"""

import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from crowquill.errors import ToolFailed
from crowquill.tools.context import Json
from crowquill.tools.sql.changes import Change
from crowquill.tools.sql.changing import counted, run_change
from crowquill.tools.sql.guard import authorize, strict_names
from crowquill.tools.sql.session import Deadline, Rows, Session, Writer
from crowquill.tools.sql.sqlite import BUSY_SECONDS, ERRORS, PROGRESS_STEPS, columns_of, harden

_CHANGES = frozenset({sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE})
_PAGES = 2000  # copied between two looks at the clock


def change(request: Any) -> Json:
    """Worker job: see `changing.run_change`; with `copy`, the file is copied there before a change is committed."""
    return run_change(request, _opened)


def restore(request: Any) -> Json:
    """Worker job: `{"path", "copy", "seconds"}`; puts the content of a copy back, in one transaction.

    Raises:
        ToolFailed: a file cannot be opened, or the database is in use for too long.
    """
    deadline = Deadline(float(request["seconds"]))
    try:
        with (
            closing(_connect(str(request["copy"]), "ro")) as copy,
            closing(_connect(str(request["path"]), "rw")) as to,
        ):
            copy.backup(to, pages=-1)
            to.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.Error as error:
        late = "; another program is using it" if deadline.over() or "locked" in str(error) else ""
        raise ToolFailed(f"the database cannot be put back: {error}{late}") from None
    return None


@contextmanager
def _opened(request: Mapping[str, Any], deadline: Deadline) -> Iterator[Writer]:
    path = str(request["path"])
    try:
        connection = _connect(path, "rw")
    except sqlite3.Error as error:
        raise ToolFailed(f"the database cannot be written: {error}") from None
    with closing(connection):
        harden(connection, writing=True)
        connection.set_progress_handler(deadline.over, PROGRESS_STEPS)
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            raise ToolFailed(f"the database cannot be written: {error}") from None
        if "expected" in request:
            _copy(path, Path(str(request["copy"])), deadline)
        connection.set_authorizer(_authorize)
        yield Writer(_session(connection), lambda change: _run(connection, change), lambda: _commit(connection))


def _connect(path: str, mode: str) -> sqlite3.Connection:
    uri = f"file:{quote(os.fsencode(path))}?mode={mode}"
    return sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None)


def _authorize(action: int, first: str | None, *more: str | None) -> int:
    """Allow what a query may do, and changing rows of tables that are not SQLite's own."""
    if action in _CHANGES and first is not None and not first.lower().startswith("sqlite_"):
        return sqlite3.SQLITE_OK
    return authorize(action, first, *more)


def _session(connection: sqlite3.Connection) -> Session:
    return Session(
        "sqlite", partial(_stream, connection), partial(columns_of, connection), ERRORS, lambda error: False
    )


def _stream(connection: sqlite3.Connection, statement: str) -> tuple[list[str], Rows]:
    cursor = connection.execute(strict_names(statement))
    return [str(column[0]) for column in cursor.description or ()], cursor


def _run(connection: sqlite3.Connection, change: Change) -> tuple[int, tuple[list[str], list[Sequence[Any]]]]:
    names, rows = _stream(connection, change.returning)
    count, shown = counted(rows)
    return count, (names, shown)


def _commit(connection: sqlite3.Connection) -> None:
    connection.set_authorizer(None)
    connection.execute("COMMIT")


def _copy(path: str, to: Path, deadline: Deadline) -> None:
    """Copy the database as it stands, durably. Raises ToolFailed."""

    def look(status: int, left: int, total: int) -> None:
        if deadline.over():
            raise ToolFailed("copying the database took too long; nothing was changed")

    try:
        os.close(os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        with closing(_connect(path, "ro")) as source, closing(_connect(str(to), "rw")) as copy:
            source.backup(copy, pages=_PAGES, progress=look)
        for place in (to, to.parent):
            descriptor = os.open(place, os.O_RDONLY)
            os.fsync(descriptor)
            os.close(descriptor)
    except (sqlite3.Error, OSError) as error:
        to.unlink(missing_ok=True)
        raise ToolFailed(f"the database cannot be copied, so nothing was changed: {error}") from None
