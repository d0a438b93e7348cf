"""Numbers that a text puts together from words and signs: "two and a half million", "a dozen", "5k", "3 x 10⁸".

They count where a statement is held against its evidence (`memory.amounts`). What is calculated with is read by
`memory.figures` alone, as "15 dozen" may be meant to be multiplied.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

from crowquill.memory.figures import PERCENT, SCALE_WORDS, NumberAt
from crowquill.memory.words import NUMBER_WORDS, SCALES

_MOST_EXPONENT = 400
"""An exponent above this is no number that anything measures."""
_COUNT = r"\d{1,6}|" + "|".join(sorted(NUMBER_WORDS, key=len, reverse=True))
_OF = rf"(?:[\s-]+(?P<scale>{SCALE_WORDS})\b)?"
_HALF = Fraction(1, 2)
_FORMS = tuple(
    (re.compile(pattern, re.IGNORECASE), add, factor)
    for pattern, add, factor in (
        (rf"\b(?P<count>{_COUNT})\s+(?:and\s+a\s+half|с\s+половиной)\b{_OF}", _HALF, 1),
        (rf"\b(?:полтор[аы]|полутора)\b{_OF}", Fraction(3, 2), 1),
        (rf"\bhalf[\s-]+(?:a[\s-]+)?(?P<scale>{SCALE_WORDS})\b", _HALF, 1),
        (r"\bпол(?P<scale>тысячи|миллиона|миллиарда|триллиона)\b", _HALF, 1),
        (r"\bhalf\s+a\s+dozen\b|\bполдюжины\b", _HALF, 12),
        (r"\bhalf\s+a(?=\s+per\s?cent\b)|\bпол(?=процента\b)", _HALF, 1),
        (rf"\b(?P<count>{_COUNT})\s+(?:dozen|дюжин[аыу]?)\b", Fraction(0), 12),
        (r"\ba\s+dozen\b|\bдюжин[ауы]\b", Fraction(1), 12),
    )
)
_SHORT = re.compile(r"(?<![\w.,])(\d{1,6}(?:[.,]\d{1,2})?)k\b")
_POWER = re.compile(
    r"(?:(?<![\w.,])(\d{1,9}(?:[.,]\d{1,9})?)\s*[x×·*]\s*)?\b10(?:([⁻⁺]?[⁰¹²³⁴-⁹]{1,4})|\^([-−+]?\d{1,4})(?!\d))"
)
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺−", "0123456789-+-")


def with_spoken(text: str, found: list[NumberAt]) -> list[NumberAt]:
    """Return numbers in order, those put together in the place of their parts."""
    spoken: list[NumberAt] = []
    for number in _spoken(text):
        if not any(number.start < other.end and other.start < number.end for other in spoken):
            spoken.append(number)
    kept = [
        number
        for number in found
        if not any(number.start < other.end and other.start < number.end for other in spoken)
    ]
    return sorted([*kept, *spoken], key=lambda number: number.start)


def _spoken(text: str) -> Iterator[NumberAt]:
    for form, add, factor in _FORMS:
        for match in form.finditer(text):
            yield _put_together(text, match, add, factor)
    for match in _SHORT.finditer(text):
        yield NumberAt(Fraction(match[1].replace(",", ".")) * 1000, *match.span(), scale=1000)
    for match in _POWER.finditer(text):
        exponent = int((match[2] or match[3]).translate(_RAISED))
        if abs(exponent) <= _MOST_EXPONENT:
            base = Fraction(match[1].replace(",", ".")) if match[1] else Fraction(1)
            scale = 10**exponent if exponent > 0 else 1  # "5.97 × 10²⁴" shows two decimals of 10²⁴
            yield NumberAt(base * Fraction(10) ** exponent, *match.span(), scale=scale)


def _put_together(text: str, match: re.Match[str], add: Fraction, factor: int) -> NumberAt:
    fields = match.groupdict()
    word = (fields.get("count") or "").casefold()
    count = Fraction(0) if not word else Fraction(NUMBER_WORDS[word] if word in NUMBER_WORDS else int(word))
    scale = SCALES[fields["scale"].casefold()] if fields.get("scale") else 1
    number = NumberAt((count + add) * factor * scale, *match.span(), scale=scale, is_spelled=not word.isdecimal())
    if percent := PERCENT.match(text, number.end):
        number = replace(number, end=percent.end(), is_percent=True)
    return number
