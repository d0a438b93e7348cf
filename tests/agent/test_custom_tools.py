"""Tools that a user adds: what they do wrong is told to the model, and ends no run."""

import asyncio
import sqlite3
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, Literal

import pytest

from crowquill import Agent, Budget, ScriptedModel, tool
from crowquill.agent.events import Observed, RunFinished
from crowquill.agent.models.scripted import ScriptedReply
from crowquill.agent.records import find_run
from crowquill.agent.replay import replay
from crowquill.agent.state import ENDINGS
from crowquill.agent.tape import settle_outcomes
from crowquill.agent.toolkit import BUILT_IN, recall_tool
from crowquill.agent.workspace import Workspace
from crowquill.errors import UserError
from crowquill.memory.embed import HashingEmbedder
from crowquill.tools.browser.actions import browser_tools
from crowquill.tools.browser.browser import Browser
from crowquill.tools.context import ToolContext
from crowquill.tools.maths.tool import math_tool
from crowquill.tools.sql.change_tool import change_tool
from crowquill.tools.sql.source import Database
from crowquill.tools.sql.tool import sql_tools
from crowquill.tools.sql.undo import Copies
from crowquill.tools.tool import Tool
from crowquill.tools.wolfram import wolfram_tool
from crowquill.tools.worker import Worker

GIVE_UP = ScriptedReply(
    "act", json={"thought": "", "action": {"tool": "give_up", "reason": "not_found", "note": ""}}, repeat=True
)


def act(name: str, **arguments: Any) -> ScriptedReply:
    return ScriptedReply("act", json={"thought": "", "action": {"tool": name, **arguments}})


def scripted(*replies: ScriptedReply) -> ScriptedModel:
    plan = {"tasks": [{"id": "a", "goal": "Look it up", "done_when": "", "needs": []}]}
    return ScriptedModel([ScriptedReply("plan", json=plan), *replies, GIVE_UP])


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "w", embedder=HashingEmbedder())


async def observe(workspace: Workspace, entry: Tool, budget: Budget | None = None) -> list[Observed]:
    """Let the model call the tool once, and return what every call brought."""
    agent = Agent(model=scripted(act(entry.name)), policy="json", workspace=workspace, tools=[entry], budget=budget)
    return [event async for event in agent.stream("What is it?") if isinstance(event, Observed)]


def breaks() -> str:
    """Look it up."""
    raise ValueError("HTTP 500\n  from the server")


async def breaks_later() -> str:
    """Look it up."""
    raise KeyError("colour")


def exits() -> str:
    """Look it up."""
    sys.exit(3)


def runs_dry() -> str:
    """Look it up."""
    return next(iter([]))


def gives_a_number() -> str:
    """Look it up."""
    return 42  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("function", "error"),
    [
        (breaks, "breaks: ValueError: HTTP 500 from the server"),
        (breaks_later, "breaks_later: KeyError: 'colour'"),
        (exits, "exits: RuntimeError: SystemExit was raised"),
        (runs_dry, "runs_dry: RuntimeError: StopIteration was raised"),
        (gives_a_number, "gives_a_number: it returned int, not str or Observation"),
    ],
)
async def test_what_a_tool_does_wrong_is_told_and_the_run_goes_on(
    workspace: Workspace, function: Callable[[], Any], error: str
) -> None:
    assert [event.error for event in await observe(workspace, tool(function))] == [error]


def sleeps() -> str:
    """Look it up."""
    time.sleep(5)
    return "late"


async def waits() -> str:
    """Look it up."""
    await asyncio.sleep(5)
    return "late"


@pytest.mark.parametrize("function", [sleeps, waits])
async def test_a_tool_is_cut_off_when_the_time_of_the_run_is_over(
    workspace: Workspace, function: Callable[[], Any]
) -> None:
    started = time.monotonic()
    observed = await observe(workspace, tool(function), Budget(seconds=1))
    assert [event.error for event in observed] == [
        f"{function.__name__}: the time of the run was over before it was done"
    ]
    assert time.monotonic() - started < 4


