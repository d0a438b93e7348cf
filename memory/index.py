"""Vector search over the store: exact in numpy, or Chroma for large memories. Both are rebuildable caches."""

import asyncio
import os
import shutil
import sys
from pathlib import Path
from typing import Any, Protocol

from crowquill.memory.embed import Vectors
from crowquill.memory.indexlock import take_lock
from crowquill.memory.store import MemoryStore

CHROMA_FROM = 20_000
"""Records from which Chroma pays for its 1.4 s of import; exact numpy takes 4 ms for 50,000."""

_UPSERT = 2000  # below Chroma's largest batch


class VectorIndex(Protocol):
    """Finds the records nearest to a vector."""

    async def sync(self) -> None:
        """Take in what the store has embedded since the last call."""
        ...

    async def search(self, vector: Vectors, limit: int) -> list[tuple[int, float]]:
        """Return (sequence number, cosine similarity) of the nearest records, best first."""
        ...


class ExactIndex:
    """All vectors in one array, fed from the store by a watermark."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self._numbers: list[int] = []
        self._vectors: Vectors | None = None
        self._watermark = 0

    async def sync(self) -> None:
        """Take in what the store has embedded since the last call."""
        numbers, vectors = await self._store.vectors_after(self._watermark)
        if numbers and numbers[-1] > self._watermark:
            fresh = [at for at, number in enumerate(numbers) if number > self._watermark]
            self._numbers += [numbers[at] for at in fresh]
            import numpy as np  # 0.2 s, and only vectors need it

            self._vectors = np.concatenate([self._rows(), vectors[fresh]])
            self._watermark = numbers[-1]

    @property
    def held(self) -> tuple[list[int], Vectors]:
        """The sequence numbers held, ascending, and their rows."""
        return self._numbers, self._rows()

    def _rows(self) -> Vectors:
        import numpy as np  # 0.2 s, and only vectors need it

        empty: Vectors = np.zeros((0, self._store.embedder.dimensions), np.float32)
        return empty if self._vectors is None else self._vectors

    def drop_to(self, watermark: int) -> None:
        """Forget the vectors up to `watermark`, which another index holds."""
        kept = [at for at, number in enumerate(self._numbers) if number > watermark]
        self._numbers = [self._numbers[at] for at in kept]
        self._vectors = self._rows()[kept]
        self._watermark = max(self._watermark, watermark)

    async def search(self, vector: Vectors, limit: int) -> list[tuple[int, float]]:
        """Return (sequence number, cosine similarity) of the nearest records, best first."""
        if self._vectors is None or not self._numbers or limit < 1:
            return []
        import numpy as np  # 0.2 s, only vectors need it

        scores = self._vectors @ vector
        best = np.argsort(-scores, kind="stable")[:limit]  # ties go to the older record
        return [(self._numbers[at], float(scores[at])) for at in best]


class ChromaIndex:
    """A Chroma collection beside the database; only the process that holds its lock opens it.

    Without the lock, or below `smallest` records, search is exact over the store's vectors. Chroma loses
    vectors without an error when two processes write, and `count()` does not show it: the audit at open asks
    for *every* record, and a collection that fails is rebuilt in a new directory that then takes its place.
    """

    def __init__(self, store: MemoryStore, directory: Path, *, smallest: int = CHROMA_FROM) -> None:
        self._store = store
        self._directory = directory
        self._smallest = smallest
        self._tail = ExactIndex(store)
        self._chroma: _Collection | None = None
        self._lock: int | None = None

    @property
    def is_open(self) -> bool:
        """Whether Chroma answers, rather than exact search alone."""
        return self._chroma is not None

    async def sync(self) -> None:
        """Take in what the store has embedded since the last call, opening Chroma when it pays.

        Raises:
            StorageError: the store cannot be read.
        """
        await self._tail.sync()
        if self._chroma is None and (await self._store.count() < self._smallest or not self._take_lock()):
            return
        if self._chroma is None:
            numbers, vectors = await self._store.vectors_after(0)
            name = self._store.embedder.name
            self._chroma = await asyncio.to_thread(_open_audited, self._directory, name, numbers, vectors)
            watermark = numbers[-1] if numbers else 0
        else:
            numbers, vectors = self._tail.held
            await asyncio.to_thread(self._chroma.upsert, numbers, vectors)
            watermark = numbers[-1] if numbers else 0
        if self._chroma is not None:
            self._tail.drop_to(watermark)
        else:
            self._smallest = sys.maxsize  # even a new collection loses records here: stay exact

    async def search(self, vector: Vectors, limit: int) -> list[tuple[int, float]]:
        """Return (sequence number, cosine similarity) of the nearest records, best first."""
        found = await self._tail.search(vector, limit)
        if self._chroma is not None and limit > 0:
            found = found + await asyncio.to_thread(self._chroma.query, vector, limit)
        return sorted(found, key=lambda hit: (-hit[1], hit[0]))[:limit]

    def close(self) -> None:
        """Close Chroma and release the lock; the index is of no use afterwards."""
        if self._chroma is not None:
            self._chroma.close()
            self._chroma = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _take_lock(self) -> bool:
        self._lock = take_lock(self._directory)
        return self._lock is not None


class _Collection:
    """The one collection of a Chroma directory. Ids are the store's sequence numbers."""

    def __init__(self, directory: Path, space: str) -> None:
        import chromadb  # 1 s, and only for large memories
        from chromadb.config import Settings

        self._client: Any = chromadb.PersistentClient(str(directory), Settings(anonymized_telemetry=False))
        self._collection: Any = self._client.get_or_create_collection(
            "evidence",
            embedding_function=None,  # else its own embedder comes, with a download
            configuration={"hnsw": {"space": "ip", "ef_search": 200}},
            metadata={"space": space},
        )
        self.space = (self._collection.metadata or {}).get("space")

    def upsert(self, numbers: list[int], vectors: Vectors) -> None:
        for start in range(0, len(numbers), _UPSERT):
            some = slice(start, start + _UPSERT)
            self._collection.upsert(ids=[str(number) for number in numbers[some]], embeddings=vectors[some])

    def query(self, vector: Vectors, limit: int) -> list[tuple[int, float]]:
        found = self._collection.query(query_embeddings=[vector], n_results=limit, include=["distances"])
        return [(int(id_), 1.0 - float(d)) for id_, d in zip(found["ids"][0], found["distances"][0], strict=True)]

    def audit(self, numbers: list[int], vectors: Vectors) -> bool:
        """Feed what is missing, and say whether a query then returns each of `numbers` and nothing else."""
        held = {int(id_) for id_ in self._collection.get(include=[])["ids"]}
        if held - set(numbers):
            return False
        missing = [at for at, number in enumerate(numbers) if number not in held]
        self.upsert([numbers[at] for at in missing], vectors[missing])
        if not numbers:
            return True
        return {number for number, _ in self.query(vectors[-1], len(numbers))} == set(numbers)

    def close(self) -> None:
        self._client.close()


