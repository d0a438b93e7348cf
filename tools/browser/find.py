"""Find in page: folds case, width and white space, across line wraps; symbols count ("C++", "3.14", "$5")."""

import unicodedata
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from crowquill.memory.snapshot import Snapshot
from crowquill.memory.textual import content_words, fold_with_offsets

LONGEST = 500
"""Characters of a text that are looked for."""
_NEAR = 3  # lines that may hold a text which does not stand on the page word for word


@dataclass(frozen=True, slots=True)
class Match:
    """An occurrence: `text[start:end]` of the snapshot, which begins in `line` (from 1)."""

    line: int
    start: int
    end: int


def find_matches(snapshot: Snapshot, wanted: str, *, ignore_accents: bool = False) -> list[Match]:
    """Return the occurrences of `wanted`, in order; they do not overlap."""
    needle = " ".join(_folded(wanted[:LONGEST], ignore_accents)[0].split())
    if not needle:
        return []
    page, offsets = _folded(snapshot.text, ignore_accents)
    starts = [line.start for line in snapshot.lines]
    found = []
    at = page.find(needle)
    while at >= 0:
        start, end = offsets[at], offsets[at + len(needle) - 1] + 1
        line = max(1, bisect_right(starts, start))
        if start >= snapshot.lines[line - 1].end:  # the white space before the next line
            line = min(line + 1, len(starts))
        found.append(Match(line, start, end))
        at = page.find(needle, at + len(needle))
    return found


@lru_cache(maxsize=4)  # a second per million characters, and the same page is searched again and again
def _folded(text: str, ignore_accents: bool) -> tuple[str, Sequence[int]]:
    """Fold text for searching, and map each folded character to the offset where it came from."""
    page, offsets = fold_with_offsets(text)
    lower = page.casefold()
    if len(lower) == len(page) and (not ignore_accents or lower.isascii()):
        return lower, offsets
    pieces = [character.casefold() for character in page]  # ß becomes ss
    if ignore_accents:
        pieces = [_without_accents(piece) for piece in pieces]
    return "".join(pieces), [offset for piece, offset in zip(pieces, offsets, strict=False) for _ in piece]


def _without_accents(character: str) -> str:
    if character.isascii():
        return character
    return "".join(part for part in unicodedata.normalize("NFD", character) if not unicodedata.combining(part))


def nearest_lines(snapshot: Snapshot, text: str) -> tuple[int, int] | None:
    """Return the few lines that share the most content words with `text`; None when none shares half of them."""
    wanted = content_words(text)
    if not wanted:
        return None
    words = [content_words(snapshot.line_text(number)) & wanted for number in range(1, len(snapshot.lines) + 1)]
    best, share = None, 0.5
    for count in range(1, _NEAR + 1):
        for first in range(len(words) - count + 1):
            held = len(frozenset().union(*words[first : first + count])) / len(wanted)
            if held > share or (held == share and best is None):
                best, share = (first + 1, first + count), held
    return best
