"""More than 400 problems in all styles of writing, against SymPy called directly."""

import ast
import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, cast

import pytest
import sympy
from sympy.parsing.sympy_parser import parse_expr, rationalize, standard_transformations
from tests.tools.maths import problems

from crowquill.tools.maths.compute import compute

LETTERS = {letter: sympy.Symbol(letter) for letter in "abcdefghijklmnopqrstuvwxyz"}
ORACLE = {**vars(sympy), **LETTERS, "date": date, "timedelta": timedelta}
READ_BACK = {
    **LETTERS,
    "e": sympy.E,
    "i": sympy.I,
    "ln": sympy.log,
    "infinity": sympy.oo,
    "ceil": sympy.ceiling,
    "abs": sympy.Abs,
}

KNOWN_FAILURES: dict[str, str] = {}
"""What is typed, and why it is not right yet."""


def lines(table: str) -> Iterator[tuple[str, str]]:
    for line in table.strip().splitlines():
        typed, _, oracle = line.rpartition(" => ")
        yield typed, oracle


def styled() -> Iterator[tuple[str, str]]:
    for row in problems.CALCULUS_STYLES:
        *ways, oracle = row
        if oracle is not None:
            yield from ((way, oracle) for way in ways)


def oracle(text: str) -> Any:
    return eval(text, dict(ORACLE))  # noqa: S307 - made by the test itself


def result(typed: str) -> dict[str, Any]:
    return cast("dict[str, Any]", compute({"expression": typed, "today": ""}))


def value(text: str) -> Any:
    """Read what we have written, with SymPy's own parser."""
    text = re.sub(r"(\d|\.)…(?:e([+-]?\d+))?", r"\1", text.replace("^", "**"))
    return parse_expr(text, local_dict=dict(READ_BACK), transformations=(*standard_transformations, rationalize))


def same(one: Any, two: Any) -> bool:
    if isinstance(one, list) and isinstance(two, list):
        return len(one) == len(two) and all(map(same, one, two))
    one, two = sympy.sympify(one), sympy.sympify(two)
    if one == two:
        return True
    if not isinstance(one, sympy.Expr):
        return False
    if one.getO() is not None:
        return bool(sympy.expand(one.removeO() - two.removeO()) == 0)
    return bool(sympy.simplify(one - two) == 0)


EXACT = [
    problem
    for table in (
        problems.ARITHMETIC, problems.CALCULUS, problems.NUMBER_THEORY, problems.STATISTICS, problems.MATRICES,
        problems.UNITS, problems.COMPARISONS, problems.DAYS, problems.BASES_AND_WORDS,
    )
    for problem in lines(table)
] + list(styled())  # fmt: skip


def test_there_are_enough_of_them() -> None:
    tables = (problems.EQUATIONS, problems.SYSTEMS, problems.INEQUALITIES, problems.DECIMALS)
    typed = [typed for typed, _ in EXACT] + [typed for table in tables for typed, _ in lines(table)]
    assert len(set(typed)) >= 400
    assert len(KNOWN_FAILURES) <= len(typed) * 0.02


@pytest.mark.parametrize(("typed", "expected"), EXACT)
def test_a_value(typed: str, expected: str, request: pytest.FixtureRequest) -> None:
    if typed in KNOWN_FAILURES:
        request.applymarker(pytest.mark.xfail(reason=KNOWN_FAILURES[typed], strict=True))
    exact, right = result(typed)["exact"], oracle(expected)
    match right:
        case bool():
            assert exact == str(right).lower()
        case str():
            assert exact == right
        case date():
            assert exact == right.isoformat()
        case _:
            assert same(value(exact), right), exact


def roots(text: str) -> list[Any]:
    return [value(part.partition(" = ")[2]) for part in text.split(" or ")]


@pytest.mark.parametrize(("typed", "expected"), list(lines(problems.EQUATIONS)))
def test_the_solutions_of_an_equation(typed: str, expected: str) -> None:
    found, right = roots(result(typed)["exact"]), oracle(expected)
    assert len(found) == len(right)
    assert all(any(same(root, other) for other in right) for root in found), found


@pytest.mark.parametrize(("typed", "expected"), list(lines(problems.SYSTEMS)))
def test_the_solution_of_a_system(typed: str, expected: str) -> None:
    pairs = dict(part.split(" = ") for part in result(typed)["exact"].split(", "))
    assert {sympy.Symbol(name): value(text) for name, text in pairs.items()} == oracle(expected)


@pytest.mark.parametrize(("typed", "expected"), list(lines(problems.INEQUALITIES)))
def test_an_inequality(typed: str, expected: str) -> None:
    """The words that we write for a set hold where the set does."""
    text, right = result(typed)["exact"], oracle(expected)
    pieces = [ast.parse(piece, mode="eval").body for piece in text.split(" or ")]
    for point in [sympy.Rational(at, 2) for at in range(-12, 13)]:
        held = any(eval(compile(ast.Expression(piece), "", "eval"), {"x": point}) for piece in pieces)  # noqa: S307
        assert bool(held) is bool(right.contains(point)), (text, point)


@pytest.mark.parametrize(("typed", "expected"), list(lines(problems.DECIMALS)))
def test_decimals(typed: str, expected: str) -> None:
    shown, right = result(typed)["decimal"], oracle(expected)
    first = shown.split(" or ")[0].removeprefix("x = ")
    digits = len(first.replace(".", "").replace("-", "").lstrip("0"))
    assert digits >= 12
    assert abs(sympy.Float(first, 60) - sympy.Float(right, 60)) < sympy.Float(10) ** (
        3 - min(digits, 14 if digits < 17 else 99)
    )
