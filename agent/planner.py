"""The planner: what tasks an objective needs, what a batch of results changes, and what to try after a dead end."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, get_args

from crowquill.agent.config import PlanMode
from crowquill.agent.lane import Lane
from crowquill.agent.models.base import Request
from crowquill.agent.prompting import Instruction, prompt
from crowquill.agent.render import evidence_block, fence, one_line
from crowquill.agent.schemas import object_schema
from crowquill.memory.evidence import Evidence
from crowquill.memory.record import Note as Skill
from crowquill.memory.untrusted import Untrusted
from crowquill.tasks.agenda import Agenda
from crowquill.tasks.notebook import Note, Notebook, Standing
from crowquill.tasks.task import Expects, Origin, Task

_MANNERS: Mapping[PlanMode, str] = {
    "auto": "If the whole way is clear, write #E1 in a goal for the result of the first task, #E2 for the second's "
    "and so on. If it is not, plan the first steps: more tasks can be added when their results are known.",
    "stepwise": "Plan the first steps: more tasks can be added when their results are known.",
    "plan_once": "Plan the whole way: nothing is added later. In a goal, #E1 stands for the result of the first "
    "task, #E2 for the second's, and so on.",
}
_CLARIFY = (
    "If the objective can be understood in ways that lead to different answers, put one short question to the user "
    'into "question"; otherwise leave it out.'
)
_PLACEHOLDER = re.compile(r"#E(\d+)\b")

_STRINGS = {"type": "array", "items": {"type": "string"}}
_TEXT = {"type": "string"}
_NEEDED = {"id": _TEXT, "goal": _TEXT, "done_when": _TEXT, "needs": _STRINGS}
_FLAG = {"type": "boolean"}
_NOTE = object_schema(
    {
        "text": {"type": "string", "maxLength": 300},
        "standing": {"type": "string", "enum": list(get_args(Standing))},
        "cites": {"type": "array", "items": {"type": "integer"}},
    }
)


def _open_schema(required: Mapping[str, Any], optional: Mapping[str, Any]) -> dict[str, Any]:
    return {**object_schema({**required, **optional}), "required": list(required)}


def _tasks_schema(**more: Any) -> dict[str, Any]:
    optional = {
        "expects": {"type": "string", "enum": list(get_args(Expects))},
        "split": _FLAG,
        "acts": _FLAG,
        "adds": _TEXT,
    }
    return {"type": "array", "items": _open_schema(_NEEDED, {**optional, **more})}


_PLAN_TASKS = {**_tasks_schema(), "minItems": 1}
_PLAN = object_schema({"tasks": _PLAN_TASKS})
_PLAN_OR_ASK = _open_schema({"tasks": _PLAN_TASKS}, {"question": {"type": "string", "maxLength": 300}})
_CHANGES = _open_schema(
    {
        "add": _tasks_schema(retries=_TEXT, note=_TEXT),
        "drop": _STRINGS,
        "order": _STRINGS,
        "objective_met": _FLAG,
    },
    {"notes": {"type": "array", "items": _NOTE}},
)
_REPLAN = object_schema({"lesson": {"type": "string", "maxLength": 600}, "add": _tasks_schema()})


@dataclass(frozen=True, slots=True)
class Plan:
    """The first tasks; `question` is what to ask the person before."""

    tasks: tuple[Task, ...]
    question: str = ""


@dataclass(frozen=True, slots=True)
class Changes:
    """What the extension of an agenda proposes."""

    add: tuple[Task, ...]
    drop: tuple[str, ...]
    order: tuple[str, ...]
    objective_met: bool
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: what the planner is shown when it is asked again."""

    agenda: Agenda
    notebook: Notebook
    evidence: tuple[Evidence, ...]


async def plan(
    objective: str,
    tools: Sequence[str],
    lane: Lane,
    *,
    mode: PlanMode,
    ask: bool = False,
    skills: Sequence[Skill] = (),
) -> Plan:
    """Ask for the tasks of an objective; with `ask` it may come back with a question to the user.

    `skills` are plans that worked for similar objectives.

    Raises:
        ModelError, BudgetExceeded: as `Lane.complete`.
    """
    told = {
        "tools": Instruction(", ".join(tools)),
        "manner": Instruction(_MANNERS[mode]),
        "clarify": Instruction(_CLARIFY if ask else ""),
        "persona": lane.services.persona,
    }
    messages = prompt("plan").messages(
        told,
        objective=objective,
        skills=_worked_before(skills, lane.services.seed),
    )
    reply = await lane.complete_whole(Request("plan", messages, 600, _PLAN_OR_ASK if ask else _PLAN))
    parsed = reply.parsed if reply.parsed is not None else {}
    tasks = _linked(_tasks(parsed.get("tasks"), "planner"))
    return Plan(tasks, one_line(str(parsed.get("question", "")), 300))


def _worked_before(skills: Sequence[Skill], seed: str) -> str:
    if not skills:
        return ""
    lines = [f"{skill.text}: {'; '.join(skill.steps)}" for skill in skills]
    return "Plans that worked for similar objectives:\n" + fence(Untrusted("\n".join(lines), "memory"), seed)


