"""Calendar days, in the proleptic Gregorian calendar of `datetime`."""

from collections.abc import Callable
from datetime import date, timedelta

import sympy
from sympy import Integer

from crowquill.errors import ToolRetry
from crowquill.tools.maths.values import Remarks, whole

_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MOST_DAYS = 400_000


def days_between(remarks: Remarks, first: date, last: date, unit: str = "day") -> object:
    """Return the time between two days in a unit; in days the first day does not count."""
    remarks.assume("the first day is not counted")
    if unit == "working day":
        remarks.assume("Monday to Friday are working days; holidays are not left out")
        low, high = sorted((first, last))
        return Integer(_working(low, high) * (1 if last >= first else -1))
    days = (last - first).days
    if unit == "week":
        return sympy.Rational(days, 7)
    if unit in ("month", "year"):
        low, high = sorted((first, last))
        months = _months(low, high)
        left = (high - _moved(low, months)).days
        count = months // 12 if unit == "year" else months
        remarks.note(f"years: {months // 12}, months: {months % 12}, days: {left}; {abs(days)} days in all")
        remarks.assume(f"whole {unit}s are counted")
        return Integer(count if last >= first else -count)
    return Integer(days)


def _months(low: date, high: date) -> int:
    count = (high.year - low.year) * 12 + high.month - low.month
    return count - (_moved(low, count) > high)


def _working(low: date, high: date) -> int:
    """Count the working days after `low` up to and including `high`."""
    weeks, rest = divmod((high - low).days, 7)
    return weeks * 5 + sum((low + timedelta(day)).weekday() < 5 for day in range(1, rest + 1))


def _moved(day: date, months: int) -> date:
    """Move by months; the 31st becomes the last day of a shorter month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month + 1, last)
        except ValueError:
            continue
    raise ToolRetry("that day is outside the years 1 to 9999")


def add_days(remarks: Remarks, day: date, count: Integer, unit: str, sign: Integer) -> date:
    """Move a day by days, weeks, months, years or working days."""
    number = whole(count, "a number of days") * int(sign)
    if abs(number) > _MOST_DAYS * 10:
        raise ToolRetry("that day is outside the years 1 to 9999")
    try:
        match unit:
            case "working day":
                remarks.assume("Monday to Friday are working days; holidays are not left out")
                return _working_moved(day, number)
            case "month" | "year":
                return _moved(day, number * (12 if unit == "year" else 1))
            case _:
                return day + timedelta(days=number * (7 if unit == "week" else 1))
    except (OverflowError, ValueError):
        raise ToolRetry("that day is outside the years 1 to 9999") from None


def _working_moved(day: date, number: int) -> date:
    if abs(number) > _MOST_DAYS:
        raise ToolRetry("that day is outside the years 1 to 9999")
    step = timedelta(days=1 if number > 0 else -1)
    left = abs(number)
    while left:
        day += step
        left -= day.weekday() < 5
    return day


def weekday(remarks: Remarks, day: date) -> str:
    """Name the day of the week."""
    if day.year < 1583:
        remarks.assume("the Gregorian calendar, also before 1583")
    return _NAMES[day.weekday()]


def age(remarks: Remarks, born: date, on: date) -> Integer:
    """Return the age in full years."""
    if on < born:
        raise ToolRetry("that is before the birth")
    if (born.month, born.day) == (2, 29):
        remarks.assume("a birthday on 29 February is on 1 March in other years")
    return Integer(on.year - born.year - ((on.month, on.day) < (born.month, born.day)))


def _iso_week(remarks: Remarks, day: date) -> str:
    year, week, number = day.isocalendar()
    remarks.note(f"day {number} of the week")
    return f"{year}-W{week:02}"


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def is_leap(remarks: Remarks, year: Integer) -> object:
    """Say whether a year has 366 days."""
    return sympy.true if _is_leap(whole(year)) else sympy.false


def days_in(remarks: Remarks, year: Integer, month: Integer | None = None) -> Integer:
    """Return the days of a year or month."""
    if month is None:
        return Integer(366 if _is_leap(whole(year)) else 365)
    following = _moved(date(whole(year), whole(month), 1), 1)
    return Integer((following - timedelta(days=1)).day)


DAYS: dict[str, Callable[..., object]] = {
    "add_days": add_days,
    "age": age,
    "day_of_year": lambda remarks, day: Integer(day.timetuple().tm_yday),
    "days_between": days_between,
    "days_in": days_in,
    "is_leap": is_leap,
    "iso_week": _iso_week,
    "weekday": weekday,
}
