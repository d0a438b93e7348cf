"""Taking quotes from a page: lines by their numbers, or a text that stands there word for word."""

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import Literal

from crowquill.errors import ToolRetry
from crowquill.memory.evidence import Quote
from crowquill.memory.snapshot import Snapshot
from crowquill.memory.verify import Located, locate
from crowquill.tools.browser.find import nearest_lines
from crowquill.tools.browser.view import VISITED, host

LONGEST = 12
"""Lines that one quote may span."""
_LINES = re.compile(r"[A-Za-z\[(#:\s]{0,10}?(\d{1,7})(?:\s*(?:-|–|—|to|,|:)\s*(\d{1,7}))?\D{0,2}")
_NUMBER = re.compile(r"^\s{0,6}\d{1,7}\s{2,}(?:#{1,6} |> |\s*(?:-|\d{1,6}\.) )?", re.MULTILINE)
_LINK = re.compile(rf"\[\d{{1,4}}{VISITED}?\] ?")


def quote_lines(snapshot: Snapshot, lines: str) -> Quote:
    """Return lines as a quote; `lines` is like "3-4" or "3". Raises ToolRetry."""
    match = _LINES.fullmatch(lines.strip())
    if match is None:
        raise ToolRetry('lines are given as "3-4", or as "3" for one line')
    first = int(match[1])
    last = int(match[2]) if match[2] is not None else first
    if last - first >= LONGEST:
        raise ToolRetry(f"a quote has at most {LONGEST} lines")
    try:
        return snapshot.quote(first, last)
    except IndexError as error:
        raise ToolRetry(str(error)) from None


@dataclass(frozen=True, slots=True)
class Rejected:
    """A text that does not stand on the page word for word, and the lines that are nearest to it."""

    lines: tuple[int, int]

    @property
    def reason(self) -> str:
        """What to tell the model."""
        first, last = self.lines
        numbers = str(first) if first == last else f"{first}-{last}"
        return f'rejected: not on this page word for word; the nearest is lines="{numbers}", shown here'


def quote_text(snapshot: Snapshot, text: str) -> tuple[Quote, Literal["exact", "normalised"]] | Rejected:
    """Return the place where `text` stands as a quote, and how; a text copied with its numbers is found, too.

    Raises:
        ToolRetry: there is no text, it is too long, or nothing on the page is like it.
    """
    if not text.strip():
        raise ToolRetry('say what to quote: lines="3-4", or text="…" word for word')
    found = locate(text, snapshot.text)
    if found is None:
        found = locate(_without_marks(snapshot, text), snapshot.text)
    if found is None:
        near = nearest_lines(snapshot, text)
        if near is None:
            raise ToolRetry("that text does not stand on this page word for word; quote by line numbers instead")
        return Rejected(near)
    first, last = _covered(snapshot, found)
    if last - first >= LONGEST:
        raise ToolRetry(f"a quote has at most {LONGEST} lines")
    quoted = snapshot.text[found.start : found.end]
    page = snapshot.page_of(first)
    return Quote(quoted, snapshot.source, found.start, found.end, (first, last), page), found.status


def _without_marks(snapshot: Snapshot, text: str) -> str:
    """Take off what the view puts into lines: their numbers, those of links, and the hosts of links."""
    text = _LINK.sub("", _NUMBER.sub("", text))
    hosts = {host(link.url) for link in snapshot.links}
    return re.sub(r" \(([^()\s]{3,100})\)", lambda match: "" if match[1] in hosts else match[0], text)


def _covered(snapshot: Snapshot, found: Located) -> tuple[int, int]:
    first = bisect_right(snapshot.lines, found.start, key=lambda line: line.end) + 1
    last = bisect_left(snapshot.lines, found.end, key=lambda line: line.start)
    return first, max(first, last)
