"""Calculations that a model has written while it reasoned, as a program that computes them again.

A small model reasons best in free words, and is right about what to calculate more often than about the result. So
its words are only looked through for equations such as `3 * 12 = 36`: each left side becomes a named step, and a
number that was the result of an earlier step stands for that step. What it gave as a result is not used.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from crowquill.memory.textual import numbers

_LATEX = re.compile(r"\\(?:text|mathrm|boxed|textbf|mathbf)\s*\{([^{}]*)\}")
_FRACTION = re.compile(r"\\d?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}")
_SIGNS = str.maketrans(
    {"×": "*", "·": "*", "÷": "/", "−": "-", "–": "-", "$": " ", "€": " ", "£": " ", "{": "(", "}": ")"}
)
_COMMANDS = {
    r"\(": " ",
    r"\)": " ",
    r"\[": " ",
    r"\]": " ",
    r"\times": "*",
    r"\cdot": "*",
    r"\div": "/",
    r"\%": "%",
    r"\approx": "=",
    "≈": "=",
}
_ITEM = re.compile(r"^\s*\d{1,2}[.)]\s+", re.MULTILINE)
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}\b)")
_TIMES = re.compile(r"(?<=[\d)\s])x(?=[\s\d(])")
_PER_WORD = re.compile(r"\s*/\s*[A-Za-z][A-Za-z ]*")
_WORD = re.compile(r"\\?[A-Za-z]+|[#*_`]{2,}|\\")
_CALCULATED = frozenset("0123456789. ()+*/%-")
_RESULT = re.compile(r"\s*(-?\s*(?:\d+(?:\.\d+)?|\.\d+))\s*%?(?!\s*[+*/\d-]|\.\d)")
_GAP = re.compile(r"(?<=[\d)%]) (?=[\d(.])")  # a word stood there, as in "40% of 50 is 40/100 * 50"
_OPERATION = re.compile(r"[\d)%]\s*[+*/-]\s*[\d(.]")
_NUMBER = re.compile(r"\d+(?:\.\d+)?|\.\d+")
_ANSWER = re.compile(r"answer\W+(?:is\W+)?(.*)|\\boxed\s*\{([^{}]*)\}", re.IGNORECASE)
_MAX_STEPS, _LONGEST = 24, 6000


@dataclass(frozen=True, slots=True)
class Step:
    """An equation of the reasoning: the left side as it was written, and what was said to come out."""

    left: str
    said: Fraction


def steps_in(text: str) -> list[Step]:
    """Return the equations of a text, in order."""
    found = []
    for line in _plain(text[:_LONGEST]).splitlines():
        sides = line.split("=")
        for before, after in pairwise(sides):
            left, result = _calculation_at_end(before), _RESULT.match(after)
            if result is not None and left.count("(") == left.count(")") and _OPERATION.search(left):
                found.append(Step(left, Fraction(result[1].replace(" ", ""))))
    return found[:_MAX_STEPS]


def _calculation_at_end(text: str) -> str:
    """Return the calculation with which a text ends, empty when it ends with something else."""
    start = len(text)
    while start and text[start - 1] in _CALCULATED:
        start -= 1
    last = _GAP.split(" ".join(text[start:].split()))[-1]
    return re.sub(r"^[ .*/+%]+|^- |[ .*/+%-]+$", "", last)


def said_answer(text: str) -> Fraction | None:
    """Return the number that a text gives as its answer, None when it gives none."""
    for found in reversed(list(_ANSWER.finditer(text))):
        if given := numbers(_plain(found[1] if found[1] is not None else found[2])):
            return given[0].value
    return None


def program_of(text: str, question: str) -> str:
    """Return the steps that lead to the answer of a reasoning, as assignments; empty when they do not.

    The last step is the one whose result was given as the answer, or the last of all where none was given.
    """
    steps, answer = steps_in(text), said_answer(text)
    last = next((at for at in reversed(range(len(steps))) if answer in (steps[at].said, None)), None)
    if last is None:
        return ""
    given = {number.value for number in numbers(question)}
    lefts, uses = [], []
    for at, step in enumerate(steps[: last + 1]):
        left, used = _linked(step.left, steps[:at], given)
        lefts.append(left)
        uses.append(used)
    needed = {last}
    for at in range(last, -1, -1):
        if at in needed:
            needed |= uses[at]
    return "; ".join(f"{_name(at)} = {lefts[at]}" for at in sorted(needed))


def _linked(left: str, before: Sequence[Step], given: set[Fraction]) -> tuple[str, set[int]]:
    """Put the names of earlier steps where their results stand, unless the question gives that number."""
    used: set[int] = set()

    def link(found: re.Match[str]) -> str:
        value = Fraction(found[0])
        at = next((at for at in reversed(range(len(before))) if before[at].said == value), None)
        if at is None or value in given:
            return found[0]
        used.add(at)
        return _name(at)

    return _NUMBER.sub(link, left), used


def _name(at: int) -> str:
    return "step_" + "abcdefghijklmnopqrstuvwxyz"[at]


def _plain(text: str) -> str:
    """Return a text without markup, units and words, so that only calculations are left of its lines."""
    for _ in range(3):
        text = _LATEX.sub(r"\1", text)
    text = _FRACTION.sub(r"((\1)/(\2))", text)
    for command, sign in _COMMANDS.items():
        text = text.replace(command, sign)
    text = _THOUSANDS.sub("", text.translate(_SIGNS))
    text = _TIMES.sub("*", _ITEM.sub("", text))
    return _WORD.sub(" ", _PER_WORD.sub(" ", text))
