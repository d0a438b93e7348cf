"""Whole runs about numbers and letters: what needs no model, and word problems whose calculations code repeats."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from crowquill import Agent, Answer, ScriptedModel
from crowquill.agent.models.scripted import ScriptedReply
from crowquill.agent.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    place = Workspace(tmp_path / "workspace")
    yield place
    place.close()


def ask(question: str, workspace: Workspace, *replies: ScriptedReply) -> tuple[Answer, ScriptedModel]:
    model = ScriptedModel(replies)
    answer = Agent(model=model, policy="guided", memory=False, workspace=workspace).ask(question)
    model.assert_spent()
    return answer, model


DRAW = random.Random(40)
LONG = [(DRAW.randint(10**39, 10**40 - 1), DRAW.randint(10**39, 10**40 - 1)) for _ in range(4)]
CARRIES = [("9" * count, "1") for count in (17, 25, 40)]
WORDS = ("strawberry", "mississippi", "bookkeeper", "молоко")
EXACT = [
    *((f"What is {one} + {two}?", str(one + two)) for one, two in LONG),
    *((f"What is {one} * {two}?", str(one * two)) for one, two in LONG[:2]),
    *((f"What is {one} + {two}?", str(int(one) + int(two))) for one, two in CARRIES),
    *((f"Which is larger, {one} or 9.9?", "9.9") for one in ("9.11", "9.099")),
    *((f"Which is {word}, 3.8 or 3.11?", "3.11") for word in ("smaller", "less")),
    ("Что больше, 3.8 или 3.11?", "3.8"),
    *((f"How many {word[2]}'s are in {word}?", str(word.count(word[2]))) for word in WORDS),
    *((f'Reverse the word "{word}".', word[::-1]) for word in WORDS),
    *((f'What is "{word}" spelled backwards?', word[::-1]) for word in WORDS),
    ("What is telephone written backwards?", "enohpelet"),
    ("What day of the week was 20 July 1969?", "Sunday"),
    ("Is 9.11 greater than 9.9?", "no"),
    ("How many days are between 3 March 2021 and 17 August 2023?", "897"),
    ("Convert 72 °F to °C", "≈ 22.2222222222222 °C"),
    ("Solve x^2 - 5x + 6 = 0 for x.", "x = 2 or x = 3"),
    ("Сколько будет 17% от 200?", "34"),
]  # fmt: skip


@pytest.mark.parametrize(("question", "short"), EXACT)
def test_what_is_a_computation_is_answered_exactly_and_without_a_model(
    question: str, short: str, workspace: Workspace
) -> None:
    answer, model = ask(question, workspace)
    assert (answer.short, answer.stopped, model.calls) == (short, "answered", [])
    assert [claim.status for claim in answer.claims] == ["computed"]


PENS = "Tom has 12 boxes of 27 pens. He sells 40% of the pens at $2 each. How much money does he make?"


def test_a_word_problem_is_reasoned_by_the_model_and_computed_by_code(workspace: Workspace) -> None:
    slip = (
        "He has 12 * 27 = 314 pens.\nHe sells 40/100 * 314 = 125.6.\nThat makes 125.6 * 2 = 251.2.\nAnswer: 251.2"
    )
    answer, model = ask(PENS, workspace, ScriptedReply("act", text=slip))
    assert answer.short == "259.2"  # 12 * 27 is 324
    assert [claim.status for claim in answer.claims] == ["computed"]
    assert answer.claims[0].text == "step_a = 12 * 27; step_b = 40 / 100 * step_a; step_c = step_b * 2 = 259.2"
    assert len(model.calls) == 1


def test_numbers_of_nowhere_in_the_reasoning_found_no_answer_and_a_program_is_asked_for(
    workspace: Workspace,
) -> None:
    invented = ScriptedReply("act", text="There are 55 * 27 = 1485 pens.\nAnswer: 1485")
    program = ScriptedReply("act", json={"steps": [{"name": "pens", "value": "12 * 27"}]})
    answer, model = ask(PENS, workspace, invented, program)
    assert (answer.short, len(model.calls)) == ("324", 2)
    assert [claim.status for claim in answer.claims] == ["computed"]


def test_an_invented_number_in_the_program_too_leaves_the_claim_unsupported(workspace: Workspace) -> None:
    invented = ScriptedReply("act", text="There are 55 * 27 = 1485 pens.\nAnswer: 1485")
    program = ScriptedReply("act", json={"steps": [{"name": "pens", "value": "55 * 27"}]})
    answer, _ = ask(PENS, workspace, invented, program)
    assert [claim.status for claim in answer.claims] == ["unsupported"]
    assert "55" in answer.claims[0].problem
