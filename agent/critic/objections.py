"""Is what a judge says against an answer an objection? It must speak of what the answer says, and say otherwise.

Code only. A fact beside the point is none, however well it is supported, and neither is the same in other words.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from crowquill.agent.answer import Candidate
from crowquill.agent.critic.faults import find_faults
from crowquill.agent.critic.paraphrase import ALIKE, LIGHT
from crowquill.agent.critic.passages import Passage, clauses
from crowquill.memory.amounts import amounts
from crowquill.memory.textual import NameAt, content_words, names, stem, stems
from crowquill.memory.unit_words import UNITS

_UNITS = frozenset(stem(word) for word in UNITS)


def opposes(objection: str, answer: Sequence[str], objective: str) -> bool:
    """Say whether a sentence denies or contradicts one of an answer: a number, another name, the opposite."""
    near = [passage for text in answer if _speaks_of(objection, passage := Passage(text, objective))]
    if not near:
        return False
    if any(_has_another_name(objection, passage) or _has_another_year(objection, passage) for passage in near):
        return True
    faults = find_faults(objection, [objective, *answer], near, objective)
    return any(fault.kind != "name" and fault.wrong != "adds" for fault in faults)


def without_settled(candidate: Candidate, objective: str) -> Candidate:
    """Return a candidate whose statements were mended, without the objection that this has met."""
    against, said = candidate.objection, [*(claim.text for claim in candidate.claims), candidate.short]
    if against is None or opposes(against.text, said, objective):
        return candidate
    return replace(candidate, objection=None)


def _speaks_of(objection: str, passage: Passage) -> bool:
    """Say whether a sentence is about what a passage is about, and of the same of it.

    By a name that both have; where it names nothing for sure ("Silver melts ..."), by two words.
    """
    known = passage.words
    words = set(_words(objection))
    shared = {word for word in words if word in known or ALIKE.get(word, frozenset()) & known}
    found = _names(objection)
    sure = [frozenset(stems(name.text)) for name in found if not name.is_opening]
    if sure and not any((name - LIGHT if name - LIGHT else name) & known for name in sure):
        return False
    said = words.difference(*sure, LIGHT)
    return bool(shared & said if said else shared) and (bool(sure) or not found or len(shared) > 1)


def _has_another_year(objection: str, passage: Passage) -> bool:
    """Say whether both give a year, none of them the same; one of a whole date counts as one alone."""
    own, given = (
        {amount.value for amount in amounts(text) if amount.is_year} for text in (objection, passage.text)
    )
    return bool(own and given) and not own & given


def _has_another_name(objection: str, passage: Passage) -> bool:
    """Say whether a name stands beside a word beside which the passage has another: "built by Berg", not Holm.

    One of the two may be a name only by its capital at the beginning.
    """
    known = frozenset(stems(f"{passage.title} {passage.text}"))
    own = frozenset(stems(objection))
    new = {(word, sure) for word, name, sure in _neighbours(objection) if not name & known}
    lost = {(word, sure) for word, name, sure in _neighbours(passage.text) if not name & own}
    return any(word == other and (sure or certain) for word, sure in new for other, certain in lost)


def _neighbours(text: str) -> Iterator[tuple[str, frozenset[str], bool]]:
    """Yield the words beside each name of a text, the stems of the name, and whether it surely is one.

    On either side, in its part of the sentence: the nearest word that counts, and the nearest that is in no name.
    """
    for clause in clauses(text):
        found = _names(clause)
        proper = frozenset(word for name in found for word in stems(name.text))
        for name in found:
            for side in (_words(clause[: name.start])[::-1], _words(clause[name.end :])):
                beside = {*side[:1], *[word for word in side if word not in proper][:1]}
                yield from ((word, frozenset(stems(name.text)), not name.is_opening) for word in beside)


def _names(text: str) -> list[NameAt]:
    """Return the names of a text, those at its beginning, too; the C of 961 °C is none."""
    return [name for name in names(text, openings=True) if len(name.text.strip(".")) > 1]


def _words(text: str) -> list[str]:
    """Return the stems of the words that count, in order; numbers and units do not."""
    found = [word for token in re.findall(r"[^\W_]+", text) for word in content_words(token)]
    return [word for word in found if len(word) > 1 and word[0].isalpha() and word not in _UNITS]
