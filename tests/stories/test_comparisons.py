"""Whole runs of the guided policy that compare two things, over pages of their own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.pages import indexed

from crowquill import Agent, ScriptedModel
from crowquill.agent.models.scripted import ScriptedReply
from crowquill.agent.workspace import Workspace
from crowquill.errors import UserError

PAGES = {
    "Lake Tarn": "Lake Tarn is a Norwegian lake. It is 310 metres deep. It has 12 islands.",
    "Lake Orrin": "Lake Orrin is a reservoir in Scotland. It is 45 metres deep. It has 3 islands.",
    "Lake Veld": "Lake Veld is a Norwegian lake. It is known for its pike.",
}


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    place = indexed(tmp_path, PAGES, "lakes")
    yield place
    place.close()


def agent(model: ScriptedModel, workspace: Workspace) -> Agent:
    return Agent(model=model, policy="guided", corpora=["lakes"], memory=False, workspace=workspace)


def alone(because: str, answer: str, about: str) -> ScriptedReply:
    return ScriptedReply("act", json={"because": because, "answer": answer}, match=about)


def test_what_stands_in_the_quotes_about_both_needs_no_model(workspace: Workspace) -> None:
    answer = agent(ScriptedModel([]), workspace).ask("Are Lake Tarn and Lake Veld both Norwegian lakes?")
    assert (answer.short, answer.usage.calls) == ("yes", 0)
    assert [claim.status for claim in answer.claims] == ["quoted", "quoted"]
    assert {claim.support[0].evidence.source.title for claim in answer.claims} == {"Lake Tarn", "Lake Veld"}  # type: ignore[union-attr]


def test_the_model_is_asked_about_the_silent_side_alone(workspace: Workspace) -> None:
    model = ScriptedModel([alone("a reservoir in Scotland", "no", "Are Lake Orrin Norwegian lakes?")])
    answer = agent(model, workspace).ask("Are Lake Tarn and Lake Orrin both Norwegian lakes?")
    assert answer.short == "no"
    assert "reservoir in Scotland" in answer.claims[1].text
    assert "Norwegian" not in model.calls[0].messages[-1].content.partition("Question:")[0]
    model.assert_spent()


def test_two_values_that_must_be_the_same_are_compared_by_code(workspace: Workspace) -> None:
    replies = [alone("a Norwegian lake", "yes", "Lake Tarn"), alone("a reservoir in Scotland", "yes", "Lake Orrin")]
    answer = agent(ScriptedModel(replies), workspace).ask("Are Lake Tarn and Lake Orrin in the same country?")
    assert answer.short == "no"


def test_the_larger_of_two_quoted_numbers_is_chosen_whatever_the_model_says(workspace: Workspace) -> None:
    sentence = "Lake Tarn has 12 islands, while Lake Orrin has 3 islands."
    model = ScriptedModel([ScriptedReply("act", json={"sentence": sentence, "answer": "Lake Orrin"})])
    answer = agent(model, workspace).ask("Which has more islands, Lake Tarn or Lake Orrin?")
    assert answer.short == "Lake Tarn"
    assert answer.claims[0].status in ("quoted", "derived")


def test_measures_are_compared_without_a_model(workspace: Workspace) -> None:
    answer = agent(ScriptedModel([]), workspace).ask("Which is deeper, Lake Orrin or Lake Tarn?")
    assert (answer.short, answer.usage.calls) == ("Lake Tarn", 0)
    assert [claim.text for claim in answer.claims] == ["It is 45 metres deep.", "It is 310 metres deep."]


def test_a_part_of_the_recipe_can_be_left_out(workspace: Workspace) -> None:
    reading = {"quotes": [1], "sentence": "Lake Tarn is a Norwegian lake.", "answer": "yes"}
    model = ScriptedModel([ScriptedReply("act", json=reading)])
    plain = Agent(
        model=model,
        policy="guided",
        corpora=["lakes"],
        memory=False,
        workspace=workspace,
        without=["comparison", "hop"],
    )
    assert plain.ask("Are Lake Tarn and Lake Veld both Norwegian lakes?").usage.calls == 1
    with pytest.raises(UserError, match="no part 'luck' of the recipe; there are lexical, dense"):
        Agent(model=model, without=["luck"])  # type: ignore[list-item]
