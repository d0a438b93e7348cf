"""Vector search: Chroma against the exact answer, damage, and two processes."""

import fcntl
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from crowquill.memory.chroma import Collection
from crowquill.memory.db import Database
from crowquill.memory.embed import HashingEmbedder, Vectors
from crowquill.memory.evidence import Computation
from crowquill.memory.index import ChromaIndex, ExactIndex
from crowquill.memory.record import Origin
from crowquill.memory.store import MemoryStore


def sums(first: int, last: int) -> list[Computation]:
    return [Computation(f"add {n} and {n * n} crows", str(n + n * n), str(n + n * n)) for n in range(first, last)]


async def filled(tmp_path: Path, count: int) -> MemoryStore:
    store = MemoryStore(Database(tmp_path / "crowquill.db"), HashingEmbedder(64))
    await store.add(sums(0, count), Origin("r", "t", ""))
    return store


def vector(store: MemoryStore, text: str) -> Vectors:
    rows: Vectors = store.embedder.embed([text])[0]
    return rows


async def opened(store: MemoryStore, directory: Path) -> ChromaIndex:
    index = ChromaIndex(store, directory, smallest=10)
    await index.sync()
    assert await index.opened()
    return index


async def test_exact_search_is_by_cosine_and_follows_the_store(tmp_path: Path) -> None:
    store = await filled(tmp_path, 20)
    index = ExactIndex(store)
    query = vector(store, "add 12 and 144 crows = 156")
    assert await index.search(query, 3) == []
    await index.sync()
    (first, score), second, _ = await index.search(query, 3)
    assert first == 13
    assert score == pytest.approx(1.0, abs=1e-5)
    assert second[1] < score
    await store.add(sums(20, 30), Origin("r", "t", ""))
    await index.sync()
    await index.sync()
    assert len(await index.search(query, 100)) == 30
    assert await index.search(query, 0) == []
    store.database.close()


async def test_chroma_agrees_with_exact_search_and_takes_in_what_comes_later(tmp_path: Path) -> None:
    store = await filled(tmp_path, 300)
    query = vector(store, "add 5 crows")
    exact, chroma = ExactIndex(store), ChromaIndex(store, tmp_path / "chroma", smallest=100)
    for _ in range(2):
        await exact.sync()
        await chroma.sync()
        assert await chroma.opened()
        for n in range(0, 300, 37):
            query = vector(store, f"add {n} crows")
            expected, found = await exact.search(query, 10), await chroma.search(query, 10)
            assert [score for _, score in found] == pytest.approx([score for _, score in expected], abs=1e-4)
        assert len(await chroma.search(query, 1000)) == await store.count()
        await store.add(sums(300, 340), Origin("r", "t", ""))
    await chroma.close()
    again = ChromaIndex(store, tmp_path / "chroma", smallest=100)
    await again.sync()
    assert len(await again.search(vector(store, "add"), 1000)) == 340
    await again.close()
    store.database.close()


async def test_below_its_size_chroma_stays_shut(tmp_path: Path) -> None:
    store = await filled(tmp_path, 5)
    index = ChromaIndex(store, tmp_path / "chroma")
    await index.sync()
    assert not index.is_open
    assert len(await index.search(vector(store, "add"), 10)) == 5
    assert not (tmp_path / "chroma").exists()
    await index.close()
    store.database.close()


