"""The facade: configuration of an agent, and the doors to a run (`ask`, `answer`, `stream`)."""

import asyncio
import json
import secrets
import threading
from collections.abc import AsyncGenerator, Callable, Collection, Coroutine, Mapping, Sequence
from concurrent.futures import Future
from contextlib import aclosing, suppress
from copy import copy
from dataclasses import replace
from functools import cache as cache_calls
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from crowquill.agent.adapters import to_model, to_provider, to_tool
from crowquill.agent.answer import Answer
from crowquill.agent.approvals import ApprovalRule, Approver, Safety
from crowquill.agent.budget import Budget, Price
from crowquill.agent.cassette import Tape, insert_tape, read_cassette, write_cassette
from crowquill.agent.config import PARTS, ROLES, Layout, Part, PlanMode, PolicyName, RunConfig
from crowquill.agent.corrective import RecallMode
from crowquill.agent.critic.choices import FILE, feedback, keep
from crowquill.agent.critic.reward import changed_weights
from crowquill.agent.drive import Driver
from crowquill.agent.events import Event, Progress, RunFinished
from crowquill.agent.examples import read_examples
from crowquill.agent.fork import Change, Fork, create_fork
from crowquill.agent.form import Form
from crowquill.agent.journal import Journal, Mode
from crowquill.agent.learning import hear
from crowquill.agent.models.absent import AbsentModel
from crowquill.agent.models.base import Model, Role
from crowquill.agent.models.resolve import default_policy, resolve
from crowquill.agent.prices import find_prices
from crowquill.agent.records import NewRun, RunRecord, find_run
from crowquill.agent.redact import Redactor
from crowquill.agent.reuse import Reuse
from crowquill.agent.safety import tightened, workspace_settings
from crowquill.agent.select.options import Select
from crowquill.agent.steering import Steering
from crowquill.agent.tape import canonical
from crowquill.agent.toolkit import BUILT_IN
from crowquill.agent.toolspec import ToolSpec
from crowquill.agent.workshop import Workshop
from crowquill.agent.workspace import Workspace, find_workspace
from crowquill.errors import ReplayMiss, UserError
from crowquill.memory.clock import Clock, SystemClock
from crowquill.memory.evidence import Table
from crowquill.memory.lessons import ANSWERS, Lesson, LessonStore
from crowquill.tasks.profile import Profile, load_profile
from crowquill.tools.fetching import Fetching
from crowquill.tools.search.documents import DocumentSearch
from crowquill.tools.tool import Tool

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.retrievers import BaseRetriever
    from langchain_core.tools import BaseTool

T = TypeVar("T")
_TURNS = 3
"""Earlier questions that a follow-up may refer to."""


