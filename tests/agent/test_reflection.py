"""Reflection: what is kept rests on records, by code; what does not is refused."""

from pathlib import Path
from typing import Any

import pytest

from crowquill.agent.models.base import Reply, Request
from crowquill.agent.models.scripted import ScriptedModel, ScriptedReply
from crowquill.agent.reflection import Reflected, Reflection
from crowquill.agent.workspace import Memory, Workspace
from crowquill.memory.embed import HashingEmbedder
from crowquill.memory.record import Filter, Note, Origin
from crowquill.memory.snapshot import Line, Snapshot

FACTS = (
    "The Danube is 2,850 kilometres long.",
    "The Danube touches ten countries.",
    "The Danube flows into the Black Sea.",
    "Crows bring gifts to people.",
)


def say(**said: Any) -> ScriptedReply:
    return ScriptedReply("write", json=said)


@pytest.fixture
async def memory(tmp_path: Path) -> Memory:
    memory = Workspace(tmp_path, embedder=HashingEmbedder()).memory()
    await remember(memory, FACTS)
    return memory


async def remember(memory: Memory, facts: tuple[str, ...]) -> None:
    for fact in facts:
        number = len(fact)
        page = Snapshot(f"https://{number}.example", "Danube", fact, (Line(0, len(fact)),), fetched_at="2026")
        await memory.store.add([page.quote(1, 1)], Origin("r1", "t1", ""))


async def reflect(memory: Memory, *replies: ScriptedReply, topics: bool = False) -> tuple[Reflected, ScriptedModel]:
    model = ScriptedModel(list(replies))

    async def complete(request: Request) -> Reply:
        return await model.complete(request)

    reflection = Reflection(memory, complete, "seed", lambda what: None)
    return await (reflection.by_topics() if topics else reflection.by_questions(2)), model


async def test_an_insight_cites_what_it_rests_on_and_insights_build_on_insights(memory: Memory) -> None:
    length = "The Danube is 2,850 kilometres long and touches ten countries."
    asked = say(questions=["How large is the Danube?"])
    found, model = await reflect(memory, asked, say(insight=length, cites=[1, 2, 3], useful=4))
    (note,) = found.kept
    assert (note.level, len(note.cites), note.title) == (1, 3, "How large is the Danube?")
    assert "<data" in model.calls[0].messages[-1].content  # records are data, between fences
    (record,) = await memory.store.matching(Filter(frozenset({"insight"})))
    assert record.importance == 0.8
    again = say(insight=length, cites=list(range(1, 5)), useful=5)
    found, _ = await reflect(memory, asked, again)
    assert found.kept[0].level == 2
    assert isinstance(found.kept[0], Note)
    await memory.close()


@pytest.mark.parametrize(
    ("insight", "cites"),
    [
        ("The Danube is 9,999 kilometres long.", [1, 2, 3]),
        ("The Danube and the Volga are long.", [1, 2, 3]),
        ("The Danube is 2,850 kilometres long.", []),
        ("The Danube was surveyed on 3 May 2020.", [1, 2, 3]),
        ("The Danube always charms painters, poets, anglers and wandering musicians.", [1, 2, 3]),
    ],
)
async def test_what_is_not_supported_is_refused(memory: Memory, insight: str, cites: list[int]) -> None:
    asked = say(questions=["How large is the Danube?"])
    found, _ = await reflect(memory, asked, say(insight=insight, cites=cites, useful=3))
    assert found.kept == ()
    assert len(found.refused) == 1
    assert await memory.store.matching(Filter(frozenset({"insight"}))) == []
    await memory.close()


async def test_groups_of_one_topic_are_summed_up(memory: Memory) -> None:
    alike = ("long", "broad", "cold")
    await remember(memory, tuple(f"The Danube is a {word} and busy European river." for word in alike))
    summary = "The Danube is a long, broad and busy river."
    found, _ = await reflect(memory, say(insight=summary, cites=[1, 2, 3], useful=3), topics=True)
    assert [len(note.cites) for note in found.kept] == [3]
    nothing, _ = await reflect(memory, say(insight="", cites=[1], useful=1), topics=True)
    assert nothing == Reflected((), ())
    await memory.close()
