"""Runs on a Ray cluster: a worker per run, whose journal comes back at checkpoints (extra `cluster`).

Ray starts the processes and tells when one is lost; it repeats nothing (`max_retries=0`), because our journal knows
what was done: a lost run goes on elsewhere from its last checkpoint. Folders and databases that a task names must
be at the same path on every machine.
"""

import asyncio
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crowquill.agent.agent import Agent
from crowquill.agent.events import RunStarted
from crowquill.agent.jobs import Done, Job, Pace, Tell, paced
from crowquill.agent.records import find_run
from crowquill.agent.shipping import pack_run, unpack_run
from crowquill.agent.workspace import Workspace
from crowquill.errors import UserError
from crowquill.memory.rows import digest

CHECKPOINT_SECONDS = 1.0
"""How often a worker sends its journal home while something new is in it; of long ones, a tenth of the time."""
ATTEMPTS = 3
"""How often a run whose worker was lost is begun or gone on with."""
KNOCK_SECONDS = 10.0
"""How long a cluster may take until it accepts a connection."""


@dataclass(frozen=True)
class Cluster:
    """Where to run (None: on a cluster started here), how many runs at once (None: as many as there is room for),
    how many model calls may start in a minute, of all runs, and the processors and GiB that one run is given.
    """

    address: str | None = None
    at_once: int | None = None
    calls_per_minute: float | None = None
    cpus: float = 1.0
    memory: float | None = None

    @property
    def at_once_here(self) -> int:
        """How many runs at once where there is no cluster."""
        return 1 if self.at_once is None else self.at_once

    @property
    def room(self) -> dict[str, float]:
        """What one run takes, as Ray puts it."""
        return {"num_cpus": self.cpus} | ({} if self.memory is None else {"memory": self.memory * 2**30})


class Board(Pace):
    """An actor that all workers share: their checkpoints, and their pace."""

    def __init__(self, calls_per_minute: float | None) -> None:
        super().__init__(calls_per_minute)
        self._checkpoints: dict[str, bytes] = {}

    async def keep(self, name: str, checkpoint: bytes) -> None:
        """Keep a worker's newest checkpoint."""
        self._checkpoints[name] = checkpoint

    async def checkpoint(self, name: str) -> bytes | None:
        """Return the newest checkpoint of a job."""
        return self._checkpoints.get(name)

    async def drop(self, name: str) -> None:
        """Keep nothing of a job that is done."""
        self._checkpoints.pop(name, None)


def run_jobs(
    jobs: Sequence[Job],
    workspace: Workspace,
    *,
    cluster: Cluster,
    tell: Tell,
    keep: Callable[[Done], None] = lambda _: None,
) -> list[Done]:
    """Run jobs on a cluster and collect their journals in the workspace; `keep` is told of each that is done.

    Raises:
        UserError: the extra `cluster` is not installed, there is no cluster at the address, or no room in it.
        KeyboardInterrupt: Ctrl-C, as also what `keep` raises; the runs that had begun can be resumed here.
    """
    ray = connect(cluster.address)
    _check_room(ray, cluster)
    here = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(
        ray.get_runtime_context().get_node_id(), soft=False
    )  # a machine that is lost must not take the checkpoints of the others with it
    board = ray.remote(Board).options(num_cpus=0, max_concurrency=1000, scheduling_strategy=here)
    crew = _Crew(ray, board.remote(cluster.calls_per_minute), workspace, cluster)
    try:
        return crew.work(jobs, tell, keep)
    except BaseException:
        crew.stop()
        raise


class _Crew:
    """The workers of one call, and what becomes of their jobs."""

    def __init__(self, ray: Any, board: Any, workspace: Workspace, cluster: Cluster) -> None:
        self._ray, self._board, self._workspace = ray, board, workspace
        self._start = ray.remote(_work).options(max_retries=0, **cluster.room)
        whole = int(ray.cluster_resources().get("CPU", 1) / cluster.cpus) if cluster.cpus else 1
        self._slots = cluster.at_once if cluster.at_once is not None else max(1, whole)
        self._running: dict[Any, tuple[Job, int]] = {}

    def work(self, jobs: Sequence[Job], tell: Tell, keep: Callable[[Done], None]) -> list[Done]:
        waiting, done = [(job, 1) for job in reversed(jobs)], list[Done]()
        while waiting or self._running:
            while waiting and len(self._running) < self._slots:
                job, attempt = waiting.pop()
                work = self._start.remote(job, self._checkpoint(job), self._board, str(self._workspace.path))
                self._running[work] = (job, attempt)
            for work in self._ray.wait(list(self._running), num_returns=1, timeout=1.0)[0]:
                job, attempt = self._running.pop(work)
                end = self._collect(work, job, attempt)
                if end is None:
                    tell(f"{job.name}: its worker was lost; going on from the last checkpoint")
                    waiting.append((job, attempt + 1))
                else:
                    done.append(end)
                    keep(end)
                    tell(f"{len(done)} of {len(jobs)} done, {len(self._running)} running: {job.name}")
        return done

    def _collect(self, work: Any, job: Job, attempt: int) -> Done | None:
        """Return what a job came to, its run being in the workspace; None when it is to be gone on with."""
        errors = self._ray.exceptions
        try:
            packed, failure = self._ray.get(work), ""
        except errors.RayTaskError as error:
            packed, failure = self._checkpoint(job), str(error.cause)
        except errors.RayError:
            if attempt < ATTEMPTS:
                return None
            packed, failure = self._checkpoint(job), "its worker was lost again and again"
        run_id = None if packed is None else unpack_run(self._workspace.database, packed)
        self._board.drop.remote(job.name)
        return Done(job.name, run_id, attempt, failure)

    def stop(self) -> None:
        """End the workers, and keep what they have sent home."""
        for work in self._running:
            self._ray.cancel(work, force=True)
        for job, _ in self._running.values():
            if (packed := self._checkpoint(job)) is not None:
                unpack_run(self._workspace.database, packed)

    def _checkpoint(self, job: Job) -> bytes | None:
        kept: bytes | None = self._ray.get(self._board.checkpoint.remote(job.name))
        return kept


