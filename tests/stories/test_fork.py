"""A run is tried again from a step on: what came before is shared, and both outcomes are shown."""

import json
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from tests.support.pages import indexed
from typer.testing import CliRunner

from crowquill import Agent, ScriptedModel
from crowquill.agent.agent import run_in_thread
from crowquill.agent.answer import Answer
from crowquill.agent.cli.main import app
from crowquill.agent.events import Acted, Event, RunFinished
from crowquill.agent.fork import Change
from crowquill.agent.models.scripted import ScriptedReply
from crowquill.agent.replay import replay
from crowquill.agent.workspace import Workspace
from crowquill.errors import UserError

QUESTION = "How long is the River Aske?"
PAGES = {
    "River Aske": "The River Aske is 212 kilometres long. It rises in the Fells.",
    "Brune": "The Brune is 90 kilometres long.",
}
SENTENCE = "The River Aske is 212 kilometres long."


def act(tool: str, match: str | None = None, **arguments: Any) -> ScriptedReply:
    return ScriptedReply("act", json={"thought": "", "action": {"tool": tool, **arguments}}, match=match)


def give_up(match: str | None = None) -> ScriptedReply:
    return act("give_up", match, reason="not_found", note="")


def answer(short: str) -> ScriptedReply:
    return act("answer", short=short, claims=[{"text": SENTENCE, "cites": [1]}])


PLAN = ScriptedReply("plan", json={"tasks": [{"id": "a", "goal": "Find it", "done_when": "", "needs": []}]})
WAY = [
    act("search", query="Aske"),
    act("open", target="corpus:rivers/River Aske.html"),
    act("quote", text=SENTENCE),
]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return indexed(tmp_path, PAGES, "rivers")


def agent(workspace: Workspace, *replies: ScriptedReply, name: str = "scripted") -> Agent:
    model = ScriptedModel(replies, name=name)
    return Agent(model=model, policy="json", corpora=["rivers"], memory=False, workspace=workspace)


async def take(events: AsyncGenerator[Event, None]) -> tuple[Answer, list[Acted]]:
    taken = [event async for event in events]
    ended = taken[-1]
    assert isinstance(ended, RunFinished)
    return ended.answer, [event for event in taken if isinstance(event, Acted)]


@pytest.fixture
def original(workspace: Workspace) -> Answer:
    return agent(workspace, PLAN, *WAY, answer("212 kilometres")).ask(QUESTION)


def rows(workspace: Workspace, run_id: str) -> tuple[int, int]:
    """Return how many effects and events the run has of its own."""
    queries = ("SELECT count(*) FROM effects WHERE run=?", "SELECT count(*) FROM events WHERE run=?")
    found = [workspace.database.read_now(lambda c, q=q: c.execute(q, (run_id,)).fetchone()[0]) for q in queries]  # type: ignore[misc]
    return found[0], found[1]


@pytest.mark.parametrize("step", ["t1/s4", "4"])
def test_a_fork_goes_on_with_another_model_and_shares_what_came_before(
    workspace: Workspace, original: Answer, step: str
) -> None:
    again = agent(workspace, answer("some 212 km"), name="other")
    forked, acted = run_in_thread(take(again.fork(original.run_id, step)))
    assert (forked.short, forked.stopped) == ("some 212 km", "answered")
    assert [event.tool for event in acted] == ["search", "open", "quote", "answer"]
    assert len(again.models["act"].calls) == 1  # type: ignore[attr-defined]
    assert forked.evidence == original.evidence
    assert rows(workspace, forked.run_id)[1] < rows(workspace, original.run_id)[1] / 2
    for run in (forked, original):
        assert run_in_thread(replay(workspace, run.run_id, strict=run is original)) > 10


