"""What a reading is worth. SymPy objects are built by hand from the tree: no text is ever given to SymPy.

Runs in the worker's child, where time and memory are limited. What is written is data; a name means what the tables
here say, and nothing else.
"""

import inspect
from collections.abc import Callable, Sequence
from datetime import date
from fractions import Fraction

import sympy
from sympy import Expr, Integer, Rational, Symbol
from sympy.core.relational import Relational

from crowquill.errors import ToolRetry
from crowquill.tools.maths import functions, units
from crowquill.tools.maths.calculus import CALCULUS
from crowquill.tools.maths.days import DAYS
from crowquill.tools.maths.equations import differential, solve
from crowquill.tools.maths.letters import LETTERS
from crowquill.tools.maths.matrices import MATRICES, combined
from crowquill.tools.maths.nodes import COMPARISONS, Call, Day, Name, Node, Number, Text, Unit, parts, words
from crowquill.tools.maths.plot import plot
from crowquill.tools.maths.printing import SHOWN_DIGITS, decimal, written
from crowquill.tools.maths.values import (
    MAX_PLACES,
    Quantity,
    Remarks,
    Solutions,
    Value,
    checked,
    exact,
    power,
    whole,
)

_CONSTANTS: dict[str, Value] = {
    "pi": sympy.pi,
    "e": sympy.E,
    "i": sympy.I,
    "infinity": sympy.oo,
    "phi_golden": sympy.GoldenRatio,
    "euler_gamma": sympy.EulerGamma,
    "catalan": sympy.Catalan,
    "true": sympy.true,
    "false": sympy.false,
    "left": Symbol("left"),
    "right": Symbol("right"),
}
_RELATIONS: dict[str, type[Relational]] = {
    "=": sympy.Eq,
    "!=": sympy.Ne,
    "<": sympy.StrictLessThan,
    "<=": sympy.LessThan,
    ">": sympy.StrictGreaterThan,
    ">=": sympy.GreaterThan,
}
_TRIGONOMETRIC = words("sin cos tan cot sec csc")
_BINDING = frozenset(CALCULUS) | {"solve", "plot", "limit"}


