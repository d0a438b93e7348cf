"""How close in meaning a statement is to its evidence: words alone do not tell what was said in other words.

The sentence encoder of the corpus search is asked, and only where words leave it open: about a part of a statement
none of whose words stand in the evidence, about a word or a name in the place of another, and about a statement in
another alphabet. Nearness of meaning knows nothing of numbers and names, which are looked at elsewhere, nor of
denials, which must stand on both sides or none; an opposite ("disliked" for "supported") it does not see.
"""

from collections.abc import Sequence

from crowquill.agent.critic.opposites import is_denied
from crowquill.memory.embed import SentenceEmbedder, Vectors

CLOSE, CLOSE_ACROSS = 0.6, 0.33
"""Cosine from which a part of a statement says what its evidence says, in one language and across two. Set by
bench/critic.py on its tuning half."""
CLOSE_WORD = 0.43
"""The same for one word and another: of 25 that said it in other words 23 were as near, of 19 invented ones 2."""

_MOST_KNOWN = 4000
_KNOWN: dict[str, Vectors] = {}


def closest(statement: str, passages: Sequence[str]) -> tuple[float, str]:
    """Return the cosine (−1 to 1) of a statement and the passage closest to it, and that; (0, "") without any."""
    if not passages:
        return 0.0, ""
    own, *rows = _vectors((statement, *passages))
    return max((float(own @ row), text) for row, text in zip(rows, passages, strict=True))


def says_alike(statement: str, passages: Sequence[str]) -> bool:
    """Say whether the passage closest to a statement, in its language, says the same: near, and no denial apart."""
    near, text = closest(statement, passages)
    return near >= CLOSE and is_denied(statement) == is_denied(text)


def _vectors(texts: Sequence[str]) -> list[Vectors]:
    """Return the vectors of texts; those that are not known are encoded at once, and some thousands kept."""
    known = {text: row for text in texts if (row := _KNOWN.get(text)) is not None}  # another thread may clear it
    if unknown := [text for text in dict.fromkeys(texts) if text not in known]:
        known.update(zip(unknown, SentenceEmbedder().embed(unknown), strict=True))
        if len(_KNOWN) > _MOST_KNOWN:
            _KNOWN.clear()
        _KNOWN.update(known)
    return [known[text] for text in texts]
