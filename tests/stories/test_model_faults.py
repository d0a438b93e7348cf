"""Runs whose model server fails: each ends or is parked, nothing that was found is lost, and no call is wasted."""

import asyncio
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support import fake_openai as fake
from tests.support.model_faults import FAULTS

from crowquill import Agent, Observation, tool
from crowquill.agent.answer import Answer
from crowquill.agent.events import Progress, RunFinished
from crowquill.agent.models.openai import OpenAIModel
from crowquill.agent.models.retry import DEFAULT_POLICY
from crowquill.agent.workspace import Workspace
from crowquill.memory.clock import SystemClock
from crowquill.memory.embed import HashingEmbedder
from crowquill.memory.evidence import Computation
from crowquill.memory.untrusted import Untrusted

ROLES = ("planner", "tool step", "prioritiser", "writer")
PARKS = {"429 quota", "401", "402", "403"}
"""Faults that pass or that the user can mend: the run waits for that after one call."""


@tool
def reckon(expression: str) -> Observation:
    """Compute quickly."""
    return Observation(Untrusted("", "reckon"), (Computation(expression, "42", "42", ""),), "computed")


class Hasty(SystemClock):
    """A clock that does not wait."""

    async def sleep(self, seconds: float) -> None:
        """Go on at once."""
        await asyncio.sleep(0)


def role_of(body: dict[str, Any]) -> str:
    """Tell by the schema who is asking."""
    schema = json.dumps(body["response_format"])
    names = {
        '"tasks"': "planner",
        '"objective_met"': "prioritiser",
        '"action"': "tool step",
        '"lesson"': "replanner",
    }
    return next((role for word, role in names.items() if word in schema), "writer")


def right_answer(body: dict[str, Any]) -> fake.Answer:
    """Answer as a good model would."""
    prompt = body["messages"][-1]["content"]
    match role_of(body):
        case "planner":
            goals = {"a": ("Compute 6*7", []), "b": ("Compute half of it", ["a"])}
            value: dict[str, Any] = {
                "tasks": [
                    {"id": key, "goal": goal, "done_when": "known", "needs": needs}
                    for key, (goal, needs) in goals.items()
                ]
            }
        case "prioritiser":
            value = {"add": [], "drop": [], "order": [], "objective_met": False}
        case "replanner":
            value = {"lesson": "", "add": []}
        case "tool step":
            expression = "6*7" if "Task: Compute 6" in prompt else "42/2"
            action: dict[str, Any] = {"tool": "reckon", "expression": expression}
            if "computed" in prompt:
                claim = {"text": f"{expression} = 42", "cites": [1]}
                action = {"tool": "answer", "short": "42", "claims": [claim]}
            value = {"thought": "", "action": action}
        case _:
            value = {"short": "42", "claims": [{"text": "6*7 = 42", "cites": [1]}]}
    return fake.completion(json.dumps(value))


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    place = Workspace(tmp_path / "workspace", embedder=HashingEmbedder())
    yield place
    place.close()


async def run_with(
    workspace: Workspace, role: str, case: str, times: int, *, watched: bool = False
) -> tuple[Answer, dict[str, int]]:
    """Run with a server that fails so many times when `role` asks; return the answer and the calls of each role.

    `watched`: the server is asked to stream.
    """
    counts: dict[str, int] = {}

    def respond(body: dict[str, Any]) -> fake.Answer:
        asking = role_of(body)
        counts[asking] = counts.get(asking, 0) + 1
        return FAULTS[case] if asking == role and counts[asking] <= times else right_answer(body)

    with fake.FakeOpenAI() as server:
        server.respond = respond
        model = OpenAIModel("any", base_url=server.url, timeout=5.0)
        agent = Agent(
            model=model,
            policy="json",
            tools=[reckon],
            memory=False,
            cache=False,
            workspace=workspace,
            clock=Hasty(),
        )
        agent.watched = watched
        answer = await agent.answer("What is half of 6*7?")
    return answer, counts


