"""The text browser: what is shown are windows of numbered lines, and links are opened by number.

One browser per lane. A page is an immutable snapshot, so nothing changes under the cursor.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from crowquill.errors import ToolError, ToolFailed, ToolRetry
from crowquill.memory.evidence import Quote
from crowquill.memory.snapshot import Line, Snapshot
from crowquill.memory.untrusted import Untrusted
from crowquill.memory.verify import locate
from crowquill.tools.browser.find import find_lines
from crowquill.tools.context import ToolContext
from crowquill.tools.observation import Observation
from crowquill.tools.search.base import Hit, PageSource, SearchProvider
from crowquill.tools.tool import Tool, tool

WINDOW = 25
"""Lines of a page that are shown at a time."""
LONGEST_QUOTE = 12
"""Lines that one quote may span."""


@dataclass
class _View:
    """A page with a cursor: the first line shown, and where the last find stands."""

    snapshot: Snapshot
    top: int = 1
    wanted: str = ""
    matches: list[int] = field(default_factory=list)


class Browser:
    """Search results and pages, with a stack to go back."""

    def __init__(
        self, search: Sequence[SearchProvider], sources: Sequence[PageSource], *, window: int = WINDOW
    ) -> None:
        self.hits: list[Hit] = []
        self._providers = tuple(search)
        self._sources = tuple(sources)
        self._window = window
        self._snapshots: dict[str, Snapshot] = {}
        self._stack: list[_View] = []
        self._results = False  # whether the results of a search are shown, rather than a page

    @property
    def current(self) -> Snapshot | None:
        """The open page."""
        return None if self._results or not self._stack else self._stack[-1].snapshot

    def fork(self) -> "Browser":
        """Return a browser at the same place that shares the snapshots and moves on its own."""
        copy = Browser(self._providers, self._sources, window=self._window)
        copy._snapshots = self._snapshots
        copy.hits, copy._results = list(self.hits), self._results
        copy._stack = [_View(view.snapshot, view.top, view.wanted, list(view.matches)) for view in self._stack]
        return copy

    def legal(self) -> frozenset[str]:
        """Return the names of the actions that make sense in the present state."""
        names = {"open"}
        if self._providers:
            names.add("search")
        if self.current is not None:
            view = self._stack[-1]
            names |= {"find", "top", "goto", "quote", "scroll"}
            names |= {"next"} if view.matches else set()
        if len(self._stack) > (0 if self._results else 1):
            names.add("back")
        return frozenset(names)

    async def search(self, query: str, context: ToolContext) -> Observation:
        """Ask the providers in order until one has results, and show them.

        Raises:
            ToolRetry: the query is empty.
            ToolFailed: every provider failed.
        """
        if not query.strip():
            raise ToolRetry("search needs words to look for")
        failures: list[str] = []
        for provider in self._providers:
            try:
                hits = await provider.search(query, context)
            except ToolError as error:
                failures.append(f"{provider.name}: {error}")
                continue
            if hits or provider is self._providers[-1]:
                return self._show_hits(provider.name, hits, failures)
        raise ToolFailed("search failed: " + "; ".join(failures))

    def _show_hits(self, provider: str, hits: list[Hit], failures: list[str]) -> Observation:
        self.hits, self._results = hits, True
        shown = [
            f"[{number}] {hit.title} ({_host(hit.url)})\n    {hit.snippet}" for number, hit in enumerate(hits, 1)
        ]
        status = f"{len(hits)} results from {provider}"
        if failures:
            status += f" · fell back: {'; '.join(failures)}"
        return Observation(Untrusted("\n".join(shown) if shown else "(no results)", provider), status=status)

    async def open(self, target: str, context: ToolContext) -> Observation:
        """Open a result or link by its number, or a URL.

        Raises:
            ToolRetry: there is no such number, or the URL is not known.
            ToolFailed: the page cannot be had.
        """
        url = self._address(target.strip().strip("[]"))
        if url not in self._snapshots:
            source = next((source for source in self._sources if source.handles(url)), None)
            if source is None:
                raise ToolRetry("that page cannot be opened in this run; open a result or a link by its number")
            self._snapshots[url] = await source.open(url, context)
        snapshot = self._snapshots[url]
        if not snapshot.lines:
            raise ToolFailed("the page has no text")
        self._stack.append(_View(snapshot))
        self._results = False
        return self._show()

    def _address(self, target: str) -> str:
        if not target.isdigit():
            return target
        number = int(target)
        current = self.current
        if current is None and 1 <= number <= len(self.hits):
            return self.hits[number - 1].url
        if current is not None and 1 <= number <= len(current.links):
            return current.links[number - 1].url
        known = len(self.hits) if current is None else len(current.links)
        raise ToolRetry(
            f"there is no number {number} here; "
            + (f"1 to {known} can be opened" if known else "nothing is numbered")
        )

    def find(self, text: str) -> Observation:
        """Go to the first occurrence of a text. Raises ToolRetry when it does not occur."""
        view = self._page()
        matches = find_lines(view.snapshot, text)
        if not matches:
            raise ToolRetry("that text does not occur on this page")
        view.wanted, view.matches = text, matches
        return self._go(view, matches[0], f"match 1 of {len(matches)}")

    def next(self) -> Observation:
        """Go to the next occurrence of the last find."""
        view = self._page()
        if not view.matches:
            raise ToolRetry("there is nothing to go on with; use find first")
        later = [line for line in view.matches if line > view.top]
        line = later[0] if later else view.matches[0]
        return self._go(view, line, f"match {view.matches.index(line) + 1} of {len(view.matches)}")

    def scroll(self, direction: str) -> Observation:
        """Move the window down or up."""
        view = self._page()
        step = self._window if direction != "up" else -self._window
        return self._go(view, view.top + step)

    def goto(self, line: int) -> Observation:
        """Move the window to a line, 1 for the top."""
        return self._go(self._page(), line)

    def back(self) -> Observation:
        """Return to the page before."""
        if not self._results:
            if len(self._stack) < 2:
                raise ToolRetry("there is no page to go back to")
            self._stack.pop()
        elif not self._stack:
            raise ToolRetry("there is no page to go back to")
        self._results = False
        return self._show()

    async def quote(self, context: ToolContext, *, lines: str = "", text: str = "") -> Observation:
        """Take lines of the open page as a quote, or a text that stands in it word for word.

        The page's text is kept as a blob under the hash that the quote names.

        Raises:
            ToolRetry: no such lines, too many, or the text does not stand in the page.
        """
        snapshot = self._page().snapshot
        quote = _by_lines(snapshot, lines) if lines else _by_text(snapshot, text)
        data = snapshot.text.encode("utf-8", "surrogatepass")
        await asyncio.to_thread(context.blobs.put, data)
        first, last = quote.lines
        return Observation(Untrusted("", snapshot.url), (quote,), f"quoted lines {first}-{last}")

    def _page(self) -> _View:
        if self.current is None:
            raise ToolRetry("no page is open; open one first")
        return self._stack[-1]

    def _go(self, view: _View, line: int, note: str = "") -> Observation:
        view.top = max(1, min(line, len(view.snapshot.lines)))
        return self._show(note)

    def _show(self, note: str = "") -> Observation:
        view = self._stack[-1]
        snapshot, total = view.snapshot, len(view.snapshot.lines)
        last = min(view.top + self._window - 1, total)
        rows = [_row(snapshot, number) for number in range(view.top, last + 1)]
        status = f"lines {view.top}-{last} of {total} · {len(snapshot.links)} links"
        text = f"{snapshot.title} ({_host(snapshot.url)})\n" + "\n".join(rows)
        return Observation(Untrusted(text, snapshot.url), status=f"{status} · {note}" if note else status)


def _row(snapshot: Snapshot, number: int) -> str:
    line = snapshot.lines[number - 1]
    text = snapshot.line_text(number)
    for link in reversed([link for link in snapshot.links if link.line == number]):
        at = text.rfind(link.text)
        if at >= 0:
            text = f"{text[: at + len(link.text)]}[{link.number}]{text[at + len(link.text) :]}"
    return f"{number:>4}  {_mark(line)}{text}"


def _mark(line: Line) -> str:
    match line.kind:
        case "heading":
            return "#" * line.level + " "
        case "item":
            return "  " * (line.level - 1) + "- "
        case _:
            return ""


def _host(url: str) -> str:
    parts = urlsplit(url)
    return parts.netloc if parts.netloc else url.rpartition("/")[2]


def _by_lines(snapshot: Snapshot, lines: str) -> Quote:
    first, _, last = lines.strip().partition("-")
    try:
        start, end = int(first), int(last) if last else int(first)
    except ValueError:
        raise ToolRetry("lines are given as 3-4, or as 3 for one line") from None
    if end - start >= LONGEST_QUOTE:
        raise ToolRetry(f"a quote has at most {LONGEST_QUOTE} lines")
    try:
        return snapshot.quote(start, end)
    except IndexError as error:
        raise ToolRetry(str(error)) from None


def _by_text(snapshot: Snapshot, text: str) -> Quote:
    found = locate(text, snapshot.text)
    if found is None:
        raise ToolRetry("that text does not stand on this page word for word; quote by line numbers instead")
    covered = [
        number for number, line in enumerate(snapshot.lines, 1) if line.start < found.end and line.end > found.start
    ]
    lines = (covered[0], covered[-1])
    return Quote(snapshot.text[found.start : found.end], snapshot.source, found.start, found.end, lines)


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
