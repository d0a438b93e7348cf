"""What a person says to a run under way: heard before the next step, recorded, and heard again in a replay."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Any

import pytest

from crowquill import Agent, Answer, Budget, ScriptedModel
from crowquill.agent.events import Acted, Event, Planned, RunFinished
from crowquill.agent.models.scripted import ScriptedReply
from crowquill.agent.replay import replay
from crowquill.agent.steering import Steering
from crowquill.agent.workspace import Workspace
from crowquill.memory.embed import HashingEmbedder


@pytest.fixture
async def workspace(tmp_path: Any) -> AsyncIterator[Workspace]:
    place = Workspace(tmp_path / "w", embedder=HashingEmbedder())
    yield place
    place.close()


def act(tool: str, **arguments: Any) -> ScriptedReply:
    return ScriptedReply("act", json={"thought": "", "action": {"tool": tool, **arguments}})


def plan(*goals: str) -> ScriptedReply:
    tasks = [{"id": f"t{n}", "goal": goal, "done_when": "", "needs": []} for n, goal in enumerate(goals, 1)]
    return ScriptedReply("plan", json={"tasks": tasks})


ANSWER = act("answer", short="5", claims=[{"text": "2 + 3 = 5", "cites": [1]}])
STAY = ScriptedReply("plan", json={"add": [], "drop": [], "order": [], "objective_met": False}, repeat=True)


async def drive(agent: Agent, steering: Steering, on: Callable[[Event], None]) -> Answer:
    async for event in agent.stream("What is two and three?", steering=steering):
        on(event)
        if isinstance(event, RunFinished):
            return event.answer
    raise AssertionError


def on_step(number: int, say: Callable[[], None]) -> Callable[[Event], None]:
    def listen(event: Event) -> None:
        if isinstance(event, Acted) and event.step == number:
            say()

    return listen


def make(workspace: Workspace, *replies: ScriptedReply, **settings: Any) -> tuple[Agent, ScriptedModel]:
    model = ScriptedModel(replies)
    return Agent(model=model, workspace=workspace, memory=False, **settings), model


async def test_a_hint_reaches_every_later_request_and_is_replayed(workspace: Workspace) -> None:
    agent, model = make(
        workspace, plan("add"), act("math", expression="2+2"), act("math", expression="2+3"), ANSWER
    )
    steering = Steering()
    answer = await drive(agent, steering, on_step(1, lambda: steering.hint(" it is five ")))
    assert answer.stopped == "answered"
    hinted = ["Hint from the user: it is five" in call.messages[-1].content for call in model.calls]
    assert hinted == [False, False, True, True]
    assert await replay(workspace, answer.run_id, strict=True) > 0


async def test_the_answer_is_given_at_once_when_it_is_wanted(workspace: Workspace) -> None:
    agent, model = make(workspace, plan("add"), act("math", expression="2+3"), ANSWER)
    steering = Steering()
    answer = await drive(agent, steering, on_step(1, steering.answer_now))
    assert (answer.stopped, answer.short, answer.why) == ("budget", "5", "you wanted the answer now")
    schema = str(model.calls[-1].schema)
    assert "expression" not in schema
    assert await replay(workspace, answer.run_id) > 0


async def test_tasks_are_added_dropped_and_moved(workspace: Workspace) -> None:
    writes = ScriptedReply("write", json={"short": "5", "claims": [{"text": "2 + 3 = 5", "cites": [1]}]})
    steps = [act("math", expression="2+3"), ANSWER, act("math", expression="1+1"), ANSWER]
    agent, _ = make(workspace, plan("first sum"), *steps, STAY, writes)
    steering, plans = Steering(), []

    def listen(event: Event) -> None:
        if isinstance(event, Planned):
            plans.append([(task.goal, task.status, task.origin) for task in event.tasks])
        if isinstance(event, Acted) and event.step == 1 and len(plans) == 1:
            for say, what in (
                (steering.add_task, "check the result elsewhere"),
                (steering.add_task, "something quite different"),
                (steering.drop_task, "t2"),
                (steering.first_task, "t3"),
            ):
                say(what)

    answer = await drive(agent, steering, listen)
    assert ("check the result elsewhere", "dropped", "user") in plans[-1]
    assert any(plan[0][:2] == ("something quite different", "open") for plan in plans)
    assert answer.stopped == "answered"
    assert await replay(workspace, answer.run_id) > 0


async def test_more_budget_lets_a_run_go_on(workspace: Workspace) -> None:
    steps = [act("math", expression=f"{n}+3") for n in range(3)]
    agent, _ = make(workspace, plan("add"), *steps, ANSWER, budget=Budget(steps=2))
    steering = Steering()
    answer = await drive(agent, steering, on_step(1, lambda: steering.more(Budget(steps=5))))
    assert answer.stopped == "answered"
    assert await replay(workspace, answer.run_id) > 0


async def test_a_held_run_waits_and_its_clock_stands_still(workspace: Workspace) -> None:
    agent, model = make(workspace, plan("add"), act("math", expression="2+3"), ANSWER, budget=Budget(seconds=60))
    steering = Steering()

    async def release() -> None:
        await asyncio.sleep(0.4)
        assert len(model.calls) == 2  # the plan and the first step
        steering.go_on()

    releasing = []

    def hold() -> None:
        steering.pause()
        releasing.append(asyncio.create_task(release()))

    began = time.monotonic()
    answer = await drive(agent, steering, on_step(1, hold))
    await releasing[0]
    assert answer.stopped == "answered"
    assert steering.waited > 0.35
    assert answer.seconds < time.monotonic() - began - 0.35


async def test_a_resumed_run_hears_what_is_said_now_only_where_it_goes_on(workspace: Workspace) -> None:
    first = act("math", expression="2+2")
    agent, _ = make(workspace, plan("add"), first, act("math", expression="2+3"))
    run_id = ""
    async with aclosing(agent.stream("What is two and three?")) as events:
        async for event in events:
            run_id = getattr(event, "run_id", run_id)
            if isinstance(event, Acted) and event.step == 2:
                break
    again, model = make(workspace, act("math", expression="2+3"), ANSWER)
    again.config = agent.config
    steering = Steering()
    steering.hint("it is five")
    answer = None
    async for event in again.resume(run_id, steering=steering):
        if isinstance(event, RunFinished):
            answer = event.answer
    assert answer is not None
    assert answer.stopped == "answered"
    assert all("it is five" in call.messages[-1].content for call in model.calls)
    assert await replay(workspace, run_id) > 0
