"""Do two goals ask for the same? By their words, and by the meaning of the words in which they differ.

Whole goals cannot be compared by their embeddings: "find the birth date of Marie Curie" and "find the death date of
Marie Curie" lie closer together (0.87) than most paraphrases (0.62 to 0.81). What only one of them says does tell
them apart: "born" and "birth" are at 0.84, "birth" and "death" at 0.47.
"""

import asyncio
import re
from collections.abc import Sequence
from itertools import product
from typing import cast

from crowquill.agent.lane import Lane
from crowquill.memory.embed import Embedder
from crowquill.memory.textual import content_words
from crowquill.tasks.agenda import Similarity
from crowquill.tools.context import Json

SAME_MEANING = 0.75
"""Cosine of the differing words from which they mean the same. Of 23 pairs of goals (10 paraphrases, 13 that only
look alike), 6 paraphrases are found and nothing else; a lost task is worse than one that is done twice."""

_ASKING = content_words(
    "find identify determine list search compute calculate collect gather establish check retrieve obtain discover"
    " locate name figure research investigate learn know tell look get say said make made much many date year which"
)


def _rest(goal: str, other: str) -> tuple[str, ...]:
    """Return the words that only this goal says, without those that merely ask."""
    theirs = content_words(other) | _ASKING
    return tuple(word for word in re.findall(r"\w+", goal) if content_words(word) - theirs)


def _may_mean_the_same(left: Sequence[str], right: Sequence[str]) -> bool:
    """Say whether only plain words differ: another name or number is another goal."""
    plain = all(word.islower() for word in (*left, *right))
    return bool(left) and bool(right) and plain


def _pair(goal: str, other: str) -> tuple[str, str]:
    return " ".join(_rest(goal, other)), " ".join(_rest(other, goal))


async def likeness(goals: Sequence[str], known: Sequence[str], lane: Lane, embedder: Embedder) -> Similarity:
    """Return how alike goals are: 1 for the same words, the cosine where what differs means the same, else 0.

    Embedding is an effect, so that a replay needs no embedder. It is asked only about pairs of which words decide
    nothing.
    """
    pairs = {
        _pair(goal, other)
        for goal, other in product(goals, (*known, *goals))
        if _may_mean_the_same(_rest(goal, other), _rest(other, goal))
    }
    asked = sorted(pairs | {(right, left) for left, right in pairs})
    scores: dict[tuple[str, str], float] = {}
    if asked:

        async def call() -> Json:
            return await asyncio.to_thread(_cosines, asked, embedder)

        request = cast("Json", {"differing words": [list(pair) for pair in asked]})
        found = cast("list[float]", await lane.effect("rank", request, call))
        scores = dict(zip(asked, found, strict=True))

    def alike(goal: str, other: str) -> float:
        left, right = _pair(goal, other)
        if not left and not right:
            return 1.0
        score = scores.get((left, right), 0.0)
        return score if score >= SAME_MEANING else 0.0

    return alike


def _cosines(pairs: Sequence[tuple[str, str]], embedder: Embedder) -> Json:
    lefts, rights = (embedder.embed([pair[side] for pair in pairs]) for side in (0, 1))
    return [round(float(left @ right), 4) for left, right in zip(lefts, rights, strict=True)]
