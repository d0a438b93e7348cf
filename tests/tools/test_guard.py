"""The guard: which addresses are public, which URLs are well-formed, and what is dialed."""

import asyncio
import random
from typing import Any, cast

import httpcore
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowquill.errors import ToolFailed, UserError
from crowquill.tools.guard import GuardedBackend, HostRules, is_public

_SPECIAL = """
0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.255 127.0.0.1 127.255.255.254 168.63.129.16
169.254.169.254 169.254.170.2 172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.192 192.0.2.1 192.31.196.1 192.52.193.1
192.88.99.1 192.168.0.1 192.168.255.255 192.175.48.1 198.18.0.1 198.19.255.255 198.51.100.7 203.0.113.9 224.0.0.1
239.255.255.250 240.0.0.1 255.255.255.255
:: ::1 ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::ffff:0:127.0.0.1 64:ff9b::7f00:1
64:ff9b::a9fe:a9fe 64:ff9b:1::1 100::1 2001::1 2001:0:53aa:64c:0:0:80ff:fffe 2001:2::1 2001:20::1 2001:db8::1
2002:7f00:1:: 2002:a00:1::1 2620:4f:8000::1 3fff::1 5f00::1 fc00::1 fd00:ec2::254 fe80::1 fe80::1%lo fec0::1 ff02::1
2606:4700::5efe:7f00:1 2606:4700::200:5efe:a00:1 2606:4700::1%lo
"""
SPECIAL = _SPECIAL.split()
_PUBLIC = "8.8.8.8 1.1.1.1 93.184.216.34 ::ffff:8.8.8.8 2606:4700:4700::1111 2a00:1450:4001:81b::200e"
PUBLIC = _PUBLIC.split()
NO_ADDRESS = ["", "localhost", "127.1", "0177.0.0.1", "2130706433", "1.2.3.4.5", "[::1]", "8.8.8.8 ", "８.８.８.８"]


@pytest.mark.parametrize("address", SPECIAL)
def test_special_addresses_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("text", NO_ADDRESS)
def test_what_is_no_address_is_not_public(text: str) -> None:
    assert not is_public(text)


REFUSED_FORMS = [
    "ftp://example.com/",
    "file:///etc/passwd",
    "gopher://example.com/",
    "data:text/html,x",
    "javascript:alert(1)",
    "//example.com/",
    "http:example.com",
    "http:///example.com",
    "http://",
    "https://?x",
    "http://user@example.com/",
    "http://user:secret@example.com/",
    "http://@example.com/",
    "http://127.0.0.1:6666\\@1.1.1.1/",
    "http://1.1.1.1\\.example.com/",
    "http://exam ple.com/",
    "http://example.com/a b",
    "http://example.com/\r\nHost: x",
    "http://example.com/\x00",
    "http://example.com/\u202e",
    "http://exam\u00adple.com/",
    "http://exam\u200bple.com/",
    "http://%31%32%37.0.0.1/",
    "http://127.0.0.1%00.example.com/",
    "http://[fe80::1%25lo]/",
    "http://[::1",
    "http://[x]/",
    "http://1.1.1.1:80:90/",
    "http://example.com:0/",
    "http://example.com:99999/",
    "http://example.com:22/",
    "http://example.com:-1/",
    "http://example.com:８０/",
    "http://ⓛocalhost/",
    "http://a..b/",
    "http://" + "a" * 64 + ".com/",
    "http://example.com/" + "a" * 5000,
    "",
    "example.com",
]


@pytest.mark.parametrize("url", REFUSED_FORMS)
def test_urls_that_could_be_read_in_two_ways_are_refused(url: str) -> None:
    with pytest.raises(ToolFailed, match="refused"):
        HostRules(["allowed.example:8080"]).check_url(url)


