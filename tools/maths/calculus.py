"""Integrals, derivatives, limits, sums and series of SymPy expressions."""

from collections.abc import Callable, Sequence

import sympy
from sympy import Expr, Integer, Symbol

from crowquill.errors import ToolRetry
from crowquill.tools.maths.steps import derivative_steps
from crowquill.tools.maths.values import MAX_SYMBOLIC_POWER, Remarks, Value, whole

_PREFERRED = "xyztnkuvw"
_MAX_TERMS = 10_000


def unknown_of(remarks: Remarks, expression: sympy.Basic) -> Symbol:
    """Return the variable that is meant where none is named."""
    symbols: list[Symbol] = sorted(expression.free_symbols, key=_rank)
    if len(symbols) > 1:
        remarks.assume(f"the variable is {symbols[0]}")
    return symbols[0] if symbols else Symbol("x")


def _rank(symbol: Symbol) -> tuple[int, str]:
    found = _PREFERRED.find(symbol.name)
    return (found if found >= 0 else len(_PREFERRED), symbol.name)


def _symbol(value: Value, what: str) -> Symbol:
    if not isinstance(value, Symbol):
        raise ToolRetry(f"{what} needs a variable such as x")
    return value


def _expression(value: Value, what: str) -> Expr:
    if not isinstance(value, Expr):
        raise ToolRetry(f"{what} needs an expression such as x^2")
    return value


def _bounds(remarks: Remarks, function: Expr, rest: Sequence[Value]) -> list[tuple[Symbol, ...]]:
    """Read x | (x, 0, 3) | x, 0, 3 | (0, 3), once or several times."""
    if not rest:
        return [(unknown_of(remarks, function),)]
    if (
        len(rest) == 3
        and isinstance(rest[0], Symbol)
        and not isinstance(rest[1], tuple)
        and not isinstance(rest[1], Symbol)
    ):
        rest = [tuple(rest)]
    if len(rest) == 2 and not isinstance(rest[0], tuple | Symbol):
        rest = [tuple(rest)]
    found: list[tuple[Symbol, ...]] = []
    for entry in rest:
        parts = entry if isinstance(entry, tuple) else (entry,)
        if len(parts) == 2 and not isinstance(parts[0], Symbol):
            parts = (unknown_of(remarks, function), *parts)
        if len(parts) not in (1, 3):
            raise ToolRetry("bounds are written as (x, 0, 3)")
        found.append((_symbol(parts[0], "the bounds"), *(_expression(part, "a bound") for part in parts[1:])))
    return found


def integrate(remarks: Remarks, function: Value, *rest: Value) -> Value:
    """Integrate; where there is no closed form, a definite integral is worked out numerically."""
    integrand = _expression(function, "integrate")
    bounds = _bounds(remarks, integrand, rest)
    result = sympy.integrate(integrand, *bounds)
    if isinstance(result, sympy.Piecewise):
        remarks.note("which case holds depends on the parameters")
    definite = all(len(bound) == 3 for bound in bounds)
    if result.has(sympy.Integral):
        if not definite or result.free_symbols:
            raise ToolRetry("no closed form was found for this integral; give bounds for a numeric value")
        remarks.note("no closed form was found; the value is numeric")
        return sympy.Integral(integrand, *bounds)
    if not definite:
        remarks.note("plus a constant C")
    elif result in (sympy.oo, -sympy.oo, sympy.nan, sympy.zoo):
        remarks.note("the integral diverges")
    return result


def differentiate(remarks: Remarks, function: Value, *rest: Value) -> Value:
    """Differentiate: f | f, x | f, x, 2 | f, (x, 2) | f, x, y."""
    if isinstance(function, sympy.Equality):
        return sympy.idiff(function.lhs - function.rhs, Symbol("y"), Symbol("x"))
    expression = _expression(function, "a derivative")
    variables: list[tuple[Symbol, int]] = []
    for entry in _flattened(rest):
        if isinstance(entry, Integer) and variables:
            variables[-1] = (variables[-1][0], whole(entry))
        elif isinstance(entry, Integer):
            variables.append((unknown_of(remarks, expression), whole(entry)))
        else:
            variables.append((_symbol(entry, "a derivative"), 1))
    if not variables:
        variables = [(unknown_of(remarks, expression), 1)]
    if sum(order for _, order in variables) > 20:
        raise ToolRetry("derivatives go up to order 20")
    if expression.has(sympy.Abs, sympy.sign):
        real = {symbol: Symbol(symbol.name, real=True) for symbol, _ in variables}
        remarks.assume(f"{', '.join(symbol.name for symbol in real)} is real")
        return sympy.diff(expression.subs(real), *[(real[at], order) for at, order in variables])
    if len(variables) == 1 and variables[0][1] == 1:
        remarks.steps += derivative_steps(expression, variables[0][0])
    return _tidy(sympy.diff(expression, *variables))


