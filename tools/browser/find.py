"""Find in page: folds case, width and white space, across line wraps; symbols count ("C++", "3.14", "$5")."""

from crowquill.memory.snapshot import Snapshot
from crowquill.memory.textual import fold_with_offsets


def find_lines(snapshot: Snapshot, wanted: str) -> list[int]:
    """Return the numbers (from 1) of the lines in which an occurrence of `wanted` begins, ascending."""
    page, offsets = fold_with_offsets(snapshot.text)
    needle = " ".join(fold_with_offsets(wanted)[0].casefold().split())
    haystack = page.casefold()
    if len(haystack) != len(page):  # casefold may lengthen (ß); then lower case keeps the offsets right
        haystack, needle = page.lower(), " ".join(fold_with_offsets(wanted)[0].lower().split())
    if not needle:
        return []
    found: list[int] = []
    at, number = haystack.find(needle), 0
    while at >= 0:
        start = offsets[at]
        while number < len(snapshot.lines) and snapshot.lines[number].end <= start:
            number += 1
        if number < len(snapshot.lines) and (not found or found[-1] != number + 1):
            found.append(number + 1)
        at = haystack.find(needle, at + len(needle))
    return found
