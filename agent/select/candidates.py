"""Makes the candidates of a run, as many at once as the model has slots, and chooses among them.

The first candidate is what would have been answered without a selection. It is made alone, because what it has
found (or planned) is what the others share, and because its cost says how many more can be paid.
"""

import asyncio
import math
from collections.abc import Coroutine, Iterable, Sequence
from typing import Any, Protocol, cast

from crowquill.agent.answer import Candidate, Draft, Reward, Selection, Stop
from crowquill.agent.budget import Ledger
from crowquill.agent.events import Noticed, Selected
from crowquill.agent.select.attempt import Attempt
from crowquill.agent.select.judging import Judged, judge_all, judge_gold
from crowquill.agent.select.options import Select, Strategy
from crowquill.agent.select.search import Beginning, Search, SearchStrategy
from crowquill.agent.select.vote import agreement, choose, decided
from crowquill.errors import BudgetExceeded, ModelError
from crowquill.memory.evidence import Quote

PROBES = 3
"""Candidates after which `auto` looks whether they agree."""
ROUNDS = 3
"""Rounds of a debate at most."""
SURE = 0.75
"""Share of them that must agree for `auto` to make no more."""


class Maker(Judged, Protocol):
    """Makes candidates: `agent.run.Run`."""

    ledger: Ledger

    async def attempt(self) -> Attempt:
        """Make the first candidate."""
        ...

    async def advise(self) -> None:
        """Have the judge look at the steps of the first, for those that collect for themselves."""
        ...

    async def another(self, number: int, ledger: Ledger) -> Attempt:
        """Make another candidate that collects for itself."""
        ...

    async def rewrite(self, number: int, ledger: Ledger, others: Sequence[Attempt] = ()) -> Attempt:
        """Make another candidate from what the first has found, in a debate after reading others."""
        ...

    async def continued(self, beginning: Beginning, draw: int) -> Beginning:
        """Continue an answer by one statement from what the first has found."""
        ...

    async def drafted(self, number: int, draft: Draft) -> Attempt:
        """Score a draft as another candidate."""
        ...


