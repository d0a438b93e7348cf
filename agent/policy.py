"""Policies that let the model choose: `json`, one schema-constrained action, and `tools`, native tool calls.

Both work in two layouts. In `blocks` every prompt is rendered anew and stays short; in `transcript` the
conversation grows, and is compacted into blocks when it no longer fits the model.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from crowquill.agent.blocks import ROOMS, Frame, actions_left, where
from crowquill.agent.config import RunConfig
from crowquill.agent.lane import CHARACTERS_PER_TOKEN, Lane
from crowquill.agent.models.base import Function, Message, Reply, Request, ToolCall
from crowquill.agent.prompting import Instruction
from crowquill.agent.render import fence, one_line, shortened
from crowquill.agent.schemas import object_schema
from crowquill.agent.state import Action, State, Step
from crowquill.agent.toolkit import Toolkit, numbers_of
from crowquill.errors import ModelError
from crowquill.tools.tool import Tool

MAX_ACTION_TOKENS = 700
_SHOWN = 6000
"""Characters of one observation in a transcript; the whole one stands in the journal."""
_JSON = Instruction('Reply with one JSON object: {"thought": "...", "action": {"tool": "...", ...arguments}}.')
_NATIVE = Instruction(
    "Take the next action by calling a tool; say in a few words why. Call several at once only if none needs what "
    "another brings."
)


class ChoosingPolicy:
    """Asks the model for the next action; illegal ones are masked in the request, not in the prompt."""

    def __init__(self, lane: Lane, toolkit: Toolkit, config: RunConfig) -> None:
        self._lane = lane
        self._toolkit = toolkit
        self._native = config.policy == "tools"
        self._layout = config.layout
        self._examples = config.examples
        self._fits = config.context_tokens - MAX_ACTION_TOKENS
        self._frame: Frame | None = None
        self._waiting: list[ToolCall] = []
        self._made: list[ToolCall] = []
        self._thought = ""
        self._log: list[Message] = []
        self._opening: tuple[Message, ...] = ()
        self._seen = 0

    async def next(self, state: State, legal: frozenset[str]) -> Action:
        """Return the model's choice. Raises ModelError when the reply is not an action."""
        self._frame = await self._make_frame(state) if self._frame is None else self._frame
        self._hear(state)
        if self._waiting and self._waiting[0].name in legal:
            return self._take()
        self._forget_waiting()
        reply = await self._ask(state, legal)
        if not self._native:
            if self._layout == "transcript":
                self._log.append(Message("assistant", reply.text))
            return _read_action(reply.parsed)
        self._waiting, self._thought = list(reply.calls), reply.text
        if self._layout == "transcript":
            self._log.append(Message("assistant", reply.text, calls=reply.calls))
        return self._take()

    def _take(self) -> Action:
        """Take the next of the calls that one reply has asked for."""
        call = self._waiting.pop(0)
        self._made.append(call)
        thought, self._thought = self._thought, ""
        return Action(call.name, call.arguments, thought)

    def _forget_waiting(self) -> None:
        """Drop calls that are not possible any more; a conversation needs a word on each."""
        if self._layout == "transcript":
            self._log += [Message("tool", "not done: not possible now", answers=call.id) for call in self._waiting]
        self._waiting.clear()

    async def _make_frame(self, state: State) -> Frame:
        usages = [] if self._native else [entry.usage for entry in self._toolkit.tools.values()]
        return Frame(
            seed=self._lane.services.seed,
            reply=_NATIVE if self._native else _JSON,
            tools=usages,
            examples="\n".join(self._examples),
            persona=self._lane.services.persona,
            background=await self._about_earlier(state),
        )

    async def _about_earlier(self, state: State) -> list[str]:
        """Return what to know of earlier questions to the databases, and what a person has said about answers."""
        question = state.task.goal
        lessons = await self._lane.services.memory.corrections(self._lane.lane, state.objective)
        found = [[f"The user said about the answer to {each.question!r}: {each.correction}"] for each in lessons]
        desk, schemas = self._toolkit.desk, self._toolkit.schemas
        if desk is not None:
            found += [await desk.background(schema.database, question, self._lane) for schema in schemas]
        return list(dict.fromkeys(one_line(line, 900) for lines in found for line in lines))

    def _hear(self, state: State) -> None:
        """Write what came of the last actions into the conversation."""
        for step in state.steps[self._seen :] if self._layout == "transcript" and self._opening else ():
            text = self._told(step, state)
            call = self._made.pop(0) if self._made and step.action.tool == self._made[0].name else None
            self._log.append(Message("user", text) if call is None else Message("tool", text, answers=call.id))
        if self._layout == "blocks":
            self._made.clear()
        self._seen = len(state.steps)

    def _told(self, step: Step, state: State) -> str:
        assert self._frame is not None
        last = step.index == len(state.steps)
        lines = [f"failed: {one_line(step.error, 300)}" if step.error else step.status]
        if step.shown is not None and step.shown:
            lines.append(fence(shortened(step.shown, _SHOWN, where(state, step.index)), self._frame.seed))
        if step.found:
            numbered = self._frame.quotes(state).split("\n<data")[-step.found :]
            lines += ["New evidence", *(f"<data{part}" for part in numbered)]
        return "\n".join([*lines, actions_left(state)] if last else lines)

    async def _ask(self, state: State, legal: frozenset[str]) -> Reply:
        """Ask within the narrowest prompt that is needed; one that is too long all the same is compacted once."""
        room = self._room(state)
        try:
            return await self._lane.complete(self._request(state, legal, room))
        except ModelError as fault:
            if fault.kind != "context" or room == len(ROOMS) - 1:
                raise
            self._compact()
            return await self._lane.complete(self._request(state, legal, room + 1))

    def _room(self, state: State) -> int:
        """Return the widest room in which the prompt fits the model."""
        for room in range(len(ROOMS)):
            if _tokens(self._prompt(state, room)) <= self._fits:
                return room
            self._compact()
        return len(ROOMS) - 1

    def _compact(self) -> None:
        """Forget the conversation; the next prompt begins anew from what is known."""
        self._opening, self._log, self._made = (), [], []

    def _prompt(self, state: State, room: int) -> tuple[Message, ...]:
        assert self._frame is not None
        if self._layout == "blocks":
            return self._frame.messages(state, ROOMS[room])
        if not self._opening:
            self._opening = self._frame.messages(state, ROOMS[room])
        return (*self._opening, *self._log)

    def _request(self, state: State, legal: frozenset[str], room: int) -> Request:
        messages = self._prompt(state, room)
        if not self._native:
            tools = [self._toolkit.tools[name] for name in sorted(legal & set(self._toolkit.tools))]
            return Request("act", messages, MAX_ACTION_TOKENS, action_schema(tools, state, legal))
        schemas = {"answer": claims_schema(None), "give_up": _GIVE_UP}  # no numbers: prompts stay the same
        endings = [Function(name, _ENDS[name], schema) for name, schema in schemas.items()]
        functions = [
            Function(name, entry.description, entry.parameters) for name, entry in self._toolkit.tools.items()
        ]
        return Request("act", messages, MAX_ACTION_TOKENS, tools=(*functions, *endings), allowed=legal)


