"""The memory as lines of JSON that another workspace takes over without loss.

Pages come first, then records in the order in which they were stored, relations, lessons. What comes in is checked
as what is met on the web: a quote must stand in its page, and an id must be that of its content.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from crowquill.errors import StorageError, UserError
from crowquill.memory.db import Database
from crowquill.memory.evidence import Quote, digest
from crowquill.memory.evidence_json import encode
from crowquill.memory.life import Relation, mark, settle
from crowquill.memory.record import Author, Content, Kind, Status, decode

FORMAT = "crowquill-memory"
VERSION = 1
_BATCH = 500

Entry = dict[str, Any]


class _Page(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    type: Literal["page"]
    sha256: str
    text: str


class _Relation(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    type: Literal["relation"]
    subject: str
    relation: Relation
    object: str
    at: str


class _Lesson(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    type: Literal["lesson"]
    database: str
    question: str
    sql: str
    correction: str
    at: str


class _Outcome(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    question: str
    accepted: bool
    author: Author


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    type: Literal["record"]
    id: str
    kind: Kind
    text: str
    title: str
    url: str
    source_sha256: str
    prior: float = Field(gt=0, lt=1)
    created_at: str
    namespace: str
    author: Author
    status: Status
    why: str
    importance: float = Field(ge=0, le=1)
    upheld: int = Field(ge=0)
    doubted: int = Field(ge=0)
    used_at: str | None
    uses: int = Field(ge=0)
    expires_at: str | None
    merged_into: str | None
    content: dict[str, Any]
    sightings: list[list[str]]
    outcomes: list[_Outcome] = Field(default_factory=list)


_Line = _Page | _Record | _Relation | _Lesson
_LINE: TypeAdapter[_Line] = TypeAdapter(Annotated[_Line, Field(discriminator="type")])

_KEPT = (
    "kind, text, title, url, source_sha256, prior, created_at, namespace, author, status, why, importance, upheld,"
    " doubted, used_at, uses, expires_at"
)


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import brought: new records, those that were there, and those that were refused, with the reason."""

    added: int
    known: int
    refused: tuple[str, ...]


def export(database: Database, namespace: str | None = None) -> Iterator[str]:
    """Yield the memory, or one namespace of it, as lines of JSON without their ends. Raises StorageError."""
    rows = database.read_now(lambda connection: _rows(connection, namespace))
    yield _line({"type": FORMAT, "version": VERSION, "records": len(rows)})
    for sha256 in sorted({row["source_sha256"] for row in rows} - {""}):
        try:
            text = database.blobs.get(sha256).decode("utf-8", "surrogatepass")
        except StorageError:  # the page is gone; its quotes are refused where they are taken in
            continue
        yield _line({"type": "page", "sha256": sha256, "text": text})
    met = database.read_now(_sightings)
    judged = database.read_now(_outcomes)
    for row in rows:
        own = {"sightings": met.get(row["id"], []), "outcomes": judged.get(row["id"], [])}
        yield _line({"type": "record", **row, **own})
    yield from map(_line, database.read_now(lambda connection: _others(connection, namespace)))


def _line(data: dict[str, Any]) -> str:
    return json.dumps(data, ensure_ascii=True)


def _rows(connection: sqlite3.Connection, namespace: str | None) -> list[dict[str, Any]]:
    found = connection.execute(
        f"SELECT id, json, {_KEPT}, (SELECT id FROM records AS first WHERE first.seq = records.merged_into)"  # noqa: S608
        " AS merged_into FROM records WHERE ?1 IS NULL OR namespace = ?1 ORDER BY seq",
        (namespace,),
    )
    names = [column[0] for column in found.description]
    rows = [dict(zip(names, values, strict=True)) for values in found]
    return [{"content": json.loads(row.pop("json")), **row} for row in rows]


def _sightings(connection: sqlite3.Connection) -> dict[str, list[list[str]]]:
    met: dict[str, list[list[str]]] = {}
    for id_, *row in connection.execute(
        "SELECT id, run, task, question, at FROM sightings JOIN records ON seq = evidence ORDER BY at, run, task"
    ):
        met.setdefault(id_, []).append(row)
    return met


def _outcomes(connection: sqlite3.Connection) -> dict[str, list[dict[str, Any]]]:
    judged: dict[str, list[dict[str, Any]]] = {}
    for id_, question, accepted, author in connection.execute(
        "SELECT id, question, accepted, outcomes.author FROM outcomes JOIN records ON seq = record"
        " ORDER BY question"
    ):
        judged.setdefault(id_, []).append({"question": question, "accepted": bool(accepted), "author": author})
    return judged


def _others(connection: sqlite3.Connection, namespace: str | None) -> list[dict[str, Any]]:
    relations = connection.execute(
        "SELECT a.id, r.relation, b.id, r.at FROM relations AS r JOIN records AS a ON a.seq = r.subject"
        " JOIN records AS b ON b.seq = r.object WHERE ?1 IS NULL OR (a.namespace = ?1 AND b.namespace = ?1)"
        " ORDER BY r.subject, r.relation, r.object",
        (namespace,),
    )
    found = [{"type": "relation", "subject": a, "relation": r, "object": b, "at": at} for a, r, b, at in relations]
    if namespace is None:
        names = ("database", "question", "sql", "correction", "at")
        lessons = connection.execute("SELECT database, question, sql, correction, at FROM lessons ORDER BY id")
        found += [{"type": "lesson", **dict(zip(names, row, strict=True))} for row in lessons]
    return found


