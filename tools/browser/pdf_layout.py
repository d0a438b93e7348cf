"""The reading order of a PDF page: words to segments of lines, columns, rows, and blocks of running text.

Coordinates are points with y upward, as in PDF. Everything is measured against the size of the type.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Literal

_GAP = 1.1
"""Widths of the type after which what stands on one line is another segment: a cell, or another column."""
_LEAST_LINES = 4
"""Lines that a column must have on both sides of a gutter."""
_COLUMN_SHARE = 0.3
"""Share of a page's segments that must stand beside a gutter; else it is a table in running text."""
_FILLED = 0.55
"""Share of a column's width from which a line counts as running text; cells of a table fill less."""
_OVERHANG = 0.15
"""Share of the width of both columns by which a line reaches over the gutter to count as spanning it."""
_LEADERS = 4
"""Dots that lead from an entry of a table of contents to its page."""
BULLETS = "•‣▪▫●○◦■□–—*·∗"
_BULLET = re.compile(rf"[{BULLETS}]$|\[\w{{1,12}}\]$|\(?\d{{1,3}}[.)]$|\(?[a-z]\)$")
_STOPS = (".", "!", "?", ":", ";", "”", '"', ")")

Kind = Literal["text", "row", "code", "item"]
_GOING_ON: frozenset[tuple[Kind, Kind]] = frozenset({("text", "text"), ("item", "text"), ("code", "code")})
"""Kinds of two lines that can be one block."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word at the baseline `y` from `x0` to `x1`; `size` is the height of its type.

    `broken`: a hyphen ends its line here. `fixed`: all its letters have one width, as in code.
    """

    text: str
    x0: float
    x1: float
    y: float
    size: float
    broken: bool = False
    fixed: bool = False


@dataclass(slots=True)
class Segment:
    """Words that follow each other on one line."""

    words: list[Word]

    @property
    def x0(self) -> float:
        return self.words[0].x0

    @property
    def x1(self) -> float:
        return self.words[-1].x1

    @property
    def width(self) -> float:
        return self.x1 - self.x0

    @property
    def size(self) -> float:
        return max(word.size for word in self.words)

    @property
    def y(self) -> float:
        return max(self.words, key=lambda word: word.size).y


Row = list[Segment]
"""What stands on one line of a column, from left to right."""


@dataclass(frozen=True, slots=True)
class Block:
    """Rows that belong together: a paragraph, a table row, lines of code, or an item of a list."""

    kind: Kind
    rows: list[Row]

    @property
    def words(self) -> list[Word]:
        return [word for row in self.rows for segment in row for word in segment.words]

    @property
    def size(self) -> float:
        return median(segment.size for row in self.rows for segment in row)


def page_blocks(words: Sequence[Word]) -> Iterator[Block]:
    """Yield the blocks of a page in reading order."""
    for column in _columns(_segments(words), deep=True):
        yield from _blocks(_rows(column))


def _segments(words: Sequence[Word]) -> list[Segment]:
    found: list[Segment] = []
    for word in words:
        if found and _goes_on(found[-1].words[-1], word):
            found[-1].words.append(word)
        else:
            found.append(Segment([word]))
    return found


def _goes_on(before: Word, word: Word) -> bool:
    size = max(before.size, word.size)
    return (
        not before.broken
        and abs(word.y - before.y) <= 0.5 * size
        and -0.5 * size <= word.x0 - before.x1 <= _GAP * size
    )


# --- columns ---


def _columns(segments: list[Segment], *, deep: bool) -> list[list[Segment]]:
    """Divide a page, or a part of one, into parts that are read one after the other."""
    head, body, foot = _margins(segments) if deep else ([], segments, [])
    gutter = _gutter(body) if len(body) >= 2 * _LEAST_LINES else None
    if gutter is None:
        return [part for part in (head, body, foot) if part]
    found = [head]
    left: list[Segment] = []
    right: list[Segment] = []
    spanning: list[Segment] = []
    for row in _rows(body):
        sides = [_side(segment, gutter) for segment in row]
        if "both" in sides or ("right" not in sides and spanning and spanning[-1].y - row[0].y < 1.6 * row[0].size):
            found += [*_columns(left, deep=False), *_columns(right, deep=False)]
            left, right = [], []
            spanning += row
            continue
        found.append(spanning)
        spanning = []
        left += [segment for segment, side in zip(row, sides, strict=True) if side == "left"]
        right += [segment for segment, side in zip(row, sides, strict=True) if side == "right"]
    found += [spanning, *_columns(left, deep=False), *_columns(right, deep=False), foot]
    return [part for part in found if part]


def _margins(segments: list[Segment]) -> tuple[list[Segment], list[Segment], list[Segment]]:
    """Take the running head and foot off: a first or last line with more than a line's room to the rest."""
    if len(segments) < 2 * _LEAST_LINES:
        return [], segments, []
    ordered = sorted(segments, key=lambda segment: -segment.y)
    room = 1.8 * median(segment.size for segment in segments)
    head = [segment for segment in ordered if ordered[0].y - segment.y < 0.3 * room]
    foot = [segment for segment in ordered if segment.y - ordered[-1].y < 0.3 * room]
    body = ordered[len(head) : len(ordered) - len(foot)]
    if not body or head[-1].y - body[0].y < room:
        head = []
    if not body or body[-1].y - foot[0].y < room:
        foot = []
    apart = {id(segment) for segment in (*head, *foot)}
    return head, [segment for segment in segments if id(segment) not in apart], foot


