"""The state of a database's files: any change shows in it, and where it could not, there is no state."""

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.support.changes import CHANGES, change, needs_local_files

from crowquill.tools.sql import duck, sqlite
from crowquill.tools.sql.source import Database, data_source
from crowquill.tools.sql.state import SETTLED_SECONDS, state_of

LATER = 3600.0


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    path = tmp_path / "shop.db"
    change(path, "CREATE TABLE sales (amount)", "INSERT INTO sales VALUES (1)")
    return path


def state(path: Path) -> str | None:
    database = Database("shop", path) if path.suffix == ".db" else data_source([path])
    return state_of(database, time.time() + LATER)


@needs_local_files
@pytest.mark.parametrize("harm", CHANGES)
def test_a_change_is_another_state(shop: Path, harm: Callable[[Path], None]) -> None:
    before = state(shop)
    assert before is not None
    assert state(shop) == before
    harm(shop)
    assert state(shop) not in (None, before)


@needs_local_files
def test_what_was_just_changed_has_no_state(shop: Path) -> None:
    changed = shop.stat().st_ctime
    assert state_of(Database("shop", shop), changed + SETTLED_SECONDS - 1) is None
    assert state_of(Database("shop", shop), changed + SETTLED_SECONDS + 1) is not None


@needs_local_files
def test_what_another_program_is_writing_has_no_state(shop: Path) -> None:
    before = state(shop)
    with closing(sqlite3.connect(shop, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("UPDATE sales SET amount = 2")
        assert state(shop) is None
        writer.execute("ROLLBACK")
        writer.execute("PRAGMA journal_mode=WAL")
        writer.execute("UPDATE sales SET amount = 3")
        assert state(shop) is None  # the rows are in the log, and the file does not show them
    assert state(shop) not in (None, before)


@needs_local_files
def test_data_files_have_the_state_of_all(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.csv").write_text("amount\n1\n")
    before = state(tmp_path)
    assert before is not None
    (tmp_path / "b.csv").write_text("amount\n2\n")
    assert state(tmp_path) not in (None, before)


@pytest.mark.parametrize(
    "database",
    [
        Database("d", Path("/tmp/x.duckdb"), "duckdb"),
        Database("p", None, "postgres", "postgresql://localhost/shop"),
        Database("gone", Path("/tmp/crowquill-is-not-there.db")),
        Database("elsewhere", Path("/proc/version")),
    ],
)
def test_where_it_cannot_be_told_there_is_none(database: Database) -> None:
    assert state_of(database, time.time() + LATER) is None


def timeless(job: Callable[[Any], Any], sql: str, **where: Any) -> bool:
    found: bool = job({"sql": sql, "seconds": 5, **where})["timeless"]
    return found


def test_a_query_that_asks_for_the_time_is_known(shop: Path, tmp_path: Path) -> None:
    change(shop, "CREATE VIEW recent AS SELECT * FROM sales WHERE amount < julianday('now')")
    for sql in ("SELECT sum(amount), upper('now') FROM sales", "SELECT 1 FROM sales AS date"):
        assert timeless(sqlite.query, sql, path=str(shop)), sql
    for sql in (
        "SELECT * FROM recent",
        "SELECT CURRENT_TIMESTAMP",
        "SELECT date()",
        "SELECT STRFTIME('%Y', amount) FROM sales",
    ):
        assert not timeless(sqlite.query, sql, path=str(shop)), sql
    csv = tmp_path / "sales.csv"
    csv.write_text("day,amount\n2026-01-01,1\n")
    for sql in ("SELECT sum(amount) FROM sales", "SELECT year(day), date_trunc('month', day) FROM sales"):
        assert timeless(duck.query, sql, files=[str(csv)]), sql
    for sql in (
        "SELECT * FROM sales WHERE day < current_date",
        "SELECT NOW()",
        "SELECT age(day) FROM sales",
        "SELECT localtimestamp",
    ):
        assert not timeless(duck.query, sql, files=[str(csv)]), sql
