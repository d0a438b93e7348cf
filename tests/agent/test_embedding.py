"""An agent inside other programs: async, many at once, cancelled, in a web service, in a notebook."""

import asyncio
import logging
import os
import re
import signal
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from crowquill import (
    Agent,
    Answer,
    Budget,
    Document,
    Event,
    Message,
    Reply,
    Request,
    RunFinished,
    ScriptedModel,
    Usage,
    UserError,
)
from crowquill.agent.models.scripted import ScriptedReply
from crowquill.agent.records import list_records
from crowquill.agent.replay import replay
from crowquill.agent.workspace import Workspace
from crowquill.errors import ReplayMiss
from crowquill.memory.embed import HashingEmbedder
from crowquill.memory.evidence import Quote

ROOT = Path(__file__).parents[2]


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    place = Workspace(tmp_path / "w", embedder=HashingEmbedder())
    yield place
    place.close()


class Echo:
    """A model by protocol alone: it answers the plan and the reading from the request."""

    name = "echo"
    slots = 4
    context_tokens = 8000

    def __init__(self, delay: float = 0.0) -> None:
        self.delay = delay
        self.busy = self.most = 0

    async def complete(self, request: Request) -> Reply:
        self.busy += 1
        self.most = max(self.most, self.busy)
        try:
            await asyncio.sleep(self.delay)
        finally:
            self.busy -= 1
        assert all(isinstance(message, Message) for message in request.messages)
        parsed: dict[str, Any] = {"quotes": [1], "sentence": "The tarn is 310 metres deep.", "answer": "310 metres"}
        return Reply(str(parsed), Usage(10, 0, 5), parsed=parsed)

    async def warm(self) -> None: ...

    async def close(self) -> None: ...


class Shelf:
    """A search provider by protocol alone."""

    name = "shelf"

    def __init__(self) -> None:
        self.asked: list[str] = []

    def search(self, query: str, limit: int) -> list[Document]:
        self.asked.append(query)
        return [
            Document("The tarn is 310 metres deep.\n\nIt was dammed in 1931.", "The tarn"),
            Document(
                "# Orrin\n\nOrrin is 45 metres deep.", url="https://orrin.example/a", media_type="text/markdown"
            ),
        ][:limit]


def make(workspace: Workspace, **settings: Any) -> Agent:
    chosen = {"model": Echo(), "policy": "guided", "providers": [Shelf()], "memory": False, **settings}
    return Agent(workspace=workspace, **chosen)


async def test_a_model_and_a_search_provider_are_protocols(workspace: Workspace) -> None:
    shelf = Shelf()
    agent = make(workspace, providers=[shelf])
    events: list[Event] = [event async for event in agent.stream("How deep is the tarn?")]
    last = events[-1]
    assert isinstance(last, RunFinished)
    answer = last.answer
    assert answer.short == "310 metres"
    quote = answer.evidence[0]
    assert isinstance(quote, Quote)
    assert quote.source.title == "The tarn"
    assert quote.source.url.startswith("shelf:")
    asked = len(shelf.asked)
    assert await replay(workspace, answer.run_id, strict=True) == len(
        [event for event in events if event.kind != "progress"]
    )
    assert len(shelf.asked) == asked
    with pytest.raises(UserError, match="no search provider"):
        make(workspace, providers=[object()])
    with pytest.raises(UserError, match="no model"):
        make(workspace, model=object())
    with pytest.raises(UserError, match=r"corpora is a list: write corpora=\['pocket'\]"):
        make(workspace, corpora="pocket")
    assert Agent(model=ScriptedModel([]), workspace=str(workspace.path)).workspace.path == workspace.path


async def test_what_a_provider_raises_ends_no_run(workspace: Workspace) -> None:
    class Broken(Shelf):
        async def search(self, query: str, limit: int) -> list[Document]:  # type: ignore[override]
            raise KeyError("no index")

    answer = await make(workspace, providers=[Broken()]).answer("How deep is the tarn?")
    assert answer.stopped == "not_found"
    assert "KeyError" in answer.why


