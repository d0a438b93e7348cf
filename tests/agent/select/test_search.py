"""Search over statements, on a problem that is made of numbers."""

from typing import get_args

import pytest

from crowquill.agent.answer import DraftClaim
from crowquill.agent.select.search import DEPTH, Beginning, Search, SearchStrategy

DIGITS = (3, 1, 4, 1)
"""What is to be found, digit by digit; each right one is worth 1, each wrong one costs 1."""


class Guesses:
    """Draws digits in turn, so that every second draw at the latest is right."""

    def __init__(self, *, wrong_first: bool = False) -> None:
        self.calls = 0
        self.most = 0
        self._running = 0
        self._wrong_first = wrong_first

    async def __call__(self, so_far: Beginning, draw: int) -> Beginning:
        self.calls += 1
        if len(so_far.claims) == len(DIGITS):
            return Beginning(so_far.short, so_far.claims, so_far.value, is_done=True)
        right = DIGITS[len(so_far.claims)]
        digit = right if (draw % 2 == 0) != self._wrong_first else 9
        value = so_far.value + (1.0 if digit == right else -1.0)
        return Beginning(f"{so_far.short}{digit}", (*so_far.claims, DraftClaim(str(digit), (1,))), value)


@pytest.mark.parametrize("strategy", get_args(SearchStrategy))
async def test_each_strategy_finds_the_best_answer(strategy: SearchStrategy) -> None:
    guesses = Guesses()
    found = await Search(guesses, calls=200).run(strategy, 4)
    assert found[0].short == "3141"
    assert found[0].is_done
    assert [each.value for each in found] == sorted((each.value for each in found), reverse=True)
    assert guesses.calls <= 200


@pytest.mark.parametrize("strategy", get_args(SearchStrategy))
async def test_no_more_calls_are_made_than_allowed_and_the_best_so_far_comes_back(strategy: SearchStrategy) -> None:
    guesses = Guesses()
    found = await Search(guesses, calls=5).run(strategy, 4)
    assert guesses.calls <= 5
    assert found
    assert found[0].short.startswith("3")


async def test_a_tree_turns_back_where_a_statement_makes_it_worse() -> None:
    found = await Search(Guesses(wrong_first=True), calls=60).run("tree", 4)
    assert found[0].short == "3141"


async def test_an_answer_that_never_ends_is_cut() -> None:
    async def more(so_far: Beginning, draw: int) -> Beginning:
        return Beginning("x", (*so_far.claims, DraftClaim(f"{draw}", (1,))), so_far.value + 1)

    for strategy in get_args(SearchStrategy):
        found = await Search(more, calls=500).run(strategy, 2)
        assert 1 <= len(found[0].claims) <= DEPTH + 1


async def test_a_failure_is_told_as_it_is() -> None:
    async def broken(so_far: Beginning, draw: int) -> Beginning:
        raise LookupError("no")

    with pytest.raises(LookupError):
        await Search(broken, calls=8, at_once=4).run("beam", 4)
