"""Reflection: from many records to a few insights that cite them (Park et al. 2023, "Generative Agents").

Key questions of the newest records, what the memory holds about each, and what that says together; or the records
in groups of one topic, each in a sentence or two. An insight is kept only if code finds every number, date and
name of it in what it cites. Insights may cite insights: their level is one more.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crowquill.agent.corrective import Complete, Support, Usefulness
from crowquill.agent.models.base import Request
from crowquill.agent.prompting import Instruction, prompt
from crowquill.agent.render import fence, one_line
from crowquill.agent.schemas import object_schema
from crowquill.agent.workspace import Memory
from crowquill.memory.embed import Vectors
from crowquill.memory.record import Filter, Kind, Note, Origin, Record
from crowquill.memory.untrusted import Untrusted
from crowquill.memory.verify import missing_dates, missing_names, missing_numbers, word_coverage

RECENT = 40
"""Newest records from which questions are made, or groups."""
PER_QUESTION = 8
"""Records that are asked what they say about one question."""
_KINDS: frozenset[Kind] = frozenset({"quote", "computation", "insight"})
_ALIKE = 0.5
"""Cosine from which two records are of one topic."""
_FEWEST = 3
"""Records of a topic that are worth a summary."""
_WORDS = 0.5
"""Share of an insight's words that must stand in what it cites for it to be fully supported."""

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Reflected:
    """Insights that were kept, and those that were refused, with the reason."""

    kept: tuple[Note, ...]
    refused: tuple[str, ...]


class Reflection:
    """Reflects on one memory with one model."""

    def __init__(self, memory: Memory, complete: Complete, seed: str, progress: Progress) -> None:
        self._memory = memory
        self._complete = complete
        self._seed = seed
        self._progress = progress

    async def by_questions(self, count: int) -> Reflected:
        """Ask key questions of the newest records, and keep what the memory says about each."""
        recent = await self._memory.store.matching(Filter(_KINDS), RECENT)
        if not recent:
            return Reflected((), ())
        self._progress("finding questions")
        texts = {"type": "array", "items": {"type": "string", "maxLength": 200}, "maxItems": count}
        said = await self._ask(
            "ponder",
            object_schema({"questions": texts}),
            {"count": Instruction(str(count))},
            evidence=self._block(recent),
        )
        asked = [one_line(str(question), 200) for question in said.get("questions", ())][:count]
        groups = []
        for question in asked:
            hits = await self._memory.retriever.search(question, limit=PER_QUESTION, chosen=Filter(_KINDS))
            groups.append((question, [hit.record for hit in hits]))
        return await self._conclude(groups)

    async def by_topics(self) -> Reflected:
        """Say in a sentence or two what each group of alike records says."""
        recent = await self._memory.store.matching(Filter(_KINDS), RECENT)
        await self._memory.retriever.sync()
        vectors = await self._memory.store.vectors_of([record.seq for record in recent])
        groups = [group for group in topics(recent, vectors) if len(group) >= _FEWEST]
        return await self._conclude([(one_line(group[0].title or group[0].text, 80), group) for group in groups])

    async def _conclude(self, groups: Sequence[tuple[str, Sequence[Record]]]) -> Reflected:
        kept, refused = list[Note](), list[str]()
        for question, records in groups:
            self._progress(f"thinking about: {question}")
            numbers = {"type": "array", "items": {"type": "integer", "minimum": 1, "maximum": max(1, len(records))}}
            useful = {"type": "integer", "enum": [each.value for each in Usefulness]}
            text = {"type": "string", "maxLength": 400}
            schema = object_schema({"insight": text, "cites": numbers, "useful": useful})
            said = await self._ask("conclude", schema, question=question, evidence=self._block(records))
            insight = one_line(str(said.get("insight", "")), 400)
            cited = [
                records[number - 1] for number in dict.fromkeys(said.get("cites", ())) if number <= len(records)
            ]
            if not insight:
                continue
            support = supported(insight, cited)
            if support is not Support.FULL:
                refused.append(f"{insight} (its support is {support.value})")
                continue
            note = Note("insight", insight, question, tuple(record.content.id for record in cited), level_of(cited))
            origin = Origin(question=question, importance=int(said.get("useful", Usefulness.SOME)) / 5)
            await self._memory.store.add([note], origin)
            kept.append(note)
        return Reflected(tuple(kept), tuple(refused))

    def _block(self, records: Sequence[Record]) -> str:
        lines = [
            f"[{number}] {one_line(f'{record.title}: {record.text}', 400)}"
            for number, record in enumerate(records, 1)
        ]
        return fence(Untrusted("\n".join(lines), "memory"), self._seed)

    async def _ask(
        self, name: str, schema: dict[str, Any], told: Mapping[str, Instruction] | None = None, /, **shown: str
    ) -> dict[str, Any]:
        reply = await self._complete(Request("write", prompt(name).messages(told, **shown), 300, schema))
        return reply.parsed if reply.parsed is not None else {}


def supported(insight: str, cited: Sequence[Record]) -> Support:
    """Say by code how far an insight stands in what it cites: all numbers, dates, names, and most words."""
    texts = [f"{record.title}: {record.text}" for record in cited]
    if (
        not texts
        or missing_numbers(insight, texts)
        or missing_dates(insight, texts)
        or missing_names(insight, texts)
    ):
        return Support.NONE
    return Support.FULL if word_coverage(insight, " ".join(texts)) >= _WORDS else Support.PARTIAL


def level_of(cited: Sequence[Record]) -> int:
    """Return the level of an insight: one more than the highest of what it cites; evidence is of level 0."""
    return 1 + max(record.content.level if isinstance(record.content, Note) else 0 for record in cited)


def topics(records: Sequence[Record], vectors: dict[int, Vectors]) -> list[list[Record]]:
    """Group records: each joins the first group whose first record is alike, or begins one."""
    groups: list[list[Record]] = []
    for record in records:
        for group in groups if record.seq in vectors else ():
            if float(vectors[record.seq] @ vectors[group[0].seq]) >= _ALIKE:
                group.append(record)
                break
        else:
            groups += [[record]] if record.seq in vectors else []
    return groups
