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
from crowquill.memory.spoken import with_spoken
from crowquill.memory.textual import names, stem
from crowquill.memory.unit_words import UNITS

Bound = Literal["", "more", "less"]
Held = Literal["same", "rounded", "converted", "unit", ""]
"""How an amount stands in a text: *unit* is the same number in a unit of another kind or size, "" not at all."""

Hold = Literal["", "under", "nearly", "exactly", "limit", "in_range", "between"]
"""What the words around an amount make of it, beyond its bound: *under* a bound that must not be lost, *limit* said
in other words, *in_range* an end of any range, *between* an end of one that only its ends give."""

ROUNDING = Fraction(1, 10)
"""Most by which "about" may be off, as a share: "about 3,000" does not stand for 2,500."""
NEAR = Fraction(1, 10)
"""Most by which a bound may be off: "more than 1,000" is true of 1,000,000, and says something else."""

_ONE = Fraction(1)
_WORDS = "|".join(re.escape(word) for word in sorted(UNITS, key=len, reverse=True) if word[0] not in "$€£₽¥")
_UNIT = re.compile(rf"[\s\u00a0\u202f-]{{0,2}}({_WORDS})(?![\w²³])", re.IGNORECASE)
_MONEY = re.compile(r"(US\$|AU?\$|CA?\$|NZ\$|HK\$|USD|EUR|GBP|CHF|RUB|JPY|CNY|INR|[$€£₽¥])\s?\Z")
_PER = re.compile(
    rf"(?:\s+[^\W\d_]+){{0,3}}?(?:\s+(?:an?|per|each|every|в|на)\s+|/)({_WORDS}|night|person|head|capita|человека|душу)"
    r"(?![\w²³])",
    re.IGNORECASE,
)
_POINTS = re.compile(r"\s*(?:percentage[ -]points?|процентн\w+ пункт\w*|п\. ?п\.)", re.IGNORECASE)
_NOUN = re.compile(r"[\s\u00a0-]{1,2}(?:(?:of|the|из) )?([^\W\d_]{3,})")


def _before(words: str) -> re.Pattern[str]:
    """Compile what stands before an amount, a sign of money between the two or none."""
    return re.compile(rf"\b(?:{words})\s*(?:[$€£₽¥]\s?)?\Z", re.IGNORECASE)


_ABOUT = re.compile(
    r"(?:\b(?:about|around|roughly|approximately|approx\.?|nearly|almost|some|circa|ca\.|c\.|close to|"
    r"estimated(?: at)?|"
    r"около|примерно|приблизительно|почти|порядка|ок\.)\s*|[~≈]\s*)(?:[$€£₽¥]\s?)?\Z",
    re.IGNORECASE,
)
_MORE = _before(
    r"more than|over|above|exceed(?:s|ed|ing)?|at least|upwards of|no (?:less|fewer) than|not less than|"
    r"(?:old|long|heavi|high|larg|great|bigg)er than|"
    r"более(?: чем)?|больше|свыше|выше|не менее|как минимум|старше|длиннее|тяжелее"
)
_BELOW = (
    r"less than|fewer than|under|below|(?:young|short|light|low|small)er than|"
    r"менее(?: чем)?|меньше|ниже|моложе|младше|короче|легче"
)
_AT_MOST = r"at most|up to|(?:no|not) more than|не более|не больше"
_LESS = _before(f"{_BELOW}|{_AT_MOST}|до")
_UNDER = _before(_BELOW)
"""A bound that is lost when the number alone is told. "up to 300" is not among them: 300 is reached."""
_END = _before("from|to|at|of|от|до|с|со")
_NEARLY = _before("nearly|almost|почти")
_EXACTLY = _before("exactly|precisely|ровно|точно")
_LIMIT = re.compile(
    r"\b(?:max\w*|top|limit\w*|capacity|seats?|holds?|accommodates?|reach\w*|can|could|(?-i:may)|might|within|"
    r"highest|largest|longest|peak\w*|as (?:many|much|high|long|large) as|potential\w*|only|just|at most|"
    r"(?:or|and) (?:less|fewer|under|below|younger)|макс\w*|предел\w*|вмеща\w*|вместим\w*|может|могут|мог\w*|"
    r"достиг\w*|наибольш\w*|самы\w+|лишь|только|или ме(?:нее|ньше))\b",
    re.IGNORECASE,
)
"""Words with which the number alone says what "up to" does."""
_MINUS = re.compile(r"(?<![\d\s])\s*\b(?:minus|минус)\s+\Z", re.IGNORECASE)
_FROST = re.compile(r"\s+(?:below (?:zero|freezing)|of frost|мороза|ниже нуля)\b", re.IGNORECASE)
_ERA = re.compile(
    r"(?:\s*(?:год\w*|гг?\.|век\w*|century))?\s*(?:(?P<before>BCE?\b|B\.C\.|до\s+н\.\s?э|до\s+нашей\s+эры)|"
    r"(?P<after>CE\b|AD\b|A\.D\.|н\.\s?э|нашей\s+эры))"
)
_OTHER_END = re.compile(r"(?:\b(?:between|от|между)\s+)?\d[\d.,]*\s*(?:and|и|до|[-–—])\s*\Z")
_LEADS = (_ABOUT, _MORE, _LESS, _UNDER, _NEARLY, _MINUS, _OTHER_END)
_DECADE = re.compile(r"\d{3}0(?:['’]?s|-?(?:х|е|ые|ых))\b")
_RANGE = re.compile(r"\s*(?:[-–—]|to|and|до|и)\s*")
_BETWEEN = _before("between|from|от|между")
SHARE_OFF = 3
"""Percentage points by which a share in words ("six in ten", "a third") may be off a percentage."""
_SCALES = {
    "celsius": (_ONE, Fraction(0)),
    "fahrenheit": (Fraction(5, 9), Fraction(32)),
    "kelvin": (_ONE, Fraction(27315, 100)),
}
"""Scale of temperature → size of a degree in kelvin, and what it calls the freezing point of water."""
_NEAR_BY = 60
"""Characters around a number in which a word may show that it is a limit."""


