"""Live search: what comes back is cleaned, failures are paced and explained, several providers are merged."""

import asyncio
from pathlib import Path

import pytest
from tests.support.clock import FakeClock
from tests.support.context import FakeContext
from tests.support.site import Site

from crowquill.errors import ToolFailed, ToolRetry, UserError
from crowquill.memory.clock import Clock
from crowquill.tools.browser.browser import Browser
from crowquill.tools.search.base import Hit, SearchProvider
from crowquill.tools.search.engine import EngineFault, Entry
from crowquill.tools.search.of_sites import OfSites
from crowquill.tools.search.query import Filter, Query
from crowquill.tools.search.registry import Setup, make_providers, split_specs
from crowquill.tools.search.web import Together, WebSearch, merge


class Scripted:
    """An engine that gives what it is told, in turn."""

    filters: frozenset[Filter] = frozenset({"site"})
    pause = 1.0

    def __init__(self, *outcomes: list[Entry] | EngineFault | float, name: str = "scripted") -> None:
        self.name = name
        self.outcomes = [*outcomes]
        self.asked: list[Query] = []

    async def ask(self, query: Query, limit: int, clock: Clock) -> list[Entry]:
        self.asked.append(query)
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, EngineFault):
            raise outcome
        if isinstance(outcome, int | float):
            await asyncio.sleep(outcome)
            return []
        return outcome


def entries(*names: str) -> list[Entry]:
    return [Entry(f"https://{name}.example/", name.upper(), f"about {name}") for name in names]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def context(tmp_path: Path, clock: FakeClock) -> FakeContext:
    return FakeContext(tmp_path, clock=clock)


async def test_hits_come_through_one_effect_and_are_offered(context: FakeContext) -> None:
    provider: SearchProvider = WebSearch(Scripted(entries("a", "b")))
    hits = await provider.search("crows", context, limit=2)
    assert [(hit.url, hit.title, hit.snippet, hit.source) for hit in hits] == [
        ("https://a.example/", "A", "about a", "scripted"),
        ("https://b.example/", "B", "about b", "scripted"),
    ]
    assert hits[0].score > hits[1].score


async def test_the_request_holds_words_and_filters(context: FakeContext) -> None:
    hits = await WebSearch(Scripted(entries("a", "b"))).search("crows site:a.example time:week", context)
    assert [hit.url for hit in hits] == ["https://a.example/"]
    assert hits.notes == ("scripted has no filter time:",)
    assert context.offered == {"https://a.example/"}
    assert context.asked == ["crows site:a.example time:week"]
    [(kind, request, _)] = context.effects
    assert (kind, request) == (
        "search",
        {"provider": "scripted", "limit": 8, "query": "crows", "time": "week", "site": ["a.example"]},
    )


async def test_pages_come_once_and_only_from_the_web_and_the_time_asked_for(context: FakeContext) -> None:
    found = [
        Entry("https://www.a.example/x/", "first", ""),
        Entry("http://A.example/x?utm_source=y#part", "second", ""),
        Entry("https://a.example/x?q=1", "", "", "2023-12-31"),
        Entry("https://a.example/y", "", "", "2024-06-01"),
        Entry("javascript:alert(1)", "", ""),
        Entry("https://[x", "", ""),
        Entry("/relative", "", ""),
    ]
    hits = await WebSearch(Scripted(found)).search("crows after:2024 before:2024", context)
    assert [hit.url for hit in hits] == ["https://www.a.example/x/", "https://a.example/y"]


async def test_private_queries_do_not_leave_and_filters_need_words(tmp_path: Path, context: FakeContext) -> None:
    class Private(FakeContext):
        async def check_outgoing(self, text: str) -> None:
            raise ToolFailed("refused: private")

    engine = Scripted()
    with pytest.raises(ToolFailed, match="private"):
        await WebSearch(engine).search("secret", Private(tmp_path))
    with pytest.raises(ToolRetry, match="needs words"):
        await WebSearch(engine).search("site:a.example", context)
    assert engine.asked == []


async def test_a_moment_is_waited_for_and_no_more(context: FakeContext, clock: FakeClock) -> None:
    engine = Scripted(EngineFault("rate", "it asks to slow down", 2.0), entries("a"))
    assert len(await WebSearch(engine).search("crows", context)) == 1
    assert clock.slept == [2.0]
    engine = Scripted(EngineFault("rate", "it asks to slow down", 30.0), entries("a"))
    provider = WebSearch(engine)
    with pytest.raises(ToolFailed, match="slow down; try again later, or add a provider"):
        await provider.search("crows", context)
    with pytest.raises(ToolFailed, match="left alone for 30 seconds more"):
        await provider.search("crows", context)
    assert len(engine.asked) == 1
    clock.seconds += 30
    assert len(await provider.search("crows", context)) == 1


async def test_failures_in_a_row_close_for_longer_and_success_forgets_them(
    context: FakeContext, clock: FakeClock
) -> None:
    down = EngineFault("down", "it has a fault of its own")
    provider = WebSearch(Scripted(*[down] * 6, entries("a"), down, down))
    for rest in (15, 30, 60):
        with pytest.raises(ToolFailed, match="fault of its own"):
            await provider.search("crows", context)
        with pytest.raises(ToolFailed, match=f"for {rest} seconds more"):
            await provider.search("crows", context)
        clock.seconds += rest
    await provider.search("crows", context)
    with pytest.raises(ToolFailed):
        await provider.search("crows", context)
    with pytest.raises(ToolFailed, match="for 15 seconds more"):
        await provider.search("crows", context)


