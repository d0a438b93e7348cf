"""How good a ranking is, against what is known to be relevant.

Definitions as in Manning, Raghavan and Schütze, "Introduction to Information Retrieval", chapter 8. `ranked` is
best first and without repetitions.
"""

from collections.abc import Collection, Hashable, Sequence
from math import log2
from typing import TypeVar

K = TypeVar("K", bound=Hashable)


def precision_at(ranked: Sequence[K], relevant: Collection[K], k: int) -> float:
    """Return the share of the first `k` that is relevant; places left empty count as not relevant."""
    return sum(item in relevant for item in ranked[:k]) / k


def recall_at(ranked: Sequence[K], relevant: Collection[K], k: int) -> float:
    """Return the share of what is relevant that stands among the first `k`; 1 when nothing is relevant."""
    return sum(item in relevant for item in ranked[:k]) / len(relevant) if relevant else 1.0


def average_precision_at(ranked: Sequence[K], relevant: Collection[K], k: int) -> float:
    """Return the mean of the precision at each relevant one among the first `k`; 0 when there is none.

    Relevant at ranks 3 and 4: (1/3 + 2/4) / 2 = 0.4167.
    """
    ranks = [rank for rank, item in enumerate(ranked[:k], 1) if item in relevant]
    return sum(found / rank for found, rank in enumerate(ranks, 1)) / len(ranks) if ranks else 0.0


def ndcg_at(ranked: Sequence[K], relevant: Collection[K], k: int) -> float:
    """Return the discounted cumulative gain of the first `k` over that of an ideal ranking; gains are 0 or 1."""
    gained = sum(1 / log2(rank + 1) for rank, item in enumerate(ranked[:k], 1) if item in relevant)
    ideal = sum(1 / log2(rank + 1) for rank in range(1, min(k, len(relevant)) + 1))
    return gained / ideal if ideal else 1.0


def mean_average_precision_at(rankings: Sequence[tuple[Sequence[K], Collection[K]]], k: int) -> float:
    """Return the mean of the average precisions of (ranked, relevant) pairs, 0 of none."""
    values = [average_precision_at(ranked, relevant, k) for ranked, relevant in rankings]
    return sum(values) / len(values) if values else 0.0
