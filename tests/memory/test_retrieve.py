"""Hybrid retrieval over the store."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.clock import FakeClock

from crowquill.memory.db import Database
from crowquill.memory.embed import HashingEmbedder
from crowquill.memory.evidence import Quote
from crowquill.memory.record import Filter, Origin
from crowquill.memory.retrieve import Retriever
from crowquill.memory.scoring import Weights, fuse
from crowquill.memory.snapshot import Line, Snapshot
from crowquill.memory.store import MemoryStore


def quote(text: str, *, title: str = "", trust: float = 0.5) -> Quote:
    return Snapshot("https://example.org", title, text, (Line(0, len(text)),), trust=trust).quote(1, 1)


FACTS = [
    quote("Crows bring gifts to people who feed them.", title="Crow"),
    quote("The rook nests in tall trees.", title="Rook"),
    quote("Magpies recognise themselves in a mirror.", title="Magpie"),
    quote("Вороны приносят людям подарки.", title="Ворона"),
    quote("The stock market fell by 3 % in May.", title="Markets"),
]


@pytest.fixture
def store(tmp_path: Path) -> MemoryStore:
    return MemoryStore(Database(tmp_path / "crowquill.db"), HashingEmbedder())


async def test_the_best_comes_first_by_words_or_by_title(store: MemoryStore) -> None:
    await store.add(FACTS, Origin("r1", "t", ""))
    retriever = Retriever(store)
    for query, expected in (
        ("gifts of a crow", 0),
        ("nesting rooks", 1),
        ("magpie", 2),
        ("подарок вороны", 3),
        ("market", 4),
    ):
        hits = await retriever.search(query, limit=2)
        assert hits[0].content == FACTS[expected]
        assert all(0 < hit.score <= 1 for hit in hits)
    assert await retriever.search("", limit=3) == []
    assert await retriever.search("crow", limit=0) == []
    store.database.close()


async def test_nothing_is_found_in_an_empty_store(store: MemoryStore) -> None:
    assert await Retriever(store).search("crow") == []
    store.database.close()


async def test_later_evidence_is_found_and_a_runs_own_is_left_out(store: MemoryStore) -> None:
    retriever = Retriever(store)
    await store.add(FACTS[:2], Origin("r1", "t", ""))
    assert len(await retriever.search("crow gifts", limit=5)) == 1
    await store.add([FACTS[0], quote("A crow remembers faces.")], Origin("r2", "t", ""))
    assert len(await retriever.search("crow", limit=5)) == 2
    assert await retriever.search("crow", chosen=Filter(unmet_by="r2")) == []
    (hit,) = await retriever.search("crow", chosen=Filter(unmet_by="r1"))
    assert hit.content.id == quote("A crow remembers faces.").id
    (other,) = await retriever.search("crow", chosen=Filter(without=frozenset({hit.content.id})))
    assert other.content == FACTS[0]
    store.database.close()


async def test_trust_breaks_the_tie_by_its_weight(store: MemoryStore) -> None:
    doubtful, sure = quote("Crows count to 7.", trust=0.3), quote("A crow counts to 7.", trust=0.9)
    await store.add([doubtful, sure], Origin("r1", "t", ""))
    heavy = await Retriever(store, weights=Weights(0.2, 0, 0, 0.8)).search("crows count")
    assert [hit.content for hit in heavy] == [sure, doubtful]
    assert heavy[0].parts["trust"] == 0.9
    light = await Retriever(store, weights=Weights(1, 0, 0, 0)).search("crows count")
    assert light[0].content == doubtful
    assert light[0].score == pytest.approx(light[0].parts["relevance"])
    store.database.close()


@pytest.mark.parametrize("term", ["relevance", "recency", "importance", "trust"])
async def test_each_term_alone_decides_by_its_weight(tmp_path: Path, term: str) -> None:
    clock = FakeClock()
    store = MemoryStore(Database(tmp_path / "m.db"), HashingEmbedder(512), clock=clock)
    facts = {
        "importance": quote("Some crows count well to 7, says one book.", trust=0.3),
        "trust": quote("Crows count well to 7, as another book has it.", trust=0.9),
        "relevance": quote("Crows count.", trust=0.3),
        "recency": quote("That crows can count was noted just now.", trust=0.3),
    }
    for name, fact in facts.items():
        await store.add([fact], Origin("r1", "t", "", importance=0.9 if name == "importance" else 0.1))
        clock.seconds += 20 * 86_400
    weights = replace(Weights(0.0001, 0.0001, 0.0001, 0.0001), **{term: 1.0})
    hits = await Retriever(store, weights=weights).search("crows count")
    assert hits[0].content == facts[term]
    assert hits == sorted(hits, key=lambda hit: -hit.parts[term])
    for hit in hits:
        shares = hit.weights.shares
        assert hit.score == pytest.approx(sum(shares[name] * value for name, value in hit.parts.items()))
        assert f"{term} {hit.parts[term]:.2f} × 1.00" in hit.explain()
    store.database.close()


def test_reciprocal_rank_fusion() -> None:
    fused = fuse([["a", "b"], ["b", "c"]])
    assert list(fused) == ["b", "a", "c"]
    assert fused["b"] == pytest.approx(1 / 62 + 1 / 61)
    assert fused["c"] == pytest.approx(1 / 62)
    assert fuse([["a"], ["b", "a"]], k=1) == {"a": pytest.approx(1 / 2 + 1 / 3), "b": pytest.approx(1 / 2)}
    assert fuse([]) == {}
