"""The table of runs: which there are, what state they are in, and which process works on one."""

import json
import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from crowquill.errors import UserError

_COLUMNS = "id, objective, config, status, created_at, finished_at, pid, process, answer"


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One recorded run. Times are ISO 8601 in UTC."""

    id: str
    objective: str
    config: str
    status: str
    created_at: str
    finished_at: str | None
    pid: int
    process: str
    answer: str | None

    @property
    def state(self) -> str:
        """The recorded status; a run whose process has gone without a word was interrupted."""
        if self.status != "running":
            return self.status
        return "running" if self.process and self.process == process_identity(self.pid) else "interrupted"

    @property
    def ended(self) -> bool:
        """Whether the run came to its own end, with or without an answer: such a run cannot be resumed."""
        return self.answer is not None and json.loads(self.answer) is not None

    @property
    def short(self) -> str:
        """The bare answer; empty when there is none."""
        answer = json.loads(self.answer) if self.answer is not None else None
        return "" if answer is None else str(answer["short"])


def process_identity(pid: int) -> str:
    """Return the boot of the machine and the start time of a process; empty when there is no such process."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        state, *fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if state in "ZX" else f"{boot} {fields[18]}"  # starttime, field 22 in proc(5); Z and X are dead


def claim_run(connection: sqlite3.Connection, run_id: str) -> None:
    """Make this process the one that works on a run that was left.

    Raises:
        UserError: a process works on it, or it came to its own end.
    """
    record = find_run(connection, run_id)
    if record.state == "running":
        raise UserError(f"run {record.id} is being worked on by process {record.pid}; it cannot be resumed")
    if record.ended:
        raise UserError(f"run {record.id} came to its end ({record.status}); see: crowquill runs show {record.id}")
    connection.execute(
        "UPDATE runs SET status='running', finished_at=NULL, answer=NULL, pid=?, process=? WHERE id=?",
        (os.getpid(), process_identity(os.getpid()), record.id),
    )


def list_records(connection: sqlite3.Connection, limit: int) -> list[RunRecord]:
    """Return the newest runs, newest first."""
    query = f"SELECT {_COLUMNS} FROM runs ORDER BY created_at DESC, id DESC LIMIT ?"  # noqa: S608 - a constant
    return [RunRecord(*row) for row in connection.execute(query, (limit,))]


def find_run(connection: sqlite3.Connection, name: str) -> RunRecord:
    """Return the run with this id or beginning of an id; `last` is the newest.

    Raises:
        UserError: there is none, or more than one.
    """
    records = list_records(connection, -1)
    if name == "last" and records:
        return records[0]
    found = [record for record in records if record.id.startswith(name)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise UserError(f"no run {name!r}; see: crowquill runs list")
    raise UserError(f"{name!r} fits {len(found)} runs: {', '.join(record.id for record in found[:5])}")
