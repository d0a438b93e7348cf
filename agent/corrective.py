"""Corrective retrieval (Yan et al. 2024) with judgements as in Self-RAG (Asai et al. 2023): a state machine.

A query is asked, each hit is graded by a model, and what is found decides: keep the relevant ones, ask in other
words (once), or go to the web. Multi-query and HyDE are the two ways of asking in other words; each can also be
used at once, without grading.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Any, Literal

from crowquill.agent.models.base import Reply, Request
from crowquill.agent.models.faults import UnusableReply
from crowquill.agent.prompting import prompt
from crowquill.agent.render import evidence_block, one_line
from crowquill.agent.schemas import object_schema
from crowquill.memory.evidence import Evidence
from crowquill.memory.retrieve import Way

RecallMode = Literal["plain", "multi", "hyde", "corrective"]
"""How memory is asked: as it stands, with rewordings, with a made-up answer, or graded and corrected."""

Complete = Callable[[Request], Awaitable[Reply]]
Ask = Callable[[Way], Awaitable[tuple[Evidence, ...]]]
"""Asks the memory, in the way that is given."""


class Retrieve(StrEnum):
    """Whether a question needs the memory at all."""

    YES = "yes"
    NO = "no"


class Relevance(StrEnum):
    """Whether a hit is about what is asked."""

    RELEVANT = "relevant"
    IRRELEVANT = "irrelevant"


class Support(StrEnum):
    """How far a statement stands in what it cites."""

    FULL = "full"
    PARTIAL = "partial"
    NONE = "none"


class Usefulness(IntEnum):
    """How useful a statement is to who asked, from 1 to 5."""

    USELESS = 1
    LITTLE = 2
    SOME = 3
    GOOD = 4
    ALL = 5


class Move(StrEnum):
    """What to do with what was found."""

    KEEP = "keep"
    REWRITE = "rewrite"
    WEB = "web"


def next_move(grades: Sequence[Relevance], *, rewritten: bool) -> Move:
    """Return the next state: any relevant hit is kept; else other words are tried, once; then the web."""
    if Relevance.RELEVANT in grades:
        return Move.KEEP
    return Move.WEB if rewritten else Move.REWRITE


_TEXTS = {"type": "array", "items": {"type": "string", "maxLength": 200}, "minItems": 1, "maxItems": 3}
_REWORDED = object_schema({"queries": _TEXTS})
_IMAGINED = object_schema({"passage": {"type": "string", "maxLength": 600}})


@dataclass(frozen=True, slots=True)
class Corrective:
    """Asks the memory in one of the modes; `complete` asks a model and may raise what it raises."""

    complete: Complete
    seed: str
    mode: RecallMode

    async def recall(self, query: str, ask: Ask) -> tuple[Evidence, ...]:
        """Return evidence for a query, best first; nothing means that the web has to be asked."""
        match self.mode:
            case "plain":
                return await ask(Way())
            case "multi":
                return await ask(await self.reworded(query))
            case "hyde":
                return await ask(await self.imagined(query))
        if await self.needed(query) is Retrieve.NO:
            return ()
        found, rewritten = await ask(Way()), False
        while True:
            grades = await self.grade(query, found)
            move = next_move(grades, rewritten=rewritten)
            if move is Move.KEEP:
                return tuple(hit for hit, grade in zip(found, grades, strict=True) if grade is Relevance.RELEVANT)
            if move is Move.WEB:
                return ()
            found, rewritten = await ask(await self.reworded(query)), True

    async def needed(self, query: str) -> Retrieve:
        """Judge whether the memory is needed; in doubt it is."""
        schema = object_schema({"retrieve": {"type": "string", "enum": [each.value for each in Retrieve]}})
        said = await self._ask("retrieve", schema, query=one_line(query, 500))
        return Retrieve.NO if said.get("retrieve") == Retrieve.NO.value else Retrieve.YES

    async def grade(self, query: str, found: Sequence[Evidence]) -> list[Relevance]:
        """Judge each hit; one that is not judged is not relevant."""
        if not found:
            return []
        numbers = {"type": "array", "items": {"type": "integer", "minimum": 1, "maximum": len(found)}}
        shown = evidence_block(found, self.seed)
        said = await self._ask(
            "grade", object_schema({"relevant": numbers}), query=one_line(query, 500), evidence=shown
        )
        named = set(said.get("relevant", ()))
        return [
            Relevance.RELEVANT if number in named else Relevance.IRRELEVANT for number in range(1, len(found) + 1)
        ]

    async def reworded(self, query: str) -> Way:
        """Return the way to ask with other wordings beside the query."""
        said = await self._ask("reword", _REWORDED, query=one_line(query, 500))
        return Way(also=tuple(one_line(str(text), 200) for text in said.get("queries", ())))

    async def imagined(self, query: str) -> Way:
        """Return the way to ask by the meaning of a passage that would answer the query."""
        said = await self._ask("imagine", _IMAGINED, query=one_line(query, 500))
        return Way(imagined=one_line(str(said.get("passage", "")), 600))

    async def _ask(self, name: str, schema: dict[str, Any], **values: str) -> dict[str, Any]:
        messages = prompt(name).messages(**values)
        try:
            reply = await self.complete(Request("judge", messages, 200, schema))
        except UnusableReply:  # no judgement: what is done without one is done
            return {}
        return reply.parsed if reply.parsed is not None else {}
