"""Phrases about calendar days, in English and Russian."""

# ruff: noqa: E501 - a phrase is one line

import re

from crowquill.errors import ToolRetry
from crowquill.memory.textual import dates
from crowquill.tools.maths.nodes import Call, Day, Node, Number, Text
from crowquill.tools.maths.slots import Ambiguous, Builder, Phrase, Slots, call, number, phrase

_TODAY = {
    "today": 0,
    "now": 0,
    "сегодня": 0,
    "сегодняшний день": 0,
    "tomorrow": 1,
    "завтра": 1,
    "yesterday": -1,
    "вчера": -1,
}
_SLASHED = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
_ISO_SLASHED = re.compile(r"(\d{4})[/.](\d{1,2})[/.](\d{1,2})")
_AROUND = re.compile(
    r"^(?:(?:the|on|date|дат[аы])\s+)+|\s*(?:года?|г\.?)$|^(?:mon|tues|wednes|thurs|fri|satur|sun)day,?\s+",
    re.IGNORECASE,
)
_UNITS = {
    "working day": "working days|business days|weekdays|working day|business day|weekday|рабочи[хй] д(?:ней|ня|ень)",
    "day": "days|day|дней|дня|день", "week": "weeks|week|недель|недели|неделя|неделю",
    "month": "months|month|месяцев|месяца|месяц", "year": "years|year|лет|года|год",
}  # fmt: skip
_UNIT = "(?P<u>" + "|".join(_UNITS.values()) + ")"
_BETWEEN = (
    r"(?:are (?:there )?|is it |have passed |passed |прошло )?(?:between |from |since |между |от |с )(?P<a>.+?)"
    r"(?: and | to | until | till | through | и | до | по )(?P<b>.+)"
)


def read_day(text: str) -> Node | None:
    """Read a whole text as a calendar day, None when it is none. Raises ToolRetry for a day that does not exist."""
    text = _AROUND.sub("", text.strip()).strip(" ,.")
    if text.lower() in _TODAY:
        today: Node = Call("today", ())
        shift = _TODAY[text.lower()]
        return Call("add_days", (today, Number("1"), Text("day"), Number(str(shift)))) if shift else today
    if found := _SLASHED.fullmatch(text):
        return _slashed(*map(int, found.groups()))
    if found := _ISO_SLASHED.fullmatch(text):
        return _day(*map(int, found.groups()))
    for at in dates(text):
        if (
            (at.start, at.end) == (0, len(text))
            and at.year is not None
            and at.month is not None
            and at.day is not None
        ):
            return _day(at.year, at.month, at.day)
    return None


def _slashed(first: int, second: int, year: int) -> Node:
    if first <= 12 and second <= 12 and first != second:
        raise Ambiguous(f"{first}/{second}/{year} can be two days; write it as {year}-{first:02}-{second:02}")
    return _day(year, *((first, second) if first <= 12 else (second, first)))


def _day(year: int, month: int, day: int) -> Node:
    longest = (
        31,
        29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28,
        31,
        30,
        31,
        30,
        31,
        31,
        30,
        31,
        30,
        31,
    )
    if not (1 <= month <= 12 and 1 <= day <= longest[month - 1] and year >= 1):
        raise ToolRetry(f"there is no day {year}-{month:02}-{day:02}")
    return Day(year, month, day)


def _unit(words: str) -> Text:
    words = re.sub(r"\s+", " ", words.lower())
    return Text(next(name for name, written in _UNITS.items() if re.fullmatch(written, words)))


def _days(slots: Slots, *names: str) -> list[Node] | None:
    found = [read_day(slots.raw(name)) for name in names]
    return [day for day in found if day is not None] if None not in found else None


def _between(slots: Slots) -> Node | None:
    days = _days(slots, "a", "b")
    unit = _unit(slots.raw("u")) if "u" in slots else Text("day")
    return None if days is None else call("days_between", *days, unit)


def _from_today(slots: Slots) -> Node | None:
    days = _days(slots, "a")
    if days is None:
        return None
    past = slots.raw("w").lower() in ("since", "прошло с", "с")
    pair = (days[0], call("today")) if past else (call("today"), days[0])
    return call("days_between", *pair, _unit(slots.raw("u")))


def _moved(slots: Slots) -> Node | None:
    days = _days(slots, "a")
    if days is None:
        return None
    count = {"a": "1", "an": "1", "one": "1"}.get(slots.raw("n").lower(), slots.raw("n"))
    back = slots.raw("w").lower() in ("before", "prior to", "minus", "-", "−", "до", "минус", "ago")
    return call("add_days", days[0], number(count), _unit(slots.raw("u")), number("-1" if back else "1"))


def _one(name: str, *more: Node) -> Builder:
    def build(slots: Slots) -> Node | None:
        days = _days(slots, "a")
        return None if days is None else call(name, *days, *more)

    return build


def _age(slots: Slots) -> Node | None:
    born = _days(slots, "a")
    on = _days(slots, "b") if "b" in slots else [call("today")]
    return None if born is None or on is None else call("age", *born, *on)


