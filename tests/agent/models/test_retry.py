"""The retry layer, with time that the test owns."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.support import fake_openai as fake
from tests.support.fake_openai import FakeOpenAI

from crowquill.agent.models.base import Message, Reply, Request, Usage
from crowquill.agent.models.faults import ServerFault
from crowquill.agent.models.openai import OpenAIModel
from crowquill.agent.models.retry import RetryPolicy, complete_with_retry
from crowquill.agent.models.scripted import ScriptedModel, ScriptedReply
from crowquill.errors import ModelError, ModelFault

REQUEST = Request(role="act", messages=(Message("user", "Q"),), max_tokens=9)


class FakeClock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.time = 100.0
        self.slept: list[float] = []

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)

    def monotonic(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds


def most(low: float, high: float) -> float:
    return high


def scripted(*parts: ModelFault | str) -> ScriptedModel:
    """A model that raises each fault and says each other text, in order."""
    faults = ("transient", "rate", "quota", "context", "auth", "refusal", "malformed", "length", "fatal")
    return ScriptedModel(
        [
            ScriptedReply(role="act", fault=part) if part in faults else ScriptedReply(role="act", text=part)  # type: ignore[arg-type]
            for part in parts
        ]
    )


async def attempt(model: Any, clock: FakeClock, request: Request = REQUEST, **parts: Any) -> Reply:
    return await complete_with_retry(model, request, clock=clock, jitter=most, **parts)


async def test_transient_faults_are_waited_out_with_growing_capped_waits() -> None:
    clock, model = FakeClock(), scripted("transient", "rate", "transient", "yes")
    reply = await attempt(model, clock, policy=RetryPolicy(attempts=4, base=0.5, cap=4.0))
    assert reply.text == "yes"
    assert clock.slept == [1.5, 4.0, 4.0]  # min(cap, 3 × previous)
    model.assert_spent()


async def test_the_last_try_raises_its_own_kind_and_says_how_often() -> None:
    clock, model = FakeClock(), scripted("transient", "transient", "rate", "unused")
    with pytest.raises(ModelError, match="tried 3 times") as caught:
        await attempt(model, clock, policy=RetryPolicy(attempts=3))
    assert caught.value.kind == "rate"
    assert len(model.calls) == 3


@pytest.mark.parametrize("kind", ["quota", "context", "auth", "refusal", "length", "fatal"])
async def test_what_no_wait_can_mend_costs_exactly_one_call(kind: ModelFault) -> None:
    clock, model = FakeClock(), scripted(kind, "unused")
    with pytest.raises(ModelError) as caught:
        await attempt(model, clock)
    assert caught.value.kind == kind
    assert (len(model.calls), clock.slept) == (1, [])


async def test_a_malformed_reply_is_shown_to_the_model_once() -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    request = Request(role="act", messages=REQUEST.messages, max_tokens=9, schema=schema)
    clock = FakeClock()
    model = ScriptedModel(
        [
            ScriptedReply(role="act", text='{"n": "two"}', usage=Usage(10, 0, 5, 1)),
            ScriptedReply(role="act", match="cannot be used", json={"n": 2}, usage=Usage(20, 8, 3, 1)),
        ]
    )
    reply = await attempt(model, clock, request)
    assert reply.parsed == {"n": 2}
    assert reply.usage == Usage(30, 8, 8, 2)
    assert [m.content for m in model.calls[1].messages[:2]] == ["Q", '{"n": "two"}']
    assert clock.slept == []


async def test_a_reply_malformed_twice_is_given_up() -> None:
    clock, model = FakeClock(), scripted("malformed", "malformed", "unused")
    with pytest.raises(ModelError) as caught:
        await attempt(model, clock)
    assert caught.value.kind == "malformed"
    assert len(model.calls) == 2


class Busy:
    """A server that asks for a wait until it has been asked often enough."""

    name, slots, context_tokens = "busy", 1, 100

    def __init__(self, waits: Sequence[float]) -> None:
        self.waits = list(waits)
        self.calls = 0

    async def complete(self, request: Request) -> Reply:
        self.calls += 1
        if self.waits:
            raise ServerFault("busy", kind="rate", retry_after=self.waits.pop(0))
        return Reply("done", Usage(calls=1))

    async def warm(self) -> None: ...

    async def close(self) -> None: ...


async def test_the_servers_wish_to_wait_is_honoured() -> None:
    clock = FakeClock()
    reply = await attempt(Busy([30.0, 2.0]), clock, policy=RetryPolicy(base=0.5))
    assert reply.text == "done"
    assert clock.slept == [30.5, 2.5]


@pytest.mark.parametrize(
    ("limits", "kind"),
    [({"deadline": 150.0}, "time"), ({"policy": RetryPolicy(deadline=50.0)}, "rate")],
    ids=["of the run", "of the policy"],
)
async def test_a_wait_beyond_the_deadline_is_not_begun(limits: dict[str, Any], kind: str) -> None:
    clock, model = FakeClock(), Busy([300.0])
    with pytest.raises(ModelError, match="next try is due in 300 s, 50 s are left") as caught:
        await attempt(model, clock, **limits)
    assert caught.value.kind == kind
    assert (model.calls, clock.slept) == (1, [])


async def test_nothing_is_sent_after_the_deadline() -> None:
    clock, model = FakeClock(), Busy([])
    with pytest.raises(ModelError, match="no time left"):
        await attempt(model, clock, deadline=99.0)
    assert model.calls == 0


async def test_a_call_in_flight_ends_at_the_deadline(fake_openai: FakeOpenAI) -> None:
    fake_openai.script(fake.stall)
    model = OpenAIModel("tiny", base_url=fake_openai.url)
    await model.warm()
    with pytest.raises(ModelError, match="did not answer in"):
        await attempt(model, FakeClock(), deadline=100.3)
    assert len(fake_openai.received) == 1


async def test_through_a_real_server(fake_openai: FakeOpenAI) -> None:
    fake_openai.script(
        fake.error(503, "starting"),
        fake.error(429, "slow down", headers={"Retry-After": "7"}),
        fake.cut("whole text"),
        fake.completion("whole text"),
    )
    clock = FakeClock()
    model = OpenAIModel("tiny", base_url=fake_openai.url)
    reply = await attempt(model, clock)
    assert reply.text == "whole text"
    assert clock.slept[1] == 7.5
    fake_openai.assert_spent()


async def test_an_empty_quota_costs_one_call(fake_openai: FakeOpenAI) -> None:
    fake_openai.respond = lambda body: fake.error(429, "check your plan", code="insufficient_quota")
    with pytest.raises(ModelError, match="no credit left") as caught:
        await attempt(OpenAIModel("tiny", base_url=fake_openai.url), FakeClock())
    assert caught.value.kind == "quota"
    assert len(fake_openai.received) == 1


def test_jitter_is_drawn_between_the_base_and_three_times_the_last_wait() -> None:
    drawn: list[tuple[float, float]] = []

    def note(low: float, high: float) -> float:
        drawn.append((low, high))
        return high

    policy = RetryPolicy(base=0.5, cap=5.0)
    assert [policy.wait(0.1, note), policy.wait(1.0, note), policy.wait(4.0, note)] == [0.5, 3.0, 5.0]
    assert drawn == [(0.5, 0.5), (0.5, 3.0), (0.5, 12.0)]
    assert all(0.5 <= policy.wait(2.0) <= 5.0 for _ in range(100))
