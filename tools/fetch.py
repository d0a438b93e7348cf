"""Fetching pages from the web: guarded, bounded in bytes and time, without cookies or environment proxies.

Redirects are followed by hand and their bodies never read. Bodies are decompressed piece by piece, so that a bomb
costs its limit and no more (httpx alone needs 2 GiB for 1.8 kB).
"""

import asyncio
import email.message
import zlib
from collections.abc import AsyncIterable, Iterable
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urljoin, urlsplit

from crowquill.errors import ToolFailed
from crowquill.memory.snapshot import Snapshot
from crowquill.tools.browser.page import render
from crowquill.tools.context import Json, ToolContext
from crowquill.tools.guard import GuardedBackend, HostRules

if TYPE_CHECKING:
    import httpcore
    import httpx

USER_AGENT = "Crowquill/0.1 (+https://pypi.org/project/crowquill/)"
MAX_WIRE, MAX_BODY, MAX_RATIO = 2 * 2**20, 4 * 2**20, 200
"""Bytes as they come, bytes after decompression, and how many times larger the latter may be."""
MAX_REDIRECTS = 5
TOTAL_SECONDS = 20.0
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class Fetcher:
    """A page source for http and https URLs. Holds no connection between pages."""

    def __init__(self, *, allow_hosts: Iterable[str] = (), seconds: float = TOTAL_SECONDS) -> None:
        """`allow_hosts` are private hosts (`host` or `host:port`) that the user has listed."""
        self._allow_hosts = tuple(allow_hosts)
        self._seconds = seconds

    def handles(self, url: str) -> bool:
        """Say whether `url` is of the web."""
        return url.startswith(("http://", "https://"))

    async def open(self, url: str, context: ToolContext) -> Snapshot:
        """Fetch and render a page, through one `fetch` effect per request.

        Raises:
            ToolRetry: the rules do not know the URL.
            ToolFailed: the page cannot be had, or is nothing that can be read; the message says why.
        """
        for _ in range(MAX_REDIRECTS + 1):
            await context.egress(url)
            response = await self._request(url, context)
            if response["status"] not in _REDIRECTS:
                return await self._page(url, response, context)
            url = _next_hop(url, response["location"])
            context.offer([url])
        raise ToolFailed(f"the page redirects more than {MAX_REDIRECTS} times")

    async def _request(self, url: str, context: ToolContext) -> dict[str, Any]:
        async def call() -> Json:
            context.progress(f"fetching {urlsplit(url).hostname}")
            try:
                async with asyncio.timeout(self._seconds):
                    return await self._get(url, context)
            except TimeoutError:
                raise ToolFailed(f"the page did not come within {self._seconds:g} seconds") from None

        return cast("dict[str, Any]", await context.effect("fetch", {"url": url}, call))

    async def _get(self, url: str, context: ToolContext) -> Json:
        import httpcore  # with httpx 0.1 s, and only the web needs them
        import httpx

        rules = HostRules(self._allow_hosts)
        rules.check_url(url)
        backend = cast("httpcore.AsyncNetworkBackend", GuardedBackend(rules, httpcore.AnyIOBackend()))
        security = httpx.create_ssl_context(trust_env=False)
        timeouts = {"timeout": dict.fromkeys(("connect", "read", "write", "pool"), self._seconds)}
        try:
            target = httpx.URL(url)
            async with (
                httpcore.AsyncConnectionPool(ssl_context=security, network_backend=backend) as pool,
                pool.stream("GET", str(target), headers=_headers(target), extensions=timeouts) as response,
            ):
                fields = {
                    name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers
                }
                head: dict[str, Json] = {
                    "status": response.status,
                    "media_type": fields.get("content-type", "")[:200],
                    "location": fields.get("location", "")[:4000],
                    "fetched_at": context.clock.now().isoformat(timespec="seconds"),
                }
                if response.status in _REDIRECTS:
                    return head
                body = await _read(response.aiter_stream(), fields.get("content-encoding", ""))
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError) as error:
            raise ToolFailed(f"the page cannot be fetched: {type(error).__name__}") from error
        except (httpx.InvalidURL, ValueError) as error:
            raise ToolFailed("refused: not a URL") from error
        return {**head, "body": await asyncio.to_thread(context.blobs.put, body)}

    async def _page(self, url: str, response: dict[str, Any], context: ToolContext) -> Snapshot:
        if response["status"] >= 400:
            raise ToolFailed(f"the server answered with status {response['status']}")
        data = await asyncio.to_thread(context.blobs.get, response["body"])
        snapshot = await asyncio.to_thread(
            render,
            data,
            response["media_type"],
            url,
            charset=_charset(response["media_type"]),
            fetched_at=response["fetched_at"],
        )
        context.offer([link.url for link in snapshot.links])
        return snapshot


def _headers(url: "httpx.URL") -> list[tuple[str, str]]:
    return [
        ("Host", url.netloc.decode("ascii")),
        ("User-Agent", USER_AGENT),
        ("Accept", "text/html, application/xhtml+xml, text/*;q=0.9, application/json;q=0.8"),
        ("Accept-Encoding", "gzip"),
    ]


async def _read(chunks: AsyncIterable[bytes], coding: str) -> bytes:
    """Read a body within its limits; at most one coding, and that gzip."""
    codings = [name for name in coding.lower().replace(" ", "").split(",") if name not in ("", "identity")]
    if len(codings) > 1 or (codings and codings[0] not in ("gzip", "x-gzip")):
        raise ToolFailed(f"refused: the page is encoded as {coding[:40]!r}, which was not asked for")
    inflate = zlib.decompressobj(wbits=31) if codings else None
    wire, body = 0, bytearray()
    async for chunk in chunks:
        wire += len(chunk)
        if wire > MAX_WIRE:
            raise ToolFailed(f"refused: the page is larger than {MAX_WIRE // 2**20} MiB")
        try:
            body += chunk if inflate is None else inflate.decompress(chunk, MAX_BODY + 1 - len(body))
        except zlib.error:
            raise ToolFailed("the page's compression is damaged") from None
        if len(body) > MAX_BODY or len(body) > MAX_RATIO * max(wire, 1024):
            raise ToolFailed("refused: the page unpacks to far more than was sent")
    if inflate is not None and not inflate.eof:
        raise ToolFailed("the page was cut off")
    return bytes(body)


def _next_hop(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError:
        raise ToolFailed("the page redirects to something that is no URL") from None


def _charset(content_type: str) -> str | None:
    message = email.message.Message()
    message["content-type"] = content_type.replace("\n", " ").replace("\r", " ")
    charset = message.get_param("charset")
    return charset if isinstance(charset, str) else None
