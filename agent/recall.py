"""Memory as an effect: what a lane recalls is recorded, so that a replay recalls the same."""

from typing import Any, cast

from crowquill.agent.journal import Journal
from crowquill.memory.evidence import Evidence, Quote, plain_text
from crowquill.memory.evidence_json import decode, encode
from crowquill.memory.retrieve import Retriever
from crowquill.memory.verify import word_coverage
from crowquill.tools.context import Json

LANE = "memory"

RELATED = 0.5
"""Share of the query's content words that recalled evidence must hold: ranks alone know no "unrelated"."""


class JournaledRecall:
    """Implements `tools.context.Recall` over the workspace's memory, less the evidence of this run itself."""

    def __init__(self, journal: Journal, retriever: Retriever | None) -> None:
        self._journal = journal
        self._retriever = retriever

    async def recall(self, query: str, *, limit: int) -> tuple[Evidence, ...]:
        """Return the evidence most relevant to `query`, best first; nothing when memory is off."""

        async def call() -> Json:
            if self._retriever is None:
                return []
            hits = await self._retriever.search(query, limit=limit, exclude_run=self._journal.run_id)
            related = [hit for hit in hits if word_coverage(query, _text(hit.evidence)) >= RELATED]
            return [{"score": round(hit.score, 6), "evidence": encode(hit.evidence)} for hit in related]

        hits = await self._journal.effect(LANE, "recall", {"query": query, "limit": limit}, call)
        return tuple(decode(hit["evidence"]) for hit in cast("list[dict[str, Any]]", hits))


def _text(evidence: Evidence) -> str:
    return f"{evidence.source.title} {evidence.text}" if isinstance(evidence, Quote) else plain_text(evidence)
