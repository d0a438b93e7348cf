"""Long pages in pieces that can be found by themselves: whole sentences, each with the title and headings above it.

Pages are divided late, when they are remembered, so that lines, offsets and headings of the whole page are known: a
piece is a span of its snapshot, and may be quoted like any other.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from crowquill.memory.snapshot import Line, Snapshot

CHUNK = 900
"""Characters of a piece, about 250 tokens; only a single longer line makes it longer."""
OVERLAP = 150
"""Characters of the end of a piece that the next one repeats, in whole sentences."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Lines `first` to `last` (from 1, inclusive); `path` are the title and the headings they stand under."""

    first: int
    last: int
    path: tuple[str, ...]

    @property
    def title(self) -> str:
        """The path as one line."""
        return " › ".join(self.path)


def chunk(snapshot: Snapshot, *, size: int = CHUNK, overlap: int = OVERLAP) -> Iterator[Chunk]:
    """Divide the main part of a page at its headings and between sentences."""
    path: dict[int, str] = {0: snapshot.title}
    held: list[int] = []
    for number, line in enumerate(snapshot.lines[: snapshot.main_lines], 1):
        if line.kind == "heading":
            yield from _piece(held, path)
            held = []
            heading = snapshot.line_text(number)
            path = {level: text for level, text in path.items() if level < max(1, line.level)}
            if heading != snapshot.title:
                path[max(1, line.level)] = heading
            continue
        if held and _length(snapshot, held) + _size(line) > size:
            yield from _piece(held, path)
            held = _tail(snapshot, held, overlap)
        held.append(number)
    yield from _piece(held, path)


def _piece(held: list[int], path: dict[int, str]) -> Iterator[Chunk]:
    if held:
        yield Chunk(held[0], held[-1], tuple(text for _, text in sorted(path.items()) if text))


def _tail(snapshot: Snapshot, held: list[int], overlap: int) -> list[int]:
    """Return the last lines that together are no longer than `overlap`, but not all of them."""
    kept: list[int] = []
    for number in reversed(held[1:]):
        if _length(snapshot, [number, *kept]) > overlap:
            break
        kept.insert(0, number)
    return kept


def _length(snapshot: Snapshot, numbers: list[int]) -> int:
    return sum(_size(snapshot.lines[number - 1]) for number in numbers)


def _size(line: Line) -> int:
    return line.end - line.start
