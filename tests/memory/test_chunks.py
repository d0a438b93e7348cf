"""Pieces of long pages: sentences stay whole, and each piece knows under which headings it stands."""

from collections.abc import Iterable
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from crowquill.memory.chunks import Chunk, chunk
from crowquill.memory.snapshot import Line, LineKind, Snapshot


def page(*parts: tuple[str, LineKind, int]) -> Snapshot:
    return page_of(parts)


def page_of(parts: Iterable[tuple[str, LineKind, int]]) -> Snapshot:
    text, lines = "", list[Line]()
    for words, kind, level in parts:
        lines.append(Line(len(text), len(text) + len(words), kind, level))
        text += words + "\n"
    return Snapshot("https://a.example", "Guide", text, tuple(lines))


def test_a_piece_carries_the_path_of_its_headings() -> None:
    snapshot = page(
        ("Guide", "heading", 1),
        ("Be brief.", "text", 0),
        ("Numbers", "heading", 2),
        ("Write ten.", "text", 0),
        ("Dates", "heading", 3),
        ("Write 3 May.", "text", 0),
        ("Names", "heading", 2),
        ("Write Ann.", "text", 0),
    )
    assert [(piece.title, piece.first) for piece in chunk(snapshot)] == [
        ("Guide", 2),
        ("Guide › Numbers", 4),
        ("Guide › Numbers › Dates", 6),
        ("Guide › Names", 8),
    ]


def test_long_sections_are_divided_between_sentences_with_overlap() -> None:
    snapshot = page_of((f"Sentence number {n} has some words.", "text", 0) for n in range(20))
    pieces = list(chunk(snapshot, size=120, overlap=40))
    assert pieces[0] == Chunk(1, 3, ("Guide",))
    assert all(later.first == earlier.last for earlier, later in pairwise(pieces))
    assert list(chunk(snapshot, size=10, overlap=0)) == [Chunk(n, n, ("Guide",)) for n in range(1, 21)]


KINDS: tuple[LineKind, ...] = ("text", "heading", "item")


@given(st.lists(st.tuples(st.integers(1, 300), st.sampled_from(KINDS)), max_size=30))
def test_every_line_but_headings_is_in_a_piece_and_pieces_go_on(parts: list[tuple[int, LineKind]]) -> None:
    snapshot = page_of(("x" * size, kind, 2 if kind == "heading" else 0) for size, kind in parts)
    pieces = list(chunk(snapshot))
    covered = {number for piece in pieces for number in range(piece.first, piece.last + 1)}
    assert covered == {number for number, (_, kind) in enumerate(parts, 1) if kind != "heading"}
    assert all(later.last > earlier.last for earlier, later in pairwise(pieces))
    for piece in pieces:
        snapshot.quote(piece.first, piece.last)
