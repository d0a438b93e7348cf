"""Figures of evaluations against counting by hand."""

from itertools import combinations

import pytest

from crowquill.agent.scores import Trial, compare, pass_at_k, quantile, summary, wilson


@pytest.mark.parametrize("runs", [1, 3, 5])
def test_pass_at_k_is_the_share_of_all_choices_of_k_runs_in_which_one_passes(runs: int) -> None:
    for passed in range(runs + 1):
        outcomes = [True] * passed + [False] * (runs - passed)
        for k in range(1, runs + 1):
            choices = list(combinations(outcomes, k))
            assert pass_at_k(runs, passed, k) == pytest.approx(sum(map(any, choices)) / len(choices))


def test_the_interval_is_that_of_wilson() -> None:
    # Newcombe 1998, table I: 81 of 263, 15 of 148, 0 of 20
    for passed, count, low, high in ((81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611)):
        assert wilson(passed / count, count) == pytest.approx((low, high), abs=5e-5)
    assert wilson(0.0, 0) == (0.0, 1.0)


def test_quantiles_are_interpolated() -> None:
    assert quantile([4.0, 1.0, 3.0, 2.0], 0.5) == 2.5
    assert quantile([5.0], 0.95) == 5.0
    assert quantile([], 0.5) == 0.0


def trials(**outcomes: str) -> list[Trial]:
    """Make trials of `+` and `-`, one for each sign."""
    return [
        Trial(
            name,
            epoch,
            passed=sign == "+",
            checks={"short": sign == "+", "supported": True},
            failed=[] if sign == "+" else ["wrong"],
            reward=2.0,
            spent={"usd": 0.5, "tokens": 10, "steps": 2, "seconds": float(epoch)},
        )
        for name, signs in outcomes.items()
        for epoch, sign in enumerate(signs, 1)
    ]


def test_a_summary_counts_tasks_criteria_and_costs() -> None:
    figures = summary(trials(a="++", b="+-", c="--"), epochs=2)
    assert figures["pass_at_1"]["mean"] == pytest.approx(0.5)
    assert (figures["pass_at_1"]["low"], figures["pass_at_1"]["high"]) == pytest.approx(wilson(0.5, 3))
    assert figures["pass_at_k"] == pytest.approx(2 / 3)
    assert figures["all_k"] == pytest.approx(1 / 3)
    assert figures["criteria"] == {"short": {"held": 3, "of": 6}, "supported": {"held": 6, "of": 6}}
    assert figures["spent"]["usd"] == 3.0
    assert figures["spent"]["seconds"] == {"p50": 1.5, "p95": 2.0, "sum": 9.0}
    assert [task["failed"] for task in figures["tasks"]] == [[], ["wrong"], ["wrong"]]


def test_what_is_worse_than_before_is_told() -> None:
    before = summary(trials(a="++", b="++", c="+-"), epochs=2)
    same = compare(before, summary(trials(a="++", b="++", c="-+"), epochs=2), tolerance=0.0)
    assert same["regressions"] == []
    assert same["notes"] == []
    broken = compare(before, summary(trials(a="--", b="++", c="++"), epochs=2), tolerance=0.9)
    assert broken["regressions"] == ["a always passed, and never does now"]
    assert broken["notes"] == ["a: 100% before, 0% now", "c: 50% before, 100% now"]
    lower = compare(before, summary(trials(a="+-", b="++", c="+-"), epochs=2), tolerance=0.1)
    assert lower["regressions"] == ["passed runs of the same tasks: -16.7%, and 10.0% are tolerated"]
    once = compare(before, summary(trials(a="+", b="+", c="+"), epochs=1), tolerance=0.0)
    assert once["notes"] == ["c: 50% before, 100% now"]  # a run costs as much as before
    gone = compare(before, summary(trials(a="++", b="++"), epochs=2), tolerance=0.0)
    assert gone["regressions"] == ["c is not there any more"]
