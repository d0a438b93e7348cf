"""Looking after a workspace's memory: counts, value, and whether everything is whole and can be found."""

import asyncio
import sqlite3
from dataclasses import dataclass
from typing import Any

from crowquill.agent.workspace import Memory, Workspace
from crowquill.errors import StorageError
from crowquill.memory.evidence import Quote
from crowquill.memory.indexlock import erase_index
from crowquill.memory.record import Filter, Record
from crowquill.memory.scoring import Weights, recency
from crowquill.memory.store import MemoryStore


def counts(connection: sqlite3.Connection) -> dict[str, Any]:
    """Return how many records there are, by kind, namespace, state and embedder, and how many relations."""

    def grouped(query: str) -> dict[str, int]:
        return {str(name): count for name, count in connection.execute(query)}

    return {
        "records": connection.execute("SELECT count(*) FROM records").fetchone()[0],
        "kinds": grouped("SELECT kind, count(*) FROM records GROUP BY 1 ORDER BY 2 DESC"),
        "namespaces": grouped(
            "SELECT iif(namespace = '', '(runs)', namespace), count(*) FROM records GROUP BY 1 ORDER BY 2 DESC"
        ),
        "states": grouped(
            "SELECT iif(merged_into IS NULL, status, 'merged'), count(*) FROM records GROUP BY 1 ORDER BY 2 DESC"
        ),
        "embedders": grouped("SELECT coalesce(embedder, '(none yet)'), count(*) FROM records GROUP BY 1"),
        "relations": grouped("SELECT relation, count(*) FROM relations GROUP BY 1 ORDER BY 2 DESC"),
    }


async def least_valuable_last(store: MemoryStore) -> list[int]:
    """Return the numbers of all records by recency, importance and trust; shelved ones come last."""
    weights, now = Weights(0.0, 1.0, 1.0, 1.0), store.clock.now()

    def value(record: Record) -> tuple[bool, float]:
        fresh = record.created_at if record.used_at is None else max(record.created_at, record.used_at)
        terms = {"recency": recency(fresh, now), "importance": record.importance, "trust": record.trust}
        return record.status == "active", weights.score(terms)

    records = await store.matching(Filter(shelved=True))
    return [record.seq for record in sorted(records, key=value, reverse=True)]


@dataclass(frozen=True, slots=True)
class Audit:
    """How a memory was found: `damaged` says why, by id; `unfindable` counts records that an index lacked."""

    records: int
    damaged: dict[str, str]
    unfindable: int


async def audit(workspace: Workspace, memory: Memory) -> Audit:
    """Check every record against its id and its page, and ask both indexes for every one.

    An index that lacks any is erased, to be built again at its next use.
    """
    ids = dict(await workspace.database.read(lambda c: c.execute("SELECT seq, id FROM records").fetchall()))
    records = await memory.store.records(list(ids))
    damaged = {ids[seq]: "its content is not what its id says" for seq in ids if seq not in records}
    for record in records.values():
        if isinstance(record.content, Quote) and (why := _fault(workspace, record.content)):
            damaged[record.content.id] = why
    await memory.retriever.sync()
    await memory.index.opened()
    return Audit(len(ids), damaged, await _missing(memory, frozenset(ids)))


async def _missing(memory: Memory, numbers: frozenset[int]) -> int:
    """Return how many of these records an index does not find; one that lacks any is erased."""
    vector = await asyncio.to_thread(memory.store.embedder.embed, ["everything"])
    near = {number for number, _ in await memory.index.search(vector[0], len(numbers))}
    lacking = {"chroma": numbers - near, "words": numbers - memory.words.held}
    await memory.close()
    for name, without in lacking.items():
        if without:
            erase_index(memory.store.database.path.parent / name)
    return len(frozenset[int]().union(*lacking.values()))


def _fault(workspace: Workspace, quote: Quote) -> str:
    try:
        text = workspace.blobs.get(quote.source.sha256).decode("utf-8", "surrogatepass")
    except StorageError as error:
        return str(error)
    return "" if text[quote.start : quote.end] == quote.text else "it does not stand in its page"
