"""Data tables of a page, row by row: cells that span rows stand in each of them, cells that span columns once."""

import re
from dataclasses import dataclass, field

from crowquill.tools.browser.canonical import LinkSpan

SEPARATOR = " | "
BAR = re.compile(r" ?(?<![^ ])\|(?![^ ]) ?")
"""Where one cell of a row ends and the next begins."""
_REPEATED = 80
"""Characters up to which a cell that spans rows stands in each of them."""
_REPEATS = 20_000
"""Cells that one table may repeat: a few bytes of a page must not become megabytes."""
_MOST = 1000
"""Rows that a cell may span, and columns of a table."""
_DIGITS = re.compile(r"\s*\+?0*(\d{1,5})")

Settled = tuple[str, list[LinkSpan]]
"""The text of a cell or row, and its links."""


def span(value: str | None) -> int:
    """Return a rowspan or colspan as a number from 1."""
    match = _DIGITS.match(value) if value is not None else None
    return max(1, min(int(match[1]), _MOST)) if match is not None else 1


@dataclass(slots=True)
class Cell:
    """A cell as it is read; `parts` and `urls` collect what stands in it."""

    columns: int = 1
    rows: int = 1
    is_head: bool = False
    settled: Settled = ("", [])


@dataclass(slots=True)
class Table:
    """What is known of a table while it is read. `layout`: it only places things on the page."""

    layout: bool = False
    in_head: bool = False
    row: list[Cell] | None = None
    _spanning: dict[int, tuple[int, str]] = field(default_factory=dict)
    _repeats: int = 0

    def close_row(self) -> tuple[str, list[LinkSpan], bool, bool]:
        """Return text and links of the row that ends, whether it has several cells, and whether it is a head."""
        own = self.row if self.row is not None else []
        self.row = None
        cells: list[Settled] = []
        for cell in own:
            self._fill(cells)
            if cell.rows > 1:
                text = cell.settled[0] if len(cell.settled[0]) <= _REPEATED else ""
                for column in range(len(cells), min(len(cells) + cell.columns, _MOST)):
                    self._spanning[column] = cell.rows - 1, text if column == len(cells) else ""
            cells.append(cell.settled)
            cells += [("", [])] * min(cell.columns - 1, _MOST - len(cells))
        self._fill(cells)
        is_row = len(own) > 1 or sum(bool(text) for text, _ in cells) > 1
        is_head = is_row and (self.in_head or all(cell.is_head for cell in own))
        if not is_row:
            cells = [cell for cell in cells if cell[0]]
        return *_joined(cells), is_row, is_head

    def _fill(self, cells: list[Settled]) -> None:
        """Put in the cells that reach down from the rows above, as far as the next free place."""
        while len(cells) in self._spanning and self._repeats < _REPEATS:
            self._repeats += 1
            column = len(cells)
            rows, text = self._spanning.pop(column)
            if rows > 1:
                self._spanning[column] = rows - 1, text
            cells.append((text, []))


def _joined(cells: list[Settled]) -> Settled:
    """Put cells between bars; next to an empty one there is one space, not two."""
    parts: list[str] = []
    links: list[LinkSpan] = []
    length = 0
    for at, (text, spans) in enumerate(cells):
        spaced = length == 0 or parts[-1].endswith(" ")
        bar = "" if at == 0 else SEPARATOR.lstrip() if spaced else SEPARATOR
        length += len(bar)
        links += [(start + length, end + length, url) for start, end, url in spans]
        length += len(text)
        parts += [bar, text] if text else [bar] if bar else []
    return "".join(parts), links
