"""The text browser: what is shown are windows of numbered lines, and links are opened by number.

One browser per lane. A page is an immutable snapshot, so nothing changes under the cursor.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urldefrag

from crowquill.errors import ToolError, ToolFailed, ToolRetry
from crowquill.memory.snapshot import Snapshot
from crowquill.memory.untrusted import Untrusted
from crowquill.tools.browser import forms, quoting, view
from crowquill.tools.browser.places import Page, Results, restored
from crowquill.tools.browser.prefetch import Prefetch
from crowquill.tools.browser.window import WINDOW, tokens
from crowquill.tools.context import Json, ToolContext
from crowquill.tools.observation import Observation
from crowquill.tools.search.base import Hit, Hits, PageSource, SearchProvider

_SCRIPT = "it is filled by JavaScript, which runs only with --js; try another page"
_LEAD = 2  # lines shown above a passage


class Browser:
    """Search results and pages, with a stack to go back."""

    def __init__(
        self,
        search: Sequence[SearchProvider],
        sources: Sequence[PageSource],
        *,
        window: int = WINDOW,
        prefetch: Prefetch | None = None,
    ) -> None:
        """`search` are asked in order; the first of `sources` that handles a URL opens it; `window`: tokens."""
        self._providers = tuple(search)
        self._sources = tuple(sources)
        self._window = window
        self._prefetch = prefetch
        self._snapshots: dict[str, Snapshot] = {}
        self._visited: set[str] = set()
        self._stack: list[Results | Page] = []

    @property
    def hits(self) -> list[Hit]:
        """The results of the last search that can still be gone back to, best first."""
        return next((shown.hits for shown in reversed(self._stack) if isinstance(shown, Results)), [])

    @property
    def current(self) -> Snapshot | None:
        """The open page; None while results are shown, or nothing."""
        shown = self._stack[-1] if self._stack else None
        return shown.snapshot if isinstance(shown, Page) else None

    def fork(self) -> "Browser":
        """Return a browser at the same place that shares the snapshots and moves on its own."""
        copy = Browser(self._providers, self._sources, window=self._window, prefetch=self._prefetch)
        copy._snapshots = self._snapshots
        copy._visited = set(self._visited)
        copy._stack = [replace(shown) for shown in self._stack]
        return copy

    async def dump(self, context: ToolContext) -> dict[str, Json]:
        """Return where the browser stands, as JSON; the pages are kept as blobs that it names."""
        stack: list[Json] = [await shown.dump(context.blobs) for shown in self._stack]
        return {"visited": [*sorted(self._visited)], "stack": stack}

    async def restore(self, state: Mapping[str, Any], context: ToolContext) -> None:
        """Return to where the browser stood that was dumped, on the same pages.

        Raises:
            StorageError: the blob of a page is missing or damaged.
        """
        self._stack = [await restored(shown, self._window, context.blobs) for shown in state["stack"]]
        self._visited = set(state["visited"])
        for shown in self._stack:
            if isinstance(shown, Page):
                self._snapshots[view.page_key(shown.snapshot.url)] = shown.snapshot

    def legal(self) -> frozenset[str]:
        """Return the names of the actions that make sense in the present state."""
        names = {"open"}
        if self._providers:
            names.add("search")
        page = self._stack[-1] if self._stack else None
        if isinstance(page, Page):
            names |= {"find", "top", "goto", "quote"}
            names |= {"scroll"} if page.is_long else set()
            names |= {"next"} if page.matches else set()
            names |= {"outline"} if len(view.outline(page.snapshot)) > 1 else set()
            names |= {"all"} if page.end < len(page.snapshot.lines) else set()
            names |= {"submit"} if forms.usable(page.snapshot) else set()
        if len(self._stack) > 1:
            names.add("back")
        return frozenset(names)

    # --- searching and opening ---

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
                self._fetch_ahead(hits, context)
                return self._push(Results(hits, provider.name), "; ".join([*failures, *empty, *notes]))
            empty += [f"{provider.name}: no results", *notes]
        if not empty:
            raise ToolFailed("search failed: " + ("; ".join(failures) if failures else "there is no search here"))
        return self._push(Results([], "search"), "; ".join([*failures, *empty]))

    def _fetch_ahead(self, hits: Sequence[Hit], context: ToolContext) -> None:
        if self._prefetch is not None:
            self._prefetch.start(
                [hit.url for hit in hits if view.page_key(hit.url) not in self._snapshots], context
            )

    def _push(self, shown: Results | Page, note: str = "") -> Observation:
        self._stack.append(shown)
        return shown.show(self._visited, note)

    async def open(self, target: str, context: ToolContext) -> Observation:
        """Open a result or link by its number, a URL, or a place on the open page as `#id`.

        Raises:
            ToolRetry: there is no such number or place, or the URL is not known.
            ToolFailed: the page cannot be had.
        """
        target = target.strip().strip(f"[]<>\"'{view.VISITED}")
        if target.startswith("#"):
            return self.goto(anchor=target)
        return await self._open_url(self._address(target), context)

    async def submit(self, text: str, context: ToolContext, *, form: int = 0) -> Observation:
        """Send a text by a form of the open page, such as its search; 0 is the first that can be used.

        Raises:
            ToolRetry: there is no text, or no such form.
            ToolFailed: the text may not leave this machine, or the page cannot be had.
        """
        if not text.strip():
            raise ToolRetry("a form needs a text to send")
        url = forms.filled(self._page().snapshot, text.strip(), form)
        await context.check_outgoing(text)
        context.offer([url])
        return await self._open_url(url, context)

    async def _open_url(self, url: str, context: ToolContext) -> Observation:
        if self._prefetch is not None:
            self._prefetch.cancel(but=[url])
        snapshot = self._snapshots.get(view.page_key(url))
        if snapshot is None:
            source = next((source for source in self._sources if source.handles(url)), None)
            if source is None:
                raise ToolRetry(f"that page cannot be opened in this run; {self._openable()}")
            snapshot = await source.open(url, context)
            snapshot = self._snapshots.setdefault(view.page_key(snapshot.url), snapshot)
            self._snapshots[view.page_key(url)] = snapshot
        self._visited |= {view.page_key(url), view.page_key(snapshot.url)}
        if not snapshot.lines:
            shell = snapshot.needs_script
            raise ToolFailed(f"the page is an empty shell: {_SCRIPT}" if shell else "the page has no text to read")
        page = Page(snapshot, self._window)
        line = page.anchored(urldefrag(url).fragment)
        if line is not None:
            page.move(line)
        return self._push(page, f"little is here: {_SCRIPT}" if snapshot.needs_script else "")

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

    # --- on a page ---

    def find(self, text: str, *, ignore_accents: bool = False) -> Observation:
        """Go to the first occurrence of a text. Raises ToolRetry when it does not occur."""
        page = self._page()
        return page.show(self._visited, page.find(text, ignore_accents=ignore_accents))

    def next(self) -> Observation:
        """Go to the next occurrence of the last find; after the last comes the first again."""
        page = self._page()
        return page.show(self._visited, page.next())

    def scroll(self, direction: str) -> Observation:
        """Move the window down or up. Raises ToolRetry at the end of the page."""
        page = self._page()
        page.scroll(direction)
        return page.show(self._visited)

    def goto(self, line: int = 1, *, page: int = 0, anchor: str = "") -> Observation:
        """Move the window to a line, to a page of a PDF, or to `#anchor`. Raises ToolRetry when there is none."""
        shown = self._page()
        shown.goto(line, page, anchor)
        return shown.show(self._visited)

    def show_all(self) -> Observation:
        """Show also what stands around the main part, or leave it out again. Raises ToolRetry without any."""
        page = self._page()
        page.turn()
        return page.show(self._visited)

    def outline(self) -> Observation:
        """Show the headings of the open page with their lines. Raises ToolRetry when it has none."""
        snapshot = self._page().snapshot
        rows = view.outline(snapshot)
        if not rows:
            raise ToolRetry("this page has no headings")
        kept, room = 0, self._window
        while kept < len(rows) and (room := room - tokens(rows[kept])) >= 0:
            kept += 1
        cut = "" if kept == len(rows) else f", the first {kept} shown"
        return Observation(
            Untrusted("\n".join(rows[:kept]), snapshot.url), status=f"outline: {len(rows)} places{cut}"
        )

    def back(self) -> Observation:
        """Return to the page or the results before."""
        if len(self._stack) < 2:
            raise ToolRetry("there is nothing to go back to")
        self._stack.pop()
        return self._stack[-1].show(self._visited)

    async def quote(self, context: ToolContext, *, lines: str = "", text: str = "") -> Observation:
        """Take lines of the open page as a quote, or a text that stands in it word for word.

        The page's text is kept as a blob under the hash that the quote names. A text that does not stand there is
        rejected: there is no evidence, and the window moves to the nearest passage.

        Raises:
            ToolRetry: no such lines, too many, or no passage is near the text.
        """
        page = self._page()
        if lines.strip():
            quote, how = quoting.quote_lines(page.snapshot, lines), "exact"
        else:
            found = quoting.quote_text(page.snapshot, text)
            if isinstance(found, quoting.Rejected):
                page.move(found.lines[0], _LEAD)
                return page.show(self._visited, found.reason)
            quote, how = found
        data = page.snapshot.text.encode("utf-8", "surrogatepass")
        await asyncio.to_thread(context.blobs.put, data)
        first, last = quote.lines
        return Observation(Untrusted("", page.snapshot.url), (quote,), f"quoted lines {first}-{last}, {how}")

    def _page(self) -> Page:
        shown = self._stack[-1] if self._stack else None
        if not isinstance(shown, Page):
            raise ToolRetry("no page is open; open one first")
        return shown
