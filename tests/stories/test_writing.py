"""How answers are written: citations placed by code, one revision, long ones from an outline, what is not known."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.support.pages import indexed
from typer.testing import CliRunner

from crowquill import Agent, Answer, ScriptedModel
from crowquill.agent.agent import run_in_thread
from crowquill.agent.answer import Candidate, Claim, Draft, DraftClaim
from crowquill.agent.cli.main import app
from crowquill.agent.critic.report import Revisions, revisions
from crowquill.agent.events import Event, Noticed, Revised, RunFinished
from crowquill.agent.models.scripted import ScriptedReply
from crowquill.agent.replay import replay
from crowquill.agent.workspace import Workspace
from crowquill.agent.writer import compose, explain, placed
from crowquill.memory.evidence import Evidence, Quote, Source

QUESTION = "How deep is Lake Tarn?"
PAGES = {
    "Lake Tarn": "Lake Tarn is 310 metres deep. It was dammed in 1931.",
    "Chronicle": "Lake Tarn was dammed in 1932. Many came to see it.",
}
RIGHT = {"text": "Lake Tarn is 310 metres deep.", "cites": [1]}


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    place = indexed(tmp_path, PAGES, "lakes")
    yield place
    place.close()


def quote(title: str, text: str) -> Quote:
    return Quote(text, Source(f"corpus:x/{title}", title, "2026-01-01", "0" * 64, "corpus"), 0, len(text), (1, 1))


def act(tool: str, **arguments: Any) -> ScriptedReply:
    return ScriptedReply("act", json={"thought": "", "action": {"tool": tool, **arguments}})


def plan(*goals: str) -> ScriptedReply:
    tasks = [{"id": f"t{at}", "goal": goal, "done_when": "", "needs": []} for at, goal in enumerate(goals, 1)]
    return ScriptedReply("plan", json={"tasks": tasks})


def ask(
    workspace: Workspace,
    claims: list[dict[str, Any]],
    *more: ScriptedReply,
    question: str = QUESTION,
    short: str = "310 metres",
    pages: Sequence[str] = ("Lake Tarn",),
) -> tuple[Answer, list[Event]]:
    looks = [(act("search", query=page), act("open", target="1"), act("quote", lines="2-3")) for page in pages]
    replies = [plan(question), *(reply for look in looks for reply in look)]
    model = ScriptedModel([*replies, act("answer", short=short, claims=claims), *more])
    agent = Agent(model=model, policy="json", corpora=["lakes"], memory=False, workspace=workspace)

    async def collect() -> list[Event]:
        return [event async for event in agent.stream(question)]

    events = run_in_thread(collect())
    last = events[-1]
    assert isinstance(last, RunFinished)
    model.assert_spent()
    return last.answer, events


def revised(*claims: dict[str, Any]) -> ScriptedReply:
    return ScriptedReply("write", json={"claims": list(claims)}, match="1,031")


def test_only_the_flagged_statement_is_mended_and_only_with_receipts(workspace: Workspace) -> None:
    wrong = {"text": "It was dammed in 1,031.", "cites": [1]}
    answer, events = ask(
        workspace, [RIGHT, wrong], revised({"text": "Lake Tarn was dammed in 1931.", "cites": [1]})
    )
    assert [claim.text for claim in answer.claims] == [RIGHT["text"], "Lake Tarn was dammed in 1931."]
    assert [claim.status for claim in answer.claims] == ["quoted", "quoted"]
    assert [event for event in events if isinstance(event, Revised)] == [Revised(1, 1, 0)]
    assert answer.verdict.kind == "accept"
    assert run_in_thread(replay(workspace, answer.run_id)) > 5


def test_a_statement_that_nothing_says_is_dropped_and_a_bad_mending_is_not_taken(workspace: Workspace) -> None:
    wrong = {"text": "It was dammed in 1,031.", "cites": [1]}
    answer, events = ask(workspace, [RIGHT, wrong], revised({"text": "", "cites": []}))
    assert [claim.text for claim in answer.claims] == [RIGHT["text"]]
    assert [event for event in events if isinstance(event, Revised)] == [Revised(1, 0, 1)]
    answer, events = ask(workspace, [RIGHT, wrong], revised({"text": "It was dammed in 1913.", "cites": [1]}))
    assert [claim.text for claim in answer.claims] == [RIGHT["text"], wrong["text"]]
    assert "(no receipt)" in answer.text
    answer, events = ask(workspace, [RIGHT, wrong])
    assert any(isinstance(event, Noticed) and "stay as they are" in event.message for event in events)


def test_an_answer_with_a_mended_statement_is_checked_again_as_a_whole(workspace: Workspace) -> None:
    question = "How deep is Lake Tarn and when was it dammed?"
    wrong = {"text": "It has 1,031 beavers.", "cites": [1]}
    mended = {"text": "Lake Tarn was dammed in 1931.", "cites": [1]}
    left, _ = ask(workspace, [RIGHT, wrong], revised(wrong), question=question)
    assert left.problems == ("nothing is said about: when was it dammed",)
    answer, _ = ask(workspace, [RIGHT, wrong], revised(mended), question=question)
    assert (answer.problems, answer.verdict.kind) == ((), "accept")
    contested, _ = ask(
        workspace, [RIGHT, wrong], revised(mended), question=question, pages=("Lake Tarn", "Chronicle")
    )
    assert contested.disagreements[0].startswith("1 source says 1932, 1 source says 1931")
    assert contested.disagreements[0] in contested.text


@pytest.mark.parametrize("short", ["Неизвестно", "не указано", "не упоминается", "I don't know", "It is unknown"])
def test_an_answer_that_says_that_there_is_none_ends_not_found(workspace: Workspace, short: str) -> None:
    answer, _ = ask(workspace, [RIGHT], short=short)
    assert (answer.stopped, answer.short) == ("not_found", "")


def test_a_task_that_was_given_up_is_not_known(workspace: Workspace) -> None:
    depth, owner = "How deep is Lake Tarn?", "Who owns Lake Tarn?"

    def step(tool: str, goal: str, **arguments: Any) -> ScriptedReply:
        return replace(act(tool, **arguments), match=f"Task: {goal}")

    model = ScriptedModel(
        [
            plan(depth, owner),
            step("search", depth, query="Lake Tarn"),
            step("open", depth, target="1"),
            step("quote", depth, lines="2-3"),
            step("answer", depth, short="310 metres", claims=[RIGHT]),
            step("search", owner, query="owner of Lake Tarn"),
            step("give_up", owner, reason="not_found", note=""),
            ScriptedReply("plan", json={"add": [], "drop": [], "order": [], "objective_met": True}),
            ScriptedReply("write", json={"short": "310 metres", "claims": [RIGHT]}),
        ]
    )
    agent = Agent(model=model, policy="json", corpora=["lakes"], memory=False, workspace=workspace)
    answer = agent.ask("How deep is Lake Tarn and who owns it?")
    assert (answer.stopped, answer.open) == ("answered", (owner,))
    assert answer.text.endswith(f"Not known: {owner}")


def test_what_is_not_found_is_told_in_the_language_of_the_question(workspace: Workspace) -> None:
    answer, _ = ask(workspace, [RIGHT], question="Какова глубина озера Тарн?", short="неизвестно")
    assert answer.text == "Не найдено: найденное на это не отвечает."
    assert explain("refused", "", 0, objective="Почему он глуп?") == "На это ответа не даётся."
    assert explain("budget", "", 2, objective="Кто он?").startswith(
        "Ответа нет: работа закончилась раньше (исчерпан"
    )
    assert explain("not_found", "the evidence does not answer it", 0, objective="Who?") == (
        "Not found: the evidence does not answer it."
    )


def test_the_report_of_the_critic_counts_what_revisions_did(workspace: Workspace) -> None:
    wrong = {"text": "It was dammed in 1,031.", "cites": [1]}
    _, mended = ask(workspace, [RIGHT, wrong], revised({"text": "Lake Tarn was dammed in 1931.", "cites": [1]}))
    _, dropped = ask(workspace, [RIGHT, wrong], revised({"text": "", "cites": []}))
    _, untouched = ask(workspace, [RIGHT])
    assert revisions([mended, dropped, untouched]) == Revisions(2, 1, 1, 0)
    lost = [replace(event, answer=replace(event.answer, claims=())) if isinstance(event, RunFinished) else event
            for event in mended]  # fmt: skip
    assert revisions([lost]) == Revisions(1, 1, 0, 1)
    told = CliRunner().invoke(app, ["critic", "report", "--workspace", str(workspace.path)]).output
    assert "of 2 flagged statements 1 mended, 1 dropped; 0 statements with receipts were lost" in " ".join(
        told.split()
    )


def test_a_right_answer_needs_no_revision(workspace: Workspace) -> None:
    answer, events = ask(workspace, [RIGHT])
    assert answer.usage.calls == 5
    assert not any(isinstance(event, Revised) for event in events)


EVIDENCE: tuple[Evidence, ...] = (
    quote("Danube", "The Danube is 2,850 kilometres long."),
    quote("Rhine", "The Rhine is 1,230 kilometres long."),
    quote("Vienna", "Vienna is the capital of Austria."),
)


@pytest.mark.parametrize(
    ("text", "cites", "expected"),
    [
        ("The Danube is 2,850 kilometres long.", (2, 3), (1,)),
        ("The Danube is 2,850 kilometres long.", (1, 2, 3), (1,)),
        ("The Danube is 2,850 kilometres long.", (), (1,)),
        ("The Danube is 2,850 km long, the Rhine 1,230 km.", (1,), (1, 2)),
        ("The Danube is 2,850 kilometres long.", (1, 9), (1, 9)),
        ("What a lovely question.", (), ()),
    ],
)
def test_citations_are_placed_by_code(text: str, cites: tuple[int, ...], expected: tuple[int, ...]) -> None:
    assert placed(Draft("x", (DraftClaim(text, cites),)), EVIDENCE).claims[0].cites == expected


def test_where_sources_disagree_and_what_is_not_known_stand_behind_the_answer() -> None:
    candidate = Candidate("x", (Claim("A."),), (), disagreements=("1 source says 3, 4 sources say 4",))
    text = compose(candidate, open_tasks=["Who built it?"], objective="How long?")
    assert text.endswith("\n\nSources disagree: 1 source says 3, 4 sources say 4\n\nNot known: Who built it?")
    russian = compose(candidate, open_tasks=["Кто построил?"], objective="Что там?")
    assert russian.startswith("A. (не подтверждено)\n\nИсточники расходятся: ")
    assert russian.endswith("\n\nЧто неизвестно: Кто построил?")


def test_a_long_answer_begins_with_an_outline_and_each_point_has_its_own_evidence(workspace: Workspace) -> None:
    sums = {"2 + 3": "5", "4 * 5": "20", "7 - 6": "1", "8 / 4": "2"}

    def said(text: str) -> dict[str, Any]:
        return {"short": text, "claims": [{"text": f"It is {text}.", "cites": [1]}]}

    def step(each: str, action: dict[str, Any]) -> ScriptedReply:
        return ScriptedReply("act", json={"thought": "", "action": action}, match=f"Task: Compute {each}")

    points = [{"point": f"What is {each}?", "quotes": [at]} for at, each in enumerate(sums, 1)]
    model = ScriptedModel(
        [
            plan(*(f"Compute {each}" for each in sums)),
            *(step(each, {"tool": "math", "expression": each}) for each in sums),
            *(step(each, {"tool": "answer", **said(result)}) for each, result in sums.items()),
            ScriptedReply("plan", json={"add": [], "drop": [], "order": [], "objective_met": True}),
            ScriptedReply("write", json={"short": "5, 20, 1, 2", "points": points}),
            *(ScriptedReply("write", json=said(result), match=each) for each, result in sums.items()),
        ]
    )
    agent = Agent(model=model, policy="json", memory=False, workspace=workspace)
    answer = agent.ask("What are 2 + 3, 4 * 5, 7 - 6 and 8 / 4?")
    assert [claim.text for claim in answer.claims] == [f"It is {result}." for result in sums.values()]
    assert {claim.status for claim in answer.claims} == {"computed"}
    shown = [call.messages[-1].content for call in model.calls if call.role == "write"]
    assert len(shown) == 5
    assert all(text.count("[1]") == 1 and "[2]" not in text for text in shown[1:])
