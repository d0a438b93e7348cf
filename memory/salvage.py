"""What becomes of a damaged database: it is moved aside, and every row that is still whole is taken over.

A row counts as whole when it is what was written: evidence has the id of its content, a response its hash, an
event its place in the chain. A run of which events were lost can be resumed: its effects are still known.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from crowquill.memory.blobs import BlobStore
from crowquill.memory.migrations import migrate, note_all_blobs
from crowquill.memory.owned import write_own
from crowquill.memory.record import decode
from crowquill.memory.rows import digest, fetch_back, first_link, link

_TABLES = ("runs", "effects", "events", "records", "sightings", "relations", "outcomes", "lessons")
_UNNUMBERED = ("sightings", "relations", "outcomes")
"""Tables without rowids."""
_SUFFIXES = ("", "-wal", "-shm")

Row = dict[str, object]


def salvage(path: Path, blobs: BlobStore, stamp: str) -> str:
    """Replace a damaged database by what can be saved of it, and return a sentence about that.

    The caller holds the database's lock. `stamp` names the folder `damaged-STAMP` that the old files are moved to.

    Raises:
        OSError, sqlite3.Error: the new one cannot be written.
    """
    aside = path.parent / f"damaged-{stamp}"
    aside.mkdir(mode=0o700)
    for suffix in _SUFFIXES:
        file = path.with_name(path.name + suffix)
        if file.exists():
            file.rename(aside / file.name)
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    fresh.touch(mode=0o600)
    new = sqlite3.connect(fresh, isolation_level=None)
    try:
        migrate(new)
        counts = _take_over(aside / path.name, new, blobs)
    finally:
        new.close()
    fresh.rename(path)
    saved = ", ".join(f"{kept} {name}" for name, (kept, _) in counts.items())
    lost = ", ".join(f"{gone} {name}" for name, (_, gone) in counts.items() if gone)
    report = f"saved: {saved}; found damaged: {lost if lost else 'no row, only what could not be read at all'}"
    write_own(aside / "report.txt", report + "\n")
    return f"{path} was damaged and was moved to {aside}; {report}"


def _take_over(old: Path, new: sqlite3.Connection, blobs: BlobStore) -> dict[str, tuple[int, int]]:
    """Copy the whole rows of all tables in one transaction; return how many were kept and dropped, by table."""
    source = sqlite3.connect(old, isolation_level=None)
    source.text_factory = _text
    new.execute("PRAGMA foreign_keys=OFF")  # a fork may come before its parent
    new.execute("BEGIN IMMEDIATE")
    try:
        counts = {name: _copy(source, new, name, blobs) for name in _TABLES}
    finally:
        source.close()
    _drop_orphans(new)
    _check_chains(new, blobs)
    note_all_blobs(new)
    new.execute("COMMIT")
    return counts


def _text(data: Any) -> str:
    return str(data, "utf-8", "surrogatepass")


def _copy(source: sqlite3.Connection, new: sqlite3.Connection, table: str, blobs: BlobStore) -> tuple[int, int]:
    kept = dropped = 0
    whole = _WHOLE.get(table, _is_anything)
    columns = {row[1] for row in new.execute(f"PRAGMA table_info({table})")}
    for row in _rows(source, table):
        row = {name: value for name, value in row.items() if name in columns or name == "rowid"}
        try:
            if not whole(row, blobs):
                raise ValueError("it is not what was written")
            names = ", ".join(row)
            marks = ", ".join("?" * len(row))
            new.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(row.values()))  # noqa: S608 - ours
            kept += 1
        except Exception:  # a damaged row can be anything; it is counted, and stays in the old file
            dropped += 1
    return kept, dropped


def _rows(source: sqlite3.Connection, table: str) -> Iterator[Row]:
    """Yield what can be read of a table, in the order of its rowids; an unreadable stretch is stepped over."""
    keyed = table not in _UNNUMBERED
    select = f"SELECT {'rowid AS rowid, ' if keyed else ''}* FROM {table}"  # noqa: S608 - one of ours
    if table == "records" and _is_older(source):
        select = "SELECT rowid AS rowid, *, trust AS prior FROM evidence"
    at, stride = -1, 1
    while True:
        try:
            query = (
                source.execute(f"{select} WHERE rowid > ? ORDER BY rowid", (at,))
                if keyed
                else source.execute(select)
            )
            names = [column[0] for column in query.description]
            for values in query:
                row = dict(zip(names, values, strict=True))
                at, stride = int(row["rowid"]) if keyed else at, 1
                yield row
        except (sqlite3.Error, UnicodeDecodeError, OverflowError):
            if not keyed or stride > 2**40:
                return
            at, stride = at + stride, stride * 2
        else:
            return


def _is_older(source: sqlite3.Connection) -> bool:
    """Say whether the database is of a version whose records were evidence alone."""
    try:
        names = {name for (name,) in source.execute("SELECT name FROM sqlite_master WHERE type='table'")}
    except sqlite3.Error:
        return False
    return "evidence" in names and "records" not in names


def _is_record(row: Row, blobs: BlobStore) -> bool:
    row["embedder"] = row["vector"] = None  # made again from the text
    del row["rowid"]
    return decode(json.loads(str(row["json"]))).id == row["id"]


def _is_effect(row: Row, blobs: BlobStore) -> bool:
    if digest(fetch_back(str(row["request"]), blobs)) != row["request_sha256"]:
        return False
    said = row.get("digest")
    return said is None or digest(fetch_back(str(row["response"]), blobs)) == said


def _is_anything(row: Row, blobs: BlobStore) -> bool:
    return True


def _is_lesson(row: Row, blobs: BlobStore) -> bool:
    del row["rowid"]  # which its id is
    return True


def _is_run(row: Row, blobs: BlobStore) -> bool:
    return isinstance(json.loads(str(row["config"])), dict)


_WHOLE: dict[str, Callable[[Row, BlobStore], bool]] = {
    "records": _is_record,
    "effects": _is_effect,
    "runs": _is_run,
    "lessons": _is_lesson,
}


def _drop_orphans(new: sqlite3.Connection) -> None:
    for table in ("effects", "events"):
        new.execute(f"DELETE FROM {table} WHERE run NOT IN (SELECT id FROM runs)")  # noqa: S608 - ours
    new.execute("DELETE FROM runs WHERE parent IS NOT NULL AND parent NOT IN (SELECT id FROM runs)")
    new.execute("DELETE FROM sightings WHERE evidence NOT IN (SELECT seq FROM records)")
    new.execute(
        "UPDATE records SET merged_into=NULL WHERE merged_into IS NOT NULL"
        " AND merged_into NOT IN (SELECT seq FROM records)"
    )
    new.execute("DELETE FROM outcomes WHERE record NOT IN (SELECT seq FROM records)")
    new.execute("DELETE FROM relations WHERE subject NOT IN (SELECT seq FROM records)")
    new.execute("DELETE FROM relations WHERE object NOT IN (SELECT seq FROM records)")


def _check_chains(new: sqlite3.Connection, blobs: BlobStore) -> None:
    """Keep of each run's events the part before the first that was lost, and let the run be resumed."""
    for (run,) in new.execute("SELECT id FROM runs").fetchall():
        chain, whole = first_link(run), -1
        rows = new.execute(
            "SELECT position, payload, chain FROM events WHERE run=? ORDER BY position", (run,)
        ).fetchall()
        for position, payload, recorded in rows:
            try:
                chain = link(chain, fetch_back(payload, blobs))[1]
            except Exception:  # its blob is gone
                break
            if chain != recorded:
                break
            whole = position
        lost = new.execute("DELETE FROM events WHERE run=? AND position>?", (run, whole)).rowcount
        ended = new.execute("SELECT answer FROM runs WHERE id=?", (run,)).fetchone()[0] not in (None, "null")
        finished = bool(rows) and '"kind":"run_finished"' in str(rows[-1][1]) and not lost
        if lost or (ended and not finished):
            why = "a part of its record was damaged; what is missing is done again"
            new.execute("UPDATE runs SET status='paused', answer=NULL, why=? WHERE id=?", (why, run))
