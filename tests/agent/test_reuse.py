"""What was asked before, exactly, is not asked again."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from tests.support import fake_openai as fake
from tests.support.changes import CHANGES, needs_local_files
from tests.support.pages import indexed

from crowquill import Agent, Answer, ScriptedModel
from crowquill.agent.agent import run_in_thread
from crowquill.agent.events import Noticed
from crowquill.agent.exports import spending
from crowquill.agent.models.openai import OpenAIModel
from crowquill.agent.models.scripted import ScriptedReply
from crowquill.agent.replay import replay
from crowquill.agent.report.page import render_report
from crowquill.agent.reuse import AGES, find_reply, hit_rates, may_be_reused
from crowquill.agent.story import read_story
from crowquill.agent.workspace import Workspace
from crowquill.errors import UserError
from crowquill.memory.clock import SystemClock
from crowquill.memory.embed import HashingEmbedder
from crowquill.memory.evidence import Table

QUESTION = "How long is the River Aske?"
PAGES = {"River Aske": "The River Aske is 212 kilometres long. It rises in the Fells."}
READING = '{"quotes": [1], "sentence": "The River Aske is 212 kilometres long.", "answer": "212 kilometres"}'


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    place = indexed(tmp_path, PAGES, "rivers")
    yield place
    place.close()


def ask(
    workspace: Workspace,
    server: fake.FakeOpenAI,
    *,
    question: str = QUESTION,
    cache: bool = True,
    similar: float | None = None,
) -> Answer:
    model = OpenAIModel("any", base_url=server.url)
    agent = Agent(
        model=model,
        policy="guided",
        corpora=["rivers"],
        memory=False,
        workspace=workspace,
        cache=cache,
        similar=similar,
    )
    answer = agent.ask(question)
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
        ({"sql": "SELECT 1"}, "sql", True),
        ({"schema": "shop"}, "sql", False),
        ({"change": "DELETE FROM sales"}, "sql", False),
    ],
)
def test_what_may_be_used_again(request_: dict[str, str | float], kind: str, reused: bool) -> None:
    assert may_be_reused(kind, dict(request_)) is reused  # type: ignore[arg-type]


class InAnHour(SystemClock):
    """A clock by which the files that a test has just written were left alone for a while."""

    def now(self) -> datetime:
        return super().now() + timedelta(hours=1)


def sales(workspace: Workspace, shop: Path, *, cache: bool = True) -> tuple[object, bool]:
    """Ask for the sum of the sales; return it, and whether it came from an earlier run, after a strict replay."""
    action = {"tool": "sql", "query": "SELECT sum(amount) AS total FROM sales"}
    end = {"tool": "answer", "short": "see", "claims": [{"text": "The total is in the table.", "cites": [1]}]}
    replies = [ScriptedReply("plan", json={"tasks": [{"id": "a", "goal": "Sum", "done_when": "", "needs": []}]})]
    replies += [ScriptedReply("act", json={"thought": "", "action": move}) for move in (action, end)]
    agent = Agent(
        model=ScriptedModel(replies),
        policy="json",
        databases=[str(shop)],
        memory=False,
        workspace=workspace,
        clock=InAnHour(),
        cache=cache,
    )
    answer = agent.ask("What is the total of all sales?")
    assert run_in_thread(replay(workspace, answer.run_id, strict=True)) > 5
    (table,) = (item for item in answer.evidence if isinstance(item, Table))
    (rate,) = (rate for rate in hit_rates(read_story(workspace, answer.run_id).effects) if rate.cache == "queries")
    assert rate.asked == 1
    return table.rows[0][0], rate.hits == 1


@needs_local_files
@pytest.mark.parametrize(
    "change", [CHANGES[0], *(pytest.param(way, marks=pytest.mark.slow) for way in CHANGES[1:])]
)
def test_rows_are_used_again_until_the_file_changes(tmp_path: Path, change: Callable[[Path], None]) -> None:
    workspace = Workspace(tmp_path / "workspace", embedder=HashingEmbedder())
    shop = tmp_path / "shop.db"
    with closing(sqlite3.connect(shop)) as connection:
        connection.executescript("CREATE TABLE sales (amount); INSERT INTO sales VALUES (1)")
    assert sales(workspace, shop) == (1, False)
    assert sales(workspace, shop) == (1, True)
    assert sales(workspace, shop, cache=False) == (1, False)
    change(shop)
    assert sales(workspace, shop) == (2, False)
    assert sales(workspace, shop) == (2, True)
    with closing(sqlite3.connect(shop, isolation_level=None)) as writer:  # and it stays open
        writer.execute("PRAGMA journal_mode=WAL")
        for amount in (3, 4):
            writer.execute("UPDATE sales SET amount = ?", (amount,))
            assert sales(workspace, shop) == (amount, False)
    workspace.close()


OTHERWISE = "How long is the old River Aske?"
ALIKE = float(np.prod(HashingEmbedder().embed([QUESTION, OTHERWISE]), axis=0).sum())


@pytest.mark.parametrize(("threshold", "used"), [(None, False), (ALIKE + 0.01, False), (ALIKE - 0.01, True)])
def test_a_reply_to_a_question_alike_is_used_when_wanted_and_named(
    workspace: Workspace, threshold: float | None, used: bool
) -> None:
    with fake.FakeOpenAI() as server:
        server.script(*[fake.completion(READING)] * 2)
        first = ask(workspace, server)
        second = ask(workspace, server, question=OTHERWISE, similar=threshold)
        assert len(server.received) == (1 if used else 2)
    assert (second.text, second.stopped) == (first.text, "answered")
    story = read_story(workspace, second.run_id)
    (rate,) = (rate for rate in hit_rates(story.effects) if rate.cache == "model replies")
    assert (rate.asked, rate.hits, rate.similar) == ((1, 1, 1) if used else (1, 0, 0))
    report = render_report(story, workspace.blobs)
    named = f"a model's reply to an earlier question was used, alike to {ALIKE:.3f}: {QUESTION}"
    warned = [entry.event.message for entry in story.events if isinstance(entry.event, Noticed)]
    assert (named in warned, f"alike to {ALIKE:.3f}: {QUESTION}" in report) == (used, used)
    assert ("1 of 1 model replies (100 %, 1 of them told to another question)" in report) is used
    assert run_in_thread(replay(workspace, second.run_id, strict=True)) > 5


def test_a_reply_about_other_lines_is_not_for_a_question_alike(workspace: Workspace, tmp_path: Path) -> None:
    with fake.FakeOpenAI() as server:
        server.script(*[fake.completion(READING)] * 2)
        ask(workspace, server)
        (tmp_path / "rivers" / "River Aske.html").write_text("<title>River Aske</title><p>The Aske is 213 km long.")
        workspace.index(tmp_path / "rivers", "rivers")
        ask(workspace, server, question=OTHERWISE, similar=0.01)
        assert len(server.received) == 2


@pytest.mark.parametrize(("threshold", "cache", "said"), [(0.0, True, "no cosine"), (0.99, False, "turned off")])
def test_a_threshold_has_to_make_sense(tmp_path: Path, threshold: float, cache: bool, said: str) -> None:
    with pytest.raises(UserError, match=said):
        Agent(model=ScriptedModel([]), workspace=tmp_path, similar=threshold, cache=cache)
