"""Cassettes: the effects of runs as lines of JSON, to be played without model and network.

The same record as the journal's, in one file that is kept beside a test. A line is the head of a run, one of its
effects in the order in which they began, or a page that the effects name. Seconds are left out where no limit of
time makes them matter, so that a new recording differs only in what was said.
"""

import base64
import hashlib
import json
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crowquill.agent.records import NewRun, RunRecord, insert_new
from crowquill.agent.redact import Redactor
from crowquill.agent.tape import Effect, Key, canonical, load_effects
from crowquill.errors import StorageError, UserError
from crowquill.memory.db import Database
from crowquill.memory.owned import open_own, own_folder
from crowquill.memory.rows import blob_names, digest, note_blobs, put_aside

VERSION = 1


@dataclass(frozen=True)
class Tape:
    """One run of a cassette."""

    objective: str
    effects: list[tuple[Key, Effect]] = field(default_factory=list)
    blobs: dict[str, bytes] = field(default_factory=dict)


def write_cassette(database: Database, record: RunRecord, path: Path) -> int:
    """Add a run to a cassette and return how many effects it has.

    Raises:
        UserError: the file cannot be written, or a page holds a secret, so that it would lie in the file; or the
            run is a fork, which an agent that plays it would not know.
    """
    if record.parent is not None:
        raise UserError(f"run {record.id} is a fork and cannot be played: make a cassette of a run of its own")
    effects = database.read_now(lambda connection: load_effects(connection, record.id, database.blobs))
    lines = list(_lines(record, effects, database))
    try:
        own_folder(path.parent)
        with open_own(path, "a", errors="surrogatepass") as file:
            file.writelines(line + "\n" for line in lines)
    except OSError as error:
        raise UserError(f"cannot write the cassette {path}: {error.strerror}") from error
    return len(effects)


def _lines(record: RunRecord, effects: Mapping[Key, Effect], database: Database) -> Iterator[str]:
    config = json.loads(record.config)
    yield canonical({"cassette": VERSION, "objective": record.objective, "models": config["models"]})
    timed = config["budget"].get("seconds") is not None
    named: dict[str, None] = {}
    for key, effect in effects.items():
        if effect.response is None or (key.kind == "clock" and not timed):
            continue
        named.update(dict.fromkeys(sorted(blob_names(effect.response))))
        place = {"lane": key.lane, "kind": key.kind, "ordinal": key.ordinal, "status": effect.status}
        said = {"request": json.loads(effect.request), "response": json.loads(effect.response)}
        yield json.dumps({**place, **said}, ensure_ascii=False)
    redactor = Redactor()
    for name in named:
        try:
            data = database.blobs.get(name)
        except StorageError:
            continue  # a hash that names nothing of ours
        yield canonical({"blob": name, **_as_text(name, data, redactor)})


def _as_text(name: str, data: bytes, redactor: Redactor) -> dict[str, Any]:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode()}
    if redactor.text(text) != text:
        raise UserError(f"the page {name[:12]} holds what looks like a secret; it is not written into a cassette")
    return {"text": text}


def read_cassette(path: Path) -> list[Tape]:
    """Return the runs of a cassette. Raises UserError when it cannot be read."""
    tapes: list[Tape] = []
    try:
        with path.open(encoding="utf-8", errors="surrogatepass") as file:
            for number, line in enumerate(file, 1):
                _take(json.loads(line), tapes, f"{path}, line {number}")
    except OSError as error:
        raise UserError(f"cannot read the cassette {path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise UserError(f"{path} is no cassette that can be read: {error}") from error
    return tapes


def _take(entry: dict[str, Any], tapes: list[Tape], where: str) -> None:
    if "cassette" in entry:
        if entry["cassette"] != VERSION:
            raise ValueError(f"{where}: its version is {entry['cassette']}, not {VERSION}")
        tapes.append(Tape(entry["objective"]))
    elif "blob" in entry:
        data = entry["text"].encode() if "text" in entry else base64.b64decode(entry["base64"])
        if hashlib.sha256(data).hexdigest() != entry["blob"]:
            raise ValueError(f"{where}: the page was changed; record the cassette again")
        tapes[-1].blobs[entry["blob"]] = data
    else:
        request = canonical(entry["request"])
        key = Key(entry["lane"], entry["kind"], digest(request), entry["ordinal"])
        tapes[-1].effects.append((key, Effect(request, entry["status"], canonical(entry["response"]), "", 0.0)))


async def insert_tape(database: Database, tape: Tape, new: NewRun) -> None:
    """Write the record of a run that is yet to begin, with all effects that it will ask for."""
    for data in tape.blobs.values():
        database.blobs.put(data)
    rows = [
        (
            *(new.id, key.lane, key.kind, key.sha256, key.ordinal),
            *(put_aside(effect.request, database.blobs), effect.status, new.created_at),
            *(put_aside(effect.response or "null", database.blobs), digest(effect.response or "null")),
        )
        for key, effect in tape.effects
    ]

    def write(connection: sqlite3.Connection) -> None:
        insert_new(connection, new, tape.objective)
        connection.executemany(
            "INSERT INTO effects (run, lane, kind, request_sha256, ordinal, request, status, started_at, response,"
            " digest, seconds) VALUES (?,?,?,?,?,?,?,?,?,?,0)",
            rows,
        )
        for row in rows:
            note_blobs(connection, new.id, row[5], row[8])

    await database.write(write)
