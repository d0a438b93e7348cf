"""All of a statement stands in the evidence, but is said of something else. Code only.

Each rule compares with a rival: what the evidence does say that of. Where there is none, nothing is found, as the
statement may only be in other words.
"""

import operator
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from crowquill.agent.critic.fault import Fault
from crowquill.agent.critic.passages import (
    Passage,
    Segment,
    clauses,
    opens_with,
    said_words,
    segments,
    shared_names,
    stems_of_names,
    turns,
)
from crowquill.memory.amounts import Amount, amounts, held
from crowquill.memory.textual import content_words, names, stem, stems

_DIRECTED = re.compile(
    r"\b(?:than|чем)\b|\w+ed\b|\b(?:beat|won|wrote|led|took|made|taught|sold|bought)\b", re.IGNORECASE
)
_BY = re.compile(r"\bby\b", re.IGNORECASE)
_TO = re.compile(r"(?:\s+[^\W\d_]+)?\s*(?:to|against|против|к|[-–—:])\s*", re.IGNORECASE)
"""What stands between the two numbers of a result: "214 votes to 187", "3–1"."""
_OUT_OF = re.compile(r"\s+(?:out\s+)?(?:of|из)\s+(?:the\s+)?", re.IGNORECASE)
_KIN = frozenset(
    stem(word)
    for word in """
    brother sister wife husband son daughter father mother widow cousin uncle aunt nephew niece grandson
    granddaughter grandfather grandmother predecessor successor twin
    брат сестра жена муж сын дочь отец мать вдова дядя тётя племянник племянница внук внучка дед бабушка
    предшественник преемник
    """.split()  # noqa: SIM905
)


def find_misreadings(statement: str, among: Sequence[Passage]) -> Iterator[Fault]:
    """Find what belongs to something else, in each way in which it may."""
    for rule in (_pairing, _cells, _years, _part_for_whole, _relations, _beside_names, _kin):
        yield from rule(statement, among)


# --- numbers ---


def _pairing(statement: str, among: Sequence[Passage]) -> Iterator[Fault]:
    """Find numbers that stand in the evidence, but beside the words of something else.

    A word tells when it stands beside another number of the same kind and nowhere beside this one; the words next
    to the number, and the first word of its part, count double. Where "7 arches" are 7 of something else, and the
    arches are another number, no other word can help.
    """
    given = [part for passage in among if passage.is_prose for part in segments(passage.text, passage.title)]
    computed = [amount for passage in among if not passage.is_prose for amount in amounts(passage.text)]
    stated = amounts(statement)
    for own in segments(statement):
        if held(own.amount, computed):
            continue
        same = [part for part in given if held(own.amount, [part.amount]) not in ("unit", "")]
        rivals = [part for part in given if part not in same and part.amount.kind == own.amount.kind]
        beside = frozenset[str]().union(*(part.words for part in same))
        if any(rival.amount.is_year and held(rival.amount, stated) for rival in rivals):
            continue  # "in 2018, twice as many as in 2016" says the same of both
        lost = _miscounted(own, same) or (own.is_alone and any(_loses(own, beside, rival) for rival in rivals))
        if same and rivals and lost:
            yield Fault("pairing", "misreads", f"{own.amount.text} is said of something else")


def _cells(statement: str, among: Sequence[Passage]) -> Iterator[Fault]:
    """Find numbers of query results that stand in the row of something else.

    A row is known by words that are in some rows only; where the statement has none of them, nothing is found.
    """
    rows = [passage for passage in among if not passage.is_prose and passage.title]
    others = [amount for passage in among if passage not in rows for amount in amounts(passage.text)]
    words = [{word for word in content_words(row.text) if not word[0].isdigit()} for row in rows]
    shared = words[0].intersection(*words) if words else set[str]()
    said = content_words(statement)
    named = [bool((own - shared) & said) for own in words]
    for amount in amounts(statement):
        holding = [held(amount, amounts(row.text)) not in ("", "unit") for row in rows]
        apart = any(named) and any(holding) and not any(map(operator.and_, named, holding))
        if apart and held(amount, others) in ("", "unit"):
            yield Fault("pairing", "misreads", f"{amount.text} stands in the row of something else")


