"""Calculations in a model's reasoning are found, linked, and computed again."""

from fractions import Fraction
from typing import Any, cast

import pytest

from crowquill.agent.critic.checks import unfounded_numbers
from crowquill.agent.worked import program_of, said_answer, steps_in
from crowquill.tools.maths.compute import compute


def computed(text: str, question: str) -> str:
    answer = cast("dict[str, Any]", compute({"expression": program_of(text, question)}))
    return str(answer["decimal"])


TRIATHLON = r"""1. Jon's total time:
   - Bike: 1 hour and 20 minutes = 1 * 60 + 20 = 80 minutes
   - Total time = 40 + 80 + 50 = 170 minutes
2. James's swim: 40 minutes * (1 - 0.10) = 40 * 0.90 = 36 minutes
   - Bike: 80 minutes + 5 minutes = 85 minutes
3. James took \( 170 + 10 = 180 \) minutes, so the run took
   \[ R = 180 - 36 - 85 = 59 \]
Therefore it took James \(\boxed{59}\) minutes."""
ASKED = (
    "Jon needs 40 minutes for the swim, an hour and 20 minutes for the bike ride and 50 minutes for the run. James "
    "swims 10% faster but takes 5 minutes longer on the bike. If Jon won by 10 minutes, how long did James run?"
)


def test_equations_become_linked_steps_and_what_is_not_needed_is_left_out() -> None:
    program = program_of(TRIATHLON, ASKED)
    assert program == (
        "step_a = 1 * 60 + 20; step_b = 40 + step_a + 50; step_c = 40 * 0.90; step_d = step_a + 5; "
        "step_e = step_b + 10; step_f = step_e - step_c - step_d"
    )
    assert computed(TRIATHLON, ASKED) == "59"
    assert unfounded_numbers(program, [ASKED]) == []


def test_a_wrong_result_is_put_right_wherever_it_was_used() -> None:
    text = "Pens: 48 * 27 = 1286\nTwice that is 2 * 1286 = 2572.\nAnswer: 2572"
    assert computed(text, "48 boxes of 27 pens are sold twice.") == str(2 * 48 * 27)


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("12 * $3 = $36", [("12 * 3", 36)]),
        ("12 boxes × 3 pens/box = 36 pens", [("12 * 3", 36)]),
        (r"\[ \frac{1}{4} \times 1,200 \text{ GB} = 300 \text{ GB} \]", [("((1)/(4)) * 1200", 300)]),
        ("40% of 50 is 40/100 * 50 = 20.", [("40/100 * 50", 20)]),
        ("3 x 12 = 36", [("3 * 12", 36)]),
        ("100 / 8 = 12.5", [("100 / 8", Fraction(25, 2))]),
        ("**Total:** 5 + 6 = 11", [("5 + 6", 11)]),
        ("x = 5", []),
        ("There are 5 = five pens", []),
        ("2 + 2", []),
    ],
)
def test_how_calculations_are_written(text: str, steps: list[tuple[str, Fraction]]) -> None:
    assert [(step.left, step.said) for step in steps_in(text)] == steps


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Answer: 42", 42),
        ("**Answer:** $1,250", 1250),
        ("The answer is 12.5 metres.", Fraction(25, 2)),
        (r"so it is \(\boxed{49}\) minutes.", 49),
        ("Answer: 3\nNo, wait.\nAnswer: 4", 4),
        ("I do not know.", None),
    ],
)
def test_the_answer_that_was_given(text: str, answer: int | None) -> None:
    assert said_answer(text) == answer


def test_an_answer_that_nothing_leads_to_is_no_program() -> None:
    assert program_of("2 + 3 = 5\nAnswer: 7", "2 and 3") == ""
    assert program_of("It is clear.\nAnswer: 7", "7") == ""
    assert program_of("2 + 3 = 5, so there are five.", "2 and 3") == "step_a = 2 + 3"


@pytest.mark.parametrize(
    "text", ["= " * 2000, "1 + " * 3000, "(" * 3000, "\\frac{" * 800, "1 = 1" * 900, "9" * 5000]
)
def test_any_text_is_looked_through_quickly(text: str) -> None:
    assert isinstance(program_of(text, text[:500]), str)
