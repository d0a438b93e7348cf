"""Which candidate wins: pure functions, among them the traps of other best-of-N implementations."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowquill.agent.answer import Accept, Candidate, Claim, Reward, Stopped
from crowquill.agent.select.attempt import Attempt
from crowquill.agent.select.options import Judging, Select, Strategy
from crowquill.agent.select.vote import agreement, choose, decided, standardised
from crowquill.errors import UserError


def attempt(number: int, short: str, reward: float, stopped: Stopped = "answered") -> Attempt:
    claims = (Claim(f"It is {short}."),) if short else ()
    return Attempt(number, Candidate(short, claims, ()), Reward(reward, ()), Accept(), stopped)


SAMPLES = [attempt(1, "Vienna", 1.0), attempt(2, "Graz", 3.0), attempt(3, "vienna.", 2.0), attempt(4, "Linz", 0.5)]


@pytest.mark.parametrize(
    ("strategy", "winner"),
    [("single", 2), ("best_of_n", 2), ("majority", 3), ("weighted", 3), ("auto", 3)],
)
def test_the_winner_under_each_strategy(strategy: Strategy, winner: int) -> None:
    choice = choose(strategy, SAMPLES)
    assert choice.winner.number == winner
    assert choice.ranking[0].number == winner
    assert {ranked.number for ranked in choice.ranking} == {1, 2, 3, 4}
    assert choice.why


def test_equal_answers_of_much_reward_beat_more_of_little() -> None:
    samples = [attempt(1, "a1", 5.0), attempt(2, "a1", 5.0), *(attempt(at, "b2", -5.0) for at in (3, 4, 5))]
    assert choose("majority", samples).winner.candidate.short == "b2"
    assert choose("weighted", samples).winner.candidate.short == "a1"


@pytest.mark.parametrize("strategy", ["best_of_n", "majority", "weighted"])
def test_a_few_words_less_do_not_beat_what_most_candidates_say(strategy: Strategy) -> None:
    samples = [attempt(1, "27", 5.494), attempt(2, "30", 5.498), attempt(3, "27", 5.49), attempt(4, "25", 5.499)]
    assert choose(strategy, samples).winner.number == 1
    better = [*samples, attempt(5, "30", 5.99)]
    assert choose("best_of_n", better).winner.number == 5


def test_a_reward_of_zero_counts_and_nothing_is_kept_between_calls() -> None:
    """The best-of-N of dspy kept `fail_count` between calls, ignored 0, and returned None when all had failed."""
    samples = [attempt(1, "a", -1.0), attempt(2, "b", 0.0)]
    for _ in range(3):
        assert choose("best_of_n", samples).winner.number == 2
    failed = [attempt(1, "", 0.0, "error"), attempt(2, "", 0.0, "not_found"), attempt(3, "", 0.0, "error")]
    assert choose("best_of_n", failed).winner.number == 2
    assert choose("majority", [failed[0]]).winner is failed[0]
    with pytest.raises(ValueError, match="no candidates"):
        choose("best_of_n", [])


def test_candidates_without_an_answer_never_win_over_one_with() -> None:
    samples = [attempt(1, "", 0.0, "error"), attempt(2, "x", -7.0), attempt(3, "", 0.0, "error")]
    for strategy in ("best_of_n", "majority", "weighted"):
        choice = choose(strategy, samples)
        assert choice.winner.number == 2
        assert [ranked.score for ranked in choice.ranking][1:] == [None, None]


def test_a_vague_answer_counts_for_all_that_it_leaves_open_and_they_not_for_each_other() -> None:
    samples = [attempt(1, "5 apples", 0), attempt(2, "5 oranges", 0), attempt(3, "5", 0)]
    assert {ranked.number: ranked.score for ranked in choose("majority", samples).ranking} == {1: 2, 2: 2, 3: 3}
    assert agreement(samples) == 1.0
    assert agreement(samples[:2]) == 0.5


def test_numbers_of_any_size_are_counted() -> None:
    big = math.factorial(200)
    samples = [attempt(1, str(big + 1), 1), attempt(2, str(big), 1), attempt(3, f"{big:,}", 1)]
    for strategy in ("majority", "weighted", "auto", "debate"):
        assert choose(strategy, samples).winner.number == 2
    assert agreement(samples) == pytest.approx(2 / 3)
    assert decided(samples, 3)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=12))
def test_standardising_keeps_the_order_and_cuts_nothing_off(values: list[float]) -> None:
    found = standardised(values)
    assert abs(sum(found)) < 1e-3
    for (a, za), (b, zb) in zip(
        zip(values, found, strict=True), list(zip(values, found, strict=True))[1:], strict=False
    ):
        assert (a < b) >= (za < zb)
    assert standardised([0.0] * 9 + [1e3])[-1] == pytest.approx(3.0)


def test_a_vote_is_decided_when_the_rest_can_change_nothing() -> None:
    said = [attempt(1, "a", 0), attempt(2, "a", 0), attempt(3, "a", 0)]
    assert decided(said, 5)
    assert not decided(said[:2], 5)
    assert not decided(said, 6)
    assert agreement(SAMPLES) == 0.5
    assert agreement([attempt(1, "", 0, "error")]) == 0.0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("single", Select()),
        ("best_of_n", Select("best_of_n", 4)),
        ("majority:8", Select("majority", 8)),
        ("best_of_n:4,share=plan,threshold=0,at_once=2", Select("best_of_n", 4, "plan", 0.0, 2)),
        ("best_of_n:4,judge=pairs+gold", Select("best_of_n", 4, judge="pairs+gold")),
    ],
)
def test_spelling(text: str, expected: Select) -> None:
    assert Select.parse(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("best", "unknown strategy 'best'"),
        ("best_of_n:x", "whole number, not 'x'"),
        ("best_of_n:0", "from 1 to 64"),
        ("single:3", "single has one"),
        ("auto,share=all", "share must be one of evidence, plan, nothing"),
        ("auto,threshold=high", "threshold must be a number"),
        ("auto,threshold=nan", "finite"),
        ("auto,foo=1", "unknown setting 'foo'"),
        ("auto,at_once=0", "1 or more"),
        ("best_of_n:4,judge=pairs,judge=gold", "judge is given twice"),
        ("best_of_n,share=plan,at_once=1,share=plan", "share is given twice"),
        ("debate:2,share=plan", "a debate is about one evidence; it cannot have share=plan"),
        ("debate:2,share=nothing", "one evidence"),
    ],
)
def test_what_is_misspelled_is_told(text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        Select.parse(text)


@pytest.mark.parametrize(
    ("said", "rank", "report", "expected"),
    [
        ("off", False, False, "off"),
        ("off", True, False, "grade"),
        ("off", False, True, "gold"),
        ("off", True, True, "grade+gold"),
        ("pairs", True, True, "pairs+gold"),
        ("gold", True, False, "gold"),
        ("pairs+gold", False, False, "pairs+gold"),
    ],
)
def test_naming_a_judge_has_it_judge(said: Judging, rank: bool, report: bool, expected: Judging) -> None:
    chosen = Select("best_of_n", 4, judge=said).judged(rank=rank, report=report)
    assert chosen.judge == expected
    assert chosen.ranks == expected.startswith(("grade", "pairs"))
    assert chosen.reports == expected.endswith("gold")
