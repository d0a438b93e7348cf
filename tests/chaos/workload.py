"""The run that the chaos tests kill: steps that search, open, quote, recall and send, by a model without a memory.

Used inside of processes that are forked and killed; nothing here starts a thread before it has to.
"""

import asyncio
import json
import os
import re
import sqlite3
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import Any

from crowquill import Agent, tool
from crowquill.agent.events import Event, Progress, RunFinished, encode
from crowquill.agent.models.base import Reply, Request, Usage
from crowquill.agent.models.reply import finish_reply
from crowquill.agent.records import find_run, unknown_outcomes
from crowquill.agent.tape import load_events, settle_outcomes
from crowquill.agent.workspace import Workspace
from crowquill.memory.embed import HashingEmbedder

QUESTION = "How long are the rivers?"
_TASK = {"id": "a", "goal": "Find the lengths", "done_when": "", "needs": []}


def page(number: int) -> tuple[str, str]:
    """Return title and text of a page."""
    return f"River {number}", f"The River {number} is {number + 100} kilometres long. It rises in the Fells."


def write_pages(folder: Path, count: int) -> None:
    """Write the pages of the corpus."""
    folder.mkdir()
    for title, text in map(page, range(count)):
        (folder / f"{title}.html").write_text(f"<title>{title}</title><p>{text}</p>")


class Stateless:
    """Chooses the next action from the prompt alone, as the same model would after a restart."""

    name = "scripted:stateless"
    slots = 8
    context_tokens = 100_000

    def __init__(self, steps: int) -> None:
        self.steps = steps

    async def complete(self, request: Request) -> Reply:
        """Answer from the number of actions that the prompt lists."""
        data: dict[str, Any] = {"tasks": [_TASK]} if request.role == "plan" else self._act(request)
        return finish_reply(request, text=json.dumps(data), usage=Usage(10, 0, 5), finish="stop")

    def _act(self, request: Request) -> dict[str, Any]:
        past = request.messages[-1].content.partition("Past actions\n")[2].partition("\n\n")[0]
        done = len(re.findall(r"^\d+\. ", past, re.M))
        title, text = page(done // 5)
        sentence = text.partition(". ")[0] + "."
        if done >= self.steps:
            claims = [
                {"text": page(number)[1].partition(". ")[0] + ".", "cites": [number + 1]}
                for number in range(min(3, self.steps // 5))
            ]
            return {"thought": "", "action": {"tool": "answer", "short": "100 kilometres", "claims": claims}}
        action: dict[str, Any] = (
            {"tool": "search", "query": title},
            {"tool": "open", "target": f"corpus:rivers/{title}.html"},
            {"tool": "quote", "text": sentence},
            {"tool": "recall", "query": title},
            {"tool": "post", "letter": f"letter {done}"},
        )[done % 5]
        return {"thought": "", "action": action}

    async def warm(self) -> None:
        """Do nothing."""

    async def close(self) -> None:
        """Do nothing."""


def letters(place: Path) -> list[str]:
    """Return what was posted, in order."""
    path = place / "letters"
    return path.read_text().splitlines() if path.exists() else []


def agent(place: Path, steps: int) -> Agent:
    """Return the agent of the run; `post` appends to a file, which must never happen twice for one step."""

    @tool(access="send")
    def post(letter: str) -> str:
        """Post a letter."""
        with (place / "letters").open("a") as file:
            file.write(letter + "\n")
        time.sleep(0.01)  # a good moment to be killed
        return f"posted {letter}"

    workspace = Workspace(place, embedder=HashingEmbedder(64))
    return Agent(
        model=Stateless(steps),
        policy="json",
        corpora=["rivers"],
        tools=[post],
        allow=["post"],
        workspace=workspace,
        budget=None,
        web=False,
    )


def go(place: Path, steps: int, told: Path | None, run_id: str | None = None) -> None:
    """Begin the run, or resume one, and write every event to `told` once it was acknowledged."""
    made = agent(place, steps)
    asyncio.run(_drain(made.stream(QUESTION) if run_id is None else made.resume(run_id), told))
    made.workspace.close()


async def _drain(events: AsyncGenerator[Event, None], told: Path | None) -> None:
    """Write what is new: a resumed run first yields what was told before."""
    out = os.open(os.devnull if told is None else told, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    known = told.read_text().count("\n") if told is not None else 0
    async with aclosing(events) as stream:
        async for event in stream:
            if not isinstance(event, Progress):
                known -= 1
                if known < 0:
                    os.write(out, (json.dumps(encode(event), sort_keys=True) + "\n").encode())


def settle(place: Path) -> int:
    """Decide about letters that may have been posted, as a person would who looks whether they were."""
    connection = sqlite3.connect(place / "crowquill.db", isolation_level=None)
    try:
        run_id = find_run(connection, "last").id
        unknown = unknown_outcomes(connection, run_id)
        for call in unknown:
            letter = re.search(r'"letter":"([^"]*)"', call)
            assert letter is not None
            settle_outcomes(connection, run_id, "done" if letter[1] in letters(place) else "again")
        return len(unknown)
    finally:
        connection.close()


def has_ended(place: Path) -> bool:
    """Say whether the run came to its own end."""
    connection = sqlite3.connect(place / "crowquill.db")
    try:
        return find_run(connection, "last").ended
    finally:
        connection.close()


def outcome(place: Path) -> dict[str, Any]:
    """Return what a finished run has come to, without what depends on the time."""
    workspace = Workspace(place, embedder=HashingEmbedder(64))
    run_id = workspace.database.read_now(lambda connection: find_run(connection, "last")).id
    events = workspace.database.read_now(lambda connection: load_events(connection, run_id, workspace.blobs))
    evidence = workspace.database.read_now(
        lambda connection: connection.execute("SELECT id, json FROM records ORDER BY id").fetchall()
    )
    workspace.close()
    ended = events[-1].event
    assert isinstance(ended, RunFinished)
    told = [encode(entry.event) for entry in events]
    for data in told:
        data.pop("run_id", None)
        data.get("answer", {}).update(run_id="", seconds=0)
    return {"events": told, "evidence": [list(row) for row in evidence], "letters": letters(place)}
