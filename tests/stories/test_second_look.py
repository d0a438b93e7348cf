"""Whole runs of the guided policy whose first reading finds nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.pages import indexed

from crowquill import Agent, ScriptedModel
from crowquill.agent.models.scripted import ScriptedReply
from crowquill.agent.workspace import Workspace

PAGES = {
    "Moonrise": "Moonrise is a film of 1945. Ada Fell plays the captain in Moonrise.",
    "Moonrise (score)": "The score of Moonrise is from 1945. The captain has a waltz in Moonrise.",
    "Moonrise (book)": "The book of Moonrise has a captain. The film Moonrise follows the book.",
    "Moonrise (play)": "The play Moonrise came first. In it the captain of Moonrise is a man.",
    "Ada Fell": "Ada Fell played a captain in the film Moonrise. Ada Fell is a Welsh actress of the film captain. "
    "Ada Fell made a film a year. She went to Chile as ambassador. She wrote two books.",
}


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    place = indexed(tmp_path, PAGES, "films")
    yield place
    place.close()


def ask(model: ScriptedModel, workspace: Workspace, question: str) -> str:
    return (
        Agent(model=model, policy="guided", corpora=["films"], memory=False, workspace=workspace)
        .ask(question)
        .short
    )


def reading(sentence: str, answer: str = "not found") -> ScriptedReply:
    return ScriptedReply("act", json={"quotes": [1], "sentence": sentence, "answer": answer})


def test_it_looks_again_at_the_page_of_whom_the_first_reading_has_brought_up(workspace: Workspace) -> None:
    first = reading("Ada Fell played the captain in the film Moonrise.")
    second = ScriptedReply(
        "act", json={"facts": "She went to Chile.", "answer": "ambassador"}, match="step by step"
    )
    model = ScriptedModel([first, second])
    assert ask(model, workspace, "Which post had the captain of the film Moonrise later?") == "ambassador"
    lines = model.calls[0].messages[-1].content
    assert "Ada Fell:\n" in lines
    assert "ambassador" not in lines
    model.assert_spent()


def test_what_is_left_of_a_question_of_two_steps_is_asked_of_the_page_brought_up(workspace: Workspace) -> None:
    first = reading("Ada Fell played the captain in the film Moonrise.")
    left = ScriptedReply("act", json={"answer": "ambassador"}, match="What post did Ada Fell hold?")
    model = ScriptedModel([first, left])
    question = "What post did the woman hold who played the captain in the film Moonrise?"
    assert ask(model, workspace, question) == "ambassador"
    assert "Moonrise (score)" not in model.calls[1].messages[-1].content
    model.assert_spent()


def test_a_number_of_the_things_asked_for_is_taken_from_the_sentence(workspace: Workspace) -> None:
    first = reading("Ada Fell wrote two books.")
    assert ask(ScriptedModel([first]), workspace, "How many books did Ada Fell write?") == "two"
