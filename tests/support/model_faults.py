"""The 47 ways in which a model server fails that RELIABILITY (f) counts: 36 plain and 11 of streams.

The streams are what a server sends that streams although nobody asked for it.
"""

import json
from typing import Any

from tests.support import fake_openai as fake


def _body(**parts: Any) -> bytes:
    return json.dumps({**fake.payload("{}"), **parts}).encode()


def _chunk(delta: dict[str, Any], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return b"data: " + json.dumps({"object": "chat.completion.chunk", "choices": [choice]}).encode() + b"\n\n"


def _calls(arguments: Any, name: str | None = "search", finish: str = "tool_calls") -> fake.Answer:
    function: dict[str, Any] = {"arguments": arguments}
    if name is not None:
        function["name"] = name
    message = {"role": "assistant", "content": None, "tool_calls": [{"id": "1", "function": function}]}
    return fake.raw(_body(choices=[{"index": 0, "message": message, "finish_reason": finish}]))


_NOTHING_CALLED = {"index": 0, "message": {"role": "assistant", "content": None}, "finish_reason": "tool_calls"}

PLAIN: dict[str, fake.Answer] = {
    "429": fake.error(429, "slow down"),
    "429 retry after 300": fake.error(429, "slow down", headers={"Retry-After": "300"}),
    "429 quota": fake.error(429, "no credit", code="insufficient_quota"),
    "500": fake.error(500, "oops"),
    "502 html": fake.raw(b"<html>bad gateway</html>", status=502, content_type="text/html"),
    "503": fake.error(503, "busy"),
    "504 empty": fake.raw(b"", status=504),
    "529": fake.error(529, "overloaded"),
    "408": fake.error(408, "slow"),
    "409": fake.error(409, "conflict"),
    "400": fake.error(400, "no such thing"),
    "401": fake.error(401, "bad key"),
    "402": fake.error(402, "pay"),
    "403": fake.error(403, "not yours"),
    "404": fake.error(404, "no such model"),
    "413": fake.error(413, "large"),
    "400 context": fake.error(400, "too long", code="context_length_exceeded"),
    "400 filter": fake.error(400, "no", code="content_policy_violation"),
    "reset": fake.reset,
    "body cut": fake.cut("hello"),
    "html under 200": fake.raw(b"<html>gateway</html>", content_type="text/html"),
    "error under 200": fake.raw(b'{"error": {"message": "overloaded"}}'),
    "null choices": fake.raw(_body(choices=None)),
    "no choices": fake.raw(_body(choices=[])),
    "empty body": fake.raw(b""),
    "bad json": fake.raw(b'{"choices": ['),
    "null content": fake.completion(None),
    "empty content": fake.completion(""),
    "refusal": fake.completion(None, refusal="I cannot"),
    "filtered": fake.completion("x", finish="content_filter"),
    "cut at the limit": fake.completion('{"thought": "', finish="length"),
    "tool arguments cut": _calls('{"query": "ab'),
    "tool arguments no string": _calls({"query": "ab"}),
    "tool without a name": _calls("{}", None),
    "no tool called": fake.raw(_body(choices=[_NOTHING_CALLED])),
    "lone surrogate and NUL": fake.completion("\\ud800\\u0000"),
}

_HALF = _chunk({"role": "assistant", "content": '{"thou'})
_CALLED = {"tool_calls": [{"index": 0, "id": "1", "function": {"name": "search", "arguments": '{"q": "abc'}}]}
_STREAMS: dict[str, bytes] = {
    "no finish": _HALF,
    "nothing": b"",
    "only done": b"data: [DONE]\n\n",
    "cut in a tool call": _chunk(_CALLED),
    "finish without done": _HALF + _chunk({}, "stop"),
    "cut in a chunk": _HALF + b'data: {"choi',
    "error event": _HALF + b'data: {"error": {"message": "died"}}\n\n',
    "bad chunk": _HALF + b"data: {nonsense\n\ndata: [DONE]\n\n",
    "comments only": b": keep alive\n\n" * 20,
    "length": _HALF + _chunk({}, "length") + b"data: [DONE]\n\n",
    "html": b"data: <html>gateway</html>\n\n",
}
STREAMS = {f"stream: {name}": fake.raw(body, content_type="text/event-stream") for name, body in _STREAMS.items()}

FAULTS = {**PLAIN, **STREAMS}
