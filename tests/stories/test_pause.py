"""A run that cannot go on now is parked: nothing is lost, nothing is recorded as its end, and it is resumed."""

import sqlite3
from pathlib import Path

import pytest
from tests.support import fake_openai as fake
from tests.support.pages import indexed
from typer.testing import CliRunner, Result

from crowquill import Agent, ScriptedModel
from crowquill.agent.agent import run_in_thread
from crowquill.agent.answer import Answer
from crowquill.agent.cli.main import app
from crowquill.agent.events import RunFinished
from crowquill.agent.models.openai import OpenAIModel
from crowquill.agent.models.scripted import ScriptedReply
from crowquill.agent.replay import replay
from crowquill.agent.workspace import Workspace
from crowquill.errors import ModelFault, UserError

QUESTION = "How long is the River Aske?"
PAGES = {"River Aske": "The River Aske is 212 kilometres long. It rises in the Fells."}
READING = {"quotes": [1], "sentence": "The River Aske is 212 kilometres long.", "answer": "212 kilometres"}
GOOD = ScriptedReply("act", json=READING)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return indexed(tmp_path, PAGES, "rivers")


def agent(workspace: Workspace, *replies: ScriptedReply) -> Agent:
    model = ScriptedModel(replies)
    return Agent(model=model, policy="guided", corpora=["rivers"], memory=False, workspace=workspace)


async def resume(agent: Agent, run_id: str) -> Answer:
    answers = [event.answer async for event in agent.resume(run_id) if isinstance(event, RunFinished)]
    return answers[0]


def state(workspace: Workspace) -> tuple[str, str | None, str]:
    def read(connection: sqlite3.Connection) -> tuple[str, str | None, str]:
        row: tuple[str, str | None, str] = connection.execute("SELECT status, answer, why FROM runs").fetchone()
        return row

    return workspace.database.read_now(read)


@pytest.mark.parametrize("fault", ["quota", "auth"])
def test_a_used_up_quota_costs_one_call_parks_the_run_and_it_is_resumed(
    workspace: Workspace, fault: ModelFault
) -> None:
    first = agent(workspace, ScriptedReply("act", fault=fault))
    parked = first.ask(QUESTION)
    assert parked.stopped == "paused"
    assert "212 kilometres" in " ".join(str(item) for item in parked.evidence)  # what was found is told
    assert f"crowquill runs resume {parked.run_id}" in parked.text
    assert len(first.models["act"].calls) == 1  # type: ignore[attr-defined]
    assert state(workspace) == ("paused", "null", f"scripted: scripted fault: {fault}")
    with pytest.raises(UserError, match=r"did not finish \(paused\)"):
        run_in_thread(replay(workspace, parked.run_id))
    again = agent(workspace, GOOD)
    answer = run_in_thread(resume(again, parked.run_id))
    assert (answer.short, answer.stopped) == ("212 kilometres", "answered")
    whole = agent(workspace, GOOD).ask(QUESTION)
    assert (whole.text, whole.evidence, whole.usage) == (answer.text, answer.evidence, answer.usage)
    assert run_in_thread(replay(workspace, parked.run_id, strict=True)) > 5


def test_a_server_that_fails_five_times_in_a_row_parks_the_run(workspace: Workspace) -> None:
    with fake.FakeOpenAI() as server:
        server.script(*[fake.error(503, "busy", headers={"retry-after-ms": "1"})] * 5)
        model = OpenAIModel("any", base_url=server.url)
        first = Agent(model=model, policy="guided", corpora=["rivers"], memory=False, workspace=workspace)
        parked = first.ask(QUESTION)
        assert (parked.stopped, len(server.received)) == ("paused", 5)
        assert "tried 5 times" in parked.why
        run_in_thread(first.close())
    assert state(workspace)[0] == "paused"


def test_the_command_line_says_how_to_go_on(tmp_path: Path) -> None:
    script, pages = tmp_path / "model.replies", tmp_path / "rivers"
    pages.mkdir()
    (pages / "aske.md").write_text(PAGES["River Aske"])

    def crowquill(*arguments: str) -> Result:
        return CliRunner().invoke(app, [*arguments, "--workspace", str(tmp_path / "w")])

    script.write_text("replies:\n  - {role: act, fault: quota}\n")
    model = ("--model", f"scripted:{script}", "--policy", "guided", "--corpus", "rivers")
    crowquill("index", str(pages))
    parked = crowquill("ask", *model, QUESTION)
    assert parked.exit_code == 5
    assert "Go on with: crowquill runs resume" in parked.stdout
    assert "paused: scripted" in crowquill("runs", "show", "last").stdout
    script.write_text(
        "replies:\n  - {role: act, json: {quotes: [1], answer: 212 kilometres,"
        " sentence: The River Aske is 212 kilometres long.}}\n"
    )
    resumed = crowquill("runs", "resume", "last")
    assert resumed.exit_code == 0, resumed.stderr
    assert "The River Aske is 212 kilometres long. [1]" in resumed.stdout
    assert "came to its end (answered)" in str(crowquill("runs", "resume", "last").exception)


def test_a_list_of_replies_goes_on_after_those_that_were_used(workspace: Workspace) -> None:
    """A script that is read anew for a resumed run does not begin from its first reply."""

    def act(tool: str, **arguments: object) -> ScriptedReply:
        return ScriptedReply("act", json={"thought": "", "action": {"tool": tool, **arguments}})

    plan = ScriptedReply("plan", json={"tasks": [{"id": "a", "goal": "Find it", "done_when": "", "needs": []}]})
    claims = [{"text": "212 - 12 = 200", "cites": [1]}]
    replies = [plan, act("math", expression="212 - 12"), act("answer", short="200", claims=claims)]
    first = ScriptedModel([*replies[:2], ScriptedReply("act", fault="quota")])
    parked = Agent(model=first, policy="json", workspace=workspace, memory=False).ask("What is 212 less 12?")
    assert parked.stopped == "paused"
    again = ScriptedModel(replies)
    answer = run_in_thread(
        resume(Agent(model=again, policy="json", workspace=workspace, memory=False), parked.run_id)
    )
    assert (answer.short, answer.stopped) == ("200", "answered")
    again.assert_spent()
