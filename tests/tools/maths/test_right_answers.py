"""Right answers: exact values worked out with `fractions` alone, and whole expression trees drawn at random."""

import math
import random
import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crowquill.errors import ToolRetry
from crowquill.tools.maths.compute import compute

F = Fraction
FORTY_NINES = 10**40 - 1


def result(expression: str) -> dict[str, Any]:
    return cast("dict[str, Any]", compute({"expression": expression}))


EXACT: list[tuple[str, Fraction | int]] = [
    ("1 + 1", 2),
    ("2 + 3 * 4", 14),
    ("(2 + 3) * 4", 20),
    ("2 - 3 - 4", -5),
    ("2 - (3 - 4)", 3),
    ("100 / 10 / 5", 2),
    ("100 / (10 / 5)", 50),
    ("8 / 3", F(8, 3)),
    ("-2^2", -4),
    ("(-2)^2", 4),
    ("2^3^2", 512),
    ("2^-1", F(1, 2)),
    ("0^0", 1),
    ("10^18 + 1", 10**18 + 1),
    ("--3", 3),
    ("-+-3", 3),
    ("3 - -3", 6),
    ("0.1 * 3", F(3, 10)),
    ("0.1 + 0.2 - 0.3", 0),
    ("1.1 * 1.1", F(121, 100)),
    ("9.11 - 9.9", F(-79, 100)),
    ("9.9 - 9.11", F(79, 100)),
    ("1.005 * 1000", 1005),
    ("4.35 * 100", 435),
    ("1e3 + 1e-3", F(1000001, 1000)),
    ("2.5e2", 250),
    (".5 + .25", F(3, 4)),
    ("00012 + 1", 13),
    ("1/3 + 1/3 + 1/3", 1),
    ("1/7 * 7", 1),
    ("22/7 - 355/113", F(22, 7) - F(355, 113)),
    ("17 // 5", 3),
    ("-17 // 5", -4),
    ("17 // -5", -4),
    ("17 % 5", 2),
    ("-17 % 5", 3),
    ("17 % (-5)", -3),
    ("7.5 // 2", 3),
    ("17 mod 5", 2),
    ("17 modulo 5", 2),
    ("(1/2) mod (1/3)", F(1, 6)),
    ("5,000 + 250", 5250),
    ("1,234,567.89 * 100", 123456789),
    ("12 345 678 + 2", 12345680),
    ("12’345 + 1", 12346),
    ("3 × 4", 12),
    ("3 · 4", 12),
    ("12 ÷ 5", F(12, 5)),
    ("7 − 10", -3),
    ("−7 + 10", 3),
    ("5² − 4²", 9),
    ("2³", 8),
    ("√81", 9),
    ("√2.25 + 1", F(5, 2)),
    ("25% of 80", 20),
    ("25 % of 80", 20),
    ("12.5% of 1,000", 125),
    ("0.5% of 200", 1),
    ("150% of 40", 60),
    ("25 percent of 80", 20),
    ("25 per cent of 80", 20),
    ("25% * 80", 20),
    ("80 * 25%", 20),
    ("50%", F(1, 2)),
    ("10% of 10% of 1000", 10),
    ("20% of (100 + 50)", 30),
    ("(5 + 5)% of 50", 5),
    ("200 - 15% of 200", 170),
    ("100 * 1.19", 119),
    ("percent(45, 60)", 75),
    ("percent(1, 3)", F(100, 3)),
    ("percent(1620, 1230)", F(162000, 1230)),
    ("$19.99 * 3", F(5997, 100)),
    ("€1,200 / 4", 300),
    ("12 x 12", 144),
    ("6 times 7", 42),
    ("84 divided by 2", 42),
    ("50 minus 8", 42),
    ("40 plus 2", 42),
    ("9 squared", 81),
    ("3 cubed", 27),
    ("the square root of 1764", 42),
    (f"{FORTY_NINES} + 1", 10**40),
    (f"{FORTY_NINES} + {FORTY_NINES}", 2 * FORTY_NINES),
    (f"{FORTY_NINES} * {FORTY_NINES}", FORTY_NINES**2),
    (f"{FORTY_NINES} / 9", FORTY_NINES // 9),
    ("2^100", 2**100),
    ("2^100 - 2^99", 2**99),
    ("123456789 ^ 5", 123456789**5),
    ("1.000000000000000000000000000001 - 1", F(1, 10**30)),
    ("sqrt(0)", 0),
    ("sqrt(1/4)", F(1, 2)),
    ("sqrt(10^40)", 10**20),
    ("27^(1/3)", 3),
    ("(8/27)^(2/3)", F(4, 9)),
    ("32^0.2", 2),
    ("4^-0.5", F(1, 2)),
    ("factorial(0)", 1),
    ("factorial(20)", math.factorial(20)),
    ("factorial(52) / factorial(47)", 311875200),
    ("gcd(0, 5)", 5),
    ("gcd(-12, 18)", 6),
    ("gcd(12, 18, 27)", 3),
    ("lcm(1, 2, 3, 4, 5, 6, 7, 8, 9, 10)", 2520),
    ("lcm(0, 5)", 0),
    ("abs(3 - 10)", 7),
    ("floor(7/2)", 3),
    ("floor(-7/2)", -4),
    ("ceil(7/2)", 4),
    ("ceil(4)", 4),
    ("round(0.5)", 1),
    ("round(1.5)", 2),
    ("round(-0.5)", -1),
    ("round(1.005, 2)", F(101, 100)),
    ("round(2/3, 3)", F(667, 1000)),
    ("round(sqrt(2), 4)", F(14142, 10000)),
    ("floor(sqrt(1000))", 31),
    ("round(5550, -2)", 5600),
    ("min(3, -4, 2.5)", -4),
    ("max(1/3, 0.33)", F(1, 3)),
    ("max(sqrt(4), 1)", 2),
    ("mean(1, 2, 3, 4)", F(5, 2)),
    ("mean(0.1, 0.2)", F(15, 100)),
    ("mean(7)", 7),
    ("median(1, 100, 2)", 2),
    ("median(1/2, 1/3)", F(5, 12)),
    ("sum(1, 2, 3, 4, 5)", 15),
    ("sum(1/2, 1/3, 1/6)", 1),
    ("mean(2850, 1230) - median(346, 346)", 1694),
    ("(2850 - 1230) / 1230 * 100", F(162000, 1230)),
]


@pytest.mark.parametrize(("expression", "exact"), EXACT)
def test_the_exact_value(expression: str, exact: Fraction | int) -> None:
    assert F(result(expression)["exact"]) == exact


@pytest.mark.parametrize(
    "expression",
    [
        "factorial(1999)",
        "2^13000",
        "9^20000",
        "1/3^5000",
        "10^4000",
        "10^3998",
        "10^4299",
        "1/7^4000",
        "sqrt(10^9999)",
    ],
)
def test_a_huge_result_is_written_short_and_never_breaks(expression: str) -> None:
    answer = result(expression)
    assert max(len(answer[key]) for key in ("exact", "decimal", "latex")) <= 4100
    assert answer["exact"].isdigit() or "/" in answer["exact"] or "…" in answer["exact"]


# --- whole trees ---

Value = Fraction | None
Tree = tuple[str, Value]
"""How it is written, with brackets around everything, and its value; None where it has none."""


def combine(sign: str, left: Tree, right: Tree) -> Tree:
    apply: dict[str, Callable[[Fraction, Fraction], Fraction]] = {
        "+": lambda a, b: a + b,
        "-": lambda a, b: a - b,
        "*": lambda a, b: a * b,
        "/": lambda a, b: a / b,
        "//": lambda a, b: F(a // b),
        "mod": lambda a, b: a % b,
    }
    text = f"({left[0]} {sign} {right[0]})"
    if left[1] is None or right[1] is None or (right[1] == 0 and sign in ("/", "//", "mod")):
        return text, None
    return text, apply[sign](left[1], right[1])


LEAVES = st.decimals(min_value=-999, max_value=999, places=2).map(
    lambda value: (f"({value:f})" if value.is_signed() else f"{value:f}", cast("Value", F(value)))
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.builds(combine, st.sampled_from(["+", "-", "*", "/", "//", "mod"]), inner, inner),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(TREES)
def test_a_random_expression_equals_its_fraction(tree: Tree) -> None:
    text, value = tree
    if value is None:
        with pytest.raises(ToolRetry, match="division by zero"):
            result(text)
        return
    answer = result(text)
    assert F(answer["exact"]) == value
    assert abs(F(answer["decimal"]) - value) <= abs(value) * F(1, 10**14)


def fraction_of(text: str) -> Fraction:
    """Let Python read the text, with each number made a fraction."""
    return F(eval(re.sub("([0-9]+)", r"F(\1)", text), {"F": F}))  # noqa: S307 - made by the test itself


@settings(max_examples=150, deadline=None)
@given(st.lists(st.integers(0, 99), min_size=2, max_size=9), st.randoms(use_true_random=False))
def test_precedence_without_brackets_is_that_of_python(numbers: list[int], choose: random.Random) -> None:
    text = str(numbers[0])
    for number in numbers[1:]:
        text += f" {choose.choice(['+', '-', '*', '/', '//'])} {number}"
    try:
        value = fraction_of(text)
    except ZeroDivisionError:
        with pytest.raises(ToolRetry, match="division by zero"):
            result(text)
        return
    assert F(result(text)["exact"]) == value


FUZZ = (
    "0123456789" * 3 + "+-*/%^()., =<>!√²³×÷−eExX$€£'’_\"[]{}@#&|~:;?\\\n\t\x00\u200b\u202e½٣五𝟏abcdfgilmnoprstuv"
)
WORDS = [
    "sqrt(",
    "max(",
    "round(",
    "factorial(",
    "percent of ",
    "% of ",
    "**",
    "//",
    "9**9**9",
    "1e999",
    "mod ",
    "lcm(",
]


@pytest.mark.parametrize("count", [300, pytest.param(5000, marks=pytest.mark.slow)])
def test_of_any_text_only_advice_comes_back(count: int) -> None:
    choose = random.Random(2000)
    for _ in range(count):
        length = choose.choice([5, 20, 100, 2000])
        text = ""
        while len(text) < length:
            text += choose.choice(WORDS) if choose.random() < 0.2 else choose.choice(FUZZ)
        try:
            said = " ".join(result(text[:2000])[key] for key in ("expression", "exact", "decimal"))
        except ToolRetry as error:
            said = str(error)
        assert 0 < len(said) < 9000
        assert "\n" not in said
