"""Numbers and dates in a text (imported through `memory.textual`)."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

from crowquill.memory.words import MONTHS, NUMBER_WORDS, ORDINAL_WORDS, SCALES


@dataclass(frozen=True, slots=True)
class NumberAt:
    """A number that stands at text[start:end].

    `value` has scale words applied ("1.2 million" is 1200000) but not the percent sign ("12 %" is 12 with
    `is_percent`; `scale` is the scale word's factor). `is_year`: four plain digits from 1000 to 2999.
    """

    value: Fraction
    start: int
    end: int
    scale: int = 1
    is_percent: bool = False
    is_year: bool = False
    is_ordinal: bool = False
    is_spelled: bool = False


@dataclass(frozen=True, slots=True)
class DateAt:
    """A date that stands at text[start:end]; what the text leaves open is None."""

    year: int | None
    month: int | None
    day: int | None
    start: int
    end: int


_SPACES = "\u00a0\u202f\u2009 "
_DIGITS = re.compile(
    rf"(?<![\d.,])\d{{1,3}}(?:[{_SPACES}]\d{{3}})+(?:[.,]\d+)?(?![\d])"
    r"|(?<!\d)\d{1,3}(?:,\d{3})+(?:\.\d+)?(?!\d|,\d)"
    r"|\d+(?:[.,]\d+)*"
)
_MOST_DIGITS = 4000
"""Characters above which a run of digits is not read as a number: Python turns at most 4,300 digits into one."""
_GAP = rf"[{_SPACES}\n]?"
PERCENT = re.compile(rf"{_GAP}(?:%|(?:percent|per{_GAP}cent|pct|процент\w*)\b)", re.IGNORECASE)
SCALE_WORDS = "|".join(sorted((word for word in SCALES), key=len, reverse=True))
_SCALE = re.compile(rf"{_GAP}-?({SCALE_WORDS})\b", re.IGNORECASE)
_MONEY_SCALE = re.compile(r"([kmb])\b", re.IGNORECASE)
_MONEY_SCALES = {"k": 10**3, "m": 10**6, "b": 10**9}
_ORDINAL = re.compile(r"(?:st|nd|rd|th|-?(?:го|му|ым|ом|ой|ый|ий|ая|ое|ые|ых|й|м|я|е|х))\b", re.IGNORECASE)
_RANGE = re.compile(rf"{_GAP}(?:[-‐‑‒–—−]|\b(?:to|до)\b){_GAP}\Z")
_CYRILLIC = re.compile(r"[А-яЁё]")
_LATIN = re.compile(r"[A-Za-z]")
_WORD = re.compile(r"[^\W\d_]+")


def numbers(text: str) -> list[NumberAt]:
    """Return the numbers of `text`, in order: digits, percentages, scales, ordinals, spelled-out words.

    A comma before three digits separates thousands, except in a Russian text, where a single comma is
    decimal. A dotted or comma run that is neither ("3.11.7", "5.05.2020") counts as its parts.
    """
    comma_decimal = len(_CYRILLIC.findall(text)) > len(_LATIN.findall(text))
    found = [*_written(text, comma_decimal), *_spelled(text)]
    found.sort(key=lambda number: number.start)
    return found


def _written(text: str, comma_decimal: bool) -> Iterator[NumberAt]:
    previous: NumberAt | None = None
    for match in _DIGITS.finditer(text):
        for number in _parts(match, comma_decimal):
            complete = _with_suffix(text, _with_fraction(text, number)) if number.end == match.end() else number
            complete = _with_sign(text, complete)
            if previous is not None and _RANGE.match(text[previous.end : complete.start]):
                previous, complete = _joined(previous, complete)
            if previous is not None:
                yield previous
            previous = complete
    if previous is not None:
        yield previous


def _parts(match: re.Match[str], comma_decimal: bool) -> list[NumberAt]:
    start, raw = match.start(), match[0]
    value = _value(raw, comma_decimal)
    if value is not None:
        year = len(raw) == 4 and raw.isdigit() and 1000 <= value <= 2999
        return [NumberAt(value, start, match.end(), is_year=year)]
    return [
        NumberAt(Fraction(part[0]), start + part.start(), start + part.end(), is_year=len(part[0]) == 4)
        for part in re.finditer(r"\d+", raw)
        if len(part[0]) <= _MOST_DIGITS
    ]


def _value(raw: str, comma_decimal: bool) -> Fraction | None:
    """Read one written number; None when it is a list or a version rather than a number, or too long."""
    if len(raw) > _MOST_DIGITS:
        return None
    grouped = raw.translate(dict.fromkeys(map(ord, _SPACES)))
    if grouped != raw:
        return Fraction(grouped.replace(",", "."))
    if re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", raw) and not (comma_decimal and raw.count(",") == 1):
        return Fraction(raw.replace(",", ""))
    if re.fullmatch(r"\d{1,3}(?:\.\d{3}){2,}(?:,\d+)?", raw):
        return Fraction(raw.replace(".", "").replace(",", "."))
    if re.fullmatch(r"\d+(?:[.,]\d+)?", raw):
        return Fraction(raw.replace(",", "."))
    return None


def _with_fraction(text: str, number: NumberAt) -> NumberAt:
    following = text[number.end : number.end + 1]
    if (
        following
        and unicodedata.category(following) == "No"
        and "<fraction>" in unicodedata.decomposition(following)
    ):
        part = Fraction(unicodedata.numeric(following)).limit_denominator(16)
        return replace(number, value=number.value + part, end=number.end + 1, is_year=False)
    return number


def _with_suffix(text: str, number: NumberAt) -> NumberAt:
    end = number.end
    if ordinal := _ORDINAL.match(text, end):
        return replace(number, end=ordinal.end(), is_ordinal=True)
    scale = _SCALE.match(text, end)
    if scale is not None:
        number = _scaled(number, SCALES[scale[1].casefold()], scale.end())
    elif text[max(0, number.start - 1) : number.start] in tuple("$€£₽"):
        money = _MONEY_SCALE.match(text, end)
        if money is not None:
            number = _scaled(number, _MONEY_SCALES[money[1].casefold()], money.end())
    if percent := PERCENT.match(text, number.end):
        number = replace(number, end=percent.end(), is_percent=True, is_year=False)
    return number


def _scaled(number: NumberAt, scale: int, end: int) -> NumberAt:
    return replace(number, value=number.value * scale, scale=scale, end=end, is_year=False)


def _with_sign(text: str, number: NumberAt) -> NumberAt:
    at = number.start - 1
    if at < 0 or text[at] not in "-−–" or (at > 0 and not (text[at - 1].isspace() or text[at - 1] in "([{=:;,\"'")):
        return number
    return replace(number, value=-number.value, start=at, is_year=False)


def _joined(first: NumberAt, second: NumberAt) -> tuple[NumberAt, NumberAt]:
    """Read a range: "5–10 %" are two percentages, "2 to 3 million" two millions, "1990–95" ends in 1995."""
    if second.is_percent and not first.is_percent:
        first = replace(first, is_percent=True, is_year=False)
    width = second.end - second.start
    if first.is_year and width == 2 and first.value % 100 < second.value:
        century = first.value - first.value % 100
        second = replace(second, value=century + second.value, is_year=True)
    elif second.scale > 1 and first.scale == 1 and first.value < second.value / second.scale:
        first = replace(first, value=first.value * second.scale, scale=second.scale, is_year=False)
    return first, second


# --- spelled-out numbers ---

_SINGULAR_SCALES = frozenset(
    ("hundred", "thousand", "million", "billion", "trillion", "тысяча", "тысячу", "миллион", "миллиард")
)

_AFTER_TENS = {"first": 1, "second": 2}  # alone they are adverb and unit of time


def _spelled(text: str) -> Iterator[NumberAt]:
    run: list[re.Match[str]] = []
    for match in _WORD.finditer(text):
        if run and not _continues(text, run, match):
            yield from _read_run(text, run)
            run = []
        if run or _opens(text, match):
            run.append(match)
    if run:
        yield from _read_run(text, run)


def _opens(text: str, match: re.Match[str]) -> bool:
    word = match[0].casefold()
    if word in NUMBER_WORDS or word in ORDINAL_WORDS:
        return True
    if word not in _SINGULAR_SCALES:  # "millions of people" is no number, "a million" is
        return False
    before = text[max(0, match.start() - 3) : match.start()].casefold()
    return re.search(r"\ba\s\Z", before) is not None or not word.isascii()


def _continues(text: str, run: list[re.Match[str]], match: re.Match[str]) -> bool:
    gap = text[run[-1].end() : match.start()]
    word, last = match[0].casefold(), run[-1][0].casefold()
    if gap not in (" ", "-", "\u00a0"):
        return False
    if word == "and":
        return last == "hundred"
    if word in SCALES:
        return last not in ORDINAL_WORDS and not (last in SCALES and SCALES[last] >= SCALES[word])
    value = NUMBER_WORDS.get(word, ORDINAL_WORDS.get(word, _AFTER_TENS.get(word, 0)))
    if value == 0 or last in ORDINAL_WORDS:
        return False
    if last in SCALES or last == "and":
        return True
    room = NUMBER_WORDS.get(last, 0)
    return (room >= 100 and value < 100) or (20 <= room < 100 and value < 10)


def _read_run(text: str, run: list[re.Match[str]]) -> Iterator[NumberAt]:
    if run[-1][0].casefold() == "and":
        run = run[:-1]
    total = current = 0
    scale, ordinal = 1, False
    for match in run:
        word = match[0].casefold()
        if word == "and":
            continue
        if word in SCALES and SCALES[word] >= 1000:
            total, current, scale = total + max(current, 1) * SCALES[word], 0, SCALES[word]
        elif word == "hundred":
            current = max(current, 1) * 100
        else:
            ordinal = word not in NUMBER_WORDS
            current += NUMBER_WORDS.get(word, ORDINAL_WORDS.get(word, _AFTER_TENS.get(word, 0)))
    number = NumberAt(
        Fraction(total + current), run[0].start(), run[-1].end(), scale, is_ordinal=ordinal, is_spelled=True
    )
    if percent := PERCENT.match(text, number.end):
        number = replace(number, end=percent.end(), is_percent=True)
    yield number


# --- dates ---

_MONTH = "|".join(sorted(MONTHS, key=len, reverse=True))
_YEAR = r"(?P<year>[12]\d{3})(?!\d)"
_DATES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"(?<!\d)(?P<day>\d{{1,2}})(?:st|nd|rd|th|\.)?{_GAP}(?:of{_GAP})?\b(?P<month>{_MONTH})\b\.?(?:,?{_GAP}{_YEAR})?",
        rf"\b(?P<month>{_MONTH})\b\.?{_GAP}(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?!\d)(?:,?{_GAP}{_YEAR})?",
        rf"\b(?P<month>{_MONTH})\b\.?,?{_GAP}(?:of{_GAP})?{_YEAR}",
        r"(?<!\d)(?P<year>[12]\d{3})-(?P<month>\d{2})-(?P<day>\d{2})(?!\d)",
        r"(?<![\d.])(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>[12]\d{3})(?!\d)",
    )
)


def dates(text: str) -> list[DateAt]:
    """Return the dates of `text` that name a month: "5 May 2020", "May 5", "мая 2020", "2020-05-05".

    "05/06/2020" is left out: nobody can tell its day from its month. A bare year is a number (`is_year`).
    """
    found: list[DateAt] = []
    for pattern in _DATES:
        for match in pattern.finditer(text):
            date = _date(match)
            if date is not None and not any(date.start < other.end and other.start < date.end for other in found):
                found.append(date)
    found.sort(key=lambda date: date.start)
    return found


_JOINT = rf"{_GAP}(?:[-–—]|\b(?:to|and|по|до|и)\b){_GAP}"
_NUMBERED = r"(?:st|nd|rd|th|\.)?"
_DAY_BEFORE = re.compile(rf"(?<![\d.,:])(\d{{1,2}}){_NUMBERED}{_JOINT}\Z")
_DAY_BEHIND = re.compile(rf"{_NUMBERED}{_JOINT}(\d{{1,2}})(?:st|nd|rd|th)?(?!\d)(?:,?{_GAP}{_YEAR})?")
_SLASHED = re.compile(r"(?<![\d/])(\d{1,2})/(\d{1,2})/([12]\d{3})(?![\d/])")


def ends_of_dates(text: str) -> list[DateAt]:
    """Return what `dates` leaves open of ranges: the 5 of "5–7 May 2020", the year of "28 May to 3 June 2020"."""
    known = dates(text)
    found: list[DateAt] = []
    for date in known:
        first = _DAY_BEFORE.search(text[max(0, date.start - 12) : date.start])
        if first and date.day is not None and 1 <= int(first[1]) <= 31:
            found.append(replace(date, day=int(first[1])))
        last = _DAY_BEHIND.match(text, date.end)
        if last and date.day is not None and date.year is None and 1 <= int(last[1]) <= 31:
            dated = replace(date, year=int(last["year"]) if last["year"] else None)
            found += [dated, replace(dated, day=int(last[1]))]
    for one, other in pairwise(known):
        if re.fullmatch(_JOINT, text[one.end : other.start]) and one.year is None and other.year is not None:
            turns = one.month is not None and other.month is not None and one.month > other.month
            found.append(replace(one, year=other.year - turns))
    return found


def slashed_dates(text: str) -> list[tuple[DateAt, DateAt]]:
    """Return each date like "05/06/2020" in both of its readings, the day first and the month first."""
    found: list[tuple[DateAt, DateAt]] = []
    for match in _SLASHED.finditer(text):
        first, second, year = (int(part) for part in match.groups())
        if 1 <= first <= 31 and 1 <= second <= 31:
            day_first = DateAt(year, second, first, *match.span())
            found.append((day_first, replace(day_first, month=first, day=second)))
    return found


def _date(match: re.Match[str]) -> DateAt | None:
    fields = match.groupdict()
    word = fields["month"].casefold()
    if fields["month"].islower() and word in ("may", "march", "mar", "sept", "sep", "dec", "jan"):
        return None  # "they may 5 times": English writes months with a capital
    month = MONTHS[word] if word in MONTHS else int(word)
    day = int(fields["day"]) if fields.get("day") is not None else None
    year = int(fields["year"]) if fields.get("year") is not None else None
    if not 1 <= month <= 12 or (day is not None and not 1 <= day <= 31):
        return None
    return DateAt(year, month, day, match.start(), match.end())
