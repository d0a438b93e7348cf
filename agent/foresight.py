"""Mode `strict`: what will be changed, sent or executed is fixed before anything from outside is read."""

from collections.abc import Iterable, Sequence
from typing import Any

from crowquill.agent.approvals import Act, ApprovalRequest
from crowquill.agent.lane import Lane, hosts_in
from crowquill.agent.models.base import Request
from crowquill.agent.prompting import Instruction, prompt
from crowquill.agent.render import one_line
from crowquill.agent.schemas import object_schema
from crowquill.errors import ToolFailed
from crowquill.tasks.task import Task
from crowquill.tools.tool import Tool

_TOKENS = 900


async def foresee(objective: str, tasks: Sequence[Task], tools: Sequence[Tool], lane: Lane) -> tuple[Act, ...]:
    """Ask the planner for the calls that the objective needs, and a person about each of them; return the allowed.

    Raises:
        ModelError, BudgetExceeded: the planner could not be asked.
    """
    acting = {entry.name: entry for entry in tools if entry.access != "read"}
    if not acting:
        return ()
    messages = prompt("foresee").messages(
        {"tools": Instruction("\n".join(f"- {entry.usage}" for entry in acting.values()))},
        objective=objective,
        tasks="\n".join(f"{task.id}: {one_line(task.goal, 300)}" for task in tasks),
    )
    reply = await lane.complete(Request("plan", messages, _TOKENS, _schema(acting.values())))
    proposed = (reply.parsed if reply.parsed is not None else {}).get("acts", ())
    return tuple([act for act in _acts(proposed, acting) if await _is_allowed(act, acting[act.tool], lane)])


def _schema(tools: Iterable[Tool]) -> dict[str, Any]:
    choices = []
    for entry in tools:
        arguments = {"type": "object", "properties": entry.parameters.get("properties", {})}
        choices.append(
            object_schema(
                {
                    "task": {"type": "string"},
                    "tool": {"type": "string", "const": entry.name},
                    "args": {**arguments, "additionalProperties": False},
                    "later": {"type": "array", "items": {"type": "string"}},
                }
            )
        )
    return object_schema({"acts": {"type": "array", "items": {"anyOf": choices}}})


def _acts(entries: Any, acting: dict[str, Tool]) -> list[Act]:
    return [
        Act(str(entry["task"]), str(entry["tool"]), dict(entry["args"]), tuple(map(str, entry["later"])))
        for entry in (entries if isinstance(entries, list | tuple) else ())
        if isinstance(entry, dict) and entry.get("tool") in acting
    ]


async def _is_allowed(act: Act, entry: Tool, lane: Lane) -> bool:
    access = entry.access if not callable(entry.access) else "exec"  # what it will be is not known yet: the worst
    later = dict.fromkeys(act.later, "(filled in from what will be read)")
    request = ApprovalRequest(
        act.tool,
        access,
        {**act.args, **later},
        f"planned before anything is read: {act.tool}",
        hosts_in(act.args.values()),
        usd=entry.usd,
    )
    try:
        await lane.judge(request, planned="open")
    except ToolFailed:
        return False
    return True