def _miscounted(own: Segment, same: Sequence[Segment]) -> bool:
    """Say whether the evidence counts other things by a number."""
    counted = own.amount.noun if own.amount.kind == own.amount.noun else ""
    return bool(counted) and all(part.amount.noun not in ("", counted) for part in same)


def _loses(own: Segment, beside: frozenset[str], rival: Segment) -> bool:
    """Say whether a rival has more of the words of a number than the places where the number stands."""
    theirs, ours = own.words & rival.words - beside, own.words & beside - rival.words
    lead = _weight(theirs, own) - _weight(ours, own)
    return lead > 0 or (lead == 0 and own.subject in theirs)


def _weight(words: frozenset[str], own: Segment) -> int:
    return sum(2 if word in own.near or word == own.subject else 1 for word in words)


def _years(statement: str, among: Sequence[Passage]) -> Iterator[Fault]:
    """Find an amount that the evidence gives for another year, in the same part of a sentence."""
    stated = amounts(statement)
    years = [amount for amount in stated if amount.is_year]
    if len(years) != 1:
        return
    parts = [part for passage in among if passage.is_prose for part in clauses(passage.text)]
    for own in stated:
        if own.is_year or not own.kind or own.value == 1:
            continue
        holding = [part for part in parts if held(own, amounts(part)) in ("same", "rounded", "converted")]
        dated = [[other.value for other in amounts(part) if other.is_year] for part in holding]
        if dated and all(dated) and not any(years[0].value in found for found in dated):
            yield Fault("pairing", "misreads", f"{own.text} is said of another year than {years[0].text}")


def _part_for_whole(statement: str, among: Sequence[Passage]) -> Iterator[Fault]:
    """Find what is said of a whole, where the evidence says it of a part: "1,840 of 2,300 recovered"."""
    stated = amounts(statement)
    for passage in among:
        for part, whole in pairwise(amounts(passage.text)):
            if not _OUT_OF.fullmatch(passage.text[part.end : whole.start]):
                continue
            own = next((amount for amount in stated if held(amount, [whole]) == "same"), None)
            if own is None or held(own, [part]) or any(held(amount, [part]) for amount in stated):
                continue
            opens = not content_words(statement[: own.start])
            if opens and _said_of(statement, own) & _said_of(passage.text, whole):
                yield Fault("pairing", "misreads", f"{own.text} is the whole, of which {part.text}")


def _said_of(text: str, amount: Amount) -> frozenset[str]:
    return content_words(text[amount.end :]) - {amount.noun}


# --- names ---


def _relations(statement: str, among: Sequence[Passage]) -> Iterator[Fault]:
    """Find two names that the evidence says the same of, but each beside a partner of its own.

    "The Rhine flows through Vienna", where the Danube flows through Vienna and the Rhine through Cologne. A name
    that both have beside them leads from one to the other, and nothing is wrong.
    """
    own = list(dict.fromkeys(stems_of_names(statement)))
    said = content_words(statement).difference(*own)
    places = [_Place.of(turn, passage) for passage in among if passage.is_prose for turn in turns(passage.text)]
    for first, second in pairwise(own):
        if any(first <= place.words and second <= place.words for place in places):
            continue
        at = [place for place in places if first <= place.words and said & place.words]
        to = [place for place in places if second <= place.words and said & place.words]
        partners = [set().union(*(place.names for place in group)) - set(own) for group in (at, to)]
        if all(partners) and not partners[0] & partners[1]:
            yield _of_other(second)


def _of_other(name: frozenset[str]) -> Fault:
    return Fault("pairing", "misreads", f"{' '.join(sorted(name))} is said of something else")


@dataclass(frozen=True, slots=True)
class _Place:
    """A part of a passage: its words and names, with the title of the page where it names nothing at its start."""

    words: frozenset[str]
    names: frozenset[frozenset[str]]

    @classmethod
    def of(cls, turn: str, passage: Passage) -> "_Place":
        found = names(turn, openings=True)
        about = "" if opens_with(turn, found) else f"{passage.title}. "
        return cls(frozenset(stems(about + turn)), frozenset(stems_of_names(about + turn)))


