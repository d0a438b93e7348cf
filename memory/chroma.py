"""A Chroma collection: the only module that knows chromadb."""

import contextlib
import ctypes
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from crowquill.memory.embed import Vectors
from crowquill.memory.owned import own_folder

_UPSERT = 500
"""Vectors given to Chroma at once: about a second's work when there are a hundred thousand."""

_M_PERTURB = -6
"""Option of glibc's `mallopt`: what is handed out is filled with one byte, as is what is given back."""

_NEAREST = 10
"""How many a query for a vector itself returns, so that equal ones do not hide it."""

_UNREACHED = 0.1
"""Share of vectors that a query may leave out before the collection counts as damaged."""

Rows = tuple[list[int], Vectors]


def _batches(numbers: list[int]) -> Iterator[slice]:
    return (slice(start, start + _UPSERT) for start in range(0, len(numbers), _UPSERT))


class Collection:
    """The one collection of a Chroma directory. Ids are the store's sequence numbers."""

    def __init__(self, directory: Path, space: str) -> None:
        import chromadb  # 1 s, and only for large memories
        from chromadb.config import Settings

        with contextlib.suppress(AttributeError):  # another C library
            # Chroma writes places of vectors that are still to come as it got them: keys of this process in them
            ctypes.CDLL(None).mallopt(_M_PERTURB, 1)
        self._client: Any = chromadb.PersistentClient(str(directory), Settings(anonymized_telemetry=False))
        self._collection: Any = self._client.get_or_create_collection(
            "evidence",
            embedding_function=None,  # else its own embedder comes, with a download
            configuration={"hnsw": {"space": "ip", "ef_search": 200}},
            metadata={"space": space},
        )
        self.space = (self._collection.metadata or {}).get("space")
        self.unreached: frozenset[int] = frozenset()
        """Those that queries leave out, as `audit` and `take_in` found."""

    def upsert(self, numbers: list[int], vectors: Vectors) -> None:
        for some in _batches(numbers):
            self._collection.upsert(ids=[str(number) for number in numbers[some]], embeddings=vectors[some])

    def query(self, vector: Vectors, limit: int) -> list[tuple[int, float]]:
        found = self._collection.query(query_embeddings=[vector], n_results=limit, include=["distances"])
        return [(int(id_), 1.0 - float(d)) for id_, d in zip(found["ids"][0], found["distances"][0], strict=True)]

    def take_in(self, numbers: list[int], vectors: Vectors) -> None:
        """Upsert those, and note which of them a query for their own vector does not return."""
        self.upsert(numbers, vectors)
        for some in _batches(numbers):
            found = self._collection.query(query_embeddings=vectors[some], n_results=_NEAREST, include=[])
            pairs = zip(numbers[some], found["ids"], strict=True)
            self.unreached |= {number for number, nearest in pairs if str(number) not in nearest}

    def feed(self, rows: Rows, stop: threading.Event) -> bool:
        """Upsert those of `rows` that are missing; False when it was stopped, or holds others than these."""
        numbers, vectors = rows
        held = {int(id_) for id_ in self._collection.get(include=[])["ids"]}
        if held - set(numbers):
            return False
        missing = [at for at, number in enumerate(numbers) if number not in held]
        for batch in _batches(missing):
            if stop.is_set():
                return False
            some = missing[batch]
            self.upsert([numbers[at] for at in some], vectors[some])
        return True

    def audit(self, rows: Rows) -> bool:
        """Note which of `rows` a query for everything leaves out; False when those are too many, or others come.

        `count()` does not know what is lost. A few are missing from a sound collection: no link of its graph (HNSW)
        leads to them, in one build of 300 with 40 vectors, and most builds of 20,000 that lie in clusters.
        """
        numbers, vectors = rows
        if not numbers:
            return True
        found = {number for number, _ in self.query(vectors[-1], len(numbers))}
        self.unreached = frozenset(numbers) - found
        return found <= set(numbers) and len(self.unreached) <= _UNREACHED * len(numbers)

    def close(self) -> None:
        self._client.close()


def open_audited(directory: Path, space: str, rows: Rows, stop: threading.Event) -> Collection | None:
    """Open the newest collection of `rows`, or build one; None when that was stopped, or is no use.

    Collections are numbered folders: one is built in `new`, where a stopped build goes on, and gets the next number
    by one rename; never the path of a damaged one, whose broken client Chroma keeps per path.
    """
    numbered = sorted(int(folder.name) for folder in directory.glob("*") if folder.name.isdecimal())
    if numbered:
        chroma = _try_open(directory / str(numbered[-1]), space, rows, stop)
        if chroma is not None or stop.is_set():
            return chroma
    target = directory / str(numbered[-1] + 1 if numbered else 1)
    if not _build(directory / "new", space, rows, stop):
        return None
    (directory / "new").rename(target)
    for old in numbered:
        shutil.rmtree(directory / str(old), ignore_errors=True)
    return _try_open(target, space, rows, stop)


def _build(place: Path, space: str, rows: Rows, stop: threading.Event) -> bool:
    """Build a collection, or go on with one; what cannot be gone on with is begun anew, once."""
    for fresh in (False, True):
        if fresh:
            shutil.rmtree(place, ignore_errors=True)
        own_folder(place)
        chroma = _try_open(place, space, rows, stop)
        if chroma is not None:
            chroma.close()
            return True
        if stop.is_set():
            return False
    return False


def _try_open(directory: Path, space: str, rows: Rows, stop: threading.Event) -> Collection | None:
    try:
        chroma = Collection(directory, space)
        if chroma.space == space and chroma.feed(rows, stop) and chroma.audit(rows):
            return chroma
        chroma.close()
    except Exception:  # noqa: S110 - whatever a damaged directory raises, the answer is the same
        pass
    return None
