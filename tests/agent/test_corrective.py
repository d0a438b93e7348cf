"""Corrective retrieval: each path through its states, and what reaches the memory."""

from typing import Any

import pytest

from crowquill.agent.corrective import Corrective, Move, RecallMode, Relevance, Retrieve, next_move
from crowquill.agent.models.base import Reply, Request
from crowquill.agent.models.scripted import ScriptedModel, ScriptedReply
from crowquill.memory.evidence import Computation, Evidence
from crowquill.memory.retrieve import Way

HITS: tuple[Evidence, ...] = (Computation("6*7", "42", "42"), Computation("6*8", "48", "48"))


def judge(**said: Any) -> ScriptedReply:
    return ScriptedReply("judge", json=said)


class Desk:
    """A corrective retrieval over a memory that returns what it is told to, and notes how it was asked."""

    def __init__(self, mode: RecallMode, replies: list[ScriptedReply], *found: tuple[Evidence, ...]) -> None:
        self.model = ScriptedModel(replies)
        self.found = list(found)
        self.asked: list[Way] = []
        self.corrective = Corrective(self._complete, "seed", mode)

    async def _complete(self, request: Request) -> Reply:
        return await self.model.complete(request)

    async def ask(self, way: Way) -> tuple[Evidence, ...]:
        self.asked.append(way)
        return self.found.pop(0)


def test_moves() -> None:
    yes, no = Relevance.RELEVANT, Relevance.IRRELEVANT
    assert next_move([no, yes], rewritten=False) is next_move([yes], rewritten=True) is Move.KEEP
    assert next_move([no], rewritten=False) is next_move([], rewritten=False) is Move.REWRITE
    assert next_move([no], rewritten=True) is Move.WEB


async def test_plain_asks_no_model() -> None:
    desk = Desk("plain", [], HITS)
    assert await desk.corrective.recall("6*7?", desk.ask) == HITS
    assert desk.asked == [Way()]


async def test_other_words_and_a_made_up_answer() -> None:
    desk = Desk("multi", [judge(queries=["six times seven", "product\nof 6 and 7"])], HITS)
    await desk.corrective.recall("6*7?", desk.ask)
    assert desk.asked == [Way(also=("six times seven", "product of 6 and 7"))]
    desk = Desk("hyde", [judge(passage="It is 42.")], HITS)
    await desk.corrective.recall("6*7?", desk.ask)
    assert desk.asked == [Way(imagined="It is 42.")]
    desk = Desk("multi", [ScriptedReply("judge", text="no JSON")], HITS)
    assert await desk.corrective.recall("6*7?", desk.ask) == HITS  # an unusable reply changes nothing


@pytest.mark.parametrize(
    ("replies", "found", "kept", "asked"),
    [
        ([judge(retrieve="no")], [], (), 0),
        ([judge(retrieve="yes"), judge(relevant=[2])], [HITS], HITS[1:], 1),
        (
            [judge(retrieve="yes"), judge(relevant=[]), judge(queries=["x"]), judge(relevant=[1])],
            [HITS, HITS],
            HITS[:1],
            2,
        ),
        (
            [judge(retrieve="yes"), judge(relevant=[]), judge(queries=["x"]), judge(relevant=[])],
            [HITS, HITS],
            (),
            2,
        ),
        ([judge(retrieve="yes"), judge(queries=["x"])], [(), ()], (), 2),
    ],
)
async def test_each_path(
    replies: list[ScriptedReply], found: list[tuple[Evidence, ...]], kept: tuple[Evidence, ...], asked: int
) -> None:
    desk = Desk("corrective", replies, *found)
    assert await desk.corrective.recall("6*7?", desk.ask) == kept
    assert len(desk.asked) == asked
    desk.model.assert_spent()


async def test_in_doubt_the_memory_is_asked() -> None:
    desk = Desk("corrective", [ScriptedReply("judge", text="perhaps")])
    assert await desk.corrective.needed("6*7?") is Retrieve.YES
