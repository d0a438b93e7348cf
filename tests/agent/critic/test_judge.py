"""The model as judge: what it is asked, and what is made of what it says."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.support.pages import indexed

from crowquill import Agent, Answer, ScriptedModel, ToolContext, tool
from crowquill.agent.agent import run_in_thread
from crowquill.agent.cli.ask import AskOptions
from crowquill.agent.config import ROLES, RunConfig
from crowquill.agent.critic.judge import Match, bradley_terry, criteria, kind_of
from crowquill.agent.events import Graded, ModelCalled, Noticed, Paired, RunFinished, Selected
from crowquill.agent.models.base import Role
from crowquill.agent.models.scripted import ScriptedReply
from crowquill.agent.replay import replay
from crowquill.agent.workspace import Workspace

QUESTION = "How deep is Lake Tarn?"


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    place = indexed(tmp_path, {"Lake Tarn": "Lake Tarn is 310 metres deep. It was dammed in 1931."}, "lakes")
    yield place
    place.close()


def read(sentence: str, short: str) -> ScriptedReply:
    return ScriptedReply("act", json={"quotes": [1], "sentence": sentence, "answer": short})


WRITER = [read("Lake Tarn is 310 metres deep.", "310 metres"), read("Lake Tarn has a depth of 310 m.", "310 m")]


def level(number: int, role: Role = "judge") -> ScriptedReply:
    return ScriptedReply(role, json={"reason": "so", "level": str(number)})


def ask(
    judge: ScriptedModel, workspace: Workspace, select: str, gold: ScriptedModel | None = None
) -> tuple[Answer, list[Any]]:
    writer = ScriptedModel(list(WRITER))
    agent = Agent(
        model=writer,
        models={"judge": judge} if gold is None else {"judge": judge, "gold": gold},
        policy="guided",
        corpora=["lakes"],
        memory=False,
        workspace=workspace,
        select=select,
    )

    async def collect() -> list[Any]:
        return [event async for event in agent.stream(QUESTION)]

    events = run_in_thread(collect())
    assert isinstance(events[-1], RunFinished)
    return events[-1].answer, events


def test_a_judge_is_asked_each_criterion_alone_and_counts_in_the_reward(workspace: Workspace) -> None:
    judge = ScriptedModel([*[level(2)] * 5, *[level(5)] * 5], name="judge")
    answer, events = ask(judge, workspace, "best_of_n:2,at_once=1,judge=grade")
    assert answer.short == "310 m"
    assert [grade.value for grade in answer.grades] == [1.0] * 5
    assert dict(answer.reward.parts)["judge"] == 1.0
    asked = [call.messages[-1].content for call in judge.calls]
    assert [sum(criterion.ask in text for text in asked) for criterion in criteria("answer")] == [2] * 5
    assert [event.number for event in events if isinstance(event, Graded)] == [1, 2]
    judge.assert_spent()
    assert run_in_thread(replay(workspace, answer.run_id)) > 5


def better(what: str) -> ScriptedReply:
    return ScriptedReply("judge", json={"reason": "so", "better": what})


def test_pairs_are_compared_in_both_orders(workspace: Workspace) -> None:
    answer, _ = ask(ScriptedModel([better("B"), better("A much")]), workspace, "best_of_n:2,at_once=1,judge=pairs")
    assert answer.short == "310 m"
    judge = ScriptedModel([better("B much"), better("B much")])
    answer, events = ask(judge, workspace, "best_of_n:2,at_once=1,judge=pairs")
    assert answer.short == "310 metres"
    assert [event for event in events if isinstance(event, Paired)] == [Paired(1, 1)]
    shown = [call.messages[-1].content for call in judge.calls]
    assert shown[0].index("310 metres deep") < shown[0].index("depth of 310 m")
    assert shown[1].index("310 metres deep") > shown[1].index("depth of 310 m")


def test_a_gold_judge_reports_and_changes_nothing(workspace: Workspace) -> None:
    against = ScriptedReply("judge", json={"objection": "Lake Tarn was dammed in 1931.", "quotes": [1, 2]})
    answer, events = ask(ScriptedModel([*[level(1)] * 5, against]), workspace, "best_of_n:2,at_once=1,judge=gold")
    assert dict(answer.reward.parts)["judge"] == 0.0
    assert [grade.value for grade in answer.grades] == [-1.0] * 5
    graded = next(event for event in events if isinstance(event, Graded))
    assert graded.objection == "Lake Tarn was dammed in 1931."
    invented = ScriptedReply("judge", json={"objection": "Lake Tarn was dammed in 1913.", "quotes": [1, 2]})
    _, events = ask(ScriptedModel([*[level(1)] * 5, invented]), workspace, "single,judge=gold")
    assert next(event for event in events if isinstance(event, Graded)).objection == ""


def test_one_judge_ranks_and_another_reports(workspace: Workspace) -> None:
    none = ScriptedReply("gold", json={"objection": "none", "quotes": []})
    gold = ScriptedModel([*[level(2, "gold")] * 5, none], name="gold")
    judge = ScriptedModel([better("B"), better("A much")], name="judge")
    answer, events = ask(judge, workspace, "best_of_n:2,at_once=1,judge=pairs+gold", gold)
    assert answer.short == "310 m"
    assert dict(answer.reward.parts)["judge"] == 1.0
    assert [grade.value for grade in answer.grades] == [-0.5] * 5
    assert [event.number for event in events if isinstance(event, Graded)] == [2]
    called = [event.role for event in events if isinstance(event, ModelCalled)]
    assert called[-8:] == ["judge"] * 2 + ["gold"] * 6
    judge.assert_spent()
    gold.assert_spent()
    assert run_in_thread(replay(workspace, answer.run_id)) > 5


def test_judges_are_named_on_the_command_line(tmp_path: Path) -> None:
    model, judge, gold = (f"http://127.0.0.1:9/v1#{name}" for name in ("writer", "judge", "gold"))
    config = AskOptions(model=model, judge=judge, gold=gold, select="majority:2", workspace=tmp_path).agent().config
    assert config.models == {**dict.fromkeys(ROLES, model), "judge": judge, "gold": gold}
    assert config.select.judge == "grade+gold"
    config = AskOptions(model=model, judge=judge, workspace=tmp_path).agent().config
    assert config.models["gold"] == judge
    assert config.select.judge == "grade"


def test_a_run_of_before_there_was_a_second_judge_is_read() -> None:
    data = RunConfig({**dict.fromkeys(ROLES, "local"), "judge": "openai:j"}, "json").to_json()
    del data["models"]["gold"]
    assert RunConfig.from_json(data).models["gold"] == "openai:j"


def test_what_the_judge_thinks_of_the_steps_is_told_to_the_next_candidates(workspace: Workspace) -> None:
    claims = [{"text": "Lake Tarn is 310 metres deep.", "cites": [1]}]
    steps: list[dict[str, Any]] = [
        {"tool": "search", "query": "Lake Tarn"},
        {"tool": "open", "target": "1"},
        {"tool": "quote", "lines": "2-3"},
        {"tool": "answer", "short": "310 metres", "claims": claims},
    ]
    plan = {"tasks": [{"id": "t1", "goal": QUESTION, "done_when": "", "needs": []}]}
    acts = [ScriptedReply("act", json={"thought": "", "action": step}) for _ in range(2) for step in steps]
    writer = ScriptedModel([ScriptedReply("plan", json=plan), *acts])
    labels = [{"label": label, "comment": "too broad"} for label in ("bad", "good", "neutral")]
    judge = ScriptedModel([ScriptedReply("judge", json={"steps": labels}), *[level(4)] * 10], name="judge")
    agent = Agent(
        model=writer,
        models={"judge": judge},
        policy="json",
        corpora=["lakes"],
        memory=False,
        workspace=workspace,
        select="best_of_n:2,share=plan,at_once=1,judge=grade",
    )
    answer = agent.ask(QUESTION)
    assert answer.short == "310 metres"
    later = [call.messages[-1].content for call in writer.calls if call.temperature > 0]
    assert later
    assert all(
        re.search(r"An earlier try went wrong:\n<data \w+>\nsearch: too broad\n</data", text) for text in later
    )
    judge.assert_spent()
    assert run_in_thread(replay(workspace, answer.run_id)) > 5


def test_a_candidate_that_is_told_of_the_first_one_is_under_its_rules(workspace: Workspace, tmp_path: Path) -> None:
    """The first reads a cell, the judge's words bring it to the second, and a web page would get it from there."""
    cell, told = "Mina-Zweistein-4711", list[str]()
    names = [(f"{letter}-{number}",) for letter in "az" for number in range(300)]  # it is none of the samples
    with closing(sqlite3.connect(tmp_path / "shop.sqlite")) as connection, connection:
        connection.execute("CREATE TABLE customers (name TEXT)")
        connection.executemany("INSERT INTO customers VALUES (?)", [*names, (cell,)])

    @tool
    async def ask_the_web(context: ToolContext, text: str) -> str:
        """Ask the web."""
        await context.check_outgoing(text)
        told.append(text)
        return "nothing"

    plan = {"tasks": [{"id": "t1", "goal": QUESTION, "done_when": "", "needs": []}]}
    steps: list[dict[str, Any]] = [
        {"tool": "ask_the_web", "text": cell},
        {"tool": "sql", "query": "SELECT name FROM customers WHERE name LIKE 'M%'"},
        {"tool": "give_up", "reason": "not_found", "note": ""},
        {"tool": "ask_the_web", "text": cell},
        {"tool": "give_up", "reason": "not_found", "note": ""},
    ]
    writer = ScriptedModel(
        [ScriptedReply("plan", json=plan)]
        + [ScriptedReply("act", json={"thought": "", "action": step}) for step in steps]
    )
    labels = [{"label": "bad", "comment": f"it only found {cell}"}] * 2
    judge = ScriptedModel([ScriptedReply("judge", json={"steps": labels})], name="judge")
    agent = Agent(
        model=writer,
        models={"judge": judge},
        policy="json",
        databases=[str(tmp_path / "shop.sqlite")],
        tools=[ask_the_web],
        memory=False,
        workspace=workspace,
        select="best_of_n:2,share=plan,at_once=1,judge=grade",
    )
    agent.ask(QUESTION)
    assert cell in writer.calls[-2].messages[-1].content
    assert told == [cell]  # the first, before it had read it
    writer.assert_spent()


