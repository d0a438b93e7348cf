"""What a browser's stack holds: the results of a search, and pages with a cursor."""

import asyncio
from collections.abc import Collection
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, cast
from urllib.parse import unquote

from crowquill.errors import ToolRetry
from crowquill.memory.snapshot import Snapshot
from crowquill.memory.untrusted import Untrusted
from crowquill.tools.browser import view
from crowquill.tools.browser.find import Match, find_matches
from crowquill.tools.browser.window import Windows
from crowquill.tools.context import Blobs, Json
from crowquill.tools.observation import Observation
from crowquill.tools.search.base import Hit, Passage

_LEAD = 2  # lines shown above a match


@dataclass
class Results:
    """The results of a search, as a view to go back to."""

    hits: list[Hit]
    provider: str

    def show(self, visited: Collection[str], troubles: str = "") -> Observation:
        """Show the results, and what went wrong on the way to them."""
        status = f"{len(self.hits)} results from {self.provider}" + (f" · {troubles}" if troubles else "")
        return Observation(Untrusted(view.results(self.hits, visited), self.provider), status=status)

    async def dump(self, blobs: Blobs) -> dict[str, Json]:
        """Return this as JSON (see `restored`)."""
        return {"provider": self.provider, "hits": [cast("Json", asdict(hit)) for hit in self.hits]}


@dataclass
class Page:
    """A page with a cursor: the first line shown, and the occurrences of what was last looked for.

    `size` is that of a window in tokens. `whole`: what stands around the main part is shown, too.
    """

    snapshot: Snapshot
    size: int
    top: int = 1
    matches: list[Match] = field(default_factory=list)
    match: int = 0
    whole: bool = False

    @cached_property
    def windows(self) -> Windows:
        """Where windows begin and end on this page."""
        return Windows(self.snapshot, self.size)

    @property
    def end(self) -> int:
        """The last line that is shown."""
        return len(self.snapshot.lines) if self.whole else self.snapshot.main_lines

    @property
    def is_long(self) -> bool:
        """Whether it does not fit into one window."""
        return self.top > 1 or self.windows.last(1, self.end) < self.end

    def show(self, visited: Collection[str], note: str = "") -> Observation:
        """Show the window at the cursor."""
        last = self.windows.last(self.top, self.end)
        windows = self.windows.number(self.top, self.end)
        status = view.position(self.snapshot, self.top, last, windows, end=self.end)
        text = Untrusted(view.window(self.snapshot, self.top, last, visited), self.snapshot.url)
        return Observation(text, status=f"{status} · {note}" if note else status)

    def move(self, line: int, lead: int = 0) -> None:
        """Put the window where it shows `line`, with up to `lead` lines above; outside the main part, show all."""
        self.whole = self.whole or line > self.end
        top = max(1, line - lead)
        while self.windows.last(top, self.end) < line:
            top += 1
        self.top = top

    def scroll(self, direction: str) -> None:
        """Move the window down or up. Raises ToolRetry at the end of the page."""
        if direction == "up":
            if self.top == 1:
                raise ToolRetry("this is the top of the page")
            self.top = self.windows.first(self.top - 1)
            return
        last = self.windows.last(self.top, self.end)
        if last == self.end:
            more = "; all shows what stands around the main part" if last < len(self.snapshot.lines) else ""
            raise ToolRetry(f"this is the end of the page{more}")
        self.top = last + 1

    def find(self, text: str, *, ignore_accents: bool) -> str:
        """Go to the first occurrence of a text, in the main part if it occurs there; return a note.

        Raises:
            ToolRetry: it does not occur.
        """
        self.matches, self.match = [], 0
        found = find_matches(self.snapshot, text, ignore_accents=ignore_accents)
        if not found:
            only = not ignore_accents and find_matches(self.snapshot, text, ignore_accents=True)
            advice = "it does with ignore_accents" if only else "try fewer or other words"
            raise ToolRetry(f"that text does not occur on this page; {advice}")
        inside = [match for match in found if match.line <= self.end]
        self.matches = inside if inside else found
        outside = len(found) - len(self.matches)
        return self._to_match() + (f" · {outside} more around the main part" if outside else "")

    def next(self) -> str:
        """Go to the next occurrence, after the last to the first; return a note. Raises ToolRetry."""
        if not self.matches:
            raise ToolRetry("there is nothing to go on with; use find first")
        self.match = (self.match + 1) % len(self.matches)
        return self._to_match()

    def _to_match(self) -> str:
        line = self.matches[self.match].line
        self.move(line, _LEAD)
        return f"match {self.match + 1} of {len(self.matches)} in line {line}"

    def goto(self, line: int, page: int, anchor: str) -> None:
        """Move the window to a line, to a page of a PDF, or to an anchor. Raises ToolRetry when there is none."""
        total, pages = len(self.snapshot.lines), len(self.snapshot.pages)
        if anchor:
            found = self.anchored(anchor)
            if found is None:
                raise ToolRetry("this page has no place of that name")
            line = found
        elif page:
            if not 1 <= page <= pages:
                raise ToolRetry(
                    f"this PDF has pages 1 to {pages}" if pages else "this is no PDF: it has lines only"
                )
            line = min(self.snapshot.pages[page - 1], total)
        if not 1 <= line <= total:
            raise ToolRetry(f"this page has lines 1 to {total}")
        self.move(line)

    def anchored(self, anchor: str) -> int | None:
        """Return the line that `#anchor` names."""
        names = dict(self.snapshot.anchors)
        wanted = anchor.removeprefix("#")
        return names.get(wanted, names.get(unquote(wanted)))

    def turn(self) -> None:
        """Show also what stands around the main part, or leave it out again. Raises ToolRetry."""
        if self.snapshot.main is None:
            raise ToolRetry("all of this page is shown")
        self.whole = not self.whole
        self.top = self.snapshot.main + 1 if self.whole else 1

    async def dump(self, blobs: Blobs) -> dict[str, Json]:
        """Return this as JSON (see `restored`); the page itself is kept as a blob."""
        data = self.snapshot.to_json().encode("utf-8", "surrogatepass")
        return {
            "page": await asyncio.to_thread(blobs.put, data),
            "top": self.top,
            "whole": self.whole,
            "match": self.match,
            "matches": [cast("Json", asdict(match)) for match in self.matches],
        }


async def restored(state: dict[str, Any], size: int, blobs: Blobs) -> Results | Page:
    """Restore what `dump` returned. Raises StorageError when a page's blob is missing."""
    if "page" not in state:
        return Results([_hit(hit) for hit in state["hits"]], state["provider"])
    data = await asyncio.to_thread(blobs.get, state["page"])
    snapshot = Snapshot.from_json(data.decode("utf-8", "surrogatepass"))
    matches = [Match(**match) for match in state["matches"]]
    return Page(snapshot, size, state["top"], matches, state["match"], state["whole"])


def _hit(state: dict[str, Any]) -> Hit:
    return Hit(**{**state, "passages": tuple(Passage(**passage) for passage in state["passages"])})
