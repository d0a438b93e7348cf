"""One guarded HTTP request, bounded in bytes, without cookies or environment proxies.

Bodies are decompressed piece by piece, so that a bomb costs its limit and no more (httpx alone needs 2 GiB for
1.8 kB). The body of a redirect is never read, that of an error only where the caller wants it. There is no time
limit here: the caller sets a deadline.

With a proxy, which only the user names, everything goes through it, and it resolves the names: which addresses
may be reached is then its policy. Refused by us are still private addresses that a URL spells out.
"""

import ssl
import zlib
from collections.abc import AsyncIterable
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, cast
from urllib.parse import quote, urlsplit

from crowquill.errors import FetchFailed, FetchFault, UserError
from crowquill.tools.guard import GuardedBackend, HostRules, Lookup, Target, system_lookup

if TYPE_CHECKING:
    import httpcore

REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MEMBER = b"\x1f\x8b"
MAX_RATIO = 200
"""How many times larger than what came over the wire a body may be; below 1 KiB nothing counts as a bomb."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes as they come, and bytes after decompression. Of a `prefix`, what is over the limit is left unread.

    `errors` asks for the bodies of error statuses, too.
    """

    wire: int = 2 * 2**20
    body: int = 4 * 2**20
    prefix: bool = False
    errors: bool = False


