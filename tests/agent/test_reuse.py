"""What was asked before, exactly, is not asked again."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.support import fake_openai as fake
from tests.support.pages import indexed

from crowquill import Agent, Answer
from crowquill.agent.agent import run_in_thread
from crowquill.agent.exports import spending
from crowquill.agent.models.openai import OpenAIModel
from crowquill.agent.replay import replay
from crowquill.agent.reuse import AGES, find_reply, may_be_reused
from crowquill.agent.story import read_story
from crowquill.agent.workspace import Workspace

QUESTION = "How long is the River Aske?"
PAGES = {"River Aske": "The River Aske is 212 kilometres long. It rises in the Fells."}
READING = '{"quotes": [1], "sentence": "The River Aske is 212 kilometres long.", "answer": "212 kilometres"}'


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    place = indexed(tmp_path, PAGES, "rivers")
    yield place
    place.close()


def ask(workspace: Workspace, server: fake.FakeOpenAI, *, cache: bool = True) -> Answer:
    model = OpenAIModel("any", base_url=server.url)
    agent = Agent(model=model, policy="guided", corpora=["rivers"], memory=False, workspace=workspace, cache=cache)
    answer = agent.ask(QUESTION)
    run_in_thread(model.close())
    return answer


def test_the_same_request_is_sent_once(workspace: Workspace) -> None:
    with fake.FakeOpenAI() as server:
        server.script(*[fake.completion(READING)] * 2)
        first, second = ask(workspace, server), ask(workspace, server)
        assert len(server.received) == 1
        assert (second.text, second.evidence, second.stopped) == (first.text, first.evidence, "answered")
        assert (first.usage.calls, second.usage.calls, second.usage.prompt) == (1, 0, 0)
        total = next(row for row in spending(read_story(workspace, "last")) if row["by"] == "role")
        assert (total["calls"], total["reused"]) == (1, 1)
        assert run_in_thread(replay(workspace, second.run_id, strict=True)) > 5
        ask(workspace, server, cache=False)
        assert len(server.received) == 2


def test_what_is_old_is_not_used_again(workspace: Workspace) -> None:
    with fake.FakeOpenAI() as server:
        server.script(fake.completion(READING))
        ask(workspace, server)
    (sha256,) = workspace.database.read_now(
        lambda c: c.execute("SELECT request_sha256 FROM effects WHERE kind='model'").fetchone()
    )
    for age, found in ((timedelta(0), True), (AGES["model"] + timedelta(minutes=1), False)):
        now = datetime.now(UTC) + age
        reply = workspace.database.read_now(lambda c, now=now: find_reply(c, workspace.blobs, "model", sha256, now))  # type: ignore[misc]
        assert (reply is not None) is found


@pytest.mark.parametrize(
    ("request_", "kind", "reused"),
    [
        ({"model": "openai:x", "temperature": 0.0}, "model", True),
        ({"model": "openai:x", "temperature": 0.7}, "model", False),
        ({"model": "scripted", "temperature": 0.0}, "model", False),
        ({"provider": "ddgs"}, "search", True),
        ({"provider": "corpus"}, "search", False),
        ({"sql": "SELECT 1"}, "sql", False),
    ],
)
def test_what_may_be_used_again(request_: dict[str, str | float], kind: str, reused: bool) -> None:
    assert may_be_reused(kind, dict(request_)) is reused  # type: ignore[arg-type]
