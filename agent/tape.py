"""What the journal keeps in rows: the effects and events of a run, each in one canonical spelling.

Long texts lie as blobs beside the database, and the row names them. Every response is stored with its hash, and
every event is hashed together with all before it. A fork has no rows of what it shares with its parent: they are
read from there.
"""

import json
import sqlite3
from dataclasses import dataclass
from typing import Any, Literal, cast

from crowquill.agent.events import Recorded, decode
from crowquill.agent.records import UNKNOWN
from crowquill.errors import CrowquillError, FetchFailed, ModelError, StorageError, ToolFailed, ToolRetry
from crowquill.memory.blobs import BlobStore
from crowquill.memory.rows import digest, fetch_back, first_link, link
from crowquill.tools.context import Json

RECORDED_ERRORS: dict[str, type[CrowquillError]] = {
    kind.__name__: kind for kind in (ToolRetry, FetchFailed, ToolFailed, ModelError)
}


def canonical(value: Json) -> str:
    """Return the one JSON spelling of a value."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def spell(value: Json) -> tuple[Any, str]:
    """Return a value as it can be kept, and its canonical spelling: lone surrogates become `?`, as in no file."""
    text = canonical(value)
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-8", "replace").decode()
        value = json.loads(text)
    return value, text


@dataclass(frozen=True, slots=True)
class Key:
    """What an effect is found by: how many equal requests the lane has made before is its `ordinal`."""

    lane: str
    kind: str
    sha256: str
    ordinal: int


@dataclass(frozen=True, slots=True)
class Effect:
    """A recorded effect: JSON texts and `started`, `done` or `failed`; `response` is None until it has ended."""

    request: str
    status: str
    response: str | None
    started_at: str
    seconds: float | None
    reused: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """The rows of one run that belong to a run: all of its own, and those of its ancestors before it left."""

    run: str
    effects_before: int
    events_before: int


def parts(connection: sqlite3.Connection, run_id: str) -> list[Part]:
    """Return where the rows of a run are: in its ancestors, oldest first, and in itself."""
    found, effects, events = [Part(run_id, 2**62, 2**62)], 2**62, 2**62
    row = connection.execute("SELECT parent, fork FROM runs WHERE id=?", (run_id,)).fetchone()
    while row is not None and row[0] is not None:
        fork = json.loads(row[1])
        effects, events = min(effects, fork["effects_before"]), min(events, fork["events_before"])
        found.append(Part(row[0], effects, events))
        row = connection.execute("SELECT parent, fork FROM runs WHERE id=?", (row[0],)).fetchone()
    return found[::-1]


def load_effects(connection: sqlite3.Connection, run_id: str, blobs: BlobStore) -> dict[Key, Effect]:
    """Return the effects of a run in the order in which they began.

    Raises:
        StorageError: a response is not what was recorded.
    """
    effects: dict[Key, Effect] = {}
    for part in parts(connection, run_id):
        rows = connection.execute(
            "SELECT lane, kind, request_sha256, ordinal, request, status, response, started_at, seconds, reused,"
            " digest FROM effects WHERE run=? AND rowid<? ORDER BY rowid",
            (part.run, part.effects_before),
        )
        for lane, kind, sha256, ordinal, request, status, response, started_at, seconds, reused, recorded in rows:
            if status == "started" and part.run != run_id:
                continue  # it was under way when the fork left
            text = None if response is None else fetch_back(response, blobs)
            asked = fetch_back(request, blobs)
            if digest(asked) != sha256 or (recorded is not None and digest(text or "") != recorded):
                raise StorageError(f"the record of run {run_id} was changed after it was written ({lane}, {kind})")
            effects[Key(lane, kind, sha256, ordinal)] = Effect(
                asked, status, text, started_at, seconds, bool(reused)
            )
    return effects


@dataclass(frozen=True, slots=True)
class History:
    """The events of a run in order; the last link of the chain of its own ones, and the next position."""

    events: list[Recorded]
    chain: str
    position: int


def load_history(connection: sqlite3.Connection, run_id: str, blobs: BlobStore) -> History:
    """Return the recorded events of a run, in the order they were recorded, checked link by link.

    Raises:
        StorageError: an event is not what was recorded.
    """
    known: dict[tuple[str, int], tuple[int, Recorded]] = {}
    chain = position = None
    for part in parts(connection, run_id):
        chain, position = first_link(part.run), 0
        rows = connection.execute(
            "SELECT lane, seq, position, at, payload, chain FROM events WHERE run=? AND position<?"
            " ORDER BY position",
            (part.run, part.events_before),
        )
        for lane, seq, at_position, at, payload, recorded in rows:
            text = fetch_back(payload, blobs)
            chain, position = link(chain, text)[1], at_position + 1
            if chain != recorded:
                raise StorageError(
                    f"the record of run {run_id} was changed after it was written (lane {lane}, event {seq})"
                )
            if part.run == run_id or at_position > 0:  # a fork begins with an event of its own
                known[lane, seq] = (at_position, Recorded(lane, seq, at, decode(json.loads(text))))
    assert chain is not None
    assert position is not None
    ordered = [event for _, event in sorted(known.values(), key=lambda pair: pair[0])]
    return History(ordered, chain, max(position, max((place + 1 for place, _ in known.values()), default=0)))


def load_events(connection: sqlite3.Connection, run_id: str, blobs: BlobStore) -> list[Recorded]:
    """Return the recorded events of a run in order. Raises StorageError when one was changed."""
    return load_history(connection, run_id, blobs).events


def encode_error(error: CrowquillError) -> dict[str, Json]:
    """Return a failure as JSON data, to be recorded as the response."""
    name = next(name for name, kind in RECORDED_ERRORS.items() if isinstance(error, kind))
    fault = error.kind if isinstance(error, ModelError | FetchFailed) else None
    return {"error": name, "message": str(error), "fault": fault}


def decode_error(data: Any) -> CrowquillError:
    """Restore a failure."""
    if data["error"] == ModelError.__name__:
        return ModelError(data["message"], kind=data["fault"])
    if data["error"] == FetchFailed.__name__:
        return FetchFailed(data["message"], kind=data["fault"])
    return RECORDED_ERRORS[data["error"]](data["message"])


def recall(effect: Effect) -> Json:
    """Return what a finished effect has returned, or raise what it has raised."""
    data: Json = json.loads(effect.response or "null")
    if effect.status == "failed":
        raise decode_error(data)
    return data


def settle_outcomes(
    connection: sqlite3.Connection, run_id: str, outcome: Literal["done", "failed", "again"]
) -> int:
    """Record what the user says became of calls with unknown outcome; return how many there were.

    A call that is to be made `again` is struck from the record.
    """
    rows = connection.execute(f"SELECT rowid, request FROM effects WHERE {UNKNOWN}", (run_id,)).fetchall()  # noqa: S608
    for row, request in rows:
        if outcome == "again":
            connection.execute("DELETE FROM effects WHERE rowid=?", (row,))
            continue
        tool = "the call" if request.startswith("blob:") else json.loads(request).get("tool", "the call")
        said: Json = {"text": "", "source": tool, "status": f"{tool}: done", "evidence": [], "offered": []}
        if outcome == "failed":
            said = cast("Json", encode_error(ToolFailed(f"{tool}: it was not done, the user says")))
        text = canonical(said)
        values = (outcome, text, digest(text), row)
        connection.execute("UPDATE effects SET status=?, response=?, digest=?, seconds=0 WHERE rowid=?", values)
    return len(rows)