def _flattened(values: Sequence[Value]) -> list[Value]:
    return [part for value in values for part in (value if isinstance(value, tuple) else (value,))]


def _tidy(expression: Expr) -> Expr:
    """Return the shorter of an expression and its simplified forms."""
    if expression.count_ops() > 60:
        return expression
    forms = [
        expression,
        sympy.powsimp(expression),
        sympy.factor_terms(sympy.together(expression)),
        sympy.simplify(expression),
    ]
    return min(forms, key=lambda form: form.count_ops())


def limit(remarks: Remarks, function: Value, variable: Value, point: Value, side: Value = None) -> Value:
    """Return a limit, from both sides where no side is named."""
    expression, at = _expression(function, "a limit"), _expression(point, "a limit")
    symbol = _symbol(variable, "a limit")
    if side is not None:
        return _one_sided(expression, symbol, at, "-" if str(side) == "left" else "+")
    if at in (sympy.oo, -sympy.oo):
        return _one_sided(expression, symbol, at, "+")
    right, left = (_one_sided(expression, symbol, at, sign) for sign in ("+", "-"))
    if right != left and not sympy.simplify(right - left).is_zero:
        raise ToolRetry(f"the limit does not exist: from the left it is {left}, from the right {right}")
    return right


def _one_sided(expression: Expr, symbol: Symbol, at: Expr, sign: str) -> Expr:
    found = sympy.limit(expression, symbol, at, sign)
    if found.has(sympy.AccumBounds):
        raise ToolRetry("the limit does not exist: the values go on oscillating")
    return found


def _summation(make: Callable[..., Expr], form: type) -> Callable[..., Value]:
    def summed(remarks: Remarks, function: Value, *rest: Value) -> Value:
        term = _expression(function, "a sum")
        bounds = _bounds(remarks, term, rest)
        for bound in bounds:
            if len(bound) != 3:
                raise ToolRetry("a sum needs its bounds, as in sum(1/n^2, (n, 1, infinity))")
        result = make(term, *bounds)
        if result.has(form):
            _, low, high = bounds[0]
            if (
                len(bounds) == 1
                and isinstance(low, Integer)
                and isinstance(high, Integer)
                and 0 <= high - low <= _MAX_TERMS
            ):
                result = result.doit()
            elif not result.free_symbols:
                remarks.note("no closed form was found; the value is numeric")
        if result in (sympy.oo, -sympy.oo, sympy.nan, sympy.zoo):
            remarks.note("it diverges")
        return result

    return summed


def series(remarks: Remarks, function: Value, *rest: Value) -> Value:
    """Return the series of a function about a point: f | f, x | f, x, 0 | f, x, 0, 6; orders below the last."""
    expression = _expression(function, "a series")
    named = [value for value in rest if isinstance(value, Symbol)]
    numbers = [value for value in rest if not isinstance(value, Symbol)]
    symbol = named[0] if named else unknown_of(remarks, expression)
    order = whole(numbers[1], "the order of a series") if len(numbers) > 1 else 6
    if not 1 <= order <= MAX_SYMBOLIC_POWER // 2:
        raise ToolRetry(f"series go up to order {MAX_SYMBOLIC_POWER // 2}")
    return sympy.series(expression, symbol, numbers[0] if numbers else 0, order)


def _form(function: Callable[[Expr], Expr]) -> Callable[..., Value]:
    def formed(remarks: Remarks, value: Value, *variables: Value) -> Value:
        if isinstance(value, Integer) and function is sympy.factor:
            raise LookupError  # the caller takes it for a factorisation into primes
        if isinstance(value, sympy.Equality):
            return sympy.Eq(function(value.lhs), function(value.rhs), evaluate=False)
        return function(_expression(value, "that"))

    return formed


def _quotient(remarks: Remarks, left: Value, right: Value) -> Value:
    return sympy.quo(_expression(left, "a quotient"), _expression(right, "a quotient"))


def _remainder(remarks: Remarks, left: Value, right: Value) -> Value:
    return sympy.rem(_expression(left, "a remainder"), _expression(right, "a remainder"))


CALCULUS: dict[str, Callable[..., Value]] = {
    "apart": _form(sympy.apart),
    "cancel": _form(sympy.cancel),
    "diff": differentiate,
    "expand": _form(lambda value: sympy.expand(value, trig=value.has(sympy.sin, sympy.cos, sympy.tan))),
    "factor": _form(sympy.factor),
    "integrate": integrate,
    "limit": limit,
    "product": _summation(sympy.product, sympy.Product),
    "quotient": _quotient,
    "remainder": _remainder,
    "series": series,
    "simplify": _form(sympy.simplify),
    "sum": _summation(sympy.summation, sympy.Sum),
    "together": _form(sympy.together),
}
