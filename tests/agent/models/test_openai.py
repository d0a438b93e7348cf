"""The OpenAI client against a real server on loopback that behaves and misbehaves."""

import asyncio
import json
import time
from typing import Any

import pytest
from tests.support import fake_openai as fake
from tests.support.fake_openai import FakeOpenAI

from crowquill.agent.models.base import Function, Message, Request, Usage
from crowquill.agent.models.faults import ServerFault
from crowquill.agent.models.openai import REASONING_TOKENS, OpenAIModel
from crowquill.errors import ModelError

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"answer": {"type": "integer"}},
    "required": ["answer"],
    "additionalProperties": False,
}


def ask(text: str = "How many?", **parts: Any) -> Request:
    return Request(role="act", messages=(Message("user", text),), max_tokens=50, **parts)


def client(server: FakeOpenAI, **parts: Any) -> OpenAIModel:
    return OpenAIModel("tiny", base_url=server.url, **parts)


async def test_a_reply_carries_text_usage_finish_and_logprobs(fake_openai: FakeOpenAI) -> None:
    usage = {"prompt_tokens": 30, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 20}}
    fake_openai.script(fake.completion("Forty two", finish="length", usage=usage, logprobs=[-0.5, -1.0]))
    reply = await client(fake_openai, api_key="k1").complete(ask(seed=7, logprobs=True))
    assert (reply.text, reply.finish, reply.parsed) == ("Forty two", "length", None)
    assert reply.usage == Usage(prompt=30, cached=20, completion=2, calls=1)
    assert reply.logprobs == (-0.5, -1.0)
    sent = fake_openai.received[0]
    assert sent.path == "/v1/chat/completions"
    assert sent.headers["authorization"] == "Bearer k1"
    assert sent.body == {
        "model": "tiny",
        "messages": [{"role": "user", "content": "How many?"}],
        "max_tokens": 50,
        "temperature": 0.0,
        "seed": 7,
        "logprobs": True,
    }


async def test_a_schema_is_sent_and_the_object_is_read(fake_openai: FakeOpenAI) -> None:
    fake_openai.script(fake.completion('<think>easy</think>\n```json\n{"answer": 42}\n```'))
    reply = await client(fake_openai).complete(ask(schema=SCHEMA))
    assert reply.parsed == {"answer": 42}
    sent = fake_openai.bodies[0]["response_format"]
    assert sent["json_schema"] == {"name": "reply", "schema": SCHEMA, "strict": True}


async def test_an_open_schema_is_not_called_strict(fake_openai: FakeOpenAI) -> None:
    fake_openai.script(fake.completion('{"answer": 1}'))
    await client(fake_openai).complete(ask(schema={**SCHEMA, "required": []}))
    assert fake_openai.bodies[0]["response_format"]["json_schema"]["strict"] is False


def _body(**parts: Any) -> bytes:
    return json.dumps({**fake.payload("x"), **parts}).encode()


FAULTS: dict[str, tuple[fake.Answer, str]] = {
    "html": (fake.raw(b"<html>gateway</html>", content_type="text/html"), "transient"),
    "empty body": (fake.raw(b""), "transient"),
    "bad json": (fake.raw(b'{"choices": ['), "transient"),
    "json list": (fake.raw(b"[]"), "transient"),
    "deep json": (fake.raw(b"[" * 100_000), "transient"),
    "no choices": (fake.raw(_body(choices=[])), "transient"),
    "null choices": (fake.raw(_body(choices=None)), "transient"),
    "error under 200": (fake.raw(b'{"error": {"message": "overloaded"}}'), "transient"),
    "context error under 200": (
        fake.raw(b'{"error": {"message": "m", "code": "context_length_exceeded"}}'),
        "context",
    ),
    "no finish": (fake.completion("half", finish=None), "transient"),
    "odd finish": (fake.completion("half", finish="aborted"), "transient"),
    "null content": (fake.completion(None), "malformed"),
    "empty content": (fake.completion(" "), "malformed"),
    "only thoughts": (fake.completion("<think>hm", finish="length"), "length"),
    "refusal": (fake.completion(None, refusal="I cannot"), "refusal"),
    "filtered": (fake.completion("x", finish="content_filter"), "refusal"),
    "reset": (fake.reset, "transient"),
    "body cut": (fake.cut("hello"), "transient"),
    "too large": (fake.raw(b" " * 8_000_001), "malformed"),
    "400": (fake.error(400, "no such thing"), "fatal"),
    "401": (fake.error(401, "bad key"), "auth"),
    "402": (fake.error(402, "pay"), "quota"),
    "403": (fake.error(403, "not yours"), "auth"),
    "404": (fake.error(404, "no such model"), "fatal"),
    "408": (fake.error(408, "slow"), "transient"),
    "409": (fake.error(409, "conflict"), "transient"),
    "413": (fake.error(413, "large"), "context"),
    "context code": (fake.error(400, "m", code="context_length_exceeded"), "context"),
    "context words": (fake.error(400, "request exceeds the available context size"), "context"),
    "filter code": (fake.error(400, "m", code="content_policy_violation"), "refusal"),
    "429": (fake.error(429, "slow down"), "rate"),
    "429 with quota words": (fake.error(429, "You exceeded your current quota per minute"), "rate"),
    "429 quota": (fake.error(429, "m", code="insufficient_quota"), "quota"),
    "500": (fake.error(500, "oops"), "transient"),
    "501": (fake.error(501, "not here"), "fatal"),
    "503": (fake.raw(b"busy", status=503, content_type="text/plain"), "transient"),
    "529": (fake.error(529, "overloaded"), "transient"),
}


