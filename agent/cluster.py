"""Task files on a Ray cluster: a worker per run, whose journal comes back at checkpoints (extra `cluster`).

Ray starts the processes and tells when one is lost; it repeats nothing (`max_retries=0`), because our journal knows
what was done: a lost run goes on elsewhere from its last checkpoint. Folders and databases that a task names must
be at the same path on every machine.
"""

import asyncio
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crowquill.agent.agent import Agent
from crowquill.agent.events import RunFinished, RunStarted
from crowquill.agent.models.base import Model, Rehearsed, Reply, Request
from crowquill.agent.shipping import pack_run, unpack_run
from crowquill.agent.workspace import Workspace
from crowquill.errors import UserError
from crowquill.memory.rows import digest

CHECKPOINT_SECONDS = 1.0
"""How often a worker sends its journal home while something new is in it."""
ATTEMPTS = 3
"""How often a run whose worker was lost is begun or gone on with."""

MakeAgent = Callable[[Workspace], Agent]


@dataclass(frozen=True)
class Job:
    """One run: its name, its objective, and what makes its agent in a given workspace on any machine."""

    name: str
    objective: str
    make_agent: MakeAgent


@dataclass(frozen=True)
class Cluster:
    """Where to run (None: on a cluster started here), how many runs at once (None: as many as there are
    processors), and how many model calls may start in a minute, of all runs.
    """

    address: str | None = None
    at_once: int | None = None
    calls_per_minute: float | None = None


@dataclass(frozen=True)
class Done:
    """What became of a job: the run in the driver's workspace, how often it was begun, and why it failed."""

    name: str
    run_id: str | None
    attempts: int
    failure: str = ""


class Board:
    """An actor that all workers share: their checkpoints, and how many model calls may start in a minute."""

    def __init__(self, calls_per_minute: float | None) -> None:
        self._checkpoints: dict[str, bytes] = {}
        self._pids: dict[str, int] = {}
        self._pause = 0.0 if calls_per_minute is None else 60.0 / calls_per_minute
        self._next = 0.0

    async def keep(self, name: str, checkpoint: bytes) -> None:
        """Keep a worker's newest checkpoint."""
        self._checkpoints[name] = checkpoint

    async def begin(self, name: str, pid: int) -> None:
        """Note which process works on a job."""
        self._pids[name] = pid

    async def checkpoint(self, name: str) -> bytes | None:
        """Return the newest checkpoint of a job."""
        return self._checkpoints.get(name)

    async def pids(self) -> dict[str, int]:
        """Return the processes that have worked on each job last."""
        return self._pids

    async def turn(self) -> float:
        """Return the seconds to wait before a model may be called."""
        now = time.monotonic()
        self._next = max(self._next + self._pause, now)
        return self._next - now


class _Queued:
    """A model whose calls wait for their turn among all workers."""

    def __init__(self, model: Model, board: Any) -> None:
        self._model = model
        self._board = board
        self.name, self.slots, self.context_tokens = model.name, model.slots, model.context_tokens

    async def complete(self, request: Request) -> Reply:
        await asyncio.sleep(await self._board.turn.remote())
        return await self._model.complete(request)

    def skip(self, request: Request, text: str) -> None:
        if isinstance(self._model, Rehearsed):
            self._model.skip(request, text)

    async def warm(self) -> None:
        await self._model.warm()

    async def close(self) -> None:
        await self._model.close()


def run_jobs(
    jobs: Sequence[Job],
    workspace: Workspace,
    *,
    cluster: Cluster,
    tell: Callable[[str], None],
) -> list[Done]:
    """Run jobs on a cluster and collect their journals in the workspace.

    Raises:
        UserError: the extra `cluster` is not installed, or there is no cluster at the address.
    """
    ray = _connect(cluster.address)
    board = (
        ray.remote(Board)
        .options(num_cpus=0, max_concurrency=1000, name=f"crowquill-{secrets.token_hex(4)}")
        .remote(cluster.calls_per_minute)
    )
    work = ray.remote(_work).options(num_cpus=1, max_retries=0)
    waiting, running = [(job, 1) for job in reversed(jobs)], dict[Any, tuple[Job, int]]()
    done: list[Done] = []
    slots = cluster.at_once if cluster.at_once is not None else max(1, int(ray.cluster_resources().get("CPU", 1)))
    while waiting or running:
        while waiting and len(running) < slots:
            job, attempt = waiting.pop()
            checkpoint = ray.get(board.checkpoint.remote(job.name))
            running[work.remote(job, checkpoint, board, str(workspace.path))] = (job, attempt)
        finished, _ = ray.wait(list(running), num_returns=1, timeout=1.0)
        for ref in finished:
            job, attempt = running.pop(ref)
            try:
                done.append(Done(job.name, unpack_run(workspace.database, ray.get(ref)), attempt))
            except ray.exceptions.RayError as error:
                lost = not isinstance(error, ray.exceptions.RayTaskError)
                if lost and attempt < ATTEMPTS:
                    tell(f"{job.name}: its worker was lost; going on from the last checkpoint")
                    waiting.append((job, attempt + 1))
                    continue
                checkpoint = ray.get(board.checkpoint.remote(job.name))
                run_id = None if checkpoint is None else unpack_run(workspace.database, checkpoint)  # to be resumed
                why = "its worker was lost again and again" if lost else str(error.cause)
                done.append(Done(job.name, run_id, attempt, why))
            tell(f"{len(done)} of {len(jobs)} done, {len(running)} running: {job.name}")
    return done


def _connect(address: str | None) -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing calls home
    try:
        import ray  # 0.5 s, and an extra
    except ImportError as error:
        raise UserError("the engine ray needs the extra cluster: pip install 'crowquill[cluster]'") from error
    if not ray.is_initialized():
        try:
            ray.init(address=address, include_dashboard=None if address else False, log_to_driver=False)
        except (ConnectionError, ValueError, RuntimeError) as error:
            raise UserError(f"no Ray cluster at {address}: {error}") from error
    return ray


def _work(job: Job, checkpoint: bytes | None, board: Any, home: str) -> bytes:
    """Run a job in a workspace of its own, on whatever machine this is, and return its journal."""
    # the same path at every attempt, as the settings of a run may name it
    place = Path(tempfile.gettempdir()) / f"crowquill-{digest(f'{home} {job.name}')[:16]}"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(mode=0o700)
    try:
        for shared in ("corpora", "pocket"):
            if (Path(home) / shared).is_dir():
                (place / shared).symlink_to(Path(home) / shared)
        return asyncio.run(_run(job, checkpoint, board, Workspace(place)))
    finally:
        shutil.rmtree(place, ignore_errors=True)


async def _run(job: Job, checkpoint: bytes | None, board: Any, workspace: Workspace) -> bytes:
    await board.begin.remote(job.name, os.getpid())
    run_id = None if checkpoint is None else unpack_run(workspace.database, checkpoint)
    agent = job.make_agent(workspace)
    agent.models = {role: _Queued(model, board) for role, model in agent.models.items()}
    sent = 0.0
    events = agent.stream(job.objective) if run_id is None else agent.resume(run_id)
    async for event in events:
        if isinstance(event, RunStarted):
            run_id = event.run_id
        if (
            run_id is not None
            and time.monotonic() - sent >= CHECKPOINT_SECONDS
            and not isinstance(event, RunFinished)
        ):
            await board.keep.remote(job.name, await pack_run(workspace.database, run_id))
            sent = time.monotonic()
    assert run_id is not None
    await agent.close()
    return await pack_run(workspace.database, run_id)
