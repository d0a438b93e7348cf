"""The facade: configuration of an agent, and the doors to a run (`ask`, `answer`, `stream`)."""

import asyncio
import json
import secrets
import sqlite3
import threading
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping, Sequence
from concurrent.futures import Future
from contextlib import aclosing, suppress
from copy import copy
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, cast

from crowquill.agent.answer import Answer
from crowquill.agent.budget import Budget, Price
from crowquill.agent.config import PARTS, ROLES, Part, PolicyName, RunConfig
from crowquill.agent.events import Event, Progress, Recorded, RunFinished
from crowquill.agent.journal import Alongside, Journal, canonical
from crowquill.agent.lane import Services
from crowquill.agent.models.base import Model, Role
from crowquill.agent.models.resolve import default_policy, resolve
from crowquill.agent.recall import JournaledRecall
from crowquill.agent.records import find_run
from crowquill.agent.redact import Redactor
from crowquill.agent.run import Run
from crowquill.agent.workshop import Workshop
from crowquill.agent.workspace import Workspace, find_workspace
from crowquill.errors import UserError
from crowquill.memory.clock import Clock, SystemClock
from crowquill.memory.evidence import Evidence, Table
from crowquill.memory.evidence_json import encode
from crowquill.memory.store import MemoryStore
from crowquill.tools.context import Json
from crowquill.tools.tool import Tool

T = TypeVar("T")
_END = object()
_TURNS = 3
"""Earlier questions that a follow-up may refer to."""


