"""Quantities: a value and a unit. `pint` knows the factors; it is given names from our own table only.

Factors are exact fractions (`non_int_type=Fraction`), so that five miles are exactly 8.04672 km.
"""

import functools
from fractions import Fraction
from typing import Any

import sympy
from sympy import Expr, Rational

from crowquill.errors import ToolRetry
from crowquill.tools.maths.unit_names import NAMES, SHORT
from crowquill.tools.maths.values import Quantity, power

_ANGLES: dict[str, Expr] = {"degree": sympy.pi / 180, "radian": sympy.Integer(1), "revolution": 2 * sympy.pi}
_COUNTS = {"dozen": 12}
_EXTRA = (
    "millimeter_Hg = 133.322387415 * pascal",
    "kilometer_per_hour = kilometer / hour",
    "dozen = 12 * count",
    "international_acre = 4046.8564224 * meter ** 2",
)


@functools.cache
def registry() -> Any:
    """Make pint's registry, which takes a third of a second."""
    import pint  # only quantities need it

    made: Any = pint.UnitRegistry(non_int_type=Fraction)
    for line in _EXTRA:
        if line.split()[0] not in made:
            made.define(line)
    return made


def unit(name: str) -> Expr | Quantity:
    """Return one of a unit; angles and dozens are plain numbers. Raises ToolRetry for an unknown name."""
    if name in _ANGLES:
        return _ANGLES[name]
    if name in _COUNTS:
        return sympy.Integer(_COUNTS[name])
    if name not in NAMES:
        raise ToolRetry(f"there is no unit {name[:30]!r}")
    return Quantity(sympy.Integer(1), ((name, Fraction(1)),))


def times(left: Expr | Quantity, right: Expr | Quantity, sign: int = 1) -> Expr | Quantity:
    """Multiply, or divide with sign -1."""
    one, two = _lifted(left), _lifted(right)
    if sign < 0 and two.value == 0:
        raise ZeroDivisionError
    units = dict(one.unit)
    for name, exponent in two.unit:
        units[name] = units.get(name, Fraction(0)) + sign * exponent
    return _made(one.value * two.value**sign, units)


def raised(base: Quantity, exponent: Expr) -> Expr | Quantity:
    """Raise a quantity to a power."""
    if not isinstance(exponent, Rational):
        raise ToolRetry("a quantity can only be raised to a number")
    fraction = Fraction(exponent.p, exponent.q)
    return _made(power(base.value, exponent), {name: own * fraction for name, own in base.unit})


def plus(left: Expr | Quantity, right: Expr | Quantity, sign: int = 1) -> Expr | Quantity:
    """Add in the unit of the left side, or subtract with sign -1."""
    one, two = _lifted(left), _lifted(right)
    if not one.unit and not two.unit:
        return one.value + sign * two.value
    if any(_is_temperature(side) for side in (one, two)) and one.unit != two.unit:
        raise ToolRetry("temperatures of different scales are not added; convert one first")
    return Quantity(one.value + sign * converted(two, one.unit), one.unit)


def converted(quantity: Expr | Quantity, target: tuple[tuple[str, Fraction], ...]) -> Expr:
    """Return the value in another unit. Raises ToolRetry when the dimensions differ."""
    source = _lifted(quantity)
    if source.unit == target:
        return source.value
    from pint.errors import DimensionalityError, OffsetUnitCalculusError, PintError  # loaded with the registry

    try:
        zero, one = (_to_rational(_converted(Fraction(at), source.unit, target)) for at in (0, 1))
    except OffsetUnitCalculusError:
        raise ToolRetry("°C and °F cannot be parts of a compound unit; use K") from None
    except (DimensionalityError, PintError):
        raise ToolRetry(
            f"{written(source.unit) or 'a plain number'} cannot become {written(target) or 'a plain number'}"
        ) from None
    return source.value * (one - zero) + zero


def reduced(quantity: Quantity) -> Quantity:
    """Bring the units of one dimension together: mph * h is miles, kg m / s² stays."""
    names = [name for name, _ in quantity.unit]
    if len(names) < 2 or _is_temperature(quantity):
        return quantity
    made = registry()
    units = dict(quantity.unit)
    value = quantity.value
    kept: dict[str, Fraction] = {}
    for name, exponent in units.items():
        same = next((other for other in kept if _dimension(made, other) == _dimension(made, name)), None)
        if same is None:
            kept[name] = exponent
            continue
        factor = _to_rational(_converted(Fraction(1), ((name, Fraction(1)),), ((same, Fraction(1)),)))
        value *= factor ** Rational(exponent.numerator, exponent.denominator)
        kept[same] += exponent
    result = _made(value, kept)
    return result if isinstance(result, Quantity) else Quantity(result, ())


