"""The `json` policy: one schema-constrained action per step, for models that can choose by themselves."""

from collections.abc import Mapping, Sequence
from typing import Any

from crowquill.agent.lane import Lane
from crowquill.agent.models.base import Message, Request
from crowquill.agent.prompting import prompt
from crowquill.agent.render import evidence_block, fence, one_line
from crowquill.agent.schemas import object_schema
from crowquill.agent.state import Action, State, Step
from crowquill.agent.toolkit import Toolkit, numbers_of
from crowquill.errors import ModelError
from crowquill.memory.untrusted import Untrusted
from crowquill.tasks.task import Task
from crowquill.tools.tool import Tool

MAX_ACTION_TOKENS = 700


class JsonPolicy:
    """Asks for one action at a time; illegal actions are masked in the schema, not in the prompt."""

    def __init__(self, lane: Lane, toolkit: Toolkit, examples: Sequence[str] = ()) -> None:
        self._lane = lane
        self._toolkit = toolkit
        self._examples = Untrusted("\n".join(examples), "examples") if examples else None
        self._background: list[str] | None = None

    async def next(self, state: State, legal: frozenset[str]) -> Action:
        """Return the model's choice. Raises ModelError when the reply is not an action."""
        schema = action_schema(
            [self._toolkit.tools[name] for name in sorted(legal & set(self._toolkit.tools))], state, legal
        )
        if self._background is None:
            self._background = await self._about_earlier(state)
        request = Request("act", self._messages(state), MAX_ACTION_TOKENS, schema)
        reply = await self._lane.complete(request)
        return _read_action(reply.parsed)

    async def _about_earlier(self, state: State) -> list[str]:
        """Return what to know of earlier questions to the databases, and what a person has said about answers."""
        question = state.task.goal
        lessons = await self._lane.services.memory.corrections(self._lane.lane, state.objective)
        found = [[f"The user said about the answer to {each.question!r}: {each.correction}"] for each in lessons]
        desk, schemas = self._toolkit.desk, self._toolkit.schemas
        if desk is not None:
            found += [await desk.background(schema.database, question, self._lane) for schema in schemas]
        return list(dict.fromkeys(one_line(line, 900) for lines in found for line in lines))

    def _messages(self, state: State) -> tuple[Message, ...]:
        seed = self._lane.services.seed
        needs = [f"#{task.id} = {_result(task, seed)}" for task in state.needs]
        known = ["Known from earlier tasks", *needs] if needs else []
        return prompt("act").messages(
            tools="\n".join(f"- {entry.usage}" for entry in self._toolkit.tools.values()),
            examples=""
            if self._examples is None
            else f"\nWhat was done in earlier runs that went well\n{fence(self._examples, seed)}",
            persona=self._lane.services.persona,
            objective=state.objective,
            task=state.task.goal,
            about="\n".join(_about(state)),
            needs="\n".join([*(self._background or ()), *known]),
            evidence=evidence_block(state.evidence, seed),
            actions="\n".join(map(past_line, state.steps)) if state.steps else "(none yet)",
            view=fence(state.view, seed) if state.view is not None else "(nothing)",
            steps_left="" if state.steps_left is None else f"Actions left: {state.steps_left}",
        )


def _result(task: Task, seed: str) -> str:
    return "not found" if task.result is None else fence(Untrusted(f"{task.goal}\n{task.result}", task.id), seed)


def _about(state: State) -> list[str]:
    """Return what else there is to say of the task: when it is done, what was learned before, what others do."""
    task = state.task
    said = [
        f"Done when: {task.done_when}" if task.done_when else "",
        f"Settled by: a {task.expects}" if task.expects != "any" else "",
        f"Learned from a try that failed: {task.note}" if task.note else "",
    ]
    others = [f"Not yours, others work on it: {one_line(other.goal, 160)}" for other in state.beside]
    return [line for line in (*said, *others) if line]


def past_line(step: Step) -> str:
    """Return a step on one line: what was done, and what came of it."""
    args = sorted(step.action.args.items())  # a replay knows no other order
    arguments = ", ".join(f"{name}={one_line(str(value), 80)}" for name, value in args)
    outcome = f"failed: {one_line(step.error, 160)}" if step.error else step.status
    return f"{step.index}. {step.action.tool}({arguments}) -> {outcome}"


def action_schema(tools: Sequence[Tool], state: State, legal: frozenset[str]) -> dict[str, Any]:
    """Return the schema of one action among `tools` and the legal endings."""
    choices = [_choice(entry.name, entry.parameters) for entry in tools]
    if "answer" in legal:
        choices.append(_choice("answer", claims_schema(list(numbers_of(state.evidence)))))
    if "give_up" in legal:
        reason = {"type": "string", "enum": ["not_found", "nonsense", "controversial"]}
        choices.append(_choice("give_up", object_schema({"reason": reason, "note": {"type": "string"}})))
    return object_schema({"thought": {"type": "string"}, "action": {"anyOf": choices}})


def claims_schema(numbers: list[int]) -> dict[str, Any]:
    """Return the schema of an answer whose claims cite some of `numbers`."""
    cites: dict[str, Any] = {"type": "array", "items": {"type": "integer", "enum": numbers}}
    claim = object_schema(
        {"text": {"type": "string"}, "cites": cites if numbers else {"type": "array", "maxItems": 0}}
    )
    return object_schema({"short": {"type": "string"}, "claims": {"type": "array", "items": claim}})


def _choice(name: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    properties = {"tool": {"type": "string", "const": name}, **parameters.get("properties", {})}
    required = ["tool", *parameters.get("required", [])]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _read_action(parsed: Mapping[str, Any] | None) -> Action:
    action = parsed.get("action") if parsed is not None else None
    if parsed is None or not isinstance(action, dict) or not isinstance(action.get("tool"), str):
        raise ModelError("the model's reply is not an action", kind="malformed")
    arguments = {name: value for name, value in action.items() if name != "tool"}
    return Action(action["tool"], arguments, str(parsed.get("thought", "")))
