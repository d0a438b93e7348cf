"""Runs that change a database: asked for, made, denied, undone, replayed without touching anything."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from crowquill import Agent, ApprovalRequest, Decision
from crowquill.agent.models.scripted import ScriptedModel, ScriptedReply
from crowquill.agent.replay import replay
from crowquill.agent.workspace import Workspace
from crowquill.errors import UserError
from crowquill.memory.evidence import Table
from crowquill.tools.worker import Worker

SHOP = "CREATE TABLE clients (id INTEGER PRIMARY KEY, name TEXT, city TEXT);" + "".join(
    f"INSERT INTO clients VALUES ({number}, '{name}', '{city}');"
    for number, (name, city) in enumerate([("Ann", "Rom"), ("Ben", "Oslo"), ("Cleo", "Rom")], 1)
)
TASK = {"id": "a", "goal": "Correct the city", "done_when": "it is corrected", "needs": []}
STATEMENT = "UPDATE clients SET city = 'Rome' WHERE city = 'Rom'"


class Person:
    """Answers each question the same way and remembers what was shown."""

    def __init__(self, *, allow: bool) -> None:
        self.allow = allow
        self.asked: list[ApprovalRequest] = []

    async def decide(self, request: ApprovalRequest) -> Decision:
        self.asked.append(request)
        return Decision(self.allow)


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    made = Workspace(tmp_path / "workspace")
    yield made
    made.close()


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    path = tmp_path / "shop.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(SHOP)
    return path


def cities(shop: Path) -> list[Any]:
    with closing(sqlite3.connect(shop)) as connection:
        return [row[0] for row in connection.execute("SELECT city FROM clients ORDER BY id")]


def acted(tool: str, match: str | None = None, **arguments: Any) -> ScriptedReply:
    return ScriptedReply("act", json={"thought": "", "action": {"tool": tool, **arguments}}, match=match)


def agent(workspace: Workspace, shop: Path, person: Person, statement: str = STATEMENT) -> Agent:
    model = ScriptedModel(
        [
            ScriptedReply("plan", json={"tasks": [TASK]}),
            acted("sql_change", statement=statement),
            acted("answer", "changed rows", short="2", claims=[{"text": "2 rows were changed.", "cites": [1]}]),
            acted("give_up", reason="not_found", note=""),
        ]
    )
    return Agent(
        model=model,
        policy="json",
        databases=[str(shop)],
        workspace=workspace,
        approver=person,
        allow_write=True,
        memory=False,
    )


async def test_a_change_is_shown_approved_made_and_undone(workspace: Workspace, shop: Path) -> None:
    person = Person(allow=True)
    answer = await agent(workspace, shop, person).answer("Write the city Rome correctly")
    assert cities(shop) == ["Rome", "Oslo", "Rome"]
    (request,) = person.asked
    assert (request.tool, request.access, request.args["statement"]) == ("sql_change", "write", STATEMENT)
    assert request.effect == "2 rows of clients in shop are changed; can be undone"
    shown: Any = request.args
    assert [row[2] for row in shown["before"]["rows"]] == ["Rom", "Rom"]
    assert [row[2] for row in shown["after"]["rows"]] == ["Rome", "Rome"]
    (table,) = (item for item in answer.evidence if isinstance(item, Table))
    assert (table.columns, table.rows) == (("changed rows",), ((2,),))
    assert [claim.status for claim in answer.claims] == ["queried"]

    worker = Worker({"restore": "crowquill.tools.sql.sqlite_change:restore"})
    await workspace.copies(worker).undo(shop, seconds=10)
    worker.close()
    assert cities(shop) == ["Rom", "Oslo", "Rom"]

    assert await replay(workspace, answer.run_id) > 5
    assert cities(shop) == ["Rom", "Oslo", "Rom"]
    assert len(person.asked) == 1


async def test_a_change_that_is_denied_is_not_made(workspace: Workspace, shop: Path) -> None:
    before = shop.read_bytes()
    answer = await agent(workspace, shop, Person(allow=False)).answer("Write the city Rome correctly")
    assert answer.stopped == "not_found"
    assert shop.read_bytes() == before
    assert not (workspace.path / "copies").exists()


async def test_nobody_is_asked_about_nothing(workspace: Workspace, shop: Path) -> None:
    person = Person(allow=True)
    await agent(workspace, shop, person, "DELETE FROM clients WHERE id > 99").answer("Delete the others")
    assert not person.asked


def test_without_anybody_to_ask_it_does_not_begin(workspace: Workspace, shop: Path) -> None:
    alone = Agent(model=ScriptedModel([]), databases=[str(shop)], workspace=workspace, allow_write=True)
    with pytest.raises(UserError, match="nobody can be asked here"):
        alone.ask("Delete everything")
