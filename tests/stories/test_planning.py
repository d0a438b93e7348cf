"""Runs of several tasks: plans, parts, retries, what is refused, and a person who is asked."""

from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from crowquill import Agent, Budget, ScriptedModel, tool
from crowquill.agent.agent import run_in_thread
from crowquill.agent.answer import Answer
from crowquill.agent.events import Event, NotesKept, Planned, RunFinished, TaskStarted
from crowquill.agent.models.scripted import ScriptedReply
from crowquill.agent.replay import replay
from crowquill.agent.steering import Question, Steering
from crowquill.agent.workspace import Workspace
from crowquill.memory.embed import HashingEmbedder
from crowquill.memory.evidence import Computation
from crowquill.memory.untrusted import Untrusted
from crowquill.tools.observation import Observation

NOTHING_NEW = {"add": [], "drop": [], "order": [], "objective_met": False}


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    place = Workspace(tmp_path / "workspace", embedder=HashingEmbedder())
    yield place
    place.close()


@tool
def reckon(expression: str) -> Observation:
    """Compute quickly."""
    value = {"6*7": 42, "42/2": 21, "1+1": 2, "2+2": 4, "2*6": 12}.get(expression, len(expression))
    found = Computation(expression, str(value), str(value), "")
    return Observation(Untrusted("", "reckon"), (found,), "computed")


def task(name: str, goal: str, *needs: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "goal": goal, "done_when": "known", "needs": list(needs), **more}


def plan(*tasks: dict[str, Any], **more: Any) -> ScriptedReply:
    return ScriptedReply("plan", json={"tasks": list(tasks), **more})


def extension(*tasks: dict[str, Any], **more: Any) -> ScriptedReply:
    return ScriptedReply("plan", json={**NOTHING_NEW, "add": list(tasks), **more})


def act(name: str, match: str | None = None, **arguments: object) -> ScriptedReply:
    return ScriptedReply("act", json={"thought": "", "action": {"tool": name, **arguments}}, match=match)


def works(expression: str, result: str, match: str) -> list[ScriptedReply]:
    claims = [{"text": f"{expression} = {result}", "cites": [1]}]
    return [
        act("reckon", match, expression=expression),
        act("answer", match, short=result, claims=claims),
    ]


def written(short: str, text: str, *cites: int) -> ScriptedReply:
    return ScriptedReply("write", json={"short": short, "claims": [{"text": text, "cites": list(cites)}]})


def run(agent: Agent, steering: Steering | None = None) -> tuple[Answer, list[Event]]:
    async def collect() -> list[Event]:
        async with aclosing(agent.stream("How much is it in all?", steering=steering)) as events:
            return [event async for event in events]

    events = run_in_thread(collect())
    assert isinstance(events[-1], RunFinished)
    return events[-1].answer, events


def make(workspace: Workspace, *replies: ScriptedReply, **settings: Any) -> tuple[Agent, ScriptedModel]:
    model = ScriptedModel(replies)
    tools = [reckon, *settings.pop("tools", ())]
    return Agent(model=model, policy="json", memory=False, workspace=workspace, tools=tools, **settings), model


def refusals(events: list[Event]) -> list[str]:
    return [reason for event in events if isinstance(event, Planned) for _, reason in event.refused]


def test_a_plan_with_placeholders_is_worked_off_without_asking_again(workspace: Workspace) -> None:
    agent, model = make(
        workspace,
        plan(task("a", "Compute 6*7"), task("b", "Divide #E1 by 2")),
        *works("6*7", "42", "Task: Compute"),
        *works("42/2", "21", "#t1 = <data"),
        written("21", "42 / 2 = 21", 2),
    )
    answer, events = run(agent)
    assert (answer.short, answer.stopped) == ("21", "answered")
    started = [event.task for event in events if isinstance(event, TaskStarted)]
    assert [(item.goal, item.needs) for item in started] == [("Compute 6*7", ()), ("Divide #t1 by 2", ("t1",))]
    model.assert_spent()
    assert run_in_thread(replay(workspace, answer.run_id, strict=True)) > 5


@pytest.mark.parametrize(("mode", "calls"), [("plan_once", 1), ("stepwise", 3)])
def test_the_mode_decides_whether_the_planner_is_asked_again(mode: Any, calls: int, workspace: Workspace) -> None:
    replies = [
        plan(task("a", "Compute 6*7"), task("b", "Divide the product by 2", "a")),
        *works("6*7", "42", "Task: Compute"),
        *works("42/2", "21", "Task: Divide"),
        written("21", "42 / 2 = 21", 2),
        ScriptedReply("plan", json=NOTHING_NEW, repeat=True),
    ]
    agent, model = make(workspace, *replies, planning=mode)
    assert run(agent)[0].short == "21"
    assert sum(call.role == "plan" for call in model.calls) == calls


