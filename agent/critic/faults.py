"""What is wrong with a statement, held against the evidence that it cites. Code only; each finding can be shown.

A finding *contradicts* when the evidence says something else in that place, *misreads* when all of it stands there
but belongs to something else, *adds* when it does not stand there at all.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction

from crowquill.agent.critic.across import is_across
from crowquill.agent.critic.closeness import says_alike
from crowquill.agent.critic.fault import Fault
from crowquill.agent.critic.misreadings import find_misreadings, find_swaps
from crowquill.agent.critic.opposites import COMPARED, OPPOSITES, polarity
from crowquill.agent.critic.other_values import find_other_values
from crowquill.agent.critic.paraphrase import ALIKE
from crowquill.agent.critic.passages import Passage, aligned, shared_names, stems_of_names
from crowquill.memory.amounts import Amount, amounts, held, told
from crowquill.memory.figures import slashed_dates
from crowquill.memory.textual import content_words, dates, names, stem
from crowquill.memory.unit_words import UNITS
from crowquill.memory.values import shares
from crowquill.memory.verify import missing_dates, missing_names
from crowquill.memory.words import NUMBER_WORDS, SCALES

NONE, SOME, MANY = 0.25, 0.6, 3
"""When a part of a statement was added: of its words at most NONE stand in the evidence, or at most SOME where MANY
are missing. Set by bench/critic.py on its tuning half."""
_MEASURES = frozenset(stem(word) for word in (*UNITS, *SCALES, *NUMBER_WORDS, "половина", "half"))
_PART = re.compile(
    r"[,;]\s+|\s+(?:and|which|who|that|because|и|а|но|который|которая|которое|потому что|так как)\s+", re.IGNORECASE
)


def find_faults(statement: str, texts: Sequence[str], among: Sequence[Passage], objective: str) -> list[Fault]:
    """Return what is wrong with a statement; `texts` are the cited evidence whole, `among` its passages.

    Names that the objective itself uses need no receipt; numbers always do. Of a statement in another alphabet than
    its evidence only the numbers can be checked.
    """
    near = aligned(statement, among)
    found = [*_numbers(statement, texts, near), *_dates(statement, texts, near)]
    if is_across(statement, " ".join(texts)):
        return found
    found += _names(statement, texts, near, objective)
    if not found:
        found = list(find_misreadings(statement, among))
    if not found and all(passage.is_prose for passage in among):
        found = list(_added(statement, texts, [passage.text for passage in among], objective))
    return [*found, *_polarity(statement, near), *find_swaps(statement, near)]


# --- numbers, dates, names ---


def number_faults(statement: str, texts: Sequence[str]) -> list[Fault]:
    """Return the numbers of a statement without a receipt, in the order in which they stand."""
    return list(_numbers(statement, texts, ()))


def _numbers(statement: str, texts: Sequence[str], near: Sequence[Passage]) -> Iterator[Fault]:
    given = [amount for text in texts for amount in (*amounts(text), *_of_dates(text))]
    parts = [share for text in texts for share in shares(text)]
    faults, spans = find_other_values(statement, texts, near)
    yield from faults
    spans += [(date.start, date.end) for date in dates(statement)]
    for amount in amounts(statement):
        if any(start <= amount.start < end for start, end in spans):
            continue  # a date is looked at as a whole, as is "six in ten"
        if amount.is_spelled and amount.value == 1 and not amount.dimension:
            continue
        way = held(amount, given, parts)
        if way == "unit":
            said = next((told(p.text, o) for p in near for o in amounts(p.text) if o.value == amount.value), "")
            also = f"; the evidence says {said}" if said else ""
            yield Fault("unit", "contradicts", f"no receipt for {told(statement, amount)}{also}")
        elif not way:
            other = _instead(amount, near)
            also = f"; the evidence says {other}" if other else ""
            yield Fault("number", "contradicts" if other else "adds", f"no receipt for {amount.text}{also}")


def _of_dates(text: str) -> Iterator[Amount]:
    for date in dates(text):
        for part in (date.year, date.month, date.day):
            if part is not None:
                yield Amount(Fraction(part), date.start, date.end, text=str(part))


def _instead(amount: Amount, near: Sequence[Passage]) -> str:
    """Return what the passages that a statement is about give in the place of an amount, "" when nothing."""
    for passage in near:
        for other in amounts(passage.text):
            if other.kind == amount.kind and (amount.kind or not other.dimension):
                return told(passage.text, other)
    return ""


def _dates(statement: str, texts: Sequence[str], near: Sequence[Passage]) -> Iterator[Fault]:
    for date in missing_dates(statement, texts):
        dated = any(dates(passage.text) or slashed_dates(passage.text) for passage in near)
        yield Fault("date", "contradicts" if dated else "adds", f"no receipt for {date}")


def _names(statement: str, texts: Sequence[str], near: Sequence[Passage], objective: str) -> Iterator[Fault]:
    said = set().union(*stems_of_names(statement), *stems_of_names(objective))
    for name in missing_names(statement, [*texts, objective]):
        others = [other for passage in near for other in stems_of_names(passage.text) if not other & said]
        yield Fault("name", "contradicts" if others else "adds", f"no receipt for {name}")


# --- the opposite ---


def _polarity(statement: str, near: Sequence[Passage]) -> Iterator[Fault]:
    """Find a word that is denied on one side only, or that is the opposite of what stands there.

    Where a word is denied on both sides, the two agree. Only passages count that hold the statement's numbers.
    """
    wanted = amounts(statement)
    holding = [passage for passage in near if any(held(amount, amounts(passage.text)) for amount in wanted)]
    near = holding if holding else near
    if not near:
        return
    said, given = polarity(statement), _joined(polarity(passage.text) for passage in near)
    proper = set().union(*stems_of_names(statement))
    shared = [word for word in said if word in given and word not in proper]
    denied_alike = any(True in said[word] & given[word] for word in shared)
    if not denied_alike and any(not said[word] & given[word] for word in shared):
        yield Fault("negation", "contradicts", "says the opposite: one of the two denies it")
        return
    for word in said:
        for table in (OPPOSITES, COMPARED):
            other = next((other for other in table.get(word, ()) if other in given and other not in said), None)
            if other is None or word in given or (table is COMPARED and not _same_order(statement, near[0].text)):
                continue
            if said[word] & given[other]:
                yield Fault("opposite", "contradicts", f"says the opposite: {word}, where the evidence has {other}")
                return


def _joined(maps: Iterable[dict[str, set[bool]]]) -> dict[str, set[bool]]:
    found: dict[str, set[bool]] = {}
    for single in maps:
        for word, ways in single.items():
            found.setdefault(word, set()).update(ways)
    return found


def _same_order(statement: str, text: str) -> bool:
    """Say whether the names that both hold come in the same order in both."""
    own, given = shared_names(statement, text)
    return own == given


# --- what was added ---


def _added(statement: str, texts: Sequence[str], passages: Sequence[str], objective: str) -> Iterator[Fault]:
    """Find the first part of a statement whose words do not stand in the evidence.

    Nearly none of two, unless a passage says alike, or at least three and many of them: what was added to
    a part does not take it far away. Names and numbers are looked at elsewhere.
    """
    known = content_words(" ".join([*texts, objective]))
    for part in _PART.split(statement):
        proper = content_words(" ".join(name.text for name in names(part, openings=True)))
        own = [
            word
            for word in content_words(part)
            if word[0].isalpha() and word not in proper and word not in _MEASURES
        ]
        unseen = [word for word in own if not _stands(word, known)]
        alone = len(own) >= 2 and len(unseen) >= (1 - NONE) * len(own)
        many = len(unseen) >= MANY and len(unseen) >= (1 - SOME) * len(own)
        if many or (alone and not says_alike(part, passages)):
            yield Fault("added", "adds", f"nothing says “{part.strip(' .,;')}”")
            return


def _stands(word: str, known: frozenset[str]) -> bool:
    """Say whether a stem stands among others, or one that says the same, or its first two thirds (four letters)."""
    if word in known or ALIKE.get(word, frozenset()) & known:
        return True
    root = word[: max(4, len(word) * 2 // 3)]
    return len(word) > 4 and any(other.startswith(root) for other in known)
