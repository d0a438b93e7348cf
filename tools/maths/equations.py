"""Equations, inequalities, systems of them, and simple differential equations."""

from collections.abc import Sequence
from typing import Any

import mpmath
import sympy
from sympy import Expr, Function, Symbol
from sympy.core.relational import Relational

from crowquill.errors import ToolRetry
from crowquill.tools.maths.calculus import unknown_of
from crowquill.tools.maths.printing import written
from crowquill.tools.maths.values import Remarks, Solutions, Value

_STARTS = (0.5, 1, -1, 2, -3, 6, -10, 20, 100)
_MAX_EQUATIONS, _LONGEST_ROOT = 10, 40


def solve(remarks: Remarks, equations: Value, *unknowns: Value) -> Value:
    """Solve an equation (an expression is set to zero), an inequality or a system.

    Raises:
        ToolRetry: it cannot be solved, or nothing in it is unknown.
    """
    given = [_equation(part) for part in (equations if isinstance(equations, tuple) else (equations,))]
    if len(given) > _MAX_EQUATIONS:
        raise ToolRetry(f"systems have at most {_MAX_EQUATIONS} equations")
    symbols = [symbol for part in unknowns for symbol in (part if isinstance(part, tuple) else (part,))]
    if not all(isinstance(symbol, Symbol) for symbol in symbols):
        raise ToolRetry("say what to solve for with letters, as in solve(x^2 = 4, x)")
    if len(given) == 1:
        symbol = symbols[0] if symbols else unknown_of(remarks, given[0])
        if len(symbols) <= 1:
            if any(isinstance(given[0], kind) for kind in (sympy.Eq, sympy.Ne)):
                return _one(remarks, given[0], symbol)
            return _inequality(remarks, [given[0]], symbol)
    free = sorted(set().union(*(part.free_symbols for part in given)), key=lambda at: at.name)
    if not all(isinstance(part, sympy.Eq) for part in given):
        if len(free) != 1:
            raise ToolRetry("inequalities are solved for one unknown")
        return _inequality(remarks, given, free[0])
    return _system(given, symbols or free)


def _equation(value: Value) -> Relational:
    if isinstance(value, Relational):
        return value
    if not isinstance(value, Expr):
        raise ToolRetry("that is no equation; write it with =, as in x^2 = 4")
    return sympy.Eq(value, 0, evaluate=False)


def _one(remarks: Remarks, equation: Relational, symbol: Symbol) -> Value:
    difference = equation.lhs - equation.rhs
    if symbol not in equation.free_symbols:
        raise ToolRetry(f"{symbol} does not occur in the equation")
    if sympy.simplify(difference) == 0:
        remarks.note("it holds for every value")
        return Solutions((), f"{symbol} is any number", r"\text{any}")
    found = _roots(remarks, difference, symbol)
    if not found:
        remarks.note("there is no solution")
        return Solutions((), "no solution", r"\varnothing")
    real = [root for root in found if root.is_real or root.free_symbols]
    rest = [root for root in found if root not in real]
    real.sort(key=lambda root: (bool(root.free_symbols), 0 if root.free_symbols else root.evalf(20)))
    if real and rest and not difference.free_symbols - {symbol}:
        remarks.note(f"{len(real)} of {len(found)} solutions are real")
    elif rest and not real:
        remarks.note("there is no real solution")
    if difference.has(sympy.sin, sympy.cos, sympy.tan) and (period := _period(difference, symbol)):
        remarks.note(f"more solutions at distances of {period}")
    return Solutions(tuple({symbol: root} for root in (*real, *rest)))


def _roots(remarks: Remarks, difference: Expr, symbol: Symbol) -> list[Expr]:
    """Return the roots, real ones only where a function such as the absolute value asks for it."""
    real = Symbol(symbol.name, real=True)
    known = (
        difference.subs(symbol, real) if difference.has(sympy.Abs, sympy.Max, sympy.Min, sympy.sign) else difference
    )
    try:
        found = [
            root
            for root in sympy.solve(known, real if known is not difference else symbol)
            if isinstance(root, Expr)
        ]
    except NotImplementedError:
        return _numeric(remarks, difference, symbol)
    long = [root for root in found if root.has(sympy.CRootOf) or root.count_ops() > _LONGEST_ROOT]
    if long and not difference.free_symbols - {symbol}:
        remarks.note("there is no closed form, or only a long one; the solutions are numeric")
        return list(sympy.Poly(sympy.numer(sympy.together(difference)), symbol).nroots(n=20))
    return found


def _period(difference: Expr, symbol: Symbol) -> str:
    found = sympy.calculus.util.periodicity(difference, symbol)
    return "" if found is None else str(found)


