"""What a calculation with quoted numbers does not carry: another unit or thing, the wrong way round, its own operand.

`2850 - 1230` gives kilometres where both numbers are quoted as such, and says which river is the longer one.
"""

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction

from crowquill.agent.critic.closeness import CLOSE, closest
from crowquill.agent.critic.fault import Fault
from crowquill.agent.critic.paraphrase import ALIKE, LIGHT, TELLING
from crowquill.agent.critic.passages import Passage, Segment, segments, stems_of_names
from crowquill.memory.amounts import Amount, amounts
from crowquill.memory.evidence import Computation
from crowquill.memory.figures import numbers
from crowquill.memory.textual import content_words, stem
from crowquill.memory.words import STOP_WORDS

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
_THAN = re.compile(r"\b(?:than|чем)\b", re.IGNORECASE)
_SCALING = re.compile(r"[*/^%×÷·:]|\*\*|sqrt|root", re.IGNORECASE)


def find_miscounts(
    statement: str, computed: Sequence[Computation], among: Sequence[Passage], objective: str
) -> Iterator[Fault]:
    """Find what a statement says of the result of a sum or difference that the quoted operands do not bear out."""
    given = [part for passage in among if passage.is_prose for part in segments(passage.text, passage.title)]
    for item in computed:
        values = {number.value for number in numbers(item.expression)}
        operands = [part for part in given if part.amount.value in values and not part.amount.is_year]
        results = {number.value for number in numbers(item.decimal)}
        stated = [amount for amount in amounts(statement) if amount.value in results - values]
        if not operands or not stated or _SCALING.search(item.expression):
            continue
        yield from _units(stated, operands, item.unit)
        yield from _things(stated, [*(passage.text for passage in among if passage.is_prose), objective])
        yield from _order(statement, operands)
        yield from _of_one(statement, stated, operands, among)


def _units(stated: Sequence[Amount], operands: Sequence[Segment], unit: str) -> Iterator[Fault]:
    measures = {(part.amount.dimension, part.amount.size) for part in operands}
    for amount in stated:
        measured = amount.dimension and all(dimension for dimension, _ in measures) and not unit
        if measured and (amount.dimension, amount.size) not in measures:
            told = ", ".join(dict.fromkeys(part.amount.text for part in operands))
            yield Fault("unit", "contradicts", f"{amount.text} is in another unit than {told}")


def _things(stated: Sequence[Amount], texts: Sequence[str]) -> Iterator[Fault]:
    """Find what is counted, where nothing speaks of that."""
    known = content_words(" ".join(texts))
    for amount in stated:
        noun = amount.noun if amount.kind == amount.noun else ""
        if not noun or noun in _NO_THING or noun in known or ALIKE.get(noun, frozenset()) & known:
            continue
        if closest(noun, sorted(known))[0] < CLOSE:
            yield Fault("added", "adds", f"nothing says what the {amount.text} {noun} are")


_NO_THING = frozenset(map(stem, STOP_WORDS)) | LIGHT | TELLING


def _order(statement: str, operands: Sequence[Segment]) -> Iterator[Fault]:
    """Find a comparison that is the wrong way round: each side is known by words which the other lacks."""
    more, less = _MORE.search(statement), _LESS.search(statement)
    word = more if more is not None else less
    if word is None or (more is not None and less is not None):
        return
    than = _THAN.search(statement, word.end())
    left = content_words(statement[: word.start()])
    right = content_words(statement[than.end() if than is not None else word.end() :])
    sides = [_beside(operands, left - right), _beside(operands, right - left)]
    if len(sides[0]) == len(sides[1]) == 1 and sides[0] != sides[1]:
        (first,), (second,) = sides
        if (first > second) != (more is not None):
            yield Fault("order", "contradicts", f"{word[0]}: the quoted numbers say the opposite")


def _beside(operands: Sequence[Segment], words: frozenset[str]) -> set[Fraction]:
    """Return the operands that stand beside the most of some words."""
    best = max(len(part.words & words) for part in operands)
    return {part.amount.value for part in operands if best and len(part.words & words) == best}


def _of_one(
    statement: str, stated: Sequence[Amount], operands: Sequence[Segment], among: Sequence[Passage]
) -> Iterator[Fault]:
    """Find a difference of two that is given as what the evidence says of one of them, with the same words."""
    wanted = {word for word in content_words(statement) if not word[0].isdigit()}
    names = frozenset[str]().union(*stems_of_names(statement))
    for part in operands:
        others = [other for other in operands if other.amount.value != part.amount.value]
        alike = all((other.words | other.near) - part.words and not names & other.words for other in others)
        same = [amount for amount in stated if amount.kind == part.amount.kind]
        if names and same and others and alike and names <= part.words and wanted <= _words_of(part, among):
            yield Fault("pairing", "contradicts", f"the evidence says {part.amount.text} of that")
            return


def _words_of(part: Segment, among: Sequence[Passage]) -> frozenset[str]:
    holding = [passage.words for passage in among if passage.is_prose and part.amount in amounts(passage.text)]
    return frozenset[str]().union(*holding)
