"""Databases of earlier versions open, and a process that is killed while it migrates leaves none half done."""

import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from crowquill.errors import StorageError
from crowquill.memory.db import Database
from crowquill.memory.migrations import MIGRATIONS, migrate, version_of

SHA = "ab" * 32


def older(path: Path, version: int) -> Path:
    """Write a database as that version would have, with a run that names a blob."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    for step in MIGRATIONS[:version]:
        for statement in step.split(";\n") if isinstance(step, str) else ():
            connection.execute(statement)
    connection.execute(f"PRAGMA user_version={version}")
    process = "boot_id" if version < 3 else "process"
    connection.execute(
        f"INSERT INTO runs (id, objective, config, status, created_at, pid, {process}) VALUES"
        " ('r1', 'How?', '{}', 'running', '2026-01-01T00:00:00+00:00', 1, 'x')"
    )
    connection.execute(
        "INSERT INTO effects (run, lane, kind, request_sha256, ordinal, request, status, response, started_at)"
        f" VALUES ('r1', 't1/s1', 'fetch', 'h', 0, '1', 'done', '{{\"body\":\"{SHA}\"}}', '2026')"
    )
    connection.close()
    return path


def schema(connection: sqlite3.Connection) -> list[tuple[str, ...]]:
    names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type='table' ORDER BY 1")]
    return [
        (name, *map(str, row[1:])) for name in names for row in connection.execute(f"PRAGMA table_info({name})")
    ]


@pytest.mark.parametrize("version", range(1, len(MIGRATIONS)))
def test_every_earlier_version_is_migrated(tmp_path: Path, version: int) -> None:
    fresh = Database(tmp_path / "fresh" / "crowquill.db")
    database = Database(older(tmp_path / "crowquill.db", version))
    assert database.read_now(schema) == fresh.read_now(schema)
    used = database.read_now(lambda connection: connection.execute("SELECT * FROM blob_uses").fetchall())
    assert used == ([(SHA, "r1")] if version < 5 else [])  # later versions note it with the row
    database.close()
    fresh.close()


def test_a_newer_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "crowquill.db"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version=99")
    connection.close()
    database = Database(path)
    with pytest.raises(StorageError, match=r"written by a newer Crowquill \(schema 99\)"):
        database.read_now(version_of)
    database.close()


def test_of_many_that_migrate_at_once_one_does(tmp_path: Path) -> None:
    path = older(tmp_path / "crowquill.db", 2)
    program = "import sqlite3\nfrom pathlib import Path\nfrom crowquill.memory.db import Database\n"
    program += (
        f"print(Database(Path({str(path)!r})).read_now(lambda c: c.execute('PRAGMA user_version').fetchone()[0]))"
    )
    started = [subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) for _ in range(3)]
    assert [int(process.communicate()[0]) for process in started] == [len(MIGRATIONS)] * 3


KILLED = """
import os, shutil, signal, sqlite3, sys
from crowquill.memory.migrations import migrate
def work(path, left):
    connection = sqlite3.connect(path, isolation_level=None)
    def count(statement):
        nonlocal left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
    connection.set_trace_callback(count)
    migrate(connection)
statements, code = 0, None
while code != 0:
    path = shutil.copy(sys.argv[1], f"{sys.argv[1]}.{statements}")
    if os.fork() == 0:
        work(path, statements)
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.wait()[1])
    print(path, code)
    statements += 1
"""
"""Migrates copies of a database in forks, each killed a statement later than the one before, until one is not."""


def test_a_process_killed_in_a_migration_leaves_nothing_half_done(tmp_path: Path) -> None:
    """Killed before every statement of all migrations."""
    old = older(tmp_path / "old.db", 1)
    done = subprocess.run([sys.executable, "-c", KILLED, str(old)], capture_output=True, text=True, check=True)
    statements, code, whole = 0, "", None
    for statements, line in enumerate(done.stdout.splitlines()):
        path, _, code = line.rpartition(" ")
        connection = sqlite3.connect(path, isolation_level=None)
        version = version_of(connection)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        migrate(connection)
        whole = schema(connection)
        assert connection.execute("SELECT id, objective FROM runs").fetchall() == [("r1", "How?")]
        connection.close()
        assert int(code) in (0, -signal.SIGKILL)
        assert version < len(MIGRATIONS) or statements > 20
    assert (int(code), statements >= 20) == (0, True)
    fresh = sqlite3.connect(":memory:", isolation_level=None)
    migrate(fresh)
    assert whole == schema(fresh)
    fresh.close()
