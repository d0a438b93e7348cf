"""What the fetcher does in a network in which every address would answer (see `walled`); prints what was dialed.

python -m tests.support.fetch_lab CASE:COUNT …
"""

import asyncio
import json
import random
import socket
import sys
import threading
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import unquote

from tests.support.context import FakeContext
from tests.support.walled import Dialed, Names

from crowquill.errors import FetchFailed
from crowquill.tools.exchange import Exchange, Limits
from crowquill.tools.fetch import Fetcher
from crowquill.tools.guard import HostRules, is_public
from crowquill.tools.manners import Manners

CONTROL = "10.9.8.7"
HOME, OTHER = "93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946"
PUBLIC = [HOME, OTHER, "8.8.8.8", "1.1.1.1", "2a00:1450:4001:81b::200e", "151.101.1.69"]
SPECIAL = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "169.254.170.2",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "192.168.255.255",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:0:53aa:64c:0:0:80ff:fffe",
    "2001:2::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a00:1::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
    "2606:4700::5efe:7f00:1",
    "2606:4700::200:5efe:a00:1",
]
SPELLINGS = [
    "http://127.0.0.1/",
    "http://127.1/",
    "http://127.0.1/",
    "http://0177.0.0.1/",
    "http://0x7f.0.0.1/",
    "http://0x7f000001/",
    "http://2130706433/",
    "http://017700000001/",
    "http://127.0.0.1./",
    "http://localhost/",
    "http://LOCALHOST./",
    "http://localhost.localdomain/",
    "http://[::1]/",
    "http://[0:0:0:0:0:0:0:1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[::127.0.0.1]/",
    "http://0/",
    "http://0.0.0.0/",
    "http://[::]/",
    "http://①②⑦.⓪.⓪.①/",
    "http://127。0。0。1/",
    "http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/",
    "http://1.1.1.1@127.0.0.1/",
    "http://127.0.0.1\\@1.1.1.1/",
    "http://1.1.1.1#@127.0.0.1/",
    "http://127.0.0.1%2f@1.1.1.1/",
    "http://%31%32%37.0.0.1/",
]


def zone(name: str, v6: bool) -> list[str]:
    """Say where a name leads; one that is not known leads home, to loopback."""
    first, _, rest = name.partition(".")
    if rest == "flip.test":
        flips[v6] += 1
        return [] if v6 else [HOME if flips[v6] % 2 else "127.0.0.1"]
    if first.startswith("x") and rest in ("a.test", "aaaa.test", "mixed.test"):
        answers = named[name]
        return [address for address in answers if (":" in address) == v6]
    if name == "home.test":
        return [] if v6 else [HOME]
    return ["::1"] if v6 else ["127.0.0.1"]


named: dict[str, list[str]] = {}
flips = {True: 0, False: 0}


def serve(port: int) -> None:
    """Answer every request on a port of every address: a page, or what the path asks for."""
    for family, host in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
        listener = socket.socket(family)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind((host, port))
        listener.listen(500)
        threading.Thread(target=_accept, args=(listener,), daemon=True).start()


def _accept(listener: socket.socket) -> None:
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=_answer, args=(connection,), daemon=True).start()


