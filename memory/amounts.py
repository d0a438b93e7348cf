"""Amounts in a text: numbers with their units, how exactly they are given, and whether they stand in another text.

`memory.figures` says which numbers a text holds; here is what they measure, and when two of them say the same:
the same value however it is written, rounded as far as the statement shows, in another unit of the same dimension,
a percentage for a share, within the bound that is claimed.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from typing import Literal

from crowquill.memory.figures import NumberAt, numbers
from crowquill.memory.textual import names, stem
from crowquill.memory.unit_words import UNITS

Bound = Literal["", "more", "less"]
Held = Literal["same", "rounded", "converted", "unit", ""]
"""How an amount stands in a text: *unit* is the same number in a unit of another kind or size, "" not at all."""

ROUNDING = Fraction(1, 10)
"""Most by which "about" may be off, as a share: "about 3,000" does not stand for 2,500."""
NEAR = Fraction(1, 10)
"""Most by which a bound may be off: "more than 1,000" is true of 1,000,000, and says something else."""

_WORDS = "|".join(re.escape(word) for word in sorted(UNITS, key=len, reverse=True) if word[0] not in "$€£₽¥")
_UNIT = re.compile(rf"[\s\u00a0\u202f-]{{0,2}}({_WORDS})(?![\w²³/])", re.IGNORECASE)
_MONEY = re.compile(r"(US\$|USD|EUR|GBP|CHF|RUB|JPY|CNY|INR|[$€£₽¥])\s?\Z")
_PER = re.compile(
    r"(?:\s+[^\W\d_]+){0,3}?(?:\s+(?:an?|per|each|every|в)\s+|/)"
    r"(second|minute|hour|day|night|week|month|year|секунду|минуту|час|день|сутки|неделю|месяц|год)\b",
    re.IGNORECASE,
)
_POINTS = re.compile(r"\s*(?:percentage[ -]points?|процентн\w+ пункт\w*|п\. ?п\.)", re.IGNORECASE)
_NOUN = re.compile(r"[\s\u00a0-]{1,2}(?:(?:of|the|из) )?([^\W\d_]{3,})")
_ABOUT = re.compile(
    r"(?:\b(?:about|around|roughly|approximately|approx\.?|nearly|almost|some|circa|ca\.|c\.|close to|"
    r"estimated(?: at)?|"
    r"около|примерно|приблизительно|почти|порядка|ок\.)\s*|[~≈]\s*)(?:[$€£₽¥]\s?)?\Z",
    re.IGNORECASE,
)
_MORE = re.compile(
    r"\b(?:more than|over|above|exceed(?:s|ed|ing)?|at least|upwards of|no (?:less|fewer) than|not less than|"
    r"более(?: чем)?|больше|свыше|выше|не менее|как минимум)\s*(?:[$€£₽¥]\s?)?\Z",
    re.IGNORECASE,
)
_LESS = re.compile(
    r"\b(?:less than|fewer than|under|below|at most|up to|no more than|not more than|"
    r"менее(?: чем)?|меньше|до|ниже|не более|не больше)\s*(?:[$€£₽¥]\s?)?\Z",
    re.IGNORECASE,
)
_BETWEEN = re.compile(r"\b(?:between|from|от|между)\s*(?:[$€£₽¥]\s?)?\Z", re.IGNORECASE)
_ONE = Fraction(1)
_SHARES = (
    (r"\bhalf\b|\bполовин\w*", Fraction(1, 2)),
    (r"\btwo[ -]thirds\b|\bдв(?:е|ух) трет\w+", Fraction(2, 3)),
    (r"\b(?:a|one)[ -]third\b|\bтреть[юи]?\b", Fraction(1, 3)),
    (r"\bthree[ -]quarters\b|\bтр(?:и|ёх|ех) четверт\w+", Fraction(3, 4)),
    (r"\b(?:a|one)[ -]quarter\b|\bчетверть[юи]?\b", Fraction(1, 4)),
    (r"\b(?:a|one)[ -]fifth\b|\bпят(?:ая|ую|ой) част\w+", Fraction(1, 5)),
    (r"\b(?:a|one)[ -]tenth\b|\bдесят(?:ая|ую|ой) част\w+", Fraction(1, 10)),
)
_SHARE = tuple((re.compile(pattern, re.IGNORECASE), value) for pattern, value in _SHARES)
_ONE_IN = re.compile(
    r"\bone (?:in|out of)(?: every)? (\w+)|\bкажд\w+ (втор|трет|четв[её]рт|пят|десят)\w+", re.IGNORECASE
)
_IN = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
       "втор": 2, "трет": 3, "четверт": 4, "четвёрт": 4, "пят": 5, "десят": 10}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Amount:
    """A number at text[start:end] with what it measures.

    `dimension` is empty for a plain number; `size` is that of the unit in the base of the dimension. `step` is the
    worth of the last digit that is shown: 0.1 for "12.5", 100,000 for "1.2 million". `noun` is the stem of the word
    behind a number without a unit, `per` the time of a rate ("a day"), `text` the number as written.
    """

    value: Fraction
    start: int
    end: int
    dimension: str = ""
    size: Fraction = _ONE
    step: Fraction = _ONE
    about: bool = False
    bound: Bound = ""
    noun: str = ""
    per: str = ""
    is_percent: bool = False
    is_year: bool = False
    is_spelled: bool = False
    is_ordinal: bool = False
    text: str = ""

    @property
    def kind(self) -> str:
        """What amounts must share to be compared: dimension, percent, year, or the word behind the number."""
        return "%" if self.is_percent else "year" if self.is_year else self.dimension or self.noun


@lru_cache(maxsize=512)
def amounts(text: str) -> tuple[Amount, ...]:
    """Return the amounts of a text, in order; number words that are part of a name are left out."""
    named = [(name.start, name.end) for name in names(text, openings=True)]
    found = [
        _amount(text, number)
        for number in _scaled(text, numbers(text))
        if not (number.is_spelled and any(start <= number.start and number.end <= end for start, end in named))
    ]
    for first, second in pairwise(found):  # "5 to 10 km": the unit belongs to both
        if re.fullmatch(r"\s*(?:[-–—]|to|and|до|и)\s*", text[first.end : second.start]) and not first.kind:
            found[found.index(first)] = replace(
                first, dimension=second.dimension, size=second.size, noun=second.noun
            )
    return tuple(found)


def _scaled(text: str, found: list[NumberAt]) -> list[NumberAt]:
    """Give the first number of "between 2 and 3 million" the scale of the second."""
    for place, (first, second) in enumerate(pairwise(found)):
        joint = text[first.end : second.start]
        opens = _BETWEEN.search(text[max(0, first.start - 10) : first.start])
        if opens and joint.strip() in ("and", "и", "до") and first.scale == 1 < second.scale:
            found[place] = replace(first, value=first.value * second.scale, scale=second.scale, is_year=False)
    return found


def _amount(text: str, number: NumberAt) -> Amount:
    before, written = text[max(0, number.start - 24) : number.start], text[number.start : number.end]
    dimension, size, end, noun = "", _ONE, number.end, ""
    if money := _MONEY.search(before):
        dimension, size = UNITS[money[1].lower()]
    elif points := _POINTS.match(text, number.end - (1 if written.endswith("%") else 0)):
        dimension, end = "points", points.end()
    elif (unit := _UNIT.match(text, number.end)) and not number.is_percent and not number.is_ordinal:
        dimension, size = UNITS[unit[1].lower()]
        end = unit.end()
    elif follower := _NOUN.match(text, number.end):
        noun = stem(follower[1].lower())
    if number.is_year and dimension == "months":
        dimension, size, end, noun = "", _ONE, number.end, ""  # "в 1990 году"
    rate = _PER.match(text, end)
    per = stem(rate[1].lower()) if rate is not None else ""
    bound: Bound = "more" if _MORE.search(before) else "less" if _LESS.search(before) else ""
    return Amount(
        number.value, number.start, end, dimension, size, _step(written, number), _ABOUT.search(before) is not None,
        bound, noun, per, number.is_percent and dimension != "points", number.is_year and not dimension,
        number.is_spelled, number.is_ordinal, written,
    )  # fmt: skip


def _step(written: str, number: NumberAt) -> Fraction:
    """Return the worth of the last digit that is shown; the zeros at the end of a whole number do not count."""
    digits = re.match(r"[-−–]?([\d.,\s\u00a0\u202f]+)", written)
    shown = digits[1].strip() if digits else ""
    decimals = re.search(r"[.,](\d+)\Z", shown)
    plain = number.value / number.scale
    if decimals is not None and (plain.denominator != 1 or len(decimals[1]) != 3):
        return Fraction(number.scale, 10 ** len(decimals[1]))
    value, step = abs(int(plain)), 1
    while value and value % (step * 10) == 0:
        step *= 10
    return Fraction(step * number.scale)


def shares(text: str) -> list[Fraction]:
    """Return the shares that a text gives in words: "a quarter", "two thirds", "one in five"."""
    found = [value for pattern, value in _SHARE if pattern.search(text)]
    for match in _ONE_IN.finditer(text):
        word = (match[1] or match[2]).lower()
        if word in _IN or word.isdecimal():
            found.append(Fraction(1, _IN[word] if word in _IN else max(int(word), 1)))
    return found


def held(amount: Amount, others: Sequence[Amount], parts: Sequence[Fraction] = ()) -> Held:
    """Say how an amount of a statement stands among those of its receipts, in the best way that it does.

    `parts` are shares that the receipts give in words.
    """
    ways = {_against(amount, other) for other in others}
    if amount.is_percent and any(abs(part * 100 - amount.value) <= amount.step / 2 for part in parts):
        ways.add("same")
    order: tuple[Held, ...] = ("same", "rounded", "converted", "unit", "")
    return next(way for way in order if way in ways or not way)


def _against(amount: Amount, other: Amount) -> Held:
    if amount.bound and other.bound and amount.bound != other.bound:
        return ""
    if amount.per and other.per and amount.per != other.per and amount.value == other.value:
        return "unit"
    if amount.is_percent != other.is_percent:
        share, percent = (other, amount) if amount.is_percent else (amount, other)
        plain = not share.dimension and 0 < share.value < 1
        return "same" if plain and share.value * 100 == percent.value else ""
    if amount.is_year or other.is_year:
        return "same" if amount.value == other.value else ""  # four digits may be a plain number after all
    measured = amount.dimension and other.dimension
    if measured and amount.dimension != other.dimension:
        return "unit" if amount.value == other.value else ""
    other_unit = bool(measured) and amount.size != other.size
    sizes = (amount.size, other.size) if other_unit else (_ONE, _ONE)
    way = _fits(amount, amount.value * sizes[0], other.value * sizes[1], amount.step * sizes[0], other_unit)
    if other_unit and way != "same":
        return "converted" if way else "unit" if amount.value == other.value else ""
    return way


def _fits(amount: Amount, value: Fraction, given: Fraction, step: Fraction, other_unit: bool) -> Held:
    """Compare two values in one unit, as exactly as the statement claims to be."""
    if value == given:
        return "same"
    off = abs(value - given)
    if amount.bound:
        return "rounded" if off <= abs(given) * NEAR and (given > value) == (amount.bound == "more") else ""
    if amount.about:
        return "rounded" if off <= step / 2 and off <= abs(given) * ROUNDING else ""
    shows_rounding = amount.step.denominator > 1 or amount.step >= 1000 or other_unit
    finer = other_unit or given % step != 0
    return "rounded" if shows_rounding and finer and off <= step / 2 and off <= abs(given) * ROUNDING / 2 else ""
