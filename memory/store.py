"""What has been verified, kept for later runs.

Evidence enters as spans of snapshots, computed values and query results; never a model's words, and never
recalled text again (the same content has the same id, so a second meeting is only a sighting). What a note cites
must be there. Rows are written inside the caller's transaction; vectors follow outside of it, because embedding
takes milliseconds.
"""

import asyncio
import json
import sqlite3
from collections.abc import Callable, Collection, Sequence
from typing import get_args

from crowquill.errors import StorageError, UserError
from crowquill.memory import life
from crowquill.memory.clock import Clock, SystemClock
from crowquill.memory.db import Database
from crowquill.memory.embed import Embedder, Vectors
from crowquill.memory.evidence import Evidence, Quote
from crowquill.memory.evidence_json import encode
from crowquill.memory.record import Content, Filter, Note, Origin, Record, decode, text_of

COMPUTED_TRUST = 0.9
"""Trust in computed values and query results, between 0 and 1; a quote has the trust of its source."""
NOTE_TRUST = 0.6
"""Trust in notes: what they say was said by a person, or passed the checks of the critic."""

_BATCH = 64
_LONGEST = 20_000  # characters of a table's text that are indexed

Embedded = Callable[[int, int], None]
"""Gets how many records of how many are embedded."""

_COLUMNS = (
    "seq, json, text, title, prior, created_at, namespace, author, status, why, importance, upheld, doubted,"
    " (SELECT count(*) FROM records AS copy WHERE copy.merged_into = records.seq), merged_into, used_at, uses,"
    " expires_at, url, id"
)
_PASSES = (
    " (:kinds = '[]' OR kind IN (SELECT value FROM json_each(:kinds)))"
    " AND (:namespaces = '[]' OR namespace IN (SELECT value FROM json_each(:namespaces)))"
    " AND (:source = '' OR instr(lower(url), lower(:source)) OR instr(lower(title), lower(:source)))"
    " AND (:since = '' OR created_at >= :since) AND (:until = '' OR created_at < :until)"
    " AND (:run = '' OR seq IN (SELECT evidence FROM sightings WHERE run = :run))"
    " AND (:unmet_by = '' OR seq NOT IN (SELECT evidence FROM sightings WHERE run = :unmet_by))"
    " AND id NOT IN (SELECT value FROM json_each(:without))"
    " AND (:shelved OR (status = 'active' AND merged_into IS NULL AND (expires_at IS NULL OR expires_at > :now)))"
)


