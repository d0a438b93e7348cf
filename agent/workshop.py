"""Builds what the lanes of a run work with: providers, page sources, tools, and the policy."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, cast

from crowquill.agent.approvals import may_ever
from crowquill.agent.config import RunConfig
from crowquill.agent.episode import Policy
from crowquill.agent.events import Noticed
from crowquill.agent.guided import GuidedPolicy
from crowquill.agent.lane import Lane
from crowquill.agent.memory_tools import memory_tools
from crowquill.agent.policy import ChoosingPolicy
from crowquill.agent.render import one_line
from crowquill.agent.steering import Question
from crowquill.agent.toolkit import Toolkit, check_allowed, check_custom, make_toolkit
from crowquill.agent.workspace import Workspace
from crowquill.errors import ToolError, ToolFailed, UserError
from crowquill.memory.embed import Embedder
from crowquill.memory.lessons import LessonStore
from crowquill.memory.snapshot import Snapshot
from crowquill.memory.untrusted import Untrusted
from crowquill.tasks.profile import Profile
from crowquill.tools.browser.browser import Browser
from crowquill.tools.browser.prefetch import Prefetch
from crowquill.tools.context import Json, ToolContext
from crowquill.tools.fetch import Fetcher
from crowquill.tools.maths.tool import math_tool
from crowquill.tools.observation import Observation
from crowquill.tools.page_cache import PageCache
from crowquill.tools.script_fetch import ScriptFetcher, find_chromium
from crowquill.tools.search.base import PageSource, Passage, SearchProvider
from crowquill.tools.search.corpus import Corpus, rank_lines
from crowquill.tools.search.documents import DocumentSearch, Library
from crowquill.tools.search.of_sites import OfSites
from crowquill.tools.search.registry import DEFAULT, Setup, make_providers
from crowquill.tools.secrets import environment
from crowquill.tools.sql.change_tool import NAME as SQL_CHANGE
from crowquill.tools.sql.change_tool import change_tool
from crowquill.tools.sql.desk import Desk
from crowquill.tools.sql.schema import Schema
from crowquill.tools.sql.source import (
    Database,
    data_source,
    jobs_of,
    locate_database,
    made_writable,
    open_database,
)
from crowquill.tools.sql.tool import read_schemas, sql_tools
from crowquill.tools.tool import Tool, tool
from crowquill.tools.wolfram import wolfram_tools
from crowquill.tools.worker import JOBS, Worker

UNKNOWN_ENGINE = "Crowquill does not know how to tell whether this account can write: use one that can only read"
_CHECK_SECONDS = 20.0
_RANKED_LINES = 8
"""Lines of a page that are ranked for a policy, which takes the best that it has not got."""


class Workshop:
    """The equipment of one run. The worker's process starts with the first calculation or query.

    Raises:
        UserError: a source or database cannot be used, two databases have one name, or see `check_custom`.
    """

    def __init__(
        self,
        config: RunConfig,
        workspace: Workspace,
        extra: Sequence[Tool],
        *,
        live: bool,
        providers: Mapping[str, DocumentSearch] | None = None,
    ) -> None:
        self._config = config
        check_custom(extra, config.safety)
        self._workspace = workspace
        self._extra = tuple(replace(entry, custom=True) for entry in extra)
        databases = [(open_database if live else locate_database)(url) for url in config.databases]
        databases = self._changeable(databases) if config.allow_write else databases
        self._databases = (*databases, *([data_source(config.data, live=live)] if config.data else []))
        self._worker = Worker({**JOBS, **jobs_of(self._databases)})
        names = [database.name for database in self._databases]
        if double := [name for name in names if names.count(name) > 1]:
            raise UserError(f"two databases are called {double[0]!r}: give one another name, as in --db NAME=URL")
        find = workspace.corpus if live else workspace.recorded_corpus
        corpora = [find(name, config.without) for name in config.corpora]
        if config.profile is not None:
            check_allowed(config.profile.tools, self._extra)
            corpora += self._knowledge(config.profile, live=live)
        if live and (unknown := set(config.knowledge) - workspace.knowledge()):
            raise UserError(f"nothing was learned as {min(unknown)!r}; do so with: crowquill memory import FOLDER")
        setup = Setup(environment(), config.fetching, live)
        specs = config.search if config.search else DEFAULT
        given = {} if providers is None else providers
        libraries = [Library(name, given.get(name)) for name in config.providers]
        self._providers: list[SearchProvider] = [*corpora, *libraries, *self._web(specs, setup)]
        self._fetchers = [self._fetcher(setup)] if config.web or config.allow_hosts else []
        self._sources: list[PageSource] = [*corpora, *libraries, *self._fetchers]
        self._prefetch = Prefetch(self._fetchers) if live else None

    def _changeable(self, databases: Sequence[Database]) -> list[Database]:
        """Let the databases be changed, where somebody can be asked or a rule allows it."""
        if not may_ever(SQL_CHANGE, "write", self._config.safety):
            raise UserError(
                "each change is asked for, and nobody can be asked here: use a terminal, an approver, or an "
                f"approvals rule about {SQL_CHANGE}"
            )
        return [made_writable(database) for database in databases]

    def _web(self, specs: Sequence[str], setup: Setup) -> list[SearchProvider]:
        providers = make_providers(specs, setup) if self._config.web else []
        return [OfSites(each, self._config.sites) for each in providers] if self._config.sites else providers

    def _knowledge(self, profile: Profile, *, live: bool) -> list[Corpus]:
        """Bring the index of a profile's folder up to date and return it."""
        if profile.knowledge is None:
            return []
        if live:
            folder = Path(profile.knowledge)
            if not folder.is_dir():
                raise UserError(f"the knowledge folder of the profile {profile.name!r} is not there: {folder}")
            self._workspace.index(folder, profile.corpus)
        return [self._workspace.recorded_corpus(profile.corpus, self._config.without)]

    def _fetcher(self, setup: Setup) -> Fetcher:
        if self._config.fetching.js and setup.live:
            find_chromium()
        return (ScriptFetcher if self._config.fetching.js else Fetcher)(
            allow_hosts=self._config.allow_hosts,
            options=self._config.fetching,
            proxy_password=setup.password,
            cache=PageCache(self._workspace.database),
        )

    @property
    def embedder(self) -> Embedder:
        """What turns texts into vectors."""
        return self._workspace.embedder

    @property
    def acting(self) -> tuple[Tool, ...]:
        """The tools of the user's that may do more than read."""
        return tuple(entry for entry in self._extra if entry.access != "read")

    @property
    def abilities(self) -> list[str]:
        """What the planner may count on, in plain words."""
        found = ["exact arithmetic"]
        if self._providers:
            found += ["search", "reading pages"]
        if self._databases:
            found.append("SQL over " + ", ".join(database.name for database in self._databases))
        return found + [tool.name for tool in self._extra]

    async def check(self) -> None:
        """Look whether servers and data files can be read, and by a role that can do no more. Raises UserError."""
        for database in self._databases:
            if database.kind == "sqlite":
                continue  # it is opened read-only, whoever we are
            try:
                request = database.request(sql="SELECT 1", seconds=_CHECK_SECONDS)
                await self._worker.run(database.job("query"), request, seconds=_CHECK_SECONDS)
            except ToolError as error:
                raise UserError(f"{database.name}: {error}") from error

    async def toolkit(self, lane: Lane) -> Toolkit:
        """Make the tools of one lane; reading the schemas of databases is an effect, their values are private."""
        browser = Browser(self._providers, self._sources, prefetch=self._prefetch) if self._sources else None
        try:
            schemas = await read_schemas(self._databases, self._worker, lane)
        except ToolFailed as error:
            schemas = ()
            await lane.emit(Noticed(f"the schema of the database cannot be read: {error}", "warning"))
        for schema in schemas:
            lane.rules.keep(schema.samples())
            for note in schema.notes():
                await lane.emit(Noticed(note))
        for database in self._databases:
            if database.kind == "other":
                await lane.emit(Noticed(f"{database.name}: {UNKNOWN_ENGINE}", "warning"))
        asking = [_ask_tool(lane)] if lane.services.person else []
        tools = [*self._own_tools(), *self._sql_tools(schemas), *asking, *self._memory_tools(lane), *self._extra]
        lessons = LessonStore(self._workspace.database) if self._config.memory else None
        desk = Desk(
            self._databases,
            self._worker,
            self._workspace.embedder,
            earlier=self._config.earlier,
            lessons=lessons,
        )
        toolkit = make_toolkit(browser, tools, self._rank, schemas=schemas, desk=desk)
        toolkit = toolkit.without(self._config.without_tools)
        profile = self._config.profile
        return toolkit if profile is None or profile.tools is None else toolkit.only(profile.tools)

    async def tools(self, context: ToolContext) -> dict[str, Tool]:
        """Make the tools for a call by hand, whatever state they are in."""
        browser = Browser(self._providers, self._sources) if self._sources else None
        schemas = await read_schemas(self._databases, self._worker, context)
        tools = [*self._own_tools(), *self._sql_tools(schemas)]
        return make_toolkit(browser, tools, self._rank, schemas=schemas).tools

    def _sql_tools(self, schemas: Sequence[Schema]) -> list[Tool]:
        if not self._databases:
            return []
        tools = sql_tools(self._databases, self._worker, schemas)
        if changeable := [database for database in self._databases if database.writable]:
            tools.append(change_tool(changeable, self._worker, self._workspace.copies(self._worker)))
        return tools

    def _memory_tools(self, lane: Lane) -> list[Tool]:
        """What changes the memory, as far as it could ever be allowed; the guided policy has no use for it."""
        if not self._config.memory or self._config.policy == "guided":
            return []
        tools = memory_tools(lane, self._workspace.memory().store)
        allowed = ("read", *(["write"] if may_ever("forget", "write", self._config.safety) else []))
        return [entry for entry in tools if entry.access in allowed]

    def _own_tools(self) -> list[Tool]:
        """Tools that every run has, and `wolfram` where there is a key."""
        return [math_tool(self._worker), *wolfram_tools()]

    def policy(self, lane: Lane, toolkit: Toolkit) -> Policy:
        """Make the policy of one lane."""
        if self._config.policy == "guided":
            return GuidedPolicy(lane, toolkit, self._config.without)
        return ChoosingPolicy(lane, toolkit, self._config)

    async def _rank(self, snapshot: Snapshot, question: str, context: ToolContext) -> list[Passage]:
        async def call() -> Json:
            passages = await asyncio.to_thread(
                rank_lines, snapshot, question, self._workspace.embedder, _RANKED_LINES
            )
            return cast("Json", [asdict(passage) for passage in passages])

        request: Json = {"page": snapshot.sha256, "question": question}
        return [
            Passage(**cast("dict[str, Any]", entry))
            for entry in cast("list[Json]", await context.effect("rank", request, call))
        ]

    def close(self) -> None:
        """End the processes that calculate, query and render."""
        if self._prefetch is not None:
            self._prefetch.cancel()
        self._worker.release()
        for fetcher in self._fetchers:
            fetcher.close()


def _ask_tool(lane: Lane) -> Tool:
    """The tool that puts a question to the person who is there."""

    @tool
    async def ask_user(question: str) -> Observation:
        """Ask the user something that no source can tell, such as what they mean. One short question."""
        said = await lane.ask(Question("ask", one_line(question, 300)))
        status = "the user has answered" if said else "nobody answered: go on without"
        return Observation(Untrusted(said, "user"), status=status)

    return ask_user