_REASON = {"type": "string", "enum": ["not_found", "nonsense", "controversial"]}
_GIVE_UP = object_schema({"reason": _REASON, "note": {"type": "string"}})
_NO_CITES = {"type": "array", "maxItems": 0}
_ENDS = {
    "answer": "End the task with the answer.",
    "give_up": "End the task without an answer: it is not found, nonsense or controversial.",
}


def _tokens(messages: Sequence[Message]) -> float:
    return sum(len(message.content) for message in messages) / CHARACTERS_PER_TOKEN


def action_schema(tools: Sequence[Tool], state: State, legal: frozenset[str]) -> dict[str, Any]:
    """Return the schema of one action among `tools` and the legal endings."""
    choices = [_choice(entry.name, entry.parameters) for entry in tools]
    if "answer" in legal:
        choices.append(_choice("answer", claims_schema(list(numbers_of(state.evidence)))))
    if "give_up" in legal:
        choices.append(_choice("give_up", _GIVE_UP))
    return object_schema({"thought": {"type": "string"}, "action": {"anyOf": choices}})


def claims_schema(numbers: list[int] | None) -> dict[str, Any]:
    """Return the schema of an answer whose claims cite some of `numbers`; any at all where these are None."""
    cites: dict[str, Any] = {"type": "array", "items": {"type": "integer", "minimum": 1}}
    if numbers is not None:
        cites = {"type": "array", "items": {"type": "integer", "enum": numbers}} if numbers else _NO_CITES
    claim = object_schema({"text": {"type": "string"}, "cites": cites})
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
