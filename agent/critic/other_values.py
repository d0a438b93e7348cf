"""A value that a statement gives in words, where the evidence gives another in the same place: half for a third.

Found only beside a rival, that is, in a part of a sentence of the evidence which says the same of another value, as
nobody has to give a receipt for "one" or "first".
"""

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction

from crowquill.agent.critic.fault import Fault
from crowquill.agent.critic.passages import Passage, clauses
from crowquill.memory.amounts import SHARE_OFF, Amount, amounts, told
from crowquill.memory.figures import dates
from crowquill.memory.textual import content_words, stem
from crowquill.memory.values import ValueAt, named_months, values
from crowquill.memory.words import MAGNITUDES, NUMBER_WORDS, SCALES

Span = tuple[int, int]
_COUNTING = content_words(" ".join((*NUMBER_WORDS, *SCALES, *MAGNITUDES)))
_LOOSE = Fraction(1, 20)
"""How far a share that is said to be "about" or "nearly" so may be off."""
_SPAN_OFF = Fraction(1, 5)
_NOON = 12 * 60
_DATED = ("month", "weekday", "hour")
_SINGLE = re.compile(r"(?:one|1|an?|single|sole|only|another|одн\w+|один|единственн\w+)\Z", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+")
_IS = re.compile(r"\b(?:is|was|are|were|это|стал\w*|был[аио]?|явля\w+)\b", re.IGNORECASE)
_PART_OF = re.compile(r"\s+(?:of|из)\b|-", re.IGNORECASE)


def find_other_values(
    statement: str, texts: Sequence[str], near: Sequence[Passage]
) -> tuple[list[Fault], list[Span]]:
    """Return the faults, and where the values stand that have a receipt or a fault, so that they need no other."""
    faults: list[Fault] = []
    settled: list[Span] = []
    dated = [(date.start, date.end) for date in dates(statement) if date.day is not None or date.year is not None]
    plain = {amount.start for amount in amounts(statement) if amount.dimension}
    given = [value for text in texts for value in values(text)]
    counted = [amount for text in texts for amount in amounts(text)]
    months = {Fraction(date.month) for text in texts for date in dates(text) if date.month is not None}
    months = months.union(*map(named_months, texts))
    for value in values(statement):
        if value.kind == "span" and value.start in plain:
            continue  # "20 years" is a number with a unit
        if value.kind == "weekday" and sum(other.kind == "weekday" for other in given) > 1:
            continue  # closed on the day that is left over
        if value.kind in ("month", "weekday") and len(_WORD.findall(statement[value.start : value.end])) > 1:
            continue  # what lies between two that are looked at themselves
        if any(start <= value.start < end for start, end in dated) or any(
            start <= value.start and value.end <= end for start, end in settled
        ):
            continue
        if _is_held(value, given, counted) or (value.kind == "month" and value.value in months):
            settled.append((value.start, value.end))
        elif rival := _rival(statement, value, near):
            what = f"no receipt for {statement[value.start : value.end]}; the evidence says {rival}"
            faults.append(Fault("date" if value.kind in _DATED else "number", "contradicts", what))
            settled.append((value.start, value.end))
    return [*faults, *_ones(statement, texts, near)], settled


def _is_held(value: ValueAt, given: Sequence[ValueAt], counted: Sequence[Amount]) -> bool:
    if value.kind == "share":
        percents = [_as_share(amount) for amount in counted if amount.is_percent or 0 < amount.value < 1]
        worded = [other.value for other in given if other.kind == "share"]
        return any(_agree(value, share, Fraction(0)) for share in worded) or any(
            _agree(value, share, Fraction(SHARE_OFF, 100)) for share in percents
        )
    alike = [other for other in given if other.kind == value.kind]
    match value.kind:
        case "hour":
            return any(_same_hour(value, other) for other in alike)
        case "times":
            risen = [1 + amount.value / 100 for amount in counted if amount.is_percent]
            halved = [other.value for other in given if other.kind == "share"]
            found = [*(other.value for other in alike), *risen, *halved, *(2 - rise for rise in risen)]
            return any(_agree(value, other, value.value * Fraction(3, 20)) for other in found)
        case "span":
            if value.bound:
                return any(_agree(value, other.value, Fraction(0)) for other in alike)
            return any(abs(other.value - value.value) <= value.value * _SPAN_OFF for other in alike)
        case "magnitude" if any(value.value <= amount.value < 100 * value.value for amount in counted):
            return True
    return any(other.value == value.value for other in alike)


def _as_share(amount: Amount) -> Fraction:
    return amount.value / 100 if amount.is_percent else amount.value


def _agree(value: ValueAt, given: Fraction, off: Fraction) -> bool:
    if value.bound:
        return given >= value.value if value.bound == "more" else given <= value.value
    return abs(given - value.value) <= (max(off, _LOOSE) if value.is_about else off)


def _same_hour(value: ValueAt, other: ValueAt) -> bool:
    turn = _NOON if value.is_open or other.is_open else 2 * _NOON
    return (value.value - other.value) % turn == 0


def _rival(statement: str, value: ValueAt, near: Sequence[Passage]) -> str:
    """Return what a passage says in the place of a value, "" when none says the same of another."""
    for passage in near:
        others = [other for other in values(passage.text) if other.kind == value.kind]
        places = [(other.start, other.end, other.noun) for other in others]
        if value.kind == "share":
            places += [(amount.start, amount.end, "") for amount in amounts(passage.text) if amount.is_percent]
        for start, end, noun in places:
            same = (
                noun == value.noun if value.kind == "ordinal" else not (noun and value.noun) or noun == value.noun
            )
            if passage.is_prose and same and _say_the_same(statement, (value.start, value.end), passage, start):
                return passage.text[start:end]
    return ""


def _say_the_same(statement: str, span: Span, passage: Passage, at: int) -> bool:
    """Say whether half of the words around a value stand around the rival, too."""
    words = _around(statement, span[0]) - content_words(statement[slice(*span)])
    given = _around(passage.text, at) | content_words(passage.title)
    return 2 * len(words & given) >= len(words) > 0


def _around(text: str, at: int) -> frozenset[str]:
    """Return the words, without numbers, of the part of a sentence in which a place lies."""
    start = 0
    for clause in clauses(text):
        if at < start + len(clause):
            return frozenset(word for word in content_words(clause) if not word[0].isdigit()) - _COUNTING
        start += len(clause)
    return frozenset()


def _ones(statement: str, texts: Sequence[str], near: Sequence[Passage]) -> Iterator[Fault]:
    """Find "one pond" where the evidence counts several, and nowhere a single one."""
    for amount in amounts(statement):
        plain = amount.is_spelled and amount.value == 1 and not (amount.dimension or amount.bound or amount.about)
        if not plain or not amount.noun or _PART_OF.match(statement, amount.end) or _IS.search(statement):
            continue  # "one reason is", "it is one example": one of several
        if any(_has_single(text, amount.noun) for text in texts):
            continue
        if any(other.value == 1 for passage in near for other in amounts(passage.text)):
            continue
        for passage in near:
            rival = next((other for other in amounts(passage.text) if _is_more(amount, other)), None)
            if (
                passage.is_prose
                and rival
                and _say_the_same(statement, (amount.start, amount.end), passage, rival.start)
            ):
                said = told(passage.text, rival)
                yield Fault("number", "contradicts", f"no receipt for {amount.text}; the evidence says {said}")
                break


def _is_more(amount: Amount, other: Amount) -> bool:
    return other.noun == amount.noun and other.value > 1 and not other.is_ordinal and not other.is_percent


def _has_single(text: str, noun: str) -> bool:
    words = _WORD.findall(text)
    return any(
        stem(word.lower()) == noun and any(_SINGLE.match(before) for before in words[max(0, at - 3) : at])
        for at, word in enumerate(words)
    )
