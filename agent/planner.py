"""The planner: what tasks an objective needs, and what a batch of results changes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from crowquill.agent.lane import Lane
from crowquill.agent.models.base import Request
from crowquill.agent.prompting import prompt
from crowquill.agent.render import fence, one_line
from crowquill.memory.untrusted import Untrusted
from crowquill.tasks.agenda import Agenda
from crowquill.tasks.task import Origin, Task

_STRINGS = {"type": "array", "items": {"type": "string"}}
_TASK = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "goal": {"type": "string"},
        "done_when": {"type": "string"},
        "needs": _STRINGS,
    },
    "required": ["id", "goal", "done_when", "needs"],
    "additionalProperties": False,
}


def _schema(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


_PLAN = _schema({"tasks": {"type": "array", "items": _TASK, "minItems": 1}})
_CHANGES = _schema(
    {
        "add": {"type": "array", "items": _TASK},
        "drop": _STRINGS,
        "order": _STRINGS,
        "objective_met": {"type": "boolean"},
    }
)


@dataclass(frozen=True, slots=True)
class Changes:
    """What the extension of an agenda proposes."""

    add: tuple[Task, ...]
    drop: tuple[str, ...]
    order: tuple[str, ...]
    objective_met: bool


async def plan(objective: str, tools: Sequence[str], lane: Lane) -> tuple[Task, ...]:
    """Ask for the tasks of an objective. Raises ModelError, BudgetExceeded."""
    messages = prompt("plan").messages(objective=objective, tools=", ".join(tools), persona=lane.services.persona)
    reply = await lane.complete(Request("plan", messages, 600, _PLAN))
    return _tasks((reply.parsed if reply.parsed is not None else {}).get("tasks"), "planner")


async def extend(objective: str, agenda: Agenda, lane: Lane) -> Changes:
    """Ask what the results so far change. Raises ModelError, BudgetExceeded."""
    seed = lane.services.seed
    results = [fence(Untrusted(f"{task.id}: {task.result}", task.id), seed) for task in agenda.tasks if task.result]
    messages = prompt("extend").messages(
        objective=objective,
        tasks="\n".join(f"{task.id} ({task.status}): {one_line(task.goal, 300)}" for task in agenda.tasks),
        results="\n".join(results) if results else "(none)",
    )
    reply = await lane.complete(Request("plan", messages, 600, _CHANGES))
    parsed = reply.parsed if reply.parsed is not None else {}
    return Changes(
        add=_tasks(parsed.get("add"), "extension"),
        drop=tuple(map(str, parsed.get("drop", ()))),
        order=tuple(map(str, parsed.get("order", ()))),
        objective_met=parsed.get("objective_met") is True,
    )


def _tasks(entries: Any, origin: Origin) -> tuple[Task, ...]:
    return tuple(
        Task(
            id=str(entry["id"]),
            goal=one_line(str(entry["goal"]), 300),
            done_when=one_line(str(entry.get("done_when", "")), 300),
            needs=tuple(map(str, entry.get("needs", ()))),
            origin=origin,
        )
        for entry in (entries if isinstance(entries, list) else ())
        if isinstance(entry, dict) and "id" in entry and "goal" in entry
    )
