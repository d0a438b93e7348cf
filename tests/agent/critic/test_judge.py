"""The model as judge: what it is asked, and what is made of what it says."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from tests.support.pages import indexed

from crowquill import Agent, Answer, ScriptedModel, ToolContext, tool
from crowquill.agent.agent import run_in_thread
from crowquill.agent.answer import Candidate, Claim
from crowquill.agent.answer_html import answer_html
from crowquill.agent.cli.ask import AskOptions
from crowquill.agent.cli.view import answer_view, print_view
from crowquill.agent.config import ROLES, RunConfig
from crowquill.agent.critic.judge import CUT, Match, at_equal_length, bradley_terry, criteria, kind_of
from crowquill.agent.events import Graded, ModelCalled, Noticed, Paired, RunFinished, Selected
from crowquill.agent.models.base import Role
from crowquill.agent.models.scripted import ScriptedReply
from crowquill.agent.publish import answer_json
from crowquill.agent.replay import replay
from crowquill.agent.report.page import write_report
from crowquill.agent.story import read_story
from crowquill.agent.workspace import Workspace
from crowquill.agent.written import as_markdown
from crowquill.memory.evidence import Quote, Receipt, Source, digest, plain_text

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
    shown = [call.messages[-1].content.partition("Question: ")[2] for call in judge.calls]
    assert shown[0].index("310 metres deep") < shown[0].index("depth of 310 m")
    assert shown[1].index("310 metres deep") > shown[1].index("depth of 310 m")


def test_a_pair_is_shown_with_its_evidence_once_and_both_short_answers(workspace: Workspace) -> None:
    judge = ScriptedModel([better("equal")] * 2)
    ask(judge, workspace, "best_of_n:2,at_once=1,judge=pairs")
    for call in judge.calls:
        text = call.messages[-1].content
        fenced = re.findall(r"<data \w+>\n(.*?)\n</data", text, re.DOTALL)
        assert "Lake Tarn is 310 metres deep" in fenced[0]
        assert text.count("[1] Lake Tarn: ") == 1
        shorts = [part.splitlines()[0] for part in fenced[1:]]
        assert sorted(shorts) == ["Short answer: 310 m", "Short answer: 310 metres"]


def candidate(*texts: str, page: str = "Lake Tarn") -> Candidate:
    quote = Quote("It is 310 metres deep.", Source(f"corpus:{page}", page, "", digest(page)), 0, 22, (1, 1))
    return Candidate("310 metres", tuple(Claim(text, (Receipt(quote),), "quoted") for text in texts), (quote,))


def test_answers_are_compared_at_equal_length_in_words() -> None:
    brief, long = candidate("Lake Tarn is 310 metres deep."), candidate(" ".join(["deep"] * 205) + " lake.")
    for pair in ((brief, long), (long, brief)):
        first, second = (sum(len(claim.text.split()) for claim in each.claims) for each in at_equal_length(*pair))
        assert abs(first - second) <= 5
    assert at_equal_length(long, brief)[0].claims[0].text == f"deep deep deep deep deep deep {CUT}"
    several = candidate("Lake Tarn is 310 metres deep.", "It was dammed in 1931.", "It is cold.")
    assert [claim.text for claim in at_equal_length(several, brief)[0].claims] == ["Lake Tarn is 310 metres deep."]
    ends_soon = candidate("Lake Tarn has a depth of about 310 metres.")
    assert at_equal_length(brief, ends_soon)[1].claims == ends_soon.claims  # and not "a depth of … (cut)"
    two = at_equal_length(brief, candidate("It is 310 metres deep.", page="Tarn"))
    assert two[0].evidence == two[1].evidence
    assert len(two[0].evidence) == 2


def test_a_gold_judge_reports_and_changes_nothing(workspace: Workspace) -> None:
    none = objecting("none")
    answer, events = ask(ScriptedModel([*[level(1)] * 5, none]), workspace, "best_of_n:2,at_once=1,judge=gold")
    assert dict(answer.reward.parts)["judge"] == 0.0
    assert [grade.value for grade in answer.grades] == [-1.0] * 5
    assert [event.objection for event in events if isinstance(event, Graded)] == [""]


def objecting(what: str, *quotes: int) -> ScriptedReply:
    return ScriptedReply("judge", json={"objection": what, "quotes": quotes})


@pytest.fixture
def disputed(tmp_path: Path) -> Iterator[Workspace]:
    pages = {
        "Lake Tarn": "Lake Tarn is 310 metres deep. It was dammed in 1931.",
        "Survey": "Lake Tarn is only 290 metres deep.",
    }
    place = indexed(tmp_path, pages, "lakes")
    yield place
    place.close()


def test_an_objection_comes_with_its_quotes_into_every_view_of_the_answer(disputed: Workspace) -> None:
    said = "Lake Tarn is only 290 metres deep."
    answer, events = ask(ScriptedModel([*[level(3)] * 5, objecting(said, 1, 2, 3)]), disputed, "single,judge=gold")
    assert [event.objection for event in events if isinstance(event, Graded)] == [said]
    assert answer.objection is not None
    quotes = [plain_text(item) for item in answer.objection.evidence]
    assert "Lake Tarn is only 290 metres deep." in quotes
    assert read_story(disputed, answer.run_id).answer == answer
    published = answer_json(answer)["objection"]
    assert (published["text"], [item["shown"] for item in published["evidence"]]) == (answer.objection.text, quotes)
    console = Console(width=200, file=StringIO(), record=True)
    print_view(console, answer_view(answer, wrapped=False))
    write_report(read_story(disputed, answer.run_id), disputed.blobs, disputed.path / "report.html")
    page = (disputed.path / "report.html").read_text(encoding="utf-8")
    above = page.partition('id="receipts"')[0]
    for shown in (console.export_text(), as_markdown(answer), above, answer_html(answer)):
        told = shown.partition("gainst it, says the judge")[2]
        assert told.index("only 290") < told.rindex("only 290")  # the objection, and its quote
    assert run_in_thread(replay(disputed, answer.run_id)) > 3


def test_an_objection_that_the_revision_has_met_is_gone(workspace: Workspace) -> None:
    wrong = [{"text": "Lake Tarn is 280 metres deep.", "cites": [1]}]
    steps: list[dict[str, Any]] = [
        {"tool": "search", "query": "Lake Tarn"},
        {"tool": "open", "target": "1"},
        {"tool": "quote", "lines": "2-3"},
        {"tool": "answer", "short": "deep", "claims": wrong},
    ]
    plan = {"tasks": [{"id": "t1", "goal": QUESTION, "done_when": "", "needs": []}]}
    acts = [ScriptedReply("act", json={"thought": "", "action": step}) for step in steps]
    mended = ScriptedReply("write", json={"claims": [{"text": "Lake Tarn is 310 metres deep.", "cites": [1]}]})
    against = objecting("Lake Tarn is 310 metres deep.", 1)
    judge = ScriptedModel([*[level(3)] * 5, against], name="judge")
    writer = ScriptedModel([ScriptedReply("plan", json=plan), *acts, mended])

    async def collect() -> list[Any]:
        agent = Agent(
            model=writer,
            models={"judge": judge},
            policy="json",
            corpora=["lakes"],
            memory=False,
            workspace=workspace,
            select="single,judge=gold",
        )
        return [event async for event in agent.stream(QUESTION)]

    events = run_in_thread(collect())
    assert [event.objection for event in events if isinstance(event, Graded)] == ["Lake Tarn is 310 metres deep."]
    assert [claim.status for claim in events[-1].answer.claims] == ["quoted"]
    assert events[-1].answer.objection is None


@pytest.mark.parametrize(
    "said",
    [
        "Lake Tarn was dammed in 1931.",  # true, and beside the point
        "Lake Tarn is 280 metres deep.",  # nothing says it
        "Lake Tarn has a depth of 310 metres.",  # what the answer says
    ],
)
def test_what_is_beside_the_point_or_unsupported_is_no_objection(disputed: Workspace, said: str) -> None:
    judge = ScriptedModel([*[level(3)] * 5, objecting(said, 1, 2, 3)])
    answer, events = ask(judge, disputed, "single,judge=gold")
    assert answer.objection is None
    assert [event.objection for event in events if isinstance(event, Graded)] == [""]


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


@pytest.mark.parametrize(("select", "replies"), [("judge=grade", 10), ("judge=pairs", 2), ("judge=gold", 6)])
def test_that_a_model_judges_its_own_words_is_said_once(workspace: Workspace, select: str, replies: int) -> None:
    said = {"reason": "so", "level": "3", "better": "equal", "objection": "none", "quotes": []}
    judging = [ScriptedReply("judge", json=said)] * replies
    _, events = ask(ScriptedModel(judging), workspace, f"best_of_n:2,at_once=1,{select}")
    notices = [event.message for event in events if isinstance(event, Noticed)]
    assert sum("--judge" in message for message in notices) == 1
    _, events = ask(ScriptedModel(judging, name="judge"), workspace, f"best_of_n:2,at_once=1,{select}")
    assert not any("--judge" in event.message for event in events if isinstance(event, Noticed))


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
