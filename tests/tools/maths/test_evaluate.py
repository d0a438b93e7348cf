"""Exact results, checked against `fractions` used directly."""

import math
from fractions import Fraction
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crowquill.errors import ToolRetry
from crowquill.tools.maths.compute import compute


def result(expression: str) -> tuple[str, str]:
    answer = cast("dict[str, Any]", compute({"expression": expression}))
    return answer["exact"], answer["decimal"]


@pytest.mark.parametrize(
    ("expression", "exact"),
    [
        ("0.1 + 0.2", Fraction(3, 10)),
        ("17% of 2340", Fraction(3978, 10)),
        ("3/8 + 1/4", Fraction(5, 8)),
        ("1/3 + 1/6", Fraction(1, 2)),
        ("12*(3+4)", 84),
        ("-7 // 2", -4),
        ("-7 % 3", 2),
        ("7.5 mod 2", Fraction(3, 2)),
        ("2^-3", Fraction(1, 8)),
        ("8 ** (1/3)", 2),
        ("(4/9) ** 1.5", Fraction(8, 27)),
        ("sqrt(2.25)", Fraction(3, 2)),
        (
            "123456789012345678901234567890 * 987654321098765432109876543210",
            123456789012345678901234567890 * 987654321098765432109876543210,
        ),
        ("factorial(30)", math.factorial(30)),
        ("gcd(462, 1071)", 21),
        ("lcm(4, 6, 10)", 60),
        ("abs(-3.5)", Fraction(7, 2)),
        ("floor(-3.5)", -4),
        ("ceil(-3.5)", -3),
        ("round(2.5)", 3),
        ("round(-2.5)", -3),
        ("round(2.675, 2)", Fraction(268, 100)),
        ("round(1234, -2)", 1200),
        ("min(3, 1/2, 2)", Fraction(1, 2)),
        ("max(9.11, 9.9)", Fraction(99, 10)),
        ("sum(0.1, 0.2, 0.3)", Fraction(6, 10)),
        ("mean(1, 2, 4)", Fraction(7, 3)),
        ("median(5, 1, 3)", 3),
        ("median(4, 1, 3, 2)", Fraction(5, 2)),
        ("percent(20, 80)", 25),
        ("20% + 30%", Fraction(1, 2)),
        ("(20% of 50) + 1", 11),
    ],
)
def test_results_are_exact(expression: str, exact: Fraction | int) -> None:
    assert Fraction(result(expression)[0]) == exact


@pytest.mark.parametrize(
    ("expression", "truth"),
    [
        ("9.11 > 9.9", "false"),
        ("0.1 + 0.2 == 0.3", "true"),
        ("1 < 2 < 3", "true"),
        ("1 < 3 < 2", "false"),
        ("2 >= 2", "true"),
        ("2 <= 1", "false"),
        ("1/3 != 0.333", "true"),
        ("sqrt(2) < 1.4143", "true"),
        ("sqrt(2) == 1.4142", "false"),
    ],
)
def test_comparisons(expression: str, truth: str) -> None:
    assert result(expression) == (truth, truth)


@pytest.mark.parametrize(
    ("expression", "exact", "decimal"),
    [
        ("1/3", "1/3", "0.333333333333333"),
        ("2/3", "2/3", "0.666666666666667"),
        ("1/8", "0.125", "0.125"),
        ("10^20 / 1", "1" + "0" * 20, "1" + "0" * 20),
        ("1 / 10^30", "1e-30", "1e-30"),
        ("0 * 5", "0", "0"),
        ("sqrt(2)", "sqrt(2)", "1.4142135623731"),
        ("sqrt(2) * sqrt(2) - 2", "0", "0"),
        ("sqrt(-4)", "2*i", "2*i"),
        ("derivative of |x|", "sign(x)", "sign(x)"),
        ("sqrt(10^9999)", "3.1622776601683793e+4999…", "3.16227766016838e+4999"),
        ("2^20000", "3.98027684033796659235430720619…e+6020", "3.98027684033797e+6020"),
    ],
)
def test_how_results_are_written(expression: str, exact: str, decimal: str) -> None:
    assert result(expression) == (exact, decimal)


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("1 / 0", "division by zero"),
        ("1 % 0", "division by zero"),
        ("0 ^ -1", "division by zero"),
        ("percent(1, 0)", "division by zero"),
        ("9**9**9", "too large"),
        ("9^9999999", "too large"),
        ("factorial(2001)", "from 0 to 2000"),
        ("factorial(-1)", "from 0 to 2000"),
        ("gcd(1.5, 2)", "whole numbers"),
        ("round(1, 101)", "100 places"),
        ("abs(1, 2)", "abs takes 1 numbers, not 2"),
        ("binomial(5001, 2)", "up to 5000"),
        ("N(pi, 1001)", "1000 digits"),
        ("x^65", "up to 64"),
        ("(x + 1)^100", "up to 64"),
        ("5 km + 3 kg", "cannot become"),
        ("5 km in kg", "cannot become"),
        ("20 °C + 5 °F", "different scales"),
        ("inverse of [[1, 2], [2, 4]]", "no inverse"),
        ("[[1, 2], [3]] * 2", "same number of values"),
        ("limit of 1/x as x -> 0", "does not exist"),
        ("integrate x^x", "no closed form"),
        ("convert 9 from octal to decimal", "digits that base 8 does not have"),
        ("4000 in roman numerals", "1 to 3999"),
        ("today + 3 days", "not known here"),
        ("sort(3, 1)", "'sort' has no meaning"),
        ("solve()", "other arguments"),
        ("N()", "other arguments"),
        ("plot()", "other arguments"),
        ("integrate()", "other arguments"),
        ("sum()", "no values"),
        ("tan(pi/2)", "not defined there"),
        ("limit of sin(1/x) as x -> 0", "oscillating"),
        ("x^2 = 4; x + 1", "does not have one solution"),
        ("2024-02-30", "no day 2024-02-30"),
        ("f(x) = f(x) + 1; f(2)", "defined by itself"),
        ("max()", "max takes 1 or more"),
        ("(1 < 2) + 1", "stand alone"),
        ("1 / (sqrt(2) * sqrt(2) - 2)", "division by zero"),
    ],
)
def test_what_has_no_value_is_said(expression: str, message: str) -> None:
    with pytest.raises(ToolRetry, match=message):
        result(expression)


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 10**60), st.integers(2, 12))
def test_perfect_powers_have_exact_roots(root: int, degree: int) -> None:
    assert Fraction(result(f"{root**degree} ^ (1/{degree})")[0]) == root


@settings(max_examples=80, deadline=None)
@given(st.lists(st.fractions(max_denominator=1000), min_size=1, max_size=6), st.integers(-3, 3))
def test_functions_against_fractions(values: list[Fraction], places: int) -> None:
    listed = ", ".join(f"({value.numerator}/{value.denominator})" for value in values)
    exact = {name: result(f"{name}({listed})")[0] for name in ("sum", "mean", "min", "max")}
    assert {name: Fraction(text) for name, text in exact.items()} == {
        "sum": sum(values),
        "mean": sum(values) / len(values),
        "min": min(values),
        "max": max(values),
    }
    rounded = Fraction(result(f"round({values[0].numerator}/{values[0].denominator}, {places})")[0])
    assert abs(rounded - values[0]) <= Fraction(10) ** -places / 2
    assert (rounded * Fraction(10) ** places).denominator == 1