def check(answer: Answer, counts: dict[str, int], role: str, case: str, times: int) -> None:
    what = f"{case} × {times} at {role}: {answer.stopped} {answer.why}"
    if case in PARKS:
        assert answer.stopped == "paused", what
        assert counts[role] == 1, what
        assert f"crowquill runs resume {answer.run_id}" in answer.text
    assert answer.stopped == "answered" or answer.why, what
    assert sum(counts.values()) <= 6 + times * DEFAULT_POLICY.attempts, what
    if role in ("prioritiser", "writer"):
        assert len(answer.evidence) >= 1, what  # what was found before is kept
    if times == 1 and answer.stopped != "answered":
        assert case in LASTING, what


FEW = ["503", "429 quota", "401", "400", "bad json", "tool arguments cut", "stream: cut in a tool call"]


@pytest.mark.parametrize("watched", [False, True])
@pytest.mark.parametrize("case", FEW)
async def test_a_run_survives_a_fault_of_its_server(case: str, watched: bool, workspace: Workspace) -> None:
    role = ROLES[FEW.index(case) % len(ROLES)]
    answer, counts = await run_with(workspace, role, case, 1, watched=watched)
    check(answer, counts, role, case, 1)


@pytest.mark.slow
@pytest.mark.parametrize("watched", [False, True])
@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize("role", ROLES)
async def test_every_fault_at_every_role(role: str, times: int, watched: bool, workspace: Workspace) -> None:
    assert len(FAULTS) == 47
    for case in FAULTS:
        check(*await run_with(workspace, role, case, times, watched=watched), role, case, times)


LASTING = {*PARKS, "400", "404", "413", "400 context", "400 filter", "refusal", "filtered"}


@pytest.mark.slow
async def test_five_hundred_calls_of_which_a_third_fail_come_to_the_same_answers(workspace: Workspace) -> None:
    """F2: every run finishes or is parked and resumed, with the answer of a run without faults."""
    draw, passing = random.Random(3), [fault for case, fault in FAULTS.items() if case not in LASTING]
    with fake.FakeOpenAI() as server:
        model = OpenAIModel("any", base_url=server.url, timeout=5.0)
        settings: dict[str, Any] = {"model": model, "policy": "json", "tools": [reckon], "memory": False}
        agent = Agent(**settings, cache=False, workspace=workspace, clock=Hasty())
        server.respond = right_answer
        expected = await agent.answer("What is half of 6*7?")
        server.respond = lambda body: draw.choice(passing) if draw.random() < 0.3 else right_answer(body)
        server.received.clear()
        runs = 0
        while len(server.received) < 500:
            answer = await agent.answer("What is half of 6*7?")
            while answer.stopped == "paused":
                events = [event async for event in agent.resume(answer.run_id)]
                assert isinstance(events[-1], RunFinished)
                answer = events[-1].answer
            runs += 1
            assert (answer.short, answer.claims) == (expected.short, expected.claims), (runs, answer.why)
        assert runs > 30


async def test_a_run_shows_what_is_being_written_and_keeps_one_connection(workspace: Workspace) -> None:
    action = {"tool": "answer", "short": "42", "claims": [{"text": "6*7 = 42", "cites": [1]}]}
    replies = [
        {"tasks": [{"id": "a", "goal": "Compute 6*7", "done_when": "known", "needs": []}]},
        {"thought": "six times seven", "action": {"tool": "reckon", "expression": "6*7"}},
        {"thought": "so", "action": action},
    ]
    with fake.FakeOpenAI() as server:
        server.script(*(fake.streamed(*json.dumps(reply).partition("x")) for reply in replies))
        agent = Agent(
            model=OpenAIModel("any", base_url=server.url),
            policy="json",
            tools=[reckon],
            memory=False,
            workspace=workspace,
        )
        agent.watched = True
        events = [event async for event in agent.stream("What is 6*7?")]
    said = [event.text for event in events if isinstance(event, Progress) and event.text]
    assert said == ["known", "si", "42"]  # the first piece of each reply; the next ones come too soon after it
    assert isinstance(events[-1], RunFinished)
    assert events[-1].answer.short == "42"
    assert len({request.port for request in server.received}) == 1