@pytest.mark.parametrize("case", FAULTS)
async def test_every_fault_has_its_kind_and_costs_one_call(fake_openai: FakeOpenAI, case: str) -> None:
    answer, kind = FAULTS[case]
    fake_openai.script(answer)
    with pytest.raises(ModelError) as caught:
        await client(fake_openai).complete(ask())
    assert caught.value.kind == kind
    assert "\n" not in str(caught.value)
    assert len(fake_openai.received) == 1


@pytest.mark.parametrize(
    ("text", "finish", "kind"),
    [
        ('{"answer": 4', "length", "length"),
        ('{"answer": 4', "stop", "malformed"),
        ('{"answer": "four"}', "stop", "malformed"),
        ('{"answer": NaN}', "stop", "malformed"),
        ('{"answer": 1, "answer": 2}', "stop", "malformed"),
        ("[1]", "stop", "malformed"),
        ("four", "stop", "malformed"),
    ],
)
async def test_what_does_not_fit_the_schema(fake_openai: FakeOpenAI, text: str, finish: str, kind: str) -> None:
    fake_openai.script(fake.completion(text, finish=finish))
    with pytest.raises(ModelError) as caught:
        await client(fake_openai).complete(ask(schema=SCHEMA))
    assert caught.value.kind == kind


async def test_a_wish_to_wait_is_read_from_the_headers(fake_openai: FakeOpenAI) -> None:
    fake_openai.script(
        fake.error(429, "m", headers={"Retry-After": "300"}),
        fake.error(429, "m", headers={"Retry-After-Ms": "250"}),
        fake.error(503, "m", headers={"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}),
        fake.error(503, "m", headers={"Retry-After": "soon"}),
    )
    waits: list[float | None] = []
    for _ in range(4):
        with pytest.raises(ServerFault) as caught:
            await client(fake_openai).complete(ask())
        waits.append(caught.value.retry_after)
    assert waits == [300.0, 0.25, 0.0, None]


async def test_what_a_server_refuses_is_left_out_from_then_on(fake_openai: FakeOpenAI) -> None:
    fake_openai.script(
        fake.error(
            400,
            "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.",
            param="max_tokens",
        ),
        fake.error(400, "'temperature' does not support 0 with this model.", param="temperature"),
        fake.error(400, "This response_format type is unavailable now"),
        fake.completion('{"answer": 1}'),
        fake.completion('{"answer": 2}'),
    )
    model = client(fake_openai)
    first = await model.complete(ask(schema=SCHEMA))
    second = await model.complete(ask(schema=SCHEMA))
    assert (first.parsed, second.parsed) == ({"answer": 1}, {"answer": 2})
    fake_openai.assert_spent()
    sent = fake_openai.bodies[-1]
    assert sent["max_completion_tokens"] == 50 + REASONING_TOKENS
    assert not {"max_tokens", "temperature", "response_format"} & set(sent)
    assert '"required":["answer"]' in sent["messages"][-1]["content"]


async def test_a_server_that_refuses_the_same_thing_twice_is_not_asked_for_ever(
    fake_openai: FakeOpenAI,
) -> None:
    fake_openai.respond = lambda body: fake.error(400, "temperature is wrong")
    with pytest.raises(ModelError) as caught:
        await client(fake_openai).complete(ask())
    assert caught.value.kind == "fatal"
    assert len(fake_openai.received) == 2


async def test_nothing_meant_for_openai_reaches_another_host(
    fake_openai: FakeOpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "canary-1")
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "canary-2")
    monkeypatch.setenv("OPENAI_ORG_ID", "canary-3")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "canary-4")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "Authorization: Bearer canary-5\nX-Portal-Key: canary-6")
    await client(fake_openai).complete(ask())
    await client(fake_openai, api_key="mine").complete(ask())
    keyless, keyed = fake_openai.received
    assert "canary" not in str([request.headers for request in fake_openai.received])
    assert "authorization" not in keyless.headers
    assert keyed.headers["authorization"] == "Bearer mine"


