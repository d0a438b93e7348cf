"""A run as bytes, to be carried to another workspace: its record, its evidence, and the blobs that they name."""

import base64
import json
import sqlite3
import zlib
from typing import Any

from crowquill.errors import StorageError
from crowquill.memory.db import Database

_RUNS = "id, objective, config, status, created_at, finished_at, answer, why"
_EFFECTS = (
    "run, lane, kind, request_sha256, ordinal, request, status, response, started_at, seconds, digest,"
    " access, reused"
)
_EVENTS = "run, lane, seq, position, at, payload, digest, chain"
_RECORDS = (
    "id, kind, json, text, title, url, source_sha256, prior, created_at, namespace, author, status, why,"
    " importance, gist, subject"
)
_SIGHTINGS = "records.id, sightings.run, sightings.task, sightings.question, sightings.at"


async def pack_run(database: Database, run_id: str) -> bytes:
    """Return a run that is no fork, as it stands at this moment."""

    def read(connection: sqlite3.Connection) -> dict[str, list[Any]]:
        def rows(query: str) -> list[Any]:
            return connection.execute(query, (run_id,)).fetchall()

        return {
            "runs": rows(f"SELECT {_RUNS} FROM runs WHERE id=?"),  # noqa: S608 - constants, here and below
            "effects": rows(f"SELECT {_EFFECTS} FROM effects WHERE run=? ORDER BY rowid"),  # noqa: S608
            "events": rows(f"SELECT {_EVENTS} FROM events WHERE run=? ORDER BY position"),  # noqa: S608
            "records": rows(
                f"SELECT {_RECORDS} FROM records WHERE seq IN (SELECT evidence FROM sightings WHERE run=?)"  # noqa: S608
            ),
            "sightings": rows(
                f"SELECT {_SIGHTINGS} FROM records JOIN sightings ON seq = evidence WHERE sightings.run=?"  # noqa: S608
            ),
            "blob_uses": rows("SELECT sha256, run FROM blob_uses WHERE run=?"),
        }

    tables = await database.read(read)
    blobs = {}
    for name in {row[0] for row in tables["blob_uses"]} | {row[6] for row in tables["records"] if row[6]}:
        try:
            blobs[name] = base64.b64encode(database.blobs.get(name)).decode()
        except StorageError:
            continue  # a hash that names nothing of ours
    return zlib.compress(json.dumps({**tables, "blobs": blobs}).encode("utf-8", "surrogatepass"), 1)


def unpack_run(database: Database, data: bytes) -> str:
    """Put a run into a workspace, in the place of an earlier state of it, and return its id.

    A run that had not ended counts as cancelled, and can be resumed.
    """
    packed = json.loads(zlib.decompress(data))
    for blob in packed["blobs"].values():
        database.blobs.put(base64.b64decode(blob))
    (run,) = packed["runs"]

    def write(connection: sqlite3.Connection) -> None:
        for table in ("sightings", "blob_uses", "effects", "events"):
            connection.execute(f"DELETE FROM {table} WHERE run=?", (run[0],))  # noqa: S608 - one of ours
        connection.execute(
            f"INSERT INTO runs ({_RUNS}, pid, process) VALUES ({_marks(run)}, 0, '') ON CONFLICT (id) DO UPDATE SET"  # noqa: S608
            " status=excluded.status, finished_at=excluded.finished_at, answer=excluded.answer, why=excluded.why",
            [*run[:3], "cancelled" if run[3] == "running" else run[3], *run[4:]],
        )
        for table, columns in (("effects", _EFFECTS), ("events", _EVENTS), ("blob_uses", "sha256, run")):
            for row in packed[table]:
                connection.execute(f"INSERT INTO {table} ({columns}) VALUES ({_marks(row)})", row)  # noqa: S608
        for row in packed["records"]:
            query = f"INSERT INTO records ({_RECORDS}) VALUES ({_marks(row)}) ON CONFLICT (id) DO NOTHING"  # noqa: S608
            connection.execute(query, row)
        for row in packed["sightings"]:
            query = "INSERT INTO sightings SELECT seq, ?, ?, ?, ? FROM records WHERE id=? ON CONFLICT DO NOTHING"
            connection.execute(query, (*row[1:], row[0]))

    database.write_now(write)
    return str(run[0])


def _marks(row: list[Any]) -> str:
    return ", ".join("?" * len(row))
