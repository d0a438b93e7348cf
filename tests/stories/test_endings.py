"""How runs end that are stopped, run out of time, or get replies that were cut off."""

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path

import pytest
from tests.support.pages import indexed

from crowquill import Agent, Budget, ScriptedModel
from crowquill.agent.models.scripted import ScriptedReply
from crowquill.agent.replay import replay
from crowquill.agent.workspace import Workspace

QUESTION = "How long is the River Aske?"
PAGES = {
    "River Aske": "The River Aske is 212 kilometres long. It rises in the Fells.",
    "Fells": "The Fells are hills.",
}
READING = {"quotes": [1], "sentence": "The River Aske is 212 kilometres long.", "answer": "212 kilometres"}
GOOD = ScriptedReply("act", json=READING)
SLOW = ScriptedReply("act", json=READING, delay=60.0)
CUT = ScriptedReply("act", fault="length")


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    place = indexed(tmp_path, PAGES, "rivers")
    yield place
    place.close()


def agent(workspace: Workspace, *replies: ScriptedReply, seconds: float | None = None) -> Agent:
    return Agent(
        model=ScriptedModel(replies),
        policy="guided",
        corpora=["rivers"],
        memory=False,
        budget=Budget(seconds=seconds),
        workspace=workspace,
    )


def statuses(workspace: Workspace) -> list[str]:
    rows = workspace.database.read_now(lambda connection: connection.execute("SELECT status FROM runs").fetchall())
    return [status for (status,) in rows]


async def stop_after(agent: Agent, events: int, cancellations: int) -> None:
    """Cancel a run after so many events; a second time while it is ending."""

    async def listen() -> None:
        seen = 0
        async with aclosing(agent.stream(QUESTION)) as stream:
            async for _ in stream:
                seen += 1
                if seen == events:
                    reached.set()

    reached = asyncio.Event()
    task = asyncio.create_task(listen())
    await reached.wait()
    for _ in range(cancellations):
        task.cancel()
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("cancellations", [1, 2])
@pytest.mark.parametrize("events", [1, 2, 3, 8])
def test_a_run_that_is_cancelled_is_closed_wherever_it_was(
    events: int, cancellations: int, workspace: Workspace
) -> None:
    asyncio.run(stop_after(agent(workspace, SLOW), events, cancellations))
    assert statuses(workspace) in ([], ["cancelled"])  # none when it had not begun


def test_ctrl_c_ends_a_run_that_was_begun_from_a_script(tmp_path: Path, workspace: Workspace) -> None:
    script = tmp_path / "slow.replies"
    script.write_text("replies:\n  - {role: plan, delay: 60, json: {}}\n")
    program = (
        "from pathlib import Path\nfrom crowquill import Agent\nprint('go', flush=True)\n"
        f"place = Path('{workspace.path}')\n"
        f"agent = Agent(model='scripted:{script}', policy='json', memory=False, workspace=place)\n"
        "try:\n    agent.ask('What is it?')\nexcept KeyboardInterrupt:\n    print('stopped')\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "go\n"
        while statuses(workspace) != ["running"] and process.poll() is None:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        assert process.stdout.read() == "stopped\n"
    assert process.returncode == 0
    assert statuses(workspace) == ["cancelled"]


async def test_when_the_time_for_exploring_is_over_it_answers_from_what_there_is(workspace: Workspace) -> None:
    answer = await agent(workspace, SLOW, GOOD, seconds=4.0).answer(QUESTION)
    assert (answer.short, answer.stopped) == ("212 kilometres", "budget")
    assert "did not answer in" in answer.why
    assert await replay(workspace, answer.run_id) > 0


def test_when_all_time_is_over_the_evidence_is_kept(workspace: Workspace) -> None:
    answer = agent(workspace, SLOW, SLOW, seconds=3.0).ask(QUESTION)
    assert (answer.short, answer.stopped) == ("", "budget")
    assert "212 kilometres" in " ".join(item.text for item in answer.evidence)  # type: ignore[union-attr]
    assert answer.seconds < 10


def test_a_reply_that_was_cut_off_is_asked_for_again(workspace: Workspace) -> None:
    answer = agent(workspace, CUT, GOOD).ask(QUESTION)
    assert (answer.short, answer.stopped) == ("212 kilometres", "answered")
