"""Search over statements: an answer is built one statement after the other, and the best beginnings are continued.

The steps are the statements of an answer, the value of a beginning is the reward of what it says so far, by
code: a process reward that costs nothing. Algorithms only; what continues and values a beginning is passed in.
Sources: beam and DVTS as in Snell et al., arXiv:2408.03314, and Beeching, Tunstall and Rush, "Scaling test-time
compute" (2024); trees with backtracking as in Yao et al., "Tree of Thoughts", arXiv:2305.10601.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from crowquill.agent.answer import DraftClaim

BRANCHES = 2
"""Continuations of each beginning that are tried."""
DEPTH = 6
"""Statements of the longest answer."""
SearchStrategy = Literal["beam", "dvts", "tree"]


@dataclass(frozen=True, slots=True)
class Beginning:
    """An answer as far as it goes: its bare answer, its statements, its value, and whether it is complete."""

    short: str = ""
    claims: tuple[DraftClaim, ...] = ()
    value: float = 0.0
    is_done: bool = False


Continue = Callable[[Beginning, int], Awaitable[Beginning]]
"""Continues a beginning by one statement, or ends it; the number tells draws apart."""


def most_calls(strategy: SearchStrategy, width: int) -> int:
    """Return how many continuations a search tries at most, without those that finish the best where none is."""
    paths = max(width // BRANCHES, 1) if strategy == "dvts" else width
    return BRANCHES * DEPTH * paths


class Search:
    """One search, with at most `at_once` continuations at the same time. `done` are the answers found so far."""

    def __init__(self, carry_on: Continue, *, at_once: int = 1) -> None:
        self._carry_on = carry_on
        self._left = 0
        self._draws = 0
        self._at_once = at_once
        self._done: list[Beginning] = []
        self._best = Beginning()

    @property
    def done(self) -> list[Beginning]:
        """The complete answers, best first; also when the search was cut short."""
        return _distinct(sorted(self._done, key=lambda each: -each.value))

    async def run(self, strategy: SearchStrategy, width: int) -> list[Beginning]:
        """Return the answers found, best first; where none is complete, the best beginning is finished."""
        self._left = most_calls(strategy, width)
        match strategy:
            case "beam":
                await self._beam(width)
            case "dvts":
                for _ in range(max(width // BRANCHES, 1)):
                    await self._beam(1)
            case "tree":
                await self._tree(Beginning(), width)
        if not self._done and self._best.claims:
            await self._finish(self._best)
        return self.done

    async def _finish(self, best: Beginning) -> None:
        """Continue a beginning until it is complete, whether it gets better or not."""
        while not best.is_done:
            self._left = 1
            best = (await self._expand([best]))[0]

    async def _beam(self, width: int) -> None:
        """Continue all, keep the best `width`, until those are complete."""
        done: list[Beginning] = []
        alive = [Beginning()]
        while alive:
            grown = await self._expand([each for each in alive for _ in range(max(BRANCHES, width // len(alive)))])
            best = _distinct(sorted([*grown, *done], key=lambda each: -each.value))[:width]
            done, alive = [each for each in best if each.is_done], [each for each in best if not each.is_done]

    async def _tree(self, start: Beginning, width: int) -> None:
        """Follow the best continuation first; turn back where a statement makes the answer worse."""
        children = _distinct(await self._expand([start] * BRANCHES))
        for child in sorted(children, key=lambda each: -each.value):
            if len(self._done) >= width:
                return
            if not child.is_done and (child.value >= start.value or not start.claims):
                await self._tree(child, width)

    async def _expand(self, beginnings: Sequence[Beginning]) -> list[Beginning]:
        """Continue beginnings, as far as calls are left; those that end without saying anything are left out."""
        grown: list[Beginning] = []
        beginnings = beginnings[: self._left]
        self._left -= len(beginnings)
        for at in range(0, len(beginnings), self._at_once):
            part = beginnings[at : at + self._at_once]
            try:
                async with asyncio.TaskGroup() as group:
                    tasks = [group.create_task(self._grow(each, self._draw())) for each in part]
            except BaseExceptionGroup as failures:  # one failure is told as if it were alone
                raise failures.exceptions[0] from None
            grown += [task.result() for task in tasks]
        grown = [each for each in grown if each.claims]
        self._done += [each for each in grown if each.is_done]
        self._best = max([self._best, *grown], key=lambda each: (bool(each.claims), each.value))
        return grown

    async def _grow(self, beginning: Beginning, draw: int) -> Beginning:
        grown = await self._carry_on(beginning, draw)
        return replace(grown, is_done=grown.is_done or len(grown.claims) >= DEPTH)

    def _draw(self) -> int:
        self._draws += 1
        return self._draws


def _distinct(beginnings: Sequence[Beginning]) -> list[Beginning]:
    """Leave out beginnings that say the same as one before."""
    seen: dict[tuple[object, ...], Beginning] = {}
    for each in beginnings:
        seen.setdefault((each.claims, each.is_done), each)
    return list(seen.values())
