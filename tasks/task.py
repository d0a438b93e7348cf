"""Tasks: the units of the agenda. Pure data."""

from dataclasses import dataclass
from typing import Literal

Status = Literal["open", "done", "failed", "dropped"]
Origin = Literal["user", "planner", "extension"]


@dataclass(frozen=True, slots=True)
class Task:
    """One unit of work.

    `needs` are ids of tasks whose results it builds on; `evidence` holds the ids of what it found. `result`
    is the episode's own answer, None until the task has ended.
    """

    id: str
    goal: str
    done_when: str = ""
    needs: tuple[str, ...] = ()
    origin: Origin = "planner"
    status: Status = "open"
    result: str | None = None
    evidence: tuple[str, ...] = ()
