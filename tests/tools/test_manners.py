"""Manners: the pause between requests to a host, how many at a time, and being left alone."""

import asyncio

import pytest
from tests.support.clock import FakeClock

from crowquill.errors import FetchFailed
from crowquill.tools.manners import LONGEST_PAUSE, Manners


async def test_requests_to_one_host_are_apart_and_those_to_others_are_not() -> None:
    clock, manners, starts = FakeClock(), Manners(pause=2.0), []
    for host in ("a", "b", "a", "a", "b"):
        async with manners.turn(host, clock):
            starts.append((host, clock.seconds - 1000))
    assert starts == [("a", 0), ("b", 0), ("a", 2), ("a", 4), ("b", 4)]


async def test_a_site_may_wish_for_a_longer_pause_and_ones_own_needs_none() -> None:
    clock, manners = FakeClock(), Manners(pause=1.0)
    for pause in (5.0, 9999.0, 0.0, 0.0):
        async with manners.turn("a", clock, pause=pause):
            pass
    assert clock.slept == [5.0, LONGEST_PAUSE]


async def test_no_more_than_a_few_at_a_time() -> None:
    clock, manners = FakeClock(), Manners(pause=0.0, at_once=2, in_all=3)
    now: dict[str, int] = {"a": 0, "b": 0}
    most: dict[str, int] = {"a": 0, "b": 0, "all": 0}

    async def request(host: str) -> None:
        async with manners.turn(host, clock):
            now[host] += 1
            most[host], most["all"] = max(most[host], now[host]), max(most["all"], sum(now.values()))
            await asyncio.sleep(0.001)
            now[host] -= 1

    await asyncio.gather(*(request(host) for host in "ab" * 10))
    assert most == {"a": 2, "b": 2, "all": 3}


async def test_a_host_that_asks_for_peace_gets_it() -> None:
    clock, manners = FakeClock(), Manners(pause=0.0)
    manners.leave_alone("a", clock, 30.0)
    with pytest.raises(FetchFailed, match="left alone for 30 seconds more") as caught:
        async with manners.turn("a", clock):
            raise AssertionError("not its turn")
    assert caught.value.kind == "busy"
    async with manners.turn("b", clock):
        pass
    clock.seconds += 30
    async with manners.turn("a", clock):
        pass
    manners.leave_alone("a", clock, None)
    with pytest.raises(FetchFailed, match="for 60 seconds"):
        async with manners.turn("a", clock):
            pass


async def test_whoever_is_cancelled_while_waiting_leaves_the_place_to_others() -> None:
    clock, manners = FakeClock(), Manners(pause=0.0, at_once=1)
    async with manners.turn("a", clock):
        waiting = asyncio.ensure_future(manners.turn("a", clock).__aenter__())
        await asyncio.sleep(0)
        waiting.cancel()
    async with asyncio.timeout(1), manners.turn("a", clock):
        pass
