"""The table of runs: which there are, what state they are in, and which process works on one."""

import json
import os
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from crowquill.errors import UserError

BEAT_SECONDS = 15.0
"""How often a process says that it still works on a run."""
LEASE_SECONDS = 60.0
"""How long such a word holds for a process that cannot be seen from here (another machine, another container)."""

_COLUMNS = (
    "id, objective, config, status, created_at, finished_at, pid, process, answer, beat_at, why, parent, fork"
)


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One recorded run. Times are ISO 8601 in UTC; `why` says what a paused run waits for.

    A fork has the id of its `parent` and, as JSON, where and how it leaves its parent's path (`agent.fork.Fork`).
    """

    id: str
    objective: str
    config: str
    status: str
    created_at: str
    finished_at: str | None
    pid: int
    process: str
    answer: str | None
    beat_at: str | None
    why: str
    parent: str | None
    fork: str | None

    @property
    def state(self) -> str:
        """The recorded status; a run whose process has gone without a word was interrupted."""
        if self.status != "running":
            return self.status
        return "running" if self._is_worked_on else "interrupted"

    @property
    def _is_worked_on(self) -> bool:
        if self.process.rpartition(" ")[0] == _here():
            return bool(self.process) and self.process == process_identity(self.pid)
        return self.beat_age is not None and abs(self.beat_age) < LEASE_SECONDS

    @property
    def beat_age(self) -> float | None:
        """Seconds since the process last said that it works on the run; negative when its clock is ahead."""
        if self.beat_at is None:
            return None
        return (datetime.now(UTC) - datetime.fromisoformat(self.beat_at)).total_seconds()

    @property
    def ended(self) -> bool:
        """Whether the run came to its own end, with or without an answer: such a run cannot be resumed."""
        return self.answer is not None and json.loads(self.answer) is not None

    @property
    def short(self) -> str:
        """The bare answer; empty when there is none."""
        answer = json.loads(self.answer) if self.answer is not None else None
        return "" if answer is None else str(answer["short"])


@dataclass(frozen=True, slots=True)
class NewRun:
    """A run that is yet to begin; `config` is JSON."""

    id: str
    config: str
    created_at: str


def insert_new(
    connection: sqlite3.Connection,
    new: NewRun,
    objective: str,
    *,
    parent: str | None = None,
    fork: str | None = None,
) -> None:
    """Write the record of a run that is yet to begin, and whose effects are known in part or altogether."""
    connection.execute(
        "INSERT INTO runs (id, objective, config, status, created_at, pid, process, parent, fork)"
        " VALUES (?, ?, ?, 'new', ?, 0, '', ?, ?)",
        (new.id, objective, new.config, new.created_at, parent, fork),
    )


def _here() -> str:
    """Return what tells this machine's boot and process numbers from others'; empty when /proc does not say."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {os.stat('/proc/self/ns/pid').st_ino}"  # noqa: PTH116 - of the namespace, not of a file
    except OSError:
        return ""


def process_identity(pid: int) -> str:
    """Return boot, process namespace and start time of a process; empty when there is no such process."""
    try:
        state, *fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if state in "ZX" else f"{_here()} {fields[18]}"  # starttime, field 22 in proc(5); Z and X are dead


def claim_run(connection: sqlite3.Connection, run_id: str, now: str) -> None:
    """Make this process the one that works on a run that was left.

    Raises:
        UserError: a process works on it, it came to its own end, or it waits for a decision.
    """
    record = find_run(connection, run_id)
    if record.state == "running":
        raise UserError(f"run {record.id} is being worked on by process {record.pid}; it cannot be resumed")
    if record.ended:
        raise UserError(f"run {record.id} came to its end ({record.status}); see: crowquill runs show {record.id}")
    if calls := unknown_outcomes(connection, record.id):
        raise UserError(
            f"run {record.id} was left while it called {', '.join(calls)}: nobody knows whether that was done. "
            f"Look, then say it with: crowquill runs settle {record.id} done|failed|again"
        )
    connection.execute(
        "UPDATE runs SET status='running', finished_at=NULL, answer=NULL, why='', pid=?, process=?, beat_at=?"
        " WHERE id=?",
        (os.getpid(), process_identity(os.getpid()), now, record.id),
    )


def beat(connection: sqlite3.Connection, run_id: str, now: str) -> bool:
    """Say that this process still works on the run; False when another one has taken it over."""
    changed = connection.execute(
        "UPDATE runs SET beat_at=? WHERE id=? AND pid=? AND process=?",
        (now, run_id, os.getpid(), process_identity(os.getpid())),
    )
    return changed.rowcount == 1


UNKNOWN = "run=? AND status='started' AND access<>'read'"
"""Calls that may change something, have begun, and have not ended."""


def unknown_outcomes(connection: sqlite3.Connection, run_id: str) -> list[str]:
    """Return the calls, as `tool {arguments} in LANE`, that may change something and have begun but not ended."""
    rows = connection.execute(f"SELECT request, lane, started_at FROM effects WHERE {UNKNOWN}", (run_id,))  # noqa: S608 - a constant
    return [f"{request[:200]} (at {lane}, begun {at})" for request, lane, at in rows]


def list_records(connection: sqlite3.Connection, limit: int) -> list[RunRecord]:
    """Return the newest runs, newest first; a negative limit is none."""
    return _select(connection, "ORDER BY created_at DESC, id DESC LIMIT ?", limit)


def count_records(connection: sqlite3.Connection) -> int:
    """Return how many runs there are."""
    return int(connection.execute("SELECT count(*) FROM runs").fetchone()[0])


def forks_of(connection: sqlite3.Connection, run_id: str) -> list[RunRecord]:
    """Return the runs that were forked from a run, oldest first."""
    return _select(connection, "WHERE parent=? ORDER BY created_at, id", run_id)


def find_run(connection: sqlite3.Connection, name: str) -> RunRecord:
    """Return the run with this id or beginning of an id; `last` is the newest.

    Raises:
        UserError: there is none, or more than one.
    """
    if name == "last" and (newest := list_records(connection, 1)):
        return newest[0]
    found = _select(connection, "WHERE id>=?1 AND id<?1||char(1114111) ORDER BY created_at DESC LIMIT 6", name)
    exact = [record for record in found if record.id == name]
    if len(found) == 1 or exact:
        return (exact or found)[0]
    if not found:
        raise UserError(f"no run {name!r}; see: crowquill runs list")
    raise UserError(f"{name!r} fits {len(found)} runs: {', '.join(record.id for record in found[:5])}")


def _select(connection: sqlite3.Connection, rest: str, value: str | int) -> list[RunRecord]:
    query = f"SELECT {_COLUMNS} FROM runs {rest}"  # noqa: S608 - constants
    return [RunRecord(*row) for row in connection.execute(query, (value,))]
