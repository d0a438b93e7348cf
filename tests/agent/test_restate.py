"""Follow-up questions: which are restated and checked by code, with the evidence of those before."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.pages import indexed

from crowquill import Agent, Answer, ScriptedModel
from crowquill.agent.agent import run_in_thread
from crowquill.agent.models.scripted import ScriptedReply
from crowquill.agent.replay import replay
from crowquill.agent.restate import stands_alone
from crowquill.agent.workspace import Workspace

PAGES = {
    "Lake Tarn": "Lake Tarn is a Norwegian lake. It is 310 metres deep. Lake Tarn was dammed in 1931.",
    "Lake Orrin": "Lake Orrin is a reservoir in Scotland. It is 45 metres deep.",
}


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    place = indexed(tmp_path, PAGES, "lakes")
    yield place
    place.close()


def read(sentence: str, answer: str, quote: int = 1, **more: Any) -> ScriptedReply:
    return ScriptedReply("act", json={"quotes": [quote], "sentence": sentence, "answer": answer}, **more)


def restated(question: str) -> ScriptedReply:
    return ScriptedReply("plan", json={"question": question})


def first(workspace: Workspace, *replies: ScriptedReply) -> tuple[Agent, Answer, ScriptedModel]:
    model = ScriptedModel([read("Lake Tarn is 310 metres deep.", "310 metres"), *replies])
    agent = Agent(model=model, policy="guided", corpora=["lakes"], workspace=workspace, memory=False)
    answer = agent.ask("How deep is Lake Tarn?")
    assert answer.short == "310 metres"
    return agent, answer, model


@pytest.mark.parametrize(
    ("question", "alone"),
    [
        ("How deep is Lake Tarn in Norway?", True),
        ("When was it dammed?", False),
        ("And in Scotland?", False),
        ("Why?", False),
        ("Какова глубина озера Тарн в Норвегии?", True),
        ("А какая у него глубина в самом глубоком месте?", False),
        ("In which country did Anna Moore found her third company?", False),
    ],
)
def test_what_refers_to_something_does_not_stand_alone(question: str, alone: bool) -> None:
    assert stands_alone(question) is alone


def test_a_follow_up_is_restated_and_has_the_earlier_evidence(workspace: Workspace) -> None:
    replies = restated("When was Lake Tarn dammed?"), read("Lake Tarn was dammed in 1931.", "1931", 2)
    agent, answer, model = first(workspace, *replies)
    following = agent.following(answer)
    second = following.ask("When was it dammed?")
    assert second.objective == "When was Lake Tarn dammed?"
    assert second.short == "1931"
    assert "Lake Tarn is 310 metres deep." not in model.calls[1].messages[-1].content.split("Follow-up")[1]
    assert "310 metres" in model.calls[2].messages[-1].content
    assert run_in_thread(replay(workspace, second.run_id, strict=True)) > 0
    turns = following.following(second).config.conversation.turns
    assert [(turn.question, turn.answer) for turn in turns] == [
        ("How deep is Lake Tarn?", "310 metres"),
        ("When was Lake Tarn dammed?", "1931"),
    ]


@pytest.mark.parametrize("invented", ["When was Lake Baikal dammed in 1905?", ""])
def test_a_restatement_that_brings_something_new_is_not_taken(workspace: Workspace, invented: str) -> None:
    agent, answer, _ = first(
        workspace, restated(invented), read("Lake Tarn was dammed in 1931.", "1931", repeat=True)
    )
    second = agent.following(answer).ask("When was it dammed?")
    assert second.objective == "When was it dammed? (after: How deep is Lake Tarn? 310 metres)"


def test_a_question_that_stands_alone_costs_no_call(workspace: Workspace) -> None:
    agent, answer, model = first(workspace, read("Lake Orrin is 45 metres deep.", "45 metres", repeat=True))
    agent.following(answer).ask("How deep is the reservoir Lake Orrin in Scotland?")
    assert [call.role for call in model.calls][:2] == ["act", "act"]


def test_a_long_conversation_keeps_its_last_turns_and_newest_evidence(workspace: Workspace) -> None:
    agent, answer, _ = first(workspace)
    for _ in range(10):
        agent = agent.following(answer)
    assert len(agent.config.conversation.turns) == 6
    assert len(agent.config.conversation.evidence) == 1