def _difference(slots: Slots) -> Node | None:
    days = _days(slots, "b", "a")
    return None if days is None else call("days_between", *days, Text("day"))


def _days_in(slots: Slots) -> Node | None:
    if found := re.fullmatch(r"(\d{4})-(\d{2})", slots.raw("a")):
        return call("days_in", number(found[1]), number(str(int(found[2]))))
    months = [at for at in dates(f"1 {slots.raw('a')}") if at.year is not None and at.month is not None]
    if months and months[0].end == len(slots.raw("a")) + 2:
        return call("days_in", number(str(months[0].year)), number(str(months[0].month)))
    return None


_COUNT = r"(?P<n>\d{1,6}|an?|one)"

DAY_PHRASES: tuple[Phrase, ...] = (
    phrase(rf"(?:how many |number of |сколько )?{_UNIT} {_BETWEEN}", _between),
    phrase(rf"(?:how long(?: is it)?|time|difference|interval) {_BETWEEN}", _between),
    phrase(rf"(?P<a>.+?) (?:to|until|до) (?P<b>.+?) in {_UNIT}", _between),
    phrase(rf"(?:how many )?{_UNIT} (?P<w>until|till|to|since|before)(?: the)? (?P<a>.+)", _from_today),
    phrase(rf"сколько {_UNIT} (?P<w>до|осталось до|прошло с) (?P<a>.+)", _from_today),
    phrase(rf"(?:(?:what|which) (?:date|day) (?:is|was|will be) |date |какая дата |какое число (?:будет )?)?(?:через )?{_COUNT} {_UNIT} (?P<w>after|before|prior to|from|following|после|до|от) (?P<a>.+)", _moved),
    phrase(rf"(?P<a>.+?) ?(?P<w>plus|minus|\+|-|−|плюс|минус) ?{_COUNT} {_UNIT}", _moved),
    phrase(r"(?P<a>.+?) (?:-|minus|минус) (?P<b>.+)", _difference),
    phrase(r"(?:(?:what|which) )?(?:day of the week|weekday|day|day of week)(?: of the week)? (?:is|was|were|will be|of|for|on|does|did)(?: it)?(?: on)? (?P<a>.+?)(?: (?:fall|be)(?: on)?)?", _one("weekday")),
    phrase(r"(?:(?:в )?как(?:ой|им) день недели (?:был(?:о)? |будет )?|день недели )(?P<a>.+)", _one("weekday")),
    phrase(r"(?:how old (?:is|was|will be)|age of|what (?:is|was) the age of) (?:a |the |some)?(?:person|one|somebody|he|she|they)? ?(?:who was |be )?born (?:on |in )?(?P<a>.+?)(?: (?:be )?(?:on|as of|at|by) (?P<b>.+))?", _age),
    phrase(r"age (?:on|at|as of) (?P<b>.+?),? (?:of (?:a |some)?(?:person|one)? ?)?(?:if )?born (?:on )?(?P<a>.+)", _age),
    phrase(r"(?:возраст|сколько лет) (?:человек[ау] )?,? ?(?:родивш(?:егося|емуся) )(?P<a>.+?),?(?: на (?P<b>.+))?", _age),
    phrase(r"(?:(?:what|which) )?(?:is the )?(?:iso )?week(?: number)? (?:is|of|for|was) (?P<a>.+)", _one("iso_week")),
    phrase(r"(?:какая (?:это )?неделя(?: года)?|номер недели) (?P<a>.+)", _one("iso_week")),
    phrase(r"(?:(?:what|which) )?day of (?:the )?year (?:is|of|for|was) (?P<a>.+)", _one("day_of_year")),
    phrase(r"is (?P<y>\d{1,4}) a leap year", lambda slots: call("is_leap", slots["y"])),
    phrase(r"(?P<y>\d{1,4}) високосный(?: год)?|(?:является ли )?(?P<y2>\d{1,4})(?: год)? високосным(?: годом)?", lambda slots: call("is_leap", slots["y"] if "y" in slots else slots["y2"])),
    phrase(r"(?:how many |number of |сколько )?(?:days|дней)(?: are)?(?: there)? (?:in|в) (?P<a>[^\W\d]+ \d{4}|\d{4}-\d{2})", _days_in),
    phrase(r"(?:how many |number of |сколько )?(?:days|дней)(?: are)?(?: there)? (?:in|в) (?P<y>\d{4})(?: году)?", lambda slots: call("days_in", slots["y"])),
    phrase(r"(?P<a>.+)", lambda slots: read_day(slots.raw("a"))),
)  # fmt: skip


_RELATIVE = re.compile(
    r"\b(?:today|tomorrow|yesterday|now|until|till|since|born|сегодня|завтра|вчера|осталось|прошло|родивш\w+|до)\b",
    re.IGNORECASE,
)


def names_today(text: str) -> bool:
    """Say whether a text may need to know today's date."""
    return _RELATIVE.search(text) is not None
