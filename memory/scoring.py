"""What decides which of the records that match a query come first, each term between 0 and 1."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import TypeVar

from crowquill.errors import UserError
from crowquill.memory.embed import Vectors

K = TypeVar("K", bound=Hashable)

RRF_K = 60
"""The constant of reciprocal rank fusion (Cormack, Clarke and Büttcher, SIGIR 2009)."""
HALF_LIFE_DAYS = 30.0
"""Days without use after which the recency of a record has halved."""
MMR_BALANCE = 0.7
"""Share of relevance against novelty in maximal marginal relevance."""


def fuse(rankings: Sequence[Sequence[K]], *, k: int = RRF_K) -> dict[K, float]:
    """Fuse rankings (best first): an item's score is the sum of 1 / (k + rank), ranks from 1; best first."""
    scores: dict[K, float] = {}
    for ranking in rankings:
        for rank, item in enumerate(ranking, 1):
            scores[item] = scores.get(item, 0.0) + 1.0 / (k + rank)
    return dict(sorted(scores.items(), key=lambda pair: -pair[1]))


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each term of the score counts, as a share of all. Raises UserError when none is above 0."""

    relevance: float = 0.8
    recency: float = 0.05
    importance: float = 0.05
    trust: float = 0.1

    def __post_init__(self) -> None:
        if not any(getattr(self, field.name) for field in fields(self)):
            raise UserError("at least one weight of the memory must be above 0")

    def with_text(self, text: str) -> "Weights":
        """Return these with what "relevance=0.8,recency=0" changes of them.

        Raises:
            UserError: an unknown term, no number, a negative one, or nothing above 0.
        """
        names = [field.name for field in fields(self)]
        values = dict[str, float]()
        for part in text.split(","):
            name, _, number = part.partition("=")
            try:
                value = float(number)
            except ValueError:
                value = -1.0
            if name.strip() not in names or not 0 <= value < float("inf"):
                raise UserError(f"weights are written as {'=0.2,'.join(names)}=0.2, not {part.strip()!r}")
            values[name.strip()] = value
        return replace(self, **values)

    @property
    def shares(self) -> dict[str, float]:
        """The weights by name, as parts of 1."""
        values = {field.name: float(getattr(self, field.name)) for field in fields(self)}
        return {name: value / sum(values.values()) for name, value in values.items()}

    def score(self, parts: Mapping[str, float]) -> float:
        """Return the weighted mean of the terms."""
        shares = self.shares
        return sum(shares[name] * value for name, value in parts.items())


def recency(then: str, now: datetime) -> float:
    """Return 1 for now, halved with every `HALF_LIFE_DAYS` since `then` (ISO 8601); the future counts as now."""
    days = (now - datetime.fromisoformat(then)).total_seconds() / 86_400
    return float(0.5 ** (max(0.0, days) / HALF_LIFE_DAYS))


def diversify(scores: Sequence[float], vectors: Vectors, limit: int, *, balance: float = MMR_BALANCE) -> list[int]:
    """Return positions chosen by maximal marginal relevance (Carbonell and Goldstein, SIGIR 1998).

    Each next one has the highest `balance` × score − (1 − `balance`) × its highest cosine with one chosen before;
    `vectors` are unit rows in the order of `scores`.
    """
    import numpy as np  # 0.2 s, and only vectors need it

    gain = balance * np.asarray(scores, np.float32)
    nearest = np.zeros(len(scores), np.float32)
    left, chosen = np.ones(len(scores), bool), list[int]()
    while left.any() and len(chosen) < limit:
        best = int(np.argmax(np.where(left, gain - (1 - balance) * nearest, -np.inf)))
        chosen.append(best)
        left[best] = False
        nearest = np.maximum(nearest, vectors @ vectors[best])
    return chosen


def limit_each(sources: Sequence[Hashable], most: int) -> list[int]:
    """Return the positions in order, without those beyond the first `most` of a source; "" is no source."""
    counts: dict[Hashable, int] = {}
    kept = []
    for at, source in enumerate(sources):
        counts[source] = counts.get(source, 0) + 1
        if not source or counts[source] <= most:
            kept.append(at)
    return kept
