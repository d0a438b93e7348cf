"""What an expression can be worth besides what SymPy has: quantities and solutions; and the caps on all values."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction

import sympy
from sympy import Expr, Integer, Rational

from crowquill.errors import ToolRetry

MAX_BITS = 200_000
"""Bits that a power of numbers may have, estimated as bits of the base times the exponent."""
MAX_VALUE_BITS = 1_000_000
"""Bits of any intermediate number."""
MAX_FACTORIAL, MAX_BINOMIAL, MAX_PLACES, MAX_SYMBOLIC_POWER = 2000, 5000, 1000, 64
MAX_CELLS = 400
"""Cells of a matrix, or values of a list."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """A value with a unit, which is a name of pint's registry or powers of such names."""

    value: Expr
    unit: tuple[tuple[str, Fraction], ...]


@dataclass(frozen=True, slots=True)
class Solutions:
    """The solutions of equations: one mapping of unknowns to values for each. `text` stands for a set of others."""

    found: tuple[dict[sympy.Symbol, Expr], ...]
    text: str = ""
    latex: str = ""


@dataclass(slots=True)
class Remarks:
    """What has to be said about a computation."""

    assumptions: list[str] = field(default_factory=list)
    alternatives: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)
    digits: int = 15
    plot: dict[str, str] | None = None

    def assume(self, text: str) -> None:
        """Say what was assumed, once."""
        if text not in self.assumptions:
            self.assumptions.append(text)

    def alternative(self, text: str) -> None:
        """Say what else it may mean, once."""
        if text not in self.alternatives:
            self.alternatives.append(text)

    def note(self, text: str) -> None:
        """Say something about the result, once."""
        if text not in self.notes:
            self.notes.append(text)


def exact(text: str) -> Rational:
    """Return the value of decimal digits, without rounding."""
    mantissa, _, exponent = text.lower().partition("e")
    value = Fraction(mantissa) * Fraction(10) ** int(exponent or 0)
    return Rational(value.numerator, value.denominator)


def whole(value: object, what: str = "this function") -> int:
    """Return an integer. Raises ToolRetry when the value is none."""
    if not isinstance(value, Integer):
        raise ToolRetry(f"{what} needs whole numbers")
    return int(value)


def bits(value: Rational) -> int:
    """Return the bits of the larger part of a fraction."""
    return int(max(value.p.bit_length(), value.q.bit_length()))


def checked(value: object) -> object:
    """Return a value. Raises ToolRetry when it has become too large to go on with."""
    if isinstance(value, Rational) and bits(value) > MAX_VALUE_BITS:
        raise ToolRetry("the numbers become too large")
    return value


def power(base: Expr, exponent: Expr) -> Expr:
    """Raise to a power. Raises ToolRetry when the result would be too large, ZeroDivisionError for 0 to -1."""
    if base == 0 and exponent.is_negative:
        raise ZeroDivisionError
    if base in (0, 1, -1):
        return base**exponent
    largest = max((bits(part) for part in sympy.preorder_traversal(base) if isinstance(part, Rational)), default=1)
    size = 0.0 if exponent.free_symbols else float_of(exponent)
    if base.free_symbols and size > MAX_SYMBOLIC_POWER:
        raise ToolRetry(f"powers of expressions go up to {MAX_SYMBOLIC_POWER}")
    if largest * size > MAX_BITS:
        raise ToolRetry("the power becomes too large")
    return base**exponent


def float_of(value: Expr) -> float:
    """Return about what a number is worth, infinite when that cannot be told."""
    try:
        number = complex(value.evalf(5))
        return abs(number) if math.isfinite(abs(number)) else math.inf
    except (TypeError, ValueError, OverflowError):
        return math.inf


def only_numbers(values: Iterable[object], what: str) -> list[Expr]:
    """Return values that can be calculated with. Raises ToolRetry for others."""
    found: list[Expr] = []
    for value in values:
        if not isinstance(value, Expr):
            raise ToolRetry(f"{what} needs numbers")
        found.append(value)
    if len(found) > MAX_CELLS:
        raise ToolRetry(f"{what} takes at most {MAX_CELLS} values")
    return found
