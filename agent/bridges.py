"""Questions of two steps: the thing that is only described, and the question that is left once its name is known.

"What position was held by the woman who played Ada Fell?" asks about whoever that is; once a page has brought her
name up, what is left is "What position was held by Jane Roe?", which a small model can read off her page.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from crowquill.agent.critic.grounding import is_called, title_words
from crowquill.memory.evidence import Evidence, Quote
from crowquill.memory.textual import content_words, names
from crowquill.memory.verify import missing_names

_CLAUSE = re.compile(
    r"""
    (?P<verb>\b(?:did|do|does)\s+)? \bthe\s+(?:(?!the\b)[\w'’-]+\s+){0,6}?(?P<last>(?!the\b)[\w'’-]+)\s+
    (?:who|that|whose|(?:(?:in|of|for|from|to|on|with|by|at)\s+)?(?:which|whom|where))\b
    (?:(?!\b(?:what|how)\b)[^?,])*? (?=(?P<done>\s+(?:first\s+)?\w+(?:ed|rn|en))?\s*\??\s*\Z)
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""A description at the end: "the woman who played Ada Fell", "the king who built it" before "born", and, behind
"did", "the woman hold who played Ada Fell"."""
_DATED = re.compile(r"^(?:(?:in|on)\s+)?(?:(?:what|which)\s+(?:year|month|day|century)|when)\b", re.IGNORECASE)
_RELATION = re.compile(r"\bthe\s+(?:[\w'’-]+\s+){1,3}?of\s+", re.IGNORECASE)
"""What begins "the father of NAME", where more follows than the name."""


@dataclass(frozen=True, slots=True)
class Description:
    """Where a question describes what it is about instead of naming it, and a verb in the midst of that."""

    start: int
    end: int
    verb: str = ""


def described(question: str) -> Description | None:
    """Return the description in a question of two steps, None where there is none."""
    named = names(question, openings=True)
    clause = _CLAUSE.search(question)
    if clause is not None and any(clause.start() <= name.start < clause.end() for name in named):
        end = clause.end() if _DATED.search(question) else clause.end() + len(clause["done"] or "")
        begun = len(clause["verb"] or "")
        return Description(clause.start() + begun, end, f" {clause['last']}" if begun else "")
    for name in named:
        for relation in _RELATION.finditer(question, 0, name.start):
            if relation.end() == name.start and re.match(r"\s+\w+", question[name.end :]):
                return Description(relation.start(), name.end)
    return None


def asked_of(question: str, name: str) -> str:
    """Return what is asked once the described thing is known by name; the question itself if none is described."""
    span = described(question)
    return question if span is None else question[: span.start] + name + span.verb + question[span.end :]


def brought_up(question: str, said: str) -> Callable[[str], bool]:
    """Return whether a page's title is called by a name that `said` brings up and the question does not have."""
    asked = content_words(question)
    new = [name.text for name in names(said, openings=True) if content_words(name.text) - asked]
    return lambda title: any(is_called(title, name) for name in new)


def led_to(question: str, evidence: Sequence[Evidence]) -> list[str]:
    """Return the names, new to the question, on the pages of what it names, as they come."""
    asked = content_words(question)
    found = [name.text for quote in _own_pages(question, evidence) for name in names(quote.text, openings=True)]
    return [name for name in dict.fromkeys(found) if content_words(name) - asked]


def stopovers(question: str, said: str, evidence: Sequence[Evidence]) -> list[str]:
    """Return the titles of quoted pages that may be the thing described, those first that `said` brings up.

    Each is tied to what the question names: the page speaks of that, or the page of that speaks of it.
    """
    if described(question) is None:
        return []
    quotes, own_pages = _quotes(evidence), _own_pages(question, evidence)
    subjects, asked = _subjects(question), content_words(question)

    def is_tied(title: str) -> bool:
        own = " ".join(quote.text for quote in quotes if quote.source.title == title)
        others = " ".join(quote.text for quote in own_pages if quote.source.title != title)
        speaks = len(missing_names(", ".join(subjects), [own])) < len(subjects)
        return speaks or title_words(title) <= content_words(others)

    titles = dict.fromkeys(quote.source.title for quote in quotes)
    found = [title for title in titles if title_words(title) - asked and is_tied(title)]
    is_brought_up = brought_up(question, said)
    return sorted(found, key=lambda title: not is_brought_up(title))


def _subjects(question: str) -> list[str]:
    return [name.text for name in names(question, openings=True)]


def _quotes(evidence: Sequence[Evidence]) -> list[Quote]:
    return [item for item in evidence if isinstance(item, Quote)]


def _own_pages(question: str, evidence: Sequence[Evidence]) -> list[Quote]:
    """Return the quotes from pages whose title is a name of the question."""
    subjects = _subjects(question)
    return [quote for quote in _quotes(evidence) if any(is_called(quote.source.title, name) for name in subjects)]
