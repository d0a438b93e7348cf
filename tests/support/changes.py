"""Ways in which a SQLite file is changed, and the kinds of disk on which each of them is certain to show."""

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from crowquill.tools.sql.state import LOCAL, file_system

needs_local_files = pytest.mark.skipif(
    file_system(Path("/tmp")) not in LOCAL, reason="the temporary folder is on no local disk"
)


def change(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def write(path: Path) -> None:
    change(path, "UPDATE sales SET amount = 2")


def write_ahead(path: Path) -> None:
    change(path, "PRAGMA journal_mode=WAL", "UPDATE sales SET amount = 2")


def put_another_in_its_place(path: Path) -> None:
    other = Path(shutil.copy2(path, path.with_name("other.db")))
    times = path.stat()
    write(other)
    os.utime(other, ns=(times.st_atime_ns, times.st_mtime_ns))
    other.replace(path)


def write_and_set_the_time_back(path: Path) -> None:
    times = path.stat()
    write(path)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (times.st_size, times.st_mtime_ns)


CHANGES = [write, write_ahead, put_another_in_its_place, write_and_set_the_time_back]
