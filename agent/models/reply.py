"""From the body of a chat completion to a `Reply`; every way in which it can be wrong has a kind."""

import json
import math
from collections.abc import Mapping
from typing import Any, cast

from crowquill.agent.models.base import Finish, Message, Reply, Request, Usage
from crowquill.agent.models.calls import read_calls
from crowquill.agent.models.faults import ServerFault, UnusableReply, classify, one_line, read_error
from crowquill.agent.models.structured import NotThatObject, clean, parse_object, without_thoughts

MAX_REPLY_BYTES = 8_000_000

_FINISH: dict[str, Finish] = {
    "stop": "stop",
    "eos": "stop",
    "eos_token": "stop",
    "end_turn": "stop",
    "stop_sequence": "stop",
    "length": "length",
    "max_tokens": "length",
    "model_length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
}

_Object = Mapping[str, Any]


def estimate_tokens(text: str) -> int:
    """Guess the number of tokens in a text: a quarter of its characters, rounded up."""
    return math.ceil(len(text) / 4)


def estimate_usage(messages: tuple[Message, ...], text: str) -> Usage:
    """Guess what one call cost, for servers that do not say."""
    prompt = sum(estimate_tokens(message.content) for message in messages)
    return Usage(prompt=prompt, completion=estimate_tokens(text), calls=1)


def read_reply(body: bytes, request: Request) -> Reply:
    """Turn the body of a successful HTTP reply into a `Reply`.

    Raises:
        ServerFault: the body is no complete chat completion (transient), or holds an error.
        UnusableReply: the model refused, was cut off, or did not fit the schema.
    """
    data = decode(body)
    choice = _first_choice(data)
    message = mapping(choice.get("message"))
    text = without_thoughts(clean(_string(message.get("content"))))
    calls = message.get("tool_calls") if request.tools else None
    usage = _usage(data.get("usage"), request, text)
    finish = _finish(choice.get("finish_reason"))
    refusal = _string(message.get("refusal"))
    if refusal or finish == "content_filter":
        why = one_line(refusal) if refusal else "its filter stopped the reply"
        raise UnusableReply(f"the model refused: {why}", kind="refusal", text=text, usage=usage)
    logprobs = _logprobs(choice.get("logprobs"))
    return finish_reply(request, text=text, usage=usage, finish=finish, logprobs=logprobs, calls=calls)


def finish_reply(
    request: Request,
    *,
    text: str,
    usage: Usage,
    finish: Finish,
    logprobs: tuple[float, ...] = (),
    calls: object = None,
) -> Reply:
    """Check the text of a model against what was asked for; `calls` are its tool calls as a server spells them.

    Raises:
        UnusableReply: nothing was said (malformed), the limit came too early for a whole object
            (length), or the object does not fit the schema (malformed).
    """
    bound = request.schema is not None or bool(request.tools)
    if finish == "length" and (bound or not text.strip()):
        reason = f"the reply was cut off at {request.max_tokens} tokens"
        raise UnusableReply(reason, kind="length", text=text, usage=usage)
    if request.tools:
        try:
            made = read_calls(calls, text, request)
        except NotThatObject as error:
            reason = f"the reply is no tool call that can be made: {one_line(str(error))}"
            shown = text if text.strip() else str(calls)
            raise UnusableReply(reason, kind="malformed", text=shown, usage=usage) from error
        return Reply(text if calls else "", usage, finish, None, logprobs, made)
    if not text.strip():
        raise UnusableReply("the model said nothing", kind="malformed", text="", usage=usage)
    if request.schema is None:
        return Reply(text, usage, finish, None, logprobs)
    try:
        parsed = parse_object(text, request.schema)
    except NotThatObject as error:
        reason = f"the reply is not the JSON object that was asked for: {one_line(str(error))}"
        raise UnusableReply(reason, kind="malformed", text=text, usage=usage) from error
    return Reply(text, usage, finish, parsed, logprobs)


def decode(body: bytes) -> _Object:
    """Return the JSON object of a body or a piece of one. Raises ServerFault if it is none, or tells an error."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError) as error:
        head = one_line(body[:80].decode("utf-8", "replace"))
        raise ServerFault(f"the server did not answer in JSON: {head!r}", kind="transient") from error
    if not isinstance(data, dict):
        raise ServerFault("the server's answer is not a JSON object", kind="transient")
    fields = cast("dict[str, Any]", data)
    if fields.get("error"):
        error_body = read_error(fields)
        # An error under status 200 has lost its status; treat it like a failure of the server.
        raise ServerFault(f"the server failed: {error_body.message}", kind=classify(500, error_body))
    return fields


def _first_choice(data: _Object) -> _Object:
    choices = data.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise ServerFault("the server's answer has no choices", kind="transient")
    return cast("_Object", choices[0])


def _finish(reason: object) -> Finish:
    if isinstance(reason, str) and reason.lower() in _FINISH:
        return _FINISH[reason.lower()]
    # Without a reason that we know, nothing says that the reply is whole.
    shown = one_line(reason) if isinstance(reason, str) else "none"
    raise ServerFault(f"the reply is not complete (finish reason: {shown})", kind="transient")


def _usage(value: object, request: Request, text: str) -> Usage:
    fields = mapping(value)
    prompt, completion = _count(fields.get("prompt_tokens")), _count(fields.get("completion_tokens"))
    if prompt is None or completion is None:
        return estimate_usage(request.messages, text)
    cached = _count(mapping(fields.get("prompt_tokens_details")).get("cached_tokens"))
    return Usage(prompt, 0 if cached is None else min(cached, prompt), completion, 1)


def _logprobs(value: object) -> tuple[float, ...]:
    content = mapping(value).get("content")
    if not isinstance(content, list):
        return ()
    numbers = [mapping(token).get("logprob") for token in cast("list[object]", content)]
    return tuple(float(n) for n in numbers if isinstance(n, int | float) and math.isfinite(n))


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def mapping(value: object) -> _Object:
    """Return a mapping, an empty one where it is none."""
    return cast("_Object", value) if isinstance(value, dict) else {}


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""
