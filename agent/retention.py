"""What a workspace holds, and how runs leave it: with every row, page and vector that nothing else needs."""

import sqlite3
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from crowquill.agent.records import RunRecord, find_run, forks_of, list_records
from crowquill.agent.workspace import Workspace
from crowquill.errors import UserError
from crowquill.memory.forget import drop, erase, erase_indexes

_SETTLING = timedelta(hours=1)
"""A blob that no row names may belong to a row that is about to be written, while it is younger than this."""


@dataclass(frozen=True, slots=True)
class Removed:
    """What was deleted, or would be: runs by id, pieces of evidence, pages, and their bytes."""

    runs: tuple[str, ...]
    evidence: int
    blobs: int
    bytes: int


def sizes(workspace: Workspace) -> dict[str, int]:
    """Return the bytes on the disk of each part of a workspace."""
    found = {"database": 0, "blobs": 0, "corpora": 0, "indexes": 0, "copies": 0, "damaged": 0, "other": 0}
    parts = {name: name for name in ("blobs", "corpora", "copies")} | {"chroma": "indexes", "words": "indexes"}
    for path in workspace.path.rglob("*") if workspace.path.is_dir() else ():
        with suppress(OSError):  # it has just gone
            top = path.relative_to(workspace.path).parts[0]
            part = "database" if top.startswith("crowquill.db") else parts.get(top, "other")
            part = "damaged" if top.startswith("damaged-") else part
            found[part] += path.stat().st_blocks * 512 if path.is_file() else 0
    return found


def delete_runs(workspace: Workspace, names: Collection[str], *, forks: bool, dry: bool = False) -> Removed:
    """Delete runs and everything that only they stored. What is deleted is overwritten first.

    Overwriting cannot reach copies that a disk or file system keeps by itself (snapshots, journals, flash cells).

    Raises:
        UserError: there is no such run, it is being worked on, or it has forks and `forks` is not set.
    """
    chosen = workspace.database.read_now(lambda connection: list(_with_forks(connection, names, forks=forks)))
    ids = tuple(record.id for record in chosen)
    evidence, blobs = workspace.database.read_now(lambda connection: _only_theirs(connection, ids))
    paths = [path for path in map(workspace.blobs.path_of, sorted(blobs)) if path.exists()]
    removed = Removed(ids, len(evidence), len(paths), sum(path.stat().st_size for path in paths))
    if dry or not ids:
        return removed
    workspace.database.write_now(lambda connection: _delete_rows(connection, ids, evidence))
    for path in paths:
        erase(path)
    workspace.database.shrink()
    if evidence:
        erase_indexes(workspace.path)
    return removed


def collect(workspace: Workspace, *, older_than: timedelta, keep: int, dry: bool = False) -> Removed:
    """Delete ended runs beyond the newest `keep` that are older than a time, and pages that nothing names.

    Runs that can be resumed, and parents of runs that stay, are kept.
    """
    limit = (datetime.now(UTC) - older_than).isoformat()
    records = workspace.database.read_now(lambda connection: list_records(connection, -1))
    old = [record for record in records[keep:] if record.created_at < limit and record.ended]
    names = {record.id for record in old}
    while needed := {r.parent for r in records if r.id not in names and r.parent in names}:
        names -= {name for name in needed if name is not None}
    removed = delete_runs(workspace, names, forks=False, dry=dry)
    orphans = list(_orphans(workspace))
    size = sum(path.stat().st_size for path in orphans)
    for path in () if dry else orphans:
        path.unlink(missing_ok=True)
    return Removed(removed.runs, removed.evidence, removed.blobs + len(orphans), removed.bytes + size)


def _with_forks(connection: sqlite3.Connection, names: Collection[str], *, forks: bool) -> Iterator[RunRecord]:
    """Yield the named runs and their forks, each fork before its parent."""
    seen: set[str] = set()
    wanted = {find_run(connection, name).id for name in names}

    def walk(record: RunRecord) -> Iterator[RunRecord]:
        if record.id in seen:
            return
        seen.add(record.id)
        if record.state == "running":
            raise UserError(f"run {record.id} is being worked on by process {record.pid}; it cannot be deleted")
        for fork in forks_of(connection, record.id):
            if not forks and fork.id not in wanted:
                raise UserError(
                    f"run {record.id} shares its record with its fork {fork.id}: delete that, too, or both at once"
                    " with --with-forks"
                )
            yield from walk(fork)
        yield record

    for name in sorted(wanted):
        yield from walk(find_run(connection, name))


def _only_theirs(connection: sqlite3.Connection, ids: Collection[str]) -> tuple[set[int], set[str]]:
    """Return the evidence that only these runs have met, and the blobs that only they name."""
    connection.execute("CREATE TEMP TABLE IF NOT EXISTS leaving (id TEXT PRIMARY KEY)")
    connection.execute("DELETE FROM leaving")
    connection.executemany("INSERT INTO leaving VALUES (?)", [(name,) for name in ids])
    evidence = connection.execute(
        "SELECT seq FROM records WHERE seq IN (SELECT evidence FROM sightings WHERE run IN leaving)"
        " AND seq NOT IN (SELECT evidence FROM sightings WHERE run NOT IN leaving)"
    )
    numbers = {row[0] for row in evidence}
    blobs = connection.execute(
        "SELECT sha256 FROM blob_uses WHERE run IN leaving"
        " EXCEPT SELECT sha256 FROM blob_uses WHERE run NOT IN leaving"
        " EXCEPT SELECT source_sha256 FROM records WHERE seq IN"
        " (SELECT evidence FROM sightings WHERE run NOT IN leaving)"
    )
    return numbers, {row[0] for row in blobs}


def _delete_rows(connection: sqlite3.Connection, ids: Collection[str], evidence: Collection[int]) -> None:
    connection.execute(  # the cache of pages has no other owner than who fetched them
        "DELETE FROM pages WHERE url IN (SELECT json_extract(request, '$.url') FROM effects"
        " WHERE kind='fetch' AND run IN leaving AND request NOT LIKE 'blob:%')"
    )
    for run in ids:
        for table in ("sightings", "blob_uses", "effects", "events"):
            connection.execute(f"DELETE FROM {table} WHERE run=?", (run,))  # noqa: S608 - one of ours
    drop(connection, evidence)
    for run in ids:
        connection.execute("DELETE FROM runs WHERE id=?", (run,))


def _orphans(workspace: Workspace) -> Iterator[Path]:
    """Yield blobs that no row names and that are not about to be named."""
    query = "SELECT sha256 FROM blob_uses UNION SELECT source_sha256 FROM records UNION SELECT body FROM pages"
    used = workspace.database.read_now(lambda connection: {row[0] for row in connection.execute(query)})
    settled = (datetime.now(UTC) - _SETTLING).timestamp()
    for path in workspace.blobs.directory.glob("*/*/*"):
        if path.stem not in used and path.stat().st_mtime < settled:
            yield path