def test_a_hint_reaches_the_model_from_the_step_on(workspace: Workspace, original: Answer) -> None:
    again = agent(workspace, give_up(match="Hint from the user: look for the Brune"))
    forked, _ = run_in_thread(take(again.fork(original.run_id, "3", Change(hint="look for the Brune"))))
    assert forked.stopped == "not_found"
    assert run_in_thread(replay(workspace, forked.run_id)) > 5


def test_another_action_is_taken_instead(workspace: Workspace, original: Answer) -> None:
    again = agent(workspace, give_up())
    change = Change.parse(["open.target=corpus:rivers/Brune.html"], "")
    forked, acted = run_in_thread(take(again.fork(original.run_id, "2", change)))
    assert [(event.tool, event.args) for event in acted[:2]] == [
        ("search", {"query": "Aske"}),
        ("open", {"target": "corpus:rivers/Brune.html"}),
    ]
    assert "Brune is 90" in again.models["act"].calls[0].messages[-1].content  # type: ignore[attr-defined]
    assert run_in_thread(replay(workspace, forked.run_id)) > 5
    second, acted = run_in_thread(  # a fork of a fork, with an action of another tool
        take(agent(workspace, give_up()).fork(forked.run_id, "2", Change(tool="math", args={"expression": "1+1"})))
    )
    assert [event.tool for event in acted] == ["search", "math", "give_up"]
    assert run_in_thread(replay(workspace, second.run_id)) > 5


def test_what_cannot_be_forked_is_said(workspace: Workspace, original: Answer) -> None:
    with pytest.raises(UserError, match=r"no step '9'; it has t1/s1 \(search\), t1/s2 \(open\)"):
        run_in_thread(take(agent(workspace).fork(original.run_id, "9")))
    with pytest.raises(UserError, match=r"write TOOL.ARGUMENT=VALUE"):
        Change.parse(["search.query=a", "open.target=b"], "")
    other = Agent(model=ScriptedModel([]), policy="json", memory=False, workspace=workspace)
    with pytest.raises(UserError, match="begun with other settings: corpora"):
        run_in_thread(take(other.fork(original.run_id, "2")))


def test_both_outcomes_are_shown_side_by_side(tmp_path: Path) -> None:
    def crowquill(*arguments: str) -> str:
        result = CliRunner().invoke(app, [*arguments, "--workspace", str(tmp_path / "w")])
        assert result.exit_code in (0, 3), result.output
        return result.stdout

    plan = "  - {role: plan, json: {tasks: [{id: a, goal: Add, done_when: '', needs: []}]}}\n"
    first = "  - {role: act, json: {thought: '', action: {tool: math, expression: 2+2}}}\n"
    last = "  - {role: act, json: {thought: '', action: {tool: answer, short: '%s', "
    last += "claims: [{text: '2 + 2 = 4', cites: [1]}]}}}\n"
    script, other = tmp_path / "a.replies", tmp_path / "b.replies"
    script.write_text("replies:\n" + plan + first + last % "4")
    other.write_text("replies:\n" + last % "four")
    crowquill("ask", "--policy", "json", "--no-web", "--model", f"scripted:{script}", "What is 2 and 2?")
    shown = crowquill("runs", "fork", "last", "--at", "t1/s2", "--model", f"scripted:{other}")
    assert "original" in shown
    assert [line.split() for line in shown.splitlines() if line.startswith("short")] == [["short", "4", "four"]]
    assert "forked from" in crowquill("runs", "show", "last")
    both = json.loads(crowquill("runs", "fork", "last", "--at", "2", "--set", 'answer.short="V"', "--json"))
    assert (both["original"]["short"], both["fork"]["short"]) == ("four", "V")
    cassette = ("runs", "export", "last", "--format", "cassette", "--out", str(tmp_path / "fork.jsonl"))
    for command in (("runs", "fork", "last", "--at", "2", "--set", "add.x=1"), cassette):
        with pytest.raises(UserError, match=r"no tool 'add' to be called|is a fork and cannot be played"):
            CliRunner().invoke(app, [*command, "--workspace", str(tmp_path / "w")], catch_exceptions=False)