def _beside_names(statement: str, among: Sequence[Passage]) -> Iterator[Fault]:
    """Find a name behind a word that the evidence has before another name: "born in Paris", not in Cardiff."""
    given = [pair for passage in among if passage.is_prose for pair in _leading(passage.text)]
    known = frozenset[str]().union(*stems_of_names(statement))
    for word, name in _leading(statement):
        behind = [other for led, other in given if led == word]
        if behind and any(name <= other for _, other in given) and not any(known & other for other in behind):
            yield _of_other(name)


@lru_cache(maxsize=512)
def _leading(text: str) -> tuple[tuple[str, frozenset[str]], ...]:
    """Return each name inside a part of a sentence, with the word before it, if that counts and is no name."""
    found: list[tuple[str, frozenset[str]]] = []
    for clause in clauses(text):
        given = names(clause, openings=True)
        proper = content_words(" ".join(name.text for name in given))
        for name in given:
            before = [word for word in clause[: name.start].split()[-3:] if content_words(word)]
            if before and before[-1][0].islower() and (led := next(iter(content_words(before[-1])))) not in proper:
                found.append((led, frozenset(stems(name.text))))
    return tuple(found)


def _kin(statement: str, among: Sequence[Passage]) -> Iterator[Fault]:
    """Find what is said of somebody, where the evidence says it of his brother, or the other way round."""
    proper = frozenset[str]().union(*stems_of_names(statement))
    said = {word for word in content_words(statement) - proper - _KIN if not word[0].isdigit()}
    related = bool(_relatives(statement))
    parts = [part for passage in among if passage.is_prose for part in turns(passage.text)]
    alike = [part for part in parts if bool(_relatives(part)) == related]
    others = [content_words(part) for part in parts if part not in alike]
    if any(said & content_words(part) for part in alike):
        return
    telling = [words for words in others if said & words and (related or not proper & words)]
    if telling and (not related or any(_relatives(part) for part in alike)):
        yield Fault("pairing", "misreads", "is said of a relative, or of somebody instead of the relative")


def _relatives(text: str) -> frozenset[str]:
    return frozenset(stems(" ".join(re.findall(r"\b[^\W\d_A-ZА-ЯЁ]+\b", text)))) & _KIN


# --- order ---


def find_swaps(statement: str, near: Sequence[Passage]) -> Iterator[Fault]:
    """Find two names around a verb or a comparison, or two numbers of a result, that have changed places."""
    for passage in near[:1]:
        own, given = (_between(text) for text in (statement, passage.text))
        if own is not None and given is not None and own[0] == given[1] and own[1] == given[0]:
            directed = _DIRECTED.search(own[2]) and said_words(own[2]) & said_words(given[2])
            if directed and (_BY.search(own[2]) is None) == (_BY.search(given[2]) is None):
                yield Fault("order", "misreads", "the two have changed places")
        elif _swapped_results(statement, passage.text) and _same_first(statement, passage.text):
            yield Fault("order", "misreads", "the two numbers have changed places")


def _between(text: str) -> tuple[frozenset[str], frozenset[str], str] | None:
    found = names(text, openings=True)
    if len(found) < 2:
        return None
    first, second = found[0], found[1]
    words = stems_of_names(text)
    return None if words[0] & words[1] else (words[0], words[1], text[first.end : second.start])


def _swapped_results(statement: str, text: str) -> bool:
    own, given = ({pair for pair in _results(each) if pair[0] != pair[1]} for each in (statement, text))
    return any((second, first) in given and (first, second) not in given for first, second in own)


def _results(text: str) -> Iterator[tuple[object, object]]:
    for first, second in pairwise(amounts(text)):
        if _TO.fullmatch(text[first.end : second.start]) and not first.is_year and not second.is_year:
            yield first.value, second.value


def _same_first(statement: str, text: str) -> bool:
    """Say whether the first name that both hold is the same: "Rovers won 3–1" and "United lost 1–3" agree."""
    own, given = shared_names(statement, text)
    return own[:1] == given[:1]
