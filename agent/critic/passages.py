"""Passages of the evidence that are as long as a statement, and which of them a statement is about."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from crowquill.memory.amounts import Amount, amounts
from crowquill.memory.evidence import Evidence, Quote, Table, plain_text
from crowquill.memory.textual import NameAt, content_words, fold, names, split_sentences, stem
from crowquill.memory.unit_words import UNITS
from crowquill.memory.words import NUMBER_WORDS, SCALES

_COLON = r":\s+(?-i:(?![A-ZА-ЯЁ]))"
"""A colon that does not stand before a subtitle."""
_TURN = re.compile(
    rf";|{_COLON}|,?\s+\b(?:while|whereas|but)\b|,\s+(?:and|а|но|и)\b|\s+\b(?:тогда как|в то время как)\b",
    re.IGNORECASE,
)
_SPLIT = re.compile(rf"\s+(?:and|и)\s+|,\s+|\s*[;()]\s*|{_COLON}|\s+(?:while|whereas|but|а|но)\s+", re.IGNORECASE)
OPENING = 12
"""Characters within which a part of a sentence names what it is about."""
_MEASURES = frozenset(stem(word) for word in (*UNITS, *SCALES, *NUMBER_WORDS))
_PRONOUN = re.compile(r"(?:it|its|he|his|she|her|they|their|он|его|она|её|ее|они|их|оно)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Passage:
    """A sentence of the evidence, with the title of its page; rows and computations are no prose."""

    text: str
    title: str
    is_prose: bool = True

    @property
    def words(self) -> frozenset[str]:
        """The stems of its content words, those of the title included."""
        return content_words(f"{self.title}. {self.text}")


@lru_cache(maxsize=512)
def _sentences(text: str, title: str) -> tuple[Passage, ...]:
    return tuple(Passage(text[start:end], title) for start, end in split_sentences(text))


def passages(evidence: Sequence[Evidence]) -> list[Passage]:
    """Return the sentences of quotes, the rows of tables, and computations as they are written."""
    found: list[Passage] = []
    for item in evidence:
        match item:
            case Quote():
                found += _sentences(item.text, item.source.title)
            case Table():
                head = " ".join(item.columns)
                found += [Passage(" | ".join(map(str, row)), head, False) for row in item.rows]
            case _:
                found.append(Passage(plain_text(item), "", False))
    return found


def aligned(statement: str, among: Sequence[Passage], share: float = 0.6) -> list[Passage]:
    """Return the passages a statement is about: most words in common, and those with nearly as many, best first.

    Names and long words count double, numbers not at all, as they are what is checked.
    """
    wanted = {word for word in content_words(statement) if not word[0].isdigit()}
    proper = content_words(" ".join(name.text for name in names(statement)))
    scored = [
        (sum(2.0 if word in proper else 1.0 for word in wanted & passage.words), passage) for passage in among
    ]
    best = max((score for score, _ in scored), default=0.0)
    near = [(score, passage) for score, passage in scored if score > 0 and score >= share * best]
    return [passage for _, passage in sorted(near, key=lambda pair: -pair[0])]


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a sentence around an amount: the words that belong to it, and those next to it.

    Numbers, their scales and units are no words here. `subject` is the first word of the part.
    """

    amount: Amount
    words: frozenset[str]
    near: frozenset[str]
    subject: str
    is_alone: bool


@lru_cache(maxsize=512)
def segments(text: str, title: str = "") -> tuple[Segment, ...]:
    """Split a sentence at commas and conjunctions, and return its parts around each amount.

    A part that begins without a name of its own is about what the part before is about, the first about the title;
    one that is hardly more than a number ("between 2 and 3") shares the words of the part before, or at the
    beginning ("In 2018, ...") of the part behind.
    """
    found: list[Segment] = []
    about, before = content_words(title), frozenset[str]()
    parts = clauses(text)
    for at, clause in enumerate(parts):
        own = names(clause, openings=True)
        about = content_words(own[0].text) if opens_with(clause, own) else about
        bare, given = said_words(clause), amounts(clause)
        words = bare | about
        if at == 0 and not bare:
            words |= said_words(parts[1]) if len(parts) > 1 else bare
        elif len(bare) <= 1 and given:
            words |= before
        before = words
        first = next((word for token in clause.split() for word in said_words(token)), "")
        for amount in given:
            alone = [other.kind for other in given].count(amount.kind) == 1
            found.append(Segment(amount, words, _beside(clause, amount), first, alone))
    return tuple(found)


def opens_with(clause: str, found: Sequence[NameAt]) -> bool:
    """Say whether a part of a sentence begins with what it is about: a name, before any other word that counts."""
    if not found or _PRONOUN.match(clause.lstrip(" ,;")):
        return False
    return found[0].start <= OPENING and not content_words(clause[: found[0].start])


def said_words(text: str) -> frozenset[str]:
    """Return the stems of the words of a text, numbers, their scales and units aside."""
    return frozenset(word for word in content_words(text) if not word[0].isdigit() and word not in _MEASURES)


def _beside(clause: str, amount: Amount) -> frozenset[str]:
    """Return the nearest word on either side of an amount."""
    found = frozenset[str]()
    for words in (reversed(clause[: amount.start].split()), clause[amount.end :].split()):
        found |= next((near for word in words if (near := said_words(word))), frozenset[str]())
    return found


def clauses(text: str) -> list[str]:
    """Split a sentence at commas, conjunctions, semicolons and brackets."""
    starts = [0, *(match.start() for match in _SPLIT.finditer(text)), len(text)]
    return [text[start:end] for start, end in pairwise(starts)]


def turns(text: str) -> list[str]:
    """Split a sentence where it turns to something else: "while", "whereas", "but", a semicolon."""
    return [part for part in _TURN.split(text) if part.strip()]


@lru_cache(maxsize=512)
def stems_of_names(text: str) -> tuple[frozenset[str], ...]:
    """Return the names of a text, each as its stems."""
    return tuple(
        frozenset(stem(word.lower()) for word in re.findall(r"[^\W_]+", name.text))
        for name in names(text, openings=True)
    )


def shared_names(statement: str, text: str) -> tuple[list[str], list[str]]:
    """Return the names of a statement that a text holds, too, in the order of the one and of the other."""
    folded, quoted = fold(statement).casefold(), fold(text).casefold()
    own = (fold(name.text).casefold() for name in names(statement, openings=True))
    shared = list(dict.fromkeys(name for name in own if name in quoted))
    return sorted(shared, key=folded.index), sorted(shared, key=quoted.index)
