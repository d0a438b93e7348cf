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


_RESULT = re.compile(r"#(\w+)")


def _folded(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


def _needed_first(proposals: list[Task]) -> list[Task]:
    """Return the proposals with those before that others need; those in a circle stay in their order."""
    ordered: list[Task] = []
    while proposals:
        waiting = {proposal.id for proposal in proposals}
        free = next((task for task in proposals if not waiting.intersection(task.needs)), proposals[0])
        proposals.remove(free)
        ordered.append(free)
    return ordered


@dataclass(frozen=True, slots=True)
class Limits:
    """How large an agenda may grow."""

    tasks: int = 12
    """Tasks ever accepted, finished ones included."""
    open: int = 6
    """Tasks open at the same time."""
    duplicate: float = 0.8
    """Similarity from which a goal counts as a repetition of an open or finished one."""
    depth: int = 2
    """How often a task may be split into parts, and these again."""


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
    objective: str = ""

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

        A proposal's own id is only a name by which the others of the same batch can need it, and write `#id` for
        its result. Needs that name nothing known, or that would close a circle, are dropped.
        """
        tasks = list(self.tasks)
        refused: list[Refusal] = []
        names: dict[str, str] = {task.id: task.id for task in tasks}
        for proposal in _needed_first(list(proposals)):
            reason = self._objection(proposal, tasks, similarity)
            if reason is not None:
                refused.append(Refusal(proposal.goal, reason))
                continue
            task_id = f"t{len(tasks) + 1}"
            needs = tuple(dict.fromkeys(names[need] for need in proposal.needs if need in names))
            goal = _RESULT.sub(lambda found: f"#{names.get(found[1], found[1])}", proposal.goal)
            fresh = replace(proposal, id=task_id, goal=goal, needs=needs, status="open", result=None, evidence=())
            tasks.append(fresh)
            names.setdefault(proposal.id, task_id)
        return replace(self, tasks=tuple(tasks)), refused

    def _objection(self, proposal: Task, tasks: Sequence[Task], similarity: Similarity) -> str | None:
        if not proposal.goal.strip():
            return "it has no goal"
        if proposal.depth > self.limits.depth:
            return f"it is more than {self.limits.depth} levels deep"
        if len(tasks) >= self.limits.tasks:
            return f"the run already has {self.limits.tasks} tasks"
        if sum(task.status == "open" for task in tasks) >= self.limits.open:
            return f"{self.limits.open} tasks are open already"
        if proposal.born_of_reading and proposal.acts:
            return "it wants to do more than read, and comes from what was read"
        if proposal.retries and any(task.id == proposal.retries and task.retries for task in tasks):
            return f"{proposal.retries} was tried again already"
        return self._nothing_new(proposal, tasks, similarity)

    def _nothing_new(self, proposal: Task, tasks: Sequence[Task], similarity: Similarity) -> str | None:
        for task in tasks:
            if task.id != proposal.retries and similarity(proposal.goal, task.goal) >= self.limits.duplicate:
                return f"it repeats {task.id}"
            if proposal.adds and _folded(proposal.adds) == _folded(task.adds):
                return f"it adds nothing that {task.id} does not"
        if proposal.born_of_reading and self.objective:
            if similarity(proposal.goal, self.objective) >= self.limits.duplicate and len(tasks) > 1:
                return "it repeats the objective"
            if not proposal.adds.strip() and not proposal.done_when.strip():
                return "it does not say what it adds"
        return None

    @property
    def is_whole(self) -> bool:
        """Whether goals name the results of other tasks: then the way was planned to its end."""
        return any(re.search(r"#t\d+\b", task.goal) for task in self.tasks)

    @property
    def wholes(self) -> tuple[Task, ...]:
        """Open tasks that were split and whose parts have all ended."""
        parents = {task.parent for task in self.tasks}
        return tuple(task for task in self.ready if task.id in parents)

    def parts(self, task_id: str) -> tuple[Task, ...]:
        """Return the tasks into which a task was split."""
        return tuple(task for task in self.tasks if task.parent == task_id)

    def gather(self) -> "Agenda":
        """Settle the tasks whose parts have all ended, with the results of the parts."""
        agenda = self
        while agenda.wholes:
            whole = agenda.wholes[0]
            parts = agenda.parts(whole.id)
            results = [f"{part.goal}: {part.result}" for part in parts if part.result is not None]
            done: Status = "done" if results else "failed"
            evidence = tuple(dict.fromkeys(item for part in parts for item in part.evidence))
            result = "\n".join(results) if results else None
            agenda = agenda.settle(replace(whole, status=done, result=result, evidence=evidence))
        return agenda

    def await_parts(self, task_id: str) -> "Agenda":
        """Let a task that was split wait for its parts; without any it is worked off as it stands."""
        parts = tuple(part.id for part in self.parts(task_id))
        whole = self[task_id]
        return self.settle(replace(whole, split=False, needs=(*whole.needs, *parts)))

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
