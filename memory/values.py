"""What a text says about how many, how often and when without a number: "a third", "thousands", "in May".

Nobody has to give a receipt for "some", but who writes "half" where the evidence says "a third" is wrong. So these
are read on both sides, and compared by the critic.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from typing import Literal

from crowquill.memory.amounts import Bound, amounts, leads
from crowquill.memory.figures import numbers
from crowquill.memory.textual import stem
from crowquill.memory.unit_words import UNITS
from crowquill.memory.words import MAGNITUDES, MONTHS, NUMBER_WORDS

Kind = Literal["share", "magnitude", "times", "span", "ordinal", "month", "weekday", "hour"]


@dataclass(frozen=True, slots=True)
class ValueAt:
    """A value at text[start:end]; `noun` is the stem of what an ordinal or a magnitude counts.

    A share is from 0 to 1, a span is in months, an hour in minutes of the day. `is_open`: an hour of which nobody
    says whether it is before or after noon.
    """

    kind: Kind
    value: Fraction
    start: int
    end: int
    noun: str = ""
    is_open: bool = False
    is_about: bool = False
    bound: Bound = ""


@lru_cache(maxsize=512)
def values(text: str) -> tuple[ValueAt, ...]:
    """Return the values of a text, in order."""
    found = [
        value
        for read in (_shares, _magnitudes, _times, _spans, _ordinals, _months, _weekdays, _hours)
        for value in read(text)
    ]
    found.sort(key=lambda value: value.start)
    return tuple(_with_lead(text, value) for value in found)


def _with_lead(text: str, value: ValueAt) -> ValueAt:
    is_about, bound = leads(text[max(0, value.start - 24) : value.start])
    return replace(value, is_about=is_about, bound=bound)


def shares(text: str) -> list[Fraction]:
    """Return the shares that a text gives in words: "a quarter", "two thirds", "one in five"."""
    return [value.value for value in values(text) if value.kind == "share"]


# --- shares ---

_PARTS = {
    "half": 2, "halves": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7,
    "eighth": 8, "ninth": 9, "tenth": 10, "twentieth": 20,
}  # fmt: skip
_RUSSIAN_PARTS = {
    "втор": 2, "трет": 3, "четверт": 4, "четвёрт": 4, "пят": 5, "шест": 6, "седьм": 7, "восьм": 8, "девят": 9,
    "десят": 10,
}  # fmt: skip
_PART = "|".join(_PARTS)
_RUSSIAN_PART = "|".join(_RUSSIAN_PARTS)
_SMALL = r"\d{1,4}|" + "|".join(word for word, value in NUMBER_WORDS.items() if 0 < value <= 100)
_NO_SHARE = re.compile(
    r"(?:\b(?:first|second|third|last|other|latter|former|better|early|earlier|later|next|and a|past|previous|"
    r"\w+ern|перв\w*|втор\w*|последн\w*|друг\w*|с)[\s-]+)\Z",
    re.IGNORECASE,
)
_OF_A_UNIT = r"(?!(?:\s+of)?[\s-]+(?:an?|one)\s)"
_SINGLE_PART = re.compile(
    rf"\b(?:an?|one|1)[\s-](third|quarter|fourth|fifth|sixth|seventh|eighth|ninth|tenth)\b{_OF_A_UNIT}"
    r"(?=\s+(?:of|less|more|fewer|larger|smaller|higher|lower|are|were|to)\b|\s*[.,;:)!?]|\s*\Z)",
    re.IGNORECASE,
)
_FRACTION = re.compile(
    r"\b(two|three|four|five|six|seven|eight|nine)[\s-](thirds|quarters|fourths|fifths|sixths|sevenths|eighths|"
    r"ninths|tenths)\b",
    re.IGNORECASE,
)
_HALF = re.compile(
    rf"\bhalf\b(?![\s-]?(?:brother|sister|sibling|hour|time|way|life|century|dozen|mile|million|billion|year)){_OF_A_UNIT}"
    r"|\bполовин[аыуе]\b|\bполовиной\b",
    re.IGNORECASE,
)
_RUSSIAN_SINGLE = re.compile(
    r"\b(?:(трет)[ьи]|(четверт)(?:ь|и|ью))\b(?!\s+финала)|\b(?:одн\w+\s+)?("
    + _RUSSIAN_PART
    + r")\w{2,3}\s+(?:част|дол)\w+",
    re.IGNORECASE,
)
_RUSSIAN_FRACTION = re.compile(
    rf"\b(две|двух|двум|двумя|три|тр[её]х|тр[её]м|четыре|четыр[её]х|пять|шесть|семь)\s+({_RUSSIAN_PART})(?:и|ей|ых|ям|ым|ями|ыми)\b",
    re.IGNORECASE,
)
_OUT_OF = re.compile(
    rf"\b({_SMALL})\s+(?:(?<!\d\s)[^\W\d_]+\s+)?(?:in|out\s+of|из)\s+(?:every\s+|каждых\s+)?({_SMALL})\b(?!\s*[%.,]?\d)",
    re.IGNORECASE,
)
_EACH = re.compile(rf"\bкажд\w+\s+({_RUSSIAN_PART})\w+", re.IGNORECASE)
_WRITTEN = re.compile(r"(?<![\d/.,$])(\d{1,2})\s?[/⁄]\s?(\d{1,3})(?![\d/]|[.,]\d)")
_WHOLES = frozenset((2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 16, 20, 25, 50, 100))
_UNIT_BEHIND = re.compile(r"\s*-?([^\W\d_]+)")


def _shares(text: str) -> Iterator[ValueAt]:
    found = [
        value for value in _read_shares(text) if not _NO_SHARE.search(text[max(0, value.start - 14) : value.start])
    ]
    for value in found:  # "три четверти" and not also "четверти"
        wider = any(
            other.start <= value.start
            and value.end <= other.end
            and other.end - other.start > value.end - value.start
            for other in found
        )
        if 0 < value.value < 1 and not wider:
            yield value


def _read_shares(text: str) -> Iterator[ValueAt]:
    forms: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Fraction]], ...] = (
        (_HALF, lambda match: Fraction(1, 2)),
        (_SINGLE_PART, lambda match: Fraction(1, _PARTS[match[1].casefold()])),
        (_FRACTION, lambda match: Fraction(_number(match[1]), _PARTS[match[2].casefold()[:-1]])),
        (_RUSSIAN_SINGLE, lambda match: Fraction(1, _RUSSIAN_PARTS[(match[1] or match[2] or match[3]).casefold()])),
        (_RUSSIAN_FRACTION, lambda match: Fraction(_number(match[1]), _RUSSIAN_PARTS[match[2].casefold()])),
        (_EACH, lambda match: Fraction(1, _RUSSIAN_PARTS[match[1].casefold()])),
    )
    for form, share in forms:
        for match in form.finditer(text):
            yield ValueAt("share", share(match), *match.span())
    for match in _OUT_OF.finditer(text):
        count, whole = _number(match[1]), _number(match[2])
        if 0 < count < whole <= 1000 and not _is_unit_behind(text, match.end()):
            yield ValueAt("share", Fraction(count, whole), *match.span())
    for match in _WRITTEN.finditer(text):
        if 0 < int(match[1]) < int(match[2]) in _WHOLES and not _is_unit_behind(text, match.end()):
            yield ValueAt("share", Fraction(int(match[1]), int(match[2])), *match.span())
    for at, character in enumerate(text):
        part = _vulgar(character)
        if part and not text[max(0, at - 1) : at].strip().isdecimal() and not _is_unit_behind(text, at + 1):
            yield ValueAt("share", part, at, at + 1)


def _number(word: str) -> int:
    return NUMBER_WORDS[word.casefold()] if word.casefold() in NUMBER_WORDS else int(word)


def _vulgar(character: str) -> Fraction:
    """Return the value of "¾", 0 for any other character."""
    if character.isascii() or not unicodedata.decomposition(character).startswith("<fraction>"):
        return Fraction(0)
    return Fraction(unicodedata.numeric(character, 0)).limit_denominator(16)


def _is_unit_behind(text: str, end: int) -> bool:
    behind = _UNIT_BEHIND.match(text, end)
    return behind is not None and (behind[1].casefold() in UNITS or behind[1].casefold() in MONTHS)


# --- magnitudes, multiples, spans ---

_MAGNITUDE = "|".join(MAGNITUDES)
_MAGNITUDES = re.compile(
    rf"\b({_MAGNITUDE})(?:\s+(?:of\s+)?({_MAGNITUDE}))?\b(?:\s+(?:of\s+)?(?:the\s+)?([^\W\d_]{{3,}}))?",
    re.IGNORECASE,
)


def _magnitudes(text: str) -> Iterator[ValueAt]:
    told = [(number.start, number.end) for number in numbers(text)]
    for match in _MAGNITUDES.finditer(text):
        if any(start <= match.start() < end for start, end in told):
            continue  # "five thousands"
        value = MAGNITUDES[match[1].casefold()] * (MAGNITUDES[match[2].casefold()] if match[2] else 1)
        noun = stem(match[3].casefold()) if match[3] else ""
        yield ValueAt("magnitude", Fraction(value), match.start(), match.end(2 if match[2] else 1), noun)


_TIMES = tuple(
    (re.compile(rf"\b(?:{pattern})\b", re.IGNORECASE), value)
    for pattern, value in (
        (r"halv(?:ed|ing|es)|уполовин\w+|вдвое (?:меньше|ниже|короче)", Fraction(1, 2)),
        (r"doubl(?:ed|ing|es)|twice|two-?fold|удво[иея]\w*|вдвое(?! (?:меньше|ниже|короче))|дважды", Fraction(2)),
        (r"tripl(?:ed|ing|es)|trebl(?:ed|ing|es)|thrice|three-?fold|утро(?:ил|ен)\w*|втрое|трижды", Fraction(3)),
        (r"quadrupl(?:ed|ing|es)|four-?fold|учетвер\w+|вчетверо|четырежды", Fraction(4)),
    )
)
_OFTEN = frozenset(("time", "fold", "раз", "раза"))


def _times(text: str) -> Iterator[ValueAt]:
    for form, value in _TIMES:
        for match in form.finditer(text):
            yield ValueAt("times", value, *match.span())
    for amount in amounts(text):
        if amount.noun in _OFTEN and not amount.is_ordinal and amount.value > 0:
            yield ValueAt("times", amount.value, amount.start, amount.end)


_SPAN = re.compile(
    r"\b(?:for|lasted|spent|took|over|within|about|nearly|almost|than) (?:about |almost |nearly |over |more than )?"
    r"a (decade|century)\b|\b(?:длил\w+|продолж\w+|прош\w+|за|почти|около) (?:целое )?(десятилетие|столетие)\b",
    re.IGNORECASE,
)


def _spans(text: str) -> Iterator[ValueAt]:
    for match in _SPAN.finditer(text):
        start = match.start(1) - len("a ") if match[1] else match.start(2)
        yield ValueAt("span", UNITS[(match[1] or match[2]).casefold()][1], start, match.end())
    for amount in amounts(text):
        if amount.dimension == "months":
            yield ValueAt("span", amount.value * amount.size, amount.start, amount.end)


# --- ordinals ---

_ENDING = r"(?:ый|ий|ой|ая|ое|ую|ого|ому|ом|ые|ых|ым|ыми)"
_ORDINALS = tuple(
    (re.compile(rf"\b(?:{pattern})\s+([^\W\d_]{{3,}})", re.IGNORECASE), value)
    for value, pattern in enumerate(
        (
            rf"first|перв{_ENDING}", rf"second|втор{_ENDING}",
            r"third|трет(?:ий|ья|ье|ью|ьего|ьей|ьему|ьем|ьи|ьих)", rf"fourth|четв[её]рт{_ENDING}",
            rf"fifth|пят{_ENDING}", rf"sixth|шест{_ENDING}", rf"seventh|седьм{_ENDING}",
            rf"eighth|восьм{_ENDING}", rf"ninth|девят{_ENDING}", rf"tenth|десят{_ENDING}",
        ),
        1,
    )
)  # fmt: skip


def _ordinals(text: str) -> Iterator[ValueAt]:
    for form, value in _ORDINALS:
        for match in form.finditer(text):
            yield ValueAt("ordinal", Fraction(value), *match.span(), stem(match[1].casefold()))
    for amount in amounts(text):
        if amount.is_ordinal and not amount.is_spelled and amount.noun and not amount.is_year:
            yield ValueAt("ordinal", amount.value, amount.start, amount.end, amount.noun)


# --- months, weekdays, hours ---

_RUSSIAN_MONTHS = {
    word: number
    for word, number in MONTHS.items()
    if not word.isascii() and len(word) > 2 and word[-1] in "ьйтаяе" and word != "ноя"
}
_RUSSIAN_MONTHS |= {
    f"{word[:-1]}{ending}": _RUSSIAN_MONTHS[word]
    for word in list(_RUSSIAN_MONTHS)
    if word[-1] in "яа"
    for ending in (("ю", "ем", "ём") if word[-1] == "я" else ("у", "ом"))
}
_FULL_MONTHS = {
    word: number for word, number in MONTHS.items() if word.isascii() and (len(word) > 3 or word == "may")
}
_MONTH = re.compile(
    rf"\b({'|'.join(word.capitalize() for word in _FULL_MONTHS)})\b|\b({'|'.join(_RUSSIAN_MONTHS)})\b"
)
_IN_MONTH = re.compile(
    r"(?:\b(?:in|of|since|until|till|by|during|from|to|through|and|or|between|early|late|mid|last|this|next|every|each|"
    r"before|after)[\s-]|\d(?:st|nd|rd|th)?\s|[-–—])\s?\Z",
    re.IGNORECASE,
)
_TO = re.compile(r"\s*(?:\d{0,4}\s*)?(?:[-–—]|\b(?:to|until|till|through|and|по|до|и)\b)\s*(?:\d{1,2}\s+)?")
_WEEKDAYS = {
    word: number
    for number, words in enumerate(
        (
            "понедельник понедельника понедельникам понедельнику понедельникам",
            "вторник вторника вторникам вторнику",
            "среду средам",
            "четверг четверга четвергам четвергу",
            "пятница пятницу пятницы пятницам пятнице",
            "суббота субботу субботы субботам субботе",
            "воскресенье воскресенья воскресеньям воскресенью",
        )
    )
    for word in words.split()
}
_WEEKDAY = re.compile(rf"\b(?:в|во|по|с|со|до|к|ко|и)\s+({'|'.join(_WEEKDAYS)})\b", re.IGNORECASE)


def named_months(text: str) -> frozenset[Fraction]:
    """Return the numbers of all months that a text names, also without a word that shows it ("May–September")."""
    return frozenset(_number_of_month(match) for match in _MONTH.finditer(text))


def _number_of_month(match: re.Match[str]) -> Fraction:
    return Fraction(_FULL_MONTHS[match[1].casefold()] if match[1] else _RUSSIAN_MONTHS[match[2]])


def _months(text: str) -> Iterator[ValueAt]:
    found = []
    for match in _MONTH.finditer(text):
        if match[1] and not (_IN_MONTH.search(text[max(0, match.start() - 9) : match.start()])):
            continue  # "April Jones"
        found.append(ValueAt("month", _number_of_month(match), *match.span()))
    yield from found
    yield from _between(text, found, 12)


def _weekdays(text: str) -> Iterator[ValueAt]:
    found = [
        ValueAt("weekday", Fraction(_WEEKDAYS[match[1].casefold()]), *match.span(1))
        for match in _WEEKDAY.finditer(text)
    ]
    yield from found
    yield from _between(text, found, 7)


def _between(text: str, found: list[ValueAt], round_: int) -> Iterator[ValueAt]:
    """Return what lies inside "from November to April": there, December is no other month."""
    for first, last in pairwise(found):
        if _TO.fullmatch(text[first.end : last.start]):
            for step in range(1, int(last.value - first.value) % round_):
                number = (int(first.value) + step) % round_ or (12 if first.kind == "month" else 0)
                yield ValueAt(first.kind, Fraction(number), first.start, last.end)


_NOON = r"\s*(?:(?P<early>a\.?m\b\.?|утра|ночи)|(?P<late>p\.?m\b\.?|вечера|дня))"
_HOURS = (
    re.compile(rf"(?<![\d:.])(?P<hour>\d{{1,2}})(?:[:.](?P<minute>[0-5]\d))?(?:\s+час\w*)?{_NOON}", re.IGNORECASE),
    re.compile(rf"(?<![\d:.])(?P<hour>\d{{1,2}}):(?P<minute>[0-5]\d)(?![\d:])(?!{_NOON})", re.IGNORECASE),
)


def _hours(text: str) -> Iterator[ValueAt]:
    for form in _HOURS:
        for match in form.finditer(text):
            fields = match.groupdict()
            hour, minute = int(match["hour"]), int(match["minute"] or 0)
            late, early = fields.get("late"), fields.get("early")
            if hour < 24:
                hour = hour % 12 + 12 * bool(late) if (late or early) and hour <= 12 else hour
                is_open = not (late or early) and hour <= 12
                yield ValueAt("hour", Fraction(hour * 60 + minute), *match.span(), is_open=is_open)