class Agent:
    """A research agent whose answers can be checked.

    Args:
        model: a model's spelling (`local`, `openai:gpt-5-mini`, `http://host:port/v1#name`,
            `scripted:file.yaml`), a `Model` or a chat model of LangChain.
        models: other models for single roles (plan, act, write, judge, gold).
        policy: `guided` for models of 1–3 billion parameters, `json` for larger ones, `tools` for those that call
            tools by themselves; by the model when None.
        corpora: names of indexed folders (`crowquill index`), or `pocket` for the shipped pages.
        databases: SQLite or DuckDB files, or URLs (`postgresql://…`), each also as `name=URL`; `pocket` is the shop
            shipped with Crowquill.
        data: CSV, TSV, Parquet, JSON, JSON Lines and Excel files, or folders of them; together one database.
        tools: more tools: typed functions with a docstring, what `crowquill.tool` makes, tools of LangChain.
        providers: what else finds texts for a query: a `DocumentSearch`, or a retriever of LangChain.
        allow: names of tools, or patterns of them, that may write, send or execute without anybody being asked.
        approver: whoever is asked before something is written, sent or executed (`crowquill.Approver`).
        safety: mode, approvals and hosts (`crowquill.Safety`); by itself the mode is `ask` with an approver, else
            `auto`, which only reads. The `config.yaml` of the workspace may make it tighter.
        web: allow live search and fetching; naming providers in `search` does so, too.
        search: web search providers in the order in which they are asked, each when those before it found nothing:
            `tavily`, `brave`, `searxng`, `wikipedia`, `ddg`; `a+b` asks two and merges. Free ones when empty.
        fetching: contact for the owners of sites, proxy, and whether kept pages are fetched again.
        memory: use and keep evidence of earlier runs in the workspace.
        allow_hosts: private or loopback hosts (`127.0.0.1:8080`) that may be fetched.
        prices: dollars per million tokens, by the model's spelling, for a dollar budget; else they come from
            `prices.yaml` and from the package `genai-prices`.
        without: parts of the guided recipe to leave out, to measure what each is worth; see `config.Part`.
        workspace: where journal and memory are kept; see `find_workspace`.
        cassette: a recording: when the file is there, runs are played from it, without model and network; else they
            are recorded into it.
        examples: demonstrations of earlier runs (`crowquill runs export`) that a model of the json policy sees: a
            file, or what `read_examples` made of it.
        cache: use what an earlier run was told when it asked a model, a search engine or an unchanged file exactly
            the same.
        similar: also use a model's replies to earlier questions that are at least so much like this one (cosine of
            the embedder, above 0 to 1), where the rest of the request is the same. No threshold is safe: opposite
            questions are alike to 0.99. Each reply that is used is said in a warning.
        layout: `blocks` renders each prompt anew and keeps it short, `transcript` is a conversation that grows;
            the latter for the policy `tools` when None.
        planning: `stepwise` plans a few tasks and more after each batch, `plan_once` the whole way; `auto` takes
            whichever the planner's first reply amounts to. The guided policy works with one task.
        allow_write: databases may be changed, row by row, each change after an approval that shows it; needs an
            `approver`, or an approvals rule about the tool `sql_change`.
        weights: what parts of the score count, as `{"receipts": 3.0}`; the others keep their weights.
        form: the form in which the answer is wanted as `Answer.output`: data that fit a JSON Schema, or a table.
        sites: the only hosts that are searched and fetched (`example.org`, `*.example.org`); turns the web on.
        without_tools: names of tools that the run shall not have, such as `math`.
        select: how the answer is chosen among candidates, as `best_of_n:4`, `majority:8,share=plan`; see `Select`.
        profile: name, manner, sources and tools of the agent: a `Profile`, or the path of its YAML file.
        knowledge: names of documents in the memory (`crowquill memory import`) that are recalled beside earlier
            runs.
        recall: how memory is asked: `plain`, with rewordings (`multi`), with a made-up answer (`hyde`), or graded
            by the model, asked again in other words, and left for the web (`corrective`).
    """

    def __init__(
        self,
        *,
        model: "str | Model | BaseChatModel" = "local",
        models: "Mapping[Role, str | Model | BaseChatModel] | None" = None,
        policy: PolicyName | None = None,
        budget: Budget | None = None,
        corpora: Sequence[str] = (),
        databases: Sequence[str] = (),
        data: Sequence[str | Path] = (),
        tools: "Sequence[Tool | BaseTool | Callable[..., Any]]" = (),
        providers: "Sequence[DocumentSearch | BaseRetriever]" = (),
        allow: Sequence[str] = (),
        approver: Approver | None = None,
        safety: Safety | None = None,
        web: bool = False,
        search: Sequence[str] = (),
        fetching: Fetching | None = None,
        memory: bool = True,
        allow_hosts: Sequence[str] = (),
        prices: Mapping[str, Price] | None = None,
        without: Sequence[Part] = (),
        workspace: Path | str | Workspace | None = None,
        clock: Clock | None = None,
        cassette: Path | str | None = None,
        examples: Path | str | Sequence[str] = (),
        cache: bool = True,
        similar: float | None = None,
        allow_write: bool = False,
        select: str | Select = "single",
        weights: Mapping[str, float] | None = None,
        form: Form | None = None,
        sites: Sequence[str] = (),
        without_tools: Sequence[str] = (),
        profile: Profile | Path | str | None = None,
        planning: PlanMode = "auto",
        knowledge: Sequence[str] = (),
        recall: RecallMode = "plain",
        layout: Layout | None = None,
    ) -> None:
        if unknown := sorted(set(without) - set(PARTS)):
            raise UserError(f"no part {unknown[0]!r} of the recipe; there are {', '.join(PARTS)}")
        _check_lists(
            corpora=corpora, databases=databases, data=data, search=search, sites=sites, knowledge=knowledge
        )
        self._cassette = None if cassette is None else Path(cassette)
        self._tapes = (
            read_cassette(self._cassette) if self._cassette is not None and self._cassette.exists() else None
        )
        find: Callable[[str], Model] = cache_calls(resolve if self._tapes is None else AbsentModel)
        overrides = {} if models is None else models
        chosen = {role: overrides.get(role, model) for role in ROLES}
        chosen["gold"] = overrides.get("gold", chosen["judge"])
        self.models: dict[Role, Model] = {
            role: find(spec) if isinstance(spec, str) else to_model(spec) for role, spec in chosen.items()
        }
        self.workspace = workspace if isinstance(workspace, Workspace) else Workspace(find_workspace(workspace))
        self.tools = tuple(map(to_tool, tools))
        self.providers = {provider.name: provider for provider in map(to_provider, providers)}
        self.clock: Clock = SystemClock() if clock is None else clock
        self.approver = approver
        self.watched = False
        """Whether `Progress` events tell what a model is writing, for whoever shows it."""
        self._redactor = Redactor()
        self.config = RunConfig(
            models={role: model.name for role, model in self.models.items()},
            policy=default_policy(self.models["act"].name) if policy is None else policy,
            budget=(Budget() if budget is None else budget).checked(),
            corpora=tuple(corpora),
            databases=tuple(self.workspace.database_url(spec) for spec in databases),
            data=tuple(str(Path(path).expanduser().absolute()) for path in data),
            web=web or bool(search) or bool(sites),
            search=tuple(search),
            fetching=Fetching() if fetching is None else fetching,
            memory=memory,
            allow_hosts=tuple(allow_hosts),
            prices=self._prices(budget, prices),
            without=tuple(without),
            tools=tuple(ToolSpec.of(entry) for entry in self.tools),
            providers=tuple(self.providers),
            safety=self._rules(Safety() if safety is None else safety, allow),
            cache=cache,
            similar=self._threshold(similar, cache=cache),
            examples=read_examples(Path(examples)) if isinstance(examples, Path | str) else tuple(examples),
            planning=planning,
            context_tokens=self.models["act"].context_tokens,
            layout=layout if layout is not None else "transcript" if policy == "tools" else "blocks",
            allow_write=allow_write,
            select=self._selection(select),
            weights=changed_weights(self.workspace.reward_weights(), {} if weights is None else weights),
            form=Form() if form is None else form,
            sites=tuple(sites),
            without_tools=tuple(without_tools),
            profile=load_profile(Path(profile)) if isinstance(profile, Path | str) else profile,
            knowledge=tuple(knowledge),
            recall=recall,
        )
        if self.config.examples and self.config.policy == "guided":
            raise UserError("examples are for the policies json and tools; guided chooses its actions by code")

    def _prices(self, budget: Budget | None, given: Mapping[str, Price] | None) -> dict[str, Price]:
        """Return the prices of the models; they are looked up only when there are dollars to be held."""
        if given is not None:
            return dict(given)
        names = [model.name for model in self.models.values()]
        return find_prices(names, self.workspace.path) if budget is not None and budget.usd is not None else {}

    def _rules(self, safety: Safety, allow: Sequence[str]) -> Safety:
        allowed = tuple(ApprovalRule("allow", tool=pattern) for pattern in allow)
        safety = replace(safety, approvals=allowed + safety.approvals)
        safety = tightened(safety, workspace_settings(self.workspace.path).safety)
        if safety.mode is not None:
            return safety
        return replace(safety, mode="auto" if self.approver is None else "ask")

    @staticmethod
    def _threshold(similar: float | None, *, cache: bool) -> float | None:
        if similar is not None and not 0.0 < similar <= 1.0:
            raise UserError(f"similar: {similar} is no cosine above 0 and up to 1")
        if similar is not None and not cache:
            raise UserError("replies to similar questions come from the cache, which is turned off")
        return similar

    def _selection(self, select: str | Select) -> Select:
        chosen = Select.parse(select) if isinstance(select, str) else select.checked()
        if chosen.strategy == "single" or chosen.at_once is not None:
            return chosen
        return replace(chosen, at_once=self.models["act"].slots)

    @classmethod
    def from_config(
        cls,
        config: RunConfig,
        models: Mapping[Role, Model],
        *,
        workspace: Workspace,
    ) -> "Agent":
        """Make an agent with the settings of a recorded run; what stands for its own tools cannot be called."""
        agent = cls(
            model=models["act"],
            models=models,
            policy=config.policy,
            budget=config.budget,
            corpora=config.corpora,
            databases=config.databases,
            data=config.data,
            web=config.web,
            search=config.search,
            fetching=config.fetching,
            memory=config.memory,
            allow_hosts=config.allow_hosts,
            prices=config.prices,
            without=config.without,
            tools=[spec.stand_in() for spec in config.tools],
            cache=config.cache,
            similar=config.similar,
            examples=config.examples,
            allow_write=config.allow_write,
            select=config.select,
            form=config.form,
            sites=config.sites,
            without_tools=config.without_tools,
            profile=config.profile,
            planning=config.planning,
            knowledge=config.knowledge,
            recall=config.recall,
            layout=config.layout,
            workspace=workspace,
        )
        agent.config = replace(
            agent.config,
            earlier=config.earlier,
            conversation=config.conversation,
            context_tokens=config.context_tokens,
            safety=config.safety,
            weights=config.weights,
            providers=config.providers,
        )
        return agent

    def following(self, answer: Answer) -> "Agent":
        """Return an agent whose next question follows that answer: it may refer to it, and has its evidence.

        A question to a database refines that answer's query, as in "but with sales before".
        """
        queries = [(answer.objective, item.sql) for item in answer.evidence if isinstance(item, Table)]
        agent = copy(self)
        agent.config = replace(
            self.config,
            earlier=(*self.config.earlier, *queries[-1:])[-_TURNS:],
            conversation=self.config.conversation.then(answer),
        )
        return agent

    def teach(self, answer: Answer, correction: str = "") -> None:
        """Keep what was wrong with an answer, or that its query was right, for later questions like it.

        A correction is a rule in words, such as "use the latest row per person"; the model is shown it with each
        question (to that database, if it was of one) about the same things, in this and in later sessions. What the
        answer cites is trusted less, or more when it was right.

        Raises:
            UserError: the answer has no query that could be right, and nothing is said about it.
            StorageError: the workspace cannot be written.
        """
        queries = [item for item in answer.evidence if isinstance(item, Table)]
        said = " ".join(correction.split())
        if not queries and not said:
            raise UserError("say what was wrong: this answer has no query that could be right")
        about = (queries[-1].database, queries[-1].sql) if queries else (ANSWERS, "")
        lesson = Lesson(about[0], answer.objective, about[1], said)
        LessonStore(self.workspace.database, clock=self.clock).keep(lesson)
        self._hear(answer, accepted=not said)

    def rate(self, answer: Answer, *, accepted: bool | None = None, edited: str = "") -> None:
        """Keep what you think of an answer: that it was accepted or not, or how you would have put it.

        It is stored with the choices of `crowquill compare`, which the weights of the reward are fitted to. What an
        accepted answer cites is trusted more, what a rejected one cites less.

        Raises:
            UserError: neither is given, or the workspace cannot be written.
        """
        if (accepted is None) == (not edited):
            raise UserError("say either whether the answer was accepted, or how it should read")
        keep(self.workspace.path / FILE, [feedback(answer, accepted=accepted, edited=edited)])
        if accepted is not None:
            self._hear(answer, accepted=accepted)

    def _hear(self, answer: Answer, *, accepted: bool) -> None:
        self.workspace.database.write_now(lambda connection: hear(connection, answer, accepted=accepted))

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

    async def stream(self, objective: str, *, steering: Steering | None = None) -> AsyncGenerator[Event, None]:
        """Yield the events of a run as they happen; the last is `RunFinished`. Raises as `ask`.

        With `steering`, the run can be held, hinted and hurried while it is under way.
        """
        if not objective.strip():
            raise UserError('there is no question: give one, as in: crowquill ask "How long is the Danube?"')
        new = self._new_run()
        if self._tapes is not None:
            await insert_tape(self.workspace.database, self._next_tape(objective), new)
        mode: Mode = "new" if self._tapes is None else "cassette"
        async with aclosing(self._go(self._journal(new.id, mode), objective, steering=steering)) as events:
            async for event in events:
                if isinstance(event, RunFinished) and mode == "new" and self._cassette is not None:
                    await self._record(new.id, self._cassette)
                yield event

    def _next_tape(self, objective: str) -> Tape:
        """Take the first recording of an objective that was not played yet. Raises ReplayMiss."""
        assert self._tapes is not None
        known = self._redactor.text(objective)
        for place, tape in enumerate(self._tapes):
            if tape.objective == known:
                return self._tapes.pop(place)
        left = ", ".join(repr(tape.objective) for tape in self._tapes) or "nothing"
        raise ReplayMiss(f"{self._cassette} holds no recording of {known!r}; still to be played: {left}")

    async def _record(self, run_id: str, path: Path) -> None:
        record = await self.workspace.database.read(lambda connection: find_run(connection, run_id))
        if record.ended:
            await asyncio.to_thread(write_cassette, self.workspace.database, record, path)

    async def resume(self, run_id: str, *, steering: Steering | None = None) -> AsyncGenerator[Event, None]:
        """Go on with a run that was killed, cancelled or paused, and yield its events, those recorded before first.

        Nothing is done again but what was under way when the run was left.

        Raises:
            UserError: there is no such run, a process works on it, it came to its own end, it waits for a decision
                about a call with unknown outcome, or this agent has other settings or tools than the run was begun
                with.
            ReplayMismatch: this version of the program would not have come to where the run was left.
        """
        record = await self.workspace.database.read(lambda connection: find_run(connection, run_id))
        self._check_settings(record, ())
        fork = Fork.read(record)
        journal = self._journal(record.id, "resume")
        async with aclosing(self._go(journal, record.objective, fork, steering=steering)) as events:
            async for event in events:
                yield event

    async def fork(
        self, run_id: str, step: str, change: Change | None = None, *, steering: Steering | None = None
    ) -> AsyncGenerator[Event, None]:
        """Try a run again from a step on (`t1/s3`; `3` in a run of one task), and yield the events of the new run.

        What came before the step is shared with the run and costs nothing. This agent may have other models.

        Raises:
            UserError: there is no such run, step or tool, or this agent has other settings than the run.
        """
        record = await self.workspace.database.read(lambda connection: find_run(connection, run_id))
        self._check_settings(record, ("models", "context_tokens"))
        new = self._new_run()
        change = Change() if change is None else change
        if change.tool and change.tool not in (known := BUILT_IN | {entry.name for entry in self.tools}):
            raise UserError(f"there is no tool {change.tool!r} to be called; there are {', '.join(sorted(known))}")
        fork = await create_fork(self.workspace.database, record.id, new, step=step, change=change)
        journal = self._journal(new.id, "resume")
        async with aclosing(self._go(journal, record.objective, fork, steering=steering)) as events:
            async for event in events:
                yield event

    def _check_settings(self, record: RunRecord, free: Collection[str]) -> None:
        before = RunConfig.from_json(json.loads(record.config)).to_json()
        now = self._redactor.data(self.config.to_json())
        other = [
            name for name in sorted(now) if canonical(now[name]) != canonical(before[name]) and name not in free
        ]
        if other:
            raise UserError(f"run {record.id} was begun with other settings: {', '.join(other)}")

    def _new_run(self) -> NewRun:
        now = self.clock.now()
        config = canonical(self._redactor.data(self.config.to_json()))
        return NewRun(f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}", config, now.isoformat())

    def _journal(self, run_id: str, mode: Mode) -> Journal:
        return Journal(
            self.workspace.database,
            run_id,
            clock=self.clock,
            redactor=self._redactor,
            mode=mode,
            reuse=Reuse(self.workspace.embedder, self.config.similar) if self.config.cache else None,
        )

    async def _go(
        self, journal: Journal, objective: str, fork: Fork | None = None, *, steering: Steering | None = None
    ) -> AsyncGenerator[Event, None]:
        """Prepare a live run and drive it."""
        warming = asyncio.create_task(self._warm())
        try:
            yield Progress("preparing the sources")
            live = self._tapes is None
            workshop = await asyncio.to_thread(self.workshop, live=live)  # what cannot be used is said before a run
            try:
                if live:
                    await workshop.check()
            except BaseException:
                workshop.close()
                raise
            driven = self.driver.drive(journal, objective, workshop, fork=fork, steering=steering)
            async with aclosing(driven) as events:
                async for event in events:
                    yield event
        finally:
            warming.cancel()

    def workshop(self, *, live: bool) -> Workshop:
        """Make what a run works with. Raises UserError when a live one names what is not there."""
        return Workshop(self.config, self.workspace, self.tools, live=live, providers=self.providers)

    @property
    def driver(self) -> Driver:
        """What executes runs with the settings and models of this agent."""
        return Driver(self.config, self.models, self.workspace, self.clock, self.approver, self.watched)

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


def _check_lists(**given: Sequence[object]) -> None:
    """Refuse a text where a list of texts is wanted: its letters would be taken for names. Raises UserError."""
    for name, value in given.items():
        if isinstance(value, str):
            raise UserError(f"{name} is a list: write {name}=[{value!r}]")


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
