"""In whose place a name stands: "by [Mark Twain]", where the evidence has "by [William Shakespeare]".

A statement may name its subject with the words of the question alone, as quotes often say "it". What the question
brings must not stand where the evidence names something else, though: so an opinion would be its own receipt.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from crowquill.agent.critic.closeness import CLOSE, closest
from crowquill.agent.critic.paraphrase import ALIKE
from crowquill.agent.critic.passages import Passage, clauses
from crowquill.memory.textual import NameAt, content_words, names, stems

_IS = re.compile(r"\b(?:is|was|are|were|be|been|being|это|является|являются|был[аио]?)\b|\s[-–—]\s", re.IGNORECASE)
_BY = re.compile(r"\bby\s+(?:the\s+)?\W*\Z", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_How = Literal["is", "does", "behind"]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a name stands: the nearest word that counts (its stem), and how the two are joined.

    *is*: by a form of "to be"; *does*: the name does the word ("X wrote", "written by X"); else it stands behind.
    """

    name: str
    stems: frozenset[str]
    word: str
    how: _How


def rival(name: str, statement: str, near: Sequence[Passage]) -> str:
    """Return the name that passages have in the place of one of a statement's, "" when there is none."""
    own = _places(statement)
    wanted = frozenset(stems(name))
    said = content_words(statement)
    others = frozenset[str]().union(*(place.stems for place in own)) - wanted
    for place in own:
        if place.stems != wanted or any(_alike(place, other) for other in own if other.stems != wanted):
            continue  # where two names of the statement share a place, the other may be the one that is meant
        for passage in near:
            if not passage.is_prose or not others & passage.words:
                continue  # of what else? "America", where the quote has "the United States"
            for other in _places(passage.text):
                if _alike(place, other) and not other.stems & said and not _is_alias(name, other.name):
                    return other.name
    return ""


def _alike(place: _Place, other: _Place) -> bool:
    same = place.word == other.word or place.word in ALIKE.get(other.word, frozenset())
    return same and place.how == other.how


def _is_alias(name: str, other: str) -> bool:
    """Say whether two names may be of one: "the US" and "the United States", "Holland" and "the Netherlands"."""
    for short, long in ((name, other), (other, name)):
        initials = "".join(word[0] for word in _WORD.findall(long))
        letters = short.replace(".", "")
        if len(initials) > 1 and letters.isupper() and letters.startswith(initials):
            return True
    return closest(name, [other])[0] >= CLOSE


@lru_cache(maxsize=512)
def _places(text: str) -> tuple[_Place, ...]:
    return tuple(place for clause in clauses(text) for place in _of_clause(clause))


def _of_clause(clause: str) -> Iterator[_Place]:
    """Find the word before each name, and the one behind a name with which a part of a sentence begins."""
    found = names(clause, openings=True)
    words = [
        (word.start(), word.end(), next(iter(content_words(word[0]))))
        for word in _WORD.finditer(clause)
        if content_words(word[0]) and not any(name.start <= word.start() < name.end for name in found)
    ]
    for name in found:
        before = [(end, word) for _, end, word in words if end <= name.start]
        behind = [(start, word) for start, _, word in words if start >= name.end]
        if before:
            end, word = before[-1]
            yield _place(name, word, clause[end : name.start])
        elif behind:
            start, word = behind[0]
            joined = _IS.search(clause[name.end : start])
            yield _Place(name.text, frozenset(stems(name.text)), word, "is" if joined else "does")


def _place(name: NameAt, word: str, between: str) -> _Place:
    how: _How = "is" if _IS.search(between) else "does" if _BY.search(between) else "behind"
    return _Place(name.text, frozenset(stems(name.text)), word, how)
