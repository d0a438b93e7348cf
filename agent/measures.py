"""Measures in quotes: which of their numbers is the weight, length, time or area that a question compares."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from crowquill.memory.textual import content_words, numbers

if TYPE_CHECKING:
    from pint import UnitRegistry

_KINDS: tuple[tuple[re.Pattern[str], tuple[str, ...], str], ...] = tuple(
    (re.compile(rf"\b(?:{comparatives})\b", re.IGNORECASE), dimensions, words)
    for comparatives, dimensions, words in (
        ("heavier|heaviest|lighter|lightest|weighs?", ("[mass]",), "heavy weigh weighs weight mass"),
        ("longer|longest|shorter|shortest", ("[length]", "[time]"), "long length lasts runs running"),
        ("taller|tallest|higher|highest", ("[length]",), "tall high height elevation"),
        ("deeper|deepest|shallower", ("[length]",), "deep depth"),
        ("wider|widest|narrower", ("[length]",), "wide width"),
        ("larger|largest|bigger|biggest|smaller|smallest", ("[length] ** 2",), "area covers large size"),
    )
)
"""What a comparative asks for: the dimensions its measure may have, and words that stand with the right number."""
_UNIT = re.compile(r"[\s-]{0,2}((?:square |cubic )?[^\W\d_]{1,20})")
_UNITS = re.compile(
    r"(?:milligram|gram|kilogram|metric_ton|ton|pound|ounce|stone|(?:milli|centi|kilo)?meter|foot|inch|yard|"
    r"(?:nautical_)?mile|second|minute|hour|day|hectare|acre)(?: \*\* 2)?"
)
"""Units that people compare things in; a registry of all units takes "has" for hectoarcseconds."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure in base units of the SI; `text` is the place (from 0) of the text that gives it."""

    value: float
    dimension: str
    text: int


def measure_words(asked: str) -> str:
    """Return words that stand with the measure that is asked for ("weigh weight"), none when no measure is."""
    return " ".join(words for comparative, _, words in _KINDS if comparative.search(asked))


def measures(asked: str, texts: Sequence[str], about: str = "") -> list[Measure]:
    """Return what the texts give as the measure that is asked for, at most one of each possible dimension.

    It is the first that stands with a word for it ("weighs", "high"), in a text that names what it is `about` if
    one does; without such a word it has to be the only one.
    """
    found: list[Measure] = []
    for comparative, dimensions, words in _KINDS if texts else ():
        if not comparative.search(asked):
            continue
        for dimension in dimensions:
            given = [(measure, text) for measure, text in _given(texts) if measure.dimension == dimension]
            named = [measure for measure, text in given if content_words(text) & content_words(words)]
            named.sort(key=lambda measure: not content_words(about) <= content_words(texts[measure.text]))
            only = len({measure.value for measure, _ in given}) == 1
            if named or only:
                found.append(named[0] if named else given[0][0])
    return found


def _given(texts: Sequence[str]) -> list[tuple[Measure, str]]:
    found: list[tuple[Measure, str]] = []
    for place, text in enumerate(texts):
        for number in numbers(text):
            unit = _UNIT.match(text, number.end)
            known = None if unit is None or unit[1] == "in" else _unit(unit[1])  # "in" is hardly ever an inch
            if known is not None:
                found.append((Measure(float(number.value) * known[0], known[1], place), text))
    return found


@cache
def _registry() -> "UnitRegistry[float]":
    from pint import UnitRegistry  # half a second: only when measures are compared

    return UnitRegistry()


@cache
def _unit(word: str) -> tuple[float, str] | None:
    """Return the factor to SI base units and the dimension of a unit, None when the word is none."""
    from pint.errors import PintError

    try:
        unit = _registry().Quantity(1.0, word)
    except PintError:
        return None
    if not _UNITS.fullmatch(str(unit.units)):
        return None
    base = unit.to_base_units()
    return float(base.magnitude), str(base.dimensionality)
