"""Memory as an effect: what a lane recalls is recorded, so that a replay recalls the same.

What is recalled is checked again: a quote must still stand in its snapshot. Results of queries are not recalled, as
they age and their database may be none of this run's.
"""

import asyncio
from dataclasses import dataclass
from typing import Any, cast

from crowquill.agent.journal import Journal
from crowquill.errors import StorageError
from crowquill.memory.blobs import BlobStore
from crowquill.memory.evidence import Computation, Evidence, Quote
from crowquill.memory.evidence_json import decode, encode
from crowquill.memory.record import Content, Filter, Record
from crowquill.memory.retrieve import Retriever, Way
from crowquill.memory.verify import word_coverage
from crowquill.tools.context import Json

RELATED = 0.5
"""Share of the query's content words that recalled evidence must hold: ranks alone know no "unrelated"."""
_WAY = Way(per_source=3)


class JournaledRecall:
    """The workspace's memory, less the evidence of this run itself: a door for each lane."""

    def __init__(self, journal: Journal, retriever: Retriever | None, blobs: BlobStore) -> None:
        self._journal = journal
        self._retriever = retriever
        self._blobs = blobs

    async def recall(self, lane: str, query: str, limit: int) -> tuple[Evidence, ...]:
        """Return the evidence most relevant to `query`, best first; nothing when memory is off."""

        async def call() -> Json:
            if self._retriever is None:
                return []
            hits = await self._retriever.search(query, limit=limit, chosen=self._chosen, way=_WAY)
            related = [hit for hit in hits if word_coverage(query, _text(hit.record)) >= RELATED]
            sound = [hit for hit in related if await asyncio.to_thread(self._is_sound, hit.content)]
            return [{"score": round(hit.score, 6), "evidence": encode(hit.content)} for hit in sound]

        hits = await self._journal.effect(lane, "recall", {"query": query, "limit": limit}, call)
        return tuple(decode(hit["evidence"]) for hit in cast("list[dict[str, Any]]", hits))

    @property
    def _chosen(self) -> Filter:
        return Filter(frozenset({"quote", "computation"}), unmet_by=self._journal.run_id)

    def _is_sound(self, evidence: Content) -> bool:
        if not isinstance(evidence, Quote):
            return isinstance(evidence, Computation)
        try:
            text = self._blobs.get(evidence.source.sha256).decode("utf-8", "surrogatepass")
        except (StorageError, UnicodeDecodeError):
            return False
        return text[evidence.start : evidence.end] == evidence.text


@dataclass(frozen=True, slots=True)
class LaneRecall:
    """Implements `tools.context.Recall` for one lane."""

    memory: JournaledRecall
    lane: str

    async def recall(self, query: str, *, limit: int) -> tuple[Evidence, ...]:
        """Return the evidence most relevant to `query`, best first."""
        return await self.memory.recall(self.lane, query, limit)


def _text(record: Record) -> str:
    return f"{record.title} {record.text}"
