"""Long pages in pieces that can be found by themselves: whole sentences, each with the title and headings above it.

Pages are divided late, when they are remembered, so that lines, offsets and headings of the whole page are known: a
piece is a span of its snapshot, and may be quoted like any other.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from crowquill.memory.snapshot import Snapshot

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
    """Divide the main part of a page at its headings and between sentences.

    The splitter gets the numbers of lines, each as long as its line, and never the text: what it returns are
    borders, and no copies that would have to be found again in the page.
    """
    from langchain_text_splitters import RecursiveCharacterTextSplitter  # 0.3 s, and only long pages need it

    def length(numbers: str) -> int:
        lines = [snapshot.lines[int(number) - 1] for number in numbers.split()]
        return sum(line.end - line.start for line in lines)

    splitter = RecursiveCharacterTextSplitter(
        separators=["\n"], keep_separator=False, chunk_size=size, chunk_overlap=overlap, length_function=length
    )
    for lines, path in _sections(snapshot):
        for piece in splitter.split_text("\n".join(map(str, lines))):
            numbers = piece.split()
            yield Chunk(int(numbers[0]), int(numbers[-1]), path)


def _sections(snapshot: Snapshot) -> Iterator[tuple[list[int], tuple[str, ...]]]:
    """Yield the lines between two headings, and the title and the headings they stand under."""
    path: dict[int, str] = {0: snapshot.title}
    held: list[int] = []
    for number, line in enumerate(snapshot.lines[: snapshot.main_lines], 1):
        if line.kind != "heading":
            held.append(number)
            continue
        yield held, _titles(path)
        held = []
        heading = snapshot.line_text(number)
        path = {level: text for level, text in path.items() if level < max(1, line.level)}
        if heading != snapshot.title:
            path[max(1, line.level)] = heading
    yield held, _titles(path)


def _titles(path: dict[int, str]) -> tuple[str, ...]:
    return tuple(text for _, text in sorted(path.items()) if text)
