"""Exact arithmetic over a grammar of its own: numbers, + - * / // % **, comparisons and a table of functions.

The text is parsed by `ast.parse`, which runs nothing, and every node is looked at; strings, names, attributes,
subscripts, lambdas and comprehensions do not exist. Numbers are fractions, so 0.1 + 0.2 is 3/10. `compute` runs in
the worker's child, where time and memory are limited.
"""

import ast
import math
import operator
import re
import statistics
from collections.abc import Callable, Sequence
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

from crowquill.errors import ToolRetry
from crowquill.tools.context import Json

MAX_LENGTH, MAX_NODES, MAX_DEPTH = 2000, 400, 60
MAX_BITS = 200_000
"""Bits that a power may have."""
MAX_FACTORIAL = 2000
MAX_SHOWN_BITS = 13_200
"""Bits of a result that can be shown (about 4,000 digits)."""
DIGITS = 15
"""Significant digits of the decimal form."""
_ROOT_DIGITS = 30

Value = Fraction | bool

_LITERAL = re.compile(r"(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?")


class _Inexact(Exception):
    """Raised where a result has no exact form that can go on; carries its decimal."""


def compute(request: Any) -> Json:
    """Worker job: `{"expression": text}` to `{"expression", "exact", "decimal"}`. Raises ToolRetry."""
    source = translate(str(request["expression"]))
    tree = parse(source)
    try:
        value = _Evaluator(source).value(tree.body)
    except ZeroDivisionError:
        raise ToolRetry("division by zero") from None
    except OverflowError:
        raise ToolRetry("the numbers become too large") from None
    exact, decimal = show(value)
    return {"expression": " ".join(source.split()), "exact": exact, "decimal": decimal}


