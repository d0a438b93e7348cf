"""Runs with a model that does its worst: each ends within its budget, and says why it stopped."""

import random
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.adversary import Adversary
from tests.support.pages import indexed

from crowquill import Agent, Budget, tool
from crowquill.agent.answer import Answer
from crowquill.agent.config import PolicyName
from crowquill.agent.events import Acted, Event, Planned, RunFinished, TaskFinished
from crowquill.agent.replay import replay
from crowquill.agent.workspace import Workspace
from crowquill.memory.clock import SystemClock
from crowquill.tasks.agenda import Limits

PAGES = {"River Aske": "The River Aske is 212 kilometres long. It rises in the Fells.", "Fells": "Hills."}
QUESTION = "How long is the River Aske, and where does it rise?"
LONGEST_COMPLETION = 900
FULL = 1000


class Hasty(SystemClock):
    """A clock that does not wait."""

    async def sleep(self, seconds: float) -> None:
        """Go on at once."""


@tool
def shout(text: str) -> str:
    """Say it loudly."""
    return text.upper() * 40


@pytest.fixture(scope="module")
def workspace() -> Iterator[Workspace]:
    with tempfile.TemporaryDirectory() as folder:
        place = indexed(Path(folder), PAGES, "rivers")
        place.database._durability = "normal"
        yield place
        place.close()


async def attempt(workspace: Workspace, seed: int, budget: Budget, policy: PolicyName) -> list[Event]:
    agent = Agent(
        model=Adversary(seed),
        policy=policy,
        corpora=["rivers"],
        tools=[shout],
        budget=budget,
        memory=False,
        cache=False,
        workspace=workspace,
        clock=Hasty(),
    )
    return [event async for event in agent.stream(QUESTION)]


def check(events: list[Event], budget: Budget) -> Answer:
    """Check what must hold of every run."""
    last = events[-1]
    assert isinstance(last, RunFinished)
    answer = last.answer
    assert answer.stopped == "answered" or answer.why, answer
    assert answer.text
    planned = max((len(event.tasks) for event in events if isinstance(event, Planned)), default=0)
    assert planned <= Limits().tasks
    episodes = sum(isinstance(event, TaskFinished) for event in events)
    if budget.steps is not None:
        assert sum(isinstance(event, Acted) for event in events) <= budget.steps + episodes  # one ending each
    if budget.tokens is not None:
        assert answer.usage.prompt + answer.usage.completion <= budget.tokens + LONGEST_COMPLETION
    return answer


def budget_of(seed: int) -> Budget:
    draw = random.Random(-seed)
    return Budget(steps=draw.randint(1, 30), tokens=draw.choice([None, 500, 4000, 20_000]))


async def attempts(workspace: Workspace, seeds: range) -> Counter[str]:
    endings: Counter[str] = Counter()
    for seed in seeds:
        budget = budget_of(seed)
        policy: PolicyName = "guided" if seed % 5 == 0 else "json"
        answer = check(await attempt(workspace, seed, budget, policy), budget)
        endings[answer.stopped] += 1
        if seed % 50 == 1 and answer.stopped != "paused":
            assert await replay(workspace, answer.run_id, strict=True) > 0
    return endings


async def test_runs_with_an_adversary_end_and_say_why(workspace: Workspace) -> None:
    endings = await attempts(workspace, range(1, 12))
    assert len(endings) >= 3, endings


@pytest.mark.slow
async def test_a_thousand_runs_with_an_adversary_end_and_say_why(workspace: Workspace) -> None:
    endings = await attempts(workspace, range(FULL))
    assert endings.total() == FULL
    assert set(endings) <= {"answered", "not_found", "refused", "budget", "stalled", "error", "paused"}


@given(
    seed=st.integers(0, 2**32),
    steps=st.one_of(st.none(), st.integers(1, 12)),
    tokens=st.integers(1, 30_000),
    calls=st.dictionaries(st.sampled_from(["search", "open", "shout", "*"]), st.integers(0, 3)),
)
@settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
async def test_no_budget_is_overspent_by_more_than_one_completion(
    workspace: Workspace, seed: int, steps: int | None, tokens: int, calls: dict[str, int]
) -> None:
    budget = Budget(steps=steps, tokens=tokens, calls=calls)
    events = await attempt(workspace, seed, budget, "json")
    check(events, budget)
    acted = Counter(event.tool for event in events if isinstance(event, Acted))
    assert all(acted[name] <= limit for name, limit in calls.items() if name != "*")
