"""The rest of RELIABILITY (a): bombs by memory (A6), servers that misbehave (A7), robots.txt by RFC 9309 (A9)."""

import asyncio
import gzip
import json
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from tests.support.context import FakeContext
from tests.support.site import Site

from crowquill.errors import FetchFailed
from crowquill.tools.exchange import Exchange
from crowquill.tools.fetch import Fetcher
from crowquill.tools.guard import HostRules
from crowquill.tools.robots import Robots

ROOT = Path(__file__).parents[2]


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as running:
        yield running


@pytest.fixture
def context(tmp_path: Path) -> FakeContext:
    return FakeContext(tmp_path)


MEASURED = """
import asyncio, json, resource, sys, tempfile, time
from pathlib import Path
from tests.support.context import FakeContext
from crowquill.errors import FetchFailed
from crowquill.tools.exchange import Exchange
from crowquill.tools.fetch import Fetcher
from crowquill.tools.guard import HostRules
from crowquill.tools.robots import Robots

async def main(host):
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        context, fetcher = FakeContext(Path(folder)), Fetcher(allow_hosts=[host], robots=False)
        for path in ("plain", *sys.argv[2:]):
            before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
            try:
                await fetcher.open(f"http://{host}/{path}", context)
                kind = ""
            except FetchFailed as error:
                kind = error.kind
            grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
            found[path] = [kind, grown, time.process_time() - started]
        fetcher.close()
    sys.stdout.write(json.dumps(found))

asyncio.run(main(sys.argv[1]))
"""


def test_bombs_cost_neither_memory_nor_time(site: Site) -> None:
    zeros = gzip.compress(b"\0" * 2**20)
    twice = gzip.compress(zeros * 1024)
    site.page("/plain", "<p>to warm up</p>")
    bombs = {
        "gzip": ("gzip", zeros * 256, 200),
        "twice": ("gzip, gzip", twice, 200),
        "inner": ("gzip", gzip.compress(twice), 200),
        "zstd": ("zstd", b"\x28\xb5\x2f\xfd" * 4000, 200),
        "brotli": ("br", b"\xcf\xff\xff\x7f\xf8" * 4000, 200),
        "redirect": ("gzip, gzip", twice, 302),
    }
    for name, (coding, body, status) in bombs.items():
        headers = {"Content-Encoding": coding, **({"Location": "/plain"} if status == 302 else {})}
        site.page(f"/{name}", body, status=status, headers=headers)
    command = [sys.executable, "-c", MEASURED, site.host, *bombs]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert [found[name][0] for name in bombs] == ["too large", "refused", "unreadable", "refused", "refused", ""]
    assert all(grown < 16 for _, grown, _ in (found[name] for name in bombs)), found
    assert all(seconds < 2 for _, _, seconds in (found[name] for name in bombs)), found


