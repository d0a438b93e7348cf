"""Runs leave the workspace with everything that only they stored, and nothing that others need."""

import asyncio
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.pages import indexed
from typer.testing import CliRunner

from crowquill import Agent, Answer, ScriptedModel
from crowquill.agent.agent import run_in_thread
from crowquill.agent.answer import Answer as Ended
from crowquill.agent.cli.main import app
from crowquill.agent.events import RunFinished
from crowquill.agent.models.scripted import ScriptedReply
from crowquill.agent.records import list_records
from crowquill.agent.replay import replay
from crowquill.agent.retention import delete_runs, sizes
from crowquill.agent.workspace import Workspace
from crowquill.errors import UserError

PAGES = {
    "River Aske": "The River Aske is 212 kilometres long. It rises in the Fells.",
    "Brune": "The Brune is 90 kilometres long. It rises in the Morne hills.",
}


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    place = indexed(tmp_path, PAGES, "rivers")
    yield place
    place.close()


def agent(workspace: Workspace, river: str, sentence: str) -> Agent:
    reading = {"quotes": [1], "sentence": sentence, "answer": sentence.split("is ")[1].rstrip(".")}
    model = ScriptedModel([ScriptedReply("act", json=reading)])
    return Agent(model=model, policy="guided", corpora=["rivers"], memory=False, workspace=workspace)


def ask(workspace: Workspace, river: str, sentence: str) -> Answer:
    answer = agent(workspace, river, sentence).ask(f"How long is the {river}?")
    assert answer.stopped == "answered"
    return answer


def aske(workspace: Workspace) -> Answer:
    return ask(workspace, "River Aske", "The River Aske is 212 kilometres long.")


def blobs(workspace: Workspace) -> set[str]:
    return {path.stem for path in workspace.blobs.directory.glob("*/*/*")}


def ids(workspace: Workspace) -> list[str]:
    return [record.id for record in workspace.database.read_now(lambda c: list_records(c, -1))]


def contents(workspace: Workspace) -> bytes:
    workspace.close()
    files = [path for path in workspace.path.rglob("*") if path.is_file() and "corpora" not in path.parts]
    return b"".join(path.read_bytes() for path in files)


def test_a_deleted_run_leaves_no_trace(workspace: Workspace) -> None:
    aske(workspace)
    assert b"212 kilometres" in contents(workspace)
    removed = delete_runs(workspace, ["last"], forks=False)
    assert (len(removed.runs), removed.evidence > 0, removed.blobs > 0) == (1, True, True)
    left = contents(workspace)
    assert b"212 kilometres" not in left
    assert b"River Aske" not in left
    assert ids(workspace) == []


def test_what_others_need_stays(workspace: Workspace) -> None:
    first, second = aske(workspace), aske(workspace)
    before = blobs(workspace)
    delete_runs(workspace, [first.run_id], forks=False)
    assert blobs(workspace) == before
    assert run_in_thread(replay(workspace, second.run_id)) > 5
    (count,) = workspace.database.read_now(lambda c: c.execute("SELECT count(*) FROM records").fetchone())
    assert count > 0


async def fork(workspace: Workspace, run_id: str) -> Ended:
    made = agent(workspace, "River Aske", "The River Aske is 212 kilometres long.")
    return [e.answer async for e in made.fork(run_id, "3") if isinstance(e, RunFinished)][0]  # noqa: RUF015


def test_a_run_with_forks_is_deleted_with_them_or_not_at_all(workspace: Workspace) -> None:
    parent = aske(workspace)
    child = run_in_thread(fork(workspace, parent.run_id))
    with pytest.raises(UserError, match=f"shares its record with its fork {child.run_id}"):
        delete_runs(workspace, [parent.run_id], forks=False)
    assert len(ids(workspace)) == 2
    assert delete_runs(workspace, [parent.run_id], forks=True).runs == (child.run_id, parent.run_id)
    assert ids(workspace) == []


def test_a_run_that_is_worked_on_stays(workspace: Workspace) -> None:
    async def work() -> None:
        slow = ScriptedModel([ScriptedReply("act", json={}, delay=30)])
        made = Agent(model=slow, policy="guided", corpora=["rivers"], memory=False, workspace=workspace)
        asking = asyncio.create_task(made.answer("How long is the Brune?"))
        while not ids(workspace):
            await asyncio.sleep(0.02)
        with pytest.raises(UserError, match="is being worked on"):
            delete_runs(workspace, ["last"], forks=True)
        asking.cancel()
        await asyncio.wait([asking])

    run_in_thread(work())


def test_gc_and_size_by_hand(workspace: Workspace) -> None:
    def crowquill(*arguments: str) -> str:
        result = CliRunner().invoke(app, ["runs", *arguments, "--workspace", str(workspace.path)])
        assert result.exit_code == 0, result.output
        return result.stdout

    old = aske(workspace)
    new = ask(workspace, "Brune", "The Brune is 90 kilometres long.")
    orphan, fresh = (workspace.blobs.path_of(workspace.blobs.put(text)) for text in (b"orphan", b"fresh"))
    past = time.time() - 7200
    os.utime(orphan, (past, past))
    workspace.close()
    assert "MiB in" in crowquill("size")
    assert sizes(workspace)["blobs"] > 0
    assert "would delete 1 runs" in crowquill("gc", "--older-than", "0m", "--keep", "1", "--dry-run")
    assert len(ids(workspace)) == 2
    assert "deleted 1 runs" in crowquill("gc", "--older-than", "0m", "--keep", "1")
    assert ids(workspace) == [new.run_id]
    assert (orphan.exists(), fresh.exists()) == (False, True)
    assert run_in_thread(replay(workspace, new.run_id)) > 5
    assert old.run_id not in ids(workspace)
    assert "deleted 1 runs" in crowquill("delete", "last")
    result = CliRunner().invoke(app, ["runs", "gc", "--older-than", "soon", "--workspace", str(workspace.path)])
    assert "write a number and m, h, d or w" in str(result.exception)
