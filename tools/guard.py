"""Which addresses may be connected to, checked at the socket seam.

`GuardedBackend` resolves a name once, requires every answer to be public, and dials the numeric address: a name
that changes its answer between check and use is never looked up twice. The table is our own, because
`ipaddress.is_global` is wrong before Python 3.11.10 (CVE-2024-4032). It does not cover what a public host then
does with a request: a proxy on a public address is a public host.
"""

import asyncio
import ipaddress
import re
import socket
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from crowquill.errors import FetchFailed, UserError

if TYPE_CHECKING:
    import httpcore

# IANA special-purpose registries (IPv4 and IPv6, as of 2026-08), and what clouds put beside them.
_V4 = [
    ipaddress.IPv4Network(block)
    for block in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "168.63.129.16/32",  # Azure's wire server
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",
    )
]
_V6_PUBLIC = ipaddress.IPv6Network("2000::/3")
_V6 = [
    ipaddress.IPv6Network(block)
    for block in ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")
]
_ISATAP = {0x00005EFE, 0x02005EFE}
# Scheme, then an authority in which nothing can be read in two ways: no user name, no escape, no backslash.
_FORM = re.compile(
    r"(https?)://(\[[0-9A-Fa-f:.]+\]|[^\s/?#@%:\[\]\\]+)(?::([0-9]{0,5}))?(?:[/?#].*)?", re.IGNORECASE
)
_NEVER = re.compile(r"[\s\x00-\x20\x7f-\xa0\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\\\ud800-\udfff]")
_NAME = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*\.?")
_ENTRY = re.compile(r"(\[[0-9a-f:.]+\]|[^:/@\s\[\]]+)(?::([0-9]{1,5}))?|[0-9a-f:.]*:[0-9a-f:.]*:[0-9a-f:.]*")

PORTS = frozenset({80, 443})
"""Ports that are open without being listed by the user."""
CONNECT_SECONDS = 5.0
"""How long one address of a host may take to answer before the next is tried."""
LONGEST_URL = 4000
"""Characters that a URL may have."""

Lookup = Callable[[str, int], Awaitable[list[str]]]
"""Resolves host and port to addresses. Raises OSError when there are none."""


def is_public(address: str) -> bool:
    """Say whether an IP address is one of the public internet; anything that is no address is not."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv4Address):
        return not any(ip in block for block in _V4)
    if ip.ipv4_mapped is not None:
        return is_public(str(ip.ipv4_mapped))
    if ip.scope_id is not None:
        return False
    interface = (int(ip) >> 32) & 0xFFFFFFFF
    return ip in _V6_PUBLIC and interface not in _ISATAP and not any(ip in block for block in _V6)


async def system_lookup(host: str, port: int) -> list[str]:
    """Resolve with the system's resolver, in its order and without duplicates."""
    answers = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(answer[4][0]) for answer in answers))


@dataclass(frozen=True, slots=True)
class Target:
    """A URL that was checked, in the parts that are dialed and sent. `host` is ASCII, without brackets."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def shown_port(self) -> int | None:
        """The port, None where it goes without saying."""
        return None if self.port == (443 if self.scheme == "https" else 80) else self.port

    @property
    def netloc(self) -> str:
        """What stands in the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.shown_port is None else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return f"{self.scheme}://{self.netloc}"