@pytest.mark.parametrize(
    ("url", "host", "port", "path"),
    [
        ("http://example.com", "example.com", 80, "/"),
        ("HTTPS://EXAMPLE.com/A?b=c#d", "example.com", 443, "/A?b=c"),
        ("http://example.com:443/", "example.com", 443, "/"),
        ("https://faß.de/ö", "xn--fa-hia.de", 443, "/%C3%B6"),
        ("http://[2606:4700::1]/x", "2606:4700::1", 80, "/x"),
        ("http://example.com?q=a@b", "example.com", 80, "/?q=a@b"),
        ("http://allowed.example:8080/x", "allowed.example", 8080, "/x"),
    ],
)
def test_plain_urls_are_taken_apart(url: str, host: str, port: int, path: str) -> None:
    target = HostRules(["allowed.example:8080"]).check_url(url)
    assert (target.host, target.port, target.path) == (host, port, path)


def test_a_refused_port_says_how_to_allow_it() -> None:
    with pytest.raises(ToolFailed, match=r"--allow-host example\.com:8080"):
        HostRules().check_url("http://example.com:8080/")


@pytest.mark.parametrize(
    ("entry", "host", "port", "allowed"),
    [
        ("127.0.0.1:8080", "127.0.0.1", 8080, True),
        ("127.0.0.1:8080", "127.0.0.1", 8081, False),
        ("Intranet.Example", "intranet.example.", 9000, True),
        ("[::1]:80", "::1", 80, True),
        ("0:0:0:0:0:0:0:1", "::1", 81, True),
        ("intranet.example", "x.intranet.example", 80, False),
    ],
)
def test_listed_hosts(entry: str, host: str, port: int, allowed: bool) -> None:
    assert HostRules([entry]).allows(host, port) is allowed


@pytest.mark.parametrize("entry", ["http://x", "a b", "x/y", "user@host", ""])
def test_an_entry_that_is_no_host_is_the_users_error(entry: str) -> None:
    with pytest.raises(UserError, match="is no host"):
        HostRules([entry])


class _Stream(httpcore.AsyncNetworkStream):
    def __init__(self, peer: str) -> None:
        self.peer = peer
        self.closed = False

    def get_extra_info(self, info: str) -> Any:
        return (self.peer, 80) if info == "server_addr" else None

    async def aclose(self) -> None:
        self.closed = True


class _Dialer(httpcore.AsyncNetworkBackend):
    """Notes what is dialed; `dead` addresses refuse, `answers` says who is at the other end."""

    def __init__(self, dead: tuple[str, ...] = (), answers: str | None = None) -> None:
        self.dialed: list[str] = []
        self.streams: list[_Stream] = []
        self._dead = dead
        self._answers = answers

    async def connect_tcp(self, host: str, port: int, *_: Any, **__: Any) -> httpcore.AsyncNetworkStream:
        self.dialed.append(host)
        if host in self._dead:
            raise httpcore.ConnectError("refused")
        self.streams.append(_Stream(host if self._answers is None else self._answers))
        return self.streams[-1]


def guarded(dialer: _Dialer, answers: list[str], allow: tuple[str, ...] = ()) -> GuardedBackend:
    async def lookup(host: str, port: int) -> list[str]:
        return answers

    return GuardedBackend(HostRules(allow), dialer, lookup)


@pytest.mark.parametrize("address", [address for address in SPECIAL if "%" not in address])
async def test_no_special_address_is_dialed_however_it_comes(address: str) -> None:
    dialer = _Dialer()
    with pytest.raises(ToolFailed, match="not on the public internet"):
        await guarded(dialer, [address]).connect_tcp("rebound.example", 80)
    with pytest.raises(ToolFailed):
        await GuardedBackend(HostRules(), dialer).connect_tcp(address, 80)  # a literal, by the system's resolver
    assert dialer.dialed == []


@pytest.mark.parametrize(
    "spelling", ["127.1", "0x7f.1", "0177.0.0.1", "2130706433", "127.0.0.1.", "localhost", "0"]
)
async def test_no_spelling_of_loopback_is_dialed(spelling: str) -> None:
    dialer = _Dialer()
    with pytest.raises(ToolFailed):
        await GuardedBackend(HostRules(), dialer).connect_tcp(spelling, 80)
    assert dialer.dialed == []


