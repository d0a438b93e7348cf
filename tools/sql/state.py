"""The state of a database's files: while it is the same, the rows of an earlier query are still those of now.

It can be told only of SQLite and data files on a local file system, at rest. Whatever changes a file, or puts
another one in its place, changes its `ctime`, which no program can set back. But clocks tick coarsely, and memory
that a program has mapped is stamped late: a file that was changed within the last minute has no state yet. Neither
has a SQLite database with a journal beside it (somebody writes, or has crashed), a DuckDB file (its views may ask
for the time, and nothing tells), or a server.
"""

import hashlib
import json
import re
import sqlite3
import time
from functools import cache
from importlib.metadata import version
from pathlib import Path

from crowquill.tools.sql.source import Database

SETTLED_SECONDS = 60.0
"""For how long a file must have been left alone."""
LOCAL = frozenset({"btrfs", "ext2", "ext3", "ext4", "f2fs", "overlay", "xfs"})
"""File systems whose times are set by this machine's kernel at every change; those of a network lag behind."""
_MOUNTS = Path("/proc/self/mountinfo")


def state_of(database: Database, now: float) -> str | None:
    """Return a digest of all that the rows of a query depend on beside the query; None where that cannot be told.

    `now` is in epoch seconds. Only a query that does not ask for the time has its rows by this alone.
    """
    paths = database.files
    if database.kind == "sqlite" and database.path is not None:
        paths = (database.path,)
    if not paths:
        return None
    try:
        states = [_file_state(path, now) for path in paths]
    except OSError:
        return None
    if None in states:
        return None
    told = json.dumps([states, *_versions(), time.tzname])
    return hashlib.sha256(told.encode("utf-8", "surrogateescape")).hexdigest()


@cache
def _versions() -> tuple[str, ...]:
    """Return the versions of what runs queries; looking them up takes as long as a small query."""
    return (sqlite3.sqlite_version, version("duckdb"), version("crowquill"))


def _file_state(path: Path, now: float) -> list[int | str] | None:
    status = path.stat()
    settled = max(status.st_mtime, status.st_ctime) <= now - SETTLED_SECONDS
    if not settled or file_system(path) not in LOCAL or any(_holds(path, end) for end in ("-wal", "-journal")):
        return None
    stamps = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    return [str(path), *stamps]


def _holds(path: Path, end: str) -> bool:
    try:
        return path.with_name(path.name + end).stat().st_size > 0
    except FileNotFoundError:
        return False


def file_system(path: Path) -> str:
    """Return the type of the file system of a file, empty where the system does not say. Raises OSError."""
    if not _MOUNTS.exists():
        return ""
    place, found, kind = path.resolve(), Path(), ""
    for line in _MOUNTS.read_text(encoding="utf-8", errors="surrogateescape").splitlines():
        fields, _, rest = line.partition(" - ")
        point = Path(re.sub(r"\\(\d{3})", lambda code: chr(int(code[1], 8)), fields.split()[4]))
        if place.is_relative_to(point) and len(point.parts) >= len(found.parts):  # the last one covers the others
            found, kind = point, rest.split()[0]
    return kind
