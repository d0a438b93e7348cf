"""When two records say the same, and when they say different things about the same. Code, and never fuzzy.

A bag of words cannot tell "from Paris to Lyon" from "to Lyon from Paris", nor a similarity "12.5 %" from "125 %":
records are the same only when all their words are, in order, and their figures have the same values.
"""

import re
from collections.abc import Sequence

from crowquill.memory.evidence import Quote, digest
from crowquill.memory.record import Content
from crowquill.memory.textual import content_words, names, numbers, stem, stems

_OVERLAP = 0.8
"""Share of the longer of two spans of one page that the shorter must cover to be the same."""
_SAME_THING = 0.5
"""Share of their words (all but the figures) that two statements must have in common to be about the same thing."""
_YEAR = "year"
_UNIT = re.compile(r"[\s\u00a0\u202f-]*([^\W\d_]+|[%°€$£])")


def gist(text: str) -> str:
    """Return what texts share that differ in typography, case, punctuation and endings alone."""
    values = [f"{number.value}{'%' * number.is_percent}" for number in numbers(text)]
    return digest("\x1f".join([*stems(text), "", *values]))[:24]


def subject(text: str) -> str | None:
    """Return the names and the unit of a statement with one figure, None when it is of another shape.

    Two such statements with one subject and different figures may contradict each other.
    """
    figure = _only_figure(text)
    called = sorted({stem(name.text.lower()) for name in names(text, openings=True)})
    if figure is None or not called:
        return None
    return digest("\x1f".join([*called, "", figure[1]]))[:24]


def differs(text: str, other: str) -> bool:
    """Say whether two statements of one `subject` give different values of what seems to be the same thing."""
    ours, theirs = _only_figure(text), _only_figure(other)
    if ours is None or theirs is None or ours[0] == theirs[0]:
        return False
    words, others = _wordy(text), _wordy(other)
    if ours[1] == _YEAR:  # a unit says what is measured, a year does not say what happened
        called = {word for name in names(text, openings=True) for word in content_words(name.text)}
        words, others = words - called, others - called
    return len(words & others) >= _SAME_THING * len(words | others)


def _only_figure(text: str) -> tuple[str, str] | None:
    """Return value and unit of the one figure of a text; years are no figures unless they stand alone."""
    found = [number for number in numbers(text) if not (number.is_spelled and number.value == 1)]
    figures = [number for number in found if not number.is_year] or found
    if len({number.value for number in figures}) != 1:
        return None
    figure = figures[0]
    unit = _UNIT.match(text, figure.end)
    kind = _YEAR if figure.is_year else stem(unit[1].lower()) if unit is not None else ""
    return f"{figure.value}{'%' * figure.is_percent}", kind


def _wordy(text: str) -> frozenset[str]:
    return frozenset(word for word in content_words(text) if not word[0].isdigit())


def same_place(quote: Content, other: Content) -> bool:
    """Say whether two quotes are nearly the same span of one snapshot."""
    if not isinstance(quote, Quote) or not isinstance(other, Quote) or quote.source.sha256 != other.source.sha256:
        return False
    shared = min(quote.end, other.end) - max(quote.start, other.start)
    return shared >= _OVERLAP * max(quote.end - quote.start, other.end - other.start)


def contradicting(text: str, others: Sequence[tuple[int, str]]) -> list[int]:
    """Return the numbers of those texts that give another value than `text`."""
    return [number for number, other in others if differs(text, other)]
