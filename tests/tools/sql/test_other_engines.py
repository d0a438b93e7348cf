"""Databases that only SQLAlchemy knows (here SQLite by its driver): listed syntax, rolled back."""

from pathlib import Path
from typing import Any

import pytest
from tests.tools.sql.conftest import SHOP, make_database
from tests.tools.sql.test_read_only import hostile, state

from crowquill import Agent
from crowquill.agent.models.scripted import ScriptedModel
from crowquill.errors import ToolError, ToolFailed, ToolRetry, UserError
from crowquill.tools.sql.source import Database, jobs_of, locate_database
from crowquill.tools.worker import JOBS, Worker


@pytest.fixture
def other(tmp_path: Path) -> Database:
    (tmp_path / "data").mkdir()
    path = make_database(tmp_path / "data" / "shop.db", SHOP)
    return Database("shop", kind="other", url=f"sqlite:///{path}")


async def ask(database: Database, sql: str) -> Any:
    worker = Worker({**JOBS, **jobs_of([database])})
    try:
        return await worker.run(database.job("query"), database.request(sql=sql, seconds=5), seconds=5)
    finally:
        worker.close()


async def test_schema_queries_and_values(other: Database) -> None:
    worker = Worker({**JOBS, **jobs_of([other])})
    try:
        tables: Any = await worker.run(other.job("schema"), other.request(seconds=5), seconds=10)
        wanted = other.request(columns=[["customers", "name"]], phrases=["zsofia"], like=[], seconds=5)
        hits = await worker.run(other.job("lookup"), wanted, seconds=5)
    finally:
        worker.close()
    assert [table["name"] for table in tables] == ["customers", "order", "orders", "spending"]
    assert tables[2]["links"] == [{"column": "customer_id", "table": "customers", "to": "id"}]
    assert hits == [["customers", "name", "Zsófia", ""]]
    assert (await ask(other, "SELECT count(*) FROM orders"))["rows"] == [[3]]
    with pytest.raises(ToolRetry, match=r"no such column: nam"):
        await ask(other, "SELECT nam FROM customers")


@pytest.mark.slow
async def test_hostile_statements_change_nothing(other: Database, tmp_path: Path) -> None:
    before = state(tmp_path / "data")
    worker = Worker({**JOBS, **jobs_of([other])})
    refused = 0
    try:
        for statement in hostile(tmp_path)[::3]:
            try:
                await worker.run(other.job("query"), other.request(sql=statement, seconds=5), seconds=5)
            except ToolError:
                refused += 1
    finally:
        worker.close()
    assert refused >= 0.9 * len(hostile(tmp_path)[::3])
    assert state(tmp_path / "data") == before


async def test_a_missing_driver_and_a_server_that_is_away_are_said() -> None:
    with pytest.raises(ToolFailed, match="no driver for this database"):
        await ask(locate_database("oracle://u@127.0.0.1/x"), "SELECT 1")


def test_a_source_that_cannot_be_reached_is_said_before_the_run(tmp_path: Path) -> None:
    agent = Agent(
        model=ScriptedModel([]), policy="guided", databases=["x=nosuch://u@127.0.0.1/x"], workspace=tmp_path / "w"
    )
    with pytest.raises(UserError, match="no driver for this database"):
        agent.ask("How many?")
