"""Memory as an effect: what a lane recalls is recorded, so that a replay recalls the same.

What is recalled is checked again: a quote must still stand in its snapshot. Results of queries are not recalled, as
they age and their database may be none of this run's.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from crowquill.agent.corrective import Corrective
from crowquill.agent.critic.agreement import voice_of
from crowquill.agent.journal import Journal
from crowquill.agent.workspace import Memory
from crowquill.errors import StorageError
from crowquill.memory.blobs import BlobStore
from crowquill.memory.evidence import Computation, Evidence, Quote
from crowquill.memory.evidence_json import decode, encode
from crowquill.memory.lessons import ANSWERS, Lesson, LessonStore
from crowquill.memory.record import Content, Filter, Kind, Note, Record
from crowquill.memory.record import decode as decode_content
from crowquill.memory.retrieve import Way
from crowquill.memory.textual import names
from crowquill.memory.verify import missing_names, word_coverage
from crowquill.tools.context import Json

RELATED = 0.5
"""Share of the query's content words that recalled evidence must hold, if not all of its names: ranks alone know no
"unrelated"."""
_PER_SOURCE = 3
_PLANS = 2


class JournaledRecall:
    """The workspace's memory, less the evidence of this run itself: a door for each lane."""

    def __init__(
        self, journal: Journal, memory: Memory | None, blobs: BlobStore, knowledge: Sequence[str] = ()
    ) -> None:
        """`knowledge` are namespaces that are recalled from beside that of runs."""
        self._journal = journal
        self._memory = memory
        self._blobs = blobs
        self._namespaces = frozenset({"", *knowledge})

    async def recall(self, lane: str, query: str, limit: int, way: Way) -> tuple[Evidence, ...]:
        """Return the evidence most relevant to `query`, best first; nothing when memory is off."""
        asked = [query, *way.also, *([way.imagined] if way.imagined else [])]

        async def call() -> Json:
            if self._memory is None:
                return []
            spread = replace(way, per_source=_PER_SOURCE)
            hits = await self._memory.retriever.search(query, limit=limit, chosen=self._chosen, way=spread)
            related = [hit for hit in hits if _is_related(hit.record, asked)]
            sound = [hit for hit in related if await asyncio.to_thread(self._is_sound, hit.content)]
            await self._memory.retriever.note_use(sound)
            return [{"score": round(hit.score, 6), "evidence": encode(hit.content)} for hit in sound]

        request: dict[str, Json] = {"query": query, "limit": limit}
        if len(asked) > 1:
            request["also"] = list[Json](asked[1:])
        hits = await self._journal.effect(lane, "recall", request, call)
        return tuple(decode(hit["evidence"]) for hit in cast("list[dict[str, Any]]", hits))

    async def plans(self, lane: str, objective: str) -> tuple[Note, ...]:
        """Return the plans of earlier runs with similar objectives, best first; nothing when memory is off."""

        async def call() -> Json:
            if self._memory is None:
                return []
            chosen = Filter(frozenset({"skill"}), unmet_by=self._journal.run_id)
            hits = await self._memory.retriever.search(objective, limit=_PLANS, chosen=chosen)
            return [encode(hit.content) for hit in hits if word_coverage(objective, hit.record.text) >= RELATED]

        found = await self._journal.effect(lane, "recall", {"plans": objective}, call)
        notes = [decode_content(data) for data in cast("list[dict[str, Any]]", found)]
        return tuple(note for note in notes if isinstance(note, Note))

    async def corrections(self, lane: str, question: str) -> list[Lesson]:
        """Return what a person has said about answers to similar questions; nothing when memory is off."""

        async def call() -> Json:
            if self._memory is None:
                return []
            lessons = await LessonStore(self._memory.store.database).relevant(ANSWERS, question)
            return [[lesson.question, lesson.correction] for lesson in lessons]

        said = cast("list[list[str]]", await self._journal.effect(lane, "recall", {"corrections": question}, call))
        return [Lesson(ANSWERS, asked, "", correction) for asked, correction in said]

    async def history(self, lane: str, sources: Sequence[str]) -> dict[str, tuple[int, int]]:
        """Return how often earlier runs have found quotes of these sources upheld and doubted (see `agreement`)."""

        async def call() -> Json:
            rows = [] if self._memory is None else await self._memory.store.standing(self._journal.run_id)
            sums: dict[str, list[int]] = {}
            for url, upheld, doubted in rows:
                if (name := voice_of(url)) in sources:
                    known = sums.setdefault(name, [0, 0])
                    known[0], known[1] = known[0] + upheld, known[1] + doubted
            return cast("Json", sums)

        request: dict[str, Json] = {"history": list[Json](sources)}
        found = cast("dict[str, list[int]]", await self._journal.effect(lane, "recall", request, call))
        return {name: (upheld, doubted) for name, (upheld, doubted) in found.items()}

    @property
    def _chosen(self) -> Filter:
        kinds: frozenset[Kind] = frozenset({"quote", "computation"})
        return Filter(kinds, self._namespaces, unmet_by=self._journal.run_id)

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
    corrective: Corrective

    async def recall(self, query: str, *, limit: int) -> tuple[Evidence, ...]:
        """Return the evidence most relevant to `query`, best first."""
        return await self.corrective.recall(query, lambda way: self.memory.recall(self.lane, query, limit, way))


def _is_related(record: Record, asked: Sequence[str]) -> bool:
    """Say whether a record holds half of the words that are asked for, or all of their names."""
    text = f"{record.title} {record.text}"
    return any(
        word_coverage(words, text) >= RELATED or (names(words) and not missing_names(words, [text]))
        for words in asked
    )