async def extend(progress: Progress, lane: Lane) -> Changes:
    """Ask what the results so far change. Raises ModelError, BudgetExceeded."""
    seed = lane.services.seed
    tasks = progress.agenda.tasks
    results = [fence(Untrusted(f"{task.id}: {task.result}", task.id), seed) for task in tasks if task.result]
    messages = prompt("extend").messages(
        objective=progress.agenda.objective,
        tasks=_listing(tasks),
        notes=_notes_block(progress, seed),
        evidence=evidence_block(progress.evidence, seed),
        results="\n".join(results) if results else "(none)",
    )
    reply = await lane.complete_whole(Request("plan", messages, 600, _CHANGES))
    parsed = reply.parsed if reply.parsed is not None else {}
    failed = {task.id for task in tasks if task.status == "failed"}
    return Changes(
        add=tuple(_as_retry(task, failed) for task in _tasks(parsed.get("add"), "extension")),
        drop=tuple(map(str, parsed.get("drop", ()))),
        order=tuple(map(str, parsed.get("order", ()))),
        objective_met=parsed.get("objective_met") is True,
        notes=_notes(parsed.get("notes", ()), progress.evidence),
    )


async def replan(progress: Progress, stuck: Task, tried: Sequence[str], lane: Lane) -> tuple[Task, ...]:
    """Ask for other ways to do a task that got stuck; each carries the lesson (Reflexion, Shinn et al. 2023).

    Raises:
        ModelError, BudgetExceeded: as `Lane.complete`.
    """
    seed = lane.services.seed
    steps = "\n".join(tried) if tried else "nothing"
    messages = prompt("replan").messages(
        objective=progress.agenda.objective,
        tasks=_listing(progress.agenda.tasks),
        notes=_notes_block(progress, seed),
        tried=fence(Untrusted(f"{stuck.id}: {stuck.goal}\n{steps}", stuck.id), seed),
    )
    reply = await lane.complete_whole(Request("plan", messages, 600, _REPLAN))
    parsed = reply.parsed if reply.parsed is not None else {}
    lesson = one_line(str(parsed.get("lesson", "")), 600)
    return tuple(
        replace(task, retries=stuck.id, note=lesson, depth=stuck.depth, parent=stuck.parent)
        for task in _tasks(parsed.get("add"), "retry")
    )


def _listing(tasks: Sequence[Task]) -> str:
    return "\n".join(f"{task.id} ({task.status}): {one_line(task.goal, 300)}" for task in tasks)


def _notes_block(progress: Progress, seed: str) -> str:
    if not progress.notebook.notes:
        return "(none)"
    numbers = {item.id: number for number, item in enumerate(progress.evidence, 1)}

    def cites(note: Note) -> str:
        return "".join(f"[{numbers[item]}]" for item in note.evidence if item in numbers)

    lines = [f"{note.standing}: {note.text} {cites(note)}".rstrip() for note in progress.notebook.notes]
    return fence(Untrusted("\n".join(lines), "notes"), seed)


def _notes(entries: Any, evidence: Sequence[Evidence]) -> tuple[Note, ...]:
    known = {number: item.id for number, item in enumerate(evidence, 1)}
    return tuple(
        Note(
            one_line(str(entry["text"]), 300),
            entry["standing"],
            tuple(known[number] for number in entry["cites"] if number in known),
        )
        for entry in entries
    )


def _tasks(entries: Any, origin: Origin) -> tuple[Task, ...]:
    return tuple(
        Task(
            id=str(entry["id"]),
            goal=one_line(str(entry["goal"]), 300),
            done_when=one_line(str(entry.get("done_when", "")), 300),
            needs=tuple(map(str, entry.get("needs", ()))),
            origin=origin,
            expects=entry.get("expects", "any"),
            adds=one_line(str(entry.get("adds", "")), 300),
            acts=entry.get("acts") is True,
            split=entry.get("split") is True,
            retries=str(entry.get("retries", "")),
            note=one_line(str(entry.get("note", "")), 600),
        )
        for entry in (entries if isinstance(entries, list) else ())
        if isinstance(entry, dict) and "id" in entry and "goal" in entry
    )


def _linked(tasks: Sequence[Task]) -> tuple[Task, ...]:
    """Turn `#E1` into the name of the first task, and need it."""

    def name(found: re.Match[str]) -> str:
        place = int(found[1])
        return f"#{tasks[place - 1].id}" if 1 <= place <= len(tasks) else found[0]

    def needed(task: Task) -> tuple[str, ...]:
        places = [int(place) for place in _PLACEHOLDER.findall(task.goal)]
        return tuple(tasks[place - 1].id for place in places if 1 <= place <= len(tasks))

    def linked(task: Task) -> Task:
        needs = tuple(dict.fromkeys((*task.needs, *needed(task))))
        return replace(task, goal=_PLACEHOLDER.sub(name, task.goal), needs=needs)

    return tuple(map(linked, tasks))


def _as_retry(task: Task, failed: set[str]) -> Task:
    return replace(task, origin="retry") if task.retries in failed else replace(task, retries="")
