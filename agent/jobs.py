"""Several runs as one piece of work: on this machine, one loop for all; on a cluster see `agent.cluster`."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass

from crowquill.agent.agent import Agent
from crowquill.agent.events import RunStarted
from crowquill.agent.models.base import Connected, Model, Rehearsed, Reply, Request, Role, Streams
from crowquill.agent.workspace import Workspace
from crowquill.errors import CrowquillError

MakeAgent = Callable[[Workspace], Agent]
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Job:
    """One run: its name, its objective, and what makes its agent in a given workspace, on any machine."""

    name: str
    objective: str
    make_agent: MakeAgent


@dataclass(frozen=True)
class Done:
    """What became of a job: the run in the driver's workspace, how often it was begun, and why it failed."""

    name: str
    run_id: str | None
    attempts: int
    failure: str = ""


class Pace:
    """Spreads model calls over time: so many may start in a minute, of all runs together; None: any number."""

    def __init__(self, calls_per_minute: float | None) -> None:
        self._pause = 0.0 if calls_per_minute is None else 60.0 / calls_per_minute
        self._next = 0.0

    async def turn(self) -> float:
        """Return the seconds to wait before a model may be called."""
        now = time.monotonic()
        self._next = max(self._next + self._pause, now)
        return self._next - now


class Paced:
    """A model whose calls wait for their turn."""

    def __init__(self, model: Model, turn: Callable[[], Awaitable[float]]) -> None:
        self._model = model
        self._turn = turn
        self.name, self.slots, self.context_tokens = model.name, model.slots, model.context_tokens

    async def complete(self, request: Request) -> Reply:
        """Wait, and call the model."""
        await asyncio.sleep(await self._turn())
        return await self._model.complete(request)

    async def complete_streaming(self, request: Request, listener: Callable[[str], None]) -> Reply:
        """Wait, and call the model; it is listened to if it can be."""
        if not isinstance(self._model, Streams):
            return await self.complete(request)
        await asyncio.sleep(await self._turn())
        return await self._model.complete_streaming(request, listener)

    def keep_connected(self) -> AbstractAsyncContextManager[None]:
        """Return what keeps the model's connections open (see `Connected`)."""
        return self._model.keep_connected() if isinstance(self._model, Connected) else nullcontext()

    def skip(self, request: Request, text: str) -> None:
        """Pass over a reply that a scripted model has given before (see `Rehearsed`)."""
        if isinstance(self._model, Rehearsed):
            self._model.skip(request, text)

    async def warm(self) -> None:
        """Load what the first call needs."""
        await self._model.warm()

    async def close(self) -> None:
        """Release the model."""
        await self._model.close()


def paced(models: Mapping[Role, Model], turn: Callable[[], Awaitable[float]]) -> dict[Role, Model]:
    """Return models that wait for their turn."""
    return {role: Paced(model, turn) for role, model in models.items()}


async def run_together(
    jobs: Sequence[Job], workspace: Workspace, *, at_once: int, pace: Pace, tell: Tell
) -> list[Done]:
    """Run jobs in this process, so many at once, and return what became of them in the order in which they end.

    A run that fails takes no other with it. When this is cancelled, the runs under way can be resumed.
    """
    slots, done = asyncio.Semaphore(at_once), list[Done]()

    async def work(job: Job) -> None:
        async with slots:
            done.append(await _run(job, workspace, pace))
            tell(f"{len(done)} of {len(jobs)} done: {job.name}")

    async with asyncio.TaskGroup() as group:
        for job in jobs:
            group.create_task(work(job))
    return done


async def _run(job: Job, workspace: Workspace, pace: Pace) -> Done:
    run_id = None
    try:
        agent = job.make_agent(workspace)
        agent.models = paced(agent.models, pace.turn)
        async for event in agent.stream(job.objective):
            if isinstance(event, RunStarted):
                run_id = event.run_id
    except CrowquillError as error:
        return Done(job.name, run_id, 1, str(error))
    return Done(job.name, run_id, 1)
