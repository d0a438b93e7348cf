"""Does an answer speak of all parts of its question, and of nothing else?"""

import re
from collections.abc import Sequence

from crowquill.agent.answer import Claim
from crowquill.agent.critic.across import is_across
from crowquill.memory.textual import content_words, names

_PARTS = re.compile(
    r"\?\s+|;\s+|\n+|,?\s+(?:and|и)\s+(?=(?:what|who|whom|when|where|which|why|how|что|кто|когда|где|как\w*|сколько|почему)\b)",
    re.IGNORECASE,
)
SPOKEN_OF = 0.34
"""Share of the words of a part of the question that some claim must have for the part to be answered."""
_ASKING = content_words(
    "what who whom when where which why how many much long often name give list tell find say date year "
    "что кто когда где какой какая какие сколько почему назови найди"
)


def parts_of(objective: str) -> list[str]:
    """Return the questions of which an objective is made, as written."""
    return [part.strip(" ?.") for part in _PARTS.split(objective) if content_words(part) - _ASKING]


def unanswered(objective: str, claims: Sequence[Claim]) -> list[str]:
    """Return the parts of an objective that no claim speaks of; with one part there is nothing to compare."""
    parts = parts_of(objective)
    if len(parts) < 2:
        return []
    shared = frozenset[str].intersection(*(content_words(part) for part in parts))
    return [part for part in parts if not any(_speaks_of(part, claim.text, shared) for claim in claims)]


def _speaks_of(part: str, text: str, shared: frozenset[str]) -> bool:
    """Say whether a text speaks of a part of a question; words do not tell across two alphabets."""
    if is_across(part, text):
        return True
    wanted = content_words(part) - _ASKING - shared
    return not wanted or len(wanted & content_words(text)) >= SPOKEN_OF * len(wanted)


def beside_the_point(objective: str, short: str, claims: Sequence[Claim]) -> list[Claim]:
    """Return the claims that share no word with question or short answer, nor a name with a claim that does.

    A claim that says what another has said belongs here, too.
    """
    wanted = (content_words(objective) - _ASKING) | content_words(short)
    known = set[str]()
    beside, seen = [], set[frozenset[str]]()
    for claim in claims:
        words = content_words(claim.text)
        if words in seen or not words & (wanted | known):
            beside.append(claim)
        else:
            known |= content_words(" ".join(name.text for name in names(claim.text, openings=True)))
        seen.add(words)
    return beside
