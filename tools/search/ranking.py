"""Which pages are named by a query, and which together hold what it speaks of."""

import re
from collections.abc import Callable, Mapping, Sequence

from crowquill.memory.textual import content_words, stems

COVERING = 12
"""Best pages among which those are looked for that hold the words which the better ones lack."""
COVER_WEIGHT = 1.0
"""What a page gains that holds all of them, relative to the highest score: on 60 HotpotQA questions any weight from
0.5 to 2 finds 0.79 to 0.83 of the supporting pages among the first two, none finds 0.73."""


class Titles:
    """The titles of all pages, by their stems."""

    def __init__(self, titles: Sequence[str]) -> None:
        self._titles = titles
        self._table: dict[str, list[tuple[tuple[str, ...], int]]] = {}
        for page, title in enumerate(titles):
            words = tuple(stems(_bare(title)))
            if words and content_words(_bare(title)):
                self._table.setdefault(words[0], []).append((words, page))

    def named(self, query: str) -> list[int]:
        """Return the pages whose title stands in the query, the longest first; "Kiss (film)" is named by "Kiss".

        A title that only stands there as a part of a longer one is not meant: "Scotch Collie" names no "Collie".
        """
        words = stems(query)
        spans = [
            (at, at + len(title), page)
            for at, word in enumerate(words)
            for title, page in self._table.get(word, ())
            if tuple(words[at : at + len(title)]) == title
        ]
        found = {
            page: end - start for start, end, page in spans if not any(_holds(other, start, end) for other in spans)
        }
        whole = {page: _bare(self._titles[page]) == self._titles[page] for page in found}
        return sorted(found, key=lambda page: (-found[page], not whole[page], page))


def _bare(title: str) -> str:
    return re.sub(r"\s*\([^)]*\)\s*\Z", "", title)


def _holds(other: tuple[int, int, int], start: int, end: int) -> bool:
    return other[0] <= start and end <= other[1] and other[1] - other[0] > end - start


def cover(
    scores: Mapping[int, float], wanted: Mapping[str, float], words: Callable[[int], frozenset[str]]
) -> list[int]:
    """Return the pages (given best first) so that the first ones complement each other.

    `wanted` are the query's words with their weights, `words` those of a page. The two pages of a two-step question
    share few words with each other: after the best, a page counts for the words that those before it lack.
    """
    left = list(scores)[:COVERING]
    best, total = max(scores.values(), default=0.0), sum(wanted.values())
    held = {page: words(page) for page in left}
    missing, chosen = set(wanted), list[int]()
    while left and missing and total > 0 and best > 0:
        gains = {page: sum(wanted[word] for word in missing & held[page]) / total for page in left}
        if chosen and not any(gains.values()):
            break
        page = max(left, key=lambda page: scores[page] / best + COVER_WEIGHT * gains[page])
        chosen.append(page)
        left.remove(page)
        missing -= held[page]
    return [*chosen, *(page for page in scores if page not in chosen)]
