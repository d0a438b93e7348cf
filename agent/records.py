"""The table of runs, for people: which there are, and what state they are in."""

import json
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from crowquill.agent.journal import boot_id
from crowquill.errors import UserError

_COLUMNS = "id, objective, config, status, created_at, finished_at, pid, boot_id, answer"


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
    boot_id: str
    answer: str | None

    @property
    def state(self) -> str:
        """The recorded status; a run whose process has gone without a word was interrupted."""
        if self.status != "running":
            return self.status
        alive = self.boot_id == boot_id() and Path(f"/proc/{self.pid}").exists()
        return "running" if alive else "interrupted"

    @property
    def short(self) -> str:
        """The bare answer; empty when there is none."""
        answer = json.loads(self.answer) if self.answer is not None else None
        return "" if answer is None else str(answer["short"])


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
