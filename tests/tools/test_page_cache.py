"""The page cache: when a site is asked again, and when not; prefetching."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.clock import FakeClock
from tests.support.context import FakeContext
from tests.support.site import Site

from crowquill.errors import FetchFailed
from crowquill.memory.db import Database
from crowquill.tools.fetch import Fetcher
from crowquill.tools.fetching import Fetching
from crowquill.tools.page_cache import PageCache


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as running:
        yield running


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def context(tmp_path: Path, clock: FakeClock) -> FakeContext:
    return FakeContext(tmp_path, clock=clock)


class Fetchers:
    """Makes fetchers over one cache, as later runs of a workspace do."""

    def __init__(self, site: Site, tmp_path: Path) -> None:
        self.database = Database(tmp_path / "crowquill.db")
        self._site = site
        self._made: list[Fetcher] = []

    def new(self, *, refresh: bool = False, listed: bool = True) -> Fetcher:
        hosts = [self._site.host] if listed else []
        options = Fetching(refresh=refresh)
        self._made.append(
            Fetcher(allow_hosts=hosts, options=options, cache=PageCache(self.database), robots=False, seconds=3)
        )
        return self._made[-1]

    def close(self) -> None:
        for fetcher in self._made:
            fetcher.close()
        self.database.close()


@pytest.fixture
def fetchers(site: Site, tmp_path: Path) -> Iterator[Fetchers]:
    made = Fetchers(site, tmp_path)
    yield made
    made.close()


async def test_a_fresh_page_is_not_asked_for_again_and_a_stale_one_is(
    site: Site, fetchers: Fetchers, context: FakeContext, clock: FakeClock
) -> None:
    url = site.page("/a", "<p>one</p>", headers={"Cache-Control": "max-age=60"})
    first = await fetchers.new().open(url, context)
    clock.seconds += 59
    again = await fetchers.new().open(url + "#part", context)
    assert again == first  # with the time at which it was fetched
    assert site.paths == ["/a"]
    site.page("/a", "<p>two</p>", headers={"Cache-Control": "max-age=60"})
    clock.seconds += 2
    assert (await fetchers.new().open(url, context)).text == "two"
    assert site.paths == ["/a", "/a"]
    assert [response["from_cache"] for _, _, response in context.fetched if isinstance(response, dict)] == [
        False,
        True,
        False,
    ]


async def test_refresh_asks_again_and_keeps_what_came(site: Site, fetchers: Fetchers, context: FakeContext) -> None:
    url = site.page("/a", "<p>one</p>", headers={"Cache-Control": "max-age=60"})
    await fetchers.new().open(url, context)
    site.page("/a", "<p>two</p>", headers={"Cache-Control": "max-age=60"})
    assert (await fetchers.new(refresh=True).open(url, context)).text == "two"
    assert (await fetchers.new().open(url, context)).text == "two"
    assert len(site.paths) == 2


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ({"ETag": '"v1"'}, {"if-none-match": '"v1"'}),
        (
            {"Last-Modified": "Sun, 01 Feb 2026 12:00:00 GMT"},
            {"if-modified-since": "sun, 01 feb 2026 12:00:00 gmt"},
        ),
    ],
)
async def test_a_stale_page_is_confirmed(
    given: dict[str, str],
    asked: dict[str, str],
    site: Site,
    fetchers: Fetchers,
    context: FakeContext,
    clock: FakeClock,
) -> None:
    url = site.page("/a", "<p>one</p>", headers={**given, "Cache-Control": "max-age=60"})
    first = await fetchers.new().open(url, context)
    site.page("/a", status=304)
    clock.seconds += 61
    confirmed = await fetchers.new().open(url, context)
    assert asked.items() <= site.asked[-1].headers.items()
    assert (confirmed.text, confirmed.raw_sha256) == ("one", first.raw_sha256)
    assert confirmed.fetched_at > first.fetched_at
    clock.seconds += 59  # what the 304 did not say again still holds
    await fetchers.new().open(url, context)
    assert len(site.paths) == 2


async def test_what_must_not_be_kept_is_not(site: Site, fetchers: Fetchers, context: FakeContext) -> None:
    url = site.page("/a", "<p>one</p>", headers={"Cache-Control": "max-age=60"})
    await fetchers.new().open(url, context)
    site.page("/a", "<p>two</p>", headers={"Cache-Control": "no-store"})
    await fetchers.new(refresh=True).open(url, context)
    assert await PageCache(fetchers.database).find(url) is None
    site.page("/e", "gone", status=410, headers={"Cache-Control": "max-age=60"})
    for _ in range(2):
        with pytest.raises(FetchFailed):
            await fetchers.new().open(site.url("/e"), context)
    assert site.paths == ["/a", "/a", "/e", "/e"]


async def test_lasting_redirects_are_kept_and_every_hop_is_an_effect_all_the_same(
    site: Site, fetchers: Fetchers, context: FakeContext
) -> None:
    site.redirect("/old", "/new", status=301)
    site.redirect("/today", "/new", status=302)
    site.page("/new", "<p>new</p>")
    for path in ("/old", "/today"):
        for _ in range(2):
            assert (await fetchers.new().open(site.url(path), context)).url == site.url("/new")
    assert site.paths == ["/old", "/new", "/today", "/today"]
    assert len(context.fetched) == 8


async def test_a_lost_blob_is_fetched_again(site: Site, fetchers: Fetchers, context: FakeContext) -> None:
    url = site.page("/a", "<p>one</p>", headers={"Cache-Control": "max-age=60"})
    await fetchers.new().open(url, context)
    for blob in context.blobs.directory.rglob("*.blob"):
        blob.write_bytes(b"damaged")
    assert (await fetchers.new().open(url, context)).text == "one"
    assert len(site.paths) == 2


async def test_a_page_of_a_listed_host_is_not_for_runs_that_do_not_list_it(
    site: Site, fetchers: Fetchers, context: FakeContext
) -> None:
    url = site.page("/a", "<p>private</p>", headers={"Cache-Control": "max-age=60"})
    await fetchers.new().open(url, context)
    with pytest.raises(FetchFailed, match="refused"):
        await fetchers.new(listed=False).open(url, context)


async def test_a_site_that_asks_for_peace_is_left_alone(
    site: Site, fetchers: Fetchers, context: FakeContext, clock: FakeClock
) -> None:
    site.page("/busy", status=429, headers={"Retry-After": "30"})
    site.page("/a", "<p>one</p>")
    fetcher = fetchers.new()
    with pytest.raises(FetchFailed, match="for 30 seconds"):
        await fetcher.open(site.url("/busy"), context)
    with pytest.raises(FetchFailed, match="30 seconds more") as caught:
        await fetcher.open(site.url("/a"), context)
    assert caught.value.kind == "busy"
    assert site.paths == ["/busy"]
    clock.seconds += 31
    assert (await fetcher.open(site.url("/a"), context)).text == "one"


async def test_a_prefetched_page_is_there_even_if_it_may_not_be_kept(
    site: Site, fetchers: Fetchers, context: FakeContext
) -> None:
    site.redirect("/r", "/a")
    site.page("/a", "<p>one</p>", headers={"Cache-Control": "no-store"})
    fetcher = fetchers.new()
    await fetcher.prefetch(site.url("/r"), context)
    assert context.effects == []
    assert context.offered == set()
    assert site.paths == ["/r", "/a"]
    assert (await fetcher.open(site.url("/r"), context)).text == "one"
    assert site.paths == ["/r", "/a"]
    assert len(context.fetched) == 2
    await fetcher.open(site.url("/a"), context)  # what was fetched ahead is used once
    assert site.paths == ["/r", "/a", "/a"]


async def test_a_page_that_is_under_way_is_waited_for_and_one_that_is_cancelled_is_asked_for(
    site: Site, fetchers: Fetchers, context: FakeContext
) -> None:
    body = b"<p>slow</p>"

    async def slow(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.2)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()

    fetcher, url = fetchers.new(), site.raw("/slow", slow)
    ahead = asyncio.create_task(fetcher.prefetch(url, context))
    await asyncio.sleep(0.05)
    assert (await fetcher.open(url, context)).text == "slow"
    await ahead
    assert site.paths == ["/slow"]
    other = site.raw("/other", slow)
    ahead = asyncio.create_task(fetcher.prefetch(other, context))
    await asyncio.sleep(0.05)
    ahead.cancel()
    assert (await fetcher.open(other, context)).text == "slow"
    assert site.paths == ["/slow", "/other", "/other"]


async def test_a_prefetch_that_fails_is_silent_and_the_opening_tells(
    site: Site, fetchers: Fetchers, tmp_path: Path
) -> None:
    strict = FakeContext(tmp_path, strict=True)
    fetcher = fetchers.new()
    await fetcher.prefetch(site.page("/a", "<p>not offered</p>"), strict)
    assert site.paths == []
    strict.offer([site.url("/none")])
    await fetcher.prefetch(site.url("/none"), strict)
    with pytest.raises(FetchFailed, match="no such page"):
        await fetcher.open(site.url("/none"), strict)
