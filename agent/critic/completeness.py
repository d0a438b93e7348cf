"""Does an answer speak of all parts of its question, and of nothing else?"""

import re
from collections.abc import Sequence
from typing import Literal

from crowquill.agent.answer import Claim
from crowquill.agent.critic.across import is_across
from crowquill.agent.critic.paraphrase import stands
from crowquill.agent.critic.passages import clauses
from crowquill.memory.amounts import amounts
from crowquill.memory.textual import content_words, dates, names
from crowquill.memory.verify import missing_names

Kind = Literal["time", "number", "name", ""]
"""What answers a part of a question: a date or year, another number, a name, or "" where its words do not say."""

_PARTS = re.compile(
    r"\?\s+|;\s+|\n+|,?\s+(?:and|и)\s+(?=(?:what|who|whom|when|where|which|why|how|что|кто|когда|где|как\w*|сколько|почему)\b)",
    re.IGNORECASE,
)
SPOKEN_OF = 0.34
"""Share of the words of a part of the question that some claim must have for the part to be answered."""
_KINDS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    (
        "time",
        re.compile(
            r"\b(?:when|(?:what|which) (?:year|date|day|century)|когда|как(?:ом|ой) (?:год|век)\w*)\b", re.I
        ),
    ),
    (
        "number",
        re.compile(
            r"\b(?:how (?:many|much|long|deep|high|tall|wide|far|old|large|big|heavy|fast)|сколько)\b", re.I
        ),
    ),
    ("name", re.compile(r"\b(?:who|whom|whose|where|кто|кого|кому|кем|чей|чья|где|куда|откуда)\b", re.I)),
)
_ASKING = content_words(
    "what who whom when where which why how many much long often name give list tell find say date year "
    "что кто когда где какой какая какие сколько почему назови найди"
)


def parts_of(objective: str) -> list[str]:
    """Return the questions of which an objective is made, as written."""
    return [part.strip(" ?.") for part in _PARTS.split(objective) if content_words(part) - _ASKING]


def unanswered(objective: str, claims: Sequence[Claim]) -> list[str]:
    """Return the parts of an objective that no claim speaks of, nor may answer in other words.

    With one part there is nothing to compare.
    """
    parts = parts_of(objective)
    if len(parts) < 2:
        return []
    shared = frozenset[str].intersection(*(content_words(part) for part in parts))
    pieces = [piece for claim in claims for piece in clauses(claim.text)]

    def may_answer(part: str) -> bool:
        kind, others = _kind(part), [other for other in parts if other != part]
        alike = [other for other in others if _kind(other) in (kind, "")]
        for piece in pieces:
            has_kind = kind != "" and _has(kind, piece, objective)
            if not has_kind and kind in ("time", "number"):
                continue
            if not any(_speaks_of(other, piece, shared) for other in (alike if has_kind else others)):
                return True
        return False

    return [
        part
        for part in parts
        if not any(_speaks_of(part, claim.text, shared) for claim in claims) and not may_answer(part)
    ]


def _kind(part: str) -> Kind:
    return next((kind for kind, words in _KINDS if words.search(part)), "")


def _has(kind: Kind, text: str, objective: str) -> bool:
    """Say whether a text has something of a kind that is not in the question itself."""
    match kind:
        case "time":
            return bool(dates(text)) or any(amount.is_year or amount.is_ordinal for amount in amounts(text))
        case "number":
            return any(not amount.is_year for amount in amounts(text))
        case _:
            return bool(missing_names(text, [objective]))


def _speaks_of(part: str, text: str, shared: frozenset[str]) -> bool:
    """Say whether a text speaks of a part of a question; words do not tell across two alphabets."""
    if is_across(part, text):
        return True
    wanted, words = content_words(part) - _ASKING - shared, content_words(text)
    return not wanted or sum(stands(word, words) for word in wanted) >= SPOKEN_OF * len(wanted)


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
