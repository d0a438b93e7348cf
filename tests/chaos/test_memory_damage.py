"""E6 to E8 of the reliability aims for the memory: damaged, cut and missing files, and earlier versions.

Whatever is damaged, no quote may come back that does not stand in its page; a record may only be missing if that
was said, or its row is gone from the store.
"""

import asyncio
import json
import random
import shutil
import sqlite3
import sys
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from crowquill.errors import StorageError
from crowquill.memory import life
from crowquill.memory.db import Database
from crowquill.memory.embed import HashingEmbedder
from crowquill.memory.evidence import Quote
from crowquill.memory.evidence_json import encode
from crowquill.memory.index import ChromaIndex
from crowquill.memory.migrations import MIGRATIONS
from crowquill.memory.record import Origin
from crowquill.memory.retrieve import Retriever
from crowquill.memory.salvage import salvage
from crowquill.memory.snapshot import Line, Snapshot
from crowquill.memory.store import MemoryStore
from crowquill.memory.wordindex import WordIndex

COUNT = 40


def page(number: int) -> Snapshot:
    text = f"The river number {number} is {number * number + 7} kilometres long."
    return Snapshot(f"https://{number}.example/", f"River {number}", text, (Line(0, len(text)),), fetched_at="2026")


class Memory:
    """A store with both indexes on the disk."""

    def __init__(self, place: Path) -> None:
        self.store = MemoryStore(Database(place / "crowquill.db"), HashingEmbedder(64))
        self.chroma = ChromaIndex(self.store, place / "chroma", smallest=10)
        self.words = WordIndex(self.store, place / "words", smallest=10)
        self.retriever = Retriever(self.store, vectors=self.chroma, words=self.words)

    async def fill(self) -> None:
        for number in range(COUNT):
            self.store.database.blobs.put(page(number).text.encode())
            await self.store.add([page(number).quote(1, 1)], Origin(f"r{number}", "t1", ""))
        await self.retriever.sync()
        assert await self.chroma.opened()

    async def all(self) -> set[str]:
        """Return every quote that is found, each checked against its page."""
        await self.retriever.sync()
        await self.chroma.opened()
        found = set()
        for hit in await self.retriever.search("river kilometres long", limit=2 * COUNT):
            assert isinstance(hit.content, Quote)
            text = self.store.database.blobs.get(hit.content.source.sha256).decode()
            assert text[hit.content.start : hit.content.end] == hit.content.text
            found.add(hit.content.text)
        return found

    async def close(self) -> None:
        await self.chroma.close()
        self.words.close()
        self.store.database.close()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A memory as it lies on the disk while another process has its database open."""
    folder = tmp_path_factory.mktemp("memory")

    async def work() -> None:
        memory = Memory(folder / "w")
        await memory.fill()
        await memory.chroma.close()
        memory.words.close()
        shutil.copytree(folder / "w", folder / "open", ignore=shutil.ignore_patterns("*-shm", "*.lock"))
        memory.store.database.close()

    asyncio.run(work())
    return folder / "open"


def seen_in(place: Path) -> set[str]:
    async def work() -> set[str]:
        memory = Memory(place)
        try:
            return await memory.all()
        finally:
            await memory.close()

    return asyncio.run(work())


EXPECTED = {page(number).text for number in range(COUNT)}


@pytest.mark.parametrize("flips", [6, pytest.param(200, marks=pytest.mark.slow)])
def test_a_flipped_bit_is_noticed_or_harmless(whole: Path, tmp_path: Path, flips: int) -> None:
    draw, outcomes = random.Random(flips), Counter[str]()
    names = sorted(
        str(file.relative_to(whole)) for file in whole.rglob("*") if file.is_file() and file.stat().st_size
    )
    kinds = [
        [name for name in names if name.startswith("crowquill.db")],
        [name for name in names if name.startswith("chroma")],
        [name for name in names if name.startswith("words")],
    ]
    for number in range(flips):
        place = tmp_path / str(number)
        shutil.copytree(whole, place)
        file = place / draw.choice(kinds[number % 3])
        data = bytearray(file.read_bytes())
        data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
        file.write_bytes(data)
        try:
            found = seen_in(place)
            outcomes["harmless" if found == EXPECTED else "records missing"] += 1
            assert found <= EXPECTED
            if number % 3:  # an index holds nothing that the store does not
                assert found == EXPECTED, file
        except StorageError:
            outcomes["noticed"] += 1
            assert number % 3 == 0
        shutil.rmtree(place)
    sys.stdout.write(f"{flips} flipped bits: {dict(outcomes)}\n")


def without_shared_memory(place: Path) -> None:
    (place / "crowquill.db-shm").write_bytes(b"x" * 32768)
    (place / "crowquill.db-shm").unlink()


def without_chroma(place: Path) -> None:
    shutil.rmtree(place / "chroma")


def without_words(place: Path) -> None:
    shutil.rmtree(place / "words")


def half_a_chroma(place: Path) -> None:
    for file in (place / "chroma").rglob("*.bin"):
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


@pytest.mark.parametrize("harm", [without_shared_memory, without_chroma, without_words, half_a_chroma])
def test_recovery_is_automatic(whole: Path, tmp_path: Path, harm: Callable[[Path], None]) -> None:
    place = shutil.copytree(whole, tmp_path / "w")
    harm(place)
    assert seen_in(place) == EXPECTED
    assert seen_in(place) == EXPECTED


def test_a_truncated_log_costs_at_most_what_was_written_last(whole: Path, tmp_path: Path) -> None:
    place = shutil.copytree(whole, tmp_path / "w")
    log = place / "crowquill.db-wal"
    log.write_bytes(log.read_bytes()[: log.stat().st_size // 2])
    found = seen_in(place)
    assert found < EXPECTED
    assert found == {page(number).text for number in range(len(found))}


def earlier(path: Path) -> None:
    """Write the memory of a workspace before records had a life."""
    connection = sqlite3.connect(path, isolation_level=None)
    for step in MIGRATIONS[:8]:
        for statement in step.split(";\n") if isinstance(step, str) else ():
            connection.execute(statement)
    for number in range(3):
        quote = page(number).quote(1, 1)
        values = (quote.id, "quote", json.dumps(encode(quote)), quote.text, quote.source.title, quote.source.url)
        connection.execute(
            "INSERT INTO evidence (id, kind, json, text, title, url, source_sha256, trust, created_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, 0.5, '2026-01-01T00:00:00+00:00')",
            (*values, quote.source.sha256),
        )
        connection.execute("INSERT INTO sightings VALUES (?, 'r1', 't1', 'How long?', '2026')", (number + 1,))
    connection.execute("PRAGMA user_version=8")
    connection.close()


async def test_the_memory_of_an_earlier_version_lives_on(tmp_path: Path) -> None:
    earlier(tmp_path / "crowquill.db")
    store = MemoryStore(Database(tmp_path / "crowquill.db"), HashingEmbedder(64))
    assert {record.text for record in (await store.records([1, 2, 3])).values()} == {
        page(number).text for number in range(3)
    }
    text = page(1).text
    other = Snapshot("https://other.example/", "River", text + " ", (Line(0, len(text)),), fetched_at="2026")
    await store.add([other.quote(1, 1)], Origin("r2", "t1", ""))
    assert (await store.records([4]))[4].merged_into == 2  # it is compared with what was there
    store.database.close()


async def test_what_became_of_answers_is_saved_with_its_records(tmp_path: Path) -> None:
    store = MemoryStore(Database(tmp_path / "crowquill.db"), HashingEmbedder(64))
    await store.add([page(1).quote(1, 1)], Origin("r1", "t1", ""))
    accept = partial(life.judge, numbers=[1], question="How long?", accepted=True, author="run")
    store.database.write_now(accept)
    store.database.close()
    assert "1 outcomes" in salvage(tmp_path / "crowquill.db", store.database.blobs, "now")
    store.database.write_now(accept)  # known, so it counts no second time
    assert (await store.records([1]))[1].upheld == 1
    store.database.close()


async def test_a_damaged_database_of_an_earlier_version_is_salvaged(tmp_path: Path) -> None:
    earlier(tmp_path / "crowquill.db")
    database = Database(tmp_path / "crowquill.db")
    assert "saved: 0 runs, 0 effects, 0 events, 3 records, 3 sightings" in salvage(
        tmp_path / "crowquill.db", database.blobs, "now"
    )
    store = MemoryStore(database, HashingEmbedder(64))
    assert (await store.records([1]))[1].prior == 0.5
    database.close()