def _gutter(segments: list[Segment]) -> tuple[float, float, float] | None:
    """Return the left edge, the gutter and the right edge of two columns, or None."""
    left, right = min(segment.x0 for segment in segments), max(segment.x1 for segment in segments)
    starts = Counter(round(segment.x0 / 3) for segment in segments)
    best: tuple[int, float] | None = None
    for start, count in starts.most_common(12):
        place = start * 3 - 3.0
        if count < _LEAST_LINES or not left + 0.2 * (right - left) < place < right - 0.2 * (right - left):
            continue
        shared = _beside(segments, (left, place, right))
        if shared is not None and (best is None or shared > best[0]):
            best = shared, place
    return None if best is None else (left, best[1], right)


def _beside(segments: list[Segment], edges: tuple[float, float, float]) -> int | None:
    """Return how many segments stand beside a gutter; None when those are no columns of running text."""
    sides: dict[str, list[Segment]] = {"left": [], "right": [], "both": []}
    for segment in segments:
        sides[_side(segment, edges)].append(segment)
    left, right = sides["left"], sides["right"]
    beside = len(left) + len(right)
    if min(len(left), len(right)) < _LEAST_LINES or beside < _COLUMN_SHARE * len(segments):
        return None
    if not (_is_prose(left) and _is_prose(right)):
        return None
    tops, bottoms = zip(*((max(s.y for s in side), min(s.y for s in side)) for side in (left, right)), strict=True)
    return beside if min(tops) > max(bottoms) else None


def _is_prose(column: list[Segment]) -> bool:
    """Say whether most words stand in lines that fill their column; formulas between them have few words."""
    rows = _rows(column)
    width = max(row[-1].x1 for row in rows) - min(row[0].x0 for row in rows)
    words = [sum(len(segment.words) for segment in row) for row in rows]
    full = [row[-1].x1 - row[0].x0 >= _FILLED * width for row in rows]
    in_full = [count for count, is_full in zip(words, full, strict=True) if is_full]
    return len(in_full) >= _LEAST_LINES and sum(in_full) >= 0.6 * sum(words) and sum(in_full) >= 3 * len(in_full)


def _side(segment: Segment, edges: tuple[float, float, float]) -> Literal["left", "right", "both"]:
    left, gutter, right = edges
    over_left, over_right = gutter - segment.x0, segment.x1 - gutter
    if over_left > _OVERHANG * (gutter - left) and over_right > _OVERHANG * (right - gutter):
        return "both"
    return "left" if over_left > over_right else "right"


# --- rows and blocks ---


def _rows(segments: Sequence[Segment]) -> list[Row]:
    rows: list[Row] = []
    y = size = 0.0
    for segment in sorted(segments, key=lambda segment: -segment.y):
        if rows and abs(y - segment.y) <= 0.4 * max(size, segment.size):
            rows[-1].append(segment)
            if segment.size > size:
                y, size = segment.y, segment.size
        else:
            rows.append([segment])
            y, size = segment.y, segment.size
    for row in rows:
        row.sort(key=lambda segment: segment.x0)
    return rows


def _blocks(rows: list[Row]) -> Iterator[Block]:
    """Divide the rows of a column into paragraphs, table rows, lines of code and items."""
    left = min(row[0].x0 for row in rows)
    right = max(row[-1].x1 for row in rows)
    steps = [above[0].y - row[0].y for above, row in pairwise(rows)]
    leading = median(steps) if steps else 0.0
    kinds: list[Kind] = [_kind(rows, at) for at in range(len(rows))]
    held: list[Row] = []
    for at, (row, kind) in enumerate(zip(rows, kinds, strict=True)):
        if held and not (
            (kinds[at - 1], kind) in _GOING_ON and _joins(rows[at - 1], row, kind, (left, right, leading))
        ):
            yield Block(kinds[at - len(held)], held)
            held = []
        held.append(row)
    if held:
        yield Block(kinds[len(rows) - len(held)], held)


def _kind(rows: list[Row], at: int) -> Kind:
    row = rows[at]
    if sum(word.text == "." for segment in row for word in segment.words) >= _LEADERS:
        return "row"
    if _is_fixed(row) and any(map(_is_fixed, (*rows[max(0, at - 1) : at], *rows[at + 1 : at + 2]))):
        return "code"
    if len(row) > 1 and any(
        _aligned(row, other) for other in (*rows[max(0, at - 1) : at], *rows[at + 1 : at + 2]) if len(other) > 1
    ):
        return "row"
    return "item" if _BULLET.match(row[0].words[0].text) and len(row[0].words) + len(row) > 2 else "text"


def _is_fixed(row: Row) -> bool:
    return all(word.fixed for segment in row for word in segment.words)


def _aligned(row: Row, other: Row) -> bool:
    """Say whether most of the room between the segments of one line is room in the other, too, as in a table."""
    gaps, others = _gaps(row), _gaps(other)
    shared = sum(
        any(min(end, near_end) - max(start, near) >= _GAP * row[0].size for near, near_end in others)
        for start, end in gaps
    )
    return 2 * shared > min(len(gaps), len(others))


def _gaps(row: Row) -> list[tuple[float, float]]:
    return [(cell.x1, following.x0) for cell, following in pairwise(row)]


def _joins(above: Row, row: Row, kind: Kind, column: tuple[float, float, float]) -> bool:
    """Say whether a line goes on with the block of the line above it."""
    left, right, leading = column
    size, before = max(segment.size for segment in row), max(segment.size for segment in above)
    step = above[0].y - row[0].y
    if abs(size - before) > 0.12 * max(size, before) or step > max(1.4 * leading, 1.3 * size):
        return False
    end = above[-1].words[-1]
    if kind == "code" or end.broken:
        return True
    indent = row[0].x0 - left
    if above[0].x0 - left < 0.3 * size and 0.6 * size < indent < 4 * size:
        return False
    is_short = right - above[-1].x1 > 0.3 * (right - left)
    return not is_short or (row[0].words[0].text[:1].islower() and not end.text.endswith(_STOPS))
