"""Whole runs with several candidates: what they share, how the winner is found, and that they replay."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.fake_openai import Answer as ServerAnswer
from tests.support.fake_openai import FakeOpenAI, completion
from tests.support.pages import indexed

from crowquill import Agent, Budget, ScriptedModel
from crowquill.agent.agent import run_in_thread
from crowquill.agent.events import Event, EvidenceFound, Judged, Noticed, Planned, RunFinished, Selected
from crowquill.agent.models.openai import OpenAIModel
from crowquill.agent.models.scripted import ScriptedReply
from crowquill.agent.replay import replay
from crowquill.agent.workspace import Workspace

PAGES = {
    "Lake Tarn": "Lake Tarn is a Norwegian lake. It is 310 metres deep. It was dammed in 1931.",
    "Lake Orrin": "Lake Orrin is a reservoir in Scotland. It is 45 metres deep. It was dammed in 1952.",
}
QUESTION = "How deep is Lake Tarn?"


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    place = indexed(tmp_path, PAGES, "lakes")
    yield place
    place.close()


def read(short: str, *, repeat: bool = False) -> ScriptedReply:
    reply = {"quotes": [1], "sentence": f"Lake Tarn is {short} deep.", "answer": short}
    return ScriptedReply("act", json=reply, repeat=repeat)


def agent(model: Any, workspace: Workspace, select: str, **more: Any) -> Agent:
    return Agent(model=model, policy="guided", corpora=["lakes"], workspace=workspace, select=select, **more)


def events_of(agent: Agent, question: str = QUESTION) -> list[Event]:
    async def collect() -> list[Event]:
        return [event async for event in agent.stream(question)]

    return run_in_thread(collect())


def finished(events: list[Event]) -> RunFinished:
    last = events[-1]
    assert isinstance(last, RunFinished)
    return last


def test_candidates_share_the_evidence_and_every_score_is_in_the_journal(workspace: Workspace) -> None:
    model = ScriptedModel([read("1931"), read("310 metres"), read("310 metres"), read("310 m")])
    events = events_of(agent(model, workspace, "majority:4,at_once=4"))
    answer = finished(events).answer
    assert answer.short == "310 metres"
    assert len({event.evidence.id for event in events if isinstance(event, EvidenceFound)}) == sum(
        isinstance(event, EvidenceFound) for event in events
    )
    judged = [event for event in events if isinstance(event, Judged)]
    assert sorted(event.number for event in judged) == [1, 2, 3, 4]
    chosen = next(event for event in events if isinstance(event, Selected))
    assert answer.selection == chosen.selection
    assert [ranked.number for ranked in chosen.selection.candidates][-1] == 1
    assert chosen.selection.candidates[0].score == 3
    assert [call.temperature for call in model.calls] == [0.0, 0.8, 0.8, 0.8]
    assert len({call.seed for call in model.calls}) == 4
    model.assert_spent()
    assert run_in_thread(replay(workspace, answer.run_id)) == sum(event.kind != "progress" for event in events)


def test_with_a_shared_plan_each_collects_for_itself(workspace: Workspace) -> None:
    plan = ScriptedReply("plan", json={"tasks": [{"id": "t1", "goal": QUESTION, "done_when": "", "needs": []}]})

    def act(tool: str, **arguments: Any) -> ScriptedReply:
        return ScriptedReply("act", json={"thought": "", "action": {"tool": tool, **arguments}}, repeat=True)

    claims = [{"text": "Lake Tarn is 310 metres deep.", "cites": [1]}]
    model = ScriptedModel(
        [
            plan,
            *(
                ScriptedReply("act", json={"thought": "", "action": step})
                for _ in range(2)
                for step in (
                    {"tool": "search", "query": "Lake Tarn"},
                    {"tool": "open", "target": "1"},
                    {"tool": "quote", "lines": "2-4"},
                    {"tool": "answer", "short": "310 metres", "claims": claims},
                )
            ),
        ]
    )
    made = Agent(
        model=model,
        policy="json",
        corpora=["lakes"],
        workspace=workspace,
        select="best_of_n:2,share=plan,at_once=1",
    )
    events = events_of(made)
    answer = finished(events).answer
    assert answer.short == "310 metres"
    assert answer.selection is not None
    assert len(answer.selection.candidates) == 2
    assert sum(isinstance(event, Planned) for event in events) >= 1
    assert sum(call.role == "plan" for call in model.calls) == 1
    nudged = [call.messages[-1].content for call in model.calls if call.temperature > 0]
    assert nudged
    assert all("other words" in text for text in nudged)
    model.assert_spent()


def test_no_more_candidates_are_made_than_needed_or_paid(workspace: Workspace) -> None:
    model = ScriptedModel([read("310 metres", repeat=True)])
    events_of(agent(model, workspace, "best_of_n:8,threshold=0,at_once=1"))
    assert len(model.calls) == 1
    model = ScriptedModel([read("310 metres", repeat=True)])
    events_of(agent(model, workspace, "majority:5,at_once=1", memory=False))
    assert len(model.calls) == 3
    model = ScriptedModel([read("310 metres", repeat=True)])
    events_of(agent(model, workspace, "auto:8,at_once=4", memory=False))
    assert len(model.calls) == 3
    model = ScriptedModel([read("310 metres", repeat=True)])
    tight = Budget(steps=12)
    events = events_of(agent(model, workspace, "best_of_n:8,share=plan,at_once=8", memory=False, budget=tight))
    assert any(isinstance(event, Noticed) and "cannot be paid" in event.message for event in events)
    assert finished(events).answer.short == "310 metres"


def test_the_budget_decides_how_many_candidates_auto_makes_where_they_disagree(workspace: Workspace) -> None:
    model = ScriptedModel([read("1931"), read("45 metres"), read("310 metres", repeat=True)])
    chosen = finished(events_of(agent(model, workspace, "auto:6,at_once=1", memory=False))).answer.selection
    assert chosen is not None
    assert (chosen.strategy, len(chosen.candidates)) == ("auto: weighted", 6)
    model = ScriptedModel([read("1931"), read("310 metres", repeat=True)])
    tight = Budget(steps=30)
    events = events_of(
        agent(model, workspace, "auto:6,share=plan,at_once=1", memory=False, cache=False, budget=tight)
    )
    assert any(isinstance(event, Noticed) and "cannot be paid" in event.message for event in events)
    chosen = finished(events).answer.selection
    assert chosen is not None
    assert chosen.strategy == "auto: weighted"
    assert sorted((ranked.short, ranked.stopped) for ranked in chosen.candidates) == [
        ("1931", "answered"),
        ("310 metres", "answered"),
    ]


def test_a_candidate_whose_model_fails_does_not_end_the_run(workspace: Workspace) -> None:
    bad = ScriptedReply("act", text="no json")
    model = ScriptedModel([read("310 metres"), bad, bad, bad, read("310 metres", repeat=True)])
    answer = finished(events_of(agent(model, workspace, "best_of_n:3,at_once=1"))).answer
    assert answer.short == "310 metres"
    assert answer.selection is not None
    assert len(answer.selection.candidates) == 3


def test_when_no_candidate_has_an_answer_the_run_says_so(workspace: Workspace) -> None:
    reply = {"quotes": [1], "sentence": "It does not say.", "answer": "not found"}
    model = ScriptedModel([ScriptedReply("act", json=reply, repeat=True)])
    answer = finished(events_of(agent(model, workspace, "best_of_n:3,at_once=1"), "Who owns Lake Tarn?")).answer
    assert answer.stopped == "not_found"
    assert answer.claims == ()


def test_eight_candidates_with_shared_evidence_take_little_longer_than_one(workspace: Workspace) -> None:
    """A server that needs 200 ms for each call: N = 8 at most 1.5 times one run (measured: about 1.2)."""
    claims = [{"text": "Lake Tarn is 310 metres deep.", "cites": [1]}]
    steps: list[dict[str, Any]] = [
        {"tool": "search", "query": "Lake Tarn"},
        {"tool": "open", "target": "1"},
        {"tool": "quote", "lines": "2-4"},
        {"tool": "answer", "short": "310 metres", "claims": claims},
    ]
    with FakeOpenAI() as server:
        taken = {"act": 0}

        def respond(body: dict[str, Any]) -> ServerAnswer:
            system = body["messages"][0]["content"]
            if system.startswith("You plan"):
                return reply({"tasks": [{"id": "t1", "goal": QUESTION, "done_when": "", "needs": []}]})
            if system.startswith("You write"):
                return reply({"short": "310 metres", "claims": claims})
            taken["act"] += 1
            return reply({"thought": "", "action": steps[(taken["act"] - 1) % len(steps)]})

        def reply(data: dict[str, Any]) -> ServerAnswer:
            return lambda exchange: None if exchange.wait(0.2) else completion(json.dumps(data))(exchange)

        server.respond = respond
        seconds = {}
        for select in ("single", "best_of_n:8"):
            model = OpenAIModel("fake", base_url=server.url)
            made = Agent(
                model=model, policy="json", corpora=["lakes"], memory=False, cache=False, workspace=workspace,
                select=select,
            )  # fmt: skip
            run_in_thread(model.warm())
            started = time.monotonic()
            answer = finished(events_of(made)).answer
            seconds[select] = time.monotonic() - started
            assert answer.short == "310 metres"
        assert answer.selection is not None
        assert len(answer.selection.candidates) == 8
        assert seconds["best_of_n:8"] <= 1.5 * seconds["single"], seconds


def written(text: str, short: str, *cites: int) -> ScriptedReply:
    return ScriptedReply("write", json={"text": text, "cites": list(cites), "short": short})


def test_an_answer_is_built_statement_by_statement(workspace: Workspace) -> None:
    model = ScriptedModel(
        [
            read("310 metres"),
            written("Lake Tarn is 130 metres deep.", "130 metres", 1),
            written("Lake Tarn is 310 metres deep.", "310 metres", 1),
            *(
                ScriptedReply("write", json={"text": "", "cites": [], "short": "310 metres"}, repeat=True)
                for _ in "x"
            ),
        ]
    )
    events = events_of(agent(model, workspace, "beam:2,at_once=2"))
    answer = finished(events).answer
    assert answer.short == "310 metres"
    assert answer.selection is not None
    assert answer.selection.strategy == "beam"
    assert len(answer.selection.candidates) >= 2
    assert run_in_thread(replay(workspace, answer.run_id)) == sum(event.kind != "progress" for event in events)


def test_a_judge_labels_the_statements_of_a_beam(workspace: Workspace) -> None:
    """Code values both beginnings nearly alike; the label of the judge decides which of them is kept."""
    ends = ScriptedReply("write", json={"text": "", "cites": [], "short": ""}, repeat=True)
    told = [written("It is 310 metres deep.", "310 metres", 1), written("Its depth is 310 metres.", "310 m", 1)]

    def label(name: str, match: str) -> ScriptedReply:
        steps = {"steps": [{"label": name, "comment": ""}]}
        return ScriptedReply("judge", json=steps, match=match, repeat=True)

    level = ScriptedReply("judge", json={"reason": "", "level": "3"}, match="Answer", repeat=True)
    values = {}
    for bad, good in (("Its depth", "It is"), ("It is", "Its depth")):
        writer = ScriptedModel([read("310 metres"), *told, ends])
        judge = ScriptedModel([level, label("bad", f"say: {bad}"), label("good", f"say: {good}")], name="judge")
        made = agent(writer, workspace, "beam:1,at_once=1,judge=grade", models={"judge": judge}, cache=False)
        answer = finished(events_of(made)).answer
        assert answer.selection is not None
        values[good] = [ranked.short for ranked in answer.selection.candidates if ranked.number > 1]
        assert any("say: " in call.messages[-1].content for call in judge.calls)
    assert values == {"It is": ["310 metres"], "Its depth": ["310 m"]}


def test_a_debate_ends_when_the_answers_settle(workspace: Workspace) -> None:
    def says(short: str) -> ScriptedReply:
        claims = [{"text": f"Lake Tarn is {short} deep.", "cites": [1]}]
        return ScriptedReply("write", json={"short": short, "claims": claims})

    model = ScriptedModel([read("310 metres"), read("1931"), says("310 metres"), says("310 metres")])
    events = events_of(agent(model, workspace, "debate:2,at_once=1"))
    answer = finished(events).answer
    assert answer.short == "310 metres"
    shown = [call.messages[-1].content for call in model.calls if call.role == "write"]
    assert "1931 deep" in shown[0]
    assert "310 metres deep. [" in shown[1]
    assert sorted(event.number for event in events if isinstance(event, Judged)) == [1, 2, 3, 4]
    model.assert_spent()
    assert run_in_thread(replay(workspace, answer.run_id)) == sum(event.kind != "progress" for event in events)
