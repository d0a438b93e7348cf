"""Hybrid retrieval: full-text and vector rankings, fused by reciprocal rank, then scored."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from crowquill.memory.embed import Vectors
from crowquill.memory.index import ExactIndex, VectorIndex
from crowquill.memory.life import used
from crowquill.memory.record import Content, Filter, Record
from crowquill.memory.scoring import MMR_BALANCE, RRF_K, Weights, diversify, fuse, limit_each, recency
from crowquill.memory.store import MemoryStore
from crowquill.memory.wordindex import WordIndex

DEPTH = 50
"""Records taken from each ranking before they are fused."""
_DEEPER = 8
"""Factor by which a search goes deeper when a filter has left too little."""


@dataclass(frozen=True, slots=True)
class Recalled:
    """A hit, with its ranks from 1 and the terms of its score, each between 0 and 1: the score is their mean by
    `weights`.
    """

    record: Record
    score: float
    parts: Mapping[str, float]
    ranks: Mapping[str, int] = field(default_factory=dict)
    weights: Weights = field(default_factory=Weights)

    @property
    def content(self) -> Content:
        """What was remembered."""
        return self.record.content

    def explain(self) -> str:
        """Say in one line why it stands where it stands."""
        shares = self.weights.shares
        terms = " + ".join(f"{name} {value:.2f} × {shares[name]:.2f}" for name, value in self.parts.items())
        places = ", ".join(f"{name} #{rank}" for name, rank in self.ranks.items())
        return f"score {self.score:.3f} = {terms}" + (f" ({places})" if places else "")


@dataclass(frozen=True, slots=True)
class Way:
    """How to search.

    `also` are other wordings of the query, each ranked for itself (multi-query); `imagined` is the text of a
    document that would answer it, by which vectors are compared (HyDE, Gao et al. 2022). `diverse` chooses by
    maximal marginal relevance; `per_source` is the most that one page may contribute.
    """

    also: tuple[str, ...] = ()
    imagined: str = ""
    diverse: bool = False
    per_source: int | None = None
    balance: float = MMR_BALANCE


class Retriever:
    """Searches a memory store. Its indexes are caches of the store and catch up before every search."""

    def __init__(
        self,
        store: MemoryStore,
        *,
        vectors: VectorIndex | None = None,
        words: WordIndex | None = None,
        weights: Weights | None = None,
    ) -> None:
        """`vectors` defaults to exact search, `words` to an index in memory."""
        self._store = store
        self._vectors: VectorIndex = vectors if vectors is not None else ExactIndex(store)
        self._words = words if words is not None else WordIndex(store)
        self._weights = weights if weights is not None else Weights()
        self._syncing = asyncio.Lock()

    async def search(
        self, query: str, *, limit: int = 8, chosen: Filter | None = None, way: Way | None = None
    ) -> list[Recalled]:
        """Return the best records that pass the filter, best first.

        Raises:
            StorageError: the store cannot be read or written.
        """
        if not query.strip() or limit < 1:
            return []
        chosen, way = Filter() if chosen is None else chosen, Way() if way is None else way
        if not await self._store.has(chosen):
            return []  # before the embedder is loaded, which takes 2 s
        await self.sync()
        queries = [query, *way.also]
        meant = [way.imagined if way.imagined else query, *way.also]
        vectors = await asyncio.to_thread(self._store.embedder.embed, meant)
        pool = limit if way.per_source is None and not way.diverse else limit + DEPTH
        hits = await self._ranked(queries, list(vectors), pool, chosen)
        if way.per_source is not None:
            hits = [hits[at] for at in limit_each([hit.record.url for hit in hits], way.per_source)]
        return await self._diverse(hits, limit, way.balance) if way.diverse else hits[:limit]

    async def note_use(self, hits: Sequence[Recalled]) -> None:
        """Remember that these were of use: what is used stays fresh. Raises StorageError."""
        numbers, now = [hit.record.seq for hit in hits], self._store.now()
        await self._store.database.write(lambda connection: used(connection, numbers, now))

    async def sync(self) -> None:
        """Let the indexes take in what the store has got since the last call."""
        async with self._syncing:
            await self._store.embed_pending()
            await asyncio.gather(self._vectors.sync(), self._words.sync())

    async def _ranked(
        self, queries: Sequence[str], vectors: Sequence[Vectors], wanted: int, chosen: Filter
    ) -> list[Recalled]:
        """Go as deep as it takes to find `wanted` records that pass the filter, and score them."""
        depth, total = DEPTH + wanted, await self._store.last()
        while True:
            rankings = await self._rankings(queries, vectors, depth)
            fused = fuse([ranking for _, ranking in rankings])
            records = await self._store.records(list(fused), chosen)
            if len(records) >= wanted or depth >= total:
                break
            depth *= _DEEPER
        best = len(rankings) / (RRF_K + 1)  # first in all rankings
        places = _places(rankings)
        now = self._store.clock.now()
        hits = [
            self._scored(records[number], score / best, places[number], now)
            for number, score in fused.items()
            if number in records
        ]
        return sorted(hits, key=lambda hit: -hit.score)[:wanted]

    async def _rankings(
        self, queries: Sequence[str], vectors: Sequence[Vectors], depth: int
    ) -> list[tuple[str, list[int]]]:
        found: list[tuple[str, list[int]]] = []
        for query, vector in zip(queries, vectors, strict=True):
            found.append(("words", await self._words.search(query, depth)))
            near = await self._vectors.search(vector, depth)
            found.append(("meaning", [number for number, score in near if score > 0]))
        return found

    def _scored(self, record: Record, relevance: float, ranks: Mapping[str, int], now: datetime) -> Recalled:
        fresh = record.created_at if record.used_at is None else max(record.created_at, record.used_at)
        parts = {
            "relevance": relevance,
            "recency": recency(fresh, now),
            "importance": record.importance,
            "trust": record.trust,
        }
        return Recalled(record, self._weights.score(parts), parts, ranks, self._weights)

    async def _diverse(self, hits: list[Recalled], limit: int, balance: float) -> list[Recalled]:
        import numpy as np  # 0.2 s, and only vectors need it

        vectors = await self._store.vectors_of([hit.record.seq for hit in hits])
        hits = [hit for hit in hits if hit.record.seq in vectors]
        if not hits:
            return []
        rows = np.stack([vectors[hit.record.seq] for hit in hits])
        return [hits[at] for at in diversify([hit.score for hit in hits], rows, limit, balance=balance)]


def _places(rankings: Sequence[tuple[str, list[int]]]) -> dict[int, dict[str, int]]:
    """Return the best rank of each record by the kind of ranking."""
    places: dict[int, dict[str, int]] = {}
    for name, ranking in rankings:
        for rank, number in enumerate(ranking, 1):
            own = places.setdefault(number, {})
            own[name] = min(rank, own.get(name, rank))
    return places
