"""The browser: what is shown, what may be done next, and that nothing moves under the cursor."""

from pathlib import Path
from typing import Literal

import pytest
from tests.support.context import FakeContext

from crowquill.errors import ToolFailed, ToolRetry
from crowquill.memory.evidence import Quote
from crowquill.memory.snapshot import Snapshot
from crowquill.tools.browser.actions import browser_tools
from crowquill.tools.browser.browser import Browser
from crowquill.tools.browser.page import render
from crowquill.tools.context import ToolContext
from crowquill.tools.observation import Observation
from crowquill.tools.search.base import Hit

TEN = 71
"""Tokens of a window that shows ten lines of the page about crows."""
BASE = "https://birds.example"
PAGES = {
    "/crow": "<title>The crow</title><h1>Crow</h1>"
    + '<p>Crows are clever. See <a href="/rook">rooks</a> and <a href="/rook">rooks</a>. Weight: 500 g.</p>'
    + "".join(f"<p>Fact {number} about crows.</p>" for number in range(60))
    + "<ul><li>last item</ul>",
    "/rook": '<title>The rook</title><p>Rooks live in colonies. <a href="/crow">Crow</a></p>',
    "/empty": "<title>App</title><div id=root></div>",
}


class Pages:
    """A page source that renders a fresh, slightly different page each time, as servers do."""

    def __init__(self) -> None:
        self.opened: list[str] = []

    def handles(self, url: str) -> bool:
        return url.startswith(BASE)

    async def open(self, url: str, context: ToolContext) -> Snapshot:
        await context.egress(url)
        self.opened.append(url)
        path = url.removeprefix(BASE).partition("#")[0]
        if path not in PAGES:
            raise ToolFailed("there is no such page")
        html = PAGES[path] + f"<p>Served {len(self.opened)} times.</p>"
        snapshot = render(html.encode(), "text/html", BASE + path)
        context.offer([link.url for link in snapshot.links])
        return snapshot if path != "/empty" else render(PAGES[path].encode(), "text/html", BASE + path)


class Finds:
    """A search provider with fixed answers, or a failure."""

    def __init__(self, name: str, hits: list[Hit] | None) -> None:
        self.name = name
        self._hits = hits

    async def search(self, query: str, context: ToolContext, *, limit: int = 8) -> list[Hit]:
        if self._hits is None:
            raise ToolFailed("no\nnetwork \u202e" + "x" * 500)
        return self._hits


HITS = [
    Hit(f"{BASE}/crow", "The crow\n[9] Fake (bank.example)", "Crows are\x1b clever.", 1.0),
    Hit(f"{BASE}/rook", "The rook", "Rooks.", 0.5),
]


@pytest.fixture
def context(tmp_path: Path) -> FakeContext:
    return FakeContext(tmp_path)


@pytest.fixture
def browser() -> Browser:
    return Browser([Finds("corpus", HITS)], [Pages()], window=TEN)


def rows(observation: Observation) -> list[str]:
    return observation.text.text.split("\n")


async def test_results_are_numbered_and_openable(browser: Browser, context: FakeContext) -> None:
    assert browser.legal() == {"open", "search"}
    shown = await browser.search("crow", context)
    assert rows(shown) == [
        "[1] The crow [9] Fake (bank.example) (birds.example)",
        "    Crows are clever.",
        "[2] The rook (birds.example)",
        "    Rooks.",
    ]
    assert shown.status == "2 results from corpus"
    assert context.offered == {f"{BASE}/crow", f"{BASE}/rook"}
    assert browser.hits == HITS
    assert browser.current is None
    page = await browser.open("[2]", context)
    assert rows(page)[0] == "The rook (birds.example)"


async def test_providers_are_asked_in_order_and_say_why(context: FakeContext) -> None:
    browser = Browser([Finds("web", None), Finds("empty", []), Finds("corpus", HITS)], [])
    shown = await browser.search("crow", context)
    assert shown.status.startswith("2 results from corpus · web: no network xxx")
    assert shown.status.endswith("…; empty: no results")
    assert "\n" not in shown.status
    nothing = await Browser([Finds("empty", []), Finds("web", None)], []).search("crow", context)
    assert nothing.status.startswith("0 results from search · web: no network")
    assert rows(nothing) == ["(no results)"]
    with pytest.raises(ToolFailed, match="search failed: web: no network"):
        await Browser([Finds("web", None)], []).search("crow", context)
    with pytest.raises(ToolFailed, match="no search here"):
        await Browser([], []).search("crow", context)
    with pytest.raises(ToolRetry, match="needs words"):
        await browser.search("  ", context)