def simplified(quantity: Quantity) -> Quantity:
    """Resolve mph * h to miles: a compound of which a part cancels is written in its base units."""
    quantity = reduced(quantity)
    made = registry()
    if len(quantity.unit) < 2 or (
        not any(exponent < 0 for _, exponent in quantity.unit) and not _compound(quantity)
    ):
        return quantity
    total = _dimensions(made, quantity.unit)
    if len(total) == 1 and len(quantity.unit) > 1:
        dimension, exponent = next(iter(total.items()))
        simple = {"[length]": "meter", "[time]": "second", "[mass]": "kilogram"}
        own = [name for name, _ in quantity.unit if dict(_dimension(made, name)) == {dimension: 1}]
        if name := (own[0] if own else _parent(quantity, dimension) or simple.get(dimension)):
            target = ((name, Fraction(exponent)),)
            return Quantity(converted(quantity, target), target)
    if not total:
        return Quantity(converted(quantity, ()), ())
    return quantity


def _parent(quantity: Quantity, dimension: str) -> str | None:
    """Return the length in mph or km/h."""
    lengths = {"mile_per_hour": "mile", "kilometer_per_hour": "kilometer", "knot": "nautical_mile"}
    return (
        next((lengths[name] for name, _ in quantity.unit if name in lengths), None)
        if dimension == "[length]"
        else None
    )


def _compound(quantity: Quantity) -> bool:
    return any(len(_dimension(registry(), name)) > 1 for name, _ in quantity.unit)


def written(units: tuple[tuple[str, Fraction], ...]) -> str:
    """Write a unit: km, m/s^2, kg*m/s^2."""
    above = "*".join(_power(name, exponent) for name, exponent in units if exponent > 0)
    below = [_power(name, -exponent) for name, exponent in units if exponent < 0]
    if not below:
        return above
    return f"{above or '1'}/{below[0] if len(below) == 1 else '(' + '*'.join(below) + ')'}"


def _power(name: str, exponent: Fraction) -> str:
    short = SHORT.get(name, name)
    if exponent == 1:
        return short
    return f"{short}^{exponent}" if exponent.denominator == 1 else f"{short}^({exponent})"


def angle(name: str) -> Expr | None:
    """Return what an angle's unit is in radians."""
    return _ANGLES.get(name)


def _lifted(value: Expr | Quantity) -> Quantity:
    return value if isinstance(value, Quantity) else Quantity(value, ())


def _made(value: Expr, units: dict[str, Fraction]) -> Expr | Quantity:
    kept = tuple((name, exponent) for name, exponent in units.items() if exponent != 0)
    return Quantity(value, kept) if kept else value


def _container(units: tuple[tuple[str, Fraction], ...]) -> Any:
    from pint.util import UnitsContainer  # loaded with the registry

    return UnitsContainer({name: _plain(exponent) for name, exponent in units})


def _plain(exponent: Fraction) -> int | Fraction:
    return exponent.numerator if exponent.denominator == 1 else exponent


def _converted(
    value: Fraction, source: tuple[tuple[str, Fraction], ...], target: tuple[tuple[str, Fraction], ...]
) -> Any:
    made = registry()
    return made.Quantity(value, made.Unit(_container(source))).to(made.Unit(_container(target))).magnitude


def _to_rational(value: Any) -> Rational:
    fraction = Fraction(value)
    return Rational(fraction.numerator, fraction.denominator)


def _dimension(made: Any, name: str) -> tuple[tuple[str, Any], ...]:
    return tuple(made.get_dimensionality(_container(((name, Fraction(1)),))).items())


def _dimensions(made: Any, units: tuple[tuple[str, Fraction], ...]) -> dict[str, Any]:
    return {name: power for name, power in made.get_dimensionality(_container(units)).items() if power != 0}


def _is_temperature(quantity: Quantity) -> bool:
    return any(name in ("degree_Celsius", "degree_Fahrenheit") for name, _ in quantity.unit)