@dataclass(frozen=True, slots=True)
class Ask:
    """What is sent beside the target; `headers` may hold a key and are not shown."""

    accept: str = "*/*"
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Reply:
    """A response; header names are in lower case. `body` is empty for redirects, and for errors unless wanted."""

    status: int
    headers: dict[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy that everything goes through."""

    scheme: str
    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)

    @classmethod
    def parse(cls, url: str, password: str = "") -> "Proxy":
        """Read `http://[user@]host:port`. The password stands apart, so that the URL can be shown and recorded.

        Raises:
            UserError: it is something else, or has a password in it.
        """
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            parts, host, port = urlsplit(""), None, None
        if host is None or port is None or parts.scheme not in ("http", "https") or parts.path.strip("/"):
            raise UserError(f"{url!r} is no proxy; write it as http://HOST:PORT or http://USER@HOST:PORT")
        if parts.password is not None:
            raise UserError("the proxy's URL must not hold a password; give it in CROWQUILL_PROXY_PASSWORD")
        return cls(parts.scheme, host, port, parts.username if parts.username is not None else "", password)

    @property
    def url(self) -> str:
        """The address, without user and password."""
        return f"{self.scheme}://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

    @property
    def with_password(self) -> str:
        """The address with user and password, for a library that wants it so; not to be shown."""
        user = f"{quote(self.user, safe='')}:{quote(self.password, safe='')}@" if self.user else ""
        return self.url.replace("://", f"://{user}", 1)


class Exchange:
    """Sends requests under the rules; holds no connection between them."""

    def __init__(
        self, rules: HostRules, user_agent: str, *, lookup: Lookup = system_lookup, proxy: Proxy | None = None
    ) -> None:
        self._rules = rules
        self._user_agent = user_agent
        self._lookup = lookup
        self._proxy = proxy

    async def send(self, target: Target, limits: Limits, ask: Ask | None = None) -> Reply:
        """Send one request and read its answer.

        Raises:
            FetchFailed: it is refused, broken, too large, or there is no answer.
        """
        import httpcore  # 0.1 s, and only the web needs it

        ask = Ask() if ask is None else ask
        headers = [
            ("Host", target.netloc),
            ("User-Agent", self._user_agent),
            ("Accept", ask.accept),
            ("Accept-Encoding", "gzip"),
            ("Connection", "close"),
            *ask.headers,
            *([("Content-Length", str(len(ask.body)))] if ask.method == "POST" else ()),
        ]
        url = httpcore.URL(
            scheme=target.scheme.encode(),
            host=target.host.encode(),
            port=None
            if ":" not in target.netloc.rpartition("]")[2]
            else target.port,  # a proxy is shown no port that goes unsaid
            target=target.path.encode(),
        )
        try:
            async with (
                self._pool(target) as pool,
                pool.stream(
                    ask.method, url, headers=headers, content=ask.body if ask.method == "POST" else None
                ) as response,
            ):
                fields = {_text(name).lower(): _text(value) for name, value in response.headers}
                if 300 <= response.status < 400 or (response.status >= 400 and not limits.errors):
                    return Reply(response.status, fields)
                body = await read_body(response.aiter_stream(), fields.get("content-encoding", ""), limits)
                return Reply(response.status, fields, body)
        except httpcore.ProxyError as error:
            raise FetchFailed(f"the proxy refused: {str(error)[:80]}", kind="refused") from error
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError) as error:
            if self._proxy is not None and isinstance(error, httpcore.ConnectError):
                why = f"the proxy {self._proxy.url} cannot be reached; check its address"
                raise FetchFailed(why, kind="unreachable") from error
            why, kind = _why(error)
            raise FetchFailed(f"the page cannot be fetched: {why}", kind=kind) from error

    def _pool(self, target: Target) -> "httpcore.AsyncConnectionPool":
        import httpcore

        dialer = cast("httpcore.AsyncNetworkBackend", httpcore.AnyIOBackend())
        if self._proxy is None:
            backend = cast("httpcore.AsyncNetworkBackend", GuardedBackend(self._rules, dialer, self._lookup))
            return httpcore.AsyncConnectionPool(ssl_context=_certificates(), network_backend=backend)
        self._rules.check_named(target)
        return httpcore.AsyncHTTPProxy(
            proxy_url=self._proxy.url,
            proxy_auth=(self._proxy.user, self._proxy.password) if self._proxy.user else None,
            ssl_context=_certificates(),
            network_backend=dialer,
        )


@cache
def _certificates() -> ssl.SSLContext:
    import httpx  # 0.1 s, and only the web needs it

    return httpx.create_ssl_context(trust_env=False)


def _text(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _why(error: BaseException) -> tuple[str, FetchFault]:
    import httpcore

    chain: BaseException | None = error
    while chain is not None:
        if isinstance(chain, ssl.SSLCertVerificationError):
            return "the server's certificate is not valid", "broken"
        if isinstance(chain, ssl.SSLError):
            return "no secure connection could be made", "broken"
        chain = chain.__cause__ if chain.__cause__ is not None else chain.__context__
    if isinstance(error, httpcore.ProtocolError):
        return "the server's answer was cut off or is no HTTP", "broken"
    return "the connection broke off", "broken"


async def read_body(chunks: AsyncIterable[bytes], coding: str, limits: Limits) -> bytes:
    """Read a body within its limits; at most one coding, and that gzip. Raises FetchFailed."""
    codings = [name for name in coding.lower().replace(" ", "").split(",") if name not in ("", "identity")]
    if len(codings) > 1 or (codings and codings[0] not in ("gzip", "x-gzip")):
        raise FetchFailed("refused: the page is compressed in a way that was not asked for", kind="refused")
    body = _Body(limits, gzip=bool(codings))
    async for chunk in chunks:
        if not body.feed(chunk):
            break
    return body.finish()


class _Body:
    """Collects a body; a gzip file may have several members, and padding after the last."""

    def __init__(self, limits: Limits, *, gzip: bool) -> None:
        self._limits = limits
        self._inflate = zlib.decompressobj(wbits=31) if gzip else None
        self._held = b""  # what may be the first half of the mark of another member
        self._wire = 0
        self._data = bytearray()
        self._full = False

    def feed(self, chunk: bytes) -> bool:
        """Take a piece and say whether more is wanted. Raises FetchFailed."""
        self._wire += len(chunk)
        if self._wire > self._limits.wire:
            return self._stop(f"refused: the page is larger than {self._limits.wire / 2**20:g} MiB")
        if self._inflate is None:
            self._data += chunk
        else:
            self._unpack(chunk)
        if len(self._data) > MAX_RATIO * max(self._wire, 1024):
            raise FetchFailed("refused: the page unpacks to far more than was sent", kind="too large")
        if len(self._data) > self._limits.body:
            return self._stop(f"refused: the page unpacks to more than {self._limits.body / 2**20:g} MiB")
        return True

    def _unpack(self, chunk: bytes) -> None:
        assert self._inflate is not None
        chunk, self._held = self._held + chunk, b""
        while chunk:
            room = self._limits.body + 1 - len(self._data)
            if room <= 0:
                return
            if self._inflate.eof:
                if chunk == _MEMBER[:1]:
                    self._held = chunk
                if not chunk.startswith(_MEMBER):
                    return
                self._inflate = zlib.decompressobj(wbits=31)
            try:
                self._data += self._inflate.decompress(chunk, room)
            except zlib.error:
                raise FetchFailed("the page's compression is damaged", kind="broken") from None
            chunk = self._inflate.unused_data if self._inflate.eof else self._inflate.unconsumed_tail

    def _stop(self, refusal: str) -> bool:
        if not self._limits.prefix:
            raise FetchFailed(refusal, kind="too large")
        self._full = True
        return False

    def finish(self) -> bytes:
        """Return what was read. Raises FetchFailed when its end is missing."""
        if self._inflate is not None and self._wire and not self._inflate.eof and not self._full:
            raise FetchFailed("the page was cut off", kind="broken")
        return bytes(self._data[: self._limits.body])
