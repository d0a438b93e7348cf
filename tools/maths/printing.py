"""Writes values: exactly, as decimals, and in LaTeX, in the notation that the grammar reads."""

import math
from datetime import date
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

import sympy
from sympy import Rational
from sympy.printing.str import StrPrinter

from crowquill.tools.maths import units
from crowquill.tools.maths.values import Quantity, Solutions, bits

MAX_DIGITS = 4000
"""Characters of a result that are written out; a longer number is shown by its leading digits."""
SHOWN_DIGITS, ROOT_DIGITS = 15, 30


class _Printer(StrPrinter):  # type: ignore[misc]  # SymPy has no types
    """SymPy's own notation, with ^ for powers, e and i, ln, and `or` between conditions."""

    def _print_Pow(self, expr: Any, rational: bool = False) -> str:  # noqa: N802 - SymPy's names
        return str(super()._print_Pow(expr, rational)).replace("**", "^")

    def _print_Exp1(self, expr: Any) -> str:  # noqa: N802
        return "e"

    def _print_ImaginaryUnit(self, expr: Any) -> str:  # noqa: N802
        return "i"

    def _print_Infinity(self, expr: Any) -> str:  # noqa: N802
        return "infinity"

    def _print_NegativeInfinity(self, expr: Any) -> str:  # noqa: N802
        return "-infinity"

    def _print_log(self, expr: Any) -> str:
        return f"ln({self._print(expr.args[0])})"

    def _print_exp(self, expr: Any) -> str:
        return f"e^({self._print(expr.args[0])})" if not expr.args[0].is_Atom else f"e^{self._print(expr.args[0])}"

    def _print_Abs(self, expr: Any) -> str:  # noqa: N802
        return f"abs({self._print(expr.args[0])})"

    def _print_ceiling(self, expr: Any) -> str:
        return f"ceil({self._print(expr.args[0])})"

    def _print_BooleanTrue(self, expr: Any) -> str:  # noqa: N802
        return "true"

    def _print_BooleanFalse(self, expr: Any) -> str:  # noqa: N802
        return "false"


_PRINTER = _Printer({"order": None})


def written(value: Any) -> str:
    """Write a value exactly."""
    match value:
        case str():
            return value
        case date():
            return value.isoformat()
        case tuple():
            return "[" + ", ".join(map(written, value)) + "]"
        case Rational():
            return _number(value)[0]
        case Quantity():
            return written(value.value)
        case Solutions():
            return value.text if value.text else _solutions(value, written)
        case sympy.MatrixBase():
            return written(tuple(tuple(value.row(row)) for row in range(value.rows)))
        case sympy.Float():
            return f"{str(sympy.N(value, 17)).lower()}…"
        case _:
            return str(_PRINTER.doprint(value))


def decimal(value: Any, digits: int = SHOWN_DIGITS) -> str:
    """Write a value as decimals of so many significant digits; what is no number is written exactly."""
    match value:
        case Rational():
            return _number(value)[1] if digits == SHOWN_DIGITS else _decimal(_fraction(value), digits)
        case tuple():
            return "[" + ", ".join(decimal(part, digits) for part in value) + "]"
        case Quantity():
            return decimal(value.value, digits)
        case Solutions() if not value.text:
            return _solutions(value, lambda part: decimal(part, digits))
        case sympy.Expr():
            return _evaluated(value, digits)
        case _:
            return written(value)


def latex(value: Any) -> str:
    """Write a value in LaTeX."""
    match value:
        case str():
            return rf"\text{{{value}}}"
        case date():
            return rf"\text{{{value.isoformat()}}}"
        case Quantity():
            return rf"{sympy.latex(value.value)}\,\mathrm{{{units.written(value.unit)}}}"
        case Solutions():
            pairs = [
                ", ".join(f"{sympy.latex(symbol)} = {sympy.latex(root)}" for symbol, root in entry.items())
                for entry in value.found
            ]
            return value.latex if value.text else r";\ ".join(pairs)
        case tuple():
            rows = [part for part in value if isinstance(part, tuple)]
            if (
                len(rows) == len(value)
                and len({len(row) for row in rows}) == 1
                and all(isinstance(c, sympy.Expr) for row in rows for c in row)
            ):
                return str(sympy.latex(sympy.Matrix([list(row) for row in rows])))
            return r"\left[" + ", ".join(map(latex, value)) + r"\right]"
        case Rational() if bits(value) > 330:
            return _number(value)[0]
        case _:
            return str(sympy.latex(value))


def _solutions(value: Solutions, write: Any) -> str:
    entries = [", ".join(f"{symbol} = {write(root)}" for symbol, root in entry.items()) for entry in value.found]
    return " or ".join(entries)


def _evaluated(value: sympy.Expr, digits: int) -> str:
    """Evaluate to significant digits; an expression with symbols keeps its exact form."""
    number = sympy.nan if value.free_symbols else sympy.N(value, digits + 5)
    if not number.is_number or number.has(sympy.oo, -sympy.oo, sympy.nan, sympy.zoo):
        return written(value)
    real, imaginary = number.as_real_imag()
    if imaginary == 0 or abs(imaginary) < abs(real) * sympy.Float(10) ** -(digits + 2):
        return _float(real, digits)
    if real == 0 or abs(real) < abs(imaginary) * sympy.Float(10) ** -(digits + 2):
        return f"{_float(imaginary, digits)}*i"
    sign = "-" if imaginary < 0 else "+"
    return f"{_float(real, digits)} {sign} {_float(abs(imaginary), digits)}*i"


def _float(number: Any, digits: int) -> str:
    if not isinstance(number, sympy.Float):
        return written(number)
    return _decimal(Fraction(*map(int, Rational(number).as_numer_denom())), digits)


def _fraction(value: Rational) -> Fraction:
    return Fraction(int(value.p), int(value.q))


def _number(value: Rational) -> tuple[str, str]:
    """Return the exact form and the decimal form with 15 significant digits.

    One of more than MAX_DIGITS ends in "…" after 30 digits. A decimal in exponent form appears only below 1e-20 and
    from 1e21; whole numbers that are exact keep all digits.
    """
    number = _fraction(value)
    if _length(number) > MAX_DIGITS:
        mantissa, exponent = _digits(number, ROOT_DIGITS)
        return f"{mantissa}…{exponent}", _decimal(number, SHOWN_DIGITS)
    if number.denominator == 1:
        return str(number.numerator), str(number.numerator)
    short = _decimal(number, SHOWN_DIGITS)
    return (short if Fraction(short) == number else f"{number.numerator}/{number.denominator}"), short


def _length(value: Fraction) -> float:
    """Return about how many digits the value has when it is written out."""
    below = value.denominator.bit_length() if value.denominator != 1 else 0
    return (value.numerator.bit_length() + below) * math.log10(2)


def _decimal(value: Fraction, digits: int) -> str:
    mantissa, exponent = _digits(value, digits)
    return (mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa) + exponent


def _digits(value: Fraction, digits: int) -> tuple[str, str]:
    """Round to significant digits; the second part is the exponent, empty in ordinary notation."""
    with localcontext() as context:
        context.prec = digits
        number = Decimal(value.numerator) / Decimal(value.denominator)
    if abs(number.adjusted()) <= max(20, digits):
        return f"{number:f}", ""
    mantissa, _, exponent = f"{number:e}".partition("e")
    return mantissa, f"e{exponent}"
