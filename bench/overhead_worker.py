"""One library's runs against the model server of bench/overhead.py. Job on stdin, JSON on stdout."""

import asyncio
import json
import sys
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import memray

Round = Callable[[int], Awaitable[int]]
"""Does so many runs at once and returns the steps they have taken."""


def crowquill(url: str, steps: int, folder: Path) -> Round:
    """Our own agent, with the journal."""
    from crowquill import Agent, Budget, tool
    from crowquill.agent.models.openai import OpenAIModel
    from crowquill.agent.workspace import Workspace

    @tool
    def add(a: int, b: int) -> str:
        """Add two numbers."""
        return str(a + b)

    model = OpenAIModel("m", base_url=url, name="fake", slots=128)
    agent = Agent(
        model=model,
        policy="json",
        tools=[add],
        memory=False,
        cache=False,
        budget=Budget(steps=steps),
        workspace=Workspace(folder),
    )

    async def go(at_once: int) -> int:
        answers = await asyncio.gather(*(agent.answer("Add the numbers.") for _ in range(at_once)))
        return sum(answer.usage.calls - 2 for answer in answers)

    return go


def langgraph(url: str, steps: int, folder: Path) -> Round:
    """LangChain's agent on LangGraph, with checkpoints in SQLite."""
    from langchain.agents import create_agent
    from langchain_openai import ChatOpenAI
    from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

    def add(a: int, b: int) -> str:
        """Add two numbers."""
        return str(a + b)

    model = ChatOpenAI(model="m", base_url=url, api_key="none", max_retries=0)
    number = iter(range(10**9))

    async def go(at_once: int) -> int:
        async with AsyncSqliteSaver.from_conn_string(str(folder / "checkpoints.db")) as saver:
            agent = create_agent(model, [add], checkpointer=saver)
            asked = {"messages": [{"role": "user", "content": "Add the numbers."}]}

            async def one() -> int:
                config = {"configurable": {"thread_id": str(next(number))}, "recursion_limit": 4 * steps}
                state = await agent.ainvoke(asked, config)
                return sum(message.type == "tool" for message in state["messages"])

            return sum(await asyncio.gather(*(one() for _ in range(at_once))))

    return go


def smolagents(url: str, steps: int, folder: Path) -> Round:
    """Smolagents' ToolCallingAgent, a thread for each run; nothing is kept."""
    from smolagents import OpenAIServerModel, ToolCallingAgent, tool

    @tool
    def add(a: int, b: int) -> str:
        """Add two numbers.

        Args:
            a: a number.
            b: a number.
        """
        return str(a + b)

    model = OpenAIServerModel("m", api_base=url, api_key="none")

    def one(done: list[int]) -> None:
        agent = ToolCallingAgent([add], model, max_steps=steps + 1, verbosity_level=0)
        said = agent.run("Add the numbers.", return_full_result=True)
        done.append(min(len(said.steps) - 1, steps))

    async def go(at_once: int) -> int:
        done: list[int] = []
        threads = [threading.Thread(target=one, args=(done,)) for _ in range(at_once)]
        for thread in threads:
            thread.start()
        for thread in threads:
            await asyncio.to_thread(thread.join)
        return sum(done)

    return go


async def measure(go: Round, at_once: int) -> dict[str, float]:
    """Warm up with one run, then measure; the memory of one run is tracked apart."""
    await go(1)
    wall, cpu = time.perf_counter(), time.process_time()
    steps = await go(at_once)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    with tempfile.TemporaryDirectory() as place:
        record = Path(place) / "memory.bin"
        with memray.Tracker(record, trace_python_allocators=True):
            alone = await go(1)
        tracked = memray.FileReader(record).metadata
    return {
        "wall_ms": wall / steps * 1000,
        "cpu_ms": cpu / steps * 1000,
        "steps_s": steps / wall,
        "steps": steps,
        "peak_kb": tracked.peak_memory / 1024,
        "allocations": tracked.total_allocations / alone,
    }


if __name__ == "__main__":
    job: dict[str, Any] = json.loads(sys.stdin.read())
    make = {"crowquill": crowquill, "langgraph": langgraph, "smolagents": smolagents}[job["library"]]
    with tempfile.TemporaryDirectory() as place:
        print(json.dumps(asyncio.run(measure(make(job["url"], job["steps"], Path(place)), job["at_once"]))))
