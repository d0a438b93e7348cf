"""A run that was left goes on where it was, and comes to what it would have come to."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from tests.support.pages import indexed

from crowquill import Agent, Answer, Budget, ScriptedModel, UserError
from crowquill.agent.agent import run_in_thread
from crowquill.agent.events import Event, RunFinished
from crowquill.agent.models.base import Reply, Request
from crowquill.agent.models.scripted import ScriptedReply
from crowquill.agent.replay import replay
from crowquill.agent.tape import load_events
from crowquill.agent.workspace import Workspace
from crowquill.memory.blobs import BlobStore
from crowquill.memory.embed import HashingEmbedder

QUESTION = "How long is the River Aske, and where does the Brune rise?"
PAGES = {
    "River Aske": "The River Aske is 212 kilometres long. It rises in the Fells.",
    "Brune": "The Brune rises in the Morne hills. It is 90 kilometres long.",
}
SLICE = 9
"""Every so many crash points are tried in a quick run."""


def script() -> ScriptedModel:
    def act(match: str, tool: str, **arguments: object) -> ScriptedReply:
        return ScriptedReply("act", json={"thought": "", "action": {"tool": tool, **arguments}}, match=match)

    def task(name: str, goal: str) -> dict[str, object]:
        return {"id": name, "goal": goal, "done_when": "known", "needs": []}

    def worked_off(match: str, page: str, sentence: str, short: str) -> list[ScriptedReply]:
        return [
            act(match, "search", query=page),
            act(match, "open", target=f"corpus:rivers/{page}.html"),
            act(match, "quote", text=sentence),
            act(match, "answer", short=short, claims=[{"text": sentence, "cites": [1]}]),
        ]

    aske, brune = "The River Aske is 212 kilometres long.", "The Brune rises in the Morne hills."
    claims = [{"text": aske, "cites": [1]}, {"text": brune, "cites": [2]}]
    return ScriptedModel(
        [
            ScriptedReply("plan", json={"tasks": [task("a", "Find the length"), task("b", "Find the source")]}),
            *worked_off("Task: Find the length", "River Aske", aske, "212 kilometres"),
            *worked_off("Task: Find the source", "Brune", brune, "the Morne hills"),
            ScriptedReply("plan", json={"add": [], "drop": [], "order": [], "objective_met": True}),
            ScriptedReply("write", json={"short": "212 kilometres, the Morne hills", "claims": claims}),
        ]
    )


@dataclass
class Oracle:
    """A model whose reply depends on the request alone: it says what the script said to the same request."""

    model: ScriptedModel | None = field(default_factory=script)
    known: dict[str, Reply] = field(default_factory=dict)
    asked: int = 0
    slots: int = 8
    context_tokens: int = 32_768
    name: str = "scripted:oracle"

    async def complete(self, request: Request) -> Reply:
        self.asked += 1
        key = repr(request)
        if key not in self.known:
            assert self.model is not None, "the run has left its path"
            self.known[key] = await self.model.complete(request)
        return self.known[key]

    async def warm(self) -> None:
        pass

    async def close(self) -> None:
        pass


def agent(workspace: Workspace, model: Oracle) -> Agent:
    return Agent(model=model, policy="json", corpora=["rivers"], workspace=workspace)


async def ask(agent: Agent, after: Callable[[Event], None] = lambda event: None) -> Answer:
    async with aclosing(agent.stream(QUESTION)) as events:
        async for event in events:
            after(event)
            if isinstance(event, RunFinished):
                return event.answer
    raise AssertionError


async def resume(agent: Agent, run_id: str) -> Answer:
    async with aclosing(agent.resume(run_id)) as events:
        async for event in events:
            if isinstance(event, RunFinished):
                return event.answer
    raise AssertionError


def copy(database: Path, target: Path) -> Path:
    """Copy a database as it is at this moment: what a killed process would leave."""
    target.parent.mkdir()
    with sqlite3.connect(database) as live, sqlite3.connect(target) as left:
        live.backup(left)
        left.execute("UPDATE runs SET status='running', finished_at=NULL, answer=NULL, process=process || '0'")
    live.close()
    left.close()
    return target


def history(database: Path) -> dict[str, list[object]]:
    """Return the events of each lane, without the seconds that the run took."""
    connection = sqlite3.connect(database)
    (run_id,) = connection.execute("SELECT id FROM runs").fetchone()
    lanes: dict[str, list[object]] = {}
    for item in load_events(connection, run_id, BlobStore(database.parent / "blobs")):
        event: object = item.event
        if isinstance(item.event, RunFinished):
            event = replace(item.event, answer=replace(item.event.answer, seconds=0.0))
        lanes.setdefault(item.lane, []).append(event)
    lanes["memory"] = connection.execute("SELECT json FROM records ORDER BY json").fetchall()
    lanes["sightings"] = connection.execute("SELECT count(*) FROM sightings").fetchall()
    connection.close()
    return lanes


@pytest.mark.parametrize("step", [SLICE, pytest.param(1, marks=pytest.mark.slow)])
def test_a_run_killed_at_any_event_comes_to_the_same_end(tmp_path: Path, step: int) -> None:
    workspace = indexed(tmp_path, PAGES, "rivers")
    model = Oracle()
    database = workspace.database.path
    left: list[Path] = []

    def keep(event: Event) -> None:
        if database.exists() and sqlite3.connect(database).execute("SELECT 1 FROM runs").fetchone():
            left.append(copy(database, tmp_path / f"left{len(left)}" / "crowquill.db"))

    whole = run_in_thread(ask(agent(workspace, model), keep))
    assert whole.stopped == "answered"
    assert [claim.status for claim in whole.claims] == ["quoted", "quoted"]
    expected, calls = history(database), model.asked
    assert len(left) > 30
    for path in left[::step]:
        for shared in ("corpora", "blobs"):
            (path.parent / shared).symlink_to(workspace.path / shared)
        connection = sqlite3.connect(path)
        query = "SELECT count(*) FROM effects WHERE kind = 'model' AND status = 'done'"
        (done,) = connection.execute(query).fetchone()
        connection.close()
        place = Workspace(path.parent, embedder=HashingEmbedder())
        again = Oracle(model=None, known=model.known)
        answer = run_in_thread(resume(agent(place, again), whole.run_id))
        assert replace(answer, seconds=0.0) == replace(whole, seconds=0.0)
        assert again.asked == calls - done  # what was recorded is not asked again
        assert run_in_thread(replay(place, whole.run_id)) > 30
        place.close()
        assert history(path) == expected
    workspace.close()


@pytest.fixture
def cancelled(tmp_path: Path) -> tuple[Workspace, Oracle, str]:
    """A run cancelled in the middle."""
    workspace = indexed(tmp_path, PAGES, "rivers")
    model, seen = Oracle(), 0

    async def stop() -> None:
        nonlocal seen
        async with aclosing(agent(workspace, model).stream(QUESTION)) as events:
            async for _ in events:
                seen += 1
                if seen == 20:
                    return

    run_in_thread(stop())
    rows = workspace.database.read_now(
        lambda connection: connection.execute("SELECT id, status FROM runs").fetchall()
    )
    ((run_id, status),) = rows
    assert status == "cancelled"
    return workspace, model, run_id


def test_of_two_that_resume_one_run_one_wins(cancelled: tuple[Workspace, Oracle, str]) -> None:
    workspace, model, run_id = cancelled

    async def both() -> list[Answer | BaseException]:
        agents = (agent(workspace, model), agent(workspace, model))
        return await asyncio.gather(*(resume(each, run_id) for each in agents), return_exceptions=True)

    first, second = sorted(run_in_thread(both()), key=lambda outcome: isinstance(outcome, Exception))
    assert isinstance(first, Answer)
    assert first.stopped == "answered"
    assert isinstance(second, UserError)
    assert "is being worked on by process" in str(second) or "came to its end" in str(second)
    with pytest.raises(UserError, match=r"came to its end \(answered\)"):
        run_in_thread(resume(agent(workspace, model), run_id))
    (row,) = workspace.database.read_now(lambda c: c.execute("SELECT status FROM runs").fetchall())
    assert row == ("answered",)  # the loser has not touched the record


@pytest.mark.slow
def test_a_run_that_another_process_has_taken_over_stops(tmp_path: Path) -> None:
    """As when a machine was asleep for longer than its lease."""
    workspace = indexed(tmp_path, PAGES, "rivers")
    asleep = Agent(
        model=ScriptedModel([ScriptedReply("plan", json={}, delay=60)]), policy="json", workspace=workspace
    )

    async def lose() -> None:
        asking = asyncio.create_task(asleep.answer(QUESTION))
        while not await workspace.database.read(lambda c: c.execute("SELECT 1 FROM runs").fetchone()):
            await asyncio.sleep(0.05)
        await workspace.database.write(lambda c: c.execute("UPDATE runs SET process = 'another boot 1'"))
        await asking

    with pytest.raises(UserError, match="was taken over by another process"):
        run_in_thread(lose())
    (row,) = workspace.database.read_now(lambda c: c.execute("SELECT status, process FROM runs").fetchall())
    assert row == ("running", "another boot 1")


def test_other_settings_do_not_go_on(cancelled: tuple[Workspace, Oracle, str]) -> None:
    workspace, model, run_id = cancelled
    other = Agent(model=model, policy="guided", corpora=["rivers"], budget=Budget(steps=3), workspace=workspace)
    with pytest.raises(UserError, match="begun with other settings: budget, policy"):
        run_in_thread(resume(other, run_id))
