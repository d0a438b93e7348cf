"""Exact results, checked against `fractions` and `decimal` used directly."""

import math
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crowquill.errors import ToolRetry
from crowquill.tools.maths.evaluate import compute
from crowquill.tools.maths.exact import Interval, power


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
        ("sqrt(2)", "1.41421356237309504880168872421…", "1.4142135623731"),
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
        ("sqrt(-1)", "not real"),
        ("(-8) ^ (1/3)", "not real"),
        ("9**9**9", "too large"),
        ("9^9999999", "too large"),
        ("sqrt(2)^5000", "too large"),
        ("2^sqrt(2)", "exponent"),
        ("factorial(2001)", "from 0 to 2000"),
        ("factorial(-1)", "from 0 to 2000"),
        ("factorial(2.5)", "whole numbers"),
        ("gcd(1.5, 2)", "whole numbers"),
        ("round(1, 101)", "100 places"),
        ("abs(1, 2)", "abs takes 1 numbers, not 2"),
        ("max()", "max takes 1 or more"),
        ("sin(1)", "no function 'sin'"),
        ("100 + 10%", "110 or 100.1"),
        ("2 (3 + 4)", r"write \* between factors"),
        ("(1 < 2) + 1", "stand alone"),
        ("sqrt(2) * sqrt(2) - 2", "cancel"),
        ("sqrt(2) * sqrt(2) == 2", "too close"),
        ("1 / (sqrt(2) * sqrt(2) - 2)", "divisor is zero"),
        ("floor(sqrt(2) * sqrt(2))", "too close to a whole number"),
    ],
)
def test_what_has_no_value_is_said(expression: str, message: str) -> None:
    with pytest.raises(ToolRetry, match=message):
        result(expression)


@settings(max_examples=80, deadline=None)
@given(
    st.fractions(min_value=Fraction(1, 10**6), max_value=10**9, max_denominator=10**6),
    st.fractions(min_value=-8, max_value=8, max_denominator=50),
)
def test_powers_enclose_what_decimal_computes_with_more_digits(base: Fraction, exponent: Fraction) -> None:
    value = power(base, exponent)
    with localcontext() as context:
        context.prec = 150
        oracle = Fraction(
            (Decimal(base.numerator) / base.denominator) ** (Decimal(exponent.numerator) / exponent.denominator)
        )
    if isinstance(value, Interval):
        assert value.low < oracle < value.high
        assert value.high - value.low < oracle / 10**50
    else:
        assert abs(value - oracle) < oracle / 10**140


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 10**60), st.integers(2, 12))
def test_perfect_powers_have_exact_roots(root: int, degree: int) -> None:
    assert power(Fraction(root**degree), Fraction(1, degree)) == root


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