class Agent:
    """A research agent whose answers can be checked.

    Args:
        model: a model's spelling (`local`, `openai:gpt-5-mini`, `http://host:port/v1#name`,
            `scripted:file.yaml`) or a `Model`.
        models: other models for single roles (plan, act, write, judge).
        policy: `guided` for models of 1–3 billion parameters, `json` for larger ones; by the model when None.
        corpora: names of indexed folders (`crowquill index`), or `pocket` for the shipped pages.
        databases: SQLite or DuckDB files, or URLs (`postgresql://…`), each also as `name=URL`; `pocket` is the shop
            shipped with Crowquill.
        data: CSV, TSV, Parquet, JSON, JSON Lines and Excel files, or folders of them; together one database.
        tools: more tools, made with `crowquill.tool`.
        web: allow live search and fetching.
        memory: use and keep evidence of earlier runs in the workspace.
        allow_hosts: private or loopback hosts (`127.0.0.1:8080`) that may be fetched.
        prices: dollars per million tokens, by the model's spelling; a dollar budget needs them.
        without: parts of the guided recipe to leave out, to measure what each is worth; see `config.Part`.
        workspace: where journal and memory are kept; see `find_workspace`.
    """

    def __init__(
        self,
        *,
        model: str | Model = "local",
        models: Mapping[Role, str | Model] | None = None,
        policy: PolicyName | None = None,
        budget: Budget | None = None,
        corpora: Sequence[str] = (),
        databases: Sequence[str] = (),
        data: Sequence[str | Path] = (),
        tools: Sequence[Tool] = (),
        web: bool = False,
        memory: bool = True,
        allow_hosts: Sequence[str] = (),
        prices: Mapping[str, Price] | None = None,
        without: Sequence[Part] = (),
        workspace: Path | Workspace | None = None,
        clock: Clock | None = None,
    ) -> None:
        if unknown := sorted(set(without) - set(PARTS)):
            raise UserError(f"no part {unknown[0]!r} of the recipe; there are {', '.join(PARTS)}")
        default = resolve(model) if isinstance(model, str) else model
        overrides = {} if models is None else models
        self.models: dict[Role, Model] = dict.fromkeys(ROLES, default)
        for role, override in overrides.items():
            self.models[role] = resolve(override) if isinstance(override, str) else override
        self.workspace = workspace if isinstance(workspace, Workspace) else Workspace(find_workspace(workspace))
        self.tools = tuple(tools)
        self.clock: Clock = SystemClock() if clock is None else clock
        self.config = RunConfig(
            models={role: model.name for role, model in self.models.items()},
            policy=default_policy(self.models["act"].name) if policy is None else policy,
            budget=(Budget() if budget is None else budget).checked(),
            corpora=tuple(corpora),
            databases=tuple(self.workspace.database_url(spec) for spec in databases),
            data=tuple(str(Path(path).expanduser().absolute()) for path in data),
            web=web,
            memory=memory,
            allow_hosts=tuple(allow_hosts),
            prices={} if prices is None else dict(prices),
            without=tuple(without),
            tools=tuple(entry.name for entry in self.tools),
        )

    @classmethod
    def from_config(
        cls,
        config: RunConfig,
        models: Mapping[Role, Model],
        *,
        workspace: Workspace,
        clock: Clock | None = None,
    ) -> "Agent":
        """Make an agent with the settings of a recorded run."""
        agent = cls(
            model=models["act"],
            models=models,
            policy=config.policy,
            budget=config.budget,
            corpora=config.corpora,
            databases=config.databases,
            data=config.data,
            web=config.web,
            memory=config.memory,
            allow_hosts=config.allow_hosts,
            prices=config.prices,
            without=config.without,
            workspace=workspace,
            clock=clock,
        )
        agent.config = replace(agent.config, earlier=config.earlier)
        return agent

    def following(self, answer: Answer) -> "Agent":
        """Return an agent whose next question refines that answer's query, as in "but with sales before"."""
        queries = [(answer.objective, item.sql) for item in answer.evidence if isinstance(item, Table)]
        agent = copy(self)
        agent.config = replace(self.config, earlier=(*self.config.earlier, *queries[-1:])[-_TURNS:])
        return agent

    def ask(self, objective: str) -> Answer:
        """Answer an objective; blocks. Works inside a running event loop, too: it uses a thread of its own.

        Raises:
            UserError: a setting cannot be used (no such corpus, database, model).
            StorageError: the workspace cannot be written.
        """
        return run_in_thread(self.answer(objective))

    async def answer(self, objective: str) -> Answer:
        """Answer an objective. Raises as `ask`."""
        async with aclosing(self.stream(objective)) as events:
            async for event in events:
                if isinstance(event, RunFinished):
                    return event.answer
        raise AssertionError("a run ends with RunFinished or an exception")

    async def stream(self, objective: str) -> AsyncGenerator[Event, None]:
        """Yield the events of a run as they happen; the last is `RunFinished`. Raises as `ask`."""
        if not objective.strip():
            raise UserError('there is no question: give one, as in: crowquill ask "How long is the Danube?"')
        run_id = f"{self.clock.now():%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
        journal = Journal(self.workspace.database, run_id, clock=self.clock, redactor=Redactor())
        async with aclosing(self._go(journal, objective)) as events:
            async for event in events:
                yield event

    async def resume(self, run_id: str) -> AsyncGenerator[Event, None]:
        """Go on with a run that was killed or cancelled, and yield its events, those recorded before first.

        Nothing is done again but what was under way when the run was left.

        Raises:
            UserError: there is no such run, a process works on it, it came to its own end, or this agent has other
                settings or tools than the run was begun with.
            ReplayMismatch: this version of the program would not have come to where the run was left.
        """
        record = await self.workspace.database.read(lambda connection: find_run(connection, run_id))
        redactor = Redactor()
        before = RunConfig.from_json(json.loads(record.config)).to_json()
        now = redactor.data(self.config.to_json())
        if other := sorted(name for name in now if canonical(now[name]) != canonical(before[name])):
            raise UserError(f"run {record.id} was begun with other settings: {', '.join(other)}")
        journal = Journal(self.workspace.database, record.id, clock=self.clock, redactor=redactor, resumed=True)
        async with aclosing(self._go(journal, record.objective)) as events:
            async for event in events:
                yield event

    async def _go(self, journal: Journal, objective: str) -> AsyncGenerator[Event, None]:
        """Prepare a live run and drive it."""
        warming = asyncio.create_task(self._warm())
        try:
            yield Progress("preparing the sources")
            workshop = await asyncio.to_thread(self.workshop, live=True)  # what cannot be used is said before a run
            try:
                await workshop.check()
            except BaseException:
                workshop.close()
                raise
            async with aclosing(self.drive(journal, objective, workshop)) as events:
                async for event in events:
                    yield event
        finally:
            warming.cancel()

    def workshop(self, *, live: bool) -> Workshop:
        """Make what a run works with. Raises UserError when a live one names what is not there."""
        return Workshop(self.config, self.workspace, self.tools, live=live)

    async def drive(self, journal: Journal, objective: str, workshop: Workshop) -> AsyncGenerator[Event, None]:
        """Execute a run on a journal, live or as a replay, and yield its events; the workshop is closed."""
        queue: asyncio.Queue[Event | object] = asyncio.Queue()

        def publish(item: Recorded | Progress) -> None:
            queue.put_nowait(item.event if isinstance(item, Recorded) else item)

        async def work() -> None:
            try:
                await self._execute(journal, objective, workshop, publish)
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
        publish: Callable[[Recorded | Progress], None],
    ) -> None:
        memory = self.workspace.memory()
        ending: tuple[str, Json] = ("error", None)  # whatever goes wrong, the run does not stay "running"
        try:
            if journal.live:
                await journal.begin(objective, cast("Json", self.config.to_json()))
            services = Services(
                journal=journal,
                models=self.models,
                slots={model.name: asyncio.Semaphore(model.slots) for model in self.models.values()},
                prices=self.config.prices,
                blobs=self.workspace.blobs,
                memory=JournaledRecall(
                    journal, memory.retriever if self.config.memory else None, self.workspace.blobs
                ),
                clock=self.clock,
                seed=await _draw_seed(journal),
                started=self.clock.monotonic() - journal.worked,
                publish=publish,
                store=partial(_remember, memory.store, journal, objective),
            )
            answer = await Run(objective, self.config, services, workshop).execute()
            journal.check_complete()
            ending = (answer.stopped, {"short": answer.short, "reward": answer.reward.total})
        except asyncio.CancelledError:
            ending = ("cancelled", None)
            raise
        finally:
            try:
                if journal.live:
                    journal.finish(*ending)
            finally:
                memory.index.close()

    async def _warm(self) -> None:
        """Load what the first requests need; a failure shows at the first request itself."""
        await asyncio.gather(*(model.warm() for model in self._distinct_models()), return_exceptions=True)

    def _distinct_models(self) -> list[Model]:
        return list({id(model): model for model in self.models.values()}.values())

    async def close(self) -> None:
        """Release models and the workspace; the agent may be used again afterwards."""
        for model in self._distinct_models():
            await model.close()
        self.workspace.close()


