"""How much of a page is shown at a time, measured in tokens."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from functools import cached_property

from crowquill.memory.snapshot import Snapshot

WINDOW = 700
"""Tokens of a page that are shown at a time."""
_ASCII = 4
"""Characters of a token, as tokenizers of today's models cut English; of other scripts it is about half as many."""
_ROW = 2
"""Tokens of a line's number and mark."""
_LINK = 3
"""Tokens of a link's number and host."""


def tokens(text: str) -> int:
    """Estimate the tokens of a text, without a tokenizer: the same for every model, so that windows never move."""
    if text.isascii():
        return (len(text) + _ASCII - 1) // _ASCII
    plain = len(text.encode("ascii", "ignore"))
    return (plain + 2 * (len(text) - plain) + _ASCII - 1) // _ASCII


class Windows:
    """Where windows of a size begin and end on one page."""

    def __init__(self, snapshot: Snapshot, size: int) -> None:
        self._size = size
        self._snapshot = snapshot

    def last(self, first: int, end: int) -> int:
        """Return the last line of the window that begins at `first`: one line at least, `end` at most."""
        sums = self._sums
        line = bisect_right(sums, sums[first - 1] + self._size, first) - 1
        return max(first, min(line, end))

    def first(self, last: int) -> int:
        """Return the first line of the window that ends with `last`."""
        return min(bisect_left(self._sums, self._sums[last] - self._size, 0, last) + 1, last)

    def number(self, line: int, end: int) -> tuple[int, int]:
        """Return in which window a line stands, and how many there are up to `end`, counted from the top."""
        starts = self._starts(end)
        return bisect_right(starts, line), len(starts)

    @cached_property
    def _sums(self) -> Sequence[int]:
        """The tokens of the lines before each line; one more than lines."""
        costs = [_ROW + tokens(self._snapshot.line_text(at)) for at in range(1, len(self._snapshot.lines) + 1)]
        for link in self._snapshot.links:
            costs[link.line - 1] += _LINK
        sums = [0]
        for cost in costs:
            sums.append(sums[-1] + cost)
        return sums

    def _starts(self, end: int) -> list[int]:
        starts = [1]
        while (last := self.last(starts[-1], end)) < end:
            starts.append(last + 1)
        return starts