def test_a_cancelled_run_does_not_wait_for_a_tool_that_hangs(workspace: Workspace) -> None:
    agent = Agent(model=scripted(act("sleeps")), policy="json", workspace=workspace, tools=[tool(sleeps)])
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        asyncio.run(asyncio.wait_for(agent.answer("What is it?"), 1))
    assert time.monotonic() - started < 4


@tool
def lookup() -> str:
    """Look it up."""
    return "found"


@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_no_tool_takes_a_name_of_ours(workspace: Workspace, name: str) -> None:
    agent = Agent(model=scripted(), workspace=workspace, tools=[tool(name=name)(breaks)])
    with pytest.raises(UserError, match=f"'{name}' is built in"):
        agent.ask("What is it?")


def test_no_two_tools_have_one_name(workspace: Workspace) -> None:
    with pytest.raises(UserError, match="'lookup' is there twice"):
        Agent(model=scripted(), workspace=workspace, tools=[lookup, lookup]).ask("What is it?")


def test_all_our_tools_are_known_by_name() -> None:
    worker = Worker()
    ours = [*browser_tools(Browser([], [])), math_tool(worker), recall_tool(), wolfram_tool("key")]
    database = Database("d", Path("d.db"))
    ours += [*sql_tools([database], worker, ()), change_tool([database], worker, Copies(Path("copies"), worker))]
    of_a_run = {"ask_user", "remember", "revise", "forget"}
    assert {entry.name for entry in ours} | ENDINGS | of_a_run == BUILT_IN


@pytest.mark.parametrize("access", ["write", "send", "exec"])
def test_a_tool_that_does_more_than_read_must_be_allowed(
    workspace: Workspace, access: Literal["write", "send", "exec"]
) -> None:
    model, entry = scripted(act("lookup")), tool(name="lookup", access=access)(lookup.function)
    with pytest.raises(UserError, match=f"'lookup' has access '{access}': name it in Agent"):
        Agent(model=model, workspace=workspace, tools=[entry], allow=["look"]).ask("What is it?")
    assert model.calls == []
    allowed = Agent(model=model, policy="json", workspace=workspace, tools=[entry], allow=["look*"])
    assert allowed.ask("What is it?").stopped == "not_found"
    assert len(model.calls) == 3


async def resume(agent: Agent, run_id: str) -> str:
    (ended,) = [event.stopped async for event in agent.resume(run_id) if isinstance(event, RunFinished)]
    return ended


@pytest.mark.parametrize(
    ("outcome", "sent", "status"), [("again", 2, ""), ("done", 1, ""), ("failed", 1, "not done")]
)
async def test_a_call_that_was_under_way_and_may_have_changed_something_waits_for_a_decision(
    workspace: Workspace, outcome: Literal["again", "done", "failed"], sent: int, status: str
) -> None:
    letters: list[str] = []
    posted = asyncio.Event()

    async def post(to: str) -> str:
        """Post a letter."""
        letters.append(to)
        posted.set()
        if len(letters) == 1:
            await asyncio.sleep(30)
        return f"posted to {to}"

    def agent() -> Agent:
        entry = tool(access="send")(post)
        model = scripted(act("post", to="Aske"))
        return Agent(model=model, policy="json", workspace=workspace, tools=[entry], allow=["post"])

    asking = asyncio.create_task(agent().answer("Send it."))
    await posted.wait()
    asking.cancel()
    await asyncio.wait([asking])
    with pytest.raises(
        UserError, match=r'left while it called .*"tool":"post".*runs settle \S+ done\|failed\|again'
    ):
        await resume(agent(), "last")
    assert letters == ["Aske"]

    def find(connection: sqlite3.Connection) -> str:
        record = find_run(connection, "last")
        assert record.state == "cancelled"  # it was not claimed
        assert settle_outcomes(connection, record.id, outcome) == 1
        return record.id

    run_id = await workspace.database.write(find)
    events = [event async for event in agent().resume(run_id)]
    assert letters == ["Aske"] * sent
    (observed,) = [event for event in events if isinstance(event, Observed)]
    assert status in observed.error
    assert await replay(workspace, run_id, strict=True) > 1


