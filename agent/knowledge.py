"""Knowledge: documents that a person vouches for, such as style guides and manuals, remembered in pieces."""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from crowquill.agent.workspace import Workspace
from crowquill.errors import ToolError, UserError
from crowquill.memory.chunks import chunk
from crowquill.memory.evidence import Quote
from crowquill.memory.forget import forget
from crowquill.memory.record import Filter, Origin
from crowquill.memory.snapshot import Snapshot
from crowquill.tools.search.gather import SUFFIXES, Gatherer

KNOWLEDGE_TRUST = 0.9
"""Trust in what a person has vouched for, between 0 and 1."""

Progress = Callable[[str, int], None]
"""Gets what is being done, and how far."""


@dataclass(frozen=True, slots=True)
class Learned:
    """What an import of documents did: `pieces` are new, `gone` were of documents that changed or are no more."""

    documents: int
    pieces: int
    gone: int
    problems: tuple[str, ...]


async def learn(workspace: Workspace, source: Path, name: str, progress: Progress) -> Learned:
    """Remember the documents of a folder (or one file) under a name; again, to bring it up to date.

    Raises:
        UserError: nothing of it can be read.
        StorageError: the workspace cannot be written.
    """
    store = workspace.memory().store
    gatherer, pieces, documents = Gatherer(source), dict[str, tuple[Quote, str]](), 0
    for document in gatherer.walk():
        try:
            snapshot = document.render(f"https://knowledge.invalid/{document.path}")
        except (OSError, ToolError) as error:
            gatherer.fail(document.path, str(error))
            continue
        documents += 1
        page = _vouched(snapshot, f"knowledge:{name}/{document.path}", document.path)
        workspace.blobs.put(page.text.encode("utf-8", "surrogatepass"))
        for piece in chunk(page):
            quote = page.quote(piece.first, piece.last)
            pieces[quote.id] = quote, piece.title
        progress("reading documents", documents)
    if not documents:
        why = f": {gatherer.problems[0]}" if gatherer.problems else f" ({', '.join(sorted(SUFFIXES))})"
        raise UserError(f"{source} holds no document that can be read{why}")
    before = {record.content.id: record.seq for record in await store.matching(_of(name))}
    gone = [seq for id_, seq in before.items() if id_ not in pieces]
    forget(workspace.database, gone)  # first, as equal new pieces would count as copies of theirs, and go with them
    fresh = [piece for id_, piece in pieces.items() if id_ not in before]

    def write(connection: sqlite3.Connection) -> None:
        for quote, title in fresh:
            store.insert(connection, [quote], Origin(author="person", namespace=name, title=title))

    await workspace.database.write(write)
    await store.embed_pending(lambda done, _: progress("embedding", done))
    return Learned(documents, len(fresh), len(gone), tuple(gatherer.problems))


def _of(name: str) -> Filter:
    return Filter(kinds=frozenset({"quote"}), namespaces=frozenset({name}), shelved=True)


def _vouched(snapshot: Snapshot, url: str, path: str) -> Snapshot:
    """Return the page as a source that a person vouches for; its links lead nowhere here."""
    named = snapshot.title.strip() and snapshot.title != path.rpartition("/")[2]
    title = snapshot.title if named else Path(path).stem.replace("_", " ")
    return replace(snapshot, url=url, title=title, links=(), kind="corpus", trust=KNOWLEDGE_TRUST)
