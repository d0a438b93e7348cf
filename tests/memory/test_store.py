"""The store: content once, sightings many, rows and vectors in step."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from crowquill.errors import StorageError
from crowquill.memory.db import Database
from crowquill.memory.embed import HashingEmbedder
from crowquill.memory.evidence import Computation, Evidence, Quote, Table
from crowquill.memory.record import Filter, Origin
from crowquill.memory.snapshot import Line, Snapshot
from crowquill.memory.store import MemoryStore


def quote(text: str, *, url: str = "https://example.org/a", trust: float = 0.5) -> Quote:
    return Snapshot(url, "Crows", text, (Line(0, len(text)),), fetched_at="2024", trust=trust).quote(1, 1)


@pytest.fixture
def store(tmp_path: Path) -> MemoryStore:
    return MemoryStore(Database(tmp_path / "crowquill.db"), HashingEmbedder(64))


async def met(store: MemoryStore, run: str) -> set[int]:
    return {record.seq for record in await store.matching(Filter(run=run))}


ROWS: list[Evidence] = [
    quote("Crows bring gifts."),
    Computation("6*7", "42", "42"),
    Table("SELECT n FROM t", "shop", ("n",), ((7,),), 1),
]


async def test_what_was_added_comes_back_equal(store: MemoryStore) -> None:
    assert await store.add(ROWS, Origin("r1", "t1", "why?")) == 3
    records = await store.records([1, 2, 3, 99])
    assert [records[seq].content for seq in (1, 2, 3)] == ROWS
    assert records[1].title == "Crows"
    assert records[1].trust == 0.5
    assert await store.count() == 3
    store.database.close()


async def test_the_same_content_is_one_record_with_two_sightings(store: MemoryStore) -> None:
    await store.add(ROWS, Origin("r1", "t1", "why?"))
    assert await store.add([ROWS[0], quote("Rooks do not.")], Origin("r2", "t1", "how?")) == 1
    assert await store.count() == 4
    assert await met(store, "r1") == {1, 2, 3}
    again, new = sorted(await met(store, "r2"))
    assert again == 1
    assert (await store.records([new]))[new].text == "Rooks do not."
    assert await met(store, "r3") == set()
    store.database.close()


async def test_insert_is_part_of_the_callers_transaction(store: MemoryStore) -> None:
    def fails(connection: sqlite3.Connection) -> None:
        store.insert(connection, ROWS, Origin("r1", "t1", ""))
        raise KeyError("the caller changed its mind")

    with pytest.raises(KeyError):
        await store.database.write(fails)
    assert await store.count() == 0
    store.database.close()


async def test_a_models_words_are_not_evidence(store: MemoryStore) -> None:
    def insert(connection: sqlite3.Connection) -> None:
        store.insert(connection, ["crows can fly"], Origin("r", "t", ""))  # type: ignore[list-item] # pyright: ignore

    with pytest.raises(TypeError, match="only evidence"):
        await store.database.write(insert)
    store.database.close()


async def test_vectors_follow_and_change_with_the_embedder(store: MemoryStore) -> None:
    def insert(connection: sqlite3.Connection) -> int:
        return store.insert(connection, ROWS, Origin("r1", "t1", ""))

    await store.database.write(insert)
    assert (await store.vectors_after(0))[0] == []
    assert await store.embed_pending() == 3
    numbers, vectors = await store.vectors_after(1)
    assert numbers == [2, 3]
    assert vectors.shape == (2, 64)
    assert await store.embed_pending() == 0
    other = MemoryStore(store.database, HashingEmbedder(128))
    assert (await other.vectors_after(0))[0] == []
    assert await other.embed_pending() == 3
    assert (await other.vectors_after(0))[1].shape == (3, 128)
    assert (await store.vectors_after(0))[0] == []
    store.database.close()


async def test_two_stores_write_side_by_side(tmp_path: Path) -> None:
    stores = [MemoryStore(Database(tmp_path / "crowquill.db"), HashingEmbedder(64)) for _ in range(2)]
    await stores[0].count()  # one makes the file, as the first process in a new workspace does
    await asyncio.gather(
        *(
            store.add([quote(f"Fact {number} of {n}.")], Origin(f"r{n}", "t", ""))
            for n, store in enumerate(stores)
            for number in range(40)
        )
    )
    for n, store in enumerate(stores):
        assert await store.count() == 80
        assert len((await store.vectors_after(0))[0]) == 80
        assert len(await met(store, f"r{n}")) == 40
        store.database.close()


async def test_a_damaged_row_is_an_error_of_the_store(store: MemoryStore) -> None:
    await store.add(ROWS, Origin("r1", "t1", ""))
    await store.database.write(
        lambda c: c.execute("""UPDATE records SET json = '{"kind":"quote"}' WHERE seq = 1""")
    )
    with pytest.raises(StorageError, match="cannot be read"):
        await store.records([1])
    store.database.close()
