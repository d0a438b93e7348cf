"""What the model sees of a page: numbered lines with numbered links, and of a search: numbered results."""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator, Sequence
from urllib.parse import urldefrag, urlsplit

from crowquill.memory.snapshot import Form, Line, Snapshot
from crowquill.tools.browser.canonical import strip_unseen
from crowquill.tools.browser.table import BAR, SEPARATOR
from crowquill.tools.search.base import Hit

VISITED = "✓"
"""Stands after the number of a result or link that was opened before."""
_TITLE = 150
_SNIPPET = 300
_REASON = 160
_INDENT = 24
_CELL = 40
_WIDTH = 160
"""Characters of a cell and of a row up to which tables are aligned."""
_HEAD_REACH = 500
"""Lines above a window in which the head of its table is looked for."""


def page_key(url: str) -> str:
    """Return what tells pages apart: a fragment does not."""
    return urldefrag(url).url


def results(hits: Sequence[Hit], visited: Collection[str] = ()) -> str:
    """Return the results of a search, numbered from 1."""
    shown = [
        f"[{number}{_visited(hit.url, visited)}] {one_line(hit.title, _TITLE)}"
        f" ({host(hit.url)}{f', {hit.date}' if hit.date else ''})\n"
        f"    {one_line(hit.snippet, _SNIPPET)}"
        for number, hit in enumerate(hits, 1)
    ]
    return "\n".join(shown) if shown else "(no results)"


def window(snapshot: Snapshot, first: int, last: int, visited: Collection[str] = ()) -> str:
    """Return the title and the lines `first` to `last`, with the numbers of their links, and the forms there.

    Where a table began above the window, the line of its head is shown first.
    """
    numbers = [*_head_above(snapshot, first), *range(first, last + 1)]
    rows = [f"{number:>4}  {row}" for number, row in zip(numbers, _rows(snapshot, numbers, visited), strict=True)]
    rows += [f"      {form_line(form)}" for form in snapshot.forms if first <= form.line <= last]
    return f"{one_line(snapshot.title, _TITLE)} ({host(snapshot.url)})\n" + "\n".join(rows)


def outline(snapshot: Snapshot) -> list[str]:
    """Return the headings of the main part with their lines; of a PDF without headings its pages."""
    headings = [
        f"{number:>4}  {'  ' * (line.level - 1)}{one_line(snapshot.line_text(number), _TITLE)}"
        for number, line in enumerate(snapshot.lines[: snapshot.main_lines], 1)
        if line.kind == "heading"
    ]
    if headings or not snapshot.pages:
        return headings
    last = len(snapshot.lines)
    return [f"{line:>4}  page {page}" for page, line in enumerate(snapshot.pages, 1) if line <= last]


def form_line(form: Form) -> str:
    """Return a form as one line; only GET forms can be used."""
    labels = ", ".join(field.label for field in form.fields if field.label)
    use = "" if form.method == "get" and labels else " (cannot be used here)"
    return f"[form {form.number}: {labels if labels else 'no fields'}]{use}"


def position(snapshot: Snapshot, first: int, last: int, windows: tuple[int, int], *, end: int) -> str:
    """Return where a window stands among the lines up to `end`, in our own words and numbers."""
    parts = [f"lines {first}–{last} of {end}"]
    if windows[1] > 1:
        parts.append(f"window {windows[0]} of {windows[1]}")
    begins, ends = snapshot.page_of(first), snapshot.page_of(last)
    if begins is not None:
        parts.append(f"PDF p. {begins}" if begins == ends else f"PDF p. {begins}–{ends}")
    parts.append(_count(bisect_right(snapshot.links, end, key=lambda link: link.line), "link"))
    if snapshot.forms:
        parts.append(_count(len(snapshot.forms), "form"))
    if snapshot.hidden:
        parts.append(f"{_count(snapshot.hidden, 'hidden character')} left out")
    if end < len(snapshot.lines):
        parts.append(f"{_count(len(snapshot.lines) - end, 'line')} around the main part not shown")
    return " · ".join(parts)


def reason(text: str) -> str:
    """Return an error message as one short line that is fit for a status."""
    return one_line(text, _REASON)


def host(url: str) -> str:
    """Return the host of a URL, or the last part of one that has none."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return parts.netloc if parts.netloc else url.rpartition("/")[2]


def one_line(text: str, limit: int) -> str:
    """Return text on one line, cut at a number of characters."""
    line = " ".join(strip_unseen(text).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _visited(url: str, visited: Collection[str]) -> str:
    return VISITED if page_key(url) in visited else ""


def _head_above(snapshot: Snapshot, first: int) -> list[int]:
    """Return the line of the head of the table in which a window begins, if that is above."""
    line = snapshot.lines[first - 1]
    if line.kind != "row" or line.level == 1:
        return []
    for number in range(first - 1, max(0, first - _HEAD_REACH), -1):
        above = snapshot.lines[number - 1]
        if above.kind != "row":
            return []
        if above.level == 1:
            return [number]
    return []


def _rows(snapshot: Snapshot, numbers: Sequence[int], visited: Collection[str]) -> Iterator[str]:
    """Yield lines as they are shown; the rows of a table are aligned."""
    table: list[str] = []
    for number in numbers:
        line = snapshot.lines[number - 1]
        text = _with_links(snapshot, number, visited)
        if line.kind == "row":
            table.append(text)
            continue
        yield from _aligned(table)
        table = []
        yield _indent(snapshot, line) + _mark(line) + text
    yield from _aligned(table)


def _aligned(rows: Sequence[str]) -> list[str]:
    cells = [BAR.split(row) for row in rows]
    count = max(map(len, cells), default=0)
    widths = [max((len(row[at]) for row in cells if at < len(row)), default=0) for at in range(count)]
    if max(widths, default=0) > _CELL or sum(widths) + len(SEPARATOR) * count > _WIDTH:
        return list(rows)
    return [SEPARATOR.join(cell.ljust(widths[at]) for at, cell in enumerate(row)).rstrip() for row in cells]


def _with_links(snapshot: Snapshot, number: int, visited: Collection[str]) -> str:
    """Put `[12]` before the words of each link, and the host behind, where that is another than the page's."""
    line, rest, parts = snapshot.lines[number - 1], snapshot.lines[number - 1].start, []
    own = host(snapshot.url) if "//" in snapshot.url else ""
    for link in snapshot.links[bisect_left(snapshot.links, number, key=lambda link: link.line) :]:
        if link.line != number:
            break
        at = max(rest, link.start)
        end = max(at, min(link.start + len(link.text), line.end))
        there = host(link.url) if "//" in link.url else ""
        parts.append(
            f"{snapshot.text[rest:at]}[{link.number}{_visited(link.url, visited)}] {snapshot.text[at:end]}"
        )
        parts.append(f" ({there})" if there and there != own else "")
        rest = end
    return "".join(parts) + snapshot.text[rest : line.end]


def _indent(snapshot: Snapshot, line: Line) -> str:
    if line.kind != "code":
        return ""
    before = snapshot.text[snapshot.text.rfind("\n", 0, line.start) + 1 : line.start]
    return before[:_INDENT] if before.isspace() else ""


def _mark(line: Line) -> str:
    match line.kind:
        case "heading":
            return "#" * line.level + " "
        case "item":
            mark = f"{line.mark} " if line.mark else "  "
            return "  " * (min(line.level, 8) - 1) + mark
        case "quote":
            return "> "
        case _:
            return ""
