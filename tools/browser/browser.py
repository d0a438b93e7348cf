"""The text browser: what is shown are windows of numbered lines, and links are opened by number.

One browser per lane. A page is an immutable snapshot, so nothing changes under the cursor.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal
from urllib.parse import urldefrag

from crowquill.errors import ToolError, ToolFailed, ToolRetry
from crowquill.memory.snapshot import Snapshot
from crowquill.memory.untrusted import Untrusted
from crowquill.tools.browser import quoting, view
from crowquill.tools.browser.find import Match, find_matches
from crowquill.tools.context import ToolContext
from crowquill.tools.observation import Observation
from crowquill.tools.search.base import Hit, Hits, PageSource, SearchProvider
from crowquill.tools.tool import Tool, tool

WINDOW = 25
"""Lines of a page that are shown at a time."""
_LEAD = 2  # lines shown above a match


@dataclass
class _Results:
    """The results of a search, as a view to go back to."""

    hits: list[Hit]
    provider: str


@dataclass
class _Page:
    """A page with a cursor: the first line shown, and the occurrences of what was last looked for."""

    snapshot: Snapshot
    top: int = 1
    matches: list[Match] = field(default_factory=list)
    match: int = 0


class Browser:
    """Search results and pages, with a stack to go back."""

    def __init__(
        self, search: Sequence[SearchProvider], sources: Sequence[PageSource], *, window: int = WINDOW
    ) -> None:
        """`search` are asked in order; `sources` open pages, the first that handles a URL; `window` is in lines."""
        self._providers = tuple(search)
        self._sources = tuple(sources)
        self._window = window
        self._snapshots: dict[str, Snapshot] = {}
        self._stack: list[_Results | _Page] = []

    @property
    def hits(self) -> list[Hit]:
        """The results of the last search that can still be gone back to, best first."""
        return next((shown.hits for shown in reversed(self._stack) if isinstance(shown, _Results)), [])

    @property
    def current(self) -> Snapshot | None:
        """The open page; None while results are shown, or nothing."""
        shown = self._stack[-1] if self._stack else None
        return shown.snapshot if isinstance(shown, _Page) else None

    def fork(self) -> "Browser":
        """Return a browser at the same place that shares the snapshots and moves on its own."""
        copy = Browser(self._providers, self._sources, window=self._window)
        copy._snapshots = self._snapshots
        copy._stack = [replace(shown) for shown in self._stack]
        return copy

    def legal(self) -> frozenset[str]:
        """Return the names of the actions that make sense in the present state."""
        names = {"open"}
        if self._providers:
            names.add("search")
        shown = self._stack[-1] if self._stack else None
        if isinstance(shown, _Page):
            names |= {"find", "top", "goto", "quote"}
            names |= {"scroll"} if len(shown.snapshot.lines) > self._window else set()
            names |= {"next"} if shown.matches else set()
        if len(self._stack) > 1:
            names.add("back")
        return frozenset(names)

    async def search(self, query: str, context: ToolContext) -> Observation:
        """Ask the providers in order until one has results, and show them.

        Raises:
            ToolRetry: the query is empty.
            ToolFailed: there is no provider, or every one failed.
        """
        if not query.strip():
            raise ToolRetry("search needs words to look for")
        failures: list[str] = []
        empty: list[str] = []
        for provider in self._providers:
            try:
                hits = await provider.search(query, context)
            except ToolError as error:
                failures.append(f"{provider.name}: {view.reason(str(error))}")
                continue
            notes = hits.notes if isinstance(hits, Hits) else ()
            if hits:
                context.offer([hit.url for hit in hits])
                return self._push_results(_Results(hits, provider.name), [*failures, *empty, *notes])
            empty += [f"{provider.name}: no results", *notes]
        if not empty:
            raise ToolFailed("search failed: " + ("; ".join(failures) if failures else "there is no search here"))
        return self._push_results(_Results([], "search"), [*failures, *empty])

    def _push_results(self, shown: _Results, troubles: Sequence[str]) -> Observation:
        self._stack.append(shown)
        return self._show_results(shown, troubles)

    def _show_results(self, shown: _Results, troubles: Sequence[str] = ()) -> Observation:
        status = f"{len(shown.hits)} results from {shown.provider}"
        if troubles:
            status += f" · {'; '.join(troubles)}"
        return Observation(Untrusted(view.results(shown.hits), shown.provider), status=status)

    async def open(self, target: str, context: ToolContext) -> Observation:
        """Open a result or link by its number, or a URL.

        Raises:
            ToolRetry: there is no such number, or the URL is not known.
            ToolFailed: the page cannot be had.
        """
        url = self._address(target.strip().strip("[]<>\"'"))
        snapshot = self._snapshots.get(_key(url))
        if snapshot is None:
            source = next((source for source in self._sources if source.handles(url)), None)
            if source is None:
                raise ToolRetry(f"that page cannot be opened in this run; {self._openable()}")
            snapshot = await source.open(url, context)
            self._snapshots[_key(url)] = snapshot = self._snapshots.setdefault(_key(snapshot.url), snapshot)
        if not snapshot.lines:
            raise ToolFailed("the page has no text to read; it may need JavaScript, try another")
        page = _Page(snapshot)
        self._stack.append(page)
        return self._show(page)

    def _address(self, target: str) -> str:
        if not target.isdecimal():
            return target
        current = self.current
        urls = [hit.url for hit in self.hits] if current is None else [link.url for link in current.links]
        number = int(target) if len(target) < 8 else 0
        if not 1 <= number <= len(urls):
            raise ToolRetry(f"there is no number {target[:8]} here; {self._openable()}")
        return urls[number - 1]

    def _openable(self) -> str:
        current = self.current
        known, what = (len(self.hits), "results") if current is None else (len(current.links), "links of this page")
        return f"open one of the {what} by its number, 1 to {known}" if known else "nothing is numbered here"

    def find(self, text: str) -> Observation:
        """Go to the first occurrence of a text. Raises ToolRetry when it does not occur."""
        page = self._page()
        page.matches, page.match = find_matches(page.snapshot, text), 0
        if not page.matches:
            raise ToolRetry("that text does not occur on this page; try fewer or other words")
        return self._show_match(page)

    def next(self) -> Observation:
        """Go to the next occurrence of the last find; after the last comes the first again."""
        page = self._page()
        if not page.matches:
            raise ToolRetry("there is nothing to go on with; use find first")
        page.match = (page.match + 1) % len(page.matches)
        return self._show_match(page)

    def _show_match(self, page: _Page) -> Observation:
        line = page.matches[page.match].line
        page.top = max(1, line - _LEAD)
        return self._show(page, f"match {page.match + 1} of {len(page.matches)} in line {line}")

    def scroll(self, direction: str) -> Observation:
        """Move the window down or up. Raises ToolRetry at the end of the page."""
        page = self._page()
        last = len(page.snapshot.lines)
        if direction == "up":
            if page.top == 1:
                raise ToolRetry("this is the top of the page")
            page.top = max(1, page.top - self._window)
        else:
            if page.top + self._window > last:
                raise ToolRetry("this is the end of the page")
            page.top += self._window
        return self._show(page)

    def goto(self, line: int) -> Observation:
        """Move the window to a line, 1 for the top. Raises ToolRetry when there is no such line."""
        page = self._page()
        if not 1 <= line <= len(page.snapshot.lines):
            raise ToolRetry(f"this page has lines 1 to {len(page.snapshot.lines)}")
        page.top = line
        return self._show(page)

    def back(self) -> Observation:
        """Return to the page or the results before."""
        if len(self._stack) < 2:
            raise ToolRetry("there is nothing to go back to")
        self._stack.pop()
        shown = self._stack[-1]
        return self._show(shown) if isinstance(shown, _Page) else self._show_results(shown)

    async def quote(self, context: ToolContext, *, lines: str = "", text: str = "") -> Observation:
        """Take lines of the open page as a quote, or a text that stands in it word for word.

        The page's text is kept as a blob under the hash that the quote names.

        Raises:
            ToolRetry: no such lines, too many, or the text does not stand in the page.
        """
        snapshot = self._page().snapshot
        quote = quoting.quote_lines(snapshot, lines) if lines.strip() else quoting.quote_text(snapshot, text)
        data = snapshot.text.encode("utf-8", "surrogatepass")
        await asyncio.to_thread(context.blobs.put, data)
        first, last = quote.lines
        return Observation(Untrusted("", snapshot.url), (quote,), f"quoted lines {first}-{last}")

    def _page(self) -> _Page:
        shown = self._stack[-1] if self._stack else None
        if not isinstance(shown, _Page):
            raise ToolRetry("no page is open; open one first")
        return shown

    def _show(self, page: _Page, note: str = "") -> Observation:
        snapshot = page.snapshot
        last = min(page.top + self._window - 1, len(snapshot.lines))
        status = view.position(snapshot, page.top, last, self._window)
        text = Untrusted(view.window(snapshot, page.top, last), snapshot.url)
        return Observation(text, status=f"{status} · {note}" if note else status)


def _key(url: str) -> str:
    """Return what tells pages apart: a fragment does not."""
    return urldefrag(url).url


def browser_tools(browser: Browser) -> list[Tool]:
    """Return the browser's actions as tools, in a fixed order."""

    @tool
    async def search(query: str, context: ToolContext) -> Observation:
        """Search for pages and show numbered results."""
        return await browser.search(query, context)

    @tool(name="open")
    async def open_page(target: str, context: ToolContext) -> Observation:
        """Open a result or link by its number, or a URL that was shown."""
        return await browser.open(target, context)

    @tool
    async def find(text: str) -> Observation:
        """Go to a text on the open page."""
        return browser.find(text)

    @tool(name="next")
    async def next_match() -> Observation:
        """Go to the next match of the last find."""
        return browser.next()

    @tool
    async def scroll(direction: Literal["down", "up"] = "down") -> Observation:
        """Show the next or the previous lines of the open page."""
        return browser.scroll(direction)

    @tool
    async def top() -> Observation:
        """Go to the top of the open page."""
        return browser.goto(1)

    @tool
    async def goto(line: int) -> Observation:
        """Go to a line of the open page."""
        return browser.goto(line)

    @tool
    async def back() -> Observation:
        """Return to the page before."""
        return browser.back()

    @tool
    async def quote(context: ToolContext, lines: str = "", text: str = "") -> Observation:
        """Take lines of the open page as evidence, as in lines="3-4"; or text="…", word for word."""
        return await browser.quote(context, lines=lines, text=text)

    return [search, open_page, find, next_match, scroll, top, goto, back, quote]