def test_a_large_task_is_planned_by_itself_and_gathers_its_parts(workspace: Workspace) -> None:
    agent, model = make(
        workspace,
        plan(task("a", "Add up the first two", split=True), task("b", "Double #E1")),
        plan(task("x", "Compute 1+1"), task("y", "Compute 2+2")),
        *works("1+1", "2", "Task: Compute 1"),
        *works("2+2", "4", "Task: Compute 2"),
        *works("2*6", "12", "Task: Double #t1"),
        written("12", "2 * 6 = 12", 3),
    )
    answer, events = run(agent)
    assert (answer.short, answer.stopped) == ("12", "answered")
    last = [event for event in events if isinstance(event, Planned)][-1]
    assert [(item.id, item.parent, item.depth) for item in last.tasks[2:]] == [("t3", "t1", 1), ("t4", "t1", 1)]
    double = next(call for call in model.calls if "Task: Double" in call.messages[-1].content)
    assert "Compute 1+1: 2" in double.messages[-1].content
    assert run_in_thread(replay(workspace, answer.run_id, strict=True)) > 5


def test_tasks_from_what_was_read_may_only_read(workspace: Workspace) -> None:
    sent: list[str] = []

    @tool(access="send")
    def mail(text: str) -> str:
        """Send a mail."""
        sent.append(text)
        return "sent"

    agent, model = make(
        workspace,
        plan(task("a", "Compute 6*7"), task("b", "Compute 1+1")),
        *works("6*7", "42", "Task: Compute 6"),
        *works("1+1", "2", "Task: Compute 1"),
        extension(task("n", "Mail the result", acts=True), task("m", "Tell the boss about it", adds="a reader")),
        act("mail", "Task: Tell", text="42"),
        act("give_up", "Task: Tell", reason="not_found", note=""),
        ScriptedReply("plan", json=NOTHING_NEW, repeat=True),
        written("42", "6*7 = 42", 1),
        tools=[mail],
        allow=["mail"],
    )
    _, events = run(agent)
    assert sent == []
    assert "it wants to do more than read, and comes from what was read" in refusals(events)
    assert "- mail(" in model.calls[1].messages[0].content  # the prompt lists it all the same


def test_repetitions_and_tasks_that_add_nothing_are_refused(workspace: Workspace) -> None:
    agent, _ = make(
        workspace,
        plan(task("a", "Compute 6*7"), task("b", "Compute 1+1", adds="the sum")),
        *works("6*7", "42", "Task: Compute 6"),
        *works("1+1", "2", "Task: Compute 1"),
        extension(
            task("c", "Find: compute 6*7!"),
            task("d", "How much is it in all?"),
            {**task("e", "Look around"), "done_when": ""},
            task("f", "Ponder the sum", adds="The sum."),
        ),
        ScriptedReply("plan", json=NOTHING_NEW, repeat=True),
        written("42", "6*7 = 42", 1),
    )
    _, events = run(agent)
    assert refusals(events) == [
        "it repeats t1",
        "it repeats the objective",
        "it does not say what it adds",
        "it adds nothing that t2 does not",
    ]


def test_the_same_task_37_times_is_done_once(workspace: Workspace) -> None:
    again = [task(f"n{number}", "Compute 6*7", adds=f"certainty {number}") for number in range(37)]
    agent, model = make(
        workspace,
        plan(*again),
        *works("6*7", "42", "Task: Compute"),
        ScriptedReply("plan", json={**NOTHING_NEW, "add": again}, repeat=True),
    )
    answer, events = run(agent)
    assert answer.short == "42"
    assert sum(isinstance(event, TaskStarted) for event in events) == 1
    assert len(refusals(events)) == 36
    assert len(model.calls) == 3


def test_a_task_that_goes_in_circles_is_planned_anew_once_with_what_was_learned(workspace: Workspace) -> None:
    another = {"lesson": "Words do not help: calculate.", "add": [task("n", "Compute the product of 6 and 7")]}
    agent, model = make(
        workspace,
        plan(task("a", "Recall what 6 times 7 is")),
        *[act("recall", "Task: Recall", query="6 times 7")] * 3,
        act("give_up", "Task: Recall", reason="not_found", note=""),
        ScriptedReply("plan", json=another, match="3. recall(query=6 times 7)"),
        *works("6*7", "42", "Learned from a try that failed: Words do not help"),
    )
    answer, _ = run(agent)
    assert (answer.short, answer.stopped) == ("42", "answered")
    assert answer.claims[0].status == "computed"
    model.assert_spent()
    assert run_in_thread(replay(workspace, answer.run_id, strict=True)) > 5


