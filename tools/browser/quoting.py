"""Taking quotes from a page: lines by their numbers, or a text that stands there word for word."""

import re

from crowquill.errors import ToolRetry
from crowquill.memory.evidence import Quote
from crowquill.memory.snapshot import Snapshot
from crowquill.memory.verify import Located, locate
from crowquill.tools.browser.find import nearest_lines

LONGEST = 12
"""Lines that one quote may span."""
_LINES = re.compile(r"[A-Za-z\[(#:\s]{0,10}?(\d{1,7})(?:\s*(?:-|–|—|to|,|:)\s*(\d{1,7}))?\D{0,2}")
_SHOWN = re.compile(r"\[\d{1,4}\]|^\s{0,6}\d{1,7}\s{2,}(?:#{1,6} |(?:  )*- )?", re.MULTILINE)


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


def quote_text(snapshot: Snapshot, text: str) -> Quote:
    """Return the place where `text` stands as a quote; a text copied with its numbers is found, too.

    Raises:
        ToolRetry: it does not stand there; the message names the nearest lines.
    """
    if not text.strip():
        raise ToolRetry('say what to quote: lines="3-4", or text="…" word for word')
    found = locate(text, snapshot.text)
    if found is None:
        found = locate(_SHOWN.sub("", text), snapshot.text)
    if found is None:
        raise ToolRetry(f"that text does not stand on this page word for word{_hint(snapshot, text)}")
    first, last = _covered(snapshot, found)
    if last - first >= LONGEST:
        raise ToolRetry(f"a quote has at most {LONGEST} lines")
    text = snapshot.text[found.start : found.end]
    return Quote(text, snapshot.source, found.start, found.end, (first, last), snapshot.page_of(first))


def _covered(snapshot: Snapshot, found: Located) -> tuple[int, int]:
    numbers = [
        number for number, line in enumerate(snapshot.lines, 1) if line.start < found.end and line.end > found.start
    ]
    return numbers[0], numbers[-1]


def _hint(snapshot: Snapshot, text: str) -> str:
    near = nearest_lines(snapshot, text)
    if near is None:
        return "; quote by line numbers instead"
    first, last = near
    numbers = str(first) if first == last else f"{first}-{last}"
    return f'; the nearest is lines="{numbers}"'
