"""The full-text index of the store: on the disk when large, and never trusted blindly."""

import shutil
from pathlib import Path

import pytest

from crowquill.memory.db import Database
from crowquill.memory.embed import HashingEmbedder
from crowquill.memory.evidence import Computation
from crowquill.memory.record import Origin
from crowquill.memory.store import MemoryStore
from crowquill.memory.wordindex import WordIndex


def sums(first: int, last: int) -> list[Computation]:
    return [Computation(f"crow{n} + crow{n}", str(n), str(n)) for n in range(first, last)]


@pytest.fixture
async def store(tmp_path: Path) -> MemoryStore:
    store = MemoryStore(Database(tmp_path / "crowquill.db"), HashingEmbedder(64))
    await store.add(sums(0, 30), Origin("r", "t", ""))
    return store


async def test_a_small_one_stays_in_memory(store: MemoryStore, tmp_path: Path) -> None:
    index = WordIndex(store, tmp_path / "words")
    await index.sync()
    assert not index.is_kept
    assert await index.search("crow7", 5) == [8]
    assert not (tmp_path / "words").exists()
    store.database.close()


async def test_a_large_one_is_kept_and_takes_in_what_comes_later(store: MemoryStore, tmp_path: Path) -> None:
    for count in (30, 40, 40):
        index = WordIndex(store, tmp_path / "words", smallest=10)
        await index.sync()
        assert index.is_kept
        assert len(index.held) == count
        await store.add(sums(30, 40), Origin("r", "t", ""))
        await index.sync()
        assert await index.search("crow35", 5) == [36]
        index.close()
    store.database.close()


async def test_who_has_no_lock_searches_what_is_there_and_the_rest_in_memory(
    store: MemoryStore, tmp_path: Path
) -> None:
    holder = WordIndex(store, tmp_path / "words", smallest=10)
    await holder.sync()
    reader = WordIndex(store, tmp_path / "words", smallest=10)
    await reader.sync()
    assert reader.is_kept
    await store.add(sums(30, 40), Origin("r", "t", ""))
    await reader.sync()
    assert (await reader.search("crow35", 5), await reader.search("crow7", 5)) == ([36], [8])
    assert len(reader.held) == 40
    assert len(holder.held) == 30
    for index in (holder, reader):
        index.close()
    store.database.close()


@pytest.mark.parametrize("harm", ["flip", "cut", "gone", "seal"])
async def test_a_damaged_one_is_built_anew(store: MemoryStore, tmp_path: Path, harm: str) -> None:
    index = WordIndex(store, tmp_path / "words", smallest=10)
    await index.sync()
    index.close()
    folder = tmp_path / "words"
    largest = max(folder.glob("*.*"), key=lambda path: path.stat().st_size)
    data = bytearray(largest.read_bytes())
    match harm:
        case "flip":
            data[len(data) // 2] ^= 4
            largest.write_bytes(data)
        case "cut":
            largest.write_bytes(data[: len(data) // 2])
        case "gone":
            shutil.rmtree(folder)
            folder.mkdir()
        case _:
            (folder / "through.json").write_text("{")
    again = WordIndex(store, tmp_path / "words", smallest=10)
    await again.sync()
    assert again.is_kept
    assert len(again.held) == 30
    again.close()
    store.database.close()