def test_a_judge_says_of_each_step_what_was_wrong_before_the_retry(workspace: Workspace) -> None:
    labels = [{"label": "neutral", "comment": "may be"}, *[{"label": "bad", "comment": "again the same"}] * 2]
    judge = ScriptedModel([ScriptedReply("judge", json={"steps": labels})], name="judge")
    another = {"lesson": "Calculate.", "add": [task("n", "Compute the product of 6 and 7")]}
    agent, model = make(
        workspace,
        plan(task("a", "Recall what 6 times 7 is")),
        *[act("recall", "Task: Recall", query="6 times 7")] * 3,
        act("give_up", "Task: Recall", reason="not_found", note=""),
        ScriptedReply("plan", json=another, match="(bad: again the same)"),
        *works("6*7", "42", "Learned from a try that failed"),
        models={"judge": judge},
        select="best_of_n:1,judge=gold",
    )
    answer, _ = run(agent)
    assert answer.short == "42"
    model.assert_spent()
    assert "1. recall {'query': '6 times 7'}" in judge.calls[0].messages[-1].content


def test_notes_are_kept_and_a_fact_needs_evidence(workspace: Workspace) -> None:
    notes = [
        {"text": "6*7 is 42", "standing": "fact", "cites": [1]},
        {"text": "it is even", "standing": "fact", "cites": [9]},
        {"text": "there is more", "standing": "open", "cites": []},
    ]
    agent, model = make(
        workspace,
        plan(task("a", "Compute 6*7"), task("b", "Compute 1+1", "a")),
        *works("6*7", "42", "Task: Compute 6"),
        extension(notes=notes),
        *works("1+1", "2", "Task: Compute 1"),
        ScriptedReply("plan", json=NOTHING_NEW, match="fact: 6*7 is 42 [1]"),
        written("42", "6*7 = 42", 1),
    )
    _, events = run(agent)
    kept = next(event.notes for event in events if isinstance(event, NotesKept))
    assert [note.standing for note in kept] == ["fact", "guess", "open"]
    model.assert_spent()


def test_an_ambiguous_objective_is_cleared_up_when_a_person_is_there(workspace: Workspace) -> None:
    asked: list[Question] = []

    async def person(question: Question) -> str:
        asked.append(question)
        return "with tax"

    replies = [
        plan(task("a", "Guess"), question="With or without tax?"),
        ScriptedReply("plan", json={"tasks": [task("a", "Compute 6*7")]}, match="tax? with tax)"),
        *works("6*7", "42", "With or without tax? with tax"),
    ]
    agent, model = make(workspace, *replies)
    answer, _ = run(agent, Steering(asker=person))
    assert answer.short == "42"
    assert [question.text for question in asked] == ["With or without tax?"]
    model.assert_spent()
    assert run_in_thread(replay(workspace, answer.run_id, strict=True)) > 5
    alone, _ = make(workspace, plan(task("a", "Compute 6*7")), *works("6*7", "42", "Task"))
    assert run(alone)[0].short == "42"


def test_the_person_is_asked_before_the_budget_ends_the_run(workspace: Workspace) -> None:
    said = iter(["m", "answer"])
    asked: list[str] = []

    async def person(question: Question) -> str:
        asked.append(question.text)
        return next(said)

    sums = [act("reckon", expression="1" * (number + 1)) for number in range(4)]
    agent, _ = make(
        workspace,
        plan(task("a", "Add")),
        *sums,
        act("answer", short="not found", claims=[]),
        budget=Budget(steps=2),
    )
    answer, _ = run(agent, Steering(asker=person))
    assert asked == ["all 2 steps are used. Go on?", "all 4 steps are used. Go on?"]
    assert (answer.stopped, len(answer.evidence)) == ("budget", 4)
    assert run_in_thread(replay(workspace, answer.run_id, strict=True)) > 5


def test_the_model_may_ask_the_person(workspace: Workspace) -> None:
    async def person(question: Question) -> str:
        return "six and seven"

    agent, model = make(
        workspace,
        plan(task("a", "Multiply them")),
        act("ask_user", question="Which numbers?"),
        act("reckon", "six and seven", expression="6*7"),
        act("answer", short="42", claims=[{"text": "6*7 = 42", "cites": [1]}]),
    )
    answer, _ = run(agent, Steering(asker=person))
    assert answer.short == "42"
    model.assert_spent()
    assert run_in_thread(replay(workspace, answer.run_id, strict=True)) > 5


def test_a_tool_that_is_used_up_is_no_longer_offered(workspace: Workspace) -> None:
    agent, model = make(
        workspace,
        plan(task("a", "Add")),
        act("reckon", expression="1+1"),
        act("answer", short="2", claims=[{"text": "1+1 = 2", "cites": [1]}]),
        budget=Budget(calls={"reckon": 1}),
    )
    assert run(agent)[0].short == "2"
    offered = ['"const": "reckon"' in str(call.schema).replace("'", '"') for call in model.calls]
    assert offered == [False, True, False]
