"""The journal: the append-only record of a run's effects and events.

Every effect passes through `Journal.effect`: an intent row is committed, the call runs, its response is
committed. An effect is found again by lane, kind, hash of the canonical request, and how many equal requests
the lane has made before, so that parallel lanes replay in any order. A replay runs the same code over the
recorded effects: they return at once, a missing one is a `ReplayMiss`, and every event is compared with the
recorded one. A run that was left is resumed in the same way, only that what is missing is done and recorded;
an effect that was begun and not finished is done again, unless it may have changed something.
"""

import asyncio
import os
import sqlite3
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any, Literal, cast

from crowquill.agent.events import Event, Recorded, decode, encode
from crowquill.agent.misses import describe_miss
from crowquill.agent.records import beat, claim_run, process_identity
from crowquill.agent.redact import Redactor
from crowquill.agent.reuse import Reuse, find_reply, may_be_reused, most_alike, replies_to_others
from crowquill.agent.tape import (
    RECORDED_ERRORS,
    Effect,
    Key,
    canonical,
    decode_error,
    encode_error,
    load_effects,
    load_history,
    recall,
    spell,
)
from crowquill.errors import ReplayMismatch, ReplayMiss
from crowquill.memory.clock import Clock
from crowquill.memory.db import Database
from crowquill.memory.rows import digest, first_link, link, note_blobs, put_aside
from crowquill.tools.context import Access, EffectKind, Json, State

Mode = Literal["new", "resume", "replay", "cassette"]
"""How a journal is used: for a new run or one that was left; for a replay, which calls and writes nothing; for a
run whose effects come from a cassette, which calls nothing, but whose events are new."""

_AWAITED: frozenset[EffectKind] = frozenset({"model", "ask", "steer", "random"})
"""Effects whose outcome is on disk before it is used: they were paid for, or a person was asked, or the seed."""

_INSTANT: frozenset[EffectKind] = frozenset({"clock", "random"})
"""Effects that cannot be interrupted: intent and result are written at once."""

Alongside = Callable[[sqlite3.Connection], None]
"""Rows to write in the same transaction as an event."""


Publish = Callable[[Recorded], None]


