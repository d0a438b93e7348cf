"""Drives a run on its journal: live, resumed, forked or replayed, always the same code."""

import asyncio
import secrets
import sqlite3
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast

from crowquill.agent.answer import Answer, Reward, Stop
from crowquill.agent.approvals import Approver
from crowquill.agent.config import RunConfig
from crowquill.agent.events import Event, EvidenceFound, ModelCalled, Progress, Recorded, RunFinished
from crowquill.agent.fork import Fork
from crowquill.agent.gate import Gate
from crowquill.agent.journal import Alongside, Journal
from crowquill.agent.lane import Services
from crowquill.agent.learning import learn
from crowquill.agent.models.base import Connected, Model, Role, Usage
from crowquill.agent.prompting import Instruction
from crowquill.agent.recall import JournaledRecall
from crowquill.agent.records import BEAT_SECONDS
from crowquill.agent.run import Run
from crowquill.agent.steering import Steering
from crowquill.agent.tape import canonical
from crowquill.agent.workshop import Workshop
from crowquill.agent.workspace import Memory, Workspace
from crowquill.errors import RunPaused, StorageError, UserError
from crowquill.memory.clock import Clock
from crowquill.memory.evidence import Evidence
from crowquill.memory.evidence_json import encode
from crowquill.memory.record import Origin
from crowquill.memory.store import MemoryStore
from crowquill.tools.context import Json

_END = object()

Publish = Callable[[Recorded | Progress], None]


@dataclass
class _SoFar:
    """What a run has come to so far, for a run that is parked: evidence and usage, out of its events."""

    evidence: dict[str, Evidence] = field(default_factory=dict)
    usage: Usage = field(default_factory=Usage)

    def note(self, event: Event) -> None:
        if isinstance(event, EvidenceFound):
            self.evidence[event.evidence.id] = event.evidence
        elif isinstance(event, ModelCalled):
            self.usage += event.usage