class Evaluation:
    """One computation: names that were assigned, and what has to be said about it."""

    def __init__(self, today: date | None = None) -> None:
        self.remarks = Remarks()
        self._today = today
        self._names: dict[str, Value] = {}
        self._defined: dict[str, tuple[tuple[str, ...], Node]] = {}

    def result(self, node: Node) -> Value:
        """Return what a whole reading is worth; equations with unknowns are solved. Raises ToolRetry."""
        try:
            value = self.value(node)
            match value:
                case tuple() if value and all(isinstance(part, Relational) for part in value):
                    return solve(self.remarks, value)
                case sympy.And() if value.free_symbols:
                    return solve(self.remarks, tuple(value.args))
                case Relational():
                    return self._judged(value)
                case Quantity():
                    return units.simplified(value)
                case _:
                    return value
        except ZeroDivisionError:
            raise ToolRetry("division by zero") from None

    def _judged(self, relation: Relational) -> Value:
        if not relation.free_symbols:
            return relation
        primed = any("'" in symbol.name for symbol in relation.free_symbols)
        return differential(self.remarks, relation) if primed else solve(self.remarks, relation)

    def value(self, node: Node) -> Value:
        """Return what a part is worth."""
        match node:
            case Number():
                return exact(node.text)
            case Name():
                return self._named(node.text)
            case Unit():
                return units.unit(node.name)
            case Day():
                return date(node.year, node.month, node.day)
            case Text():
                return node.text
            case Call():
                return checked(self._call(node))

    def _named(self, name: str) -> Value:
        if name in self._names:
            return self._names[name]
        if name == "i":
            self.remarks.assume("i is the imaginary unit")
        return _CONSTANTS[name] if name in _CONSTANTS else Symbol(name)

    def _call(self, node: Call) -> Value:
        name = node.name
        if name in _OPERATORS:
            return _OPERATORS[name](self, *map(self.value, node.args))
        if name in _FORMS:
            return _fitting(_FORMS[name], name, self, *node.args)
        if name in _BINDING:
            return self._bound(node)
        values = [self.value(part) for part in node.args]
        if name in COMPARISONS:
            return self._related(name, values[0], values[1])
        if name in DAYS:
            return _fitting(DAYS[name], name, self.remarks, *values)
        if name in LETTERS:
            return _fitting(LETTERS[name], name, self.remarks, *values)
        if name in MATRICES:
            return _fitting(MATRICES[name], name, *values)
        if name in self._defined:
            return self._applied(name, values)
        if name in functions.TABLE:
            return self._function(name, values)
        raise ToolRetry(f"there is no function {name[:30]!r}")

    def _function(self, name: str, values: Sequence[Value]) -> Value:
        if any(isinstance(value, Quantity) for value in values):
            return self._of_quantities(name, values)
        result = functions.call(name, values)
        first: Value = values[0]
        if name in _TRIGONOMETRIC and isinstance(first, Integer) and not first.is_zero:
            self.remarks.assume("the angle is in radians")
            self.remarks.alternative(
                f"{name}({first}°) = {decimal(functions.call(name, [first * sympy.pi / 180]))}"
            )
        if name == "log" and len(values) == 1:
            self.remarks.assume("log is the natural logarithm")
            if not first.free_symbols:
                self.remarks.alternative(f"log10({written(first)}) = {decimal(sympy.log(first, 10))}")
        return result

    def _of_quantities(self, name: str, values: Sequence[Value]) -> Value:
        """Apply a function that keeps the unit: sum, mean, max, sqrt …"""
        flat = values[0] if len(values) == 1 and isinstance(values[0], tuple) else values
        if name in ("sqrt", "cbrt") and isinstance(flat[0], Quantity):
            return units.raised(flat[0], Rational(1, 2 if name == "sqrt" else 3))
        if name not in ("sum", "mean", "median", "min", "max", "abs", "round", "floor", "ceil", "number"):
            raise ToolRetry(f"{name} needs plain numbers; divide by a unit first")
        unit = next(value.unit for value in flat if isinstance(value, Quantity))
        if name == "round" and len(flat) == 2:
            return Quantity(functions.call(name, [units.converted(flat[0], unit), flat[1]]), unit)
        return Quantity(functions.call(name, [units.converted(value, unit) for value in flat]), unit)

    def _bound(self, node: Call) -> Value:
        """Evaluate a form in which variables stand for themselves, whatever was assigned to them."""
        names = {part.text for argument in node.args[1:] for part in _heads(argument)}
        if (
            node.name in ("sum", "product")
            and not any(isinstance(part, Name) for part in node.args[1:])
            and not names
        ):
            listed = [self.value(part) for part in node.args]
            if any(isinstance(value, Quantity) for value in listed):
                return self._of_quantities(node.name, listed)
            numbers = functions.flat(listed)
            return sympy.Add(*numbers) if node.name == "sum" else sympy.Mul(*numbers)
        kept = self._names
        self._names = {**kept, **{name: Symbol(name) for name in names - {"pi", "infinity", "e"}}}
        try:
            values = [self.value(part) for part in node.args]
        finally:
            self._names = kept
        try:
            return self._bound_call(node.name, values)
        except LookupError:
            return functions.call("factorint", values)

    def _bound_call(self, name: str, values: list[Value]) -> Value:
        function = {**CALCULUS, "solve": solve, "plot": plot}[name]
        return _fitting(function, name, self.remarks, *values)

    def _applied(self, name: str, values: Sequence[Value]) -> Value:
        parameters, body = self._defined[name]
        if len(parameters) != len(values):
            raise ToolRetry(f"{name} takes {len(parameters)} values, not {len(values)}")
        kept = self._names
        self._names = {**kept, **dict(zip(parameters, values, strict=True))}
        try:
            return self.value(body)
        finally:
            self._names = kept

    # --- operators ---

    def _related(self, sign: str, left: Value, right: Value) -> Value:
        if isinstance(left, Quantity) or isinstance(right, Quantity):
            unit = left.unit if isinstance(left, Quantity) else right.unit
            left, right = units.converted(left, unit), units.converted(right, unit)
        if not isinstance(left, Expr) or not isinstance(right, Expr):
            if sign in ("=", "!=") and type(left) is type(right):
                return sympy.true if (left == right) is (sign == "=") else sympy.false
            raise ToolRetry("only numbers are compared")
        if left.free_symbols or right.free_symbols:
            return _RELATIONS[sign](left, right, evaluate=False)
        if sign in ("=", "!="):
            same = left == right or sympy.simplify(left - right) == 0
            return sympy.true if same is (sign == "=") else sympy.false
        if left == right or sympy.simplify(left - right) == 0:
            return sympy.true if sign in ("<=", ">=") else sympy.false
        found = _RELATIONS[sign](left, right)
        if found not in (sympy.true, sympy.false):
            raise ToolRetry("the two sides cannot be compared")
        return found

    def _sum(self, left: Value, right: Value, sign: int = 1) -> Value:
        if isinstance(left, tuple) or isinstance(right, tuple):
            return combined("+" if sign > 0 else "-", left, right)
        if isinstance(left, date) and isinstance(right, date) and sign < 0:
            return Quantity(Integer((left - right).days), units.unit("day").unit)
        if isinstance(left, date) and isinstance(right, Quantity):
            days = units.converted(right, units.unit("day").unit)
            return DAYS["add_days"](self.remarks, left, days, "day", Integer(sign))
        self._only(left, right)
        return units.plus(left, right, sign)

    def _times(self, left: Value, right: Value) -> Value:
        if isinstance(left, tuple) or isinstance(right, tuple):
            return combined("*", left, right)
        self._only(left, right)
        if isinstance(left, Quantity) or isinstance(right, Quantity):
            return units.times(left, right)
        return left * right

    def _over(self, left: Value, right: Value) -> Value:
        if isinstance(left, tuple):
            return combined("/", left, right)
        self._only(left, right)
        if isinstance(left, Quantity) or isinstance(right, Quantity):
            return units.times(left, right, -1)
        return functions.divided(left, right)

    def _floored(self, left: Value, right: Value) -> Value:
        quotient = self._over(left, right)
        if isinstance(quotient, Quantity):
            quotient = units.converted(quotient, ())
        return sympy.floor(quotient)

    def _modulo(self, left: Value, right: Value) -> Value:
        if isinstance(left, Quantity) and isinstance(right, Quantity):
            return Quantity(functions.modulo(left.value, units.converted(right, left.unit)), left.unit)
        self._only(left, right)
        if isinstance(left, Quantity) or isinstance(right, Quantity):
            raise ToolRetry("a remainder needs two plain numbers, or two quantities")
        return functions.modulo(left, right)

    def _raised(self, base: Value, exponent: Value) -> Value:
        if isinstance(base, tuple):
            return combined("^", base, exponent)
        if not isinstance(exponent, Expr):
            raise ToolRetry("an exponent is a plain number")
        if isinstance(base, Quantity):
            return units.raised(base, exponent)
        self._only(base)
        if base.is_negative and isinstance(exponent, Rational) and exponent.q > 1 and exponent.q % 2:
            self.remarks.note(
                f"principal value; the real root is {written(sympy.real_root(base, exponent.q) ** exponent.p)}"
            )
        return power(base, exponent)

    def _negated(self, value: Value) -> Value:
        return self._times(Integer(-1), value)

    @staticmethod
    def _only(*values: Value) -> None:
        for value in values:
            if not isinstance(value, Expr | Quantity):
                raise ToolRetry(
                    "a comparison can only stand alone, as in 3/4 > 2/3"
                    if isinstance(value, sympy.logic.boolalg.Boolean)
                    else f"{written(value)[:40]} is no number"
                )

    # --- forms ---

    def _percent_sum(self, left: Node, right: Node, sign: int) -> Value:
        """Read 100 + 10% as 110, like a pocket calculator; 20% + 30% is a sum of shares."""
        one, two = self.value(left), self.value(right)
        if not (_is_percent(right) and not _is_percent(left)) or isinstance(one, tuple) or one == 1:
            return self._sum(one, two, sign)
        plain = self._sum(one, two, sign) if not isinstance(one, Quantity) else None
        self.remarks.assume(f"{'+' if sign > 0 else '-'} {written(two * 100)}% is a share of what stands before it")
        if plain is not None:
            self.remarks.alternative(f"{written(one)} {'+' if sign > 0 else '-'} {written(two)} = {written(plain)}")
        return self._times(one, 1 + sign * two)

    def _let(self, name: Node, value: Node) -> Value:
        assert isinstance(name, Name)
        self._names[name.text] = self.value(value)
        return self._names[name.text]

    def _define(self, name: Node, parameters: Node, body: Node) -> Value:
        assert isinstance(name, Name)
        assert isinstance(parameters, Call)
        names = tuple(part.text for part in parameters.args if isinstance(part, Name))
        self._defined[name.text] = (names, body)
        return self._applied(name.text, [Symbol(parameter) for parameter in names])

    def _program(self, *statements: Node) -> Value:
        value: Value = None
        for statement in statements:
            if isinstance(value, Relational):
                self._settle(value)
            value = self.value(statement)
        return self._judged(value) if isinstance(value, Relational) else value

    def _settle(self, equation: Relational) -> None:
        """Give the unknown of an equation its value for the statements that follow."""
        solutions = self._judged(equation)
        if not isinstance(solutions, Solutions) or len(solutions.found) != 1:
            raise ToolRetry(f"{written(equation.lhs)} = {written(equation.rhs)} does not have one solution")
        self._names.update({symbol.name: root for symbol, root in solutions.found[0].items()})

    def _at(self, function: Node, *places: Node) -> Value:
        """Put values in place of variables: x^2 at x = 3."""
        found: dict[Symbol, Value] = {}
        for place in places:
            if not (isinstance(place, Call) and place.name == "=" and isinstance(place.args[0], Name)):
                raise ToolRetry("say which value a letter has, as in x = 3")
            found[Symbol(place.args[0].text)] = self.value(place.args[1])
        kept = self._names
        if not _computes_symbols(function):
            self._names = {**kept, **{symbol.name: value for symbol, value in found.items()}}
            try:
                return self.value(function)
            finally:
                self._names = kept
        value = self.value(function)
        if not isinstance(value, Expr):
            raise ToolRetry("only an expression has a value at a place")
        if not all(isinstance(place, Expr) for place in found.values()):
            raise ToolRetry("a letter can only have a number or an expression as its value here")
        return value.removeO().subs(found)

    def _in(self, what: Node, target: Node) -> Value:
        value = self.value(what)
        if isinstance(target, Unit) and (angle := units.angle(target.name)) is not None:
            self._only(value)
            return Quantity(value / angle, ((target.name, Fraction(1)),))
        goal = self.value(target)
        self._only(value, goal)
        if not isinstance(goal, Quantity):
            raise ToolRetry("that is no unit")
        return Quantity(units.converted(value, goal.unit), goal.unit)

    def _numeric(self, value: Node, digits: Node | None = None) -> Value:
        count = SHOWN_DIGITS if digits is None else whole(self.value(digits), "a number of digits")
        if not 1 <= count <= MAX_PLACES:
            raise ToolRetry(f"decimals are given to at most {MAX_PLACES} digits")
        self.remarks.digits = count
        return self.value(value)

    def _compare(self, left: Node, right: Node) -> Value:
        one, two = self.value(left), self.value(right)
        sign = (
            "="
            if self._related("=", one, two) == sympy.true
            else "<"
            if self._related("<", one, two) == sympy.true
            else ">"
        )
        if sign != "=" and isinstance(one, Expr) and isinstance(two, Expr):
            larger = one if sign == ">" else two
            self.remarks.note(f"{written(larger)} is larger, by {written(abs(one - two))}")
        return f"{_shown(one)} {sign} {_shown(two)}"

    def _primed(self, name: Node, order: Node) -> Value:
        assert isinstance(name, Name)
        assert isinstance(order, Number)
        return Symbol(name.text + "'" * int(order.text))

    def _now(self) -> Value:
        if self._today is None:
            raise ToolRetry("today's date is not known here; write it out")
        return self._today

    def _all(self, *relations: Node) -> Value:
        return sympy.And(*map(self.value, relations))

    def _listed(self, *items: Node) -> Value:
        return tuple(map(self.value, items))

    def _percentage(self, value: Node) -> Value:
        return self._over(self.value(value), Integer(100))


