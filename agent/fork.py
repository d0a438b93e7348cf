"""Forks: a run that shares the path of another one up to a step, and goes on from there in its own way.

Nothing is copied. The new run's record names its parent, and how much of the parent's record belongs to it; what
the parent did is executed again over those effects, as in a resumed run, until the step is reached.
"""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from crowquill.agent.config import RunConfig
from crowquill.agent.events import Acted, Recorded
from crowquill.agent.models.base import Request, Role
from crowquill.agent.records import NewRun, RunRecord, find_run, insert_new
from crowquill.agent.state import Action
from crowquill.agent.tape import canonical, load_events, parts
from crowquill.errors import UserError
from crowquill.memory.db import Database

_HINT = "\n\nHint from the user: "
_FROM_THE_POLICY = ("clock", "model", "rank")
"""Kinds of effects by which a policy chooses the action of a step, before the action is taken."""


@dataclass(frozen=True, slots=True)
class Change:
    """What is different from the step on: a hint for the model, or another action than the one that was chosen.

    `args` replace those of the chosen action when it is of the same `tool`.
    """

    hint: str = ""
    tool: str = ""
    args: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def parse(cls, settings: Sequence[str], hint: str) -> "Change":
        """Read `TOOL.ARGUMENT=VALUE`; a value is JSON, or else a text as it stands. Raises UserError."""
        tool, args = "", {}
        for setting in settings:
            name, equals, value = setting.partition("=")
            owner, dot, argument = name.strip().partition(".")
            if not (equals and dot and owner and argument) or tool not in ("", owner):
                raise UserError(
                    f"--set {setting!r}: write TOOL.ARGUMENT=VALUE, of one tool, as in search.query=Aske"
                )
            tool = owner
            try:
                args[argument] = json.loads(value)
            except ValueError:
                args[argument] = value
        return cls(hint.strip(), tool, args)


@dataclass(frozen=True, slots=True)
class Fork:
    """Where a run left its parent's path: before the step `at`, such as `t1/s3`; `models` are the parent's.

    `before` says the same of the parent, if that is a fork, too.
    """

    at: str
    effects_before: int
    events_before: int
    models: Mapping[Role, str]
    change: Change
    before: "Fork | None" = None

    @classmethod
    def read(cls, record: RunRecord) -> "Fork | None":
        """Return how a run is a fork; None when it is none."""
        return None if record.fork is None else cls._of(json.loads(record.fork))

    @classmethod
    def _of(cls, data: dict[str, Any]) -> "Fork":
        before = None if data["before"] is None else cls._of(data["before"])
        return cls(**{**data, "change": Change(**data["change"]), "before": before})

    @property
    def first_models(self) -> Mapping[Role, str]:
        """The models of the run that the first fork has left."""
        return self.models if self.before is None else self.before.first_models

    def redirect(self, lane: str, action: Action) -> Action:
        """Return the action that is taken in a step: the chosen one, or the user's."""
        action = action if self.before is None else self.before.redirect(lane, action)
        change = self.change
        if not change.tool or lane != self.at:
            return action
        args = {**action.args, **change.args} if action.tool == change.tool else change.args
        return Action(change.tool, args, "set by the user")

    def sendings(self, request: Request, model: str) -> list[tuple[Request, str]]:
        """Return how a request was sent before each fork, and is now: its hints and its model; oldest first."""
        parents = self.models[request.role]
        earlier = [(request, parents)] if self.before is None else self.before.sendings(request, parents)
        return [*earlier, (self._hinted(earlier[-1][0]), model)]

    def _hinted(self, request: Request) -> Request:
        if not self.change.hint:
            return request
        *before, last = request.messages
        return replace(request, messages=(*before, replace(last, content=last.content + _HINT + self.change.hint)))


@dataclass(frozen=True, slots=True)
class _Row:
    number: int
    lane: str
    kind: str
    started_at: str


async def create_fork(database: Database, parent: str, new: NewRun, *, step: str, change: Change) -> Fork:
    """Write the record of a fork of `parent` before a step, named `t1/s3`, or `3` in a run of one task.

    Raises:
        UserError: there is no such run or step.
    """

    def write(connection: sqlite3.Connection) -> Fork:
        record = find_run(connection, parent)
        events = load_events(connection, record.id, database.blobs)
        around = parts(connection, record.id)
        rows = [row for part in around for row in _rows(connection, part.run, part.effects_before)]
        at = _find_step(step, record.id, rows, events)
        before = _before_action(rows, events, at) if change.tool else _before_step(rows, events, at)
        models = RunConfig.from_json(json.loads(record.config)).models
        fork = Fork(at, *before, models, change, Fork.read(record))
        insert_new(connection, new, record.objective, parent=record.id, fork=canonical(asdict(fork)))
        return fork

    return await database.write(write)


def _rows(connection: sqlite3.Connection, run: str, before: int) -> list[_Row]:
    query = "SELECT rowid, lane, kind, started_at FROM effects WHERE run=? AND rowid<? ORDER BY rowid"
    return [_Row(*row) for row in connection.execute(query, (run, before))]


def _find_step(step: str, run_id: str, rows: Sequence[_Row], events: Sequence[Recorded]) -> str:
    lanes = {row.lane: None for row in rows if "/s" in row.lane}
    tasks = {lane.partition("/")[0] for lane in lanes}
    wanted = f"{next(iter(tasks))}/s{step}" if step.isdecimal() and len(tasks) == 1 else step
    if wanted in lanes:
        return wanted
    taken = {
        f"{entry.lane}/s{entry.event.step}": entry.event.tool for entry in events if isinstance(entry.event, Acted)
    }
    known = ", ".join(f"{lane} ({taken[lane]})" if lane in taken else lane for lane in lanes)
    raise UserError(f"run {run_id} has no step {step!r}; it has {known or 'none'}")


def _before_step(rows: Sequence[_Row], events: Sequence[Recorded], at: str) -> tuple[int, int]:
    """Cut before anything that belongs to the step, and before every event that came after it had begun."""
    cut = next(row for row in rows if row.lane == at)
    return cut.number, next(
        (place for place, event in enumerate(events) if event.at >= cut.started_at), len(events)
    )


def _before_action(rows: Sequence[_Row], events: Sequence[Recorded], at: str) -> tuple[int, int]:
    """Cut after the action of the step was chosen, and before it was taken."""
    task, _, step = at.partition("/s")
    acted = next(
        (
            place
            for place, entry in enumerate(events)
            if entry.lane == task and isinstance(entry.event, Acted) and entry.event.step == int(step)
        ),
        len(events),
    )
    mine = [row for row in rows if row.lane.partition("/")[0] == task]
    since = mine[next(place for place, row in enumerate(mine) if row.lane == at) :]
    cut = next((row.number for row in since if row.lane != at or row.kind not in _FROM_THE_POLICY), 2**62)
    return cut, acted