def _answer(connection: socket.socket) -> None:
    with connection:
        try:
            path = connection.recv(65536).split(b" ")[1].decode()
        except (OSError, IndexError):
            return
        body = b"<p>secret</p>"
        head = "HTTP/1.1 200 OK\r\nContent-Type: text/html"
        if path.startswith("/to?"):
            head, body = f"HTTP/1.1 302 Found\r\nLocation: {unquote(path[4:])}", b""
        connection.sendall(f"{head}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)


class Lab:
    """The fetcher under test, and what it dialed."""

    def __init__(self, folder: Path) -> None:
        self.names = Names(zone)
        self.dialed = Dialed()
        serve(80)
        self.rules = HostRules()
        self.exchange = Exchange(self.rules, "test")
        self.context = FakeContext(folder)
        self.fetcher = Fetcher(robots=False, seconds=60, manners=Manners(pause=0))
        self.outcomes: dict[str, int] = {}

    async def get(self, url: str) -> None:
        """Send one request."""

        async def send() -> None:
            async with asyncio.timeout(60):
                await self.exchange.send(self.rules.check_url(url), Limits())

        await self.note(send)

    async def open(self, url: str) -> None:
        """Open a page, with redirects."""

        async def send() -> None:
            await self.fetcher.open(url, self.context)

        await self.note(send)

    async def note(self, send: Callable[[], Awaitable[None]]) -> None:
        """Count how a request ended: `came`, the kind of our error, or the name of a foreign one."""
        try:
            await send()
            outcome = "came"
        except FetchFailed as error:
            outcome = error.kind
        except Exception as error:
            outcome = f"foreign {type(error).__name__}: {error}"[:200]
        self.outcomes[outcome] = self.outcomes.get(outcome, 0) + 1


async def special(lab: Lab, count: int) -> None:
    """52 addresses as literals, by A and AAAA records, and behind a redirect of a public site."""
    for number, address in enumerate(SPECIAL):
        literal = f"[{address}]" if ":" in address else address
        named[f"x{number}.a.test"] = [address] if ":" not in address else [HOME, address]
        named[f"x{number}.aaaa.test"] = [address if ":" in address else f"::ffff:{address}"]
        await lab.get(f"http://{literal}/")
        await lab.get(f"http://x{number}.a.test/")
        await lab.get(f"http://x{number}.aaaa.test/")
        await lab.open(f"http://home.test/to?http://{literal}/")


async def public(lab: Lab, count: int) -> None:
    """Addresses of the internet: what is dialed is seen, and comes."""
    for address in PUBLIC:
        await lab.get(f"http://[{address}]/" if ":" in address else f"http://{address}/")


async def spellings(lab: Lab, count: int) -> None:
    """Loopback in other words."""
    for url in SPELLINGS:
        await lab.get(url)


async def rebinding(lab: Lab, count: int) -> None:
    """A name that leads to a public and a private address in turn."""
    for number in range(count):
        await lab.get(f"http://n{number}.flip.test/")


async def mixed(lab: Lab, count: int) -> None:
    """Names with a private address among public ones."""
    draw = random.Random(1)
    for number in range(count):
        answers = [draw.choice(PUBLIC), draw.choice(SPECIAL), draw.choice(PUBLIC)]
        draw.shuffle(answers)
        named[f"x{number}.mixed.test"] = answers
        await lab.get(f"http://x{number}.mixed.test/")


PIECES = [
    "http://",
    "https://",
    "HTTP:/",
    "//",
    "127.0.0.1",
    "localhost",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "0x7f.1",
    "2130706433",
    "0177.1",
    "@",
    ":",
    "80",
    "8080",
    "\\",
    "/",
    "?",
    "#",
    "%",
    "%2f",
    "%00",
    "%0d%0a",
    "。",
    ".",
    "..",
    ";",
    "&",
    "=",
    "ﬀ",
    "ß",
    "xn--",
    "xn--ls8h",
    "é",
    "ⓛ",
    "\u200d",
    "\u202e",
    "\ufeff",
    "\x00",
    "\t",
    "\r\n",
    "[",
    "]",
    "::1",
    "%lo",
    "1.1.1.1",
    "a",
    "home.test",
    "flip.test",
    "http://127.0.0.1",
    "http://home.test/",
    "①",
    "Ⅷ",
    "�",
    "😀",
]


SEEDS = [
    "http://any.test/",
    "https://any.test:443/a?b=c#d",
    "http://127.0.0.1/",
    "http://localhost:80/x",
    "http://[::1]:80/x",
    "http://xn--ls8h.test/",
    "http://home.test/",
    "http://8.8.8.8/",
]


async def fuzz(lab: Lab, count: int) -> None:
    """Mutated URLs; whatever name comes out of them leads to loopback."""
    draw = random.Random(11)
    for _ in range(count):
        text = "".join(draw.choices(PIECES, k=draw.randint(1, 7)))
        letters = list(draw.choice((text, f"http://{text}", draw.choice(SEEDS), draw.choice(SEEDS))))
        for _ in range(draw.choice((0, 1, 1, 2))):
            at = draw.randrange(len(letters) + 1)
            letters[at : at + draw.randint(0, 2)] = chr(draw.choice((draw.randrange(128), draw.randrange(0x2FFF))))
        await lab.get("".join(letters))


CASES = {
    "public": public,
    "special": special,
    "spellings": spellings,
    "rebinding": rebinding,
    "mixed": mixed,
    "fuzz": fuzz,
}


async def run(lab: Lab, case: str, count: int) -> dict[str, Any]:
    """Run one case and return outcomes and what was dialed."""
    lab.outcomes, lookups, dialed = {}, sum(lab.names.asked.values()), lab.dialed.counts.copy()
    await CASES[case](lab, count)
    with socket.create_connection((CONTROL, 80), 30):  # whoever dials a private address does get there
        while lab.dialed.counts[CONTROL, 80] == dialed[CONTROL, 80]:  # once this is seen, all before it has been
            await asyncio.sleep(0.01)
    seen: Counter[bool] = Counter()
    for (address, _), number in (lab.dialed.counts - dialed).items():
        seen[is_public(address)] += number if address != CONTROL else 0
    return {
        "outcomes": lab.outcomes,
        "private": seen[False],
        "public": seen[True],
        "lookups": sum(lab.names.asked.values()) - lookups,
    }


async def main(orders: list[str]) -> dict[str, Any]:
    """Run the cases that are asked for."""
    with TemporaryDirectory() as folder:
        lab = Lab(Path(folder))
        results = {}
        for case, _, count in (order.partition(":") for order in orders):
            results[case] = await run(lab, case, int(count))
        lab.fetcher.close()
        return results


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(main(sys.argv[1:]))))
