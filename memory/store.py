"""What has been verified, kept for later runs.

Only evidence enters: spans of snapshots, computed values, query results; never a model's words, and never
recalled text again (the same content has the same id, so a second meeting is only a sighting). Rows are
written inside the caller's transaction; vectors follow outside of it, because embedding takes milliseconds.
"""

import asyncio
import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from crowquill.memory.clock import Clock, SystemClock
from crowquill.memory.db import Database
from crowquill.memory.embed import Embedder, Vectors
from crowquill.memory.evidence import Evidence, Quote, plain_text
from crowquill.memory.evidence_json import decode, encode

COMPUTED_TRUST = 0.9
"""Trust in computed values and query results, between 0 and 1; a quote has the trust of its source."""

_BATCH = 64
_LONGEST = 20_000  # characters of a table's text that are indexed


@dataclass(frozen=True, slots=True)
class Record:
    """Stored evidence. `seq` grows with every new record; `created_at` is ISO 8601 in UTC."""

    seq: int
    evidence: Evidence
    text: str
    title: str
    trust: float
    created_at: str


class MemoryStore:
    """The evidence of a workspace, in its one database."""

    def __init__(self, database: Database, embedder: Embedder, *, clock: Clock | None = None) -> None:
        self.database = database
        self.embedder = embedder
        self._clock: Clock = clock if clock is not None else SystemClock()
        self._embedding = asyncio.Lock()

    def insert(
        self, connection: sqlite3.Connection, rows: Sequence[Evidence], *, run: str, task: str, question: str
    ) -> int:
        """Write evidence inside the caller's transaction and return how much of it was new.

        Raises:
            TypeError: a row is no evidence.
        """
        now = self._clock.now().isoformat()
        added = 0
        for evidence in rows:
            if not isinstance(evidence, get_args(Evidence)):
                raise TypeError(f"only evidence is remembered, not {type(evidence).__name__}")
            added += connection.execute(
                "INSERT INTO evidence (id, kind, json, text, title, url, source_sha256, trust, created_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
                (
                    evidence.id,
                    evidence.kind,
                    json.dumps(encode(evidence), ensure_ascii=False),
                    *_facets(evidence),
                    now,
                ),
            ).rowcount
            connection.execute(
                "INSERT INTO sightings (evidence, run, task, question, at)"
                " SELECT seq, ?, ?, ?, ? FROM evidence WHERE id = ? ON CONFLICT DO NOTHING",
                (run, task, question, now, evidence.id),
            )
        return added

    async def add(self, rows: Sequence[Evidence], *, run: str, task: str, question: str) -> int:
        """Write evidence in a transaction of its own, embed it, and return how much was new.

        Raises:
            StorageError: the database cannot be written.
        """
        added = await self.database.write(
            lambda connection: self.insert(connection, rows, run=run, task=task, question=question)
        )
        await self.embed_pending()
        return added

    async def embed_pending(self) -> int:
        """Embed what has no vector of the present embedder yet; return how many rows that were."""
        done = 0
        async with self._embedding:
            while pending := await self.database.read(self._pending):
                texts = [text for _, text in pending]
                vectors = await asyncio.to_thread(self.embedder.embed, texts)
                await self.database.write(lambda connection: self._keep(connection, pending, vectors))  # noqa: B023
                done += len(pending)
        return done

    def _pending(self, connection: sqlite3.Connection) -> list[tuple[int, str]]:
        return connection.execute(
            "SELECT seq, title || CASE title WHEN '' THEN '' ELSE ': ' END || text FROM evidence"
            " WHERE seq IN (SELECT seq FROM evidence WHERE embedder IS NULL"  # by the index, no scan
            " UNION ALL SELECT seq FROM evidence WHERE embedder < ?1"
            " UNION ALL SELECT seq FROM evidence WHERE embedder > ?1) ORDER BY seq LIMIT ?2",
            (self.embedder.name, _BATCH),
        ).fetchall()

    def _keep(self, connection: sqlite3.Connection, pending: list[tuple[int, str]], vectors: Vectors) -> None:
        connection.executemany(
            "UPDATE evidence SET vector = ?, embedder = ? WHERE seq = ?",
            [
                (vector.astype("<f4").tobytes(), self.embedder.name, seq)
                for (seq, _), vector in zip(pending, vectors, strict=True)
            ],
        )

    async def count(self) -> int:
        """Return the number of records."""
        return int((await self.database.read(lambda c: c.execute("SELECT count(*) FROM evidence").fetchone()))[0])

    async def vectors_after(self, seq: int) -> tuple[list[int], Vectors]:
        """Return the sequence numbers above `seq` that are embedded, ascending, and their unit rows."""
        rows = await self.database.read(
            lambda connection: connection.execute(
                "SELECT seq, vector FROM evidence WHERE seq > ? AND embedder = ? ORDER BY seq",
                (seq, self.embedder.name),
            ).fetchall()
        )
        import numpy as np  # 0.2 s, only vectors need it

        matrix = np.frombuffer(b"".join(vector for _, vector in rows), "<f4").astype(np.float32)
        return [number for number, _ in rows], matrix.reshape(len(rows), self.embedder.dimensions)

    async def texts_after(self, seq: int) -> list[tuple[int, str, str]]:
        """Return (sequence number, title, text) of the records above `seq`, ascending."""
        return await self.database.read(
            lambda connection: connection.execute(
                "SELECT seq, title, text FROM evidence WHERE seq > ? ORDER BY seq", (seq,)
            ).fetchall()
        )

    async def records(self, numbers: Sequence[int]) -> dict[int, Record]:
        """Return the records of these numbers that are as written. Raises StorageError when one cannot be read."""
        wanted = json.dumps([int(number) for number in numbers])
        rows = await self.database.read(
            lambda connection: connection.execute(
                "SELECT seq, json, text, title, trust, created_at, id FROM evidence"
                " WHERE seq IN (SELECT value FROM json_each(?))",
                (wanted,),
            ).fetchall()
        )
        read = [(row[0], decode(json.loads(row[1])), row) for row in rows]
        return {  # what is no longer what its id says was changed on the disk, and is not shown
            seq: Record(seq, evidence, *row[2:6]) for seq, evidence, row in read if evidence.id == row[6]
        }

    async def seen_in(self, run: str) -> set[int]:
        """Return the sequence numbers of what a run met."""
        rows = await self.database.read(
            lambda connection: connection.execute("SELECT evidence FROM sightings WHERE run = ?", (run,)).fetchall()
        )
        return {row[0] for row in rows}


def _facets(evidence: Evidence) -> tuple[str, str, str, str, float]:
    """Return text, title, URL, hash of the source and trust."""
    text = plain_text(evidence)[:_LONGEST]
    if isinstance(evidence, Quote):
        source = evidence.source
        return text, source.title, source.url, source.sha256, source.trust
    return text, "", "", "", COMPUTED_TRUST