async def test_one_agent_answers_many_at_once_and_in_threads(workspace: Workspace) -> None:
    model = Echo(delay=0.2)
    agent = make(workspace, model=model)
    questions = [f"How deep is the tarn number {number}?" for number in range(4)]
    answers = await asyncio.gather(*map(agent.answer, questions))
    assert [answer.objective for answer in answers] == questions
    assert len({answer.run_id for answer in answers}) == 4
    assert model.most > 1
    threads = await asyncio.gather(*(asyncio.to_thread(agent.ask, question) for question in questions[:2]))
    assert all(answer.short == "310 metres" for answer in threads)


async def test_a_cancelled_run_ends_at_once_and_is_recorded_so(workspace: Workspace) -> None:
    model = Echo(delay=30)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(make(workspace, model=model).answer("How deep is the tarn?"), 1.0)
    assert model.busy == 0
    records = workspace.database.read_now(lambda connection: list_records(connection, 5))
    assert [record.state for record in records] == ["cancelled"]


async def test_it_works_inside_a_web_service(workspace: Workspace) -> None:
    agent, service = make(workspace), FastAPI()

    @service.get("/ask")
    async def ask(question: str) -> dict[str, str]:
        answer = await agent.answer(question)
        return {"short": answer.short, "run": answer.run_id}

    @service.get("/blocking")
    def blocking(question: str) -> str:
        return agent.ask(question).short

    transport = httpx.ASGITransport(service)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        params = {"question": "How deep is the tarn?"}
        paths = ("/ask", "/ask", "/blocking")
        replies = await asyncio.gather(*(client.get(path, params=params) for path in paths))
    assert [reply.status_code for reply in replies] == [200, 200, 200]
    assert replies[0].json()["short"] == "310 metres"


async def test_nothing_global_is_touched(workspace: Workspace) -> None:
    def world() -> tuple[Any, ...]:
        root = logging.getLogger()
        return (
            dict(os.environ),
            Path.cwd(),
            list(sys.path),
            [*warnings.filters],
            (root.level, list(root.handlers), logging.raiseExceptions),
            [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD)],
            (sys.excepthook, sys.stdout, sys.stderr),
            asyncio.get_event_loop_policy(),
        )

    before = world()
    answer = await make(workspace, budget=Budget(steps=30)).answer("How deep is the tarn?")
    await asyncio.to_thread(make(workspace).ask, "2 + 3")
    assert answer.ok
    assert world() == before


def test_the_package_sets_up_no_logging_and_no_environment() -> None:
    forbidden = ("logging.basicConfig(", "os.putenv(", "os.chdir(", "warnings.simplefilter(")
    for layer in ("agent", "tools", "tasks", "memory", "src/crowquill"):
        for path in (ROOT / layer).glob("**/*.py"):
            if path.name == "cluster.py":
                continue  # Ray reads what it is told from the environment, when it is imported
            text = path.read_text(encoding="utf-8")
            assert not [word for word in forbidden if word in text], path
            assert not re.search(r"os\.environ(?:\[[^\]]*\]\s*=[^=]|\.(?:update|setdefault|pop)\()", text), path


def test_an_answer_shows_itself_in_a_notebook_escaped(workspace: Workspace) -> None:
    read = {"quotes": [1], "sentence": "The tarn is 310 metres deep. <b onload=x>", "answer": "310 metres"}
    model = ScriptedModel([ScriptedReply("act", json=read)])
    answer = make(workspace, model=model).ask("How deep is the tarn?")
    html = answer._repr_html_()
    assert "<b>310 metres</b>" in html
    assert "&lt;b onload=x&gt;" in html
    assert "<b onload" not in html
    assert "“The tarn is 310 metres deep.”" in html
    assert isinstance(answer, Answer)


async def test_a_recorded_run_is_not_resumed_without_its_provider(workspace: Workspace) -> None:
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(make(workspace, model=Echo(delay=30)).answer("How deep is the tarn?"), 1.0)
    agent = make(workspace, providers=[])
    agent.config = make(workspace).config
    events = [event async for event in agent.resume("last")]
    last = events[-1]
    assert isinstance(last, RunFinished)
    assert last.answer.ok  # the search was recorded before
    with pytest.raises(ReplayMiss, match="shelf"):
        await agent.answer("How deep is Orrin?")
