"""The journal: the append-only record of a run's effects and events.

Every effect passes through `Journal.effect`: an intent row is committed, the call runs, its response is
committed. An effect is found again by lane, kind, hash of the canonical request, and how many equal requests
the lane has made before, so that parallel lanes replay in any order. A replay runs the same code with
`live=False`: recorded effects return at once, a missing one is a `ReplayMiss`, and every event is compared
with the recorded one. A run that was left is resumed in the same way, only that what is missing is done and
recorded; an effect that was begun and not finished is done again.
"""

import asyncio
import hashlib
import json
import os
import sqlite3
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from crowquill.agent.events import Event, Recorded, decode, encode
from crowquill.agent.records import claim_run, process_identity
from crowquill.agent.redact import Redactor
from crowquill.errors import (
    CrowquillError,
    FetchFailed,
    ModelError,
    ReplayMismatch,
    ReplayMiss,
    StorageError,
    ToolFailed,
    ToolRetry,
)
from crowquill.memory.clock import Clock
from crowquill.memory.db import Database
from crowquill.tools.context import EffectKind, Json

_RECORDED_ERRORS: dict[str, type[CrowquillError]] = {
    kind.__name__: kind for kind in (ToolRetry, FetchFailed, ToolFailed, ModelError)
}

_INSTANT: frozenset[EffectKind] = frozenset({"clock", "random"})
"""Effects that cannot be interrupted: intent and result are written at once."""

Alongside = Callable[[sqlite3.Connection], None]
"""Rows to write in the same transaction as an event."""


