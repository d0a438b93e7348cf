"""Runs on a local Ray cluster: when a worker is killed, its run goes on from the journal that it sent home."""

import importlib.util
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from crowquill.agent.agent import run_in_thread
from crowquill.agent.cluster import Cluster, Job, run_jobs
from crowquill.agent.replay import replay
from crowquill.agent.shipping import pack_run, unpack_run
from crowquill.agent.tape import load_effects, load_events
from crowquill.agent.tasking import Wishes, task_agent
from crowquill.agent.workspace import Workspace
from crowquill.memory.embed import HashingEmbedder
from crowquill.tasks.load import load_task_file

needs_ray = [
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="needs the extra cluster: pip install ray"),
    pytest.mark.filterwarnings("default"),
]
STEPS = 8


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


@pytest.fixture
def cluster() -> Iterator[Any]:
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    import ray  # pyright: ignore[reportMissingImports]  # an extra

    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    yield ray
    ray.shutdown()


class TestOnRay:
    pytestmark = needs_ray

    def test_a_killed_worker_costs_nothing_but_time(self, tmp_path: Path, cluster: Any) -> None:
        paths = [task(tmp_path, "killed", 0.7), task(tmp_path, "spared", 0.1)]
        jobs = [Job(p.stem, "What is 0 and 0?", partial(task_agent, load_task_file(p), Wishes())) for p in paths]
        workspace = Workspace(tmp_path / "w", embedder=HashingEmbedder())
        told: list[str] = []
        killed_at: list[float] = []

        def kill() -> None:
            while not killed_at:
                time.sleep(0.2)
                for actor in cluster.util.list_named_actors():
                    board = cluster.get_actor(actor)
                    kept = cluster.get(board.checkpoint.remote("killed"))
                    if (
                        kept is not None
                        and len(kept) > 0
                        and (pid := cluster.get(board.pids.remote()).get("killed"))
                    ):
                        time.sleep(2.0)  # some steps more
                        os.kill(pid, signal.SIGKILL)
                        killed_at.append(time.time())

        killer = threading.Thread(target=kill, daemon=True)
        killer.start()
        settings = Cluster(at_once=2, calls_per_minute=600)
        done = {end.name: end for end in run_jobs(jobs, workspace, cluster=settings, tell=told.append)}
        assert (done["killed"].attempts, done["spared"].attempts) == (2, 1)
        assert any("its worker was lost; going on from the last checkpoint" in line for line in told)
        for end in done.values():
            assert end.run_id is not None
            assert run_in_thread(replay(workspace, end.run_id, strict=True)) > STEPS
        run_id = done["killed"].run_id
        assert run_id is not None
        effects = workspace.database.read_now(lambda c: load_effects(c, run_id, workspace.blobs))
        assert sum(key.kind == "model" for key in effects) == STEPS + 2  # nothing was asked twice
        events = workspace.database.read_now(lambda c: load_events(c, run_id, workspace.blobs))
        began = [time.mktime(time.strptime(entry.at[:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone for entry in events]
        assert min(began) < killed_at[0] < max(began)
        workspace.close()

    def test_the_command_runs_a_folder(self, tmp_path: Path) -> None:
        folder = tmp_path / "tasks"
        folder.mkdir()
        for name in ("one", "two", "three"):
            task(folder, name, 0.0)
        command = [sys.executable, "-m", "crowquill", "run", str(folder), "--engine", "ray", "--json"]
        done = subprocess.run([*command, "--workspace", str(tmp_path / "w")], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert sorted(Path(json.loads(line)["task"]).stem for line in done.stdout.splitlines()) == [
            "one",
            "three",
            "two",
        ]
        assert "3 of 3 done" in done.stderr

    def test_an_evaluation_is_spread_over_it(self, tmp_path: Path) -> None:
        path = task(tmp_path, "one", 0.0)
        command = [sys.executable, "-m", "crowquill", "eval", str(path), "-k", "2", "--engine", "ray", "--json"]
        done = subprocess.run([*command, "--workspace", str(tmp_path / "w")], capture_output=True, text=True)
        assert done.returncode in (0, 6), done.stderr
        figures = json.loads(done.stdout)
        assert figures["runs"] == 2
        assert len(set(figures["tasks"][0]["run_ids"])) == 2
