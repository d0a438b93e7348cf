"""Whether a text stands on a page, and whether a statement stands in its receipts. Code, never a model.

Nothing here is fuzzy: a similarity score calls "12.5 %" and "125 %" nearly the same.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from crowquill.memory.figures import ends_of_dates, slashed_dates
from crowquill.memory.textual import (
    DateAt,
    NumberAt,
    content_words,
    dates,
    fold,
    fold_with_offsets,
    names,
    numbers,
    stem,
)


@dataclass(frozen=True, slots=True)
class Located:
    """Where a quote stands: page[start:end] is what may be shown as the quote."""

    start: int
    end: int
    status: Literal["exact", "normalised"]


def locate(text: str, page: str) -> Located | None:
    """Find `text` on `page`: as it is, or after both were folded (see `textual.fold_with_offsets`).

    Case counts. The place must not cut a word or a number: "grew by 12" does not stand in "grew by 125 %".
    An ellipsis is only found where the page itself has one. Shorter than two words and eight characters is
    too little to be evidence.
    """
    wanted = text.strip()
    if len(wanted) < 8 and len(wanted.split()) < 2:
        return None
    for start in _occurrences(wanted, page):
        return Located(start, start + len(wanted), "exact")
    folded_page, offsets = fold_with_offsets(page)
    folded = fold(wanted)
    if not folded:
        return None
    for start in _occurrences(folded, folded_page):
        span = _original_span(page, offsets, start, start + len(folded))
        if span is not None:
            return Located(*span, "normalised")
    return None


def _occurrences(wanted: str, page: str) -> Iterator[int]:
    start = page.find(wanted)
    while start >= 0:
        if not _cuts(page, start, start + len(wanted)):
            yield start
        start = page.find(wanted, start + 1)


def _cuts(page: str, start: int, end: int) -> bool:
    """Say whether page[start:end] begins or ends inside a word or number."""
    before, first = page[max(0, start - 2) : start], page[start]
    last, after = page[end - 1], page[end : end + 2]
    if first.isalnum() and before[-1:].isalnum():
        return True
    if first.isdigit() and re.search(r"\d[.,]\Z|(?:\A|[^\w\s]|\s)[-−–]\Z", before):
        return True
    if last.isalnum() and (after[:1].isalnum() or _is_mark(after[:1])):
        return True
    return last.isdigit() and re.match(r"[.,]\d|[%‰°]", after) is not None


def _is_mark(character: str) -> bool:
    """Say whether this is an accent, superscript or fraction that belongs to the character before it."""
    return character != "" and (unicodedata.combining(character) > 0 or character.isnumeric())


def _original_span(page: str, offsets: list[int], first: int, last: int) -> tuple[int, int] | None:
    """Map folded[first:last] back; None when it starts or ends inside a ligature."""
    if (first > 0 and offsets[first - 1] == offsets[first]) or offsets[last - 1] == offsets[last]:
        return None
    start, end = offsets[first], offsets[last]
    while end > start + 1 and not fold(page[end - 1]):
        end -= 1
    return start, end


def missing_numbers(statement: str, texts: Sequence[str]) -> list[str]:
    """Return the numbers of `statement`, as written, that no text holds.

    Values are compared exactly, however they are written, and without units: of what is calculated with, stands in
    a cell or was reworded nothing may be rounded. What a claim may round or convert is said by `memory.amounts`.
    A percentage needs a percentage, or the same
    share as a plain number (0.125 for 12.5 %). A spelled-out "one" is not asked for, nor a number word that
    is part of a name ("The Third Man"): names are asked for as such.
    """
    named = [(name.start, name.end) for name in names(statement, openings=True)]
    plain: set[Fraction] = set()
    percent: set[Fraction] = set()
    for text in texts:
        for number in numbers(text):
            (percent if number.is_percent else plain).add(number.value)
        for date in dates(text):
            plain.update(Fraction(part) for part in (date.year, date.month, date.day) if part is not None)
    return [
        statement[number.start : number.end]
        for number in numbers(statement)
        if not _is_held(number, plain, percent)
        and not (number.is_spelled and any(start <= number.start and number.end <= end for start, end in named))
    ]


def _is_held(number: NumberAt, plain: set[Fraction], percent: set[Fraction]) -> bool:
    if number.is_spelled and number.value == 1:
        return True
    if number.is_percent:
        return number.value in percent or number.value / 100 in plain
    return number.value in plain


def missing_dates(statement: str, texts: Sequence[str]) -> list[str]:
    """Return the dates of `statement`, as written, that no date of the texts contains.

    Both ends of "5–7 May 2020" count. "05/06/2020" stands for either reading, but not for "06/05/2020".
    """
    held = [date for text in texts for date in (*dates(text), *ends_of_dates(text))]
    slashed = [pair for text in texts for pair in slashed_dates(text)]
    either = [date for pair in slashed for date in pair]
    missing = [date for date in dates(statement) if not any(_agrees(date, other) for other in (*held, *either))]
    missing += [
        pair[0]
        for pair in slashed_dates(statement)
        if not any(_agrees(pair[0], other[0]) for other in slashed)
        and not any(_agrees(date, other) for date in pair for other in held)
    ]
    return [statement[date.start : date.end] for date in sorted(missing, key=lambda date: date.start)]


def _agrees(date: DateAt, other: DateAt) -> bool:
    return all(
        wanted is None or wanted == given
        for wanted, given in (
            (date.year, other.year),
            (date.month, other.month),
            (date.day, other.day),
        )
    )


_WORD = re.compile(r"[^\W_]+")


def missing_names(statement: str, texts: Sequence[str]) -> list[str]:
    """Return the names of `statement` that no text holds.

    A text holds a name when all its words stand close together in it, in any order ("Smith, John"),
    whatever their case and grammatical ending. A single word at the start of the statement is asked for
    when it looks like a name.
    """
    stems = [_stems(text) for text in texts]
    missing = []
    for name in names(statement, openings=True):
        wanted = frozenset(_stems(name.text))
        if wanted and not any(_stand_together(wanted, words) for words in stems):
            missing.append(name.text)
    return list(dict.fromkeys(missing))


def _stems(text: str) -> list[str]:
    return [stem(word) for word in _WORD.findall(re.sub(r"['’]s\b|(?<=\b\w)\.(?=\w\b)", "", fold(text)).lower())]


def _stand_together(wanted: frozenset[str], words: list[str]) -> bool:
    places = [at for at, word in enumerate(words) if word in wanted]
    reach = len(wanted) + 4
    return any(wanted <= {words[other] for other in places if at <= other < at + reach} for at in places)


def word_coverage(statement: str, text: str) -> float:
    """Return the share (0 to 1) of the statement's content words that stand in `text`; 1 if it has none."""
    words = content_words(statement)
    if not words:
        return 1.0
    return len(words & content_words(text)) / len(words)