def canonical(value: Json) -> str:
    """Return the one JSON spelling of a value."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class _Key:
    lane: str
    kind: str
    sha256: str
    ordinal: int


@dataclass(frozen=True, slots=True)
class _Effect:
    request: str
    status: str
    response: str | None


class Journal:
    """The journal of one run: of a new one or one to be resumed, after `begin`, or for replay (`reopen`)."""

    def __init__(
        self,
        database: Database,
        run_id: str,
        *,
        clock: Clock,
        redactor: Redactor,
        live: bool = True,
        resumed: bool = False,
    ) -> None:
        self.run_id = run_id
        self.live = live
        self._resumed = resumed
        self._held = False
        self._database = database
        self._clock = clock
        self.redactor = redactor
        self._ordinals: Counter[tuple[str, str, str]] = Counter()
        self._sequence: Counter[str] = Counter()
        self._effects: dict[_Key, _Effect] = {}
        self._events: dict[tuple[str, int], Recorded] = {}
        self._chain = _first_link(run_id)
        self._position = 0
        self._emitting = asyncio.Lock()

    async def begin(self, objective: str, config: Json) -> None:
        """Start the record of a new run, or take up that of a run that was left.

        Raises:
            UserError: the run to be resumed has ended, or a process works on it.
            StorageError: its record was changed.
        """
        row = (
            self.run_id,
            self.redactor.text(objective),
            canonical(self.redactor.data(config)),
            "running",
            self._clock.now().isoformat(),
            os.getpid(),
            process_identity(os.getpid()),
        )

        def write(connection: sqlite3.Connection) -> None:
            if self._resumed:
                claim_run(connection, self.run_id)
                self._load(connection)
            else:
                connection.execute(
                    "INSERT INTO runs (id, objective, config, status, created_at, pid, process)"
                    " VALUES (?,?,?,?,?,?,?)",
                    row,
                )
            self._held = True

        await self._database.write(write)

    @classmethod
    async def reopen(cls, database: Database, run_id: str, *, clock: Clock, redactor: Redactor) -> "Journal":
        """Open a recorded run for replay: nothing will be called and nothing written."""
        journal = cls(database, run_id, clock=clock, redactor=redactor, live=False)
        await database.read(journal._load)
        return journal

    def _load(self, connection: sqlite3.Connection) -> None:
        self._effects = _load_effects(connection, self.run_id)
        recorded = load_events(connection, self.run_id)
        self._events = {(event.lane, event.seq): event for event in recorded}
        self._position = len(recorded)
        last = "SELECT chain FROM events WHERE run=? ORDER BY position DESC LIMIT 1"
        for (chain,) in connection.execute(last, (self.run_id,)):
            self._chain = chain

    @property
    def worked(self) -> float:
        """Seconds for which the run had worked when its clock was last read; 0 for a new run."""
        clocks = (effect for key, effect in self._effects.items() if key.kind == "clock")
        return max((json.loads(effect.response) for effect in clocks if effect.response is not None), default=0.0)

    async def effect(self, lane: str, kind: EffectKind, request: Json, call: Callable[[], Awaitable[Json]]) -> Json:
        """Return the recorded response, or run `call` and record it.

        Raises:
            ReplayMiss: the run is being replayed and this effect was never recorded.
            ToolRetry, ToolFailed, ModelError: what `call` raised, now or when it was recorded.
        """
        text = canonical(self.redactor.data(request))
        sha256 = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        ordinal = self._ordinals[lane, kind, sha256]
        self._ordinals[lane, kind, sha256] += 1
        key = _Key(lane, kind, sha256, ordinal)
        recorded = self._effects.get(key)
        if recorded is not None and recorded.response is not None:
            return _recall(recorded.status, recorded.response)
        if not self.live:
            raise ReplayMiss(self._describe_miss(key, text))
        started_at, started = self._clock.now().isoformat(), self._clock.monotonic()
        intent = (self.run_id, lane, kind, sha256, ordinal, text, started_at)
        if kind not in _INSTANT and recorded is None:
            await self._database.write(lambda connection: _insert(connection, intent))
        status, failure = "done", None
        try:
            response = self.redactor.data(await call())
        except tuple(_RECORDED_ERRORS.values()) as error:
            status, failure = "failed", error
            response = self.redactor.data(_encode_error(error))
        outcome = (status, canonical(response), self._clock.monotonic() - started)

        def finish(connection: sqlite3.Connection) -> None:
            if kind in _INSTANT:
                _insert(connection, intent)
            connection.execute(_FINISH, (*outcome, *intent[:5]))

        await self._database.write(finish)
        if failure is not None:
            raise _decode_error(response) from failure
        return response  # type: ignore[no-any-return]  # redaction keeps JSON JSON

    def _describe_miss(self, key: _Key, request: str) -> str:
        near = [
            effect.request
            for other, effect in self._effects.items()
            if other.lane == key.lane and other.kind == key.kind
        ]
        nearest = max(near, key=lambda other: _common_prefix(request, other), default=None)
        message = f"run {self.run_id}, lane {key.lane}: no recorded {key.kind} effect for {request[:200]}"
        if nearest is None:
            return message
        at = _common_prefix(request, nearest)
        return f"{message}; the nearest differs at character {at}: …{nearest[max(0, at - 40) : at + 80]}"

    async def emit(self, lane: str, event: Event, alongside: Alongside | None = None) -> Recorded:
        """Record an event and, in the same transaction, the rows that `alongside` writes.

        Raises:
            ReplayMismatch: this event differs from the recorded one, or was not recorded in a run replayed.
        """
        payload = self.redactor.data(encode(event))
        seq = self._sequence[lane]
        self._sequence[lane] += 1
        recorded = self._events.pop((lane, seq), None)
        if recorded is not None:
            self._compare(recorded, payload)
            return recorded
        if not self.live:
            raise ReplayMismatch(
                f"run {self.run_id}, lane {lane}: event {seq} ({payload['kind']}) was not recorded"
            )
        async with self._emitting:
            text = canonical(payload)
            digest, chain = _link(self._chain, text)
            at = self._clock.now().isoformat()
            row = (self.run_id, lane, seq, self._position, at, text, digest, chain)

            def write(connection: sqlite3.Connection) -> None:
                connection.execute("INSERT INTO events VALUES (?,?,?,?,?,?,?,?)", row)
                if alongside is not None:
                    alongside(connection)

            await self._database.write(write)
            self._chain, self._position = chain, self._position + 1
        return Recorded(lane, seq, at, decode(payload))

    def _compare(self, recorded: Recorded, payload: dict[str, Any]) -> None:
        before, now = canonical(encode(recorded.event)), canonical(payload)
        if before != now:
            at = max(0, _common_prefix(before, now) - 40)
            raise ReplayMismatch(
                f"run {self.run_id}, lane {recorded.lane}, event {recorded.seq}: "
                f"recorded …{before[at : at + 120]}… but got …{now[at : at + 120]}…"
            )

    def check_complete(self) -> None:
        """Check at the end that every event recorded before has come again. Raises ReplayMismatch."""
        if self._events:
            lane, seq = next(iter(self._events))
            raise ReplayMismatch(f"run {self.run_id}: recorded event {seq} of lane {lane} did not come again")

    def finish(self, status: str, answer: Json) -> None:
        """Close the record of a run that `begin` took; waits for the commit, so that nothing can come between."""
        values = (status, self._clock.now().isoformat(), canonical(self.redactor.data(answer)), self.run_id)

        def write(connection: sqlite3.Connection) -> None:
            if self._held:
                connection.execute("UPDATE runs SET status=?, finished_at=?, answer=? WHERE id=?", values)

        self._database.write_now(write)


_FINISH = (
    "UPDATE effects SET status=?, response=?, seconds=?"
    " WHERE run=? AND lane=? AND kind=? AND request_sha256=? AND ordinal=?"
)


def _insert(connection: sqlite3.Connection, intent: tuple[str, str, str, str, int, str, str]) -> None:
    connection.execute(
        "INSERT INTO effects (run, lane, kind, request_sha256, ordinal, request, status, started_at)"
        " VALUES (?,?,?,?,?,?,'started',?)",
        intent,
    )


def _recall(status: str, response: str) -> Json:
    data: Json = json.loads(response)
    if status == "failed":
        raise _decode_error(data)
    return data


def _load_effects(connection: sqlite3.Connection, run_id: str) -> dict[_Key, _Effect]:
    rows = connection.execute(
        "SELECT lane, kind, request_sha256, ordinal, request, status, response FROM effects WHERE run=?",
        (run_id,),
    )
    return {_Key(*row[:4]): _Effect(*row[4:]) for row in rows}


def load_events(connection: sqlite3.Connection, run_id: str) -> list[Recorded]:
    """Return the recorded events of a run in the order they were recorded.

    Raises:
        StorageError: an event is not what was recorded: each is hashed together with all before it.
    """
    rows = connection.execute(
        "SELECT lane, seq, at, payload, chain FROM events WHERE run=? ORDER BY position", (run_id,)
    )
    events, chain = [], _first_link(run_id)
    for lane, seq, at, payload, recorded in rows:
        chain = _link(chain, payload)[1]
        if chain != recorded:
            raise StorageError(
                f"the record of run {run_id} was changed after it was written (lane {lane}, event {seq})"
            )
        events.append(Recorded(lane, seq, at, decode(json.loads(payload))))
    return events


def _first_link(run_id: str) -> str:
    return hashlib.sha256(run_id.encode()).hexdigest()


def _link(chain: str, payload: str) -> tuple[str, str]:
    """Return the hash of an event and that of the chain with it."""
    digest = hashlib.sha256(payload.encode("utf-8", "surrogatepass")).hexdigest()
    return digest, hashlib.sha256((chain + digest).encode()).hexdigest()


def _encode_error(error: CrowquillError) -> dict[str, Json]:
    name = next(name for name, kind in _RECORDED_ERRORS.items() if isinstance(error, kind))
    fault = error.kind if isinstance(error, ModelError | FetchFailed) else None
    return {"error": name, "message": str(error), "fault": fault}


def _decode_error(data: Any) -> CrowquillError:
    if data["error"] == ModelError.__name__:
        return ModelError(data["message"], kind=data["fault"])
    if data["error"] == FetchFailed.__name__:
        return FetchFailed(data["message"], kind=data["fault"])
    return _RECORDED_ERRORS[data["error"]](data["message"])


def _common_prefix(left: str, right: str) -> int:
    pairs = enumerate(zip(left, right, strict=False))
    return next((at for at, (one, other) in pairs if one != other), min(len(left), len(right)))