class MemoryStore:
    """The records of a workspace, in its one database."""

    def __init__(self, database: Database, embedder: Embedder, *, clock: Clock | None = None) -> None:
        self.database = database
        self.embedder = embedder
        self.clock: Clock = clock if clock is not None else SystemClock()
        self._embedding = asyncio.Lock()

    def now(self) -> str:
        """Return the present moment as it is stored."""
        return self.clock.now().isoformat()

    def insert(self, connection: sqlite3.Connection, rows: Sequence[Content], origin: Origin) -> int:
        """Write records inside the caller's transaction and return how many were new.

        Raises:
            TypeError: a row is neither evidence nor a note.
            StorageError: a note cites what is not there.
        """
        now, added = self.now(), 0
        for content in rows:
            if not isinstance(content, (*get_args(Evidence), Note)):
                raise TypeError(f"only evidence and notes are remembered, not {type(content).__name__}")
            new = _insert(connection, content, origin, now)
            added += new
            (seq,) = connection.execute("SELECT seq FROM records WHERE id = ?", (content.id,)).fetchone()
            connection.execute(
                "INSERT INTO sightings (evidence, run, task, question, at) VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT DO NOTHING",
                (seq, origin.run, origin.task, origin.question, now),
            )
            if new:
                life.mark(connection, seq, content)
                life.settle(connection, seq, content, now, below=seq)
                _cite(connection, seq, content, now)
        return added

    async def add(self, rows: Sequence[Content], origin: Origin) -> int:
        """Write records in a transaction of its own, embed them, and return how many were new.

        Raises:
            StorageError: the database cannot be written, or a note cites what is not there.
        """
        added = await self.database.write(lambda connection: self.insert(connection, rows, origin))
        await self.embed_pending()
        return added

    async def embed_pending(self, progress: Embedded | None = None) -> int:
        """Embed what has no vector of the present embedder yet; return how many rows that were."""
        done = 0
        async with self._embedding:
            total = await self.pending() if progress is not None else 0
            while batch := await self.database.read(self._pending):
                texts = [text for _, text in batch]
                vectors = await asyncio.to_thread(self.embedder.embed, texts)
                await self.database.write(lambda connection: self._keep(connection, batch, vectors))  # noqa: B023
                done += len(batch)
                if progress is not None:
                    progress(done, max(done, total))
        return done

    async def pending(self) -> int:
        """Return how many records have no vector of the present embedder yet."""
        query = "SELECT count(*) FROM records WHERE embedder IS NULL OR embedder <> ?"
        name = self.embedder.name
        return int((await self.database.read(lambda c: c.execute(query, (name,)).fetchone()))[0])

    def _pending(self, connection: sqlite3.Connection) -> list[tuple[int, str]]:
        return connection.execute(
            "SELECT seq, title || CASE title WHEN '' THEN '' ELSE ': ' END || text FROM records"
            " WHERE seq IN (SELECT seq FROM records WHERE embedder IS NULL"  # by the index, no scan
            " UNION ALL SELECT seq FROM records WHERE embedder < ?1"
            " UNION ALL SELECT seq FROM records WHERE embedder > ?1) ORDER BY seq LIMIT ?2",
            (self.embedder.name, _BATCH),
        ).fetchall()

    def _keep(self, connection: sqlite3.Connection, batch: list[tuple[int, str]], vectors: Vectors) -> None:
        connection.executemany(
            "UPDATE records SET vector = ?, embedder = ? WHERE seq = ?",
            [
                (vector.astype("<f4").tobytes(), self.embedder.name, seq)
                for (seq, _), vector in zip(batch, vectors, strict=True)
            ],
        )

    async def last(self) -> int:
        """Return the highest sequence number: never below the number of records, and quicker to tell."""
        query = "SELECT coalesce(max(seq), 0) FROM records"
        return int((await self.database.read(lambda c: c.execute(query).fetchone()))[0])

    async def count(self) -> int:
        """Return the number of records."""
        return int((await self.database.read(lambda c: c.execute("SELECT count(*) FROM records").fetchone()))[0])

    async def vectors_after(self, seq: int) -> tuple[list[int], Vectors]:
        """Return the sequence numbers above `seq` that are embedded, ascending, and their unit rows."""
        return self._matrix(
            await self.database.read(
                lambda connection: connection.execute(
                    "SELECT seq, vector FROM records WHERE seq > ? AND embedder = ? ORDER BY seq",
                    (seq, self.embedder.name),
                ).fetchall()
            )
        )

    async def vectors_of(self, numbers: Collection[int]) -> dict[int, Vectors]:
        """Return the unit vectors of these records, by sequence number."""
        query = (
            "SELECT seq, vector FROM records WHERE seq IN (SELECT value FROM json_each(?)) AND embedder = ?"
            " ORDER BY seq"
        )
        wanted = (json.dumps([int(number) for number in numbers]), self.embedder.name)
        found, matrix = self._matrix(await self.database.read(lambda c: c.execute(query, wanted).fetchall()))
        return dict(zip(found, matrix, strict=True))

    def _matrix(self, rows: list[tuple[int, bytes]]) -> tuple[list[int], Vectors]:
        import numpy as np  # 0.2 s, only vectors need it

        matrix = np.frombuffer(b"".join(vector for _, vector in rows), "<f4").astype(np.float32, copy=False)
        return [number for number, _ in rows], matrix.reshape(len(rows), self.embedder.dimensions)

    async def texts_after(self, seq: int, limit: int = -1) -> list[tuple[int, str, str]]:
        """Return (sequence number, title, text) of the records above `seq`, ascending."""
        return await self.database.read(
            lambda connection: connection.execute(
                "SELECT seq, title, text FROM records WHERE seq > ? ORDER BY seq LIMIT ?", (seq, limit)
            ).fetchall()
        )

    async def records(self, numbers: Sequence[int], chosen: Filter | None = None) -> dict[int, Record]:
        """Return those of these records that pass the filter and are as written. Raises StorageError."""
        wanted = json.dumps([int(number) for number in numbers])
        return await self._select(
            " WHERE seq IN (SELECT value FROM json_each(:wanted)) AND", chosen, {"wanted": wanted}
        )

    async def has(self, chosen: Filter) -> bool:
        """Say whether any record passes a filter. Raises StorageError."""
        values = {**_conditions(chosen), "now": self.now()}
        query = f"SELECT 1 FROM records WHERE{_PASSES} LIMIT 1"  # noqa: S608 - constants of ours
        return await self.database.read(lambda connection: connection.execute(query, values).fetchone()) is not None

    async def standing(self, unmet_by: str) -> list[tuple[str, int, int]]:
        """Return, for each page that was quoted, how often its quotes were upheld and doubted.

        Those that the run `unmet_by` has met do not count, nor pages of which neither is known.
        """
        query = (
            "SELECT url, sum(upheld), sum(doubted) FROM records WHERE kind = 'quote' AND upheld + doubted > 0"
            " AND seq NOT IN (SELECT evidence FROM sightings WHERE run = ?) GROUP BY url ORDER BY url"
        )
        return await self.database.read(lambda connection: connection.execute(query, (unmet_by,)).fetchall())

    async def matching(self, chosen: Filter, limit: int = -1) -> list[Record]:
        """Return the records that pass a filter, newest first. Raises StorageError."""
        return list(
            (await self._select(" WHERE", chosen, {"limit": limit}, " ORDER BY seq DESC LIMIT :limit")).values()
        )

    async def _select(
        self, where: str, chosen: Filter | None, values: dict[str, object], rest: str = ""
    ) -> dict[int, Record]:
        chosen = Filter(shelved=True) if chosen is None else chosen
        values = {**values, **_conditions(chosen), "now": self.now()}
        query = f"SELECT {_COLUMNS} FROM records{where}{_PASSES}{rest}"  # noqa: S608 - constants of ours
        rows = await self.database.read(lambda connection: connection.execute(query, values).fetchall())
        read = [(row, decode(json.loads(row[1]))) for row in rows]
        return {  # what is no longer what its id says was changed on the disk, and is not shown
            row[0]: Record(row[0], content, *row[2:19]) for row, content in read if content.id == row[19]
        }


