"""Tasks: the units of the agenda. Pure data."""

from dataclasses import dataclass
from typing import Literal

Status = Literal["open", "done", "failed", "dropped"]
Origin = Literal["user", "planner", "extension", "retry"]
"""Who wanted a task. `extension` and `retry` are proposed by a model that has read text from outside."""

Expects = Literal["any", "quote", "computation", "table"]


@dataclass(frozen=True, slots=True)
class Task:
    """One unit of work.

    `needs` are ids of tasks whose results it builds on; in `goal`, `#t1` stands for the result of task t1.
    `evidence` holds the ids of what it found. `result` is the episode's own answer, None until the task has ended.

    `expects` is the kind of evidence that will settle it, `adds` what it adds to the objective, `acts` says that it
    has to do more than read. A task with `split` is too large for one episode: it is planned by itself when its
    turn comes, its parts name it as their `parent` and are one level deeper. `retries` is the id of a failed task
    that this one tries again, `note` what that failure has taught.
    """

    id: str
    goal: str
    done_when: str = ""
    needs: tuple[str, ...] = ()
    origin: Origin = "planner"
    status: Status = "open"
    result: str | None = None
    evidence: tuple[str, ...] = ()
    expects: Expects = "any"
    adds: str = ""
    acts: bool = False
    split: bool = False
    parent: str = ""
    depth: int = 0
    retries: str = ""
    note: str = ""

    @property
    def born_of_reading(self) -> bool:
        """Whether text from outside may have had a say in it: then it may only read."""
        return self.origin in ("extension", "retry")
