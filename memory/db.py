"""The one database of a workspace: connection, writer thread, numbered migrations.

SQLite in WAL mode with synchronous=FULL: what a call acknowledged survives a power cut. Every write runs in
one `BEGIN IMMEDIATE` transaction on the one thread that owns the connection.
"""

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from crowquill.errors import StorageError

T = TypeVar("T")

MIGRATIONS: list[str] = [
    # 1: the journal
    """
    CREATE TABLE runs (
        id TEXT PRIMARY KEY, objective TEXT NOT NULL, config TEXT NOT NULL, status TEXT NOT NULL,
        created_at TEXT NOT NULL, finished_at TEXT, pid INTEGER, boot_id TEXT, answer TEXT
    ) STRICT;
    CREATE TABLE effects (
        run TEXT NOT NULL REFERENCES runs(id), lane TEXT NOT NULL, kind TEXT NOT NULL,
        request_sha256 TEXT NOT NULL, ordinal INTEGER NOT NULL, request TEXT NOT NULL,
        status TEXT NOT NULL CHECK (status IN ('started', 'done', 'failed')), response TEXT,
        started_at TEXT NOT NULL, seconds REAL,
        PRIMARY KEY (run, lane, kind, request_sha256, ordinal)
    ) STRICT;
    CREATE TABLE events (
        run TEXT NOT NULL REFERENCES runs(id), lane TEXT NOT NULL, seq INTEGER NOT NULL,
        position INTEGER NOT NULL, at TEXT NOT NULL, payload TEXT NOT NULL, digest TEXT NOT NULL,
        chain TEXT NOT NULL, PRIMARY KEY (run, lane, seq)
    ) STRICT;
    CREATE INDEX events_in_order ON events (run, position);
    """,
    # 2: evidence that was verified, and where it was met
    """
    CREATE TABLE evidence (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL,
        json TEXT NOT NULL, text TEXT NOT NULL, title TEXT NOT NULL, url TEXT NOT NULL,
        source_sha256 TEXT NOT NULL, trust REAL NOT NULL, created_at TEXT NOT NULL,
        embedder TEXT, vector BLOB
    ) STRICT;
    CREATE INDEX evidence_by_embedder ON evidence (embedder);
    CREATE INDEX evidence_by_source ON evidence (source_sha256);
    CREATE TABLE sightings (
        evidence INTEGER NOT NULL REFERENCES evidence(seq), run TEXT NOT NULL, task TEXT NOT NULL,
        question TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (evidence, run, task)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX sightings_by_run ON sightings (run);
    """,
    # 3: a process is told from a later one of its number by more than the boot of the machine
    """
    ALTER TABLE runs RENAME COLUMN boot_id TO process;
    """,
    # 4: pages that were fetched, as long as they are fresh or can be asked for again
    """
    CREATE TABLE pages (
        url TEXT PRIMARY KEY, status INTEGER NOT NULL, media_type TEXT NOT NULL, charset TEXT,
        location TEXT NOT NULL, body TEXT NOT NULL, etag TEXT NOT NULL, last_modified TEXT NOT NULL,
        fetched_at TEXT NOT NULL, fresh_until REAL NOT NULL, listed INTEGER NOT NULL
    ) STRICT;
    """,
]


class Database:
    """`crowquill.db` of one workspace. Opened lazily, closed once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="crowquill-db")
        self._connection: sqlite3.Connection | None = None

    async def write(self, action: Callable[[sqlite3.Connection], T]) -> T:
        """Run `action` in one transaction and return its result after the commit.

        Raises:
            StorageError: the file cannot be opened, is damaged, locked or full.
        """
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._transact, action)

    async def read(self, action: Callable[[sqlite3.Connection], T]) -> T:
        """Run a query on the owning thread. Raises StorageError as `write`."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._guarded, action)

    def read_now(self, action: Callable[[sqlite3.Connection], T]) -> T:
        """Run a query from synchronous code."""
        return self._thread.submit(self._guarded, action).result()

    def write_now(self, action: Callable[[sqlite3.Connection], T]) -> T:
        """Run a transaction from synchronous code."""
        return self._thread.submit(self._transact, action).result()

    def close(self) -> None:
        """Close the connection; a later call opens the file again."""
        self._thread.submit(self._close).result()
        self._thread.shutdown()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="crowquill-db")

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _guarded(self, action: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return action(self._open())
        except sqlite3.Error as error:
            raise StorageError(f"{self.path}: {error}") from error

    def _transact(self, action: Callable[[sqlite3.Connection], T]) -> T:
        def within(connection: sqlite3.Connection) -> T:
            connection.execute("BEGIN IMMEDIATE")
            try:
                result = action(connection)
                connection.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):  # a full disk has already rolled back
                    connection.execute("ROLLBACK")
                raise
            return result

        return self._guarded(within)

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                self.path.touch(mode=0o600)
            except OSError as error:
                raise StorageError(f"cannot write to the workspace {self.path.parent}: {error.strerror}") from error
            connection = sqlite3.connect(self.path, isolation_level=None, timeout=10)
            _use_wal(connection)
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("PRAGMA foreign_keys=ON")
            _migrate(connection, self.path)
            self._connection = connection
        return self._connection


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switch to WAL; when several processes open a new file at once, SQLite does not wait by itself."""
    for attempt in range(100):
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or attempt == 99:
                raise
            time.sleep(0.02)
        else:
            return


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > len(MIGRATIONS):
        raise StorageError(f"{path} was written by a newer Crowquill (schema {version}); upgrade to read it")
    for number, script in enumerate(MIGRATIONS[version:], version + 1):
        connection.execute("BEGIN IMMEDIATE")
        if connection.execute("PRAGMA user_version").fetchone()[0] < number:  # another process may have won
            for statement in script.split(";\n"):
                if statement.strip():
                    connection.execute(statement)
            connection.execute(f"PRAGMA user_version={number}")
        connection.execute("COMMIT")
