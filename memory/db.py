"""The one database of a workspace: connection, writer thread, damage.

SQLite in WAL mode with synchronous=FULL: what a call acknowledged survives a power cut. Every write runs in a
`BEGIN IMMEDIATE` transaction on the one thread that owns the connection, in the order in which it was asked for.
Writes that wait for the thread share one transaction, so that many rows pay for one flush of the disk.
"""

import asyncio
import contextlib
import fcntl
import os
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal, TypeVar

from crowquill.errors import StorageError
from crowquill.memory.blobs import BlobStore
from crowquill.memory.migrations import MIGRATIONS, migrate, version_of
from crowquill.memory.owned import own_folder
from crowquill.memory.salvage import salvage
from crowquill.memory.wal import committed_frames

T = TypeVar("T")

Durability = Literal["full", "normal"]
"""`full`: a commit survives a power cut; `normal`: a killed process, and a power cut may take the last ones."""

CHECKED_BYTES = 32 * 2**20
"""A larger database is not looked through at every start, but when its last user left without closing it."""


class Database:
    """`crowquill.db` of one workspace, and the blobs beside it. Opened lazily, closed once."""

    def __init__(self, path: Path, *, durability: Durability = "full") -> None:
        self.path = path
        self.blobs = BlobStore(path.parent / "blobs")
        self._durability = durability
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="crowquill-db")
        self._connection: sqlite3.Connection | None = None
        self._lock: int | None = None
        self._waiting: list[tuple[Callable[[sqlite3.Connection], Any], Future[Any]]] = []
        self._adding = threading.Lock()
        self._failure: BaseException | None = None

    async def write(self, action: Callable[[sqlite3.Connection], T]) -> T:
        """Run `action` in a transaction and return its result after the commit.

        Raises:
            StorageError: the file cannot be opened, is damaged, locked or full.
        """
        return await asyncio.wrap_future(self._enqueue(action))

    def write_soon(
        self, action: Callable[[sqlite3.Connection], object], then: Callable[[], object] | None = None
    ) -> None:
        """Run `action` in its turn, and do not wait for the commit: what is written later is not committed earlier.

        After the commit `then` is called, on the database's thread. A failure is raised by the next write. Raises
        StorageError as `write`, for an earlier one.
        """

        def settle(done: "Future[Any]") -> None:
            if (failure := done.exception()) is not None:
                self._failure = failure
            elif then is not None:
                then()

        self._enqueue(action).add_done_callback(settle)

    def _enqueue(self, action: Callable[[sqlite3.Connection], T]) -> "Future[T]":
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure
        done: Future[T] = Future()
        with self._adding:
            self._waiting.append((action, done))
            first = len(self._waiting) == 1
        if first:
            self._thread.submit(self._write_waiting)
        return done

    def _write_waiting(self) -> None:
        """Write all that waits in one transaction; if that fails, one by one, so that each has its own outcome."""
        with self._adding:
            waiting, self._waiting = self._waiting, []
        wanted = [(action, done) for action, done in waiting if done.set_running_or_notify_cancel()]
        if not wanted:
            return
        try:
            results = self._transact(lambda connection: [action(connection) for action, _ in wanted])
        except BaseException as error:
            if len(wanted) == 1:
                wanted[0][1].set_exception(error)
                return
            for action, done in wanted:
                try:
                    done.set_result(self._transact(action))
                except BaseException as own:  # it is raised where it is awaited
                    done.set_exception(own)
        else:
            for (_, done), result in zip(wanted, results, strict=True):
                done.set_result(result)

    async def read(self, action: Callable[[sqlite3.Connection], T]) -> T:
        """Run a query on the owning thread. Raises StorageError as `write`."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._guarded, action)

    def read_now(self, action: Callable[[sqlite3.Connection], T]) -> T:
        """Run a query from synchronous code."""
        return self._thread.submit(self._guarded, action).result()

    def write_now(self, action: Callable[[sqlite3.Connection], T]) -> T:
        """Run a transaction from synchronous code."""
        return self._enqueue(action).result()

    def shrink(self) -> None:
        """Give back the space of what was deleted, and leave no copy of it in the log."""

        def work(connection: sqlite3.Connection) -> None:
            connection.execute("PRAGMA incremental_vacuum").fetchall()
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

        self.read_now(work)

    def close(self) -> None:
        """Close the connection; a later call opens the file again."""
        self._thread.submit(self._close).result()
        self._thread.shutdown()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="crowquill-db")

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _guarded(self, action: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return action(self._open())
        except sqlite3.Error as error:
            if _means_damage(error):
                self._close()
                with contextlib.suppress(OSError):
                    self._mark.touch(mode=0o600)
                raise StorageError(
                    f"{self.path} is damaged ({error}); the next command will save what it can"
                ) from error
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

    @property
    def _mark(self) -> Path:
        """A file that says that damage was met."""
        return self.path.with_name(self.path.name + ".damaged")

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            try:
                self._open_checked(alone=self._take_lock())
            except BaseException:
                self._close()
                raise
        assert self._connection is not None
        return self._connection

    def _open_checked(self, *, alone: bool) -> None:
        logged = committed_frames(self._log) if alone else 0
        check = self._mark.exists() or self._left_open() or self.path.stat().st_size <= CHECKED_BYTES
        try:
            self._connection = self._connect(check=check)
        except sqlite3.DatabaseError as error:
            if not _means_damage(error):
                raise
            self._save_what_is_whole(error)
        else:
            self._check_log(self._connection, logged)

    def _take_lock(self) -> bool:
        """Hold the database's lock while it is open, so that nobody replaces it: alone, if nobody else has it open.

        Returns whether that is so; `_check_log` begins to share it.
        """
        try:
            own_folder(self.path.parent)
            self.path.touch(mode=0o600)
            lock = self.path.with_name(self.path.name + ".lock")
            self._lock = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
            fcntl.flock(self._lock, fcntl.LOCK_SH)
        except OSError as error:
            raise StorageError(f"cannot write to the workspace {self.path.parent}: {error.strerror}") from error

        return False

    def _check_log(self, connection: sqlite3.Connection, logged: int) -> None:
        """Share the lock from now on. Raises StorageError, once, when SQLite could not read all of the log."""
        assert self._lock is not None
        _, read, _ = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone() if logged else (0, 0, 0)
        fcntl.flock(self._lock, fcntl.LOCK_SH)
        if read < logged:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            raise StorageError(
                f"the end of the log of {self.path} was damaged: what was written last is lost, and the runs that"
                " wrote it can be resumed. Give the command again to go on"
            )

    @property
    def _log(self) -> Path:
        """SQLite's write-ahead log."""
        return self.path.with_name(self.path.name + "-wal")

    def _left_open(self) -> bool:
        return self._log.exists() and self._log.stat().st_size > 0

    def _connect(self, *, check: bool) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, isolation_level=None, timeout=10)
        try:
            connection.execute("PRAGMA auto_vacuum=INCREMENTAL")  # of a new file; VACUUM would number rows anew
            connection.execute("PRAGMA secure_delete=ON")
            _use_wal(connection)
            connection.execute(f"PRAGMA synchronous={self._durability}")
            connection.execute("PRAGMA foreign_keys=ON")
            version = version_of(connection)
            if version > len(MIGRATIONS):
                raise StorageError(
                    f"{self.path} was written by a newer Crowquill (schema {version}); upgrade to read it"
                )
            if check and (found := connection.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
                raise sqlite3.DatabaseError(f"malformed: {found}")
            migrate(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _save_what_is_whole(self, error: sqlite3.DatabaseError) -> None:
        """Replace the damaged file by what can be saved of it. Raises StorageError that says so, once."""
        assert self._lock is not None
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise StorageError(
                f"{self.path} is damaged ({error}) and other processes use it: end them, then try again"
            ) from error
        try:
            report = salvage(self.path, self.blobs, time.strftime("%Y%m%d-%H%M%S"))
            self._mark.unlink(missing_ok=True)
        except OSError as failure:
            raise StorageError(f"{self.path} is damaged and nothing can be saved: {failure.strerror}") from failure
        raise StorageError(f"{report}. Give the command again to go on") from error


def _means_damage(error: sqlite3.Error) -> bool:
    return isinstance(error, sqlite3.DatabaseError) and any(
        word in str(error) for word in ("malformed", "not a database", "corrupt")
    )


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