async def test_the_openai_account_of_the_environment_is_used_when_asked_for(
    fake_openai: FakeOpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "org-1")
    await client(fake_openai, api_key="mine", openai_account=True).complete(ask())
    assert fake_openai.received[0].headers["openai-organization"] == "org-1"


async def test_a_proxy_of_the_environment_is_not_used_for_loopback(
    fake_openai: FakeOpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert (await client(fake_openai).complete(ask())).text == "ok"


async def test_a_key_that_the_server_echoes_is_not_shown(fake_openai: FakeOpenAI) -> None:
    fake_openai.script(fake.error(401, "Incorrect API key provided: sk-canary-key"))
    with pytest.raises(ModelError) as caught:
        await client(fake_openai, api_key="sk-canary-key").complete(ask())
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("answer", [fake.stall, fake.trickle("hello", 0.05)], ids=["stall", "trickle"])
async def test_no_call_outlives_its_limit(fake_openai: FakeOpenAI, answer: fake.Answer) -> None:
    fake_openai.script(answer)
    model = client(fake_openai, timeout=0.4)
    await model.warm()
    start = time.monotonic()
    with pytest.raises(ModelError) as caught:
        await model.complete(ask())
    assert caught.value.kind == "transient"
    assert time.monotonic() - start < 1.4


async def test_an_address_where_nobody_listens(fake_openai: FakeOpenAI) -> None:
    with FakeOpenAI() as gone:
        url = gone.url
    with pytest.raises(ModelError, match="no answer from") as caught:
        await OpenAIModel("tiny", base_url=url).complete(ask())
    assert caught.value.kind == "transient"


async def test_bad_characters_are_mended_in_both_directions(fake_openai: FakeOpenAI) -> None:
    fake_openai.script(fake.raw(_body().replace(b'"x"', b'"a\\u0000b\\ud800c\\ud83d\\ude00"')))
    reply = await client(fake_openai).complete(ask("lone \ud800 and \0"))
    assert reply.text == "ab\ufffdc\U0001f600"
    assert fake_openai.bodies[0]["messages"][0]["content"] == "lone \ufffd and "


async def test_bad_characters_inside_an_object_are_mended(fake_openai: FakeOpenAI) -> None:
    fake_openai.script(fake.completion('{"word": "a\\ud800b"}'))
    schema = {"type": "object", "properties": {"word": {"type": "string"}}}
    reply = await client(fake_openai).complete(ask(schema=schema))
    assert reply.parsed == {"word": "a\ufffdb"}


async def test_a_server_that_does_not_count_is_counted_for(fake_openai: FakeOpenAI) -> None:
    fake_openai.script(fake.completion("four", usage={"prompt_tokens": None}))
    reply = await client(fake_openai).complete(ask("12345"))
    assert reply.usage == Usage(prompt=2, completion=1, calls=1)


def test_one_model_serves_several_event_loops(fake_openai: FakeOpenAI) -> None:
    model = client(fake_openai)
    assert [asyncio.run(model.complete(ask())).text for _ in range(3)] == ["ok"] * 3


async def test_a_cancelled_call_hangs_up(fake_openai: FakeOpenAI) -> None:
    hung_up = asyncio.Event()
    loop = asyncio.get_running_loop()

    def listen(exchange: fake.Exchange) -> None:
        if exchange.handler.rfile.read(1) == b"":  # the client's end of the connection
            loop.call_soon_threadsafe(hung_up.set)

    fake_openai.script(listen)
    task = asyncio.create_task(client(fake_openai).complete(ask()))
    while not fake_openai.received:
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.wait_for(hung_up.wait(), 2)


async def test_connections_are_kept_from_call_to_call_as_long_as_somebody_holds_them(
    fake_openai: FakeOpenAI,
) -> None:
    model = client(fake_openai)
    await model.complete(ask())
    async with model.keep_connected():
        async with model.keep_connected():
            await model.complete(ask())
        await model.complete(ask())
    await model.complete(ask())
    first, second, third, last = (request.port for request in fake_openai.received)
    assert second == third
    assert len({first, second, last}) == 3


async def test_a_kept_connection_that_the_server_has_closed_is_opened_anew(fake_openai: FakeOpenAI) -> None:
    def say_and_hang_up(exchange: fake.Exchange) -> None:
        fake.completion("once")(exchange)
        exchange.hang_up()

    fake_openai.script(say_and_hang_up, fake.completion("twice"))
    model = client(fake_openai)
    async with model.keep_connected():
        assert (await model.complete(ask())).text == "once"
        await asyncio.sleep(0.1)
        assert (await model.complete(ask())).text == "twice"


async def test_a_cancelled_call_leaves_no_half_read_reply_on_a_kept_connection(fake_openai: FakeOpenAI) -> None:
    fake_openai.script(fake.trickle("late", 0.05), fake.completion("right"))
    model = client(fake_openai)
    async with model.keep_connected():
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(model.complete(ask()), 0.3)
        assert (await model.complete(ask())).text == "right"


async def test_a_reply_is_heard_while_it_comes_and_is_the_same_as_at_once(fake_openai: FakeOpenAI) -> None:
    fake_openai.script(fake.streamed('{"answer"', ": 4", "2}"))
    heard: list[str] = []
    reply = await client(fake_openai).complete_streaming(ask(schema=SCHEMA, logprobs=True), heard.append)
    assert heard == ['{"answer"', '{"answer": 4', '{"answer": 42}']
    assert reply.parsed == {"answer": 42}
    assert reply.usage == Usage(prompt=10, completion=5, calls=1)
    assert reply.logprobs == (-0.5, -0.5, -0.5)
    assert fake_openai.bodies[0]["stream_options"] == {"include_usage": True}


async def test_a_streamed_call_of_a_tool_is_put_together(fake_openai: FakeOpenAI) -> None:
    parts = [
        {"index": 0, "id": "a", "function": {"name": "look", "arguments": '{"que'}},
        {"index": 1, "id": "b", "function": {"name": "look", "arguments": "{"}},
        {"index": 0, "function": {"arguments": 'ry": "x"}'}},
        {"index": 1, "function": {"arguments": '"query": "y"}'}},
    ]
    deltas = [{"index": 0, "delta": {"tool_calls": [part]}} for part in parts]
    pieces = [*deltas, {"index": 0, "delta": {}, "finish_reason": "tool_calls"}]
    body = b"".join(b"data: " + json.dumps({"choices": [piece]}).encode() + b"\r\n\r\n" for piece in pieces)
    fake_openai.script(fake.raw(body, content_type="text/event-stream"))
    look = Function("look", "Look.", {"type": "object", "properties": {"query": {"type": "string"}}})
    reply = await client(fake_openai).complete_streaming(ask(tools=(look,), allowed=frozenset({"look"})), print)
    assert [(call.id, call.arguments) for call in reply.calls] == [("a", {"query": "x"}), ("b", {"query": "y"})]


async def test_a_server_that_does_not_stream_is_asked_for_the_whole_from_then_on(fake_openai: FakeOpenAI) -> None:
    refused = fake.error(400, "unknown field stream_options", param="stream_options")
    fake_openai.script(refused, fake.completion("all"), fake.completion("at once"))
    model, heard = client(fake_openai), list[str]()
    assert (await model.complete_streaming(ask(), heard.append)).text == "all"
    assert (await model.complete_streaming(ask(), heard.append)).text == "at once"
    assert heard == []
    assert ["stream" in body for body in fake_openai.bodies] == [True, False, False]


async def test_a_server_may_answer_at_once_although_it_was_asked_to_stream(fake_openai: FakeOpenAI) -> None:
    fake_openai.script(fake.completion("at once"))
    heard: list[str] = []
    assert (await client(fake_openai).complete_streaming(ask(), heard.append)).text == "at once"
    assert heard == []


@pytest.mark.parametrize(
    "answer",
    [fake.streamed("half", finish=None), fake.raw(b"data: [DONE]\n\n", content_type="text/event-stream")],
)
async def test_a_stream_that_ends_early_is_no_reply(answer: fake.Answer, fake_openai: FakeOpenAI) -> None:
    fake_openai.script(answer)
    with pytest.raises(ServerFault) as fault:
        await client(fake_openai).complete_streaming(ask(), print)
    assert fault.value.kind == "transient"