@dataclass(frozen=True)
class Driver:
    """Executes runs with given settings and models."""

    config: RunConfig
    models: Mapping[Role, Model]
    workspace: Workspace
    clock: Clock
    approver: Approver | None = None
    watched: bool = False

    async def drive(
        self,
        journal: Journal,
        objective: str,
        workshop: Workshop,
        *,
        fork: Fork | None = None,
        strict: bool = False,
        steering: Steering | None = None,
    ) -> AsyncGenerator[Event, None]:
        """Execute a run and yield its events; the workshop is closed. See `Journal.check_complete` for `strict`.

        A run that is parked ends with a `RunFinished`, too, which is not recorded.
        """
        queue: asyncio.Queue[Event | object] = asyncio.Queue()

        def publish(item: Recorded | Progress) -> None:
            queue.put_nowait(item.event if isinstance(item, Recorded) else item)

        async def work() -> None:
            try:
                services = partial(self._services, fork=fork, steering=steering)
                parked = await self._execute(journal, objective, workshop, publish, services, strict=strict)
                if parked is not None:
                    queue.put_nowait(RunFinished(parked, parked.stopped))
            finally:
                queue.put_nowait(_END)

        worker = asyncio.create_task(work())
        try:
            while (item := await queue.get()) is not _END:
                if isinstance(item, RunFinished):
                    await worker  # the journal is closed before anybody hears that the run is over
                yield cast("Event", item)
            await worker
        finally:
            try:
                if not worker.done():
                    worker.cancel()
                    await asyncio.wait([worker])
            finally:
                workshop.close()

    async def _execute(
        self,
        journal: Journal,
        objective: str,
        workshop: Workshop,
        publish: Publish,
        make_services: Callable[[Journal, str, Memory, Publish], Awaitable[Services]],
        *,
        strict: bool,
    ) -> Answer | None:
        """Execute a run and close its record; return what a run that is parked has come to so far, else None."""
        memory = self.workspace.memory()
        ending: tuple[str, Json, str] = ("error", None, "")  # whatever goes wrong, the run does not stay "running"
        so_far, beating = _SoFar(), None

        def noted(item: Recorded | Progress) -> None:
            so_far.note(item.event if isinstance(item, Recorded) else item)
            publish(item)

        try:
            await journal.begin(objective, cast("Json", self.config.to_json()))
            beating = asyncio.create_task(_keep_lease(journal, asyncio.current_task())) if journal.writes else None
            services = await make_services(journal, objective, memory, noted)
            async with AsyncExitStack() as connections:
                for model in self.models.values():
                    if isinstance(model, Connected):
                        await connections.enter_async_context(model.keep_connected())
                answer = await Run(objective, self.config, services, workshop).execute()
            await journal.flush()
            journal.check_complete(strict=strict)
            ending = (answer.stopped, {"short": answer.short, "reward": answer.reward.total}, "")
        except RunPaused as pause:
            ending = ("paused", None, str(pause))
            await journal.flush()
            return self._parked(journal.run_id, objective, str(pause), so_far)
        except asyncio.CancelledError:
            if beating is not None and beating.done() and not beating.cancelled():
                raise UserError(
                    f"run {journal.run_id} was taken over by another process; this one has stopped"
                ) from None
            ending = ("cancelled", None, "")
            raise
        finally:
            try:
                if beating is not None:
                    beating.cancel()
                if journal.writes:
                    journal.finish(*ending)
            finally:
                await memory.close()
        return None

    async def _services(
        self,
        journal: Journal,
        objective: str,
        memory: Memory,
        publish: Publish,
        *,
        fork: Fork | None,
        steering: Steering | None,
    ) -> Services:
        return Services(
            journal=journal,
            models=self.models,
            slots={model.name: asyncio.Semaphore(model.slots) for model in self.models.values()},
            prices=self.config.prices,
            blobs=self.workspace.blobs,
            memory=JournaledRecall(
                journal, memory if self.config.memory else None, self.workspace.blobs, self.config.knowledge
            ),
            clock=self.clock,
            seed=await self._draw_seed(journal),
            started=self.clock.monotonic() - journal.worked,
            publish=publish,
            store=partial(_remember, memory.store, journal, objective),
            learn=partial(learn, memory.store, journal),
            gate=Gate(self.config.safety, self.approver, journal.redactor, self.clock),
            recall=self.config.recall,
            fork=fork,
            steering=steering,
            person=await self._is_there(journal, steering),
            watched=self.watched,
            persona=_persona(self.config),
        )

    async def _is_there(self, journal: Journal, steering: Steering | None) -> bool:
        """Say whether a person can be asked; recorded if so, because prompts say so."""

        async def call() -> Json:
            return True

        live = steering is not None and steering.asker is not None and journal.caught_up
        if live or journal.knows("run", "steer", "present"):
            return cast("bool", await journal.effect("run", "steer", "present", call))
        return False

    async def _draw_seed(self, journal: Journal) -> str:
        async def draw() -> Json:
            return self.workspace.seed() if self.config.cache else secrets.token_hex(8)

        return cast("str", await journal.effect("run", "random", "seed", draw))

    def _parked(self, run_id: str, objective: str, why: str, so_far: _SoFar) -> Answer:
        found = len(so_far.evidence)
        return Answer(
            text=f"Paused: {why}. Evidence found so far: {found}. Go on with: crowquill runs resume {run_id}",
            short="",
            claims=(),
            sources=(),
            reward=Reward(0.0, ()),
            verdict=Stop(why),
            evidence=tuple(so_far.evidence.values()),
            usage=so_far.usage,
            seconds=0.0,
            stopped="paused",
            run_id=run_id,
            objective=objective,
            why=why,
            open=(objective,),
        )


async def _keep_lease(journal: Journal, run: "asyncio.Task[Any] | None") -> None:
    """Say every few seconds that this process works on the run; cancel it when another one has taken it over."""
    held = True
    while held:
        await asyncio.sleep(BEAT_SECONDS)
        with suppress(StorageError):  # a locked or full database is met, and told, by the run itself
            held = await journal.beat()
    if run is not None:
        run.cancel()


def _remember(store: MemoryStore, journal: Journal, objective: str, evidence: Evidence, lane: str) -> Alongside:
    """Return what writes evidence to the memory, unless there is a secret in it."""
    data = encode(evidence)
    kept = [evidence] if canonical(journal.redactor.data(data)) == canonical(data) else []
    question = journal.redactor.text(objective)

    def insert(connection: sqlite3.Connection) -> None:
        store.insert(connection, kept, Origin(journal.run_id, lane, question))

    return insert


def _persona(config: RunConfig) -> Instruction:
    """Return what the prompts say of the agent, and of how long its answer may be."""
    own = "" if config.profile is None else config.profile.persona
    most = config.form.max_words
    lines = (own, f"The whole answer has at most {most} words." if most else "")
    return Instruction("\n".join(filter(None, lines)))