async def test_a_page_is_shown_in_windows(browser: Browser, context: FakeContext) -> None:
    shown = await browser.open(f"{BASE}/crow", context)
    assert rows(shown)[:5] == [
        "The crow (birds.example)",
        "   1  # Crow",
        "   2  Crows are clever.",
        "   3  See [1] rooks and [2] rooks.",
        "   4  Weight: 500 g.",
    ]
    assert shown.status == "lines 1–10 of 66 · window 1 of 7 · 2 links"
    down = browser.scroll("down")
    assert down.status == "lines 11–20 of 66 · window 2 of 7 · 2 links"
    assert rows(down)[1] == "  11  Fact 6 about crows."
    assert browser.goto(65).status == "lines 65–66 of 66 · window 7 of 7 · 2 links"
    assert rows(browser.goto(65))[1] == "  65  - last item"
    with pytest.raises(ToolRetry, match="end of the page"):
        browser.scroll("down")
    assert browser.scroll("up").status.startswith("lines 55–64")
    assert browser.goto(1).status.startswith("lines 1–10")
    with pytest.raises(ToolRetry, match="top of the page"):
        browser.scroll("up")
    for line in (0, -1, 67, 10**9):
        with pytest.raises(ToolRetry, match="lines 1 to 66"):
            browser.goto(line)


async def test_marks_are_only_in_the_view(context: FakeContext) -> None:
    class One(Pages):
        async def open(self, url: str, context: ToolContext) -> Snapshot:
            html = (
                "<h3>Head</h3><ol><li>a<ul><li>b</ul></ol><pre>x:\n  y</pre><p style='display:none'>psst</p>"
                '<p>Word <a href="/two">one word. And another</a> word.</p><a href="/3">word</a>'
            )
            return render(html.encode(), "text/html", url)

    browser = Browser([], [One()])
    shown = await browser.open(f"{BASE}/one", context)
    assert rows(shown)[1:] == [
        "   1  ### Head",
        "   2  1. a",
        "   3    - b",
        "   4  x:",
        "   5    y",
        "   6  Word [1] one word.",
        "   7  And another word.",
        "   8  [2] word",
    ]
    assert shown.status == "lines 1–8 of 8 · 2 links · 4 hidden characters left out"


async def test_links_are_opened_by_number_and_back_returns_to_the_same_place(
    browser: Browser, context: FakeContext
) -> None:
    await browser.search("crow", context)
    await browser.open("1", context)
    browser.scroll("down")
    await browser.open("2", context)
    assert browser.current is not None
    assert browser.current.title == "The rook"
    assert browser.back().status.startswith("lines 11–20 of 66")
    results = browser.back()
    assert results.status == "2 results from corpus"
    assert browser.current is None
    assert "back" not in browser.legal()
    with pytest.raises(ToolRetry, match="nothing to go back to"):
        browser.back()


async def test_numbers_that_lead_nowhere_say_what_is_possible(browser: Browser, context: FakeContext) -> None:
    with pytest.raises(ToolRetry, match="nothing is numbered here"):
        await browser.open("1", context)
    await browser.search("crow", context)
    for target in ("0", "3", "99999999999999999999"):
        with pytest.raises(ToolRetry, match="results by its number, 1 to 2"):
            await browser.open(target, context)
    await browser.open("1", context)
    with pytest.raises(ToolRetry, match="links of this page by its number, 1 to 2"):
        await browser.open("7", context)
    with pytest.raises(ToolRetry, match="cannot be opened in this run"):
        await browser.open("ftp://elsewhere.example", context)
    with pytest.raises(ToolRetry, match="cannot be opened in this run"):
        await browser.open("", context)


async def test_urls_that_nobody_offered_are_refused(tmp_path: Path) -> None:
    strict = FakeContext(tmp_path, strict=True)
    browser = Browser([Finds("corpus", HITS)], [Pages()])
    with pytest.raises(ToolRetry, match="not offered"):
        await browser.open(f"{BASE}/rook", strict)
    await browser.search("crow", strict)
    await browser.open("1", strict)
    await browser.open("1", strict)


async def test_a_failed_open_leaves_everything_as_it_was(browser: Browser, context: FakeContext) -> None:
    await browser.open(f"{BASE}/crow", context)
    browser.find("Fact 7")
    for path in ("/missing", "/empty"):
        with pytest.raises(ToolFailed):
            await browser.open(BASE + path, context)
    assert browser.current is not None
    assert browser.current.title == "The crow"
    assert "next" in browser.legal()


