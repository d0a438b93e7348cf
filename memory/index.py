"""Vector search over the store: exact in numpy, or Chroma for large memories. Both are rebuildable caches."""

import asyncio
import os
import sys
import threading
from pathlib import Path
from typing import Protocol

from crowquill.memory.chroma import Collection, open_audited
from crowquill.memory.embed import Vectors
from crowquill.memory.indexlock import take_lock
from crowquill.memory.store import MemoryStore

CHROMA_FROM = 20_000
"""Records from which Chroma pays for its 1.4 s of import; exact numpy takes 4 ms for 50,000."""


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
        return list(self._numbers), self._rows()

    def _rows(self) -> Vectors:
        import numpy as np  # 0.2 s, and only vectors need it

        empty: Vectors = np.zeros((0, self._store.embedder.dimensions), np.float32)
        return empty if self._vectors is None else self._vectors

    def drop_to(self, watermark: int, *, but: frozenset[int]) -> None:
        """Forget the vectors up to `watermark`, which another index finds, `but` those."""
        kept = [at for at, number in enumerate(self._numbers) if number > watermark or number in but]
        self._numbers = [self._numbers[at] for at in kept]
        self._vectors = self._rows()[kept]
        self._watermark = max(self._watermark, watermark)

    async def search(self, vector: Vectors, limit: int) -> list[tuple[int, float]]:
        """Return (sequence number, cosine similarity) of the nearest records, best first."""
        return self.nearest(vector, limit)

    def nearest(self, vector: Vectors, limit: int) -> list[tuple[int, float]]:
        """Do what `search` does: a product of a matrix and a vector."""
        if self._vectors is None or not self._numbers or limit < 1:
            return []
        import numpy as np  # 0.2 s, only vectors need it

        scores = self._vectors @ vector
        some = np.argpartition(-scores, limit)[:limit] if limit < len(scores) else np.arange(len(scores))
        best = sorted(some, key=lambda at: (-scores[at], at))  # ties go to the older record
        return [(self._numbers[at], float(scores[at])) for at in best]


class ChromaIndex:
    """A Chroma collection beside the database; only the process that holds its lock opens it.

    Without the lock, below `smallest` records, or as long as Chroma is being opened in the background, search is
    exact over the store's vectors. Chroma loses vectors without an error when two processes write, and `count()`
    does not show it: the audit at open asks for *every* record. The few that it does not reach stay in the exact
    search, and a collection that lacks more is built anew.
    """

    def __init__(self, store: MemoryStore, directory: Path, *, smallest: int = CHROMA_FROM) -> None:
        self._store = store
        self._directory = directory
        self._smallest = smallest
        self._tail = ExactIndex(store)
        self._chroma: Collection | None = None
        self._opening: asyncio.Task[tuple[Collection | None, int]] | None = None
        self._closing = threading.Event()
        self._lock: int | None = None

    @property
    def is_open(self) -> bool:
        """Whether Chroma answers, rather than exact search alone."""
        return self._chroma is not None

    @property
    def unreached(self) -> frozenset[int]:
        """The records that Chroma holds without finding them; they are searched exactly."""
        return frozenset() if self._chroma is None else self._chroma.unreached

    async def sync(self) -> None:
        """Take in what the store has embedded since the last call; begin to open Chroma when it pays.

        Raises:
            StorageError: the store cannot be read.
        """
        await self._tail.sync()
        if self._opening is not None and self._opening.done():
            self._take_over(*self._opening.result())
        if self._chroma is not None:
            numbers, vectors = self._tail.held
            fresh = [at for at, number in enumerate(numbers) if number not in self.unreached]
            if fresh:
                await asyncio.to_thread(self._chroma.take_in, [numbers[at] for at in fresh], vectors[fresh])
                self._tail.drop_to(numbers[-1], but=self.unreached)
        elif self._opening is None and await self._store.last() >= self._smallest and self._take_lock():
            self._opening = asyncio.create_task(self._open(*self._tail.held))

    async def opened(self) -> bool:
        """Wait until Chroma is open, if it is to be; return whether it answers."""
        if self._opening is not None:
            await asyncio.wait([self._opening])
            await self.sync()
        return self.is_open

    async def _open(self, numbers: list[int], vectors: Vectors) -> tuple[Collection | None, int]:
        name = self._store.embedder.name
        chroma = await asyncio.to_thread(open_audited, self._directory, name, (numbers, vectors), self._closing)
        return chroma, numbers[-1] if numbers else 0

    def _take_over(self, chroma: Collection | None, watermark: int) -> None:
        """Let Chroma answer for what it holds; if even a new collection loses records here, stay exact."""
        self._opening, self._chroma = None, chroma
        if chroma is not None:
            self._tail.drop_to(watermark, but=chroma.unreached)
        else:
            self._smallest = sys.maxsize

    async def search(self, vector: Vectors, limit: int) -> list[tuple[int, float]]:
        """Return (sequence number, cosine similarity) of the nearest records, best first."""
        found = dict(await asyncio.to_thread(self._tail.nearest, vector, limit))
        if self._chroma is not None and limit > 0:
            found |= await asyncio.to_thread(self._chroma.query, vector, limit)
        return sorted(found.items(), key=lambda hit: (-hit[1], hit[0]))[:limit]

    async def close(self) -> None:
        """Close Chroma and release the lock; the index is of no use afterwards.

        A collection that is still being built is left as it is, and built further by the next process.
        """
        self._closing.set()
        if self._opening is not None:
            await asyncio.wait([self._opening])
            if self._opening.exception() is None:
                self._take_over(*self._opening.result())
        if self._chroma is not None:
            self._chroma.close()
            self._chroma = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _take_lock(self) -> bool:
        self._lock = take_lock(self._directory)
        return self._lock is not None