def number_of(connection: sqlite3.Connection, id_: str) -> int | None:
    """Return the sequence number of an id, or of the one id that begins so. Raises UserError for several."""
    rows = connection.execute(
        "SELECT seq, id FROM records WHERE id >= ?1 AND id < ?1 || 'g' ORDER BY id LIMIT 2", (id_,)
    ).fetchall()
    if len(rows) > 1 and rows[0][1] != id_:
        raise UserError(f"several records begin with {id_!r}; write more of the id")
    return int(rows[0][0]) if rows else None


def _insert(connection: sqlite3.Connection, content: Content, origin: Origin, now: str) -> int:
    text, title, url, sha256, prior = _facets(content)
    return connection.execute(
        "INSERT INTO records (id, kind, json, text, title, url, source_sha256, prior, created_at, namespace,"
        " author, importance, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (id) DO NOTHING",
        (
            *(content.id, content.kind, json.dumps(encode(content), ensure_ascii=False), text),
            *(title if origin.title is None else origin.title, url, sha256),
            *(prior if origin.trust is None else origin.trust, now),
            *(origin.namespace, origin.author, origin.importance, origin.expires_at),
        ),
    ).rowcount


def _cite(connection: sqlite3.Connection, seq: int, content: Content, now: str) -> None:
    for id_ in content.cites if isinstance(content, Note) else ():
        cited = number_of(connection, id_)
        if cited is None:
            raise StorageError(f"a note cites {id_}, which is not in the memory")
        life.relate(connection, seq, "cites", cited, now)


def _conditions(chosen: Filter) -> dict[str, object]:
    return {
        "kinds": json.dumps(sorted(chosen.kinds)),
        "namespaces": json.dumps(sorted(chosen.namespaces)),
        "source": chosen.source,
        "since": chosen.since,
        "until": chosen.until,
        "run": chosen.run,
        "unmet_by": chosen.unmet_by,
        "without": json.dumps(sorted(chosen.without)),
        "shelved": chosen.shelved,
    }


def _facets(content: Content) -> tuple[str, str, str, str, float]:
    """Return text, title, URL, hash of the source and trust at the beginning."""
    text = text_of(content)[:_LONGEST]
    if isinstance(content, Quote):
        source = content.source
        return text, source.title, source.url, source.sha256, source.trust
    if isinstance(content, Note):
        return text, content.title, "", "", NOTE_TRUST
    return text, "", "", "", COMPUTED_TRUST
