"""Pages that JavaScript fills, through the system's Chromium, every request of which our own fetcher fulfils.

Chromium gets no way into the network: each request is intercepted and answered with what the guarded fetcher
brings, only GET, only what makes text. Its proxy is an address where nothing listens, and no name can be
resolved. WebSockets, WebRTC and service workers are off. The page as it stands after its scripts is one effect.
"""

import asyncio
import shutil
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urldefrag, urljoin

from crowquill.errors import FetchFailed, ToolError, UserError
from crowquill.memory.snapshot import Snapshot
from crowquill.tools.context import Json, ToolContext
from crowquill.tools.exchange import REDIRECTS
from crowquill.tools.fetch import MAX_REDIRECTS, Fetcher

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext, Page, Route

PAGE_SECONDS = 30.0
"""Time for a page with everything that it loads."""
_QUIET_SECONDS = 3.0
"""How long a page may go on loading after it says that it is ready."""
_REQUESTS = 150
"""Requests of one page that are fulfilled."""
_LARGEST = 4 * 2**20
"""Characters of a page after its scripts."""
_NEEDED = frozenset({"document", "script", "stylesheet", "xhr", "fetch"})
_PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_ARGUMENTS = (
    "--proxy-server=http://127.0.0.1:1",
    "--proxy-bypass-list=<-loopback>",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-domain-reliability",
    "--disable-quic",
    "--disable-sync",
    "--dns-prefetch-disable",
    "--no-pings",
)
_NO_PEERS = """for (const name of ["RTCPeerConnection", "webkitRTCPeerConnection", "WebTransport"])
    Object.defineProperty(globalThis, name, {value: undefined});"""


def find_chromium() -> str:
    """Return the path of the system's Chromium. Raises UserError when there is none, or no playwright."""
    try:
        import playwright  # noqa: F401 - only whether it is there
    except ImportError:
        raise UserError("pages that need JavaScript need playwright: pip install 'crowquill[js]'") from None
    found = next(filter(None, map(shutil.which, _PROGRAMS)), None)
    if found is None:
        raise UserError("pages that need JavaScript need Chromium: apt-get install chromium")
    return found


class ScriptFetcher(Fetcher):
    """A fetcher that lets a page's scripts run before it is read; `options` are those of `Fetcher`.

    Whoever makes one asks `find_chromium` first whether it can work.
    """

    def __init__(self, *, page_seconds: float = PAGE_SECONDS, **options: Any) -> None:
        super().__init__(**options)
        self._page_seconds = page_seconds

    async def open(self, url: str, context: ToolContext) -> Snapshot:
        """Fetch a page, let its scripts run, and render it, through one `fetch` effect.

        Raises:
            ToolRetry: the rules do not know the URL.
            FetchFailed: the page cannot be had, or takes too long.
        """
        await context.egress(url)

        async def call() -> Json:
            try:
                async with asyncio.timeout(self._page_seconds):
                    return await self._run(url, context)
            except TimeoutError:
                raise FetchFailed(
                    f"the page took more than {self._page_seconds:g} seconds", kind="timeout"
                ) from None

        response = await context.effect("fetch", {"url": url, "script": True}, call)
        snapshot = await self._page(cast("dict[str, Any]", response), context)
        return replace(snapshot, needs_script=False)

    async def _run(self, url: str, context: ToolContext) -> Json:
        url, response = await self._final(url, context)
        if response["media_type"] not in ("text/html", "application/xhtml+xml"):
            return response
        context.progress("running the scripts of the page")
        html = await self._scripted(url, response, context)
        body = await asyncio.to_thread(context.blobs.put, html.encode("utf-8", "replace"))
        return {**response, "url": urldefrag(url).url, "media_type": "text/html", "charset": "utf-8", "body": body}

    async def _final(self, url: str, context: ToolContext) -> tuple[str, dict[str, Json]]:
        """Return where redirects end, and what is there."""
        for hop in range(MAX_REDIRECTS + 1):
            response = await self._obtain(url, context, is_hop=hop > 0)
            if response["status"] not in REDIRECTS:
                return url, response
            url = urljoin(url, str(response["location"]))
            _check(url, context)
        raise FetchFailed(f"the page redirects more than {MAX_REDIRECTS} times", kind="broken")

    async def _scripted(self, url: str, response: dict[str, Json], context: ToolContext) -> str:
        from playwright.async_api import Error, async_playwright  # 0.3 s, and only this needs it

        async with AsyncExitStack() as stack:
            playwright = await stack.enter_async_context(async_playwright())
            try:
                browser = await playwright.chromium.launch(
                    executable_path=find_chromium(), args=list(_ARGUMENTS), env={"HOME": "/nonexistent"}
                )
                stack.push_async_callback(browser.close)
                window = await browser.new_context(
                    service_workers="block", accept_downloads=False, user_agent=self._options.user_agent
                )
                await window.add_init_script(_NO_PEERS)
                await window.route_web_socket("**/*", lambda socket: socket.close())
                answers = _Answers(self, context, {url: response})
                await window.route("**/*", answers.answer)
                return await _settled(await self._only_page(window), url)
            except Error as error:
                raise FetchFailed("the page's scripts could not be run", kind="unreadable") from error

    async def _only_page(self, window: "BrowserContext") -> "Page":
        page = await window.new_page()
        window.on("page", lambda other: asyncio.ensure_future(other.close()))
        page.on("dialog", lambda dialog: asyncio.ensure_future(dialog.dismiss()))
        return page

    async def obtained(self, url: str, context: ToolContext) -> tuple[dict[str, Json], bytes]:
        """Return what a page's own request brings, behind its redirects. Raises ToolError."""
        _check(url, context)
        _, response = await self._final(url, context)
        return response, await asyncio.to_thread(context.blobs.get, str(response["body"]))


class _Answers:
    """Answers the requests of one page."""

    def __init__(self, fetcher: ScriptFetcher, context: ToolContext, known: dict[str, dict[str, Json]]) -> None:
        self._fetcher = fetcher
        self._context = context
        self._known = known
        self._left = _REQUESTS

    async def answer(self, route: "Route") -> None:
        """Fulfil a request, or let it fail."""
        request = route.request
        self._left -= 1
        if request.method != "GET" or request.resource_type not in _NEEDED or self._left < 0:
            await route.abort()
            return
        try:
            response, body = await self._bring(request.url)
        except ToolError:
            await route.abort()
            return
        charset = f"; charset={response['charset']}" if response["charset"] else ""
        headers = {"content-type": f"{response['media_type']}{charset}", "access-control-allow-origin": "*"}
        await route.fulfill(status=int(cast("int", response["status"])), headers=headers, body=body)

    async def _bring(self, url: str) -> tuple[dict[str, Json], bytes]:
        response = self._known.pop(url, None)
        if response is None:
            return await self._fetcher.obtained(url, self._context)
        return response, await asyncio.to_thread(self._context.blobs.get, str(response["body"]))


def _check(url: str, context: ToolContext) -> None:
    """Refuse a URL to which a page leads, where the rules do not permit it. Raises FetchFailed."""
    if not context.permits(url, known=False):
        raise FetchFailed("refused: the rules of the run do not permit that address", kind="refused")


async def _settled(page: "Page", url: str) -> str:
    """Open a page, wait until it is quiet, and return it as it stands. Raises playwright's Error."""
    from playwright.async_api import TimeoutError as Late

    await page.goto(url, wait_until="domcontentloaded")
    with suppress(Late):
        await page.wait_for_load_state("networkidle", timeout=1000 * _QUIET_SECONDS)
    html = await page.content()
    return html[:_LARGEST]
