"""Wall-clock of eight candidates that share their evidence, beside one run and beside eight runs of their own.

    python bench/candidates.py [-n 3]

A server on loopback answers each call after 200 ms; the policy is json, four steps and a plan for a run. Shown are
medians of `n` rounds, and the shares of one run.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.support.fake_openai import Answer as ServerAnswer
from tests.support.fake_openai import FakeOpenAI, completion
from tests.support.pages import indexed

from crowquill import Agent
from crowquill.agent.models.openai import OpenAIModel
from crowquill.agent.workspace import Workspace

QUESTION = "How deep is Lake Tarn?"
DELAY = 0.2
MOST = 8
CLAIMS = [{"text": "Lake Tarn is 310 metres deep.", "cites": [1]}]
STEPS: list[dict[str, Any]] = [
    {"tool": "search", "query": "Lake Tarn"},
    {"tool": "open", "target": "1"},
    {"tool": "quote", "lines": "2"},
    {"tool": "answer", "short": "310 metres", "claims": CLAIMS},
]


def respond(body: dict[str, Any]) -> ServerAnswer:
    """Answer by what was asked; the step is read off the prompt, so that runs may come at the same time."""
    system, last = (body["messages"][at]["content"] for at in (0, -1))
    if system.startswith("You plan"):
        data: dict[str, Any] = {"tasks": [{"id": "t1", "goal": QUESTION, "done_when": "", "needs": []}]}
    elif system.startswith("You write"):
        data = {"short": "310 metres", "claims": CLAIMS}
    else:
        done = next((at for at, step in reversed(list(enumerate(STEPS, 1))) if f"{at}. {step['tool']}(" in last), 0)
        data = {"thought": "", "action": STEPS[min(done, 3)]}
    return lambda exchange: None if exchange.wait(DELAY) else completion(json.dumps(data))(exchange)


async def seconds_of(work: Callable[[], Awaitable[object]]) -> float:
    started = time.monotonic()
    await work()
    return time.monotonic() - started


async def measure(workspace: Workspace, url: str, rounds: int) -> dict[str, float]:
    """Return the median seconds of each way."""

    async def ask(select: str) -> None:
        agent = Agent(
            model=OpenAIModel("fake", base_url=url), policy="json", corpora=["lakes"], memory=False, cache=False,
            workspace=workspace, select=select,
        )  # fmt: skip
        answer = await agent.answer(QUESTION)
        assert answer.short == "310 metres", answer

    async def at_once() -> None:
        await asyncio.gather(*(ask("single") for _ in range(MOST)))

    async def in_a_row() -> None:
        for _ in range(MOST):
            await ask("single")

    ways: dict[str, Callable[[], Awaitable[object]]] = {
        "one run": lambda: ask("single"),
        "8 candidates": lambda: ask(f"best_of_n:{MOST}"),
        "8 runs at once": at_once,
        "8 runs in a row": in_a_row,
    }
    await ask("single")
    return {name: median([await seconds_of(way) for _ in range(rounds)]) for name, way in ways.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-n", type=int, default=3, help="rounds")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, FakeOpenAI() as server:
        server.respond = respond
        workspace = indexed(Path(folder), {"Lake Tarn": "Lake Tarn is 310 metres deep."}, "lakes")
        found = asyncio.run(measure(workspace, server.url, options.n))
        workspace.close()
    for name, seconds in found.items():
        print(f"{name:<16} {seconds:6.2f} s  {seconds / found['one run']:5.2f} x one run")


if __name__ == "__main__":
    main()