def connect(address: str | None) -> Any:
    """Return Ray, connected to the cluster at an address, or to one that is started here. Raises UserError."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # nothing calls home
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # else it warns of a change to come
    if address is not None:
        os.environ.setdefault("RAY_NUM_REDIS_GET_RETRIES", "1")  # of 40 s each; else 20, a quarter of an hour
    try:
        import ray as found  # 0.5 s, and an extra
    except ImportError as error:
        raise UserError("the engine ray needs the extra cluster: pip install 'crowquill[cluster]'") from error
    ray: Any = found  # it has types only where it is installed
    if not ray.is_initialized():
        dashboard = None if address else False
        try:
            if address is not None:
                _knock(address)
            ray.init(address, include_dashboard=dashboard, log_to_driver=False, logging_level="ERROR")
        except Exception as error:  # Ray raises a bare one where it does not start in time
            where = "Ray cannot be started here" if address is None else f"no Ray cluster at {address}"
            raise UserError(f"{where}: {error}") from error
    return ray


def _knock(address: str) -> None:
    """See that something listens at HOST:PORT: Ray would tell its user of each try. Raises OSError."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdecimal():  # else it is `auto`, or Ray says what is wrong with it
        socket.create_connection((host.strip("[]"), int(port)), KNOCK_SECONDS).close()


def _check_room(ray: Any, cluster: Cluster) -> None:
    """See that a run fits on some machine: Ray would wait for one for ever. Raises UserError."""
    names = {"num_cpus": "CPU", "memory": "memory"}
    machines = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    if not any(
        all(machine.get(names[kind], 0) >= need for kind, need in cluster.room.items()) for machine in machines
    ):
        raise UserError("no machine of the cluster has the processors or the memory that one run shall have")


def place_of(home: str, name: str) -> Path:
    """Return where a worker works on a job: the same at every attempt, as the settings of a run may name it."""
    return Path(tempfile.gettempdir()) / f"crowquill-{digest(f'{home} {name}')[:16]}"


def _work(job: Job, checkpoint: bytes | None, board: Any, home: str) -> bytes:
    """Run a job in a workspace of its own, on whatever machine this is, and return its journal."""
    place = place_of(home, job.name)
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
    courier = _Courier(job.name, board, workspace)
    if checkpoint is not None:
        courier.run_id = unpack_run(workspace.database, checkpoint)
        if workspace.database.read_now(lambda connection: find_run(connection, courier.run_id)).ended:
            return checkpoint  # it was lost on the way home
    agent = job.make_agent(workspace)
    _check_reads_only(agent)
    agent.models = paced(agent.models, board.turn.remote)
    travel = asyncio.create_task(courier.travel())
    try:
        async for event in agent.resume(courier.run_id) if courier.run_id else agent.stream(job.objective):
            if isinstance(event, RunStarted):
                courier.run_id = event.run_id
            courier.news.set()
    finally:
        travel.cancel()
        with suppress(asyncio.CancelledError):
            await travel
    packed = await pack_run(workspace.database, courier.run_id)
    await agent.close()
    return packed


def _check_reads_only(agent: Agent) -> None:
    if agent.config.allow_write or any(spec.access != "read" for spec in agent.config.tools):
        raise UserError(
            "a run that may change something cannot go on a cluster: what a lost worker did would not be known"
        )


class _Courier:
    """Sends a run's journal home while there is news."""

    def __init__(self, name: str, board: Any, workspace: Workspace) -> None:
        self.run_id = ""
        self.news = asyncio.Event()
        self._name, self._board, self._database = name, board, workspace.database

    async def travel(self) -> None:
        while True:
            await self.news.wait()
            self.news.clear()
            if self.run_id:
                began = time.monotonic()
                await self._board.keep.remote(self._name, await pack_run(self._database, self.run_id))
                await asyncio.sleep(max(CHECKPOINT_SECONDS, 9 * (time.monotonic() - began)))