def _numeric(remarks: Remarks, difference: Expr, symbol: Symbol) -> list[Expr]:
    """Look for real roots from several starts."""
    if difference.free_symbols - {symbol}:
        raise ToolRetry(f"no closed form was found for {symbol}")
    found: list[Expr] = []
    for start in _STARTS:
        root = _root_near(difference, symbol, start)
        if root is not None and all(abs(root - other) > 1e-9 for other in found):
            found.append(root)
    if not found:
        raise ToolRetry("neither a closed form nor a numeric solution was found")
    remarks.note("the solutions were found numerically, and there may be more")
    return found


def _root_near(difference: Expr, symbol: Symbol, start: float) -> Expr | None:
    """Follow the secant method from a start; SymPy's nsolve would make Python code of the expression and run it."""

    def height(place: Any) -> Any:
        return mpmath.mpmathify(difference.evalf(25, subs={symbol: sympy.Float(place, 25)}))

    with mpmath.workdps(25):
        try:
            root = mpmath.findroot(height, start, maxsteps=40)
        except (ValueError, ZeroDivisionError, TypeError, OverflowError):
            return None
    if mpmath.im(root) != 0 or not mpmath.isfinite(root):
        return None
    near = sympy.Rational(mpmath.nstr(root, 9))
    value = difference.subs(symbol, near)
    is_exact = abs(value.evalf(30)) < 1e-20 and sympy.simplify(value) == 0
    return near if is_exact else sympy.Float(root, 20)


def _inequality(remarks: Remarks, given: Sequence[Relational], symbol: Symbol) -> Solutions:
    real = Symbol(symbol.name, real=True)
    try:
        sets = [
            sympy.solve_univariate_inequality(part.subs(symbol, real), real, relational=False) for part in given
        ]
    except NotImplementedError:
        raise ToolRetry("this inequality cannot be solved") from None
    result = sympy.Intersection(*sets) if len(sets) > 1 else sets[0]
    remarks.assume(f"{symbol} is real")
    difference = given[0].lhs - given[0].rhs
    if difference.has(sympy.sin, sympy.cos, sympy.tan) and (period := _period(difference, symbol)):
        remarks.note(f"and again at distances of {period}")
    return Solutions((), _set_text(result, symbol), sympy.latex(result))


def _set_text(found: sympy.Set, symbol: Symbol) -> str:

    if found is sympy.S.EmptySet:
        return "no solution"
    if found == sympy.S.Reals:
        return f"{symbol} is any real number"
    pieces: list[str] = []
    for part in found.args if isinstance(found, sympy.Union) else (found,):
        if isinstance(part, sympy.Interval):
            low = "" if part.start == -sympy.oo else f"{written(part.start)} {'<' if part.left_open else '<='} "
            high = "" if part.end == sympy.oo else f" {'<' if part.right_open else '<='} {written(part.end)}"
            if not high:
                pieces.append(f"{symbol} {'>' if part.left_open else '>='} {written(part.start)}")
            else:
                pieces.append(f"{low}{symbol}{high}")
        elif isinstance(part, sympy.FiniteSet):
            pieces.extend(f"{symbol} = {written(value)}" for value in part)
        else:
            pieces.append(f"{symbol} in {written(part)}")
    return " or ".join(pieces)


def _system(given: Sequence[Relational], symbols: Sequence[Symbol]) -> Solutions:
    try:
        found = sympy.solve([part.lhs - part.rhs for part in given], list(symbols), dict=True)
    except NotImplementedError:
        raise ToolRetry("no closed form was found for this system") from None
    if not found:
        return Solutions((), "no solution", r"\varnothing")
    return Solutions(tuple({symbol: entry[symbol] for symbol in symbols if symbol in entry} for entry in found))


def differential(remarks: Remarks, equation: Value) -> Value:
    """Solve an ordinary differential equation for y(x), in which derivatives are the symbols y', y''."""
    given = _equation(equation)
    if any("'" in symbol.name and not symbol.name.startswith("y") for symbol in given.free_symbols):
        raise ToolRetry("only differential equations for y are solved, as in y'' + y = 0")
    x = Symbol("t") if Symbol("t") in given.free_symbols else Symbol("x")
    y = Function("y")(x)
    derivatives = {Symbol("y" + "'" * order): y.diff(x, order) for order in range(1, 5)}
    bound = sympy.Eq((given.lhs - given.rhs).subs({Symbol("y"): y}).subs(derivatives), 0)
    try:
        found = sympy.dsolve(bound, y)
    except (NotImplementedError, ValueError):
        raise ToolRetry("this differential equation cannot be solved") from None
    entries = found if isinstance(found, list) else [found]
    if not all(entry.lhs == y for entry in entries):
        raise ToolRetry("this differential equation has no explicit solution")
    remarks.assume(f"y is a function of {x}")
    return Solutions(tuple({Symbol("y"): entry.rhs} for entry in entries))
