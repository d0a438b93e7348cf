"""Hybrid retrieval: full-text and vector rankings, fused by reciprocal rank."""

import asyncio
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from crowquill.memory.evidence import Evidence
from crowquill.memory.index import ExactIndex, VectorIndex
from crowquill.memory.lexical import LexicalIndex
from crowquill.memory.store import MemoryStore, Record

K = TypeVar("K", bound=Hashable)

RRF_K = 60
"""The constant of reciprocal rank fusion (Cormack, Clarke and Büttcher, SIGIR 2009)."""

DEPTH = 50
"""Records taken from each ranking before they are fused."""


def fuse(rankings: Sequence[Sequence[K]], *, k: int = RRF_K) -> dict[K, float]:
    """Fuse rankings (best first): an item's score is the sum of 1 / (k + rank), ranks from 1; best first."""
    scores: dict[K, float] = {}
    for ranking in rankings:
        for rank, item in enumerate(ranking, 1):
            scores[item] = scores.get(item, 0.0) + 1.0 / (k + rank)
    return dict(sorted(scores.items(), key=lambda pair: -pair[1]))


@dataclass(frozen=True, slots=True)
class Recalled:
    """A hit, with the terms that its score is the weighted mean of (each between 0 and 1)."""

    evidence: Evidence
    score: float
    parts: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each term of the score counts."""

    relevance: float = 0.9
    trust: float = 0.1


class Retriever:
    """Searches a memory store. Its indexes are caches of the store and catch up before every search."""

    def __init__(
        self,
        store: MemoryStore,
        *,
        vectors: VectorIndex | None = None,
        lexical: LexicalIndex | None = None,
        weights: Weights | None = None,
    ) -> None:
        """`vectors` defaults to exact search; `lexical` to an index in memory, and must be empty if given."""
        self._store = store
        self._vectors: VectorIndex = vectors if vectors is not None else ExactIndex(store)
        self._lexical = lexical
        self._weights = weights if weights is not None else Weights()
        self._watermark = 0
        self._syncing = asyncio.Lock()

    async def search(
        self,
        query: str,
        *,
        limit: int = 8,
        exclude_run: str | None = None,
        exclude: Collection[str] = (),
    ) -> list[Recalled]:
        """Return the best records, best first, without those a run has met itself or whose id is excluded.

        Raises:
            StorageError: the store cannot be read or written.
        """
        await self._sync()
        lexical = self._lexical
        if lexical is None or not query.strip() or limit < 1:
            return []
        seen = await self._store.seen_in(exclude_run) if exclude_run is not None else set()
        depth = DEPTH + limit + len(seen) + len(exclude)
        vector = (await asyncio.to_thread(self._store.embedder.embed, [query]))[0]
        words = [int(id_) for id_, _ in await asyncio.to_thread(lexical.search, query, depth)]
        near = [number for number, score in await self._vectors.search(vector, depth) if score > 0]
        fused = {number: score for number, score in fuse([words, near]).items() if number not in seen}
        records = await self._store.records(list(fused)[: limit + DEPTH])
        hits = [
            self._scored(records[number], score / _BEST)
            for number, score in fused.items()
            if number in records and records[number].evidence.id not in exclude
        ]
        return sorted(hits, key=lambda hit: -hit.score)[:limit]

    def _scored(self, record: Record, relevance: float) -> Recalled:
        parts = {"relevance": relevance, "trust": record.trust}
        total = self._weights.relevance + self._weights.trust
        score = (self._weights.relevance * relevance + self._weights.trust * record.trust) / total
        return Recalled(record.evidence, score, parts)

    async def _sync(self) -> None:
        async with self._syncing:
            await self._store.embed_pending()
            await self._vectors.sync()
            rows = await self._store.texts_after(self._watermark)
            if rows:
                await asyncio.to_thread(self._take_in, rows)
                self._watermark = rows[-1][0]

    def _take_in(self, rows: Sequence[tuple[int, str, str]]) -> None:
        if self._lexical is None:
            self._lexical = LexicalIndex()
        for number, title, text in rows:
            self._lexical.add(str(number), title=title, body=text)
        self._lexical.commit()


_BEST = 2 / (RRF_K + 1)  # first in both rankings
