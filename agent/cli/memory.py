"""`crowquill memory`: search, show, add, shelve, restore."""

import asyncio
import sqlite3
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from crowquill.agent.cli.selecting import Selection, duration
from crowquill.agent.cli.session import print_json
from crowquill.agent.render import clean, one_line
from crowquill.agent.settings import retrieval_weights
from crowquill.agent.workspace import Memory, Workspace, find_workspace
from crowquill.errors import UserError
from crowquill.memory import life
from crowquill.memory.evidence import Quote
from crowquill.memory.evidence_json import encode
from crowquill.memory.packing import pack
from crowquill.memory.record import Note, Origin, Record
from crowquill.memory.retrieve import Recalled, Way
from crowquill.memory.scoring import Weights
from crowquill.memory.store import number_of

_PERSON_TRUST = 0.8
"""Trust in a note that a person has written, between 0 and 1."""


@dataclass(frozen=True, slots=True)
class Search:
    """What to search for, and how; `pack` is a budget in tokens."""

    query: str
    limit: int
    selection: Selection
    way: Way
    weights: str | None = None
    pack: int | None = None


@asynccontextmanager
async def opened(workspace: Workspace, weights: Weights | None = None) -> AsyncIterator[Memory]:
    """Open a workspace's memory for one command, with all records embedded; shows progress."""
    memory = workspace.memory(weights)
    try:
        if pending := await memory.store.pending():
            with Console(stderr=True).status(f"embedding {pending} records") as status:
                await memory.store.embed_pending(
                    lambda done, of: status.update(f"embedding {done} of {of} records")
                )
        yield memory
    finally:
        await memory.close()
        workspace.close()


def search(workspace: Path | None, asked: Search, *, explain: bool, as_json: bool) -> int:
    """Print the records that match, best first; without a query the newest."""
    place = Workspace(find_workspace(workspace))
    weights = None if asked.weights is None else retrieval_weights(place.path).with_text(asked.weights)

    async def work() -> list[Recalled]:
        chosen = asked.selection.chosen(place)
        async with opened(place, weights) as memory:
            if not asked.query.strip():
                found = await memory.store.matching(chosen, asked.limit)
                return [Recalled(record, 0.0, {}) for record in found]
            return await memory.retriever.search(asked.query, limit=asked.limit, chosen=chosen, way=asked.way)

    hits = asyncio.run(work())
    if asked.pack is not None:
        hits = [hits[at] for at in pack([hit.record.text for hit in hits], asked.pack)]
    if as_json:
        print_json({"schema": 1, "query": asked.query, "hits": [_hit_json(hit) for hit in hits]})
        return 0
    _show_hits(hits, explain=explain)
    if not hits:
        typer.echo("nothing is remembered about that" if asked.query else f"nothing is remembered in {place.path}")
    return 0


def _hit_json(hit: Recalled) -> dict[str, Any]:
    if not hit.parts:
        return record_json(hit.record)
    ranked = {"parts": dict(hit.parts), "weights": hit.weights.shares, "ranks": dict(hit.ranks)}
    return {**record_json(hit.record), "score": round(hit.score, 6), **ranked}


def record_json(record: Record) -> dict[str, Any]:
    """Return what is known about a record, as data."""
    return {
        "id": record.content.id,
        "kind": record.content.kind,
        "text": record.text,
        "title": record.title,
        "url": record.url,
        "namespace": record.namespace,
        "author": record.author,
        "status": record.status,
        "why": record.why,
        "trust": round(record.trust, 4),
        "importance": record.importance,
        "copies": record.copies,
        "uses": record.uses,
        "created_at": record.created_at,
        "used_at": record.used_at,
        "expires_at": record.expires_at,
    }


def _show_hits(hits: Sequence[Recalled], *, explain: bool) -> None:
    console = Console(highlight=False, soft_wrap=True)
    for hit in hits:
        console.print(_headline(hit.record))
        console.print(Text("    " + one_line(hit.record.text, 400)))
        if explain and hit.parts:
            console.print(Text("    " + hit.explain(), style="dim"))


def _headline(record: Record) -> Text:
    state = "" if record.status == "active" else f", {record.status}"
    copies = f", {record.copies + 1} times" if record.copies else ""
    place = f" [{one_line(record.namespace, 30)}]" if record.namespace else ""
    line = Text(f"{record.content.id} ", style="bold")
    line.append(f"{record.content.kind}{place}, trust {record.trust:.2f}{copies}{state}", style="dim")
    return line.append(f"  {one_line(record.title, 80)}")


def show(workspace: Path | None, name: str, *, as_json: bool) -> int:
    """Print everything that is known about a record."""
    place = Workspace(find_workspace(workspace))

    async def work() -> tuple[Record, list[list[str]], list[list[str]]]:
        memory = place.memory()
        (number,) = await numbers(memory, [name])
        record = (await memory.store.records([number])).get(number)
        if record is None:
            raise UserError(f"{name} is damaged on the disk; see: crowquill memory audit")
        return record, *(await place.database.read(lambda connection: _around(connection, number)))

    with closing(place):
        record, sightings, relations = asyncio.run(work())
    if as_json:
        met = [dict(zip(("run", "task", "question", "at"), row, strict=True)) for row in sightings]
        related = [dict(zip(("relation", "id", "text"), row, strict=True)) for row in relations]
        content = {"content": encode(record.content)}
        print_json({"schema": 1, **record_json(record), **content, "sightings": met, "relations": related})
        return 0
    console = Console(highlight=False, soft_wrap=True)
    console.print(_headline(record))
    console.print(Text(clean(record.text)))
    grid = Table(box=None, show_header=False, pad_edge=False)
    for label, value in _facts(record):
        grid.add_row(Text(label, style="dim"), Text(one_line(value, 300)))
    for run, task, question, at in sightings:
        grid.add_row(Text("met", style="dim"), Text(one_line(f"{at[:16]} run {run} {task}: {question}", 300)))
    for relation, other, text in relations:
        grid.add_row(Text(relation, style="dim"), Text(one_line(f"{other}: {text}", 300)))
    console.print(grid)
    return 0


