"""The ledger: nothing is overspent, and something is left for the answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowquill.agent.budget import FINAL_SHARE, Budget, Ledger, Price
from crowquill.agent.models.base import Usage
from crowquill.errors import BudgetExceeded, UserError


def test_budgets_are_read_from_text() -> None:
    assert Budget.parse("steps=5, tokens=8000,usd=0.5,seconds=none") == Budget(5, 8000, 0.5, None)


@pytest.mark.parametrize("text", ["stepps=5", "steps", "steps=many", "steps=0", "usd=-1", ""])
def test_bad_budgets_are_refused(text: str) -> None:
    with pytest.raises(UserError, match="budget"):
        Budget.parse(text)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("steps=inf", "steps must be a finite number, not inf"),
        ("tokens=1e400", "tokens must be a finite number, not inf"),
        ("seconds=nan", "seconds must be a finite number, not nan"),
        ("steps=2.7", "steps must be a whole number, not 2.7"),
    ],
)
def test_limits_that_are_no_amount_are_refused(text: str, problem: str) -> None:
    with pytest.raises(UserError, match=problem):
        Budget.parse(text)


def test_limits_given_as_values_are_checked_alike() -> None:
    for budget in (Budget(usd=float("nan")), Budget(seconds=float("inf")), Budget(steps=2.5)):  # type: ignore[arg-type]
        with pytest.raises(UserError, match="budget"):
            budget.checked()
    assert Budget.parse("steps=1e3").steps == 1000
    assert Budget(tokens=10**400).checked().tokens == 10**400


def test_zero_is_refused_and_none_means_no_limit() -> None:
    with pytest.raises(UserError):
        Budget(steps=0).checked()
    ledger = Ledger(Budget(steps=None))
    for _ in range(100):
        ledger.take_step()
    assert ledger.steps_left is None


def test_steps_run_out() -> None:
    ledger = Ledger(Budget(steps=2))
    ledger.take_step()
    ledger.take_step()
    with pytest.raises(BudgetExceeded):
        ledger.take_step()
    ledger.open_reserve()
    ledger.take_step()


@given(st.lists(st.tuples(st.integers(1, 400), st.integers(1, 400)), max_size=30))
def test_tokens_are_never_overspent(calls: list[tuple[int, int]]) -> None:
    ledger = Ledger(Budget(tokens=2000))
    for prompt, completion in calls:
        try:
            ledger.reserve(prompt + completion, 0.0)
        except BudgetExceeded:
            continue
        ledger.settle(prompt + completion, 0.0, Usage(prompt, 0, completion, 1), 0.0)
    spent = ledger.usage.prompt + ledger.usage.completion
    assert spent <= 2000 * (1 - FINAL_SHARE)
    ledger.open_reserve()
    ledger.reserve(2000 - spent, 0.0)
    with pytest.raises(BudgetExceeded):
        ledger.reserve(1, 0.0)


def test_a_reservation_that_is_given_back_can_be_used_again() -> None:
    ledger = Ledger(Budget(tokens=1000))
    ledger.reserve(800, 0.0)
    with pytest.raises(BudgetExceeded):
        ledger.reserve(100, 0.0)
    ledger.settle(800, 0.0, Usage(10, 0, 10, 1), 0.0)
    ledger.reserve(800, 0.0)


def test_lanes_share_what_is_left_and_give_back_what_they_save() -> None:
    ledger = Ledger(Budget(steps=11, tokens=1000, usd=1.0, seconds=100))
    ledger.take_step()
    first, second = ledger.split(2, keep_final=True)
    assert (first.limits.steps, second.limits.steps) == (5, 5)
    assert first.limits.tokens == 425
    assert first.limits.usd == pytest.approx(0.425)
    assert first.limits.seconds == pytest.approx(85)
    first.take_step()
    ledger.absorb(first)
    ledger.absorb(second)
    assert ledger.steps == 2


@pytest.mark.parametrize(("steps", "shares"), [(1, [1, 0]), (2, [1, 1]), (5, [3, 2])])
def test_no_step_is_lost_when_lanes_share(steps: int, shares: list[int]) -> None:
    lanes = Ledger(Budget(steps=steps)).split(2, keep_final=True)
    assert [lane.limits.steps for lane in lanes] == shares


def test_time_ends_exploring_before_it_ends() -> None:
    ledger = Ledger(Budget(seconds=100))
    ledger.pass_time(80)
    with pytest.raises(BudgetExceeded):
        ledger.pass_time(86)
    ledger.open_reserve()
    ledger.pass_time(99)


def test_marks_are_given_once() -> None:
    ledger = Ledger(Budget(steps=5))
    for _ in range(4):
        ledger.take_step()
    assert ledger.marks() == ["80 % of the budget of 5 steps is used"]
    assert ledger.marks() == []


def test_price_counts_cached_tokens_apart() -> None:
    price = Price(prompt=2.0, cached=0.5, completion=8.0)
    assert price.cost(Usage(1_000_000, 400_000, 100_000)) == pytest.approx(0.6 * 2 + 0.4 * 0.5 + 0.1 * 8)