class Journal:
    """The journal of one run; nothing is read or written before `begin`."""

    def __init__(
        self,
        database: Database,
        run_id: str,
        *,
        clock: Clock,
        redactor: Redactor,
        mode: Mode = "new",
        reuse: Reuse | None = None,
    ) -> None:
        """With `reuse`, a reply may come from an earlier run (`agent.reuse`)."""
        self.run_id = run_id
        self.writes = mode != "replay"
        self._calls = mode in ("new", "resume")
        self._new = mode == "new"
        self._reuse = reuse
        self._held = False
        self._objective = ""
        self._database = database
        self._clock = clock
        self.redactor = redactor
        self._ordinals: Counter[tuple[str, str, str]] = Counter()
        self._sequence: Counter[str] = Counter()
        self._effects: dict[Key, Effect] = {}
        self._unused: set[Key] = set()
        self._events: dict[tuple[str, int], Recorded] = {}
        self._chain = first_link(run_id)
        self._position = 0

    async def begin(self, objective: str, config: Json) -> None:
        """Start the record of a new run, take up that of a run that was left, or read what is to be replayed.

        Raises:
            UserError: the run to be resumed has ended, a process works on it, or it waits for a decision.
            StorageError: its record was changed.
        """
        if not self.writes:
            await self._database.read(self._load)
            return
        now = self._clock.now().isoformat()
        self._objective = self.redactor.text(objective)
        told = (self._objective, canonical(self.redactor.data(config)))
        row = (self.run_id, *told, now, os.getpid(), process_identity(os.getpid()), now)

        def write(connection: sqlite3.Connection) -> None:
            if self._new:
                connection.execute(
                    "INSERT INTO runs (id, objective, config, status, created_at, pid, process, beat_at)"
                    " VALUES (?,?,?,'running',?,?,?,?)",
                    row,
                )
            else:
                claim_run(connection, self.run_id, now)
                self._load(connection)
            self._held = True

        await self._database.write(write)

    def _load(self, connection: sqlite3.Connection) -> None:
        self._effects = load_effects(connection, self.run_id, self._database.blobs)
        self._unused = {key for key, effect in self._effects.items() if effect.response is not None}
        history = load_history(connection, self.run_id, self._database.blobs)
        self._events = {(event.lane, event.seq): event for event in history.events}
        self._chain, self._position = history.chain, history.position

    async def beat(self) -> bool:
        """Say that this process still works on the run; False when another one has taken it over."""
        now = self._clock.now().isoformat()
        return await self._database.write(lambda connection: beat(connection, self.run_id, now))

    @property
    def worked(self) -> float:
        """Seconds for which the run had worked when its clock was last read; 0 for a new run."""
        clocks = (effect for key, effect in self._effects.items() if key.kind == "clock")
        return max((float(effect.response) for effect in clocks if effect.response is not None), default=0.0)

    @property
    def caught_up(self) -> bool:
        """Whether every recorded event has come again: what happens from now on is new."""
        return self.writes and not self._events

    def knows(self, lane: str, kind: EffectKind, request: Json) -> bool:
        """Say whether the lane's next effect of this kind and request is recorded."""
        if not self._effects:
            return False
        sha256 = digest(spell(self.redactor.data(request))[1])
        known = self._effects.get(Key(lane, kind, sha256, self._ordinals[lane, kind, sha256]))
        return known is not None and known.response is not None

    async def effect(
        self,
        lane: str,
        kind: EffectKind,
        request: Json,
        call: Callable[[], Awaitable[Json]],
        *,
        access: Access = "read",
        state: State | None = None,
    ) -> Json:
        """Return the recorded response, one of an earlier run (`agent.reuse`), or run `call` and record it.

        Raises:
            ReplayMiss: nothing may be called, and this effect was never recorded.
            ToolRetry, ToolFailed, ModelError: what `call` raised, now or when it was recorded.
        """
        payload, text = spell(self.redactor.data(request))
        sha256 = digest(text)
        ordinal = self._ordinals[lane, kind, sha256]
        self._ordinals[lane, kind, sha256] += 1
        key = Key(lane, kind, sha256, ordinal)
        recorded = self._effects.get(key)
        if recorded is not None and recorded.response is not None:
            self._unused.discard(key)
            return recall(recorded)
        if not self._calls:
            if kind == "clock" and self.writes:
                return 0.0  # a cassette has no seconds where they do not matter
            requests = ((other, effect.request) for other, effect in self._effects.items())
            raise ReplayMiss(describe_miss(self.run_id, key, text, requests))
        if recorded is None and self._reuse is not None and may_be_reused(kind, request):
            found = await self._take_over(self._reuse, key, payload, None if state is None else state())
            if found is not None:
                return found
        started_at, started = self._clock.now().isoformat(), self._clock.monotonic()
        intent = (
            self.run_id,
            lane,
            kind,
            sha256,
            ordinal,
            put_aside(text, self._database.blobs),
            started_at,
            access,
        )
        if kind not in _INSTANT and recorded is None:
            if access == "read":
                self._database.write_soon(lambda connection: _insert(connection, intent))
            else:  # whoever finds it must know that it may have been done
                await self._database.write(lambda connection: _insert(connection, intent))
        status, failure = "done", None
        try:
            response = self.redactor.data(await call())
        except tuple(RECORDED_ERRORS.values()) as error:
            status, failure = "failed", error
            response = self.redactor.data(encode_error(error))
        response, said = spell(response)
        outcome = (
            status,
            put_aside(said, self._database.blobs),
            digest(said),
            self._clock.monotonic() - started,
            0,
        )

        def finish(connection: sqlite3.Connection) -> None:
            if kind in _INSTANT:
                _insert(connection, intent)
            connection.execute(_FINISH, (*outcome, *intent[:5]))
            note_blobs(connection, self.run_id, intent[5], outcome[1], said)

        if access == "read" and kind not in _AWAITED:
            self._database.write_soon(finish)  # should it be lost, it is done again
        else:
            await self._database.write(finish)
        if failure is not None:
            raise decode_error(response) from failure
        return response  # type: ignore[no-any-return]  # redaction keeps JSON JSON

    async def _take_over(self, reuse: Reuse, key: Key, request: Json, state: str | None) -> Json | None:
        """Record an earlier run's reply to this request as this run's, and return it; None without one."""
        now, blobs, kind = self._clock.now(), self._database.blobs, cast("EffectKind", key.kind)

        def find(connection: sqlite3.Connection) -> tuple[Any, dict[str, Any]]:
            reply = find_reply(connection, blobs, kind, key.sha256, now, state)
            if reply is not None or reuse.similar is None or kind != "model":
                return reply, {}
            return None, replies_to_others(connection, blobs, request, self._objective, now)

        reply, others = await self._database.read(find)
        if others:
            reply = await asyncio.to_thread(most_alike, reuse, self._objective, others)
        if reply is None:
            return None
        intent = (self.run_id, key.lane, key.kind, key.sha256, key.ordinal)
        said = canonical(reply)
        asked, kept = put_aside(canonical(request), blobs), put_aside(said, blobs)

        def write(connection: sqlite3.Connection) -> None:
            _insert(connection, (*intent, asked, now.isoformat(), "read"))
            connection.execute(_FINISH, ("done", kept, digest(said), 0.0, 1, *intent))
            note_blobs(connection, self.run_id, asked, kept, said)

        await self._database.write(write)
        return cast("Json", reply)

    async def emit(
        self, lane: str, event: Event, alongside: Alongside | None = None, *, publish: Publish | None = None
    ) -> Recorded:
        """Record an event and, in the same transaction, the rows that `alongside` writes.

        It is waited for when there are such rows; `publish` is called in any case only when the event is on disk.

        Raises:
            ReplayMismatch: this event differs from the recorded one, or was not recorded in a run replayed.
        """
        told = encode(event)
        payload, text = spell(self.redactor.data(told))
        seq = self._sequence[lane]
        self._sequence[lane] += 1
        recorded = self._events.pop((lane, seq), None)
        if recorded is not None:
            self._compare(recorded, payload)
            if publish is not None:
                publish(recorded)
            return recorded
        if not self.writes:
            raise ReplayMismatch(
                f"run {self.run_id}, lane {lane}: event {seq} ({payload['kind']}) was not recorded"
            )
        own, self._chain = link(self._chain, text)
        at = self._clock.now().isoformat()
        position = 0 if payload["kind"] == "run_started" else self._position  # a fork has its parent's others
        self._position = max(self._position, position + 1)
        row = (self.run_id, lane, seq, position, at, put_aside(text, self._database.blobs), own, self._chain)

        def write(connection: sqlite3.Connection) -> None:
            connection.execute("INSERT INTO events VALUES (?,?,?,?,?,?,?,?)", row)
            note_blobs(connection, self.run_id, row[5], text)
            if alongside is not None:
                alongside(connection)

        entry = Recorded(lane, seq, at, event if payload == told else decode(payload))
        if alongside is None:
            tell = asyncio.get_running_loop().call_soon_threadsafe
            self._database.write_soon(write, None if publish is None else lambda: tell(publish, entry))
        else:
            await self._database.write(write)
            if publish is not None:
                publish(entry)
        return entry

    async def flush(self) -> None:
        """Wait until everything recorded so far is on disk and published."""
        if self.writes:
            await self._database.write(lambda connection: None)

    def _compare(self, recorded: Recorded, payload: dict[str, Any]) -> None:
        before, now = canonical(encode(recorded.event)), canonical(payload)
        if before != now:
            at = max(0, _common_prefix(before, now) - 40)
            raise ReplayMismatch(
                f"run {self.run_id}, lane {recorded.lane}, event {recorded.seq}: "
                f"recorded …{before[at : at + 120]}… but got …{now[at : at + 120]}…"
            )

    def check_complete(self, *, strict: bool = False) -> None:
        """Check at the end that every event recorded before has come again; `strict`: and every effect.

        Raises:
            ReplayMismatch: one did not.
        """
        if self._events:
            lane, seq = next(iter(self._events))
            raise ReplayMismatch(f"run {self.run_id}: recorded event {seq} of lane {lane} did not come again")
        if strict and self._unused:
            first = next(key for key in self._effects if key in self._unused)
            raise ReplayMismatch(
                f"run {self.run_id}: {len(self._unused)} recorded effects were not asked for again; the first is"
                f" {first.kind} at {first.lane}: {self._effects[first].request[:200]}"
            )

    def finish(self, status: str, answer: Json, why: str = "") -> None:
        """Close the record of a run that `begin` took; waits for the commit, so that nothing can come between."""
        told = (canonical(self.redactor.data(answer)), self.redactor.text(why))
        values = (status, self._clock.now().isoformat(), *told, self.run_id, process_identity(os.getpid()))

        def write(connection: sqlite3.Connection) -> None:
            if self._held:
                connection.execute(_CLOSE, values)  # unless another process has taken the run over

        self._database.write_now(write)


_CLOSE = "UPDATE runs SET status=?, finished_at=?, answer=?, why=? WHERE id=? AND process=?"
_FINISH = (
    "UPDATE effects SET status=?, response=?, digest=?, seconds=?, reused=?"
    " WHERE run=? AND lane=? AND kind=? AND request_sha256=? AND ordinal=?"
)


def _insert(connection: sqlite3.Connection, intent: tuple[str, str, str, str, int, str, str, str]) -> None:
    connection.execute(
        "INSERT INTO effects (run, lane, kind, request_sha256, ordinal, request, status, started_at, access)"
        " VALUES (?,?,?,?,?,?,'started',?,?)",
        intent,
    )


def _common_prefix(left: str, right: str) -> int:
    pairs = enumerate(zip(left, right, strict=False))
    return next((at for at, (one, other) in pairs if one != other), min(len(left), len(right)))