async def test_a_page_never_changes_under_the_cursor(context: FakeContext) -> None:
    pages = Pages()
    browser = Browser([], [pages], window=TEN)
    first = await browser.open(f"{BASE}/crow", context)
    before = browser.current
    await browser.open(f"{BASE}/rook", context)
    again = await browser.open(f"{BASE}/crow#section", context)
    assert again.text.text.replace("[1✓] rooks and [2✓]", "[1] rooks and [2]") == first.text.text
    assert again.status == first.status
    assert browser.current is before
    assert pages.opened == [f"{BASE}/crow", f"{BASE}/rook"]


async def test_find_and_next_go_round(browser: Browser, context: FakeContext) -> None:
    await browser.open(f"{BASE}/crow", context)
    found = browser.find("FACT 1")
    assert found.status.endswith("match 1 of 11 in line 6")
    assert rows(found)[3] == "   6  Fact 1 about crows."
    lines = []
    for _ in range(11):
        status = browser.next().status
        lines.append(int(status.rsplit(" ", 1)[1]))
        browser.goto(1)  # looking elsewhere does not lose the place
    assert lines == [*range(15, 25), 6]


async def test_a_match_in_the_last_line_is_in_the_window(browser: Browser, context: FakeContext) -> None:
    await browser.open(f"{BASE}/crow", context)
    assert any("Served" in row for row in rows(browser.find("Served 1 times")))
    assert any("Fact 5 about" in row for row in rows(browser.find("fact 4 about crows. fact 5")))


async def test_find_state_belongs_to_its_page_and_its_last_search(browser: Browser, context: FakeContext) -> None:
    await browser.open(f"{BASE}/crow", context)
    with pytest.raises(ToolRetry, match="use find first"):
        browser.next()
    browser.find("fact")
    await browser.open("1", context)
    assert "next" not in browser.legal()
    with pytest.raises(ToolRetry, match="use find first"):
        browser.next()
    browser.back()
    assert "next" in browser.legal()
    with pytest.raises(ToolRetry, match="does not occur"):
        browser.find("penguin")
    assert "next" not in browser.legal()


@pytest.mark.parametrize(
    ("lines", "text", "numbers"),
    [
        ("2-3", "Crows are clever. See rooks and rooks.", (2, 3)),
        ("3", "See rooks and rooks.", (3, 3)),
        ("lines 2–4", "Crows are clever. See rooks and rooks. Weight: 500 g.", (2, 4)),
        ("[2 to 3]", "Crows are clever. See rooks and rooks.", (2, 3)),
        (" 1 , 2 ", "Crow\nCrows are clever.", (1, 2)),
    ],
)
async def test_quoting_lines(
    lines: str, text: str, numbers: tuple[int, int], browser: Browser, context: FakeContext
) -> None:
    await browser.open(f"{BASE}/crow", context)
    snapshot = browser.current
    assert snapshot is not None
    observation = await browser.quote(context, lines=lines)
    [quote] = observation.evidence
    assert isinstance(quote, Quote)
    assert (quote.text, quote.lines) == (text, numbers)
    assert snapshot.text[quote.start : quote.end] == quote.text
    assert context.blobs.get(quote.source.sha256).decode() == snapshot.text
    assert not observation.text
    assert observation.status == f"quoted lines {numbers[0]}-{numbers[1]}, exact"


@pytest.mark.parametrize("lines", ["x", "0", "3-2", "1-99", "1-13", "1-2-3", "-1-2", "1000000000", "2.5"])
async def test_lines_that_cannot_be_quoted(lines: str, browser: Browser, context: FakeContext) -> None:
    await browser.open(f"{BASE}/crow", context)
    with pytest.raises(ToolRetry):
        await browser.quote(context, lines=lines)


@pytest.mark.parametrize(
    ("text", "quoted", "numbers"),
    [
        ("Crows are clever.", "Crows are clever.", (2, 2)),
        ("See  rooks\nand rooks.", "See rooks and rooks.", (3, 3)),
        ("   3  See [1✓] rooks and [2] rooks.", "See rooks and rooks.", (3, 3)),
        ("are clever. See rooks", "are clever. See rooks", (2, 3)),
    ],
)
async def test_quoting_text(
    text: str, quoted: str, numbers: tuple[int, int], browser: Browser, context: FakeContext
) -> None:
    await browser.open(f"{BASE}/crow", context)
    [quote] = (await browser.quote(context, text=text)).evidence
    assert isinstance(quote, Quote)
    assert (quote.text, quote.lines) == (quoted, numbers)