@dataclass(frozen=True, slots=True)
class Amount:
    """A number at text[start:end] with what it measures.

    `dimension` is empty for a plain number; `size` is that of the unit in the base of the dimension. `step` is the
    worth of the last digit that is shown: 0.1 for "12.5", 100,000 for "1.2 million". `noun` is the stem of the word
    behind a number without a unit, `per` what a rate is of ("a day", "per kg"), `text` the number as written.
    `hold` says what the words around it leave open, and `era` is "before" or "after" where a year names it.
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
    hold: Hold = ""
    era: str = ""

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
        for number in _scaled(text, with_spoken(text, numbers(text)))
        if not (number.is_spelled and any(start <= number.start and number.end <= end for start, end in named))
    ]
    for at, (first, second) in enumerate(pairwise(found)):
        if not _RANGE.fullmatch(text[first.end : second.start]):
            continue
        if not first.kind:  # "5 to 10 km": the unit belongs to both
            found[at] = replace(first, dimension=second.dimension, size=second.size, noun=second.noun)
        hold: Hold = "between" if _is_between(text, first, second) else "in_range"
        found[at], found[at + 1] = replace(found[at], hold=hold), replace(second, hold=hold)
    return tuple(found)


def _is_between(text: str, first: Amount, second: Amount) -> bool:
    """Say whether two amounts are the ends of a range: "between 5 and 10 km", "5–10 km", but not "5 and 10 km"."""
    joint = text[first.end : second.start].strip()
    opens = _BETWEEN.search(text[max(0, first.start - 10) : first.start])
    measured = bool(second.dimension) or second.is_percent
    opened = opens is not None and (joint in ("and", "и") or (joint == "до" and "от" in opens[0].casefold()))
    return not second.is_year and measured and (joint in "-–—" or opened)


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
        dimension, size = UNITS[money[1].casefold()]
    elif points := _POINTS.match(text, number.end - (1 if written.endswith("%") else 0)):
        dimension, end = "points", points.end()
    elif (unit := _UNIT.match(text, number.end)) and not number.is_percent and not number.is_ordinal:
        dimension, size = UNITS[unit[1].casefold()]
        end = unit.end()
    elif follower := _NOUN.match(text, number.end):
        noun = stem(follower[1].casefold())
    if number.is_year and (decade := _DECADE.match(text, number.start)):
        dimension, size, end, noun = "decade", _ONE, decade.end(), ""
    elif number.is_year and dimension == "months":
        dimension, size, end, noun = "", _ONE, number.end, ""  # "в 1990 году"
    rate, era = _PER.match(text, end), _ERA.match(text, end)
    is_about, bound = leads(before)
    below = number.value > 0 and (_MINUS.search(before) or _FROST.match(text, end))
    return Amount(
        -number.value if below else number.value, number.start, end, dimension, size, _step(written, number),
        is_about, bound, noun, _per(rate[1].casefold()) if rate is not None else "",
        number.is_percent and dimension != "points", number.is_year and not dimension, number.is_spelled,
        number.is_ordinal, written, _hold(text, number, before),
        "" if era is None else "before" if era["before"] else "after",
    )  # fmt: skip


def _per(word: str) -> str:
    """Return what a rate is of, the same for "a day", "per day" and "в сутки"."""
    return f"{UNITS[word][0]} {UNITS[word][1]}" if word in UNITS else stem(word)


def _hold(text: str, number: NumberAt, before: str) -> Hold:
    if _UNDER.search(before):
        return "under"
    if _NEARLY.search(before):
        return "nearly"
    if _EXACTLY.search(before):
        return "exactly"
    around = text[max(0, number.start - _NEAR_BY) : number.end + _NEAR_BY]
    return "limit" if _LIMIT.search(around) or _END.search(before) else ""


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


def leads(before: str) -> tuple[bool, Bound]:
    """Say whether what stands before a value makes it "about" so, and which bound it makes of it."""
    bound: Bound = "more" if _MORE.search(before) else "less" if _LESS.search(before) else ""
    return _ABOUT.search(before) is not None, bound


def told(text: str, amount: Amount) -> str:
    """Return an amount as a text gives it, with what stands before it: "less than 300 metres"."""
    before = text[max(0, amount.start - 24) : amount.start]
    starts = [match.start() for form in _LEADS if (match := form.search(before))]
    return text[amount.start - (len(before) - min(starts) if starts else 0) : amount.end].strip()


def held(amount: Amount, others: Sequence[Amount], parts: Sequence[Fraction] = ()) -> Held:
    """Say how an amount of a statement stands among those of its receipts, in the best way that it does.

    `parts` are shares that the receipts give in words.
    """
    ways = {_against(amount, other) for other in others}
    if amount.is_percent and any(_is_share(amount, part * 100) for part in parts):
        ways.add("same")
    order: tuple[Held, ...] = ("same", "rounded", "converted", "unit", "")
    return next(way for way in order if way in ways or not way)


def _is_share(amount: Amount, given: Fraction) -> bool:
    """Say whether a percentage is what a share comes to: 67 % and two thirds."""
    if amount.bound:
        return bool(_fits(amount, amount.value, given, amount.step, other_unit=False))
    return abs(given - amount.value) <= (SHARE_OFF if amount.about else min(amount.step, _ONE) / 2)


def _against(amount: Amount, other: Amount) -> Held:
    if (amount.bound and other.bound and amount.bound != other.bound) or _is_lost(amount, other):
        return ""
    if amount.era and other.era and amount.era != other.era:
        return ""
    if amount.per and other.per and amount.per != other.per and amount.value == other.value:
        return "unit"
    if amount.is_percent != other.is_percent:
        return _as_percent(amount, other)
    if "decade" in (amount.dimension, other.dimension):
        return _as_decade(amount, other)
    if amount.is_year or other.is_year:
        return "same" if amount.value == other.value else ""  # four digits may be a plain number after all
    measured = amount.dimension and other.dimension
    if measured and amount.dimension != other.dimension:
        return _as_temperature(amount, other) or ("unit" if amount.value == other.value else "")
    other_unit = bool(measured) and amount.size != other.size
    sizes = (amount.size, other.size) if other_unit else (_ONE, _ONE)
    way = _fits(amount, amount.value * sizes[0], other.value * sizes[1], amount.step * sizes[0], other_unit)
    if other_unit and way != "same":
        return "converted" if way else "unit" if amount.value == other.value else ""
    return way


def _is_lost(amount: Amount, other: Amount) -> bool:
    """Say whether a statement leaves out or turns what its receipt says around the number.

    "Over 300" may be told as 300, which was reached; "less than 300" and an end of "5–10 km" may not.
    """
    if amount.is_year or other.is_year:
        return False
    if amount.hold == "exactly":
        return bool(other.bound) or other.about or other.hold == "between"
    if "nearly" in (amount.hold, other.hold):
        return "more" in (amount.bound, other.bound) and amount.value == other.value
    plain = not (amount.bound or amount.about or amount.hold)
    return plain and other.hold in ("under", "between")


def _as_percent(amount: Amount, other: Amount) -> Held:
    """Compare a percentage with a share that is given as a plain number: 33.3 % and 0.3333."""
    share = other if amount.is_percent else amount
    if share.dimension or not 0 < share.value < 1:
        return ""
    given = other.value / 100 if other.is_percent else other.value * 100
    return _fits(amount, amount.value, given, amount.step, other_unit=True)


def _as_decade(amount: Amount, other: Amount) -> Held:
    """Hold "the 1990s" against a year in them; "1990" does not stand for them."""
    if amount.dimension == other.dimension:
        return "same" if amount.value == other.value else ""
    within = amount.dimension == "decade" and not other.dimension and 0 <= other.value - amount.value < 10
    return "rounded" if within else ""


def _as_temperature(amount: Amount, other: Amount) -> Held:
    """Compare two scales of temperature; "degrees" alone may be of either."""
    if "degrees" in (amount.dimension, other.dimension):
        known = {amount.dimension, other.dimension} <= {"degrees", *_SCALES}
        return _fits(amount, amount.value, other.value, amount.step, other_unit=False) if known else ""
    if amount.dimension not in _SCALES or other.dimension not in _SCALES:
        return ""
    (size, zero), (size_of_other, zero_of_other) = _SCALES[amount.dimension], _SCALES[other.dimension]
    given = (other.value - zero_of_other) * size_of_other / size + zero
    if amount.value == given:
        return "same"
    return "converted" if abs(given - amount.value) <= amount.step / 2 else ""


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
