"""What the model sees of a page: numbered lines with numbered links, and of a search: numbered results."""

from bisect import bisect_left
from collections.abc import Sequence
from urllib.parse import urlsplit

from crowquill.memory.snapshot import Line, Snapshot
from crowquill.tools.browser.canonical import strip_unseen
from crowquill.tools.search.base import Hit

_TITLE = 150
_SNIPPET = 300
_REASON = 160
_INDENT = 24


def results(hits: Sequence[Hit]) -> str:
    """Return the results of a search, numbered from 1."""
    shown = [
        f"[{number}] {_one_line(hit.title, _TITLE)} ({host(hit.url)}{f', {hit.date}' if hit.date else ''})\n"
        f"    {_one_line(hit.snippet, _SNIPPET)}"
        for number, hit in enumerate(hits, 1)
    ]
    return "\n".join(shown) if shown else "(no results)"


def window(snapshot: Snapshot, first: int, last: int) -> str:
    """Return the title and the lines `first` to `last`, with the numbers of their links."""
    rows = [_row(snapshot, number) for number in range(first, last + 1)]
    return f"{_one_line(snapshot.title, _TITLE)} ({host(snapshot.url)})\n" + "\n".join(rows)


def position(snapshot: Snapshot, first: int, last: int, size: int) -> str:
    """Return where a window stands, in our own words and numbers."""
    total = len(snapshot.lines)
    parts = [f"lines {first}-{last} of {total}", _count(len(snapshot.links), "link")]
    if total > size:
        windows = (total + size - 1) // size
        parts.append(f"window {min((first + size - 2) // size + 1, windows)} of {windows}")
    if snapshot.hidden:
        parts.append(f"{snapshot.hidden} hidden characters left out")
    return " · ".join(parts)


def reason(text: str) -> str:
    """Return an error message as one short line that is fit for a status."""
    return _one_line(text, _REASON)


def host(url: str) -> str:
    """Return the host of a URL, or the last part of one that has none."""
    parts = urlsplit(url)
    return parts.netloc if parts.netloc else url.rpartition("/")[2]


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _one_line(text: str, limit: int) -> str:
    line = " ".join(strip_unseen(text).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def _row(snapshot: Snapshot, number: int) -> str:
    line = snapshot.lines[number - 1]
    before = snapshot.text[snapshot.text.rfind("\n", 0, line.start) + 1 : line.start]
    indent = before[:_INDENT] if line.kind == "code" and before.isspace() else ""
    return f"{number:>4}  {indent}{_mark(line)}{_with_links(snapshot, number)}"


def _with_links(snapshot: Snapshot, number: int) -> str:
    """Put the number of each link after its words; a link that goes on in the next line has it at the end."""
    text, rest, parts = snapshot.line_text(number), 0, []
    for link in snapshot.links[bisect_left(snapshot.links, number, key=lambda link: link.line) :]:
        if link.line != number:
            break
        at = text.find(link.text, rest)
        end = at + len(link.text) if at >= 0 else len(text)
        parts.append(f"{text[rest:end]}[{link.number}]")
        rest = end
    return "".join(parts) + text[rest:]


def _mark(line: Line) -> str:
    match line.kind:
        case "heading":
            return "#" * line.level + " "
        case "item":
            return "  " * (min(line.level, 8) - 1) + "- "
        case _:
            return ""