def _facts(record: Record) -> Iterator[tuple[str, str]]:
    spoken = (
        f"{record.trust:.2f} ({record.prior:.2f} at first, {record.upheld} for it, {record.doubted} against it)"
    )
    yield "trust", spoken
    if isinstance(record.content, Quote):
        quote = record.content
        page = f", page {quote.page}" if quote.page is not None else ""
        yield "stands in", f"{quote.source.url}, lines {quote.lines[0]}-{quote.lines[1]}{page}"
        yield "snapshot", f"{quote.source.sha256[:16]}… fetched {quote.source.fetched_at}"
    if isinstance(record.content, Note) and record.content.steps:
        yield "steps", "; ".join(record.content.steps)
    yield "stored", f"{record.created_at[:16]} by {record.author}; recalled {record.uses} times"
    yield "importance", f"{record.importance:.2f}"
    if record.expires_at is not None:
        yield "expires", record.expires_at[:16]
    if record.status != "active":
        yield record.status, record.why


def _around(connection: sqlite3.Connection, number: int) -> tuple[list[list[str]], list[list[str]]]:
    """Return who met a record, and what it is related to."""
    met = connection.execute(
        "SELECT run, task, question, at FROM sightings WHERE evidence=? AND run<>'' ORDER BY at", (number,)
    )
    related = connection.execute(
        "SELECT relation, id, text FROM relations JOIN records ON seq=object WHERE relations.subject=?1"
        " UNION ALL SELECT 'is recalled as', id, text FROM records WHERE seq="
        " (SELECT merged_into FROM records WHERE seq=?1)"
        " UNION ALL SELECT 'copy', id, text FROM records WHERE merged_into=?1",
        (number,),
    )
    return [list(row) for row in met], [list(row) for row in related]


@dataclass(frozen=True, slots=True)
class Noted:
    """A note as it was typed."""

    text: str
    title: str
    cites: tuple[str, ...]
    namespace: str
    importance: float
    expires: str


def add(workspace: Path | None, noted: Noted, *, as_json: bool) -> int:
    """Write a note down."""
    text = (sys.stdin.read() if noted.text == "-" else noted.text).strip()
    if not text:
        raise UserError("there is nothing to remember: give the text, or - and the text on standard input")
    place = Workspace(find_workspace(workspace))
    end = None
    if noted.expires:
        end = (datetime.now(UTC) + duration(noted.expires, "--expires")).isoformat()

    async def work() -> tuple[str, int]:
        memory = place.memory()
        found = await numbers(memory, noted.cites)
        cited = await memory.store.records(found)
        cites = tuple(record.content.id for record in cited.values())
        note = Note("note", clean(text), one_line(noted.title), cites)
        origin = Origin(
            author="person",
            namespace=noted.namespace,
            importance=noted.importance,
            trust=_PERSON_TRUST,
            expires_at=end,
        )
        return note.id, await place.database.write(lambda c: memory.store.insert(c, [note], origin))

    with closing(place):
        id_, added = asyncio.run(work())
    if as_json:
        print_json({"schema": 1, "id": id_, "added": bool(added)})
    else:
        typer.echo(f"{'remembered' if added else 'known already'}: {id_}")
    return 0


def shelve_records(workspace: Path | None, ids: list[str], why: str) -> int:
    """Keep records out of what is recalled."""
    return _change(workspace, ids, "shelved", lambda c, found: life.shelve(c, found, one_line(why, 200)))


def restore_records(workspace: Path | None, ids: list[str]) -> int:
    """Let shelved records be recalled again."""
    return _change(workspace, ids, "restored", life.restore)


def _change(workspace: Path | None, ids: list[str], done: str, change: Any) -> int:
    place = Workspace(find_workspace(workspace))

    def work(connection: sqlite3.Connection) -> int:
        found = [_known(connection, id_) for id_ in ids]
        change(connection, found)
        return len(found)

    with closing(place):
        typer.echo(f"{done}: {place.database.write_now(work)}")
    return 0


async def numbers(memory: Memory, ids: Sequence[str]) -> list[int]:
    """Return the sequence numbers of ids. Raises UserError for one that is not there, or is not clear."""
    return await memory.store.database.read(lambda connection: [_known(connection, id_) for id_ in ids])


def _known(connection: sqlite3.Connection, id_: str) -> int:
    number = number_of(connection, id_)
    if number is None:
        raise UserError(f"there is no record {one_line(id_, 40)}; find it with: crowquill memory search")
    return number


@contextmanager
def closing(workspace: Workspace) -> Iterator[Workspace]:
    """Close the workspace at the end."""
    try:
        yield workspace
    finally:
        workspace.close()
