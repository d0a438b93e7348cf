"""Tool calls: how models are told about tools, and what is made of the calls that they want.

Servers differ: some return calls as such, some write them into the text (bare, in a fence, between tags), some know
no tools. Whatever the way, a call is only made when its name is known and its arguments fit the schema.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from crowquill.agent.models.base import Function, Message, Request, ToolCall
from crowquill.agent.models.structured import NotThatObject, clean_values, first_object, violation

MOST_CALLS = 8
"""Calls of one reply that are made; what is asked for beyond them was not thought through."""
_WRITTEN = re.compile(r"<tool_call>(.*?)(?:</tool_call>|\Z)|```(?:json|tool_call)?\s*\n(.*?)\n?```", re.S)


def read_calls(calls: object, text: str, request: Request) -> tuple[ToolCall, ...]:
    """Read the calls of a reply, from where the server has put them.

    Raises:
        NotThatObject: there is none, or one cannot be made.
    """
    known = {function.name: function for function in request.tools}
    if isinstance(calls, list) and calls:
        return tuple(_native(call, number, known) for number, call in enumerate(calls[:MOST_CALLS], 1))
    written = [part for pair in _WRITTEN.findall(text) for part in pair if part.strip()]
    return tuple(_written(part, number, known) for number, part in enumerate((written or [text])[:MOST_CALLS], 1))


def _native(call: object, number: int, known: Mapping[str, Function]) -> ToolCall:
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict):
        raise NotThatObject(f"call {number} has no function")
    arguments = function.get("arguments")
    if isinstance(arguments, str):
        arguments = first_object(arguments) if arguments.strip() else {}
    label = cast("dict[str, Any]", call).get("id")
    return _checked(
        f"call_{number}" if not isinstance(label, str) else label, function.get("name"), arguments, known
    )


def _written(text: str, number: int, known: Mapping[str, Function]) -> ToolCall:
    value = first_object(text)
    assert isinstance(value, dict)
    if "name" in value:
        name, arguments = value["name"], value.get("arguments", value.get("parameters", {}))
    else:
        name, arguments = value.get("tool"), {key: part for key, part in value.items() if key != "tool"}
    return _checked(f"call_{number}", name, arguments, known)


def _checked(label: str, name: object, arguments: object, known: Mapping[str, Function]) -> ToolCall:
    if not isinstance(name, str) or name not in known:
        raise NotThatObject(f"there is no tool {str(name)[:60]!r}; there are {', '.join(known)}")
    values = clean_values(arguments)
    problem = violation(values, known[name].parameters)
    if problem is not None:
        raise NotThatObject(f"{name}: {problem}")
    return ToolCall(label, name, cast("dict[str, Any]", values))


def described(functions: Sequence[Function]) -> list[dict[str, Any]]:
    """Return the tools as the OpenAI protocol spells them."""
    return [
        {
            "type": "function",
            "function": {
                "name": entry.name,
                "description": entry.description,
                "parameters": dict(entry.parameters),
            },
        }
        for entry in functions
    ]


def allowed_only(names: Sequence[str]) -> dict[str, Any]:
    """Return the choice that leaves only these tools, in OpenAI's spelling; all of them stay in the prompt."""
    tools = [{"type": "function", "function": {"name": name}} for name in names]
    return {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": tools}}


def spelled(message: Message) -> dict[str, Any]:
    """Return the parts that a message with calls, or one that answers a call, has beside role and content."""
    if message.answers:
        return {"tool_call_id": message.answers}
    calls = [
        {
            "id": call.id,
            "type": "function",
            "function": {"name": call.name, "arguments": json.dumps(dict(call.arguments), ensure_ascii=False)},
        }
        for call in message.calls
    ]
    return {"tool_calls": calls} if calls else {}


def with_tools_in_prompt(request: Request) -> Request:
    """Ask for one call in words, for a server that knows no tools; `read_calls` finds it in the text."""
    lines = [
        f"- {entry.name}: {' '.join(entry.description.split())} Arguments: {json.dumps(entry.parameters)}"
        for entry in request.tools
        if not request.allowed or entry.name in request.allowed
    ]
    wish = "\n".join(
        ("Call one of these tools:", *lines, 'Reply with one JSON object: {"name": "...", "arguments": {...}}.')
    )
    plain = [_plain(message) for message in request.messages]
    messages = (*plain[:-1], replace(plain[-1], content=f"{plain[-1].content}\n\n{wish}"))
    return replace(request, messages=messages, allowed=frozenset())


def _plain(message: Message) -> Message:
    if message.role == "tool":
        return Message("user", message.content)
    made = [json.dumps({"name": call.name, "arguments": dict(call.arguments)}) for call in message.calls]
    return Message(message.role, "\n".join([message.content, *made]).strip())
