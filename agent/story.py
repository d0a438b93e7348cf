"""A recorded run as steps: what was known, what was done, what came of it. Exports are views of this."""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from crowquill.agent.answer import Answer
from crowquill.agent.events import Acted, EvidenceFound, Observed, Recorded, RunFinished, TaskStarted
from crowquill.agent.records import RunRecord, find_run
from crowquill.agent.tape import Effect, Key, load_effects, load_events
from crowquill.agent.workspace import Workspace
from crowquill.memory.evidence import Evidence, plain_text


@dataclass
class StoryStep:
    """One step. `state` is the text by which the action was chosen: the prompt, or, where code chose, its facts."""

    lane: str
    number: int
    at: str
    goal: str
    state: str
    action: dict[str, Any]
    thought: str
    status: str = ""
    error: str = ""
    evidence: list[Evidence] = field(default_factory=list)


@dataclass(frozen=True)
class Story:
    """A run with everything that was recorded of it; `answer` is None when it has not ended."""

    record: RunRecord
    events: list[Recorded]
    effects: dict[Key, Effect]
    steps: list[StoryStep]
    answer: Answer | None


def read_story(workspace: Workspace, run_id: str) -> Story:
    """Read a run.

    Raises:
        UserError: there is no such run.
        StorageError: its record was changed.
    """

    def read(connection: sqlite3.Connection) -> Story:
        record = find_run(connection, run_id)
        events = load_events(connection, record.id, workspace.blobs)
        effects = load_effects(connection, record.id, workspace.blobs)
        answer = next((entry.event.answer for entry in events if isinstance(entry.event, RunFinished)), None)
        return Story(record, events, effects, _steps(record.objective, events, effects), answer)

    return workspace.database.read_now(read)


def _steps(objective: str, events: Sequence[Recorded], effects: dict[Key, Effect]) -> list[StoryStep]:
    prompts = _prompts(effects)
    goals: dict[str, str] = {}
    by_lane: dict[str, list[StoryStep]] = {}
    steps = []
    for entry in events:
        event, past = entry.event, by_lane.setdefault(entry.lane, [])
        match event:
            case TaskStarted():
                goals[entry.lane] = event.task.goal
            case Acted():
                goal = goals.get(entry.lane, objective)
                state = prompts.get(f"{entry.lane}/s{event.step}")
                state = _facts(objective, goal, past) if state is None else state
                action = {"tool": event.tool, **event.args}
                past.append(StoryStep(entry.lane, event.step, entry.at, goal, state, action, event.thought))
                steps.append(past[-1])
            case Observed() if past:
                past[-1].status, past[-1].error = event.status, event.error
            case EvidenceFound() if past:
                past[-1].evidence.append(event.evidence)
    return steps


def _prompts(effects: dict[Key, Effect]) -> dict[str, str]:
    """Return, by lane, the last prompt for which a model chose an action."""
    found = {}
    for key, effect in effects.items():
        if key.kind == "model" and effect.status == "done" and effect.response is not None:
            request, reply = json.loads(effect.request), json.loads(effect.response)
            if request["role"] == "act" and isinstance((reply.get("parsed") or {}).get("action"), dict):
                found[key.lane] = request["messages"][-1]["content"]
    return found


def _facts(objective: str, goal: str, past: Sequence[StoryStep]) -> str:
    evidence = [item for step in past for item in step.evidence]
    lines = [f"Objective: {objective}", f"Task: {goal}", "Evidence"]
    lines += [f"[{number}] {plain_text(item)}" for number, item in enumerate(evidence, 1)] or ["(none yet)"]
    lines.append("Past actions")
    lines += [f"{step.number}. {short_action(step.action)} -> {step.error or step.status}" for step in past]
    return "\n".join(lines if past else [*lines, "(none yet)"])


def short_action(action: dict[str, Any]) -> str:
    """Return an action on one line, as `tool(name=value)`."""
    arguments = ", ".join(f"{name}={value}" for name, value in action.items() if name != "tool")
    return f"{action['tool']}({arguments})"
