"""Runs on a local Ray cluster: when a worker is killed, its run goes on from the journal that it sent home."""

import importlib.util
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.support.fake_openai import FakeOpenAI, completion
from typer.testing import CliRunner, Result

from crowquill import Agent, ScriptedModel, tool
from crowquill.agent.agent import run_in_thread
from crowquill.agent.cli.main import app
from crowquill.agent.cluster import ATTEMPTS, CHECKPOINT_SECONDS, Cluster, connect, place_of, run_jobs
from crowquill.agent.events import Acted
from crowquill.agent.jobs import Job, Pace, Paced, paced
from crowquill.agent.models.base import Message, Request
from crowquill.agent.models.openai import OpenAIModel
from crowquill.agent.replay import replay
from crowquill.agent.shipping import pack_run, unpack_run
from crowquill.agent.tape import load_effects, load_events
from crowquill.agent.tasking import Wishes, job, load_cases, task_agent
from crowquill.agent.workspace import Workspace
from crowquill.errors import UserError
from crowquill.memory.embed import HashingEmbedder
from crowquill.tasks.load import load_task_file

needs_ray = [
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="needs the extra cluster: pip install ray"),
    pytest.mark.filterwarnings("default"),
]
STEPS = 8
BRISK = {**os.environ, "RAY_worker_niceness": "0"}
"""Ray gives its workers niceness 15: beside other work they would wait for minutes, and calculations fail."""


def task(folder: Path, name: str, delay: float) -> Path:
    """Write a task that adds again and again, with a model that takes its time."""
    lines = ["replies:", "  - {role: plan, json: {tasks: [{id: a, goal: Add, done_when: '', needs: []}]}}"]
    for number in range(STEPS):
        action = f"{{tool: math, expression: {number}+{number}}}"
        lines.append(f"  - {{role: act, delay: {delay}, json: {{thought: '', action: {action}}}}}")
    claims = "[{text: '0 + 0 = 0', cites: [1]}]"
    lines.append(
        f"  - {{role: act, json: {{thought: '', action: {{tool: answer, short: '0', claims: {claims}}}}}}}"
    )
    (folder / f"{name}.replies").write_text("\n".join(lines) + "\n")
    path = folder / f"{name}.yaml"
    path.write_text(
        f"objective: What is 0 and 0?\nmodel: scripted:{name}.replies\npolicy: json\nexpect: {{short: '0'}}\n"
    )
    return path


def test_a_run_is_carried_to_another_workspace(tmp_path: Path) -> None:
    path = task(tmp_path, "sum", 0.0)
    here, there = (Workspace(tmp_path / name, embedder=HashingEmbedder()) for name in ("here", "there"))
    answer = task_agent(load_task_file(path), Wishes(), here).ask("What is 0 and 0?")
    packed = run_in_thread(pack_run(here.database, answer.run_id))
    for _ in range(2):  # a second time in the place of the first
        assert unpack_run(there.database, packed) == answer.run_id
    assert run_in_thread(replay(there, answer.run_id, strict=True)) > STEPS
    counts = [
        place.database.read_now(lambda c: c.execute("SELECT count(*) FROM sightings").fetchone()[0])
        for place in (here, there)
    ]
    assert counts[0] == counts[1] >= STEPS
    here.close()
    there.close()


def jobs(*paths: Path) -> list[Job]:
    return [job(load_cases(path, {})[0], Wishes(), path.stem) for path in paths]


