"""E3 of the reliability aims: several processes write and read one memory."""

import asyncio
import multiprocessing
import sqlite3
from pathlib import Path

import pytest

from crowquill.agent.workspace import Workspace
from crowquill.memory.embed import HashingEmbedder
from crowquill.memory.evidence import Computation
from crowquill.memory.record import Origin

FORK = multiprocessing.get_context("spawn")


def value(number: int) -> Computation:
    return Computation(f"{number} + {number}", str(2 * number), str(2 * number))


def write(place: Path, first: int, count: int) -> None:
    """Write so many records, each in a transaction of its own."""

    async def work() -> None:
        workspace = Workspace(place, embedder=HashingEmbedder(64))
        store = workspace.memory().store
        for number in range(first, first + count):
            await store.add([value(number)], Origin(f"r{first}", "t1", ""))
        workspace.close()

    asyncio.run(work())


def read(place: Path, times: int) -> None:
    """Search again and again, with an index of its own."""

    async def work() -> None:
        workspace = Workspace(place, embedder=HashingEmbedder(64))
        memory = workspace.memory()
        for number in range(times):
            await memory.retriever.search(f"{number} + {number}")
        await memory.close()
        workspace.close()

    asyncio.run(work())


@pytest.mark.parametrize(
    ("writers", "each", "readers"), [(2, 20, 1), pytest.param(8, 500, 4, marks=pytest.mark.slow)]
)
def test_every_write_of_every_process_is_kept_and_found(
    tmp_path: Path, writers: int, each: int, readers: int
) -> None:
    jobs = [FORK.Process(target=write, args=(tmp_path, number * each, each)) for number in range(writers)]
    jobs += [FORK.Process(target=read, args=(tmp_path, 20)) for _ in range(readers)]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join()
    assert [job.exitcode for job in jobs] == [0] * len(jobs)  # nobody was told that it is locked
    connection = sqlite3.connect(tmp_path / "crowquill.db")
    assert connection.execute("SELECT count(*) FROM records").fetchone() == (writers * each,)
    connection.close()

    async def search() -> set[str]:
        workspace = Workspace(tmp_path, embedder=HashingEmbedder(64))
        memory = workspace.memory()
        await memory.index.sync()
        await memory.index.opened()
        vectors = workspace.embedder.embed(["1 + 1"])
        found = await memory.index.search(vectors[0], writers * each + 10)
        records = await memory.store.records([number for number, _ in found])
        await memory.close()
        workspace.close()
        return {record.content.id for record in records.values()}

    assert asyncio.run(search()) == {value(number).id for number in range(writers * each)}