def take_in(database: Database, lines: Iterable[str]) -> Imported:
    """Take over what `export` wrote; what is known already only gets further sightings.

    Raises:
        UserError: it is no such file, or of a newer version.
        StorageError: the workspace cannot be written.
    """
    taking = _Taking(database)
    entries = _entries(lines)
    while batch := list(islice(entries, _BATCH)):
        taking.take(batch)
    return taking.finish()


class _Taking:
    """One import, in batches of one transaction each."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._pages: dict[str, str] = {}
        self._refused: list[str] = []
        self._known = 0
        self._new: list[tuple[int, Content]] = []
        self._before = database.read_now(_last)

    def take(self, batch: Sequence[tuple[int, Entry]]) -> None:
        records: list[tuple[_Record, Content]] = []
        others: list[_Relation | _Lesson] = []
        for number, entry in batch:
            try:
                line = _LINE.validate_python(entry)
                if isinstance(line, _Page):
                    self._pages[digest(line.text)] = line.text
                elif isinstance(line, _Record):
                    records.append((line, _sound(line, self._pages)))
                else:
                    others.append(line)
            except ValidationError as error:
                problem = error.errors()[0]
                self._refused.append(f"line {number}: {'.'.join(map(str, problem['loc']))}: {problem['msg']}")
            except StorageError as error:
                self._refused.append(f"line {number}: {error}")
        for _, content in records:
            if isinstance(content, Quote):  # its page is on the disk before the row that names it
                self._database.blobs.put(self._pages[content.source.sha256].encode("utf-8", "surrogatepass"))
        self._database.write_now(lambda connection: self._write(connection, records, others))

    def _write(
        self,
        connection: sqlite3.Connection,
        records: Sequence[tuple[_Record, Content]],
        others: Sequence[_Relation | _Lesson],
    ) -> None:
        for line, content in records:
            seq, new = _put(connection, line, content)
            self._known += not new
            self._new += [(seq, content)] if new else []
        for other in others:
            _put_other(connection, other)

    def finish(self) -> Imported:
        """Find the places of the new records among those that were here before."""

        def write(connection: sqlite3.Connection) -> None:
            now = datetime.now(UTC).isoformat()
            for seq, content in self._new if self._before else ():
                settle(connection, seq, content, now, below=self._before + 1)

        self._database.write_now(write)
        return Imported(len(self._new), self._known, tuple(self._refused))


def _last(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT coalesce(max(seq), 0) FROM records").fetchone()[0])


def _entries(lines: Iterable[str]) -> Iterator[tuple[int, Entry]]:
    for number, line in enumerate(lines, 1):
        try:
            entry = json.loads(line)
        except ValueError:
            entry = None
        if not isinstance(entry, dict) or (number == 1 and entry.get("type") != FORMAT):
            raise UserError(f"line {number} is not of a memory's export; make one with: crowquill memory export")
        if number > 1:
            yield number, entry
        elif entry.get("version") != VERSION:
            raise UserError(f"the export is of version {entry.get('version')}; upgrade Crowquill to read it")


def _sound(line: _Record, pages: dict[str, str]) -> Content:
    """Return the content of a line. Raises StorageError when it is not what it says, or stands in no page."""
    content = decode(line.content)
    if content.id != line.id or content.kind != line.kind:
        raise StorageError("it was changed: its id is not that of its content")
    if isinstance(content, Quote):
        text = pages.get(content.source.sha256)
        if text is None or text[content.start : content.end] != content.text:
            raise StorageError("the quote does not stand in its page")
    if any(len(sighting) != 4 for sighting in line.sightings):
        raise StorageError("a sighting is run, task, question and time")
    return content


def _put(connection: sqlite3.Connection, line: _Record, content: Content) -> tuple[int, bool]:
    names = [name.strip() for name in _KEPT.split(",")]
    marks = ", ".join("?" * (len(names) + 2))
    new = connection.execute(
        f"INSERT INTO records (id, json, {_KEPT}) VALUES ({marks}) ON CONFLICT (id) DO NOTHING",  # noqa: S608
        [content.id, json.dumps(encode(content), ensure_ascii=False), *(getattr(line, name) for name in names)],
    ).rowcount
    (seq,) = connection.execute("SELECT seq FROM records WHERE id=?", (content.id,)).fetchone()
    connection.executemany(
        "INSERT OR IGNORE INTO sightings (evidence, run, task, question, at) VALUES (?, ?, ?, ?, ?)",
        [(seq, *sighting) for sighting in line.sightings],
    )
    if new:
        mark(connection, seq, content)
        connection.executemany(
            "INSERT INTO outcomes VALUES (?, ?, ?, ?)",
            [(seq, outcome.question, outcome.accepted, outcome.author) for outcome in line.outcomes],
        )
        connection.execute(
            "UPDATE records SET merged_into=(SELECT seq FROM records WHERE id=?) WHERE seq=?",
            (line.merged_into, seq),
        )
    return seq, bool(new)


def _put_other(connection: sqlite3.Connection, line: _Relation | _Lesson) -> None:
    if isinstance(line, _Lesson):
        connection.execute(
            "INSERT OR IGNORE INTO lessons (database, question, sql, correction, at) VALUES (?, ?, ?, ?, ?)",
            (line.database, line.question, line.sql, line.correction, line.at),
        )
        return
    connection.execute(
        "INSERT OR IGNORE INTO relations SELECT a.seq, ?, b.seq, ? FROM records AS a, records AS b"
        " WHERE a.id=? AND b.id=?",
        (line.relation, line.at, line.subject, line.object),
    )
