"""Search over statements, on a problem that is made of numbers."""

from dataclasses import replace
from typing import get_args

import pytest

from crowquill.agent.answer import DraftClaim
from crowquill.agent.select.search import DEPTH, Beginning, Search, SearchStrategy, most_calls
from crowquill.errors import BudgetExceeded

DIGITS = (3, 1, 4, 1, 5, 9)
"""What is to be found, digit by digit; each right one is worth 1, each wrong one costs 1."""
WIDTHS = (1, 2, 3, 4, 8)


class Guesses:
    """Draws digits in turn, so that every second draw at the latest is right."""

    def __init__(self, length: int = 4, *, wrong_first: bool = False) -> None:
        self.calls = 0
        self._digits = DIGITS[:length]
        self._wrong_first = wrong_first

    async def __call__(self, so_far: Beginning, draw: int) -> Beginning:
        self.calls += 1
        if len(so_far.claims) == len(self._digits):
            return replace(so_far, is_done=True)
        right = self._digits[len(so_far.claims)]
        digit = right if (draw % 2 == 0) != self._wrong_first else 7
        value = so_far.value + (1.0 if digit == right else -1.0)
        return Beginning(f"{so_far.short}{digit}", (*so_far.claims, DraftClaim(str(digit), (1,))), value)


@pytest.mark.parametrize("strategy", get_args(SearchStrategy))
@pytest.mark.parametrize("length", range(1, DEPTH + 1))
async def test_answers_of_every_length_are_found_and_complete(strategy: SearchStrategy, length: int) -> None:
    for width in WIDTHS:
        guesses = Guesses(length)
        found = await Search(guesses).run(strategy, width)
        assert found[0].short == "314159"[:length], width
        assert all(each.is_done for each in found)
        assert [each.value for each in found] == sorted((each.value for each in found), reverse=True)
        assert guesses.calls <= most_calls(strategy, width)


async def test_a_tree_turns_back_where_a_statement_makes_it_worse() -> None:
    found = await Search(Guesses(wrong_first=True)).run("tree", 4)
    assert found[0].short == "3141"


@pytest.mark.parametrize("strategy", get_args(SearchStrategy))
async def test_an_answer_that_never_ends_is_cut(strategy: SearchStrategy) -> None:
    for width in WIDTHS:
        calls: list[int] = []

        async def more(so_far: Beginning, draw: int, calls: list[int] = calls) -> Beginning:
            calls.append(draw)
            return Beginning("x", (*so_far.claims, DraftClaim(f"{draw}", (1,))), so_far.value + 1)

        found = await Search(more, at_once=2).run(strategy, width)
        assert {len(each.claims) for each in found} == {DEPTH}
        assert len(found) >= max(width // 2, 1)
        assert len(calls) <= most_calls(strategy, width)


@pytest.mark.parametrize("strategy", get_args(SearchStrategy))
async def test_what_only_gets_worse_is_finished_all_the_same(strategy: SearchStrategy) -> None:
    async def worse(so_far: Beginning, draw: int) -> Beginning:
        if len(so_far.claims) == 3:
            return replace(so_far, is_done=True)
        return Beginning("x", (*so_far.claims, DraftClaim(f"{draw}", (1,))), so_far.value - 1)

    found = await Search(worse).run(strategy, 2)
    assert [len(each.claims) for each in found][:1] == [3]
    assert all(each.is_done for each in found)


async def test_where_nothing_is_said_there_is_no_answer() -> None:
    async def silent(so_far: Beginning, draw: int) -> Beginning:
        return replace(so_far, is_done=True)

    for strategy in get_args(SearchStrategy):
        assert await Search(silent).run(strategy, 4) == []


async def test_what_was_complete_before_the_end_of_the_budget_counts() -> None:
    guesses = Guesses(1)

    async def paid(so_far: Beginning, draw: int) -> Beginning:
        if guesses.calls == 4:
            raise BudgetExceeded("calls", "no more")
        return await guesses(so_far, draw)

    search = Search(paid)
    with pytest.raises(BudgetExceeded):
        await search.run("dvts", 8)
    assert [each.short for each in search.done] == ["3"]


async def test_a_failure_is_told_as_it_is() -> None:
    async def broken(so_far: Beginning, draw: int) -> Beginning:
        raise LookupError("no")

    with pytest.raises(LookupError):
        await Search(broken, at_once=4).run("beam", 4)
