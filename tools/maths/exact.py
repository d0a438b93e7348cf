"""Numbers without rounding: fractions, and intervals where a root has no exact form.

An interval encloses the true value, rounded outward to `DIGITS_KEPT` digits, so that a result is either right in
all digits that are shown or refused; nothing here is a float.
"""

import math
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext
from fractions import Fraction

from crowquill.errors import ToolRetry

MAX_BITS = 200_000
"""Bits that a power may have, estimated as bits of the base times the exponent."""
MAX_VALUE_BITS = 1_000_000
"""Bits of any intermediate value."""
MAX_DIGITS = 4000
"""Characters of an exact result that are written out; a longer one is shown by its leading digits."""
SHOWN_DIGITS, ROOT_DIGITS, DIGITS_KEPT = 15, 30, 60
"""Significant digits of a decimal, of a result that has no exact form, and of the bounds it is computed with."""
_MAX_ROOT = 64  # roots up to this degree are tried exactly
_MAX_INTERVAL_POWER = 1000


@dataclass(frozen=True, slots=True, eq=False)
class Interval:
    """A real number known to lie between `low` and `high`. Comparing it raises ToolRetry when undecided."""

    low: Fraction
    high: Fraction

    def __add__(self, other: "Interval | Fraction") -> "Interval":
        other = _interval(other)
        return _outward(self.low + other.low, self.high + other.high)

    def __neg__(self) -> "Interval":
        return Interval(-self.high, -self.low)

    def __sub__(self, other: "Interval | Fraction") -> "Interval":
        return self + -_interval(other)

    def __rsub__(self, other: Fraction) -> "Interval":
        return -self + other

    def __mul__(self, other: "Interval | Fraction") -> "Interval":
        other = _interval(other)
        corners = [one * two for one in (self.low, self.high) for two in (other.low, other.high)]
        return _outward(min(corners), max(corners))

    def __truediv__(self, other: "Interval | Fraction") -> "Interval":
        other = _interval(other)
        if other.low <= 0 <= other.high:
            raise ToolRetry("the divisor is zero, or too close to zero to tell")
        return self * Interval(1 / other.high, 1 / other.low)

    def __rtruediv__(self, other: Fraction) -> "Interval":
        return _interval(other) / self

    def __lt__(self, other: "Interval | Fraction | int") -> bool:
        other = _interval(other)
        if self.high < other.low:
            return True
        if self.low >= other.high:
            return False
        raise ToolRetry("the values are too close to each other to tell which is larger")

    def __gt__(self, other: "Interval | Fraction | int") -> bool:
        return _interval(other) < self

    __radd__ = __add__
    __rmul__ = __mul__


Number = Fraction | Interval


def _interval(value: "Interval | Fraction | int") -> Interval:
    return value if isinstance(value, Interval) else Interval(Fraction(value), Fraction(value))


def _outward(low: Fraction, high: Fraction) -> Interval:
    return Interval(_rounded(low, ROUND_FLOOR), _rounded(high, ROUND_CEILING))


def _rounded(value: Fraction, rounding: str) -> Fraction:
    with localcontext() as context:
        context.prec, context.rounding = DIGITS_KEPT, rounding
        return Fraction(Decimal(value.numerator) / Decimal(value.denominator))


def equal(left: Number, right: Number) -> bool:
    """Say whether two values are equal. Raises ToolRetry when bounds overlap."""
    if isinstance(left, Fraction) and isinstance(right, Fraction):
        return left == right
    return not (left < right or left > right)


def whole_below(value: Number) -> int:
    """Return the largest integer that is not above the value."""
    if isinstance(value, Fraction):
        return math.floor(value)
    if math.floor(value.low) != math.floor(value.high):
        raise ToolRetry("the value is too close to a whole number to round it")
    return math.floor(value.low)


def whole(value: Number) -> int:
    """Return an integer. Raises ToolRetry when the value is none."""
    if isinstance(value, Interval) or value.denominator != 1:
        raise ToolRetry("this function needs whole numbers")
    return value.numerator


def bits(value: Number) -> int:
    """Return the bits of the larger part of a fraction."""
    if isinstance(value, Interval):
        return max(bits(value.low), bits(value.high))
    return max(value.numerator.bit_length(), value.denominator.bit_length())


def power(base: Number, exponent: Number) -> Number:
    """Raise to a power: exact where there is an exact form, otherwise an interval.

    Raises:
        ToolRetry: it is not real, or larger than MAX_BITS.
        ZeroDivisionError: zero to a negative power.
    """
    if isinstance(exponent, Interval):
        raise ToolRetry("an exponent must be a number that can be written exactly")
    if isinstance(base, Interval):
        return _interval_power(base, exponent)
    if bits(base) * abs(exponent) > MAX_BITS:
        raise ToolRetry("the power becomes too large")
    if exponent.denominator == 1:
        return base**exponent.numerator
    if base < 0:
        raise ToolRetry("a fractional power of a negative number is not real, or not unique")
    if base == 0:
        return Fraction(0) if exponent > 0 else 1 / base
    root = _exact_root(base, exponent.denominator)
    return root**exponent.numerator if root is not None else _real_power(base, exponent)


