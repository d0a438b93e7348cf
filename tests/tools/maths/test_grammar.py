"""What people type is read in one way or refused; and what is echoed reads back the same."""

import contextlib
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crowquill.errors import ToolRetry
from crowquill.tools.maths.echo import normal_form
from crowquill.tools.maths.evaluate import evaluate
from crowquill.tools.maths.grammar import MAX_LENGTH, is_well_formed, parse, tokenize, translate


def echo(text: str) -> str:
    source = translate(text)
    return normal_form(parse(source), source)


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("2,850 - 1,230", "2850 - 1230"),
        ("2 850 - 1 230", "2850 - 1230"),
        ("2\u202f850 - 1\u00a0230 = ?", "2850 - 1230"),
        ("1'234'567.5 + 1", "1234567.5 + 1"),
        ("max(100,200)", "max(100, 200)"),
        ("mean(3, 400)", "mean(3, 400)"),
        ("max((2,850), 3)", "max(2850, 3)"),
        ("3 × 4 ÷ 2 − 1", "3 * 4 / 2 - 1"),
        ("2^10", "2^10"),
        ("2**10", "2^10"),
        ("5² + 2³", "5^2 + 2^3"),
        ("√16 + √(9)", "sqrt(16) + sqrt(9)"),
        ("the square root of 144", "sqrt(144)"),
        ("17% of 2340", "17% of 2340"),
        ("17 percent of 2,340", "17% of 2340"),
        ("17 per cent of (3 + 4)", "17% of (3 + 4)"),
        ("(3 + 4)%", "(3 + 4)%"),
        ("50% * 30%", "50% of 30%"),
        ("10 % 3", "10 mod 3"),
        ("10 mod 3", "10 mod 3"),
        ("$1,200 / 4", "1200 / 4"),
        ("12 € + 3 €", "12 + 3"),
        ("12 x 3", "12 * 3"),
        ("3 plus 4 minus 5", "3 + 4 - 5"),
        ("3 multiplied by 4 divided by 5", "3 * 4 / 5"),
        ("3 умножить на 4 плюс 1", "3 * 4 + 1"),
        ("17% от 200", "17% of 200"),
        ("3 squared", "3^2"),
        ("3/4 ≥ 2/3", "3 / 4 >= 2 / 3"),
        ("2 + 2 = 4", "2 + 2 == 4"),
        ("007 + 1", "7 + 1"),
        (".5 + 1e3", ".5 + 1e3"),
        ("-(2 - (3 - 4)) * (5 * 6)", "-(2 - (3 - 4)) * (5 * 6)"),
        ("(2^3)^2 - 2^3^2 + (-2)^2 - -2^2", "(2^3)^2 - 2^3^2 + (-2)^2 - -2^2"),
    ],
)
def test_what_is_typed_is_read_and_echoed(typed: str, read: str) -> None:
    assert echo(typed) == read
    assert echo(read) == read


@pytest.mark.parametrize(
    ("typed", "advice"),
    [
        ("5 km + 3 km", "leave units and words out"),
        ("pi * 2", "'pi' has no meaning"),
        ("3,5 + 1", "decimal point"),
        ("1,23,456", "decimal point"),
        ("sum(2,850, 1,230)", "space after each comma"),
        ("sum(1,200,3,400)", "space after each comma"),
        ("$5 + €3", "currencies"),
        ("2€50 + 1", "decimal point"),
        ("0x10", "base ten"),
        ("5!", "factorial"),
        ("100 / 17% of 50", "brackets around the percentage"),
        ("half of 10", "'half' has no meaning"),
        ("3 of 10", "17% of 2340"),
        ("5 +", "not arithmetic"),
        ("", "not arithmetic"),
        ("1.2.3", "not arithmetic"),
        ("3.", None),
        ("3 . 4", "between digits"),
        ("[1, 2]", "round brackets"),
        ("½ + 1", r"U\+00BD"),
        ("٣ + ٤", r"U\+0663"),
        ("1 + " + "1" * MAX_LENGTH, "at most 2000 characters"),
    ],
)
def test_what_is_unclear_is_refused_with_advice(typed: str, advice: str | None) -> None:
    if advice is None:
        assert echo(typed) == "3"
        return
    with pytest.raises(ToolRetry, match=advice):
        echo(typed)


@pytest.mark.parametrize(
    "text", ["1+" * 250 + "1", "-" * 70 + "1", "-(" * 70 + "1" + ")" * 70, "abs(" * 61 + "1" + ")" * 61]
)
def test_size_is_bounded(text: str) -> None:
    with pytest.raises(ToolRetry):
        parse(translate(text))


def test_a_long_sum_is_not_deep() -> None:
    source = translate("+".join(map(str, range(190))))
    assert evaluate(parse(source), source) == sum(range(190))


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("1 + 2", True),
        ("-(1 + 2)", True),
        ("max(1, 2)", True),
        ("17% of 3", True),
        ("50%", True),
        ("3²", True),
        ("1, 2", False),
        ("(1, 2)", False),
        ("1 2", False),
        ("(555) 123-4567", False),
        ("1 +", False),
        ("(1", False),
        ("1)", False),
        ("3 of 4", False),
        ("max 1 + sum", False),
        ("5 squared 3", False),
    ],
)
def test_well_formed(text: str, fits: bool) -> None:
    assert is_well_formed(tokenize(text)) is fits


numbers = st.decimals(min_value=0, max_value=10**6, places=3).map(lambda value: f"{value:f}")


@st.composite
def expressions(draw: st.DrawFn, depth: int = 3) -> str:
    if depth == 0 or draw(st.booleans()):
        return draw(numbers)
    left, right = draw(expressions(depth - 1)), draw(expressions(depth - 1))
    return draw(
        st.sampled_from(
            [f"({left} + {right})", f"{left} - {right}", f"({left}) * ({right})", f"-({left})", f"({left})%"]
        )
    )


@settings(max_examples=150, deadline=None)
@given(expressions())
def test_the_echo_means_the_same(text: str) -> None:
    def value(expression: str) -> object:
        source = translate(expression)
        try:
            return evaluate(parse(source), source)
        except ToolRetry as error:
            return str(error)

    first = value(text)
    assert isinstance(first, Fraction | str)
    assert value(echo(text)) == first


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="0123456789.,+-*/%()^ x=<>!eE√²'$€of percentsqrtmax\"_[]{}@:;\\\n", max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(ToolRetry):
        source = translate(text)
        evaluate(parse(source), source)
