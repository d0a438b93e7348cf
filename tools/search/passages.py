"""Which lines of a page answer a query."""

from collections.abc import Callable, Sequence

from crowquill.memory.embed import Embedder, Vectors
from crowquill.memory.snapshot import Snapshot
from crowquill.memory.textual import content_words
from crowquill.tools.search.base import Passage

LEXICAL_WEIGHT = 0.5
"""What a line that holds every content word of the query gains over its cosine similarity."""

CANDIDATES = 16
"""Lines of one page that are embedded: the first six and those that share most words with the query. Embedding is
what a search spends its time on, a few milliseconds a line."""

_OPENING = 6

LineVectors = Callable[[Snapshot, Sequence[int]], Vectors]
"""Gives the vectors of lines (numbers from 1) of a snapshot; the corpus keeps them in its cache."""


def rank_lines(snapshot: Snapshot, query: str, embedder: Embedder, limit: int) -> list[Passage]:
    """Return the lines of `snapshot` that are most relevant to `query`, best first, headings left out.

    The score is the cosine similarity of query and line (read after the page's title, for context) plus
    `LEXICAL_WEIGHT` times the share of the query's content words that the line or the title holds.
    """

    def vectors(page: Snapshot, numbers: Sequence[int]) -> Vectors:
        return embedder.embed([line_in_context(page, number) for number in numbers])

    return score_lines(snapshot, query, embedder.embed([query])[0], vectors, limit)


def line_in_context(snapshot: Snapshot, number: int) -> str:
    """Return the text by which a line is embedded."""
    return f"{snapshot.title}: {snapshot.line_text(number)}" if snapshot.title else snapshot.line_text(number)


def score_lines(
    snapshot: Snapshot, query: str, query_vector: Vectors, vectors: LineVectors, limit: int
) -> list[Passage]:
    """As `rank_lines`, for a query that is embedded already and line vectors from elsewhere."""
    lines = snapshot.lines[: snapshot.main_lines]  # navigation and footers answer nothing
    numbers = [at for at, line in enumerate(lines, 1) if line.kind != "heading"]
    if not numbers or limit < 1:
        return []
    overlap = _overlap(snapshot, numbers, query)
    if len(numbers) > CANDIDATES:
        order = sorted(range(len(numbers)), key=lambda at: (at >= _OPENING, -overlap[at], at))
        kept = sorted(order[:CANDIDATES])
        numbers, overlap = [numbers[at] for at in kept], overlap[kept]
    scores = vectors(snapshot, numbers) @ query_vector + LEXICAL_WEIGHT * overlap
    import numpy as np  # 0.2 s, and only vectors need it

    best = np.argsort(-scores, kind="stable")[:limit]
    return [
        Passage(numbers[at], numbers[at], snapshot.line_text(numbers[at]), round(float(scores[at]), 6))
        for at in best
    ]


def _overlap(snapshot: Snapshot, numbers: Sequence[int], query: str) -> Vectors:
    import numpy as np  # 0.2 s, and only vectors need it

    wanted = content_words(query)
    held = content_words(snapshot.title) & wanted
    if not wanted:
        return np.zeros(len(numbers), np.float32)
    shares = [len(held | (content_words(snapshot.line_text(number)) & wanted)) / len(wanted) for number in numbers]
    return np.array(shares, np.float32)


def opening_line(snapshot: Snapshot) -> int | None:
    """Return the number of the first line that is no heading: what the page is about."""
    return next((at for at, line in enumerate(snapshot.lines, 1) if line.kind != "heading"), None)
