"""What the result of a calculation with quoted numbers does not carry: another unit, another order, another thing.

`2850 - 1230` gives kilometres where both numbers are quoted as such, and says which river is the longer one.
"""

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction

from crowquill.agent.critic.across import is_across, share_said
from crowquill.agent.critic.fault import Fault
from crowquill.agent.critic.paraphrase import LIGHT, TELLING, stands
from crowquill.agent.critic.passages import Passage, Segment, segments, stems_of_names
from crowquill.memory.amounts import Amount, amounts
from crowquill.memory.evidence import Computation
from crowquill.memory.figures import numbers
from crowquill.memory.textual import content_words

_MORE = re.compile(
    r"\b(?:more|longer|higher|taller|larger|bigger|greater|heavier|older|deeper|wider"
    r"|больше|длиннее|выше|крупнее|тяжелее|старше|глубже|шире)\b",
    re.IGNORECASE,
)
_LESS = re.compile(
    r"\b(?:less|fewer|shorter|lower|smaller|lighter|younger|shallower|narrower"
    r"|меньше|короче|ниже|мельче|легче|моложе|младше)\b",
    re.IGNORECASE,
)
_COUNTED = 3
"""Words behind a number among which is what it counts."""
_THAN = re.compile(r"\b(?:than|чем)\b", re.IGNORECASE)
_SUM = re.compile(r"[\d\s.,()+−-]+")
"""Sums and differences: what is scaled may be in any unit."""


def find_miscounts(
    statement: str, computed: Sequence[Computation], among: Sequence[Passage], objective: str
) -> Iterator[Fault]:
    """Find what a statement says of the result of a sum or difference that the quoted operands do not bear out."""
    given = [part for passage in among if passage.is_prose for part in segments(passage.text, passage.title)]
    text = " ".join([*(passage.text for passage in among if passage.is_prose), objective])
    for item in computed:
        values = {number.value for number in numbers(item.expression)}
        operands = [part for part in given if part.amount.value in values and not part.amount.is_year]
        results = {number.value for number in numbers(item.decimal)}
        stated = [amount for amount in amounts(statement) if amount.value in results - values]
        if not operands or not stated or not _SUM.fullmatch(item.expression):
            continue
        yield from _units(stated, operands, item.unit)
        yield from _things(statement, stated, text)
        yield from _order(statement, operands)
        yield from _of_one(statement, stated, operands, _proper(among))


def _proper(among: Sequence[Passage]) -> frozenset[str]:
    told = [f"{passage.title}. {passage.text}" for passage in among if passage.is_prose]
    return frozenset[str]().union(*(name for text in told for name in stems_of_names(text)))


def _units(stated: Sequence[Amount], operands: Sequence[Segment], unit: str) -> Iterator[Fault]:
    measures = {(part.amount.dimension, part.amount.size) for part in operands}
    for amount in stated:
        measured = (
            amount.dimension not in ("", "degrees") and all(dimension for dimension, _ in measures) and not unit
        )
        if measured and (amount.dimension, amount.size) not in measures:
            told = ", ".join(dict.fromkeys(part.amount.text for part in operands))
            yield Fault("unit", "contradicts", f"{amount.text} is in another unit than {told}")


def _things(statement: str, stated: Sequence[Amount], text: str) -> Iterator[Fault]:
    """Find what is counted, where the text speaks of nothing like it."""
    for amount in stated if not is_across(statement, text) else ():
        phrase = " ".join(re.findall(r"[^\W\d_]+", statement[amount.end :])[:_COUNTED])
        nouns = content_words(phrase) - LIGHT - TELLING
        unknown = amount.noun in nouns and not any(stands(noun, content_words(text)) for noun in nouns)
        if unknown and not share_said(phrase, text):
            yield Fault("added", "adds", f"nothing speaks of what is counted: {amount.text} {phrase}")


def _order(statement: str, operands: Sequence[Segment]) -> Iterator[Fault]:
    """Find a comparison that is the wrong way round: each side is known by words which the other lacks."""
    more, less = _MORE.search(statement), _LESS.search(statement)
    word = more if more is not None else less
    if word is None or (more is not None and less is not None):
        return
    than = _THAN.search(statement, word.end())
    left = content_words(statement[: than.start() if than is not None else word.start()])
    right = content_words(statement[than.end() if than is not None else word.end() :])
    sides = [_beside(operands, left - right), _beside(operands, right - left)]
    if len(sides[0]) == len(sides[1]) == 1 and sides[0] != sides[1]:
        (first,), (second,) = sides
        if (first > second) != (more is not None):
            yield Fault("order", "contradicts", f"{word[0]}: the quoted numbers say the opposite")


def _beside(operands: Sequence[Segment], words: frozenset[str]) -> set[Fraction]:
    """Return the operands, in the base of their units, that stand beside the most of some words."""
    best = max(len(part.words & words) for part in operands)
    return {part.amount.value * part.amount.size for part in operands if best and len(part.words & words) == best}


def _of_one(
    statement: str, stated: Sequence[Amount], operands: Sequence[Segment], proper: frozenset[str]
) -> Iterator[Fault]:
    """Find a result that is given as what the evidence says of one operand, where it says the same of another."""
    for own in segments(statement):
        for part in operands if own.amount in stated and own.words & proper else ():
            others = [other for other in operands if other.words - proper == part.words - proper]
            if own.words <= part.words and any((own.words & proper) - other.words for other in others):
                yield Fault("pairing", "contradicts", f"of that, the evidence says {part.amount.text}")
                return
