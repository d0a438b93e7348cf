"""One guarded HTTP request, bounded in bytes, without cookies or environment proxies.

Bodies are decompressed piece by piece, so that a bomb costs its limit and no more (httpx alone needs 2 GiB for
1.8 kB). The body of a redirect or an error is never read. There is no time limit here: the caller sets a deadline.
"""

import ssl
import zlib
from collections.abc import AsyncIterable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, cast

from crowquill.errors import ToolFailed
from crowquill.tools.guard import GuardedBackend, HostRules, Lookup, Target, system_lookup

if TYPE_CHECKING:
    import httpcore

REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MEMBER = b"\x1f\x8b"
MAX_RATIO = 200
"""How many times larger than what came over the wire a body may be; below 1 KiB nothing counts as a bomb."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes as they come, and bytes after decompression. Of a `prefix`, what is over the limit is left unread."""

    wire: int = 2 * 2**20
    body: int = 4 * 2**20
    prefix: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """A response; header names are in lower case. `body` is empty unless the status is below 300."""

    status: int
    headers: dict[str, str]
    body: bytes = b""


class Exchange:
    """Sends GET requests under the rules; holds no connection between them."""

    def __init__(self, rules: HostRules, user_agent: str, *, lookup: Lookup = system_lookup) -> None:
        self._rules = rules
        self._user_agent = user_agent
        self._lookup = lookup

    async def get(self, target: Target, limits: Limits, accept: str = "*/*") -> Reply:
        """Send one request and read its answer.

        Raises:
            ToolFailed: it is refused, broken, too large, or there is no answer.
        """
        import httpcore  # 0.1 s, and only the web needs it

        dialer = cast("httpcore.AsyncNetworkBackend", httpcore.AnyIOBackend())
        backend = GuardedBackend(self._rules, dialer, self._lookup)
        headers = [
            ("Host", target.netloc),
            ("User-Agent", self._user_agent),
            ("Accept", accept),
            ("Accept-Encoding", "gzip"),
            ("Connection", "close"),
        ]
        url = httpcore.URL(
            scheme=target.scheme.encode(),
            host=target.host.encode(),
            port=target.port,
            target=target.path.encode(),
        )
        try:
            async with (
                httpcore.AsyncConnectionPool(
                    ssl_context=_certificates(), network_backend=cast("httpcore.AsyncNetworkBackend", backend)
                ) as pool,
                pool.stream("GET", url, headers=headers) as response,
            ):
                fields = {_text(name).lower(): _text(value) for name, value in response.headers}
                if response.status >= 300:
                    return Reply(response.status, fields)
                body = await read_body(response.aiter_stream(), fields.get("content-encoding", ""), limits)
                return Reply(response.status, fields, body)
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError) as error:
            raise ToolFailed(f"the page cannot be fetched: {_why(error)}") from error


@cache
def _certificates() -> ssl.SSLContext:
    import httpx  # 0.1 s, and only the web needs it

    return httpx.create_ssl_context(trust_env=False)


def _text(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _why(error: BaseException) -> str:
    import httpcore

    chain: BaseException | None = error
    while chain is not None:
        if isinstance(chain, ssl.SSLCertVerificationError):
            return "the server's certificate is not valid"
        if isinstance(chain, ssl.SSLError):
            return "no secure connection could be made"
        chain = chain.__cause__ if chain.__cause__ is not None else chain.__context__
    if isinstance(error, httpcore.ProtocolError):
        return "the server's answer was cut off or is no HTTP"
    return "the connection broke off"


async def read_body(chunks: AsyncIterable[bytes], coding: str, limits: Limits) -> bytes:
    """Read a body within its limits; at most one coding, and that gzip. Raises ToolFailed."""
    codings = [name for name in coding.lower().replace(" ", "").split(",") if name not in ("", "identity")]
    if len(codings) > 1 or (codings and codings[0] not in ("gzip", "x-gzip")):
        raise ToolFailed("refused: the page is compressed in a way that was not asked for")
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
        """Take a piece and say whether more is wanted. Raises ToolFailed."""
        self._wire += len(chunk)
        if self._wire > self._limits.wire:
            return self._stop(f"refused: the page is larger than {self._limits.wire / 2**20:g} MiB")
        if self._inflate is None:
            self._data += chunk
        else:
            self._unpack(chunk)
        if len(self._data) > MAX_RATIO * max(self._wire, 1024):
            raise ToolFailed("refused: the page unpacks to far more than was sent")
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
                raise ToolFailed("the page's compression is damaged") from None
            chunk = self._inflate.unused_data if self._inflate.eof else self._inflate.unconsumed_tail

    def _stop(self, refusal: str) -> bool:
        if not self._limits.prefix:
            raise ToolFailed(refusal)
        self._full = True
        return False

    def finish(self) -> bytes:
        """Return what was read. Raises ToolFailed when its end is missing."""
        if self._inflate is not None and self._wire and not self._inflate.eof and not self._full:
            raise ToolFailed("the page was cut off")
        return bytes(self._data[: self._limits.body])
