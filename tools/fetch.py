"""Fetching pages from the web: guarded, polite, bounded in bytes and time, kept in a cache, and rendered in a
process that can be killed.
"""

import asyncio
import email.message
from collections import defaultdict
from collections.abc import Awaitable, Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar, cast
from urllib.parse import urldefrag, urljoin

from crowquill.errors import FetchFailed, ReplayMismatch, StorageError, ToolError, ToolFailed
from crowquill.memory.snapshot import Snapshot
from crowquill.tools.browser.page import pack, unpack
from crowquill.tools.context import Json, ToolContext
from crowquill.tools.exchange import REDIRECTS, Ask, Exchange, Limits, Reply
from crowquill.tools.fetching import AGENT, Fetching
from crowquill.tools.freshness import lifetime, wait_asked
from crowquill.tools.guard import HostRules, Lookup, Target, system_lookup
from crowquill.tools.manners import Manners
from crowquill.tools.page_cache import Kept, PageCache
from crowquill.tools.robots import Robots
from crowquill.tools.worker import Worker

T = TypeVar("T")

MAX_REDIRECTS = 5
TOTAL_SECONDS = 20.0
RENDER_SECONDS = 10.0
_AGAIN_SECONDS = 120.0
"""For a page that was rendered in time before: on a slower machine a replay must not end otherwise."""
RENDER_MEMORY = 1 << 30
"""Bytes of address space for rendering one page."""
RENDER_JOB = {"render": "crowquill.tools.browser.page:render_job"}
_ACCEPT = (
    "text/html, application/xhtml+xml, application/pdf;q=0.9, text/*;q=0.9, application/json;q=0.8,"
    " application/xml;q=0.8"
)
_AHEAD = 32
"""Prefetched responses that wait to be opened."""


