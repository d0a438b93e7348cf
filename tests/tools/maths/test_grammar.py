"""What people type is read in one way or refused; and what is echoed reads back the same."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tools.maths import problems
from tests.tools.maths.test_problems import lines, styled

from crowquill.errors import ToolRetry
from crowquill.tools.maths.echo import normal_form
from crowquill.tools.maths.evaluate import NAMES
from crowquill.tools.maths.grammar import MAX_DEPTH, MAX_LENGTH, MAX_NODES
from crowquill.tools.maths.nodes import parts
from crowquill.tools.maths.reading import read
from crowquill.tools.maths.vocabulary import FUNCTIONS


def echo(text: str) -> str:
    return normal_form(read(text))


@pytest.mark.parametrize(
    ("typed", "understood"),
    [
        ("2,850 - 1,230", "2850 - 1230"),
        ("2 850 - 1 230", "2850 - 1230"),
        ("2\u202f850 - 1\u00a0230 = ?", "2850 - 1230"),
        ("1'234'567.5 + 1", "1234567.5 + 1"),
        ("1.234.567,5 + 1", "1234567.5 + 1"),
        ("3,5 + 0,125", "3.5 + 0.125"),
        ("max(100,200)", "max(100, 200)"),
        ("max((2,850), 3)", "max(2850, 3)"),
        ("3 × 4 ÷ 2 − 1", "3 * 4 / 2 - 1"),
        ("2**10", "2^10"),
        ("5² + 2³", "5^2 + 2^3"),
        ("√16 + √(9)", "sqrt(16) + sqrt(9)"),
        ("the square root of 144", "sqrt(144)"),
        ("17 percent of 2,340", "17% of 2340"),
        ("17 per cent of (3 + 4)", "17% of (3 + 4)"),
        ("(3 + 4)%", "(3 + 4)%"),
        ("50% * 30%", "50% of 30%"),
        ("10 % 3", "10 mod 3"),
        ("$1,200 / 4", "1200 / 4"),
        ("12 x 3", "12 * 3"),
        ("3 multiplied by 4 divided by 5", "3 * 4 / 5"),
        ("3 умножить на 4 плюс 1", "3 * 4 + 1"),
        ("17% от 200", "17% of 200"),
        ("3/4 ≥ 2/3", "3 / 4 >= 2 / 3"),
        ("2 + 2 == 4", "2 + 2 = 4"),
        ("007 + 1", "7 + 1"),
        (".5 + 1e3", ".5 + 1e3"),
        ("-(2 - (3 - 4)) * (5 * 6)", "-(2 - (3 - 4)) * (5 * 6)"),
        ("(2^3)^2 - 2^3^2 + (-2)^2 - -2^2", "(2^3)^2 - 2^3^2 + (-2)^2 - -2^2"),
        ("2x", "2 * x"),
        ("3 sin x", "3 * sin(x)"),
        ("sin x cos x", "sin(x) * cos(x)"),
        ("sin 2x + 1", "sin(2 * x) + 1"),
        ("sin^2 x", "sin(x)^2"),
        ("(x+1)(x-1)", "(x + 1) * (x - 1)"),
        ("x(x + 1)", "x * (x + 1)"),
        ("xy + 2xyz", "x * y + 2 * x * y * z"),
        ("1/2x", "1 / 2 * x"),
        ("|x - 3| |y|", "abs(x - 3) * abs(y)"),
        ("5!", "5!"),
        ("log_2 8", "log(8, 2)"),
        ("100 km / 2 h", "100 km / 2 h"),
        ("60 miles per hour", "60 miles / h"),
        (r"\frac{1}{2} \cdot \sqrt[3]{x}", "1 / 2 * root(x, 3)"),
        (r"\left( a + b \right)^{2}", "(a + b)^2"),
        ("a = 3; b = a^2", "a = 3; b = a^2"),
        ("total cost = 3", None),
        ("first_day = 3\nboth = first_day + 4", "first_day = 3; both = first_day + 4"),
    ],
)
def test_what_is_typed_is_read_and_echoed(typed: str, understood: str | None) -> None:
    if understood is None:
        with pytest.raises(ToolRetry):
            echo(typed)
        return
    assert echo(typed) == understood
    assert echo(understood) == understood


@pytest.mark.parametrize(
    ("typed", "advice"),
    [
        ("1,23,456", "decimal point"),
        ("sum(2,850, 1,230)", "space after each comma"),
        ("sum(1,200,3,400)", "space after each comma"),
        ("$5 + €3", "currencies"),
        ("2€50 + 1", "decimal point"),
        ("0x10 + 1", "base ten"),
        ("100 / 17% of 50", "brackets around the percentage"),
        ("3 of 10", "17% of 2340"),
        ("5 +", "not a calculation"),
        ("", "nothing to calculate"),
        ("1.2.3", "two points"),
        ("3 . 4", "no meaning"),
        ("٣ + ٤", r"U\+0663"),
        ("happiness / 2", "'happiness' has no meaning"),
        ("1 2", "no sign before '2'"),
        ("(1 + 2", "bracket"),
        ("1 + 2)", "not a calculation"),
        ("|1 + 2", "bar"),
        ("sqrt", "needs what it is applied to"),
        ("pi = 4; 2 pi", "constant"),
        (r"\frac{1}{2", "not closed"),
        (r"\begin{tikzpicture}", "environments"),
        ("5/6/2020 + 3 days", "two days"),
        ("days between 30 February 2021 and 1 March 2021", None),
        ("1 + " + "1" * MAX_LENGTH, "at most 2000 characters"),
    ],
)
def test_what_is_unclear_is_refused_with_advice(typed: str, advice: str | None) -> None:
    with pytest.raises(ToolRetry, match=advice):
        echo(typed)


@pytest.mark.parametrize(
    "text",
    [
        "1+" * 250 + "1",
        "-" * 70 + "1",
        "-(" * 70 + "1" + ")" * 70,
        "abs(" * 61 + "1" + ")" * 61,
        r"\frac{1}{" * 90 + "2" + "}" * 90,
        "derivative of " * 20 + "x",
    ],
)
def test_size_is_bounded(text: str) -> None:
    with pytest.raises(ToolRetry):
        read(text)


def test_a_long_sum_is_not_deep() -> None:
    assert MAX_DEPTH < 190 < len(parts(read("+".join(map(str, range(190)))))) <= MAX_NODES


def test_every_name_of_the_grammar_has_a_meaning() -> None:
    assert FUNCTIONS <= NAMES


TABLES = [value for name, value in vars(problems).items() if name.isupper() and isinstance(value, str)]


@pytest.mark.parametrize(
    "typed", [typed for table in TABLES for typed, _ in lines(table)] + [t for t, _ in styled()]
)
def test_every_echo_reads_back_as_itself(typed: str) -> None:
    assert echo(echo(typed)) == echo(typed)


numbers = st.decimals(min_value=0, max_value=10**6, places=3).map(lambda value: f"{value:f}")


@st.composite
def expressions(draw: st.DrawFn, depth: int = 3) -> str:
    if depth == 0 or draw(st.booleans()):
        return draw(st.one_of(numbers, st.sampled_from("xyz")))
    left, right = draw(expressions(depth - 1)), draw(expressions(depth - 1))
    return draw(
        st.sampled_from(
            [
                *(f"({left} + {right})", f"{left} - {right}", f"({left}) * ({right})", f"-({left})", f"({left})%"),
                *(f"({left})^({right})", f"sin({left})", f"({left})({right})", f"({left})!", f"[{left}, {right}]"),
            ]
        )
    )


@settings(max_examples=150, deadline=None)
@given(expressions())
def test_the_echo_means_the_same(text: str) -> None:
    with contextlib.suppress(ToolRetry):
        assert echo(echo(text)) == echo(text)


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="0123456789.,+-*/%()^ x=<>!eE√²'$€of percentsqrtmax\"_[]{}@:;\\\n", max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(ToolRetry):
        read(text)
