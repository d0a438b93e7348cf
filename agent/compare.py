"""Questions that compare two things: what is asked of which, and the verdict by code from quotes about each.

A small model that reads about two things at once mixes them up and agrees with the question; asked about one at a
time it copies the right words. So each side is looked at alone, and code draws the conclusion.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Literal

from crowquill.agent.annotate import is_yes_no
from crowquill.agent.critic.grounding import bare_title, searchable
from crowquill.agent.measures import measures
from crowquill.memory.evidence import Evidence, Quote, plain_text
from crowquill.memory.figures import DateAt, dates, numbers
from crowquill.memory.textual import content_words, names
from crowquill.memory.verify import missing_numbers

_BETWEEN = re.compile(r",?\s*(?:(?:and|и)|(?P<choice>or|или))\s+(?:the\s+)?", re.IGNORECASE)
_SAME = re.compile(r"\bthe\s+same\b|\bодн(?:ой|ом|их|ому|ого)\b|\bодинаков", re.IGNORECASE)
_EARLIER = re.compile(r"\b(?:earlier|earliest|first|older|oldest|раньше|старше)\b", re.IGNORECASE)
_LATER = re.compile(
    r"\b(?:later|latest|last|younger|youngest|newer|more\s+recent(?:ly)?|позже|моложе)\b", re.IGNORECASE
)
_MEASURED = re.compile(
    r"\b(?:more|most|less|fewer|higher|lower|larger|longer|bigger|greater|wider|\w+er)\b", re.IGNORECASE
)
_LESS = re.compile(r"\b(?:less|least|fewer|fewest|lower|smaller|shorter|lighter|slower|narrower|shallower)\b", re.I)
_UNIT = re.compile(r"\s*([^\W\d_]+)")
_ADJECTIVE = re.compile(r"\b([A-Z][a-z]+(?:an|sh|ese|ch))\s+(?=[a-z])")
_DEATH = re.compile(r"\b(?:died|dead|death|умер\w*)\b", re.IGNORECASE)
_GENERIC = content_words(
    "type types kind kinds sort form known used use located situated found considered both same one two is are was "
    "were thing things which who what name city"
)
_OF_TIME = content_words(
    "earlier earliest first older oldest later latest last younger youngest newer more recent recently born died"
)
_HELD = 0.5
"""Share of the common words of a condition that the quotes about one side must hold; of names all."""
_CLEARLY = 0.3
"""By how much more of a condition's words one side must hold to be chosen by code."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two things: its name as the question has it, and the numbers (from 1) of the quotes about it."""

    name: str
    quotes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A question about two things: `asked` is the question without them.

    both: does something hold for both? same: do they agree in something? choice: which of the two?
    """

    kind: Literal["both", "same", "choice"]
    sides: tuple[Side, Side]
    asked: str
    question: str

    def alone(self, side: Side) -> str:
        """Return the question asked of one side alone."""
        start = self.question.casefold().index(self.sides[0].name.casefold())
        second = self.sides[1].name
        end = self.question.casefold().index(second.casefold(), start) + len(second)
        return re.sub(r"\bboth\s+", "", self.question[:start] + side.name + self.question[end:])


def comparison(question: str, evidence: Sequence[Evidence]) -> Comparison | None:
    """Return what a question compares, when two things with quotes about each stand in it side by side."""
    quotes = {number: item for number, item in enumerate(evidence, 1) if isinstance(item, Quote)}
    titles = {bare_title(item.source.title) for item in quotes.values()}
    places = _places(question, sorted(titles, key=lambda title: (-len(title), title)))
    places = _places(question, [name.text for name in names(question, openings=True)], places)
    for (start, first_end), (second_start, end) in pairwise(places):
        joint = _BETWEEN.fullmatch(question[first_end:second_start])
        if joint is None:
            continue
        first, second = (
            Side(name, _about(name, quotes)) for name in (question[start:first_end], question[second_start:end])
        )
        choice, verdict = joint["choice"] is not None, is_yes_no(question)
        if not (first.quotes and second.quotes) or not (choice or verdict):
            continue
        asked = f"{question[:start]} {question[end:]}"
        kind: Literal["both", "same", "choice"] = "choice" if choice else "same" if _SAME.search(asked) else "both"
        return Comparison(kind, (first, second), asked, question)
    return None


def _places(
    question: str, candidates: Sequence[str], taken: Sequence[tuple[int, int]] = ()
) -> list[tuple[int, int]]:
    """Return the places taken and those of the candidates in the question, none over another."""
    found = list(taken)
    for name in candidates:
        for match in re.finditer(rf"(?<!\w){re.escape(name)}(?!\w)", question, re.IGNORECASE) if name else ():
            if all(match.end() <= start or end <= match.start() for start, end in found):
                found.append(match.span())
    return sorted(found)


def _about(name: str, quotes: dict[int, Quote]) -> tuple[int, ...]:
    """Return the quotes of pages that are called by the name, else whose title holds it, else which hold it."""
    exact = tuple(
        number for number, item in quotes.items() if bare_title(item.source.title).casefold() == name.casefold()
    )
    held = tuple(number for number, item in quotes.items() if name.casefold() in item.source.title.casefold())
    said = tuple(number for number, item in quotes.items() if name.casefold() in item.text.casefold())
    return exact if exact else held if held else said


def holds(compared: Comparison, side: Side, evidence: Sequence[Evidence]) -> bool:
    """Say whether the quotes about one side hold what is asked: its names, and at least half of its other words."""
    text = _text(side, evidence)
    condition = content_words(compared.asked) - _GENERIC
    proper = content_words(" ".join(name.text for name in names(compared.asked))) & condition
    common, words = condition - proper, content_words(text)
    if not condition or proper - words:
        return False
    return len(common & words) >= _HELD * len(common)


def lacks(compared: Comparison, side: Side, evidence: Sequence[Evidence]) -> bool:
    """Say whether the quotes about one side have another adjective of a name ("Australian") than is asked for.

    A small model that is asked whether an Australian film is American says yes.
    """
    asked = {word.casefold() for word in _ADJECTIVE.findall(compared.asked)}
    text = _text(side, evidence)
    found = {word.casefold() for word in _ADJECTIVE.findall(text)}
    return any(word not in text.casefold() for word in asked) and bool(found - asked)


def agree(compared: Comparison, reasons: tuple[str, str]) -> bool:
    """Say whether what was copied about the two sides names the same value.

    Their first names decide ("American", "Istanbul"), the names of the two things themselves left out; where there
    is none, half of the words of either have to be the same.
    """
    own = content_words(" ".join(side.name for side in compared.sides))
    first, second = ([name for name in _proper(reason) if not name <= own] for reason in reasons)
    if first and second:
        return first[0] == second[0]
    left, right = (content_words(reason) - own - content_words(compared.asked) for reason in reasons)
    return bool(left & right) and len(left & right) >= 0.5 * len(left | right)


def _proper(text: str) -> list[frozenset[str]]:
    return [content_words(name.text) for name in names(text, openings=True)]


def choose(compared: Comparison, evidence: Sequence[Evidence]) -> tuple[Side, tuple[int, int]] | None:
    """Choose one of the two by code, by dates, measures or words; return it with a quote about each, or None.

    Earlier, first and older want the earlier date; later, younger and newer the later one.
    """
    earlier, later = _EARLIER.search(compared.asked), _LATER.search(compared.asked)
    first, second = compared.sides
    if earlier or later:
        words = content_words(compared.asked) - _GENERIC - _OF_TIME
        death = _DEATH.search(compared.asked) is not None
        found = [_dated(side, words, evidence, last=death) for side in compared.sides]
        if found[0] is None or found[1] is None or found[0][0] == found[1][0]:
            return None
        (left, left_at), (right, right_at) = found[0], found[1]
        chosen = first if (left < right) == (earlier is not None) else second
        return chosen, (left_at, right_at)
    if _MEASURED.search(compared.asked):
        return _measured(compared, evidence)
    condition = content_words(compared.asked) - _GENERIC
    shares = [
        len(condition & content_words(_text(side, evidence))) / max(1, len(condition)) for side in compared.sides
    ]
    if abs(shares[0] - shares[1]) < _CLEARLY:
        return None
    best = (best_quote(compared, first, evidence), best_quote(compared, second, evidence))
    return (first if shares[0] > shares[1] else second), best


def _measured(compared: Comparison, evidence: Sequence[Evidence]) -> tuple[Side, tuple[int, int]] | None:
    """Choose by the measures of one dimension that the quotes about each side give."""
    first, second = (
        {found.dimension: found for found in measures(compared.asked, _texts(side, evidence), side.name)}
        for side in compared.sides
    )
    shared = [(left, second[dimension]) for dimension, left in first.items() if dimension in second]
    if len(shared) != 1 or shared[0][0].value == shared[0][1].value:
        return None
    left, right = shared[0]
    chosen = (left.value < right.value) == (_LESS.search(compared.asked) is not None)
    at = (compared.sides[0].quotes[left.text], compared.sides[1].quotes[right.text])
    return compared.sides[0 if chosen else 1], at


def larger(compared: Comparison, sentence: str, evidence: Sequence[Evidence]) -> Side | None:
    """Choose by the numbers of a sentence "A …, while B …" that stand in the quotes about each, in one unit."""
    first, second = compared.sides
    halves = sentence.partition(f", while {second.name}")
    values: list[Fraction] = []
    units: set[str] = set()
    for side, half in ((first, halves[0].removeprefix(first.name)), (second, halves[2])):
        found = numbers(half)
        if not found or missing_numbers(half, [_text(side, evidence)]):
            return None
        unit = _UNIT.match(half, found[0].end)
        values.append(found[0].value)
        units.add(unit[1] if unit is not None else "")
    if len(units) > 1 or values[0] == values[1] or not _MEASURED.search(compared.asked):
        return None
    return first if (values[0] < values[1]) == (_LESS.search(compared.asked) is not None) else second


def _dated(
    side: Side, words: frozenset[str], evidence: Sequence[Evidence], *, last: bool
) -> tuple[tuple[int, int, int], int] | None:
    """Return the first (or second, of a death) date of a side, and the quote that holds it.

    Of the quotes with most words of the question ("founded", "opened") it is the earliest date, as what was opened
    may have been opened again; where none has any, that of the page's first line that has one ("born in …").
    """
    dated: list[tuple[int, tuple[int, int, int], int]] = []
    for number in sorted(side.quotes, key=lambda number: _nearness(frozenset(), evidence[number - 1])):
        text = searchable(evidence[number - 1])
        found = [_moment(date) for date in dates(text) if date.year is not None]
        found = found if found else [(int(at.value), 0, 0) for at in numbers(text) if at.is_year]
        if len(found) > last:
            dated.append((len(words & content_words(text)), found[1 if last else 0], number))
    most = max((shared for shared, _, _ in dated), default=0)
    nearest = [(moment, number) for shared, moment, number in dated if shared == most]
    return (min(nearest) if most else nearest[0]) if nearest else None


def _moment(date: DateAt) -> tuple[int, int, int]:
    return tuple(0 if part is None else part for part in (date.year, date.month, date.day))  # type: ignore[return-value]


def best_quote(compared: Comparison, side: Side, evidence: Sequence[Evidence], reason: str = "") -> int:
    """Return the quote about a side that holds most words of what is asked (or of a reason), then the first."""
    wanted = content_words(reason if reason else compared.asked) - _GENERIC

    return min(side.quotes, key=lambda number: _nearness(wanted, evidence[number - 1]))


def _nearness(words: frozenset[str], item: Evidence) -> tuple[int, int]:
    """Order quotes: most of the words first, then the first on the page."""
    return -len(words & content_words(searchable(item))), item.lines[0] if isinstance(item, Quote) else 0


def _text(side: Side, evidence: Sequence[Evidence]) -> str:
    return " ".join(searchable(evidence[number - 1]) for number in side.quotes)


def _texts(side: Side, evidence: Sequence[Evidence]) -> list[str]:
    return [plain_text(evidence[number - 1]) for number in side.quotes]