class Fetcher:
    """A page source for http and https URLs. Holds no connection between pages, and no cookies."""

    def __init__(
        self,
        *,
        allow_hosts: Iterable[str] = (),
        options: Fetching | None = None,
        proxy_password: str = "",
        cache: PageCache | None = None,
        manners: Manners | None = None,
        seconds: float = TOTAL_SECONDS,
        render_seconds: float = RENDER_SECONDS,
        robots: bool = True,
        worker: Worker | None = None,
        lookup: Lookup = system_lookup,
    ) -> None:
        """Make a fetcher; no socket or process is opened before the first page.

        `allow_hosts` are private hosts (`host` or `host:port`) that the user has listed; there is no pause between
        requests to them. `seconds` is the limit of one request with its robots.txt, `render_seconds` that of making
        text of a page. `robots=False` is for sites whose owner has agreed. `worker` must know `RENDER_JOB`, else
        the fetcher has one of its own.

        Raises:
            UserError: an entry of `allow_hosts` is no host.
        """
        self._options = Fetching() if options is None else options
        self._rules = HostRules(allow_hosts)
        proxy = self._options.proxied(proxy_password)
        self._exchange = Exchange(self._rules, self._options.user_agent, lookup=lookup, proxy=proxy)
        self._robots = Robots(AGENT, self._exchange.send, self._rules.check_url) if robots else None
        self._cache = cache
        self._manners = Manners() if manners is None else manners
        self._ahead: dict[str, dict[str, Json]] = {}
        self._opening: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._seconds = seconds
        self._render_seconds = render_seconds
        self._worker = Worker(RENDER_JOB, memory=RENDER_MEMORY) if worker is None else worker
        self._owns_worker = worker is None

    def handles(self, url: str) -> bool:
        """Say whether `url` is of the web."""
        return url.lower().startswith(("http://", "https://"))

    async def open(self, url: str, context: ToolContext) -> Snapshot:
        """Fetch and render a page, through one `fetch` effect per request.

        Raises:
            ToolRetry: the rules do not know the URL.
            FetchFailed: the page cannot be had, or is nothing that can be read; `kind` and message say why.
        """
        hops: list[str] = []
        while len(hops) <= MAX_REDIRECTS:
            await context.egress(url)
            response = await self._request(url, context, is_hop=bool(hops))
            if response["status"] not in REDIRECTS:
                return await self._page(response, context)
            hops.append(url)
            url = _next_hop(url, response["location"])
            if url in hops:
                raise FetchFailed("the page redirects in a circle", kind="broken")
            context.offer([url])
        raise FetchFailed(f"the page redirects more than {MAX_REDIRECTS} times", kind="broken")

    async def prefetch(self, url: str, context: ToolContext) -> None:
        """Fetch a page ahead of need, with its redirects; cancel it when it is not needed.

        No effect and no error: `open` finds what has come, or asks for itself and tells. The manners hold.
        """
        with suppress(ToolError):
            known = True
            for hop in range(MAX_REDIRECTS + 1):
                if not context.permits(url, known=known):
                    return
                key, known = urldefrag(url).url, False
                async with self._opening[key]:
                    if key not in self._ahead:
                        self._ahead[key] = await self._obtain(url, context, is_hop=hop > 0)
                    while len(self._ahead) > _AHEAD:
                        self._ahead.pop(next(iter(self._ahead)))
                    response = self._ahead.get(key, {})
                if response.get("status") not in REDIRECTS:
                    return
                url = _next_hop(url, str(response["location"]))

    def close(self) -> None:
        """End the process that renders, unless it was given."""
        if self._owns_worker:
            self._worker.release()

    async def _request(self, url: str, context: ToolContext, *, is_hop: bool) -> dict[str, Any]:
        async def call() -> Json:
            key = urldefrag(url).url
            async with self._opening[key]:  # a prefetch that is under way is waited for
                ahead = self._ahead.pop(key, None)
                return ahead if ahead is not None else await self._obtain(url, context, is_hop=is_hop)

        return cast("dict[str, Any]", await context.effect("fetch", {"url": url}, call))

    async def _obtain(self, url: str, context: ToolContext, *, is_hop: bool) -> dict[str, Json]:
        """Return the response to one request, from the cache or from the site."""
        target = self._rules.check_url(url)
        kept = await self._find(url, target, context)
        if kept is not None and context.clock.now().timestamp() < kept.fresh_until:
            context.progress(f"reading the kept copy of {target.host[:100]}")
            return _response(kept, from_cache=True)
        left = float("inf") if context.deadline is None else context.deadline - context.clock.monotonic()
        context.progress(f"fetching {target.host[:100]}")
        reply = await _within(max(left, 0.0), self._ask(target, context, kept, is_hop=is_hop))
        if reply.status == 304 and kept is not None:
            return await self._confirmed(kept, reply, context)
        if reply.status in (429, 503) and "retry-after" in reply.headers:
            wait = wait_asked(reply.headers, context.clock.now())
            self._manners.leave_alone(target.host, context.clock, wait)
        if reply.status >= 300 and reply.status not in REDIRECTS:
            raise _refusal(reply, wait_asked(reply.headers, context.clock.now()))
        return await self._fresh(url, target, reply, context)

    async def _find(self, url: str, target: Target, context: ToolContext) -> Kept | None:
        if self._cache is None or self._options.refresh:
            return None
        kept = await self._cache.find(urldefrag(url).url)
        if kept is None or (kept.listed and not self._rules.allows(target.host, target.port)):
            return None
        try:
            if kept.body:
                await asyncio.to_thread(context.blobs.get, kept.body)
        except StorageError:  # lost or damaged: fetched again
            return None
        return kept

    async def _ask(self, target: Target, context: ToolContext, kept: Kept | None, *, is_hop: bool) -> Reply:
        started = context.clock.monotonic()
        wish: float | None = None
        if self._robots is not None:
            wish = await _within(self._seconds, self._robots.check(target, started))
        left = self._seconds - (context.clock.monotonic() - started)
        pause = 0.0 if is_hop or self._rules.allows(target.host, target.port) else wish
        async with self._manners.turn(target.host, context.clock, pause=pause):
            ask = Ask(_ACCEPT, headers=() if kept is None else kept.conditions)
            return await _within(left, self._exchange.send(target, Limits(), ask), said=self._seconds)

    async def _confirmed(self, kept: Kept, reply: Reply, context: ToolContext) -> dict[str, Json]:
        """Use what was kept, and keep it for longer: the site says that it is still so."""
        now = context.clock.now()
        seconds: float | None = kept.lasted  # what a 304 does not say again still holds
        if reply.headers.keys() & {"cache-control", "expires"}:
            seconds = lifetime(kept.status, reply.headers, now)
        kept = replace(
            kept,
            fetched_at=now.isoformat(timespec="seconds"),
            fresh_until=(now + timedelta(seconds=0.0 if seconds is None else seconds)).timestamp(),
        )
        await self._keep(kept, seconds)
        return _response(kept, from_cache=True)

    async def _fresh(self, url: str, target: Target, reply: Reply, context: ToolContext) -> dict[str, Json]:
        now = context.clock.now()
        seconds = lifetime(reply.status, reply.headers, now)
        is_page = reply.status not in REDIRECTS
        kept = Kept(
            url=urldefrag(url).url,
            status=reply.status,
            media_type=reply.headers.get("content-type", "").partition(";")[0].strip().lower()[:100],
            charset=_charset(reply.headers.get("content-type", "")),
            location=reply.headers.get("location", "")[:4000],
            body=await asyncio.to_thread(context.blobs.put, reply.body) if is_page else "",
            etag=reply.headers.get("etag", "")[:1000],
            last_modified=reply.headers.get("last-modified", "")[:100],
            fetched_at=now.isoformat(timespec="seconds"),
            fresh_until=(now + timedelta(seconds=0.0 if seconds is None else seconds)).timestamp(),
            listed=int(self._rules.allows(target.host, target.port)),
        )
        await self._keep(kept, seconds)
        return _response(kept, from_cache=False)

    async def _keep(self, kept: Kept, seconds: float | None) -> None:
        if self._cache is None:
            return
        if seconds is None or (seconds <= 0 and not kept.conditions):
            await self._cache.forget(kept.url)
        else:
            await self._cache.keep(kept)

    async def _page(self, response: dict[str, Any], context: ToolContext) -> Snapshot:
        data = await asyncio.to_thread(context.blobs.get, response["body"])
        request: Json = {
            **{name: response[name] for name in ("media_type", "url", "charset", "fetched_at")},
            "data": pack(data),
        }
        fresh: list[Snapshot] = []

        async def call() -> Json:
            fresh.append(await self._render(request, self._render_seconds))
            return {"sha256": fresh[0].sha256}

        # that a page could be read in time is recorded, its text is not: it is made again
        asked: Json = {name: response[name] for name in ("body", "media_type", "url", "charset")}
        done = cast("dict[str, str]", await context.effect("render", asked, call))
        snapshot = fresh[0] if fresh else await self._render(request, _AGAIN_SECONDS)
        if snapshot.sha256 != done["sha256"]:
            raise ReplayMismatch(f"{snapshot.url} is not rendered as it was when it was recorded")
        context.offer([link.url for link in snapshot.links], page=snapshot.url)
        return snapshot

    async def _render(self, request: Json, seconds: float) -> Snapshot:
        try:
            rendered = await self._worker.run("render", request, seconds=seconds)
        except ToolFailed as error:
            raise FetchFailed(f"the page cannot be read: {error}", kind="unreadable") from error
        return Snapshot.from_json(unpack(str(rendered)).decode("utf-8", "surrogatepass"))