def _interval_power(base: Interval, exponent: Fraction) -> Number:
    if exponent.denominator != 1:
        if base < 0:
            raise ToolRetry("a fractional power of a negative number is not real, or not unique")
        ends = [_interval(power(end, exponent)) for end in (base.low, base.high)]
        return Interval(min(end.low for end in ends), max(end.high for end in ends))
    times = abs(exponent.numerator)
    if times > _MAX_INTERVAL_POWER:
        raise ToolRetry("the power becomes too large")
    result = _interval(1)
    for _ in range(times):
        result = result * base
    return result if exponent >= 0 else Fraction(1) / result


def _exact_root(value: Fraction, degree: int) -> Fraction | None:
    if degree > _MAX_ROOT:
        return None
    top, bottom = _whole_root(value.numerator, degree), _whole_root(value.denominator, degree)
    return Fraction(top, bottom) if top**degree == value.numerator and bottom**degree == value.denominator else None


def _whole_root(value: int, degree: int) -> int:
    """Return the integer part of a root, by Newton's method from above."""
    if degree == 2:
        return math.isqrt(value)
    root = 1 << -(-value.bit_length() // degree)
    while True:
        closer = ((degree - 1) * root + value // root ** (degree - 1)) // degree
        if closer >= root:
            return root
        root = closer


def _real_power(base: Fraction, exponent: Fraction) -> Interval:
    """Enclose an irrational power; `decimal` computes it to within one unit in the last of 80 digits.

    The base's rounding is multiplied by the exponent, which the bit limit keeps below 10^6.
    """
    with localcontext() as context:
        context.prec = DIGITS_KEPT + 20
        value = Fraction(
            (Decimal(base.numerator) / Decimal(base.denominator))
            ** (Decimal(exponent.numerator) / Decimal(exponent.denominator))
        )
    margin = value / 10 ** (DIGITS_KEPT + 5)
    return _outward(value - margin, value + margin)


# --- writing results ---


def show(value: "Number | bool") -> tuple[str, str]:
    """Return the exact form and the decimal form with 15 significant digits.

    What has no exact form, or one of more than MAX_DIGITS, ends in "…" after 30 digits. A decimal in exponent form
    appears only below 1e-20 and from 1e21; whole numbers that are exact keep all digits.
    """
    if isinstance(value, bool):
        text = "true" if value else "false"
        return text, text
    if isinstance(value, Interval):
        middle = (value.low + value.high) / 2
        if value.high - value.low > abs(middle) / 10 ** (ROOT_DIGITS + 5):
            raise ToolRetry("too many digits cancel out to give a value; rewrite the expression")
        return _continued(middle), _decimal(middle, SHOWN_DIGITS)
    if _length(value) > MAX_DIGITS:
        return _continued(value), _decimal(value, SHOWN_DIGITS)
    if value.denominator == 1:
        return str(value.numerator), str(value.numerator)
    decimal = _decimal(value, SHOWN_DIGITS)
    return (decimal if Fraction(decimal) == value else f"{value.numerator}/{value.denominator}"), decimal


def _length(value: Fraction) -> float:
    """Return about how many digits the value has when it is written out."""
    below = value.denominator.bit_length() if value.denominator != 1 else 0
    return (value.numerator.bit_length() + below) * math.log10(2)


def _decimal(value: Fraction, digits: int) -> str:
    mantissa, exponent = _digits(value, digits)
    return (mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa) + exponent


def _continued(value: Fraction) -> str:
    mantissa, exponent = _digits(value, ROOT_DIGITS)
    return f"{mantissa}…{exponent}"


def _digits(value: Fraction, digits: int) -> tuple[str, str]:
    """Round to significant digits; the second part is the exponent, empty in ordinary notation."""
    with localcontext() as context:
        context.prec = digits
        decimal = Decimal(value.numerator) / Decimal(value.denominator)
    if abs(decimal.adjusted()) <= 20:
        return f"{decimal:f}", ""
    mantissa, _, exponent = f"{decimal:e}".partition("e")
    return mantissa, f"e{exponent}"


def checked(value: Number) -> Number:
    """Return the value. Raises ToolRetry when it has become too large to go on with."""
    if bits(value) > MAX_VALUE_BITS:
        raise ToolRetry("the numbers become too large")
    return value
