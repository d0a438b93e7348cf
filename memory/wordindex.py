"""The full-text index of the store: in memory while it is small, else a directory that can always be rebuilt.

One process writes the directory, under a lock. Beside the words lies `through.json`: up to which record they reach,
and the hashes of all files. An index that is not as it was written is built anew; a process without the lock
searches what is there and holds what came later in memory.
"""

import asyncio
import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

from crowquill.errors import StorageError
from crowquill.memory.indexlock import take_lock
from crowquill.memory.lexical import LexicalIndex
from crowquill.memory.owned import write_own
from crowquill.memory.store import MemoryStore

ON_DISK_FROM = 5_000
"""Records from which the index is kept on the disk; to build it in memory takes 60 µs for each."""
_BATCH = 20_000
_LAYOUT = 1  # another one is built anew
_THROUGH = "through.json"


class WordIndex:
    """Finds records by their words; fed from the store by a watermark."""

    def __init__(self, store: MemoryStore, directory: Path | None = None, *, smallest: int = ON_DISK_FROM) -> None:
        """`directory` is where it may be kept; without one it is in memory, whatever its size."""
        self._store = store
        self._directory = directory
        self._smallest = smallest
        self._kept: LexicalIndex | None = None
        self._tail: LexicalIndex | None = None
        self._through = 0
        self._lock: int | None = None

    @property
    def is_kept(self) -> bool:
        """Whether words are found on the disk, rather than in memory alone."""
        return self._kept is not None

    async def sync(self) -> None:
        """Take in what the store has got since the last call.

        Raises:
            StorageError: the store cannot be read.
        """
        if self._directory is not None and self._kept is None and await self._store.last() >= self._smallest:
            await self._open(self._directory)
        while rows := await self._store.texts_after(self._through, _BATCH):
            writes = self._kept is not None and self._lock is not None
            await asyncio.to_thread(self._take_in, rows, writes=writes)
            self._through = rows[-1][0]
            if writes and self._directory is not None:
                await asyncio.to_thread(_seal, self._directory, self._through)

    def _take_in(self, rows: list[tuple[int, str, str]], *, writes: bool) -> None:
        if not writes and self._tail is None:
            self._tail = LexicalIndex()
        index = self._kept if writes else self._tail
        assert index is not None
        for number, title, text in rows:
            index.add(str(number), title=title, body=text)
        index.commit()

    async def _open(self, directory: Path) -> None:
        """Open the directory, or make it anew when it is not as it was written and we may write."""
        if self._lock is None:
            self._lock = await asyncio.to_thread(take_lock, directory)
        index, through = await asyncio.to_thread(_open_whole, directory)
        if index is None and self._lock is not None:
            await asyncio.to_thread(shutil.rmtree, directory, ignore_errors=True)
            index, through = LexicalIndex(directory), 0
        if index is not None:
            self._kept, self._tail, self._through = index, None, through

    @property
    def held(self) -> frozenset[int]:
        """The sequence numbers of the records that can be found."""
        parts = [index for index in (self._kept, self._tail) if index is not None]
        return frozenset(int(id_) for index in parts for id_ in index.ids())

    async def search(self, query: str, limit: int) -> list[int]:
        """Return the sequence numbers of the best records, best first, for any of the query's words."""
        return await asyncio.to_thread(self._search, query, limit)

    def _search(self, query: str, limit: int) -> list[int]:
        parts = [index for index in (self._kept, self._tail) if index is not None]
        found = {id_: score for index in parts for id_, score in index.search(query, limit)}
        best = sorted(found.items(), key=lambda pair: -pair[1])
        return [int(id_) for id_, _ in best[:limit]]

    def close(self) -> None:
        """Release the lock; the index is of no use afterwards."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
        self._kept = None


def _open_whole(directory: Path) -> tuple[LexicalIndex | None, int]:
    """Open an index whose files are as they were written, and say up to which record it reaches."""
    try:
        seal: dict[str, Any] = json.loads((directory / _THROUGH).read_text(encoding="utf-8"))
        if seal["layout"] == _LAYOUT and seal["files"] == _hashes(directory):
            return LexicalIndex(directory), int(seal["through"])
    except (OSError, ValueError, KeyError, TypeError, StorageError):
        pass
    return None, 0


def _seal(directory: Path, through: int) -> None:
    seal = {"layout": _LAYOUT, "through": through, "files": _hashes(directory)}
    fresh = directory / (_THROUGH + ".new")
    write_own(fresh, json.dumps(seal))
    fresh.replace(directory / _THROUGH)


def _hashes(directory: Path) -> dict[str, str]:
    """Return name → hash of the files of the index."""
    files = [path for path in directory.iterdir() if path.name[0] != "." and not path.name.startswith(_THROUGH)]
    return {path.name: hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest() for path in sorted(files)}