def run_command(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run `crowquill …` in a workspace of its own, for five minutes at most."""
    command = [sys.executable, "-m", "crowquill", *words, "--workspace", str(folder / "w")]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, env=BRISK)


def three(folder: Path, delay: float) -> Path:
    """Make a folder of three tasks."""
    tasks = folder / "tasks"
    tasks.mkdir()
    for name in ("one", "two", "three"):
        task(tasks, name, delay)
    return tasks


def answered(output: str) -> list[str]:
    """Return the names of the tasks that were answered, out of `--json`."""
    results = [json.loads(line) for line in output.splitlines()]
    assert all(result["stopped"] == "answered" and result["failed"] == [] for result in results)
    return sorted(Path(result["task"]).stem for result in results)


def run_here(folder: Path, *words: str) -> Result:
    """Do what `run_command` does, in this process."""
    return CliRunner().invoke(app, [*words, "--workspace", str(folder / "w")])


def test_several_runs_at_once_on_this_machine(tmp_path: Path) -> None:
    done = run_here(tmp_path, "run", str(three(tmp_path, 0.5)), "--at-once", "3", "--json")
    assert done.exit_code == 0, done.stderr
    assert answered(done.stdout) == ["one", "three", "two"]
    assert "3 of 3 done" in done.stderr
    workspace = Workspace(tmp_path / "w")
    begun, ended = workspace.database.read_now(
        lambda c: c.execute("SELECT max(created_at), min(finished_at) FROM runs").fetchone()
    )
    assert begun < ended  # the last has begun before the first has ended
    workspace.close()


def test_a_run_that_fails_takes_no_other_with_it(tmp_path: Path) -> None:
    tasks = three(tmp_path, 0.0)
    (tasks / "broken.yaml").write_text("objective: What?\nmodel: scripted:none.replies\n")
    done = run_here(tmp_path, "run", str(tasks), "--at-once", "2", "--json")
    assert (done.exit_code, answered(done.stdout)) == (1, ["one", "three", "two"]), done.stderr


@pytest.mark.parametrize("command", ["run", "eval"])
@pytest.mark.parametrize(
    "words", [["--address", "127.0.0.1:9"], ["--cpus-per-run", "1"], ["--memory-per-run", "2"]]
)
def test_options_of_a_cluster_want_one(tmp_path: Path, command: str, words: list[str]) -> None:
    path = task(tmp_path, "one", 0.0)
    end = run_here(tmp_path, command, str(path), *words)
    assert isinstance(end.exception, UserError)
    assert str(end.exception) == f"{words[0]} would do nothing here: add --engine ray"
    assert not (tmp_path / "w").exists()


async def test_model_calls_keep_their_pace() -> None:
    pace = Pace(600.0)
    waits = [await pace.turn() for _ in range(5)]
    assert [round(wait, 1) for wait in waits] == [0.0, 0.1, 0.2, 0.3, 0.4]
    assert [round(await Pace(None).turn(), 1) for _ in range(2)] == [0.0, 0.0]


async def test_a_model_that_waits_for_its_turn_is_heard_and_stays_connected() -> None:
    heard, turns = list[str](), list[int]()

    async def turn() -> float:
        turns.append(len(turns))
        return 0.0

    with FakeOpenAI() as server:
        server.script(completion("one"), completion("two"), completion("three"))
        models = paced({"act": OpenAIModel("any", base_url=server.url), "write": ScriptedModel([])}, turn)
        model = models["act"]
        assert isinstance(model, Paced)
        request = Request("act", (Message("user", "count"),), max_tokens=5)
        async with model.keep_connected(), Paced(ScriptedModel([]), turn).keep_connected():
            replies = [await model.complete(request), await model.complete_streaming(request, heard.append)]
        assert ([reply.text for reply in replies], turns) == (["one", "two"], [0, 1])


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    os.environ |= BRISK
    ray = connect(None)
    yield ray
    ray.shutdown()


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    made = Workspace(tmp_path / "w", embedder=HashingEmbedder())
    yield made
    made.close()


class Killer(threading.Thread):
    """Kills the worker of a job once, when it has sent several steps home."""

    def __init__(self, workspace: Workspace, name: str) -> None:
        super().__init__(daemon=True)
        self.at = ""
        self._journal = place_of(str(workspace.path), name) / "crowquill.db"

    def run(self) -> None:
        end = time.monotonic() + 180
        query = "SELECT pid, (SELECT count(*) FROM effects WHERE kind='model' AND status='done') FROM runs"
        while not self.at and time.monotonic() < end:
            time.sleep(0.1)
            with (
                suppress(sqlite3.Error),
                closing(sqlite3.connect(f"{self._journal.as_uri()}?mode=ro", uri=True)) as at,
            ):
                for pid, replies in at.execute(query).fetchall():
                    if replies >= 4:
                        time.sleep(2.5 * CHECKPOINT_SECONDS)
                        self.at = datetime.now(UTC).isoformat()
                        os.kill(pid, signal.SIGKILL)


class TestOnRay:
    pytestmark = needs_ray

    def test_a_killed_worker_costs_nothing_but_time(
        self, tmp_path: Path, workspace: Workspace, cluster: Any
    ) -> None:
        killer, told = Killer(workspace, "killed"), list[str]()
        killer.start()
        work = jobs(task(tmp_path, "killed", 1.5), task(tmp_path, "spared", 0.1))
        settings = Cluster(at_once=2, calls_per_minute=600, cpus=0.5)
        done = {end.name: end for end in run_jobs(work, workspace, cluster=settings, tell=told.append)}
        assert (done["killed"].attempts, done["spared"].attempts) == (2, 1)
        assert "killed: its worker was lost; going on from the last checkpoint" in told
        for end in done.values():
            assert (end.failure, end.run_id is None) == ("", False)
            assert run_in_thread(replay(workspace, str(end.run_id), strict=True)) > STEPS
        run_id = str(done["killed"].run_id)
        effects = workspace.database.read_now(lambda c: load_effects(c, run_id, workspace.blobs))
        assert sum(key.kind == "model" for key in effects) == STEPS + 2  # nothing is recorded twice
        events = workspace.database.read_now(lambda c: load_events(c, run_id, workspace.blobs))
        before = [entry for entry in events if entry.at < killer.at]
        assert sum(isinstance(entry.event, Acted) for entry in before) >= 3  # it did not begin anew
        assert len(before) < len(events)

    def test_a_worker_that_is_always_lost_is_given_up(
        self, tmp_path: Path, workspace: Workspace, cluster: Any
    ) -> None:
        (end,) = run_jobs([Job("lost", "?", die)], workspace, cluster=Cluster(cpus=0.5), tell=lambda line: None)
        assert (end.attempts, end.run_id, end.failure) == (ATTEMPTS, None, "its worker was lost again and again")

    def test_what_changes_something_is_refused(self, tmp_path: Path, workspace: Workspace, cluster: Any) -> None:
        (end,) = run_jobs(
            [Job("writes", "?", writing)], workspace, cluster=Cluster(cpus=0.5), tell=lambda line: None
        )
        assert "may change something" in end.failure

    def test_too_much_is_said_at_once(self, workspace: Workspace, cluster: Any) -> None:
        for settings in (Cluster(cpus=1000), Cluster(memory=1e6)):
            with pytest.raises(UserError, match="no machine of the cluster"):
                run_jobs([], workspace, cluster=settings, tell=lambda line: None)

    def test_nothing_calls_home(self, cluster: Any) -> None:
        seen = cluster.remote(lambda: os.environ["RAY_USAGE_STATS_ENABLED"]).options(num_cpus=0.1).remote()
        assert cluster.get(seen, timeout=180) == "0"

    def test_the_command_runs_a_folder(self, tmp_path: Path) -> None:
        folder = tmp_path / "answers"
        folder.mkdir()
        words = ["run", str(three(tmp_path, 0.0)), "--engine", "ray", "--output", str(folder)]
        done = run_command(tmp_path, *words)
        assert done.returncode == 0, done.stderr
        assert sorted(path.name for path in folder.iterdir()) == ["one.txt", "three.txt", "two.txt"]
        assert "3 of 3 done" in done.stderr
        assert "WARNING" not in done.stderr

    def test_ctrl_c_keeps_what_was_sent_home(self, tmp_path: Path) -> None:
        words = ["run", str(task(tmp_path, "long", 2.0)), "--engine", "ray", "--workspace", str(tmp_path / "w")]
        command = subprocess.Popen(
            [sys.executable, "-m", "crowquill", *words], stderr=subprocess.PIPE, text=True, env=BRISK
        )
        journal = place_of(str(tmp_path / "w"), str(tmp_path / "long.yaml")) / "crowquill.db"
        end = time.monotonic() + 180
        while not journal.exists() and time.monotonic() < end:
            time.sleep(0.1)
        time.sleep(4 * CHECKPOINT_SECONDS)
        command.send_signal(signal.SIGINT)
        _, said = command.communicate(timeout=120)
        assert (command.returncode, "Traceback" in said) == (130, False), said
        assert "crowquill runs resume" in said
        resumed = run_command(tmp_path, "runs", "resume", "last", "--quiet", "--json")
        assert (resumed.returncode, json.loads(resumed.stdout)["stopped"]) == (0, "answered"), resumed.stderr

    def test_an_evaluation_is_spread_over_it(self, tmp_path: Path) -> None:
        done = run_command(
            tmp_path, "eval", str(task(tmp_path, "one", 0.0)), "-k", "2", "--engine", "ray", "--json"
        )
        assert done.returncode == 0, done.stderr
        figures = json.loads(done.stdout)
        assert figures["runs"] == 2
        assert len(set(figures["tasks"][0]["run_ids"])) == 2

    def test_a_cluster_that_is_not_there_is_one_line(self, tmp_path: Path) -> None:
        done = run_command(
            tmp_path, "run", str(task(tmp_path, "one", 0.0)), "--engine", "ray", "--address", "127.0.0.1:9"
        )
        assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), done.stderr
        assert "no Ray cluster at 127.0.0.1:9" in done.stderr


def die(workspace: Workspace) -> Agent:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def writing(workspace: Workspace) -> Agent:
    @tool(access="write")
    def post(text: str) -> str:
        """Post a text."""
        return text

    return Agent(model=ScriptedModel([]), tools=[post], allow=["post"], workspace=workspace)
