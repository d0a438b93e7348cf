"""Whole runs of the guided policy in which the first answer is only on the way to the one asked for."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.pages import indexed

from crowquill import Agent, Budget, ScriptedModel
from crowquill.agent.models.scripted import ScriptedReply
from crowquill.agent.workspace import Workspace

PAGES = {
    "Moonrise": "Moonrise is a film of 1945 with Ada Fell as the captain.",
    "Ada Fell": "Ada Fell is a Welsh actress. She later served as ambassador to Chile. She wrote two books.",
}
QUESTION = "What post did the woman hold who played the captain in Moonrise?"
FIRST = ScriptedReply(
    "act", json={"quotes": [1], "sentence": "Ada Fell played the captain in Moonrise.", "answer": "Ada Fell"}
)


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    place = indexed(tmp_path, PAGES, "films")
    yield place
    place.close()


def agent(model: ScriptedModel, workspace: Workspace) -> Agent:
    return Agent(model=model, policy="guided", corpora=["films"], memory=False, workspace=workspace)


def beyond(answer: str) -> ScriptedReply:
    return ScriptedReply("act", json={"answer": answer}, match="The name before the colon is not the answer")


def test_it_reads_on_about_a_name_that_is_not_of_the_kind_asked_for(workspace: Workspace) -> None:
    model = ScriptedModel([FIRST, beyond("ambassador to Chile")])
    answer = agent(model, workspace).ask(QUESTION)
    assert answer.short == "ambassador to Chile"
    assert [claim.status for claim in answer.claims] == ["quoted"]
    assert "Moonrise" not in model.calls[1].messages[-1].content.partition("The name before")[0]
    model.assert_spent()


@pytest.mark.parametrize("second", ["Ada Fell", "not found", "ambassador to Peru"])
def test_the_first_answer_stays_when_nothing_better_is_quoted(second: str, workspace: Workspace) -> None:
    assert agent(ScriptedModel([FIRST, beyond(second)]), workspace).ask(QUESTION).short == "Ada Fell"


def test_a_name_of_the_kind_asked_for_is_taken_at_once(workspace: Workspace) -> None:
    model = ScriptedModel([FIRST])
    assert agent(model, workspace).ask("Which actress played the captain in Moonrise?").short == "Ada Fell"
    model.assert_spent()


@pytest.mark.parametrize("steps", range(4, 12))
def test_the_first_answer_is_given_when_the_budget_ends_on_the_way(steps: int, workspace: Workspace) -> None:
    model = ScriptedModel([FIRST, beyond("not found")])
    asking = Agent(
        model=model,
        policy="guided",
        corpora=["films"],
        memory=False,
        budget=Budget(steps=steps),
        workspace=workspace,
    )
    answer = asking.ask(QUESTION)
    assert (answer.short, answer.stopped) in [("Ada Fell", "answered"), ("Ada Fell", "budget")]


def test_the_first_answer_is_given_when_the_second_cannot_be_read(workspace: Workspace) -> None:
    broken = ScriptedReply("act", fault="malformed", repeat=True)
    answer = agent(ScriptedModel([FIRST, broken]), workspace).ask(QUESTION)
    assert (answer.short, answer.stopped) == ("Ada Fell", "answered")