class Candidates:
    """The candidates of one run."""

    def __init__(self, select: Select, maker: Maker) -> None:
        self._select = select
        self._maker = maker
        self._attempts: list[Attempt] = []
        self._cost = _Cost(0, 0, 0.0)

    async def choose(self) -> tuple[Attempt, Selection]:
        """Make the candidates and return the winner, with the ranking that made it win."""
        self._attempts = [await self._maker.attempt()]
        if self._select.strategy in ("beam", "dvts", "tree"):
            await self._search()
        else:
            self._cost = _Cost.of(self._maker.ledger)
            while (size := await self._next_wave()) > 0:
                self._attempts += await self._wave(size)
        if self._select.strategy == "debate":
            await self._debate()
        if self._select.ranks:
            pairs = self._select.judge.startswith("pairs")
            self._attempts = await judge_all(self._attempts, self._maker, pairs=pairs)
        strategy = by_strategy(self._select, self._attempts)
        choice = choose(strategy, self._attempts)
        name = self._select.strategy if strategy == self._select.strategy else f"auto: {strategy}"
        selection = Selection(name, choice.ranking, choice.why)
        await self._maker.lane.emit(Selected(choice.winner.number, selection))
        gold = self._select.reports and choice.winner.answered
        winner = await judge_gold(choice.winner, self._maker) if gold else choice.winner
        return winner, selection

    async def _search(self) -> None:
        """Add the answers that a search over statements finds, the best `n`; also when it is cut short."""
        if self._is_certain or not self._maker.evidence():
            return
        search = Search(self._maker.continued, at_once=self._at_once)
        try:
            await search.run(cast("SearchStrategy", self._select.strategy), self._select.n)
        except (BudgetExceeded, ModelError) as error:
            await self._stop(str(error))
        for beginning in search.done[: self._select.n]:
            number = len(self._attempts) + 1
            draft = Draft(beginning.short, beginning.claims)
            self._attempts.append(await self._maker.drafted(number, draft))

    async def _debate(self) -> None:
        """Let the candidates read each other and answer again, until they agree; the last round counts."""
        for _ in range(ROUNDS):
            told = [attempt for attempt in self._attempts if attempt.answered]
            if len(told) < 2 or agreement(told) == 1.0:
                return
            if not self._shared:
                await self._maker.lane.emit(Noticed("no debate: no quote was found that it could be about"))
                return
            ledgers = self._maker.ledger.split(len(told), keep_final=False)
            first = max(attempt.number for attempt in self._attempts) + 1
            work = [
                self._maker.rewrite(number, ledger, [other for other in told if other is not attempt])
                for number, (attempt, ledger) in enumerate(zip(told, ledgers, strict=True), first)
            ]
            said = await self._together(work, range(first, first + len(told)), ledgers)
            if not any(attempt.answered for attempt in said):
                return
            self._attempts = said

    async def _next_wave(self) -> int:
        """Return how many candidates to make next; 0 when there are enough, or no more can be paid."""
        left = self._select.n - len(self._attempts)
        if left < 1 or settled(self._select, self._attempts) or self._is_certain:
            return 0
        if self._select.strategy == "auto" and len(self._attempts) < PROBES:
            left = min(left, PROBES - len(self._attempts))
        try:
            await self._maker.lane.tick()
        except BudgetExceeded as limit:
            return await self._stop(str(limit))
        if self._payable < 1:
            return await self._stop("another one cannot be paid")
        return min(left, self._payable, self._at_once)

    @property
    def _payable(self) -> int:
        """How many of those that are to come can be paid."""
        left = self._select.n - len(self._attempts)
        return left if self._shared else self._cost.payable(self._maker.ledger, left)

    @property
    def _at_once(self) -> int:
        return 1 if self._select.at_once is None else self._select.at_once

    async def _stop(self, why: str) -> int:
        made = len(self._attempts)
        await self._maker.lane.emit(Noticed(f"{made} of {self._select.n} candidates: {why}"))
        return 0

    @property
    def _is_certain(self) -> bool:
        """Whether code alone has answered, which a model asked again could only spoil."""
        return self._maker.ledger.usage.calls == 0 and self._attempts[0].answered

    @property
    def _shared(self) -> bool:
        """Whether the others write from what the first has found; a computation alone leaves nothing to write."""
        return self._select.share == "evidence" and any(isinstance(item, Quote) for item in self._maker.evidence())

    async def _wave(self, size: int) -> list[Attempt]:
        """Make candidates at the same time, each with an equal share of what is left for all that can be paid."""
        first = len(self._attempts) + 1
        numbers = range(first, first + size)
        ledgers = self._maker.ledger.split(self._payable, keep_final=False)[:size]
        if not self._shared:
            await self._maker.advise()
        make = self._maker.rewrite if self._shared else self._maker.another
        work = [make(number, ledger) for number, ledger in zip(numbers, ledgers, strict=True)]
        return await self._together(work, numbers, ledgers)

    async def _together(
        self, work: Sequence[Coroutine[Any, Any, Attempt]], numbers: Iterable[int], ledgers: Sequence[Ledger]
    ) -> list[Attempt]:
        """Do work at the same time, and book what it has spent."""
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(_guarded(one, number)) for one, number in zip(work, numbers, strict=True)
                ]
        except BaseExceptionGroup as failures:  # one candidate's failure that parks the run is told as if alone
            raise failures.exceptions[0] from None
        for ledger in ledgers:
            self._maker.ledger.absorb(ledger)
        return [task.result() for task in tasks]


def by_strategy(select: Select, attempts: Sequence[Attempt]) -> Strategy:
    """Return the strategy to choose by; `auto` counts votes where candidates agree, else weighs them."""
    if select.strategy != "auto":
        return select.strategy
    return "majority" if agreement(attempts) >= SURE else "weighted"


def settled(select: Select, attempts: Sequence[Attempt]) -> bool:
    """Say whether more candidates would change nothing, or are not worth it."""
    if select.threshold is not None and any(a.answered and a.reward.total >= select.threshold for a in attempts):
        return True
    if select.strategy == "auto" and len(attempts) >= PROBES and agreement(attempts) >= SURE:
        return True
    return select.strategy == "majority" and decided(attempts, select.n)


async def _guarded(work: Coroutine[Any, Any, Attempt], number: int) -> Attempt:
    """Return what a candidate comes to; one whose model fails, or that cannot be paid, has no answer."""
    try:
        return await work
    except BudgetExceeded as limit:
        ending: Any = ("budget", str(limit))
    except ModelError as error:
        ending = ("error", str(error))
    return Attempt(number, Candidate("", (), ()), Reward(0.0, ()), Stop(ending[1]), *ending)


class _Cost:
    """What the first candidate has cost, by which it is known how many more like it can be paid."""

    def __init__(self, steps: int, tokens: int, usd: float) -> None:
        self._spent = (steps, tokens, usd)

    @classmethod
    def of(cls, ledger: Ledger) -> "_Cost":
        return cls(ledger.steps, ledger.usage.prompt + ledger.usage.completion, ledger.usd)

    def payable(self, ledger: Ledger, wanted: int) -> int:
        now = _Cost.of(ledger)._spent
        limits: Sequence[float | None] = (ledger.limits.steps, ledger.limits.tokens, ledger.limits.usd)
        counts = [
            math.floor((limit - spent) / each)
            for limit, spent, each in zip(limits, now, self._spent, strict=True)
            if limit is not None and each > 0
        ]
        return min([wanted, *counts])