@pytest.mark.parametrize(("kind", "says"), [("key", "check the key"), ("quota", "use another provider")])
async def test_a_key_that_does_not_work_is_tried_once(kind: str, says: str, context: FakeContext) -> None:
    engine = Scripted(EngineFault(kind, "no"))  # type: ignore[arg-type]
    provider = WebSearch(engine)
    for _ in range(3):
        with pytest.raises(ToolFailed, match=says if len(engine.asked) == 0 else "left alone for 3600"):
            await provider.search("crows", context)
    assert len(engine.asked) == 1


async def test_requests_are_apart(context: FakeContext, clock: FakeClock) -> None:
    provider = WebSearch(Scripted(*[entries("a")] * 3))
    for _ in range(3):
        await provider.search("crows", context)
    assert clock.slept == [1.0, 1.0]


async def test_an_engine_that_hangs_is_left_behind(context: FakeContext) -> None:
    with pytest.raises(ToolFailed, match=r"did not answer within 0\.2 seconds"):
        await WebSearch(Scripted(5.0), seconds=0.2).search("crows", context)


async def test_several_are_merged_by_rank_and_failures_are_noted(context: FakeContext) -> None:
    first = WebSearch(Scripted(entries("a", "b", "c"), name="one"))
    second = WebSearch(Scripted(entries("d", "b"), name="two"))
    third = WebSearch(Scripted(EngineFault("key", "the key is not accepted"), name="three"))
    together = Together([first, second, third])
    hits = await together.search("crows", context, limit=3)
    assert [(hit.title, hit.source) for hit in hits] == [("B", "one+two"), ("A", "one"), ("D", "two")]
    assert hits.notes == ("three: the key is not accepted; check the key, or leave it out of --search",)
    shown = await Browser([Together([WebSearch(Scripted(entries("a"), name="one")), third])], []).search(
        "crows", context
    )
    assert shown.status.startswith("1 results from one+three · three: the key is not accepted")


async def test_if_all_fail_each_says_why(context: FakeContext) -> None:
    down = [WebSearch(Scripted(EngineFault("request", f"no {name}"), name=name)) for name in ("one", "two")]
    with pytest.raises(ToolFailed, match="one: no one; two: no two"):
        await Together(down).search("crows", context)


def test_merging_takes_the_date_from_whoever_has_it() -> None:
    one = [Hit("http://a.example", "A", "", 1.0, source="x")]
    other = [Hit("https://www.a.example/", "B", "", 0.5, date="2024-01-01", source="y")]
    merged = merge([one, other])
    assert [(hit.title, hit.date, hit.source) for hit in merged] == [("A", "2024-01-01", "x+y")]


async def test_the_order_is_fallen_back_along_with_reasons(context: FakeContext) -> None:
    with Site() as site:
        site.page("/search", b"{}", status=401)
        site.page(
            "*", b'{"results": [{"url": "https://a.example/", "title": "A", "content": "c"}]}', "application/json"
        )
        specs = split_specs(f"tavily:{site.url('/search')}, searxng:{site.url()}")
        providers = make_providers(specs, Setup({"TAVILY_API_KEY": "tvly-0123456789"}))
        shown = await Browser(providers, []).search("crows", context)
    why = "the key is not accepted (status 401); check the key, or leave it out of --search"
    assert shown.status == f"1 results from searxng · tavily: {why}"
    recorded = str(context.effects)
    assert "tvly-" not in recorded


@pytest.fixture
def bare() -> Setup:
    return Setup({})


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("tavily", "tavily needs TAVILY_API_KEY"),
        ("brave", "brave needs BRAVE_API_KEY"),
        ("searxng", "searxng needs SEARXNG_URL"),
        ("google", "no search provider 'google'; there are tavily, brave"),
        ("ddg+", "no search provider ''"),
        ("ddg:x", "takes no address"),
        ("wikipedia:DE!", "no search provider|no language"),
        ("searxng:ftp://x", "is no address of a search provider"),
        ("searxng:http://user:secret@x/", "is no address"),
        ("searxng:http://[x", "is no address"),
    ],
)
def test_providers_that_cannot_be_made_say_why(spec: str, says: str, bare: Setup) -> None:
    with pytest.raises(UserError, match=says):
        make_providers([spec], bare)


def test_a_replay_needs_no_keys() -> None:
    names = [
        provider.name for provider in make_providers(["tavily+brave", "searxng", "ddg"], Setup({}, live=False))
    ]
    assert names == ["tavily+brave", "searxng", "ddg"]


def test_keys_are_not_shown() -> None:
    assert "tvly" not in repr(Setup({"TAVILY_API_KEY": "tvly-0123456789"}))


async def test_a_search_of_some_sites_stays_there_whatever_the_query_asks_for(context: FakeContext) -> None:
    found = [Entry(f"https://{host}/p", host, "") for host in ("a.example", "docs.b.example", "c.example")]
    engine = Scripted(found, found, found)
    provider: SearchProvider = OfSites(WebSearch(engine), ["a.example", "b.example"])
    assert [hit.title for hit in await provider.search("crows", context)] == ["a.example", "docs.b.example"]
    assert [hit.title for hit in await provider.search("crows site:c.example", context)] == [
        "a.example",
        "docs.b.example",
    ]
    assert [hit.title for hit in await provider.search("crows site:docs.b.example", context)] == ["docs.b.example"]
    assert engine.asked[1].words == "crows"
    assert engine.asked[1].site == ("a.example", "b.example")