Misbehaviour = Callable[[asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"


async def endless_headers(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    for number in range(10**9):
        writer.write(b"X-%d: %s\r\n" % (number, b"y" * 500))
        await writer.drain()


async def stall_after_headers(writer: asyncio.StreamWriter) -> None:
    writer.write(OK + b"Content-Length: 5\r\n\r\n")
    await asyncio.sleep(30)


async def reset_in_the_body(writer: asyncio.StreamWriter) -> None:
    writer.write(OK + b"Content-Length: 50000\r\n\r\n<p>half")
    await writer.drain()
    writer.transport.abort()


async def endless_chunks_of_nothing(writer: asyncio.StreamWriter) -> None:
    writer.write(OK + b"Transfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"1\r\n \r\n" * 100)
        await writer.drain()
        await asyncio.sleep(0.01)


async def interim_answers_without_end(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        await writer.drain()
        await asyncio.sleep(0.001)


@pytest.mark.parametrize(
    "misbehave",
    [
        endless_headers,
        stall_after_headers,
        reset_in_the_body,
        endless_chunks_of_nothing,
        interim_answers_without_end,
    ],
)
async def test_servers_that_misbehave_end_in_a_typed_error_within_the_deadline(
    misbehave: Misbehaviour, site: Site, context: FakeContext
) -> None:
    fetcher = Fetcher(allow_hosts=[site.host], seconds=1, robots=False)
    started = time.monotonic()
    with pytest.raises(FetchFailed) as caught:
        await fetcher.open(site.raw("/x", misbehave), context)
    assert time.monotonic() - started < 2
    assert caught.value.kind in ("timeout", "broken", "too large")
    fetcher.close()


async def test_nothing_of_one_site_is_told_to_another(site: Site, context: FakeContext) -> None:
    with Site() as other:
        url = site.page("/a", status=302, headers={"Location": other.page("/b", "<p>b</p>"), "Set-Cookie": "id=7"})
        fetcher = Fetcher(allow_hosts=[site.host, other.host])
        assert (await fetcher.open(url, context)).text == "b"
        seen = {name for asked in other.asked for name in asked.headers}
        assert seen == {"host", "user-agent", "accept", "accept-encoding", "connection"}
        fetcher.close()


RULES = [
    # (robots.txt, path, allowed), after RFC 9309 sections 2.2 and 5
    ("User-agent: *\nDisallow: /", "/x", False),
    ("User-agent: *\nDisallow:", "/x", True),
    ("", "/x", True),
    ("User-agent: *\nDisallow: /a", "/ab", False),
    ("User-agent: *\nDisallow: /a/", "/a", True),
    ("User-agent: *\nDisallow: /a\nAllow: /a/b", "/a/b/c", True),
    ("User-agent: *\nAllow: /a/b\nDisallow: /a", "/a/c", False),
    ("User-agent: *\nAllow: /a\nDisallow: /a", "/a", True),
    ("User-agent: *\nDisallow: /*.gif$", "/x/y.gif", False),
    ("User-agent: *\nDisallow: /*.gif$", "/x/y.gif?z", True),
    ("User-agent: *\nDisallow: /a*b", "/aXXb", False),
    ("User-agent: crowquill\nDisallow: /a\n\nUser-agent: *\nDisallow: /b", "/b", True),
    ("User-agent: CROWQUILL\nDisallow: /a\n\nUser-agent: *\nDisallow: /b", "/a", False),
    ("User-agent: other\nUser-agent: crowquill\nDisallow: /a", "/a", False),
    ("User-agent: crowquill\nDisallow: /a\n\nUser-agent: crowquill\nDisallow: /b", "/b", False),
    ("User-agent: other\nDisallow: /", "/x", True),
    ("user-AGENT : *\ndisALLOW : /a # words", "/a", False),
    ("User-agent: *\nDisallow: /%C3%B6", "/ö", False),
    ("User-agent: *\nNonsense: x\nDisallow: /a", "/a", False),
    ("\ufeffUser-agent: *\r\nDisallow: /a\r\n", "/a", False),
]


async def test_20_rules_of_robots(site: Site, context: FakeContext) -> None:
    assert len(RULES) == 20
    site.page("*", "<p>text</p>")
    for robots, path, allowed in RULES:
        site.page("/robots.txt", robots, "text/plain")
        fetcher = Fetcher(allow_hosts=[site.host])
        try:
            await fetcher.open(site.url(path), context)
            came = True
        except FetchFailed as error:
            came = error.kind != "robots"
        assert came == allowed, (robots, path)
        fetcher.close()


async def test_a_robots_txt_that_does_not_come_forbids(site: Site, context: FakeContext) -> None:
    site.raw("/robots.txt", stall_after_headers)
    fetcher = Fetcher(allow_hosts=[site.host], seconds=0.5)
    started = time.monotonic()
    with pytest.raises(FetchFailed):
        await fetcher.open(site.page("/a", "<p>a</p>"), context)
    assert time.monotonic() - started < 1.5
    assert site.paths == []
    fetcher.close()


async def test_a_wish_for_a_pause_is_heard(site: Site) -> None:
    rules = HostRules([site.host])
    site.page("/robots.txt", "User-agent: *\nCrawl-delay: 7\nDisallow: /a", "text/plain")
    robots = Robots("Crowquill", Exchange(rules, "test").send, rules.check_url)
    assert await robots.check(rules.check_url(site.url("/b")), 0.0) == 7.0
