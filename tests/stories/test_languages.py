"""Whole runs whose question is in another language than the pages."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.pages import indexed

from crowquill import Agent, ScriptedModel
from crowquill.agent.models.scripted import ScriptedReply
from crowquill.agent.workspace import Workspace

QUESTION = "Какова глубина озера Tarn?"


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    place = indexed(tmp_path, {"Lake Tarn": "Lake Tarn is 310 metres deep. It is cold."}, "lakes")
    yield place
    place.close()


def test_a_weak_model_answers_in_the_language_of_the_question(workspace: Workspace) -> None:
    said = {"quotes": [1], "sentence": "Озеро Тарн имеет глубину 310 метров.", "answer": "310 метров"}
    model = ScriptedModel([ScriptedReply("act", json=said, match="one full sentence in Russian")])
    answer = Agent(model=model, policy="guided", corpora=["lakes"], memory=False, workspace=workspace).ask(QUESTION)
    assert (answer.short, answer.text) == ("310 метров", f"{said['sentence']} [1]")
    assert [(claim.status, claim.problem) for claim in answer.claims] == [("derived", "")]
    schema = model.calls[0].schema
    assert schema is not None
    assert schema["properties"]["sentence"]["pattern"].startswith("^[А-ЯЁ]")
    model.assert_spent()


def test_a_sentence_that_says_something_else_gives_way_to_the_quote(workspace: Workspace) -> None:
    said = {"quotes": [1], "sentence": "Зарплата повара 310 рублей.", "answer": "310"}
    model = ScriptedModel([ScriptedReply("act", json=said)])
    answer = Agent(model=model, policy="guided", corpora=["lakes"], memory=False, workspace=workspace).ask(QUESTION)
    assert answer.text == "Lake Tarn is 310 metres deep. [1]"


def test_parts_of_a_question_are_not_missed_in_an_answer_in_another_language(workspace: Workspace) -> None:
    act = [
        ScriptedReply("act", json={"thought": "", "action": {"tool": "search", "query": "Lake Tarn"}}),
        ScriptedReply("act", json={"thought": "", "action": {"tool": "open", "target": "1"}}),
        ScriptedReply("act", json={"thought": "", "action": {"tool": "quote", "lines": "2-3"}}),
    ]
    claims = [{"text": "Lake Tarn is 310 metres deep.", "cites": [1]}, {"text": "It is cold.", "cites": [1]}]
    final = {"tool": "answer", "short": "310 metres; cold", "claims": claims}
    question = "Какова глубина озера Tarn? Холодная ли там вода?"
    plan = {"tasks": [{"id": "t1", "goal": question, "done_when": "", "needs": []}]}
    translated = {"translations": ["Глубина озера Тарн 310 метров. Оно холодное."]}
    model = ScriptedModel(
        [
            ScriptedReply("plan", json=plan),
            *act,
            ScriptedReply("act", json={"thought": "", "action": final}),
            ScriptedReply("write", json=translated),
        ]
    )
    answer = Agent(model=model, policy="json", corpora=["lakes"], memory=False, workspace=workspace).ask(question)
    assert [claim.status for claim in answer.claims] == ["quoted", "quoted"]
    assert not [problem for problem in answer.problems if "nothing is said" in problem]
