"""Replies that are cut, mangled or slow: none is taken for a whole one, and no call outlives its limit."""

import json
import math
import random
import time
from collections.abc import Callable
from typing import Any

import pytest
from tests.support import fake_openai as fake
from tests.support.fake_openai import Exchange, FakeOpenAI

from crowquill.agent.models.base import Function, Message, Request
from crowquill.agent.models.faults import ServerFault, UnusableReply
from crowquill.agent.models.openai import OpenAIModel
from crowquill.agent.models.reply import read_reply
from crowquill.errors import ModelError

PARAMETERS = {
    "type": "object",
    "properties": {"query": {"type": "string"}, "limit": {"type": "integer", "minimum": 1}},
    "required": ["query"],
    "additionalProperties": False,
}
ASK = Request("act", (Message("user", "Q"),), 50)
CALL = Request("act", ASK.messages, 50, tools=(Function("search", "Search.", PARAMETERS),))
ACTION: dict[str, Any] = {
    "type": "object",
    "properties": {"answer": {"type": "string"}},
    "required": ["answer"],
    "additionalProperties": False,
}


def calling(arguments: Any, name: Any = "search") -> bytes:
    """Return the body of a reply that calls a tool with `arguments`, a text or whatever a server makes of them."""
    call = {"id": "c1", "type": "function", "function": {"name": name, "arguments": arguments}}
    choice = {"index": 0, "message": {"content": None, "tool_calls": [call]}, "finish_reason": "tool_calls"}
    return json.dumps({**fake.payload(None), "choices": [choice]}).encode()


def whole_body(size: int) -> bytes:
    text = json.dumps({"answer": "x" * size})
    return json.dumps(fake.payload(text)).encode()


@pytest.mark.parametrize("step", [97, pytest.param(1, marks=pytest.mark.slow)])
def test_a_body_cut_at_any_byte_is_never_whole(step: int) -> None:
    body = whole_body(4096 - len(whole_body(0)))
    assert len(body) == 4096
    request = Request("act", ASK.messages, 50, ACTION)
    assert read_reply(body, request).parsed is not None
    for at in range(0, len(body), step):
        with pytest.raises(ServerFault) as caught:
            read_reply(body[:at], request)
        assert caught.value.kind == "transient"


async def test_a_connection_cut_at_any_byte_is_never_whole(fake_openai: FakeOpenAI) -> None:
    body = whole_body(200)

    def cut(at: int) -> fake.Answer:
        def answer(exchange: Exchange) -> None:
            exchange.handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + body[:at])
            exchange.hang_up()  # the end of the connection is the end of the body

        return answer

    model = OpenAIModel("tiny", base_url=fake_openai.url)
    for at in range(0, len(body), 31):
        fake_openai.script(cut(at))
        with pytest.raises(ModelError) as caught:
            await model.complete(ASK)
        assert caught.value.kind == "transient"


def mangled(draw: random.Random) -> Any:
    """Return arguments as no model should write them, and sometimes good ones."""
    good = {"query": draw.choice(["Aske", "\u202eAske", "a" * 40, "Ёлка 漢字"]), "limit": draw.randint(-2, 9)}
    text = json.dumps(good, ensure_ascii=draw.random() < 0.5)
    at = draw.randrange(len(text))
    kinds: list[Callable[[], Any]] = [
        lambda: text,
        lambda: text[:at],
        lambda: text[:at] + draw.choice('{}[]",:\\0\n\x00\ud800') + text[at:],
        lambda: good,
        lambda: text[:-1] + ', "query": "again"}',
        lambda: '{"query": NaN}',
        lambda: f'{{"query": "x", "limit": {draw.choice(["1e400", "-1", "1.5", "Infinity", "true", "null"])}}}',
        lambda: "[" * draw.choice([10, 5000]) + "]" * 10,
        lambda: '{"query": ' * 3000,
        lambda: json.dumps({"query": "x", draw.choice(["__class__", "Query", ""]): 1}),
        lambda: draw.choice(["", " ", "null", "[]", '"query"', "0", "{}"]),
        lambda: draw.choice([None, 3, ["query"], True, math.inf]),
        lambda: json.dumps({"query": {"query": ["x"]}}),
    ]
    return draw.choice(kinds)()


@pytest.mark.parametrize("count", [200, pytest.param(2000, marks=pytest.mark.slow)])
def test_mangled_tool_calls_are_never_made(count: int) -> None:
    draw, made = random.Random(5), 0
    for _ in range(count):
        name = draw.choice(["search"] * 8 + ["Search", "", None, 7, "search\n", "format_disk"])
        try:
            reply = read_reply(calling(mangled(draw), name), CALL)
        except ModelError:
            continue
        made += 1
        for call in reply.calls:
            assert call.name == "search"
            assert isinstance(call.arguments["query"], str)
            assert set(call.arguments) <= {"query", "limit"}
            assert call.arguments.get("limit", 1) >= 1
    assert 0 < made < count


def test_ten_megabytes_of_arguments_are_refused() -> None:
    with pytest.raises(UnusableReply):
        read_reply(calling('{"query": "' + "x" * 10_000_000), CALL)


def _head(length: int, extra: bytes = b"") -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n%s\r\n" % (length, extra)


def drip(parts: list[bytes], seconds: float = 0.05) -> fake.Answer:
    """Send the parts, then more and more spaces, slowly."""

    def answer(exchange: Exchange) -> None:
        for part in parts:
            exchange.write(part)
            if exchange.wait(seconds):
                return
        while not exchange.wait(seconds):
            exchange.write(b" ")

    return answer


STALLS: dict[str, fake.Answer] = {
    "nothing": fake.stall,
    "half a status line": drip([b"HTTP/1.1 2"], 5),
    "head, then nothing": drip([_head(100)], 5),
    "endless headers": drip([b"HTTP/1.1 200 OK\r\n", *[b"X-A: b\r\n"] * 200], 0.02),
    "a byte now and then": fake.trickle("hello", 0.05),
    "half a body, then nothing": drip([_head(400) + b'{"choices": ['], 5),
    "endless spaces": drip([_head(10_000_000)]),
    "endless chunks": drip([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", *[b"1\r\n \r\n"] * 200]),
    "a chunk that never ends": drip([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n{"], 5),
    "events for ever": drip(
        [_head(10**7, b"Content-Type: text/event-stream\r\n"), *[b": keep alive\n\n"] * 200], 0.02
    ),
}


@pytest.mark.parametrize(
    "case", ["nothing", "endless chunks", *[pytest.param(c, marks=pytest.mark.slow) for c in STALLS]]
)
async def test_no_call_outlives_its_limit(case: str, fake_openai: FakeOpenAI) -> None:
    fake_openai.script(STALLS[case])
    model = OpenAIModel("tiny", base_url=fake_openai.url, timeout=0.3)
    await model.warm()
    started = time.monotonic()
    with pytest.raises(ModelError) as caught:
        await model.complete(ASK)
    assert caught.value.kind == "transient"
    assert time.monotonic() - started < 1.3
