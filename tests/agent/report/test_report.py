"""Reports of runs that have ended or not, and the commands that write them."""

from pathlib import Path

import pytest
from tests.support.hostile_run import Run, act
from tests.support.pages import indexed
from typer.testing import CliRunner

from crowquill import Agent, Safety, ScriptedModel, tool
from crowquill.agent.agent import run_in_thread
from crowquill.agent.cli.main import app
from crowquill.agent.events import Acted
from crowquill.agent.models.scripted import ScriptedReply
from crowquill.agent.report.page import render_report
from crowquill.agent.story import read_story


def test_an_unfinished_run_has_a_report_too(run: Run) -> None:
    replies = [
        ScriptedReply("plan", json={"tasks": [{"id": "a", "goal": "add", "done_when": "", "needs": []}]}),
        act("math", expression="2+3"),
        act("math", expression="2+4"),
    ]
    agent = Agent(model=ScriptedModel(replies), workspace=run.workspace, memory=False)

    async def begin() -> None:
        async for event in agent.stream("What is the sum?"):
            if isinstance(event, Acted) and event.step == 2:
                return

    run_in_thread(begin())
    html = render_report(read_story(run.workspace, "last"), run.workspace.blobs)
    assert "This run has not ended (cancelled)" in html
    assert "2 + 3 = 5" in html


def test_candidates_and_decisions_are_told(tmp_path: Path) -> None:
    @tool(access="send")
    def post(text: str) -> str:
        """Post a letter."""
        return "posted"

    def read(short: str) -> ScriptedReply:
        return ScriptedReply("act", json={"quotes": [1], "sentence": f"The tarn is {short} deep.", "answer": short})

    workspace = indexed(tmp_path, {"Tarn": "The tarn is 310 metres deep. It was dammed in 1931."}, "lakes")
    agent = Agent(
        model=ScriptedModel([read("1931"), read("310 metres"), read("310 metres")]),
        policy="guided",
        corpora=["lakes"],
        workspace=workspace,
        select="majority:3",
    )
    answer = agent.ask("How deep is the tarn?")
    assert answer.short == "310 metres"
    html = render_report(read_story(workspace, answer.run_id), workspace.blobs)
    assert "Chosen among 3 candidates (majority): most candidates agree with it." in html
    assert html.index("★ 2. 310 metres") < html.index("1. 1931")

    plan = ScriptedReply("plan", json={"tasks": [{"id": "a", "goal": "post", "done_when": "", "needs": []}]})
    end = ScriptedReply(
        "act", json={"thought": "", "action": {"tool": "give_up", "reason": "not_found", "note": ""}}
    )
    replies = [plan, act("post", text="<b>now</b>"), end]
    rules = Safety(mode="ask")
    agent = Agent(model=ScriptedModel(replies), tools=[post], workspace=workspace, safety=rules)
    answer = agent.ask("Post it")
    html = render_report(read_story(workspace, answer.run_id), workspace.blobs)
    assert "Decisions of the rules" in html
    assert "text = &lt;b&gt;now&lt;/b&gt;" in html
    assert "nobody can be asked in this run" in html
    workspace.close()


def test_the_candidates_are_shown_as_they_were_chosen_and_failed_ones_with_the_reason(tmp_path: Path) -> None:
    def level(number: int) -> ScriptedReply:
        return ScriptedReply("judge", json={"reason": "so", "level": str(number)})

    def read(short: str) -> ScriptedReply:
        reply = {"quotes": [1], "sentence": "The tarn is 310 metres deep.", "answer": short}
        return ScriptedReply("act", json=reply)

    workspace = indexed(tmp_path, {"Tarn": "The tarn is 310 metres deep."}, "lakes")
    failing = [ScriptedReply("act", text="no object") for _ in range(3)]
    agent = Agent(
        model=ScriptedModel([read("310 metres"), read("310 m"), *failing]),
        models={"judge": ScriptedModel([*[level(1)] * 5, *[level(5)] * 5], name="judge")},
        policy="guided",
        corpora=["lakes"],
        workspace=workspace,
        cache=False,
        select="best_of_n:3,at_once=1,judge=grade",
    )
    answer = agent.ask("How deep is the tarn?")
    assert answer.selection is not None
    story = read_story(workspace, answer.run_id)
    html = render_report(story, workspace.blobs)
    for ranked in answer.selection.candidates[:2]:
        assert f">{ranked.reward:.2f}</td>" in html
    assert html.count("judge 1 + effort") == html.count("judge -1 + effort") == 1
    assert "3. (no answer)" in html
    assert "<td>error: the reply is not the JSON object" in html
    place = ("--workspace", str(workspace.path))
    workspace.close()
    shown = CliRunner().invoke(app, ["runs", "show", answer.run_id, *place]).stdout
    assert f"candidate 1: 310 metres ({answer.selection.candidates[1].reward:.2f})" in shown
    assert "error: the reply is not the JSON object" in shown


def test_it_is_written_by_command(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    place = ("--workspace", str(run.workspace.path))
    written = CliRunner().invoke(app, ["runs", "report", run.answer.run_id, *place])
    assert written.exit_code == 0
    assert (tmp_path / f"crowquill-{run.answer.run_id}.html").read_text(encoding="utf-8") == run.html
    assert CliRunner().invoke(app, ["runs", "report", run.answer.run_id, *place, "--out", "-"]).stdout == run.html
    model = tmp_path / "m.replies"
    model.write_text("replies: []\n")
    ask = ["ask", "--model", f"scripted:{model}", "--policy", "guided", "2 + 3", *place]
    assert CliRunner().invoke(app, [*ask, "--report", "out.html"]).exit_code == 0
    assert "2 + 3 = 5" in (tmp_path / "out.html").read_text(encoding="utf-8")
    refused = CliRunner().invoke(app, [*ask, "--report", "no/such/folder.html"])
    assert "no such folder" in str(refused.exception)