_OPERATORS: dict[str, Callable[..., Value]] = {
    "*": Evaluation._times,
    "/": Evaluation._over,
    "//": Evaluation._floored,
    "mod": Evaluation._modulo,
    "^": Evaluation._raised,
    "neg": Evaluation._negated,
}
_FORMS: dict[str, Callable[..., Value]] = {
    "+": lambda self, left, right: self._percent_sum(left, right, 1),
    "-": lambda self, left, right: self._percent_sum(left, right, -1),
    "and": Evaluation._all,
    "at": Evaluation._at,
    "compare": Evaluation._compare,
    "define": Evaluation._define,
    "equation": lambda self, left, right: self._related("=", self.value(left), self.value(right)),
    "in": Evaluation._in,
    "let": Evaluation._let,
    "list": Evaluation._listed,
    "numeric": Evaluation._numeric,
    "pct": Evaluation._percentage,
    "primed": Evaluation._primed,
    "program": Evaluation._program,
    "today": Evaluation._now,
    "tuple": Evaluation._listed,
    "unequal": lambda self, left, right: self._related("!=", self.value(left), self.value(right)),
}
NAMES = frozenset([*_OPERATORS, *_FORMS, *_BINDING, *functions.TABLE, *MATRICES, *DAYS, *LETTERS, *COMPARISONS])
"""All names that a call may have."""


