"""What the journal costs: per step at full and normal durability, in bytes, to replay, to list, and to fork.

    python bench/journal.py [--steps 200] [--runs 10000] [--forks 1000] [--folder DIR]

A step is what a step of a real run writes: a clock, a model call with its prompt, a tool's call, and three events.
Beside it, in the same run and folder, a bare SQLite file takes the same bytes in one row and one commit per step,
which is the least that anything durable costs. Results are appended to bench/results/journal.jsonl.
"""

import argparse
import asyncio
import json
import shutil
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from common import RESULTS

from crowquill.agent.config import RunConfig
from crowquill.agent.events import Acted, ModelCalled, Observed
from crowquill.agent.fork import Change, create_fork
from crowquill.agent.journal import Journal
from crowquill.agent.models.base import Usage
from crowquill.agent.records import NewRun, list_records
from crowquill.agent.redact import Redactor
from crowquill.agent.tape import canonical
from crowquill.memory.clock import SystemClock
from crowquill.memory.db import Database, Durability
from crowquill.tools.context import Json

PROMPT = "The Danube is 2,850 kilometres long and rises in the Black Forest. " * 60
REPLY: Json = {"text": "x" * 300, "parsed": {"action": {"tool": "search"}}, "usage": {"prompt": 1000}}
HITS: Json = [{"url": f"https://example.org/{number}", "snippet": "y" * 200} for number in range(5)]
CONFIG = RunConfig(models=dict.fromkeys(("plan", "act", "write", "judge"), "scripted"), policy="json").to_json()


def saying(value: Json) -> Callable[[], Awaitable[Json]]:
    async def call() -> Json:
        return value

    return call


async def step(journal: Journal, number: int) -> None:
    lane = f"t1/s{number}"
    await journal.effect(lane, "clock", None, saying(float(number)))
    request: Json = {
        "role": "act",
        "messages": [{"role": "user", "content": f"{number}\n{PROMPT}"}],
        "model": "scripted",
    }
    await journal.effect(lane, "model", request, saying(REPLY))
    await journal.emit("t1", ModelCalled("act", Usage(1000, 0, 80, 1)))
    await journal.emit("t1", Acted(number, "search", {"query": "Danube"}))
    await journal.effect(lane, "search", {"query": "Danube", "limit": 5}, saying(HITS))
    await journal.emit("t1", Observed(number, "search", "5 results"))


async def record(database: Database, run_id: str, steps: int) -> float:
    """Record a run and return the seconds per step."""
    journal = Journal(database, run_id, clock=SystemClock(), redactor=Redactor([]))
    await journal.begin("How long is the Danube?", CONFIG)
    started = time.perf_counter()
    for number in range(1, steps + 1):
        await step(journal, number)
    seconds = (time.perf_counter() - started) / steps
    journal.finish("answered", {"short": "2,850 km"})
    return seconds


async def replay(database: Database, run_id: str, steps: int) -> float:
    """Return the steps replayed in a second, with reading the record."""
    started = time.perf_counter()
    journal = Journal(database, run_id, clock=SystemClock(), redactor=Redactor([]), mode="replay")
    await journal.begin("", None)
    for number in range(1, steps + 1):
        await step(journal, number)
    journal.check_complete(strict=True)
    return steps / (time.perf_counter() - started)


def bare(folder: Path, steps: int, size: int) -> float:
    """Return the seconds per commit of one row of `size` bytes, at full durability."""
    connection = sqlite3.connect(folder / "bare.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE steps (text TEXT)")
    text = "z" * size
    started = time.perf_counter()
    for _ in range(steps):
        connection.execute("INSERT INTO steps VALUES (?)", (text,))
    seconds = (time.perf_counter() - started) / steps
    connection.close()
    return seconds


def used(folder: Path) -> int:
    """Return the bytes of all files of a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


async def per_step(folder: Path, steps: int) -> dict[str, float]:
    found: dict[str, float] = {}
    levels: tuple[Durability, ...] = ("full", "normal")
    for level in levels:
        database = Database(folder / level / "crowquill.db", durability=level)
        await record(database, "warm", 5)
        rounds = [await record(database, f"r{number}", steps) for number in range(3)]
        database.close()
        found[f"ms per step, {level}"] = statistics.median(rounds) * 1e3
        database = Database(folder / level / "crowquill.db", durability=level)
        if level == "full":
            found["bytes per step"] = used(folder / level) / (3 * steps + 5)
            found["replayed steps per second"] = await replay(database, "r0", steps)
        database.close()
    found["ms per bare commit, full"] = bare(folder, steps, int(found["bytes per step"])) * 1e3
    return found


async def many_runs(folder: Path, runs: int) -> dict[str, float]:
    database = Database(folder / "many" / "crowquill.db", durability="normal")
    rows = [
        (
            f"20260101-{number:06}-abcdef",
            "How long is the Danube?",
            canonical(CONFIG),
            "answered",
            f"2026-01-01T00:00:00.{number:06}+00:00",
            "2026",
            1,
            "",
            '{"reward":1,"short":"2,850 km"}',
        )
        for number in range(runs)
    ]
    columns = "id, objective, config, status, created_at, finished_at, pid, process, answer"
    query = f"INSERT INTO runs ({columns}) VALUES (?,?,?,?,?,?,?,?,?)"
    await database.write(lambda connection: connection.executemany(query, rows))
    found = {}
    for limit in (20, -1):
        started = time.perf_counter()
        records = await database.read(lambda connection, limit=limit: list_records(connection, limit))  # type: ignore[misc]
        shown = [(record.id, record.state, record.short) for record in records]
        found[f"ms to list {len(shown)} of {runs} runs"] = (time.perf_counter() - started) * 1e3
    database.close()
    return found


async def many_forks(folder: Path, forks: int, steps: int) -> dict[str, float]:
    """Fork a run late, again and again, and let each fork take one step of its own."""
    place = folder / "forks"
    database = Database(place / "crowquill.db", durability="normal")
    await record(database, "parent", steps)
    database.shrink()
    before = used(place)
    started = time.perf_counter()
    for number in range(forks):
        new = NewRun(f"fork{number}", canonical(CONFIG), f"2026-01-01T00:00:00.{number:06}+00:00")
        await create_fork(database, "parent", new, step=f"t1/s{steps}", change=Change())
        journal = Journal(database, new.id, clock=SystemClock(), redactor=Redactor([]), mode="resume")
        await journal.begin("", CONFIG)
        for at in range(1, steps + 1):
            await step(journal, at)
        journal.finish("answered", {"short": "2,850 km"})
    seconds = time.perf_counter() - started
    database.shrink()
    after = used(place)
    database.close()
    return {
        "KiB of the parent": before / 1024,
        "KiB per fork": (after - before) / forks / 1024,
        "KiB of a copy per fork": before / 1024,
        "ms per fork with one step": seconds / forks * 1e3,
    }


async def measure(options: argparse.Namespace, folder: Path) -> dict[str, float]:
    found = await per_step(folder, options.steps)
    found |= await many_runs(folder, options.runs)
    return found | await many_forks(folder, options.forks, 60)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--forks", type=int, default=1_000)
    parser.add_argument("--folder", type=Path, help="where to write; a temporary folder when not given")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(dir=options.folder))
    try:
        found = asyncio.run(measure(options, folder))
    finally:
        shutil.rmtree(folder)
    for name, value in found.items():
        print(f"{name:<36} {value:12.3f}")
    RESULTS.mkdir(exist_ok=True)
    with (RESULTS / "journal.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps({**vars(options), "folder": str(options.folder), **found}) + "\n")


if __name__ == "__main__":
    main()
