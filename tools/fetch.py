"""Fetching pages from the web: guarded, bounded in bytes and time, and rendered in a process that can be killed."""

import asyncio
import email.message
from collections.abc import Iterable
from typing import Any, cast
from urllib.parse import urldefrag, urljoin

from crowquill.errors import ToolFailed
from crowquill.memory.snapshot import Snapshot
from crowquill.tools.browser.page import pack, unpack
from crowquill.tools.context import Json, ToolContext
from crowquill.tools.exchange import REDIRECTS, Exchange, Limits
from crowquill.tools.guard import HostRules, Lookup, system_lookup
from crowquill.tools.robots import Robots
from crowquill.tools.worker import Worker

AGENT = "Crowquill"
"""The name by which a robots.txt can address us."""
USER_AGENT = f"{AGENT}/0.1 (+https://pypi.org/project/crowquill/)"
MAX_REDIRECTS = 5
TOTAL_SECONDS = 20.0
RENDER_SECONDS = 10.0
RENDER_MEMORY = 1 << 30
"""Bytes of address space for rendering one page."""
RENDER_JOB = {"render": "crowquill.tools.browser.page:render_job"}
_ACCEPT = "text/html, application/xhtml+xml, text/*;q=0.9, application/json;q=0.8, application/xml;q=0.8"


class Fetcher:
    """A page source for http and https URLs. Holds no connection between pages, and no cookies."""

    def __init__(
        self,
        *,
        allow_hosts: Iterable[str] = (),
        user_agent: str = USER_AGENT,
        seconds: float = TOTAL_SECONDS,
        render_seconds: float = RENDER_SECONDS,
        robots: bool = True,
        worker: Worker | None = None,
        lookup: Lookup = system_lookup,
    ) -> None:
        """Make a fetcher; no socket or process is opened before the first page.

        `allow_hosts` are private hosts (`host` or `host:port`) that the user has listed. `seconds` is the limit of
        one request with its robots.txt, `render_seconds` that of making text of a page. `robots=False` is for
        sites whose owner has agreed. `worker` must know `RENDER_JOB`, else the fetcher has one of its own.

        Raises:
            UserError: an entry of `allow_hosts` is no host.
        """
        self._rules = HostRules(allow_hosts)
        self._exchange = Exchange(self._rules, user_agent, lookup=lookup)
        self._robots = Robots(AGENT, self._exchange.get, self._rules.check_url) if robots else None
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
            ToolFailed: the page cannot be had, or is nothing that can be read; the message says why.
        """
        hops: list[str] = []
        while len(hops) <= MAX_REDIRECTS:
            await context.egress(url)
            response = await self._request(url, context)
            if response["status"] not in REDIRECTS:
                return await self._page(response, context)
            hops.append(url)
            url = _next_hop(url, response["location"])
            if url in hops:
                raise ToolFailed("the page redirects in a circle")
            context.offer([url])
        raise ToolFailed(f"the page redirects more than {MAX_REDIRECTS} times")

    def close(self) -> None:
        """End the process that renders, unless it was given."""
        if self._owns_worker:
            self._worker.close()

    async def _request(self, url: str, context: ToolContext) -> dict[str, Any]:
        async def call() -> Json:
            left = float("inf") if context.deadline is None else context.deadline - context.clock.monotonic()
            seconds = min(self._seconds, max(left, 0.0))
            try:
                async with asyncio.timeout(seconds):
                    return await self._get(url, context)
            except TimeoutError:
                raise ToolFailed(f"the page did not come within {seconds:.3g} seconds") from None

        return cast("dict[str, Any]", await context.effect("fetch", {"url": url}, call))

    async def _get(self, url: str, context: ToolContext) -> Json:
        target = self._rules.check_url(url)
        context.progress(f"fetching {target.host[:100]}")
        if self._robots is not None:
            await self._robots.check(target, context.clock.monotonic())
        reply = await self._exchange.get(target, Limits(), _ACCEPT)
        response: dict[str, Json] = {
            "status": reply.status,
            "url": urldefrag(url).url,
            "media_type": reply.headers.get("content-type", "").partition(";")[0].strip().lower()[:100],
            "charset": _charset(reply.headers.get("content-type", "")),
            "location": reply.headers.get("location", "")[:4000],
            "fetched_at": context.clock.now().isoformat(timespec="seconds"),
        }
        if reply.status >= 400:
            raise ToolFailed(_refusal(reply.status, reply.headers.get("retry-after", "")))
        if reply.status not in REDIRECTS:
            response["body"] = await asyncio.to_thread(context.blobs.put, reply.body)
        return response

    async def _page(self, response: dict[str, Any], context: ToolContext) -> Snapshot:
        data = await asyncio.to_thread(context.blobs.get, response["body"])
        request: Json = {
            **{name: response[name] for name in ("media_type", "url", "charset", "fetched_at")},
            "data": pack(data),
        }
        try:
            rendered = await self._worker.run("render", request, seconds=self._render_seconds)
        except ToolFailed as error:
            raise ToolFailed(f"the page cannot be read: {error}") from error
        snapshot = Snapshot.from_json(unpack(str(rendered)).decode("utf-8", "surrogatepass"))
        context.offer([link.url for link in snapshot.links])
        return snapshot


def _next_hop(url: str, location: str) -> str:
    try:
        following = urldefrag(urljoin(url, location.strip())).url
    except ValueError:
        raise ToolFailed("the page redirects to something that is no URL") from None
    if not location.strip():
        raise ToolFailed("the page redirects without saying where")
    return following


def _charset(content_type: str) -> str | None:
    message = email.message.Message()
    message["content-type"] = content_type.replace("\n", " ").replace("\r", " ")
    charset = message.get_param("charset")
    return charset[:40] if isinstance(charset, str) else None


def _refusal(status: int, retry_after: str) -> str:
    """Say what an error status means for whoever wanted the page."""
    match status:
        case 401 | 402 | 403 | 407 | 451:
            return f"the site does not give this page to programs or without a login (status {status}); try another"
        case 404 | 410:
            return f"there is no such page (status {status}); search for it again"
        case 429:
            wait = f" for {int(retry_after)} seconds" if retry_after.isdecimal() and len(retry_after) < 6 else ""
            return f"the site asks to be left alone{wait} (status 429); try another"
        case _ if status >= 500:
            return f"the site has a fault of its own (status {status}); try another, or again later"
        case _:
            return f"the server answered with status {status}; try another page"
