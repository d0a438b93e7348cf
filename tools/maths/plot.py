"""Graphs of functions, drawn with matplotlib in the worker's child."""

import math

import sympy
from sympy import Expr, Symbol

from crowquill.errors import ToolRetry
from crowquill.tools.maths.calculus import unknown_of
from crowquill.tools.maths.printing import written
from crowquill.tools.maths.values import Remarks, Value
from crowquill.tools.pictures import drawn, new_figure, plain

_POINTS = 400
_MAX_CURVES = 6
_DEFAULT = (-10, 10)


def plot(remarks: Remarks, functions: Value, *bounds: Value) -> str:
    """Draw functions of one variable; the picture is left in `remarks.plot` as base64 text by format.

    Raises:
        ToolRetry: there is nothing to draw, or the bounds are no numbers.
    """
    curves = [
        part for part in (functions if isinstance(functions, tuple) else (functions,)) if isinstance(part, Expr)
    ]
    if not 1 <= len(curves) <= _MAX_CURVES:
        raise ToolRetry(f"plot draws one to {_MAX_CURVES} functions of one variable, as in plot sin x from 0 to 10")
    if len({symbol for curve in curves for symbol in curve.free_symbols}) > 1:
        raise ToolRetry("plot draws functions of one variable; give the others values")
    low, high, symbol = _range(bounds, unknown_of(remarks, curves[0] if curves[0].free_symbols else curves[-1]))
    places = [low + (high - low) * at / _POINTS for at in range(_POINTS + 1)]
    named = [(written(curve), [_height(curve, symbol, place) for place in places]) for curve in curves]
    if all(math.isnan(height) for _, heights in named for height in heights):
        raise ToolRetry("there is nothing to draw: the function has no real values there")
    remarks.plot = _pictures(places, named, symbol.name)
    return f"graph of {', '.join(name for name, _ in named)} for {symbol} from {low:g} to {high:g}"


def _range(bounds: tuple[Value, ...], symbol: Symbol) -> tuple[float, float, Symbol]:
    values = [part for bound in bounds for part in (bound if isinstance(bound, tuple) else (bound,))]
    if values and isinstance(values[0], Symbol):
        symbol, values = values[0], values[1:]
    if not values:
        return (*_DEFAULT, symbol)
    if len(values) != 2 or not all(
        isinstance(value, Expr) and value.is_real and value.is_finite for value in values
    ):
        raise ToolRetry("bounds are two numbers, as in plot x^2 from -3 to 3")
    low, high = sorted(float(value) for value in values if isinstance(value, Expr))
    if low == high:
        raise ToolRetry("the bounds are equal")
    return low, high, symbol


def _height(curve: Expr, symbol: Symbol, place: float) -> float:
    """Return the value at a place, not a number where it is not real."""
    try:
        value = complex(curve.evalf(8, subs={symbol: sympy.Float(place)}))
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return math.nan
    real = abs(value.imag) < 1e-6 * max(1.0, abs(value.real))
    return value.real if real and math.isfinite(value.real) and abs(value.real) < 1e6 else math.nan


def _pictures(places: list[float], curves: list[tuple[str, list[float]]], variable: str) -> dict[str, str]:
    figure = new_figure()
    axes = figure.add_subplot()
    for name, heights in curves:
        axes.plot(places, heights, label=plain(name))
    axes.axhline(0, color="0.6", linewidth=0.8)
    axes.grid(visible=True, alpha=0.3)
    axes.set_xlabel(variable)
    axes.legend()
    return drawn(figure)
