"""A person who is there: hints, pauses, the answer at once; and a profile that says how to work."""

import asyncio
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path

import pytest
from tests.support.pages import indexed

from crowquill import Agent, ScriptedModel
from crowquill.agent.agent import run_in_thread
from crowquill.agent.answer import Answer
from crowquill.agent.events import Acted, RunFinished
from crowquill.agent.inbox import Inbox
from crowquill.agent.models.scripted import ScriptedReply
from crowquill.agent.replay import replay
from crowquill.agent.workspace import Workspace
from crowquill.errors import UserError
from crowquill.tasks.profile import Profile

PAGES = {"River Aske": "The River Aske is 212 kilometres long. It rises in the Fells."}
PLAN = ScriptedReply("plan", json={"tasks": [{"id": "a", "goal": "Find it", "done_when": "known", "needs": []}]})
CLAIM = {"text": "212 - 12 = 200", "cites": [1]}


def act(tool: str, match: str | None = None, **arguments: object) -> ScriptedReply:
    return ScriptedReply("act", json={"thought": "", "action": {"tool": tool, **arguments}}, match=match)


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    place = indexed(tmp_path, PAGES, "rivers")
    yield place
    place.close()


async def answer_with(agent: Agent, inbox: Inbox, at: str) -> Answer:
    """Run, and give a hint when the first `at` was done."""
    async with aclosing(agent.stream("What is 212 less 12?")) as events:
        async for event in events:
            if isinstance(event, Acted) and event.tool == at:
                inbox.put("use the tables; see https://example.org/tables")
            if isinstance(event, RunFinished):
                return event.answer
    raise AssertionError


def test_a_hint_stands_in_all_later_prompts_and_is_replayed(workspace: Workspace) -> None:
    hinted = "Hint from the user: use the tables"
    model = ScriptedModel(
        [
            PLAN,
            act("math", expression="212 - 12"),
            act("math", hinted, expression="212 - 13"),
            act("answer", hinted, short="200", claims=[CLAIM]),
        ]
    )
    inbox = Inbox()
    agent = Agent(model=model, policy="json", memory=False, workspace=workspace, inbox=inbox)
    answer = run_in_thread(answer_with(agent, inbox, "math"))
    assert (answer.short, answer.stopped) == ("200", "answered")
    assert hinted not in model.calls[1].messages[-1].content
    model.assert_spent()
    assert run_in_thread(replay(workspace, answer.run_id, strict=True)) > 5


def test_a_hint_reaches_the_guided_policy(workspace: Workspace) -> None:
    reading = {"quotes": [1], "sentence": "The River Aske is 212 kilometres long.", "answer": "212 kilometres"}
    model = ScriptedModel([ScriptedReply("act", json=reading, match="Hint from the user: in kilometres")])
    inbox = Inbox()
    inbox.put("in kilometres")
    agent = Agent(model=model, policy="guided", corpora=["rivers"], memory=False, workspace=workspace, inbox=inbox)
    assert agent.ask("How long is the River Aske?").short == "212 kilometres"


def test_the_answer_at_once(workspace: Workspace) -> None:
    model = ScriptedModel([PLAN, act("answer", short="not found", claims=[])])
    inbox = Inbox()
    inbox.answer_now()
    agent = Agent(model=model, policy="json", memory=False, workspace=workspace, inbox=inbox)
    answer = agent.ask("What is 212 less 12?")
    assert (answer.stopped, answer.why) == ("budget", "the answer was wanted at once")
    assert run_in_thread(replay(workspace, answer.run_id, strict=True)) > 3


async def test_nothing_begins_during_a_pause(workspace: Workspace) -> None:
    model = ScriptedModel([PLAN, act("math", expression="6*7"), act("give_up", reason="not_found", note="")])
    inbox = Inbox()
    inbox.pause()
    agent = Agent(model=model, policy="json", memory=False, workspace=workspace, inbox=inbox)
    running = asyncio.create_task(agent.answer("What?"))
    await asyncio.sleep(0.3)
    assert len(model.calls) <= 1  # the plan
    inbox.go_on()
    answer = await running
    assert answer.stopped == "not_found"
    assert answer.seconds < inbox.paused_seconds + 10


def test_a_profile_is_in_the_prompts_and_narrows_the_tools(workspace: Workspace, tmp_path: Path) -> None:
    folder = tmp_path / "know"
    folder.mkdir()
    (folder / "mill.md").write_text("# The mill\n\nThe mill of Aske has four wheels.\n")
    profile = Profile(
        name="Miller", rules=("Count wheels.",), knowledge=str(folder), tools=("search", "open", "quote")
    )
    model = ScriptedModel(
        [
            PLAN,
            act("search", query="mill of Aske wheels"),
            act("open", target="1"),
            act("quote", text="The mill of Aske has four wheels."),
            act("answer", short="four", claims=[{"text": "The mill of Aske has four wheels.", "cites": [1]}]),
        ]
    )
    agent = Agent(model=model, policy="json", memory=False, workspace=workspace, profile=profile)
    answer = agent.ask("How many wheels has the mill of Aske?")
    assert (answer.short, answer.stopped) == ("four", "answered")
    assert all("- Count wheels." in call.messages[0].content for call in model.calls)
    assert "- math(" not in model.calls[1].messages[0].content
    assert run_in_thread(replay(workspace, answer.run_id)) > 5


def test_a_profile_that_names_no_tool_or_folder_is_refused(workspace: Workspace, tmp_path: Path) -> None:
    for profile, problem in (
        (Profile(name="A", tools=("serch",)), "allows 'serch', and no tool"),
        (Profile(name="A", knowledge=str(tmp_path / "none")), "is not there"),
    ):
        with pytest.raises(UserError, match=problem):
            Agent(model=ScriptedModel([]), workspace=workspace, profile=profile).ask("What?")