def _open_audited(directory: Path, space: str, numbers: list[int], vectors: Vectors) -> _Collection | None:
    """Open the newest collection, or rebuild it once; None when even a new one does not hold every record.

    Collections are numbered folders: a rebuilt one gets the next number by one rename, and never the path of
    the damaged one, whose broken client Chroma keeps per path.
    """
    numbered = sorted(int(folder.name) for folder in directory.glob("*") if folder.name.isdecimal())
    if numbered:
        chroma = _try_open(directory / str(numbered[-1]), space, numbers, vectors)
        if chroma is not None:
            return chroma
    fresh, target = directory / "new", directory / str(numbered[-1] + 1 if numbered else 1)
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True, mode=0o700)
    chroma = _Collection(fresh, space)
    chroma.audit(numbers, vectors)
    chroma.close()
    fresh.rename(target)
    for old in numbered:
        shutil.rmtree(directory / str(old), ignore_errors=True)
    return _try_open(target, space, numbers, vectors)


def _try_open(directory: Path, space: str, numbers: list[int], vectors: Vectors) -> _Collection | None:
    try:
        chroma = _Collection(directory, space)
        if chroma.space == space and chroma.audit(numbers, vectors):
            return chroma
        chroma.close()
    except Exception:  # noqa: S110 - whatever a damaged directory raises, the answer is the same
        pass
    return None
