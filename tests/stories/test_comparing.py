"""Answers of whole runs, compared blind, probed and given feedback."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.support.pages import indexed
from typer.testing import CliRunner

from crowquill import Agent, Answer, ScriptedModel
from crowquill.agent.cli.main import app
from crowquill.agent.critic.choices import FILE, Comparison, Side, keep, read_comparisons
from crowquill.agent.critic.probe import probe
from crowquill.agent.critic.report import judging
from crowquill.agent.events import Paired
from crowquill.agent.models.scripted import ScriptedReply
from crowquill.agent.story import read_story
from crowquill.agent.workspace import Workspace
from crowquill.errors import UserError

QUESTION = "How deep is Lake Tarn?"


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    pages = {
        "Lake Tarn": "Lake Tarn is a Norwegian lake. It is 310 metres deep.",
        "Tarn": "Lake Tarn is 310 m deep.",
    }
    place = indexed(tmp_path, pages, "lakes")
    yield place
    place.close()


def ask(workspace: Workspace, sentence: str) -> Answer:
    reply = {"quotes": [1, 2], "sentence": sentence, "answer": "310 metres"}
    agent = Agent(
        model=ScriptedModel([ScriptedReply("act", json=reply)]), policy="guided", corpora=["lakes"], memory=False,
        workspace=workspace,
    )  # fmt: skip
    return agent.ask(QUESTION)


def compare(workspace: Workspace, *arguments: str, pressed: str = "") -> str:
    result = CliRunner().invoke(app, ["compare", *arguments, "--workspace", str(workspace.path)], input=pressed)
    assert result.exit_code == 0, result.output
    return result.output


def test_two_answers_are_shown_blind_and_the_choice_is_kept(workspace: Workspace) -> None:
    one, other = ask(workspace, "Lake Tarn is 310 metres deep."), ask(workspace, "It has a depth of 310 metres.")
    shown = compare(workspace, pressed="7\n1\n")
    assert shown.count("much better") >= 4
    assert one.run_id not in shown.partition("kept.")[0]
    kept = read_comparisons(workspace.path / FILE)[0]
    assert set(kept.runs) == {one.run_id, other.run_id}
    better = kept.sides[0 if kept.score < 0 else 1]
    a = shown.partition("A was run ")[2].split(",")[0]
    assert better.text == (one if a == one.run_id else other).text
    assert "no two answers" in compare(workspace)
    assert "0 choices kept" in compare(workspace, one.run_id, other.run_id, pressed="s\n")


def test_the_orders_are_both_met(workspace: Workspace) -> None:
    one, other = ask(workspace, "Lake Tarn is 310 metres deep."), ask(workspace, "It has a depth of 310 metres.")
    seen: set[int] = set()
    for _ in range(40):  # by chance, one of 2^39 times, only one of them
        compare(workspace, one.run_id, other.run_id, pressed="2\n")
        seen = {comparison.first for comparison in read_comparisons(workspace.path / FILE)}
        if len(seen) == 2:
            break
    assert seen == {0, 1}


def test_what_an_answer_hangs_on(workspace: Workspace) -> None:
    answer = ask(workspace, "Lake Tarn is 310 metres deep.")
    found = probe(answer)
    numbers = [flip for flip in found.flips if flip.kind == "number"]
    assert numbers
    assert found.distance >= 1
    alone = [flip for flip in found.flips if flip.kind == "source"]
    assert (found.carrier != "") == (sum(flip.share == 1.0 for flip in alone) == 1)
    place = ["--workspace", str(workspace.path)]
    shown = CliRunner().invoke(app, ["critic", "probe", "last", *place])
    assert "310 metres → 311 metres" in shown.output
    data = json.loads(CliRunner().invoke(app, ["critic", "probe", "--json", *place]).output)
    assert data["distance"] == found.distance
    told = CliRunner().invoke(app, ["critic", "report", *place]).output
    assert "invents a citation" in told
    assert "1 of 1" not in told


def test_what_an_answer_from_a_database_hangs_on(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "lakes.db")) as connection:
        connection.executescript(
            "CREATE TABLE lakes (name TEXT, depth INTEGER); INSERT INTO lakes VALUES ('Tarn', 310), ('Mere', 19);"
        )
    place = Workspace(tmp_path / "workspace")

    def hang(sql: str, sentence: str, short: str) -> list[tuple[str, float]]:
        told = [{"query": sql}, {"sentence": sentence, "answer": short}]
        model = ScriptedModel([ScriptedReply("act", json=json_) for json_ in told])
        agent = Agent(model=model, policy="guided", databases=[str(tmp_path / "lakes.db")], workspace=place)
        found = probe(agent.ask("Which of the lakes is the deepest, and what is its depth?"))
        return [(flip.what, flip.share) for flip in found.flips if flip.kind == "cell"]

    deepest = "SELECT {} FROM lakes ORDER BY depth DESC LIMIT 1"
    assert hang(deepest.format("name"), "The deepest is Tarn.", "Tarn") == [("Tarn → nothing (name)", 1.0)]
    assert hang(deepest.format("depth"), "The deepest lake has a depth of 310.", "310") == [
        ("310 → 311 (depth)", 1.0)
    ]
    place.close()


def test_a_judge_is_held_against_choices(workspace: Workspace) -> None:
    def graded(sentence: str, levels: list[int]) -> Answer:
        reply = {"quotes": [1, 2], "sentence": sentence, "answer": "310 metres"}
        said = [ScriptedReply("judge", json={"reason": "so", "level": str(level)}) for level in levels]
        none = ScriptedReply("judge", json={"objection": "none", "quotes": []})
        agent = Agent(
            model=ScriptedModel([ScriptedReply("act", json=reply)]),
            models={"judge": ScriptedModel([*said, none], name="judge")},
            policy="guided", corpora=["lakes"], memory=False, workspace=workspace, select="single,judge=gold",
        )  # fmt: skip
        return agent.ask(QUESTION)

    better = graded("Lake Tarn is 310 metres deep.", [5, 5, 2, 3, 3])
    worse = graded("It has a depth of 310 metres.", [4, 3, 4, 3, 3])
    sides = (Side.of(better), Side.of(worse))
    for score in (-1.0, -0.5, 0.5, 0.0):  # better is better twice, worse once, and once they are equal
        keep(
            workspace.path / FILE,
            [Comparison(QUESTION, sides, score, "choice", 0, (better.run_id, worse.run_id))],
        )
    events = [[entry.event for entry in read_story(workspace, run.run_id).events] for run in (better, worse)]
    found = judging([*events, [Paired(3, 1)], [Paired(1, 1)]], read_comparisons(workspace.path / FILE))
    right, wrong = (0.667, 3), (0.333, 3)
    expected = {"main question": right, "unsupported information": right, "useful extra": wrong}
    assert (found.pairs, found.flipped) == (4, 2)
    assert {name: (round(share, 3), count) for name, (share, count) in found.criteria.items()} == expected
    told = CliRunner().invoke(app, ["critic", "report", "--workspace", str(workspace.path)]).output
    assert "useful extra" in told
    data = json.loads(
        CliRunner().invoke(app, ["critic", "report", "--json", "--workspace", str(workspace.path)]).output
    )
    assert data["judge"]["criteria"]["useful extra"] == [pytest.approx(1 / 3), 3]


def test_feedback_is_kept_like_a_choice(workspace: Workspace) -> None:
    answer = ask(workspace, "Lake Tarn is 310 metres deep.")
    agent = Agent(model=ScriptedModel([]), policy="guided", corpora=["lakes"], workspace=workspace)
    agent.rate(answer, accepted=True)
    agent.rate(answer, accepted=False)
    agent.rate(answer, edited="Lake Tarn is 310 m deep. [1]")
    kept = read_comparisons(workspace.path / FILE)
    assert [(comparison.by, comparison.score) for comparison in kept] == [
        ("acceptance", -0.5), ("acceptance", 0.5), ("edit", 0.5),
    ]  # fmt: skip
    assert kept[2].sides[1].text == "Lake Tarn is 310 m deep. [1]"
    with pytest.raises(UserError, match="either"):
        agent.rate(answer)