def _fitting(function: Callable[..., Value], name: str, *values: Value) -> Value:
    """Call a function of our own. Raises ToolRetry when it takes more or fewer values."""
    try:
        inspect.signature(function).bind(*values)
    except TypeError:
        raise ToolRetry(f"{name} takes other arguments; write it in words, or as SymPy would") from None
    return function(*values)


def _heads(node: Node) -> list[Name]:
    """Return the names that are bound here: x, the x of (x, 0, 3), the x and y of [x, y]."""
    if isinstance(node, Name):
        return [node]
    if isinstance(node, Call) and node.name == "tuple":
        return [node.args[0]] if isinstance(node.args[0], Name) else []
    if isinstance(node, Call) and node.name == "list":
        return [part for part in node.args if isinstance(part, Name)]
    return []


def _is_percent(node: Node) -> bool:
    match node:
        case Call(name="pct"):
            return True
        case Call(name="+" | "-", args=(left, right)):
            return _is_percent(left) and _is_percent(right)
        case Call(name="neg", args=(inner,)):
            return _is_percent(inner)
        case _:
            return False


def _computes_symbols(node: Node) -> bool:
    """Say whether a form needs its variables as symbols before values are put in."""
    return any(isinstance(part, Call) and part.name in _BINDING for part in parts(node))


def _shown(value: Value) -> str:
    return f"{written(value)} {units.written(value.unit)}" if isinstance(value, Quantity) else written(value)
