"""How texts lie in the rows of the database: short ones as they are, long ones as blobs beside it; and hashes."""

import hashlib
import re
import sqlite3

from crowquill.errors import StorageError
from crowquill.memory.blobs import BlobStore

ROW_BYTES = 64 * 2**10
"""Longer texts are stored beside the database; equal ones of many runs then take their place once."""
MAX_BYTES = 64 * 2**20
"""Longer texts are refused: no page, reply or result is meant to be as long."""
_BESIDE = "blob:"  # begins no JSON
_SHA256 = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")


def digest(text: str) -> str:
    """Return the SHA-256 of a text, in hexadecimal."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def put_aside(text: str, blobs: BlobStore) -> str:
    """Return what a row holds for a text: itself, or the name of the blob that it was stored as.

    Raises:
        StorageError: it is longer than anything should be, or cannot be stored.
    """
    if len(text) <= ROW_BYTES // 4:
        return text
    data = text.encode("utf-8", "surrogatepass")
    if len(data) > MAX_BYTES:
        size = f"{len(data) / 2**20:.0f} MiB"
        raise StorageError(f"{size} are too much for one entry of the journal (at most {MAX_BYTES >> 20})")
    return text if len(data) <= ROW_BYTES else _BESIDE + blobs.put(data)


def fetch_back(text: str, blobs: BlobStore) -> str:
    """Return the text that a row stands for. Raises StorageError when its blob is missing or damaged."""
    if not text.startswith(_BESIDE):
        return text
    return blobs.get(text.removeprefix(_BESIDE)).decode("utf-8", "surrogatepass")


def blob_names(text: str) -> set[str]:
    """Return every SHA-256 that stands in a text: what may be the name of a blob."""
    return set(_SHA256.findall(text))


def note_blobs(connection: sqlite3.Connection, run_id: str, *texts: str) -> None:
    """Remember which blobs the rows of a run may name, so that none is deleted under it."""
    names = {name for text in texts for name in blob_names(text)}
    connection.executemany("INSERT OR IGNORE INTO blob_uses VALUES (?, ?)", [(name, run_id) for name in names])


def first_link(run_id: str) -> str:
    """Return what the chain of a run's own events begins with."""
    return hashlib.sha256(run_id.encode()).hexdigest()


def link(chain: str, payload: str) -> tuple[str, str]:
    """Return the hash of an event and that of the chain with it."""
    own = digest(payload)
    return own, hashlib.sha256((chain + own).encode()).hexdigest()