async def test_a_call_that_may_be_made_twice_is_made_again_without_asking(workspace: Workspace) -> None:
    filed: list[str] = []
    begun = asyncio.Event()

    @tool(access="write", idempotent=True)
    async def file_under(title: str) -> str:
        """File the paper under a title."""
        filed.append(title)
        begun.set()
        if len(filed) == 1:
            await asyncio.sleep(30)
        return f"filed under {title}"

    def agent() -> Agent:
        model = scripted(act("file_under", title="Aske"))
        return Agent(model=model, policy="json", workspace=workspace, tools=[file_under], allow=["file_under"])

    asking = asyncio.create_task(agent().answer("File it."))
    await begun.wait()
    asking.cancel()
    await asyncio.wait([asking])
    assert await resume(agent(), "last") == "not_found"
    assert filed == ["Aske", "Aske"]


def test_two_databases_of_one_name_are_refused_before_the_model_is_asked(
    workspace: Workspace, tmp_path: Path
) -> None:
    paths = [tmp_path / folder / "shop.db" for folder in ("a", "b")]
    for path in paths:
        path.parent.mkdir()
        connection = sqlite3.connect(path)
        connection.execute("CREATE TABLE goods (name TEXT)")
        connection.close()
    model = scripted()
    agent = Agent(model=model, policy="json", workspace=workspace, databases=[str(path) for path in paths])
    with pytest.raises(UserError, match="two databases are called 'shop'"):
        agent.ask("What is it?")
    assert model.calls == []


@pytest.mark.parametrize("used", [True, False])
async def test_a_run_with_a_tool_of_the_users_own_is_replayed_without_it(workspace: Workspace, used: bool) -> None:
    calls = [act("lookup")] if used else []
    agent = Agent(model=scripted(*calls), policy="json", workspace=workspace, tools=[lookup])
    answer = await agent.answer("What is it?")
    assert await replay(workspace, answer.run_id, strict=True) > 1


async def test_a_run_that_ended_in_an_error_is_replayed(workspace: Workspace) -> None:
    model = ScriptedModel([ScriptedReply("plan", fault="fatal")])
    answer = await Agent(model=model, policy="json", workspace=workspace).answer("What is it?")
    assert answer.stopped == "error"
    assert await replay(workspace, answer.run_id) > 1


async def test_a_cancelled_run_is_not_replayed(workspace: Workspace) -> None:
    agent = Agent(
        model=ScriptedModel([ScriptedReply("plan", json={}, delay=30)]), policy="json", workspace=workspace
    )
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(agent.answer("What is it?"), 1)
    with pytest.raises(UserError, match=r"did not finish \(cancelled\)"):
        await replay(workspace, "last")


async def test_a_tool_that_works_is_shown(workspace: Workspace) -> None:
    assert [(event.status, event.error) for event in await observe(workspace, lookup)] == [("lookup: done", "")]


async def leaks(context: ToolContext) -> str:
    """Look it up."""
    await context.check_outgoing("who is called Wilhelmina Zweistein?")
    return "sent"


async def test_values_of_a_database_are_private_before_anything_was_queried(
    tmp_path: Path, workspace: Workspace
) -> None:
    path = tmp_path / "people.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE people (name TEXT)")
        connection.execute("INSERT INTO people VALUES ('Wilhelmina Zweistein')")
        connection.commit()
    agent = Agent(
        model=scripted(act("leaks")), policy="json", workspace=workspace, tools=[tool(leaks)], databases=[str(path)]
    )
    observed = [event async for event in agent.stream("What is it?") if isinstance(event, Observed)]
    assert "database" in observed[0].error