async def test_mixed_answers_are_refused() -> None:
    source = random.Random(1)
    for _ in range(50):
        answers = [source.choice(PUBLIC), source.choice(SPECIAL), source.choice(PUBLIC)]
        source.shuffle(answers)
        dialer = _Dialer()
        with pytest.raises(ToolFailed):
            await guarded(dialer, answers).connect_tcp("mixed.example", 443)
        assert dialer.dialed == []


async def test_a_name_that_flips_is_looked_up_once_per_connection() -> None:
    lookups = 0

    async def flipping(host: str, port: int) -> list[str]:
        nonlocal lookups
        lookups += 1
        return ["8.8.8.8"] if lookups % 2 else ["127.0.0.1"]

    dialer = _Dialer()
    backend = GuardedBackend(HostRules(), dialer, flipping)
    refused = 0
    for _ in range(1000):
        try:
            await backend.connect_tcp("flip.example", 80)
        except ToolFailed:
            refused += 1
    assert (lookups, refused, set(dialer.dialed)) == (1000, 500, {"8.8.8.8"})


async def test_the_next_address_is_tried_and_a_strange_peer_is_left() -> None:
    dialer = _Dialer(dead=("8.8.8.8",))
    await guarded(dialer, ["8.8.8.8", "1.1.1.1"]).connect_tcp("two.example", 80)
    assert dialer.dialed == ["8.8.8.8", "1.1.1.1"]

    stranger = _Dialer(answers="127.0.0.1")
    with pytest.raises(ToolFailed, match="another address"):
        await guarded(stranger, ["8.8.8.8"]).connect_tcp("strange.example", 80)
    assert stranger.streams[0].closed


async def test_a_host_without_addresses_and_one_that_is_silent_are_told_apart() -> None:
    with pytest.raises(ToolFailed, match="cannot be found"):
        await guarded(_Dialer(), []).connect_tcp("none.example", 80)
    with pytest.raises(ToolFailed, match="cannot be reached"):
        await guarded(_Dialer(dead=("8.8.8.8",)), ["8.8.8.8"]).connect_tcp("dead.example", 80)
    with pytest.raises(ToolFailed, match="cannot be found"):
        await GuardedBackend(HostRules(), _Dialer()).connect_tcp("a" * 300, 80)


async def test_listed_hosts_may_be_private_but_only_on_their_port() -> None:
    dialer = _Dialer()
    backend = guarded(dialer, ["10.0.0.1"], allow=("intranet.example:8080",))
    await backend.connect_tcp("intranet.example", 8080)
    with pytest.raises(ToolFailed):
        await backend.connect_tcp("intranet.example", 80)
    with pytest.raises(ToolFailed, match="port 6379"):
        await backend.connect_tcp("example.com", 6379)
    assert dialer.dialed == ["10.0.0.1"]


async def test_sockets_of_this_machine_are_refused() -> None:
    with pytest.raises(ToolFailed):
        await guarded(_Dialer(), []).connect_unix_socket("/run/x")


_PIECES = (
    "http:// https:// 127.0.0.1 localhost [::1] @ : 8080 \\ / ? # % %2f 。 0x7f 1.1.1.1 .. \t \x00 ﬀ xn-- é \u200d"
    " a [ ] ::ffff:127.0.0.1 ; &"
)


@given(st.lists(st.sampled_from(_PIECES.split(" ")) | st.text(max_size=4), max_size=8).map("".join))
def test_any_text_is_a_target_or_refused(text: str) -> None:
    for url in (text, f"http://{text}", f"https://example.com{text}"):
        try:
            target = HostRules().check_url(url)
        except ToolFailed:
            continue
        assert target.port in (80, 443)
        assert target.host == target.host.strip("[]@/\\%# ").lower()
        dialer = _Dialer()
        if "127.0.0.1" in target.host or target.host in ("localhost", "::1"):
            with pytest.raises(ToolFailed):
                asyncio.run(cast("Any", GuardedBackend(HostRules(), dialer).connect_tcp(target.host, target.port)))