def test_a_judge_that_fails_is_told_and_changes_nothing(workspace: Workspace) -> None:
    answer, events = ask(ScriptedModel([]), workspace, "best_of_n:2,at_once=1,judge=grade")
    assert answer.short
    assert answer.grades == ()
    assert any(isinstance(event, Noticed) and "not judged" in event.message for event in events)
    assert any(isinstance(event, Selected) for event in events)


def test_without_a_judge_none_is_asked(workspace: Workspace) -> None:
    judge = ScriptedModel([])
    ask(judge, workspace, "best_of_n:2,at_once=1")
    assert judge.calls == []


def test_strengths_explain_the_matches() -> None:
    matches = [Match(0, 1, 1.0, False), Match(1, 2, 1.0, False), Match(0, 2, 1.0, False)]
    found = bradley_terry(3, matches)
    assert found == sorted(found)
    assert sum(found) == pytest.approx(0.0, abs=1e-9)
    assert bradley_terry(2, [Match(0, 1, 0.0, False)]) == pytest.approx([0.0, 0.0])
    assert bradley_terry(2, []) == [0.0, 0.0]
    strong, weak = (bradley_terry(2, [Match(0, 1, score, False)])[1] for score in (1.0, 0.5))
    assert strong > weak > 0


def test_the_kind_of_a_question_brings_its_criteria() -> None:
    asked = [QUESTION, "Which is longer, A or B?", "How many years passed between 1 and 2?"]
    assert [kind_of(question) for question in asked] == ["answer", "comparison", "calculation"]
    assert len(criteria("comparison")) == 6