def _remember(store: MemoryStore, journal: Journal, objective: str, evidence: Evidence, lane: str) -> Alongside:
    """Return what writes evidence to the memory, unless there is a secret in it."""
    data = encode(evidence)
    kept = [evidence] if canonical(journal.redactor.data(data)) == canonical(data) else []
    question = journal.redactor.text(objective)

    def insert(connection: sqlite3.Connection) -> None:
        store.insert(connection, kept, run=journal.run_id, task=lane, question=question)

    return insert


async def _draw_seed(journal: Journal) -> str:
    async def draw() -> Json:
        return secrets.token_hex(8)

    return cast("str", await journal.effect("run", "random", "seed", draw))


def run_in_thread(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on a private loop in a daemon thread and return its result; Ctrl-C cancels it first."""
    started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Task[T]]] = Future()
    outcome: Future[T] = Future()

    async def main() -> T:
        task = asyncio.current_task()
        assert task is not None
        started.set_result((asyncio.get_running_loop(), task))
        return await work

    def target() -> None:
        try:
            outcome.set_result(asyncio.run(main()))
        except BaseException as error:
            outcome.set_exception(error)

    thread = threading.Thread(target=target, name="crowquill-run", daemon=True)
    thread.start()
    try:
        return outcome.result()
    except KeyboardInterrupt:
        loop, task = started.result()
        with suppress(RuntimeError):  # it is over already
            loop.call_soon_threadsafe(task.cancel)
        thread.join()
        raise
