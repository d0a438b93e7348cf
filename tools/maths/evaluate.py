"""Exact arithmetic that never evaluates the model's text.

`compute` runs in the worker's child, where time and memory are limited: the text is read by the grammar, every
node is looked at, and only numbers, operators and the functions listed here have a meaning.
"""

import ast
import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from crowquill.errors import ToolRetry
from crowquill.tools.context import Json
from crowquill.tools.maths.echo import normal_form
from crowquill.tools.maths.exact import Number, checked, equal, power, show, whole, whole_below
from crowquill.tools.maths.grammar import parse, translate

MAX_FACTORIAL = 2000
_MAX_PLACES = 100
_HUNDRED = Fraction(100)


def compute(request: Any) -> Json:
    """Worker job: `{"expression": text}` to `{"expression", "exact", "decimal"}`. Raises ToolRetry."""
    source = translate(str(request["expression"]))
    tree = parse(source)
    exact, decimal = show(evaluate(tree, source))
    return {"expression": normal_form(tree, source), "exact": exact, "decimal": decimal}


def evaluate(node: ast.expr, source: str) -> Number | bool:
    """Return the value of a parsed expression; a comparison may stand at its top. Raises ToolRetry."""
    try:
        return _compare(node, source) if isinstance(node, ast.Compare) else _number(node, source)
    except ZeroDivisionError:
        raise ToolRetry("division by zero") from None


def _compare(node: ast.Compare, source: str) -> bool:
    values = [_number(part, source) for part in (node.left, *node.comparators)]
    results = []
    for sign, left, right in zip(node.ops, values, values[1:], strict=False):
        match sign:
            case ast.Lt():
                results.append(left < right)
            case ast.Gt():
                results.append(left > right)
            case ast.LtE():
                results.append(not left > right)
            case ast.GtE():
                results.append(not left < right)
            case ast.Eq():
                results.append(equal(left, right))
            case ast.NotEq():
                results.append(not equal(left, right))
            case _:
                raise ToolRetry("only < <= > >= == != compare")
    return all(results)


def _number(node: ast.expr, source: str) -> Number:
    match node:
        case ast.Constant(value=int() | float()) if not isinstance(node.value, bool):
            return Fraction(source[node.col_offset : node.end_col_offset])  # not the float: no digit is lost
        case ast.UnaryOp(op=ast.USub()):
            return -_number(node.operand, source)
        case ast.UnaryOp(op=ast.UAdd()):
            return _number(node.operand, source)
        case ast.BinOp():
            _refuse_ambiguous_percent(node)
            return _combine(node.op, _number(node.left, source), _number(node.right, source))
        case ast.Call(func=ast.Name(id=name), keywords=[]) if name in _TABLE:
            return _call(name, [_number(part, source) for part in node.args])
        case ast.Call(func=ast.Name(id=name)):
            raise ToolRetry(f"there is no function {name[:30]!r}; there are {', '.join(FUNCTIONS)}")
        case ast.Call():
            raise ToolRetry("write * between factors, as in 2 * (3 + 4)")
        case ast.Compare():
            raise ToolRetry("a comparison can only stand alone, as in 3/4 > 2/3")
        case _:
            raise ToolRetry("only numbers, + - * / // % **, round brackets and functions are arithmetic")


def _refuse_ambiguous_percent(node: ast.BinOp) -> None:
    if isinstance(node.op, ast.Add | ast.Sub) and _is_percent(node.right) and not _is_percent(node.left):
        raise ToolRetry("100 + 10% can mean 110 or 100.1; write 100 * 1.10 or 100 + 0.10")


def _is_percent(node: ast.expr) -> bool:
    match node:
        case ast.Call(func=ast.Name(id="pct")):
            return True
        case ast.BinOp(op=ast.Add() | ast.Sub()):
            return _is_percent(node.left) and _is_percent(node.right)
        case _:
            return False


def _combine(sign: ast.operator, left: Number, right: Number) -> Number:
    match sign:
        case ast.Add():
            return checked(left + right)
        case ast.Sub():
            return checked(left - right)
        case ast.Mult():
            return checked(left * right)
        case ast.Div():
            return checked(left / right)
        case ast.FloorDiv():
            return Fraction(whole_below(left / right))
        case ast.Mod():
            return left - right * Fraction(whole_below(left / right))
        case ast.Pow():
            return power(left, right)
        case _:
            raise ToolRetry("only + - * / // % ** combine numbers")


# --- functions ---


def _total(*values: Number) -> Number:
    result: Number = Fraction(0)
    for value in values:
        result = checked(result + value)
    return result


def _mean(*values: Number) -> Number:
    return _total(*values) / Fraction(len(values))


def _median(*values: Number) -> Number:
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / Fraction(2)


def _abs(value: Number) -> Number:
    return -value if value < 0 else value


def _round(value: Number, places: Number = Fraction(0)) -> Number:
    """Round halves away from zero, as people do by hand."""
    count = whole(places)
    if abs(count) > _MAX_PLACES:
        raise ToolRetry(f"round takes at most {_MAX_PLACES} places")
    scale = Fraction(10) ** count
    rounded = whole_below(_abs(value) * scale + Fraction(1, 2)) / scale
    return -rounded if value < 0 else rounded


def _ceil(value: Number) -> Number:
    return Fraction(-whole_below(-value))


def _factorial(value: Number) -> Number:
    number = whole(value)
    if not 0 <= number <= MAX_FACTORIAL:
        raise ToolRetry(f"factorial takes whole numbers from 0 to {MAX_FACTORIAL}")
    return Fraction(math.factorial(number))


def _lcm(*values: Number) -> Number:
    return checked(Fraction(math.lcm(*map(whole, values))))


_Function = Callable[..., Number]

_TABLE: dict[str, tuple[_Function, int, int | None]] = {
    "abs": (_abs, 1, 1),
    "ceil": (_ceil, 1, 1),
    "factorial": (_factorial, 1, 1),
    "floor": (lambda value: Fraction(whole_below(value)), 1, 1),
    "gcd": (lambda *values: Fraction(math.gcd(*map(whole, values))), 1, None),
    "lcm": (_lcm, 1, None),
    "max": (lambda *values: max(values), 1, None),
    "mean": (_mean, 1, None),
    "median": (_median, 1, None),
    "min": (lambda *values: min(values), 1, None),
    "pct": (lambda value: value / _HUNDRED, 1, 1),
    "percent": (lambda part, base: part / base * _HUNDRED, 2, 2),
    "round": (_round, 1, 2),
    "sqrt": (lambda value: power(value, Fraction(1, 2)), 1, 1),
    "sum": (_total, 1, None),
}
"""Each function with the least and the largest number of arguments. `pct` is what 17% becomes."""
FUNCTIONS = tuple(name for name in _TABLE if name != "pct")


def _call(name: str, values: list[Number]) -> Number:
    function, least, most = _TABLE[name]
    if len(values) < least or (most is not None and len(values) > most):
        wanted = f"{least}" if least == most else f"{least} or more" if most is None else f"{least} to {most}"
        raise ToolRetry(f"{name} takes {wanted} numbers, not {len(values)}")
    return function(*values)
