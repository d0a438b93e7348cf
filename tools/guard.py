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
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from crowquill.errors import ToolFailed

if TYPE_CHECKING:
    import httpcore

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
_CONTROL = re.compile(r"[\x00-\x20\x7f\\]")

PORTS = frozenset({80, 443})
"""Ports that are open without being listed by the user."""


def is_public(address: str) -> bool:
    """Say whether an IP address is one of the public internet; anything that is no address is not."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv4Address):
        return not any(ip in block for block in _V4)
    if ip.ipv4_mapped is not None:
        return False  # a resolver has no reason to answer with one
    embedded = (int(ip) >> 32) & 0xFFFFFFFF
    return ip in _V6_PUBLIC and embedded not in _ISATAP and not any(ip in block for block in _V6)


class HostRules:
    """Public hosts on ports 80 and 443, and what the user has listed: `host` or `host:port`."""

    def __init__(self, allow_hosts: Iterable[str] = ()) -> None:
        self._allowed = {entry.strip().lower() for entry in allow_hosts}

    def allows(self, host: str, port: int) -> bool:
        """Say whether the user has listed this host, or this port of it."""
        return host.lower() in self._allowed or f"{host.lower()}:{port}" in self._allowed

    def check_url(self, url: str) -> None:
        """Refuse a URL by its form alone. Raises ToolFailed."""
        if _CONTROL.search(url):
            raise ToolFailed("refused: the URL has white space, control characters or a backslash")
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise ToolFailed("refused: not a URL") from None
        if parts.scheme not in ("http", "https"):
            raise ToolFailed(f"refused: only http and https pages are fetched, not {parts.scheme[:20]!r}")
        if not parts.hostname or "@" in parts.netloc:
            raise ToolFailed("refused: the URL has no host, or a user name in it")
        port = port if port is not None else 443 if parts.scheme == "https" else 80
        if port not in PORTS and not self.allows(parts.hostname, port):
            raise ToolFailed(f"refused: port {port}; to allow it: --allow-host {parts.hostname}:{port}")

    async def resolve(self, host: str, port: int) -> list[str]:
        """Return the addresses of a host in the resolver's order; all must be public, or the host listed.

        Raises:
            ToolFailed: there is none, or one is not public.
        """
        try:
            answers = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise ToolFailed(f"the host {host[:100]} cannot be found") from error
        addresses = list(dict.fromkeys(str(answer[4][0]) for answer in answers))
        if not self.allows(host, port) and not all(map(is_public, addresses)):
            place = f"{host[:100]}:{port}"
            raise ToolFailed(f"refused: {place} is not on the public internet; to allow it: --allow-host {place}")
        return addresses


class GuardedBackend:
    """A network backend for httpcore that dials only addresses which the rules allow, by number."""

    def __init__(self, rules: HostRules, inner: "httpcore.AsyncNetworkBackend") -> None:
        self._rules = rules
        self._inner = inner

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
            ToolFailed: the host is refused, cannot be found or cannot be reached.
        """
        import httpcore  # only the web needs it

        for address in await self._rules.resolve(host, port):
            try:
                stream = await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except (OSError, httpcore.NetworkError, httpcore.TimeoutException):
                continue
            peer = stream.get_extra_info("server_addr")
            if peer is not None and ipaddress.ip_address(peer[0]) != ipaddress.ip_address(address):
                await stream.aclose()
                raise ToolFailed(f"refused: {host[:100]} was answered by another address than was asked")
            return stream
        raise ToolFailed(f"the host {host[:100]} cannot be reached on port {port}")

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Any = None
    ) -> "httpcore.AsyncNetworkStream":
        """Refuse: pages are not fetched from sockets of this machine."""
        raise ToolFailed("refused: pages are not fetched from sockets of this machine")

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await self._inner.sleep(seconds)