def _response(kept: Kept, *, from_cache: bool) -> dict[str, Json]:
    """Return what an effect records of a response."""
    return {
        "status": kept.status,
        "url": kept.url,
        "media_type": kept.media_type,
        "charset": kept.charset,
        "location": kept.location,
        "fetched_at": kept.fetched_at,
        "from_cache": from_cache,
        "body": kept.body,
    }


async def _within(seconds: float, work: Awaitable[T], *, said: float | None = None) -> T:
    """Await work for at most so many seconds (`said` is what the message says). Raises FetchFailed."""
    try:
        async with asyncio.timeout(None if seconds == float("inf") else max(seconds, 0.0)):
            return await work
    except TimeoutError:
        shown = seconds if said is None else said
        why = f"the page did not come within {shown:.3g} seconds; try another, or again later"
        raise FetchFailed(why, kind="timeout") from None


def _next_hop(url: str, location: str) -> str:
    try:
        following = urldefrag(urljoin(url, location.strip())).url
    except ValueError:
        raise FetchFailed("the page redirects to something that is no URL", kind="broken") from None
    if not location.strip():
        raise FetchFailed("the page redirects without saying where", kind="broken")
    return following


def _charset(content_type: str) -> str | None:
    message = email.message.Message()
    message["content-type"] = content_type.replace("\n", " ").replace("\r", " ")
    charset = message.get_param("charset")
    return charset[:40] if isinstance(charset, str) else None


def _refusal(reply: Reply, wait: float | None) -> FetchFailed:
    """Say what an error status means for whoever wanted the page; `wait` is what the site asks for, in seconds."""
    status = reply.status
    later = f" for {wait:.0f} seconds" if wait is not None else ""
    match status:
        case 401 | 402 | 403 | 407 | 451:
            why = f"the site does not give this page to programs or without a login (status {status}); try another"
            return FetchFailed(why, kind="login")
        case 404 | 410:
            return FetchFailed(f"there is no such page (status {status}); search for it again", kind="missing")
        case 429:
            return FetchFailed(f"the site asks to be left alone{later} (status 429); try another", kind="busy")
        case _ if status >= 500:
            why = f"the site has a fault of its own (status {status}); try another, or again later"
            return FetchFailed(why, kind="server")
        case _:
            return FetchFailed(f"the server answered with status {status}; try another page", kind="server")
