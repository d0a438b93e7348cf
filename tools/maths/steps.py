"""How a result comes about, step by step: arithmetic, equations up to the second degree, derivatives."""

from collections.abc import Callable

import sympy
from sympy import Expr, Symbol

from crowquill.tools.maths.nodes import Call, Node, Number
from crowquill.tools.maths.printing import written

_SIGNS = frozenset(["+", "-", "*", "/", "^", "//", "mod"])
_MOST = 12


def arithmetic_steps(node: Node, value_of: Callable[[Node], Expr]) -> list[str]:
    """Return the operations of a calculation with plain numbers in order, where there are two to twelve."""
    lines: list[str] = []

    def reduced(part: Node) -> Expr | None:
        if isinstance(part, Number):
            return value_of(part)
        if not isinstance(part, Call) or part.name not in (*_SIGNS, "neg", "pct"):
            return None
        inside = [reduced(argument) for argument in part.args]
        if any(value is None for value in inside):
            return None
        result = value_of(part)
        if part.name in _SIGNS:
            lines.append(f"{_bracketed(inside[0])} {part.name} {_bracketed(inside[1])} = {written(result)}")
        return result

    return lines if reduced(node) is not None and 2 <= len(lines) <= _MOST else []


def _bracketed(value: Expr | None) -> str:
    text = written(value)
    return f"({text})" if text.startswith("-") or "/" in text else text


def equation_steps(node: Node, value_of: Callable[[Node], object]) -> list[str]:
    """Return how an equation of the first or second degree in one unknown is solved."""
    equation = node.args[0] if isinstance(node, Call) and node.name == "solve" else node
    if not (isinstance(equation, Call) and equation.name == "="):
        return []
    left, right = (value_of(side) for side in equation.args)
    if not isinstance(left, Expr) or not isinstance(right, Expr) or len((left - right).free_symbols) != 1:
        return []
    difference = sympy.expand(left - right)
    (symbol,) = difference.free_symbols or {Symbol("x")}
    if not difference.is_polynomial(symbol) or not 1 <= sympy.degree(difference, symbol) <= 2:
        return []
    form = f"{written(difference)} = 0"
    if sympy.degree(difference, symbol) == 1:
        slope, rest = difference.coeff(symbol, 1), difference.coeff(symbol, 0)
        return [form, f"{written(slope * symbol)} = {written(-rest)}", f"{symbol} = {written(-rest / slope)}"]
    a, b, c = (difference.coeff(symbol, power) for power in (2, 1, 0))
    discriminant = sympy.expand(b**2 - 4 * a * c)
    root = written(sympy.sqrt(discriminant))
    return [
        form,
        f"a = {written(a)}, b = {written(b)}, c = {written(c)}: b^2 - 4*a*c = {written(discriminant)}",
        f"{symbol} = (-b ± sqrt(b^2 - 4*a*c))/(2*a) = ({written(-b)} ± {root})/{written(2 * a)}",
    ]


def derivative_steps(expression: Expr, symbol: Symbol) -> list[str]:
    """Return the rules that lead to a derivative, outermost first."""
    lines: list[str] = []

    def explain(part: Expr) -> None:
        if len(lines) >= _MOST or symbol not in part.free_symbols or part == symbol:
            return
        rule, inner = _rule(part, symbol)
        lines.append(f"d/d{symbol} {written(part)} = {written(sympy.diff(part, symbol))} ({rule})")
        for at in inner:
            explain(at)

    explain(expression)
    return lines


def _rule(part: Expr, symbol: Symbol) -> tuple[str, list[Expr]]:
    """Name the rule that applies, and what is to be differentiated next."""
    if part.is_Add:
        return "sum rule", list(part.args)
    constant, rest = part.as_independent(symbol, as_Add=False)
    if part.is_Mul and constant != 1:
        return "constant factor", [rest]
    numerator, denominator = part.as_numer_denom()
    if symbol in denominator.free_symbols and symbol in numerator.free_symbols:
        return "quotient rule", [numerator, denominator]
    if part.is_Mul:
        return "product rule", list(part.args)
    if part.is_Pow and symbol not in part.exp.free_symbols:
        return ("power rule", []) if part.base == symbol else ("power rule and chain rule", [part.base])
    inner = [argument for argument in part.args if symbol in argument.free_symbols and argument != symbol]
    return ("chain rule", inner) if inner else (f"derivative of {part.func.__name__}", [])