def parse(text: str) -> ast.Expression:
    """Read translated text as an expression. Raises ToolRetry with what is wrong."""
    if len(text) > MAX_LENGTH:
        raise ToolRetry(f"an expression may have at most {MAX_LENGTH} characters")
    try:
        tree = ast.parse(text, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ToolRetry("that is not arithmetic; write numbers and + - * / ( ), as in (2850 - 1230) / 2") from None
    nodes = sum(1 for _ in ast.walk(tree))
    if nodes > MAX_NODES or _depth(tree) > MAX_DEPTH:
        raise ToolRetry("the expression is too long or nested too deeply")
    return tree


_SIGNS = str.maketrans(
    {"×": "*", "·": "*", "⋅": "*", "÷": "/", "−": "-", "–": "-", "^": "\0", "\u00a0": " ", "\u202f": " "}
)
_GROUPED = re.compile(r"(?<![\d.,])\d{1,3}(?:([, '])\d{3})(?:\1\d{3})*(?![\d])")
_PERCENT_OF = re.compile(r"(\d+(?:\.\d+)?)\s*(?:%|per\s?cent)\s+of\s+", re.IGNORECASE)
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s*%(?!\s*[\d(a-zA-Z])")


def translate(text: str) -> str:
    """Bring common spellings into the grammar: ×, ÷, ^, 2,850, 17% of, a final = or ?."""
    text = text.strip().rstrip("?= ").translate(_SIGNS).replace("\0", "**")
    text = re.sub(r"[€$£]\s*(?=\d)|(?<=\d)\s*[€$£]", "", text)
    text = _GROUPED.sub(lambda match: re.sub(r"[, ']", "", match[0]), text)
    text = _PERCENT_OF.sub(r"(\1/100)*", text)
    return _PERCENT.sub(r"(\1/100)", text)


def _depth(node: ast.AST) -> int:
    deepest, stack = 0, [(node, 1)]
    while stack:
        current, depth = stack.pop()
        deepest = max(deepest, depth)
        stack.extend((child, depth + 1) for child in ast.iter_child_nodes(current))
    return deepest


def _root(value: Fraction) -> Fraction:
    if value < 0:
        raise ToolRetry("the square root of a negative number is not real")
    top, bottom = math.isqrt(value.numerator), math.isqrt(value.denominator)
    if top * top == value.numerator and bottom * bottom == value.denominator:
        return Fraction(top, bottom)
    with localcontext() as context:
        context.prec = _ROOT_DIGITS
        raise _Inexact(str((Decimal(value.numerator) / Decimal(value.denominator)).sqrt()))


def _whole(value: Fraction) -> int:
    if value.denominator != 1:
        raise ToolRetry("this function needs whole numbers")
    return value.numerator


def _factorial(value: Fraction) -> Fraction:
    number = _whole(value)
    if not 0 <= number <= MAX_FACTORIAL:
        raise ToolRetry(f"factorial takes whole numbers from 0 to {MAX_FACTORIAL}")
    return Fraction(math.factorial(number))


def _round(value: Fraction, digits: Fraction = Fraction(0)) -> Fraction:
    """Round halves away from zero, as people do by hand."""
    places = _whole(digits)
    if abs(places) > 100:
        raise ToolRetry("round takes at most 100 digits")
    scale = Fraction(10) ** places
    shifted = abs(value) * scale
    rounded = math.floor(shifted + Fraction(1, 2)) / scale
    return rounded if value >= 0 else -rounded


_FUNCTIONS: dict[str, Callable[..., Fraction]] = {
    "abs": abs,
    "min": min,
    "max": max,
    "sum": lambda *values: sum(values, Fraction(0)),
    "mean": lambda *values: sum(values, Fraction(0)) / len(values),
    "median": lambda *values: Fraction(statistics.median(values)),
    "round": _round,
    "floor": lambda value: Fraction(math.floor(value)),
    "ceil": lambda value: Fraction(math.ceil(value)),
    "sqrt": _root,
    "gcd": lambda *values: Fraction(math.gcd(*map(_whole, values))),
    "lcm": lambda *values: Fraction(math.lcm(*map(_whole, values))),
    "factorial": _factorial,
    "percent": lambda part, whole: part / whole * 100,
}


_COMPARISONS: dict[type[ast.cmpop], Callable[[Fraction, Fraction], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}


class _Evaluator:
    """Evaluates a parsed expression, node by node; numbers are read from the source, so that no digit is lost."""

    def __init__(self, source: str) -> None:
        self._source = source

    def value(self, node: ast.expr) -> "Value | _Inexact":
        try:
            return self._value(node)
        except _Inexact as inexact:
            if isinstance(node, ast.Call):
                return inexact
            raise ToolRetry("a root that is not exact can only stand alone, as in sqrt(2)") from None

    def _value(self, node: ast.expr) -> Value:
        match node:
            case ast.Compare():
                return self._compare(node)
            case _:
                return self._number(node)

    def _compare(self, node: ast.Compare) -> bool:
        values = [self._number(part) for part in (node.left, *node.comparators)]
        pairs = zip(node.ops, values, values[1:], strict=False)
        if any(type(sign) not in _COMPARISONS for sign in node.ops):
            raise ToolRetry("only < <= > >= == != compare")
        return all(_COMPARISONS[type(sign)](left, right) for sign, left, right in pairs)

    def _number(self, node: ast.expr) -> Fraction:
        match node:
            case ast.Constant(value=int() | float()) if not isinstance(node.value, bool):
                return _literal(ast.get_source_segment(self._source, node))
            case ast.UnaryOp(op=ast.USub()):
                return -self._number(node.operand)
            case ast.UnaryOp(op=ast.UAdd()):
                return self._number(node.operand)
            case ast.BinOp():
                return _combine(node.op, self._number(node.left), self._number(node.right))
            case ast.Call(func=ast.Name(id=name), keywords=[]) if name in _FUNCTIONS:
                return self._call(name, node.args)
            case ast.Call(func=ast.Name(id=name)):
                raise ToolRetry(f"there is no function {name[:30]!r}; there are {', '.join(sorted(_FUNCTIONS))}")
            case ast.Name(id=name):
                raise ToolRetry(f"{name[:30]!r} is no number; leave units and words out")
            case _:
                raise ToolRetry("only numbers, + - * / // % **, parentheses and functions are arithmetic")

    def _call(self, name: str, arguments: Sequence[ast.expr]) -> Fraction:
        values = [self._number(argument) for argument in arguments]
        try:
            return Fraction(_FUNCTIONS[name](*values))
        except (TypeError, statistics.StatisticsError):
            raise ToolRetry(f"{name} does not take {len(values)} numbers") from None


def _literal(text: str | None) -> Fraction:
    if text is None or not _LITERAL.fullmatch(text):
        raise ToolRetry("numbers are written with digits, a point and an exponent, as in 2850, 3.5 or 1e6")
    return Fraction(text)


def _combine(sign: ast.operator, left: Fraction, right: Fraction) -> Fraction:
    match sign:
        case ast.Add():
            return left + right
        case ast.Sub():
            return left - right
        case ast.Mult():
            return left * right
        case ast.Div():
            return left / right
        case ast.FloorDiv():
            return Fraction(left // right)
        case ast.Mod():
            return left % right
        case ast.Pow():
            return _power(left, right)
        case _:
            raise ToolRetry("only + - * / // % ** combine numbers")


def _power(base: Fraction, exponent: Fraction) -> Fraction:
    if exponent == Fraction(1, 2):
        return _root(base)
    power = _whole(exponent)
    bits = max(base.numerator.bit_length(), base.denominator.bit_length())
    if bits * abs(power) > MAX_BITS:
        raise ToolRetry("the power becomes too large")
    return base**power


def show(value: "Value | _Inexact") -> tuple[str, str]:
    """Return the exact form and the decimal form (15 significant digits, never in exponent form below 1e21)."""
    if isinstance(value, _Inexact):
        with localcontext() as context:
            context.prec = DIGITS
            return f"≈ {value}", _plain(+Decimal(str(value)))
    if isinstance(value, bool):
        return ("true", "true") if value else ("false", "false")
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > MAX_SHOWN_BITS:
        raise ToolRetry("the result has more than 4,000 digits")
    if value.denominator == 1:
        return str(value.numerator), str(value.numerator)
    with localcontext() as context:
        context.prec = DIGITS
        decimal = _plain(Decimal(value.numerator) / Decimal(value.denominator))
    return (decimal if Fraction(decimal) == value else f"{value.numerator}/{value.denominator}"), decimal


def _plain(decimal: Decimal) -> str:
    text = f"{decimal:f}" if abs(decimal.adjusted()) < 21 else str(decimal)
    return text.rstrip("0").rstrip(".") if "." in text and "E" not in text else text


_ASKS = re.compile(
    r"^(?:what(?:'s|\s+is|\s+are)|how\s+much\s+is|calculate|compute|evaluate|work\s+out|сколько\s+будет|вычисли(?:те)?)\s+",
    re.IGNORECASE,
)
_ONLY_ARITHMETIC = re.compile(r"[\d\s.,+*/()%×÷·−^<>=!-]+")
_DATE = re.compile(r"\b\d{4}-\d{1,2}-\d{1,2}\b")
_WORDS = re.compile(r"\b(?:" + "|".join([*sorted(_FUNCTIONS), r"per\s?cent", "of"]) + r")\b", re.IGNORECASE)
_WORD_SIGNS = {"plus": "+", "minus": "-", "times": "*", "multiplied by": "*", "divided by": "/"}


def parse_arithmetic(question: str) -> str | None:
    """Return the expression when a whole question is plain arithmetic ("What is 17% of 2340?"), else None."""
    text = _ASKS.sub("", question.strip()).strip().rstrip("?=.! ")
    for words, sign in _WORD_SIGNS.items():
        text = re.sub(rf"(?<=[\d)])\s+{words}\s+(?=[\d(])", f" {sign} ", text, flags=re.IGNORECASE)
    if len(text) > MAX_LENGTH or _DATE.search(text) or not _ONLY_ARITHMETIC.fullmatch(_WORDS.sub("", text)):
        return None
    if sum(character.isdigit() for character in text) == 0 or not re.search(r"[+*/()%×÷·−^<>=-]|\bof\b", text):
        return None
    try:
        tree = parse(translate(text))
    except ToolRetry:
        return None
    return text if any(isinstance(node, ast.BinOp | ast.Call | ast.Compare) for node in ast.walk(tree)) else None