async def test_without_the_lock_search_is_exact(tmp_path: Path) -> None:
    store = await filled(tmp_path, 20)
    holder = os.open(tmp_path / "chroma.lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(holder, fcntl.LOCK_EX)
    index = ChromaIndex(store, tmp_path / "chroma", smallest=10)
    await index.sync()
    assert not index.is_open
    assert len(await index.search(vector(store, "add"), 100)) == 20
    os.close(holder)
    await index.sync()
    assert await index.opened()
    await index.close()
    store.database.close()


def garbage(directory: Path) -> None:
    (directory / "chroma.sqlite3").write_bytes(b"not a database" * 100)


def strangers(directory: Path) -> None:
    import chromadb

    client = chromadb.PersistentClient(str(directory))
    collection = client.get_collection("evidence", embedding_function=None)
    collection.upsert(ids=["777"], embeddings=np.ones((1, 64), np.float32))
    client.close()  # type: ignore[attr-defined] # pyright: ignore


def half(directory: Path) -> None:
    import chromadb

    client = chromadb.PersistentClient(str(directory))
    collection = client.get_collection("evidence", embedding_function=None)
    collection.delete(ids=[str(n) for n in range(1, 11)])
    client.close()  # type: ignore[attr-defined] # pyright: ignore


@pytest.mark.parametrize("damage", [garbage, strangers, half])
async def test_a_damaged_collection_is_mended_from_the_store(
    tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    store = await filled(tmp_path, 20)
    await (await opened(store, tmp_path / "chroma")).close()
    damage(tmp_path / "chroma" / "1")
    again = await opened(store, tmp_path / "chroma")
    assert sorted(number for number, _ in await again.search(vector(store, "add"), 100)) == list(range(1, 21))
    await again.close()
    store.database.close()


async def test_another_embedder_gets_another_collection(tmp_path: Path) -> None:
    store = await filled(tmp_path, 20)
    await (await opened(store, tmp_path / "chroma")).close()
    other = MemoryStore(store.database, HashingEmbedder(128))
    await other.embed_pending()
    index = await opened(other, tmp_path / "chroma")
    assert len(await index.search(vector(other, "add 3 crows"), 100)) == 20
    await index.close()
    store.database.close()


async def test_a_build_that_was_stopped_goes_on_in_the_next_process(tmp_path: Path) -> None:
    store = await filled(tmp_path, 1200)
    query = vector(store, "add 7 crows")
    for _ in range(20):
        index = ChromaIndex(store, tmp_path / "chroma", smallest=10)
        await index.sync()
        assert len(await index.search(query, 2000)) == 1200  # exact until Chroma is open
        await index.close()
        if (tmp_path / "chroma" / "1").exists():
            break
    index = await opened(store, tmp_path / "chroma")
    assert len(await index.search(query, 2000)) == 1200
    await index.close()
    store.database.close()


def test_what_was_in_memory_before_does_not_reach_the_files_of_chroma(tmp_path: Path) -> None:
    """Places of vectors that are still to come are written, too; the second collection had got used memory."""
    rows = np.eye(5, 64, dtype=np.float32)
    for name in ("one", "two", "three"):
        collection = Collection(tmp_path / name, "s")
        collection.upsert([1, 2, 3, 4, 5], rows)
        collection.query(rows[0], 1)
        collection.close()
    written = [path.read_bytes() for path in tmp_path.rglob("data_level0.bin")]
    assert len(written) == 3
    assert all(len(set(data[len(data) // 10 :])) == 1 for data in written)


class TwoClusters(HashingEmbedder):
    """Vectors in two tight clusters: Chroma's graph has no way to some of 3,000 such, in most builds."""

    random = np.random.default_rng(1)
    centres = 3 + random.normal(size=(2, 64))

    def embed(self, texts: Sequence[str]) -> Vectors:
        rows = self.centres[self.random.integers(0, 2, len(texts))]
        rows = rows + 0.1 * self.random.normal(size=rows.shape)
        unit: Vectors = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
        return unit


async def test_what_the_graph_of_chroma_does_not_reach_is_found_all_the_same(tmp_path: Path) -> None:
    store = MemoryStore(Database(tmp_path / "crowquill.db"), TwoClusters(64))
    await store.add(sums(0, 3000), Origin("r", "t", ""))
    chroma = await opened(store, tmp_path / "0")
    for number in range(1, 10):
        if not chroma.unreached:
            await chroma.close()
            chroma = await opened(store, tmp_path / str(number))
    assert chroma.unreached
    numbers, vectors = await store.vectors_after(0)
    found = [number for number, _ in await chroma.search(vectors[-1], 4000)]
    assert sorted(found) == numbers
    await store.add(sums(3000, 3500), Origin("r", "t", ""))
    await chroma.sync()
    _, vectors = await store.vectors_after(numbers[-1])
    for own in vectors[:50]:
        (_, score), *_ = await chroma.search(own, 10)
        assert score == pytest.approx(1, abs=1e-5)
    await chroma.close()
    store.database.close()