class HostRules:
    """Public hosts on ports 80 and 443, and what the user has listed."""

    def __init__(self, allow_hosts: Iterable[str] = ()) -> None:
        """`allow_hosts` are `host` or `host:port`: private hosts, or other ports, that may be connected to.

        Raises:
            UserError: an entry is neither.
        """
        self._allowed = {_entry(text) for text in allow_hosts}

    def allows(self, host: str, port: int) -> bool:
        """Say whether the user has listed this host, or this port of it."""
        host = _plain_host(host)
        return (host, None) in self._allowed or (host, port) in self._allowed

    def check_url(self, url: str) -> Target:
        """Refuse a URL by its form alone, and take the others apart. Raises FetchFailed."""
        import httpx  # 0.1 s, and only the web needs it

        if len(url) > LONGEST_URL:
            raise _refused(f"the URL is longer than {LONGEST_URL} characters")
        if _NEVER.search(url):
            raise _refused("the URL has white space, control characters or a backslash")
        scheme = url.partition(":")[0].lower()
        if scheme not in ("http", "https"):
            shown = scheme if re.fullmatch(r"[a-z][a-z0-9+.-]{0,19}", scheme) else "something else"
            raise _refused(f"only http and https pages are fetched, not {shown}")
        if not _FORM.fullmatch(url):
            raise _refused("the URL has no plain host, or a user name in it")
        try:
            parsed = httpx.URL(url)
            host, path = parsed.raw_host.decode("ascii").lower(), parsed.raw_path.decode("ascii")
        except (httpx.InvalidURL, ValueError):
            raise _refused("not a URL") from None
        port = parsed.port if parsed.port is not None else 443 if scheme == "https" else 80
        if not _is_host(host) or not 0 < port < 65536:
            raise _refused("the URL names no host that can exist")
        self.check_port(host, port)
        return Target(scheme, host, port, path)

    def check_port(self, host: str, port: int) -> None:
        """Refuse a port that is not of the web. Raises FetchFailed."""
        if port not in PORTS and not self.allows(host, port):
            raise _refused(f"port {port}; to allow it: --allow-host {host}:{port}")

    def check_named(self, target: Target) -> None:
        """Refuse a host that is private by its name alone, for when a proxy resolves it. Raises FetchFailed."""
        name = target.host.rstrip(".")
        is_address = ":" in name or name.rpartition(".")[2].isdecimal() or name.rpartition(".")[2].startswith("0x")
        if is_address or name == "localhost" or name.endswith(".localhost"):
            self.check_addresses(target.host, target.port, [name])

    def check_addresses(self, host: str, port: int, addresses: list[str]) -> None:
        """Refuse a host unless all its addresses are public, or the user has listed it. Raises FetchFailed."""
        if not self.allows(host, port) and not all(map(is_public, addresses)):
            place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
            raise _refused(f"{place} is not on the public internet; to allow it: --allow-host {place}")


def _refused(why: str) -> FetchFailed:
    return FetchFailed(f"refused: {why}", kind="refused")


def _entry(text: str) -> tuple[str, int | None]:
    match = _ENTRY.fullmatch(text.strip().lower())
    if match is None:
        raise UserError(f"{text!r} is no host; write it as intranet.example or 127.0.0.1:8080")
    host = match[1] if match[1] is not None else match[0]
    return _plain_host(host), int(match[2]) if match[2] is not None else None


def _plain_host(host: str) -> str:
    """Return one spelling for each host."""
    host = host.lower().strip("[]").rstrip(".")
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return host


def _is_host(host: str) -> bool:
    if ":" in host:
        try:
            return ipaddress.IPv6Address(host).scope_id is None
        except ValueError:
            return False
    return len(host) <= 253 and _NAME.fullmatch(host) is not None


class GuardedBackend:
    """A network backend for httpcore that dials only addresses which the rules allow, by number."""

    def __init__(
        self, rules: HostRules, inner: "httpcore.AsyncNetworkBackend", lookup: Lookup = system_lookup
    ) -> None:
        self._rules = rules
        self._inner = inner
        self._lookup = lookup

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> "httpcore.AsyncNetworkStream":
        """Resolve, check, and dial the first address that answers.

        Raises:
            FetchFailed: the host is refused, cannot be found or cannot be reached.
        """
        import httpcore  # only the web needs it

        self._rules.check_port(host, port)
        try:
            addresses = await self._lookup(host, port)
        except (OSError, UnicodeError):
            addresses = []
        if not addresses:
            raise FetchFailed(
                f"the host {host[:100]} cannot be found; check its name, or the network", kind="unreachable"
            )
        self._rules.check_addresses(host, port, addresses)
        patience = CONNECT_SECONDS if timeout is None else min(timeout, CONNECT_SECONDS)
        for address in addresses:
            try:
                stream = await self._inner.connect_tcp(address, port, patience, local_address, socket_options)
            except (OSError, httpcore.NetworkError, httpcore.TimeoutException):
                continue
            peer = stream.get_extra_info("server_addr")
            if peer is not None and _plain_host(str(peer[0])) != _plain_host(address):
                await stream.aclose()
                raise _refused(f"{host[:100]} was answered by another address than was asked")
            return stream
        raise FetchFailed(f"the host {host[:100]} cannot be reached on port {port}", kind="unreachable")

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Any = None
    ) -> "httpcore.AsyncNetworkStream":
        """Refuse: pages are not fetched from sockets of this machine."""
        raise _refused("pages are not fetched from sockets of this machine")

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await self._inner.sleep(seconds)
