"""Search over statements: an answer is built one statement after the other, and the best beginnings are continued.

The steps are the statements of an answer, the value of a beginning is the reward of what it says so far, by
code: a process reward that costs nothing. Algorithms only; what continues and values a beginning is passed in.
Sources: beam and DVTS as in Snell et al., arXiv:2408.03314, and Beeching, Tunstall and Rush, "Scaling test-time
compute" (2024); trees with backtracking as in Yao et al., "Tree of Thoughts", arXiv:2305.10601.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
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


class Search:
    """One search; it makes at most `calls` continuations, at most `at_once` at the same time."""

    def __init__(self, carry_on: Continue, *, calls: int, at_once: int = 1) -> None:
        self._carry_on = carry_on
        self._left = calls
        self._draws = 0
        self._at_once = at_once

    async def run(self, strategy: SearchStrategy, width: int) -> list[Beginning]:
        """Return the answers that were found, best first; unfinished ones when none was finished."""
        match strategy:
            case "beam":
                found = await self._beam([Beginning()], width)
            case "dvts":
                trees = max(width // BRANCHES, 1)
                found = [best for _ in range(trees) for best in await self._beam([Beginning()], 1)]
            case "tree":
                found = await self._tree(Beginning(), [])
        done = [each for each in found if each.is_done and each.claims]
        rest = [each for each in found if each.claims]
        return sorted(done if done else rest, key=lambda each: -each.value)

    async def _beam(self, alive: Sequence[Beginning], width: int) -> list[Beginning]:
        """Continue all, keep the best `width`, until those are complete."""
        done: list[Beginning] = []
        for _ in range(DEPTH + 1):
            grown = await self._expand([each for each in alive for _ in range(max(BRANCHES, width // len(alive)))])
            if not grown:
                return [*done, *alive]
            best = _distinct(sorted([*grown, *done], key=lambda each: -each.value))[:width]
            done, alive = [each for each in best if each.is_done], [each for each in best if not each.is_done]
            if not alive:
                break
        return [*done, *alive]

    async def _tree(self, start: Beginning, done: list[Beginning]) -> list[Beginning]:
        """Follow the best continuation first; turn back where a statement makes the answer worse."""
        children = _distinct(await self._expand([start] * BRANCHES))
        for child in sorted(children, key=lambda each: -each.value):
            if child.is_done or len(child.claims) >= DEPTH:
                done.append(child)
            elif child.value >= start.value or not start.claims:
                await self._tree(child, done)
            if done and self._left < 1:
                break
        return done if done or not children else [max(children, key=lambda each: each.value)]

    async def _expand(self, beginnings: Sequence[Beginning]) -> list[Beginning]:
        """Continue beginnings, as far as calls are left."""
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
        return grown

    async def _grow(self, beginning: Beginning, draw: int) -> Beginning:
        return await self._carry_on(beginning, draw)

    def _draw(self) -> int:
        self._draws += 1
        return self._draws


def _distinct(beginnings: Sequence[Beginning]) -> list[Beginning]:
    """Leave out beginnings that say the same as one before."""
    seen: dict[tuple[object, ...], Beginning] = {}
    for each in beginnings:
        seen.setdefault((each.claims, each.is_done), each)
    return list(seen.values())
