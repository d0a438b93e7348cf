"""Forgetting: rows, pages, words and vectors, so that nothing of a record is left in the workspace's memory.

What is deleted is overwritten (`secure_delete`, and blobs by hand), and the indexes are built again from what is
left. Copies that a disk or file system keeps by itself (snapshots, journals, flash cells) are out of reach. The
journals of the runs that met a record hold its text, too: delete those runs for it to be gone altogether.
"""

import json
import os
import sqlite3
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from crowquill.memory.db import Database
from crowquill.memory.indexlock import erase_index
from crowquill.memory.life import derived

INDEXES = ("chroma", "words")


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was forgotten, or would be: records that were named with their copies, notes that rest on them, pages
    that only they quoted; `runs` have met them, and hold their text in their journals. `rebuilt` is False while
    another process still works with an index.
    """

    records: tuple[int, ...]
    notes: tuple[int, ...]
    pages: tuple[str, ...]
    runs: tuple[str, ...]
    rebuilt: bool = True


def forget(database: Database, numbers: Collection[int], *, dry: bool = False) -> Forgotten:
    """Delete records, their copies, the notes that rest on them, and pages that nothing else names.

    Raises:
        StorageError: the database cannot be written.
    """
    found = database.read_now(lambda connection: _reach(connection, numbers))
    if dry or not found.records:
        return found
    database.write_now(lambda connection: drop(connection, {*found.records, *found.notes}))
    for sha256 in found.pages:
        erase(database.blobs.path_of(sha256))
    database.shrink()
    done = erase_indexes(database.path.parent)
    return Forgotten(found.records, found.notes, found.pages, found.runs, done)


def drop(connection: sqlite3.Connection, numbers: Collection[int]) -> None:
    """Delete the rows of records, inside the caller's transaction."""
    wanted = json.dumps(sorted(numbers))
    for table, column in (("sightings", "evidence"), ("records", "seq")):
        query = f"DELETE FROM {table} WHERE {column} IN (SELECT value FROM json_each(?))"  # noqa: S608 - ours
        connection.execute(query, (wanted,))


def erase_indexes(workspace: Path) -> bool:
    """Delete the indexes, to be built again; False when another process works with one, which is deleted later."""
    done = [erase_index(workspace / name) for name in INDEXES]  # each, whatever became of the other
    return all(done)


def erase(path: Path) -> None:
    """Overwrite a file, put that on the disk, and delete it."""
    with suppress(FileNotFoundError):
        with path.open("r+b") as file:
            file.write(bytes(path.stat().st_size))
            file.flush()
            os.fsync(file.fileno())
        path.unlink()


def _reach(connection: sqlite3.Connection, numbers: Collection[int]) -> Forgotten:
    """Return everything that goes with these records."""
    named = json.dumps(sorted(numbers))
    records = {
        row[0]
        for row in connection.execute(
            "SELECT seq FROM records WHERE seq IN (SELECT value FROM json_each(?1))"
            " OR merged_into IN (SELECT value FROM json_each(?1))",
            (named,),
        )
    }
    notes = derived(connection, records)
    leaving = json.dumps(sorted(records | notes))
    pages = connection.execute(
        "SELECT source_sha256 FROM records WHERE seq IN (SELECT value FROM json_each(?1)) AND source_sha256 <> ''"
        " EXCEPT SELECT source_sha256 FROM records WHERE seq NOT IN (SELECT value FROM json_each(?1))"
        " EXCEPT SELECT sha256 FROM blob_uses",
        (leaving,),
    ).fetchall()
    runs = connection.execute(
        "SELECT DISTINCT run FROM sightings JOIN runs ON runs.id = run"
        " WHERE evidence IN (SELECT value FROM json_each(?)) ORDER BY run",
        (leaving,),
    ).fetchall()
    return Forgotten(
        tuple(sorted(records)), tuple(sorted(notes)), tuple(row[0] for row in pages), tuple(row[0] for row in runs)
    )
