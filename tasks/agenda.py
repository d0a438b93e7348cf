"""The agenda: the list of tasks of a run, and the rules by which it changes. No model in here."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from crowquill.tasks.task import Status, Task

Similarity = Callable[[str, str], float]
"""How alike two goals are, from 0 to 1; injected, so that this package needs no embedder."""


def word_overlap(left: str, right: str) -> float:
    """Jaccard similarity of the two texts' word sets: the default similarity."""
    a, b = (set(re.findall(r"\w+", text.casefold())) for text in (left, right))
    return len(a & b) / len(a | b) if a or b else 1.0


@dataclass(frozen=True, slots=True)
class Limits:
    """How large an agenda may grow."""

    tasks: int = 12
    """Tasks ever accepted, finished ones included."""
    open: int = 6
    """Tasks open at the same time."""
    duplicate: float = 0.8
    """Similarity from which a goal counts as a repetition of an open or finished one."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a proposed task was not taken."""

    goal: str
    reason: str


@dataclass(frozen=True, slots=True)
class Agenda:
    """An immutable list of tasks; every change returns a new agenda."""

    tasks: tuple[Task, ...] = ()
    limits: Limits = Limits()

    def __getitem__(self, task_id: str) -> Task:
        for task in self.tasks:
            if task.id == task_id:
                return task
        raise KeyError(task_id)

    @property
    def open(self) -> tuple[Task, ...]:
        """Tasks that have not ended."""
        return tuple(task for task in self.tasks if task.status == "open")

    @property
    def ready(self) -> tuple[Task, ...]:
        """Open tasks whose needs have all ended, in order: they may run in parallel."""
        waiting = {task.id for task in self.open}
        return tuple(task for task in self.open if not waiting.intersection(task.needs))

    def add(
        self, proposals: Iterable[Task], *, similarity: Similarity = word_overlap
    ) -> tuple["Agenda", list[Refusal]]:
        """Take the proposals that the rules allow; ids are given here, as `t1`, `t2` …

        A proposal's own id is only a name by which the others of the same batch can need it. Needs that name
        nothing known, or that would close a circle, are dropped.
        """
        tasks = list(self.tasks)
        refused: list[Refusal] = []
        names: dict[str, str] = {task.id: task.id for task in tasks}
        for proposal in proposals:
            reason = self._objection(proposal.goal, tasks, similarity)
            if reason is not None:
                refused.append(Refusal(proposal.goal, reason))
                continue
            task_id = f"t{len(tasks) + 1}"
            needs = tuple(dict.fromkeys(names[need] for need in proposal.needs if need in names))
            tasks.append(replace(proposal, id=task_id, needs=needs, status="open", result=None, evidence=()))
            names.setdefault(proposal.id, task_id)
        return replace(self, tasks=tuple(tasks)), refused

    def _objection(self, goal: str, tasks: Sequence[Task], similarity: Similarity) -> str | None:
        if not goal.strip():
            return "it has no goal"
        if len(tasks) >= self.limits.tasks:
            return f"the run already has {self.limits.tasks} tasks"
        if sum(task.status == "open" for task in tasks) >= self.limits.open:
            return f"{self.limits.open} tasks are open already"
        for task in tasks:
            if similarity(goal, task.goal) >= self.limits.duplicate:
                return f"it repeats {task.id}"
        return None

    def settle(self, task: Task) -> "Agenda":
        """Put an ended task in the place of the open one with its id."""
        return replace(self, tasks=tuple(task if old.id == task.id else old for old in self.tasks))

    def drop(self, task_ids: Iterable[str]) -> "Agenda":
        """Mark open tasks as dropped; unknown and ended ids change nothing."""
        doomed = set(task_ids)
        dropped: Status = "dropped"
        return replace(
            self,
            tasks=tuple(
                replace(task, status=dropped) if task.id in doomed and task.status == "open" else task
                for task in self.tasks
            ),
        )

    def first(self, task_ids: Sequence[str]) -> "Agenda":
        """Move the named tasks to the front, in the given order."""
        rank = {task_id: place for place, task_id in enumerate(task_ids)}
        return replace(self, tasks=tuple(sorted(self.tasks, key=lambda task: rank.get(task.id, len(rank)))))
