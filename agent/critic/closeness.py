"""How close in meaning a statement is to its evidence: words alone do not tell what was said in other words.

The sentence encoder of the corpus search is asked, and only where words leave it open: about a part of a statement
none of whose words stand in the evidence, and about a statement in another alphabet. Nearness of meaning knows
nothing of numbers, names and denials; those are looked at elsewhere, and never forgiven for it.
"""

from collections.abc import Sequence
from functools import lru_cache

from crowquill.memory.embed import SentenceEmbedder, Vectors

CLOSE, CLOSE_ACROSS = 0.4, 0.33
"""Cosine from which a part of a statement says what its evidence says, in one language and across two. Set by
bench/critic.py on its tuning half."""


def closeness(statement: str, passages: Sequence[str]) -> float:
    """Return the largest cosine (−1 to 1) of a statement with a passage, or with all of them together."""
    texts = dict.fromkeys([*passages, " ".join(passages)])
    own = _vector(statement)
    return max(float(own @ _vector(text)) for text in texts)


@lru_cache(maxsize=2048)
def _vector(text: str) -> Vectors:
    row: Vectors = SentenceEmbedder().embed([text])[0]
    return row
