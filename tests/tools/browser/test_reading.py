"""Reading a page: windows in tokens, tables over windows, outlines, anchors, forms, and coming back."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.context import FakeContext
from tests.support.pdf import At, write_pdf

from crowquill.errors import ToolFailed, ToolRetry
from crowquill.memory.snapshot import Snapshot
from crowquill.tools.browser.browser import Browser
from crowquill.tools.browser.page import render
from crowquill.tools.browser.prefetch import Prefetch
from crowquill.tools.browser.window import Windows, tokens
from crowquill.tools.context import ToolContext
from crowquill.tools.observation import Observation
from crowquill.tools.search.base import Hit

BASE = "https://site.example"


class Pages:
    """Serves what it is given by path, HTML or PDF."""

    def __init__(self, pages: dict[str, str | bytes]) -> None:
        self._pages = pages
        self.opened: list[str] = []
        self.ahead: list[str] = []
        self.stopped: list[str] = []

    def handles(self, url: str) -> bool:
        return url.startswith(BASE)

    async def open(self, url: str, context: ToolContext) -> Snapshot:
        await context.egress(url)
        self.opened.append(url.removeprefix(BASE))
        page = self._pages.get(url.removeprefix(BASE).partition("#")[0])
        if page is None:
            raise ToolFailed("there is no such page")
        data = page.encode() if isinstance(page, str) else page
        return render(data, "text/html" if isinstance(page, str) else "application/pdf", url.partition("#")[0])

    async def prefetch(self, url: str, context: ToolContext) -> None:
        self.ahead.append(url.removeprefix(BASE))
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            self.stopped.append(url.removeprefix(BASE))
            raise


@pytest.fixture
def context(tmp_path: Path) -> FakeContext:
    return FakeContext(tmp_path)


async def opened(
    context: FakeContext, page: str | bytes, *, window: int = 100, more: dict[str, str | bytes] | None = None
) -> tuple[Browser, Observation]:
    browser = Browser([], [Pages({"/page": page} | (more if more is not None else {}))], window=window)
    return browser, await browser.open(f"{BASE}/page", context)


def rows(observation: Observation) -> list[str]:
    return observation.text.text.split("\n")[1:]


def snapshot_of(html: str) -> Snapshot:
    return render(html.encode(), "text/html", f"{BASE}/page", charset="utf-8")


@pytest.mark.parametrize("size", [1, 20, 100, 10_000])
def test_windows_cover_a_page_without_gaps(size: int) -> None:
    snapshot = snapshot_of("".join(f"<p>{'word ' * (n % 17)}{n} <a href=/{n}>link</a></p>" for n in range(200)))
    windows, end = Windows(snapshot, size), len(snapshot.lines)
    starts, line = [], 1
    while line <= end:
        starts.append(line)
        line = windows.last(line, end) + 1
    assert [windows.number(start, end) for start in starts] == [
        (number, len(starts)) for number in range(1, len(starts) + 1)
    ]
    for start in starts[1:]:
        up = windows.first(start - 1)
        assert windows.last(up, start - 1) == start - 1
        assert up == 1 or windows.last(up - 1, end) < start - 1, "one more line would fit"


def test_tokens_count_other_scripts_twice() -> None:
    assert (tokens(""), tokens("abcd"), tokens("abcde"), tokens("ёжик")) == (0, 1, 2, 2)
    assert tokens("word " * 100) == 125


async def test_long_sentences_fill_a_window_sooner(context: FakeContext) -> None:
    short, _ = await opened(context, "".join(f"<p>{n}.</p>" for n in range(100)))
    _, shown = await opened(context, "".join(f"<p>{n} {'word ' * 30}.</p>" for n in range(100)))
    assert len(rows(short.goto(1))) > 20
    assert len(rows(shown)) == 2
    assert shown.status == "lines 1–2 of 100 · window 1 of 50 · 0 links"


TABLE = (
    "<table><thead><tr><th>River</th><th>Length (km)</th><th>Mouth</th></tr></thead>"
    "<tr><td rowspan=2>Danube</td><td>2,850</td><td><a href=/sea>Black Sea</a></td></tr>"
    "<tr><td>2,888</td><td>other count</td></tr>"
    "<tr><td colspan=2>Rhine, 1,230</td><td>North Sea</td></tr>"
    + "".join(f"<tr><td>River {n}</td><td>{n}</td><td>Sea</td></tr>" for n in range(40))
    + "</table><p>After.</p>"
)


async def test_tables_are_aligned_and_their_head_is_repeated(context: FakeContext) -> None:
    browser, shown = await opened(context, TABLE)
    assert rows(shown)[:5] == [
        "   1  River        | Length (km) | Mouth",
        "   2  Danube       | 2,850       | [1] Black Sea",
        "   3  Danube       | 2,888       | other count",
        "   4  Rhine, 1,230 |             | North Sea",
        "   5  River 0      | 0           | Sea",
    ]
    down = rows(browser.scroll("down"))
    assert down[0] == "   1  River    | Length (km) | Mouth"
    assert down[1].startswith("  13  River 8  | 8 ")
    page = browser.current
    assert page is not None
    assert page.line_text(4) == "Rhine, 1,230 | | North Sea"
    assert rows(browser.goto(45)) == ["  45  After."]


async def test_cells_that_span_rows_cost_what_they_say(context: FakeContext) -> None:
    bomb = "<table><tr><td rowspan=65534>" + "x" * 60 + "<td>y" + "<tr><td>z" * 3000 + "</table>"
    assert len(snapshot_of(bomb).text) < 300_000
    wide = "<table>" + "<tr><td colspan=65534>a<td>b" * 100 + "</table>"
    assert len(snapshot_of(wide).text) < 300_000


async def test_the_outline_and_goto(context: FakeContext) -> None:
    html = "".join(f"<h{1 + n % 3} id=s{n}>Part {n}</h{1 + n % 3}><p>{'Text. ' * 9}</p>" for n in range(12))
    browser, _ = await opened(context, html, window=60)
    assert "outline" in browser.legal()
    shown = browser.outline()
    assert shown.text.text.split("\n")[:4] == ["   1  Part 0", "  11    Part 1", "  21      Part 2", "  31  Part 3"]
    assert shown.status == "outline: 12 places"
    assert rows(browser.goto(31))[0] == "  31  # Part 3"
    assert rows(await browser.open("#s4", context))[0] == "  41  ## Part 4"
    with pytest.raises(ToolRetry, match="no place of that name"):
        await browser.open("#elsewhere", context)
    with pytest.raises(ToolRetry, match="is no PDF"):
        browser.goto(page=2)
    plain, _ = await opened(context, "<p>Text.</p>")
    assert "outline" not in plain.legal()
    with pytest.raises(ToolRetry, match="no headings"):
        plain.outline()


async def test_links_lead_to_places_on_other_pages(context: FakeContext) -> None:
    target = "<p>Intro.</p>" * 50 + "<h2 id='Früh'>Early</h2><p>Text.</p><a name=old></a><p>Old.</p>"
    browser, _ = await opened(
        context, '<a href="/other#Fr%C3%BCh">a</a> <a href="/other#old">b</a>', more={"/other": target}
    )
    assert rows(await browser.open("1", context))[0] == "  51  ## Early"
    browser.back()
    assert rows(await browser.open("2", context))[0] == "  53  Old."


async def test_pages_of_a_pdf(context: FakeContext) -> None:
    data = write_pdf([[At(60, 700, f"This is said on page {n} of the file.")] for n in range(1, 31)])
    browser, shown = await opened(context, data, window=60)
    assert shown.status.startswith("lines 1–5 of 30 · window 1 of 6 · PDF p. 1–5")
    assert browser.goto(page=9).status.startswith("lines 9–13 of 30 · window 2 of 6 · PDF p. 9–13")
    assert browser.outline().text.text.split("\n")[1] == "   2  page 2"
    [quote] = (await browser.quote(context, text="said on page 9 of the file")).evidence
    assert getattr(quote, "page", None) == 9
    with pytest.raises(ToolRetry, match="pages 1 to 30"):
        browser.goto(page=31)


AROUND = "<nav>Menu <a href=/m>M</a></nav><main>{}</main><footer>Imprint: <a href=/i>I</a></footer>"


async def test_what_stands_around_the_main_part_is_shown_when_asked_for(context: FakeContext) -> None:
    story = "".join(f"<p>Story {n} goes <a href=/s>on</a>.</p>" for n in range(20))
    browser, shown = await opened(context, AROUND.format(story), window=1000)
    assert shown.status == "lines 1–20 of 20 · 20 links · 2 lines around the main part not shown"
    assert "all" in browser.legal()
    with pytest.raises(ToolRetry, match="all shows what stands around"):
        browser.scroll("down")
    assert rows(browser.show_all()) == ["  21  Menu [21] M", "  22  Imprint: [22] I"]
    assert browser.show_all().status.startswith("lines 1–20 of 20")
    assert browser.find("imprint").status.endswith("match 1 of 1 in line 22")
    assert rows(browser.goto(1))[-1] == "  22  Imprint: [22] I"
    with pytest.raises(ToolRetry, match="all of this page"):
        (await opened(context, "<p>Simple.</p>"))[0].show_all()


SEARCH = (
    "<p>Find birds.</p><form action=/find><input type=hidden name=lang value=en>"
    "<input name=q placeholder='Search birds'>"
    "<input type=checkbox name=all><select name=sort><option value=new>New<option value=old selected>Old</select>"
    "<input type=submit value=Go></form><form method=post action=/login><input name=user></form><p>End.</p>"
)


async def test_search_forms_are_listed_and_used(context: FakeContext) -> None:
    browser, shown = await opened(
        context, SEARCH, more={"/find?lang=en&q=rook+%26+crow&sort=old": "<p>Found: rook &amp; crow.</p>"}
    )
    assert shown.status == "lines 1–2 of 2 · 0 links · 2 forms"
    assert rows(shown) == [
        "   1  Find birds.",
        "   2  End.",
        "      [form 1: Search birds]",
        "      [form 2: user] (cannot be used here)",
    ]
    assert "submit" in browser.legal()
    assert rows(await browser.submit("rook & crow", context)) == ["   1  Found: rook & crow."]
    assert f"{BASE}/find?lang=en&q=rook+%26+crow&sort=old" in context.offered
    assert "rook & crow" in context.asked, "what is sent is checked"
    browser.back()
    for text, form, says in (("x", 2, "form 2 cannot be used; usable: 1"), (" ", 0, "needs a text")):
        with pytest.raises(ToolRetry, match=says):
            await browser.submit(text, context, form=form)
    with pytest.raises(ToolRetry, match="no form"):
        await (await opened(context, "<p>x</p>"))[0].submit("x", context)


async def test_links_show_other_hosts_and_what_was_visited(context: FakeContext) -> None:
    html = '<p>See <a href="/a">A</a>, <a href="https://else.example/b">B</a> and <a href="/a#x">C</a>.</p>'
    browser, shown = await opened(context, html, more={"/a": "<p>Page A.</p>"})
    assert rows(shown) == ["   1  See [1] A, [2] B (else.example) and [3] C."]
    await browser.open("[1]", context)
    assert rows(browser.back()) == ["   1  See [1✓] A, [2] B (else.example) and [3✓] C."]
    copied = "See [1✓] A, [2] B (else.example) and [3✓] C."
    assert (await browser.quote(context, text=copied)).status == "quoted lines 1-1, exact"


async def test_find_ignores_accents_only_on_request(context: FakeContext) -> None:
    browser, _ = await opened(context, "<p>Erwin Schrödinger met Dvořák.</p><p>Schrodinger is no one.</p>")
    assert browser.find("schrodinger").status.endswith("match 1 of 1 in line 2")
    assert browser.find("schrodinger", ignore_accents=True).status.endswith("match 1 of 2 in line 1")
    with pytest.raises(ToolRetry, match="it does with ignore_accents"):
        browser.find("dvorak")
    assert "next" not in browser.legal()


SHELLS = [
    '<div id="root"></div><script src=a.js></script>',
    "<noscript>You need to enable JavaScript to run this app.</noscript><p>Loading…</p><script>1</script>",
]


@pytest.mark.parametrize("html", SHELLS)
async def test_shells_that_scripts_fill_say_so(html: str, context: FakeContext) -> None:
    if "Loading" in html:
        assert "little is here: it is filled by JavaScript" in (await opened(context, html))[1].status
    else:
        with pytest.raises(ToolFailed, match="empty shell: it is filled by JavaScript"):
            await opened(context, html)
    page = f"<div id=root></div><script>x</script><p>{'A page with text. ' * 20}</p>"
    assert "JavaScript" not in (await opened(context, page))[1].status
    with pytest.raises(ToolFailed, match="no text to read"):
        await opened(context, "<p></p>")


async def test_a_browser_comes_back_to_where_it_was(context: FakeContext) -> None:
    pages = Pages({"/page": TABLE, "/sea": "<p>The sea is black.</p>"})
    hits = [Hit(f"{BASE}/page", "Rivers", "About rivers.", 1.0)]

    class Finds:
        name = "corpus"

        async def search(self, query: str, context: ToolContext, *, limit: int = 8) -> list[Hit]:
            return hits

    browser = Browser([Finds()], [pages], window=100)
    await browser.search("rivers", context)
    await browser.open("1", context)
    browser.find("river 2")
    shown = browser.next()
    await browser.open("1", context)
    state = json.loads(json.dumps(await browser.dump(context)))
    other = Browser([Finds()], [pages], window=100)
    await other.restore(state, context)
    assert other.legal() == browser.legal()
    assert other.current == browser.current
    moves: list[Callable[[Browser], Observation]] = [Browser.back, Browser.next, Browser.back]
    for move in moves:
        assert move(other) == move(browser)
    assert shown.status in (shown.status for _ in moves)
    await other.open("1", context)
    assert pages.opened == ["/page", "/sea"], "restored pages are not fetched again"


async def test_results_are_fetched_ahead_and_cancelled_when_not_needed(context: FakeContext) -> None:
    pages = Pages({f"/{n}": f"<p>Page {n}.</p>" for n in range(9)})

    class Finds:
        name = "web"

        async def search(self, query: str, context: ToolContext, *, limit: int = 8) -> list[Hit]:
            first = int(query)
            return [Hit(f"{BASE}/{n}", f"Page {n}", "", 1.0) for n in range(first, first + 5)]

    browser = Browser([Finds()], [pages], prefetch=Prefetch([pages], count=2))
    await browser.search("0", context)
    await asyncio.sleep(0)
    assert (pages.ahead, pages.opened, context.effects) == (["/0", "/1"], [], [])
    await browser.search("1", context)
    await asyncio.sleep(0)
    assert pages.ahead == ["/0", "/1", "/2"]
    assert pages.stopped == ["/0"]
    await browser.open("1", context)
    await asyncio.sleep(0)
    assert pages.stopped == ["/0", "/2"], "what is opened goes on; the others are not needed"
