"""Live search: one engine as a provider, and several asked together."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

from crowquill.errors import ToolError, ToolFailed, ToolRetry
from crowquill.memory.scoring import fuse
from crowquill.tools.context import Json, ToolContext
from crowquill.tools.search.base import Hit, Hits, SearchProvider
from crowquill.tools.search.engine import Engine, EngineFault, Entry, Pace, in_time
from crowquill.tools.search.query import Filter, Query
from crowquill.tools.search.urls import canonical_url, is_of

SECONDS = 8.0
"""Time for one request to an engine."""
PATIENCE = 3.0
"""Longest wait, in seconds, that an engine may ask for and still be asked again in the same search."""
_ADVICE = {
    "key": "; check the key, or leave it out of --search",
    "quota": "; use another provider with --search",
    "rate": "; try again later, or add a provider with --search",
    "down": "; try again later, or add a provider with --search",
    "time": "; try again later, or add a provider with --search",
}
_OURS: frozenset[Filter] = frozenset({"site", "exclude"})  # checked on what comes back, whoever has them


class WebSearch:
    """A search provider over one engine: paced, retried once, and left alone for a while after failures."""

    def __init__(self, engine: Engine, *, seconds: float = SECONDS) -> None:
        self._engine = engine
        self._seconds = seconds
        self._pace = Pace(engine.pause)

    @property
    def name(self) -> str:
        """The engine's name."""
        return self._engine.name

    async def search(self, query: str, context: ToolContext, *, limit: int = 8) -> Hits:
        """Return the best hits through one `search` effect; each page once. See `Query` for what a query may hold.

        Raises:
            ToolRetry: the query has filters and no words.
            ToolFailed: the query may not leave this machine, or the engine has no answer; the message says why.
        """
        await context.check_outgoing(query)
        asked = Query.parse(query)
        if not asked.words:
            raise ToolRetry("search needs words to look for beside its filters")

        async def call() -> Json:
            context.progress(f"searching with {self.name}")
            try:
                return [_json(entry) for entry in await self._ask(asked, limit, context)]
            except EngineFault as fault:
                raise ToolFailed(f"{fault}{_ADVICE.get(fault.kind, '')}") from fault

        request: dict[str, Json] = {"provider": self.name, "limit": limit, **asked.request()}
        found = cast("list[dict[str, Any]]", await context.effect("search", request, call))
        hits = _distinct([entry for entry in (Entry(**item) for item in found) if _wanted(entry, asked)], self.name)
        context.offer([hit.url for hit in hits])
        unknown = [name for name in asked.missing(self._engine.filters) if name not in _OURS]
        return Hits(hits[:limit], [f"{self.name} has no filter {name}:" for name in unknown])

    async def _ask(self, query: Query, limit: int, context: ToolContext) -> list[Entry]:
        """Ask the engine, and once more when it only needs a moment. Raises EngineFault."""
        clock = context.clock
        await self._pace.turn(clock)
        for attempt in (1, 2):
            left = self._seconds if context.deadline is None else context.deadline - clock.monotonic()
            try:
                entries = await in_time(min(self._seconds, left), self._engine.ask(query, limit, clock))
            except EngineFault as fault:
                wait = 0.5 if fault.wait is None else fault.wait
                if attempt == 1 and fault.kind in ("rate", "down") and wait <= min(PATIENCE, left):
                    await clock.sleep(max(wait, self._pace.pause))
                    continue
                self._pace.settle(fault, clock)
                raise
            self._pace.settle(None, clock)
            return entries
        raise AssertionError("the second attempt returns or raises")


class Together:
    """Several providers that are asked at once; their hits are merged by reciprocal rank, each page once."""

    def __init__(self, providers: Sequence[SearchProvider]) -> None:
        self._providers = tuple(providers)

    @property
    def name(self) -> str:
        """The names, as they are written in `--search`."""
        return "+".join(provider.name for provider in self._providers)

    async def search(self, query: str, context: ToolContext, *, limit: int = 8) -> Hits:
        """Return the best hits of all, through one `search` effect each.

        Raises:
            ToolError: every one failed; the message says why each did.
        """

        async def one(provider: SearchProvider) -> Sequence[Hit] | ToolError:
            try:
                return await provider.search(query, context, limit=limit)
            except ToolError as error:
                return error

        outcomes = await asyncio.gather(*map(one, self._providers))
        pairs = list(zip(self._providers, outcomes, strict=True))
        failed = [(provider.name, why) for provider, why in pairs if isinstance(why, ToolError)]
        if len(failed) == len(pairs):
            raise type(failed[0][1])("; ".join(f"{name}: {why}" for name, why in failed))
        found = [outcome for outcome in outcomes if not isinstance(outcome, ToolError)]
        notes = [f"{name}: {why}" for name, why in failed]
        notes += [note for hits in found if isinstance(hits, Hits) for note in hits.notes]
        return Hits(merge(found)[:limit], notes)


def merge(rankings: Sequence[Sequence[Hit]]) -> list[Hit]:
    """Merge rankings by reciprocal rank (k = 60); of two hits on one page the better placed is kept.

    It takes the date of the other where it has none, and the names of both as its source.
    """
    keyed = [{canonical_url(hit.url): hit for hit in reversed(hits)} for hits in rankings]
    scores = fuse([list(dict.fromkeys(canonical_url(hit.url) for hit in hits)) for hits in rankings])
    merged = []
    for key, score in scores.items():
        same = [hits[key] for hits in keyed if key in hits]
        best = max(same, key=lambda hit: hit.score)
        dated = next((hit.date for hit in (best, *same) if hit.date), "")
        sources = "+".join(dict.fromkeys(hit.source for hit in same))
        merged.append(replace(best, score=round(score, 6), date=dated, source=sources))
    return merged


def _distinct(entries: Sequence[Entry], source: str) -> list[Hit]:
    """Return hits of the entries that are web pages, each page once, in their order."""
    pages: dict[str, Entry] = {}
    for entry in entries:
        if key := canonical_url(entry.url):
            pages.setdefault(key, entry)
    return [
        Hit(entry.url, entry.title, entry.snippet, round(1 / rank, 6), date=entry.date, source=source)
        for rank, entry in enumerate(pages.values(), 1)
    ]


def _wanted(entry: Entry, query: Query) -> bool:
    """Say whether a result is what the filters ask for, as far as that can be seen."""
    if (query.site and not is_of(entry.url, query.site)) or is_of(entry.url, query.exclude):
        return False
    early = bool(entry.date and query.after and entry.date < query.after)
    late = bool(entry.date and query.before and entry.date > query.before)
    return not early and not late


def _json(entry: Entry) -> Json:
    return {"url": entry.url, "title": entry.title, "snippet": entry.snippet, "date": entry.date}