@pytest.mark.parametrize(
    ("text", "nearest"), [("Weight: 50 g.", 4), ("Crows are very clever birds", 2), ("Served 12 times.", 66)]
)
async def test_text_that_does_not_stand_there_is_rejected_and_the_nearest_shown(
    text: str, nearest: int, browser: Browser, context: FakeContext
) -> None:
    await browser.open(f"{BASE}/crow", context)
    shown = await browser.quote(context, text=text)
    assert not shown.evidence
    assert shown.status.endswith(
        f'rejected: not on this page word for word; the nearest is lines="{nearest}", shown here'
    )
    assert any(row.startswith(f"{nearest:>4}  ") for row in rows(shown))


@pytest.mark.parametrize(
    ("text", "says"),
    [("Penguins swim in the cold sea", "quote by line numbers instead"), ("", "say what to quote")],
)
async def test_text_that_is_like_nothing_here(text: str, says: str, browser: Browser, context: FakeContext) -> None:
    await browser.open(f"{BASE}/crow", context)
    with pytest.raises(ToolRetry, match=says):
        await browser.quote(context, text=text)


async def test_without_a_page_only_opening_makes_sense(browser: Browser, context: FakeContext) -> None:
    await browser.search("crow", context)
    for act in (browser.next, lambda: browser.find("x"), lambda: browser.goto(1), lambda: browser.scroll("down")):
        with pytest.raises(ToolRetry, match="no page is open"):
            act()
    with pytest.raises(ToolRetry, match="no page is open"):
        await browser.quote(context, lines="1")


async def test_legal_actions_follow_the_state(browser: Browser, context: FakeContext) -> None:
    await browser.open(f"{BASE}/crow", context)
    assert browser.legal() == {"open", "search", "find", "top", "goto", "quote", "scroll"}
    browser.find("crow")
    assert "next" in browser.legal()
    await browser.open("1", context)
    assert browser.legal() == {"open", "search", "find", "top", "goto", "quote", "back"}
    await browser.search("crow", context)
    assert browser.legal() == {"open", "search", "back"}
    assert "search" not in Browser([], []).legal()


async def test_a_fork_moves_on_its_own_and_shares_pages(context: FakeContext) -> None:
    pages = Pages()
    browser = Browser([], [pages], window=TEN)
    await browser.open(f"{BASE}/crow", context)
    fork = browser.fork()
    fork.find("fact")
    await fork.open("1", context)
    assert "next" not in browser.legal()
    assert browser.scroll("down").status.startswith("lines 11–20")
    await browser.open("1", context)
    assert pages.opened == [f"{BASE}/crow", f"{BASE}/rook"]
    assert fork.back().status.startswith("lines 3–11")


async def test_the_status_never_carries_what_a_page_says(context: FakeContext) -> None:
    browser = Browser([Finds("corpus", HITS)], [Pages()])
    statuses: list[str] = [(await browser.search("crow", context)).status]
    statuses += [(await browser.open("1", context)).status, browser.find("clever").status]
    statuses.append((await browser.quote(context, lines="2")).status)
    for word in ("Crow", "clever", "Fact", "birds.example", "Fake"):
        assert not any(word in status for status in statuses)


Wrong = Literal["search", "open", "find", "scroll", "goto"]


async def test_tools_are_named_documented_and_checked(browser: Browser, context: FakeContext) -> None:
    tools = {tool.name: tool for tool in browser_tools(browser)}
    names = "search open find next scroll top outline goto all submit back quote"
    assert list(tools) == names.split()
    assert {tool.access for tool in tools.values()} == {"read"}
    assert all(0 < len(tool.description) < 120 for tool in tools.values())
    assert tools["scroll"].parameters["properties"]["direction"]["enum"] == ["down", "up"]
    assert tools["open"].parameters["required"] == ["target"]
    shown = await tools["open"].call({"target": f"{BASE}/crow"}, context)
    assert shown.status.startswith("lines 1–10")
    assert (await tools["scroll"].call({}, context)).status.startswith("lines 11–20")
    assert (await tools["top"].call({}, context)).status.startswith("lines 1–10")
    assert len((await tools["quote"].call({"lines": "2"}, context)).evidence) == 1
    wrong: list[tuple[Wrong, dict[str, object]]] = [
        ("search", {}),
        ("open", {"target": None}),
        ("find", {"text": "x", "more": 1}),
        ("scroll", {"direction": "left"}),
        ("goto", {"line": "three"}),
    ]
    for name, arguments in wrong:
        with pytest.raises(ToolRetry, match=f"^{name}: "):
            await tools[name].call(arguments, context)
