"""Which of several candidates wins: pure functions of the candidates, which keep nothing between two calls.

Sources: majority is self-consistency (Wang et al., arXiv:2203.11171); weighted is best-of-N weighted (Li et al.,
arXiv:2206.02336; Snell et al., arXiv:2408.03314), where the answer wins whose candidates have most reward together.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, pstdev

from crowquill.agent.answer import Ranked, Stopped
from crowquill.agent.select.attempt import Attempt
from crowquill.agent.select.options import Strategy
from crowquill.agent.select.same import same_answer

TIE = 0.1
"""Rewards within so much of each other are as good: those of computations differ by their length alone, and the
shortest is right less often than what most give (bench/best_of_n.py: 23 and 37 of 60 word problems)."""
_PLACES: tuple[Stopped, ...] = (
    "answered", "budget", "stalled", "not_found", "refused", "error", "paused", "cancelled",
)  # fmt: skip
"""Endings from best to worst, where no candidate says anything."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The winner, the score of each candidate under the strategy, best first, and why the winner won."""

    winner: Attempt
    ranking: tuple[Ranked, ...]
    why: str


def standardised(values: Sequence[float]) -> list[float]:
    """Return the values as standard deviations from their mean; all 0 where they are equal. Never cut off."""
    if not values:
        return []
    mean, deviation = fmean(values), pstdev(values)
    return [0.0 if deviation < 1e-9 else (value - mean) / deviation for value in values]


def choose(strategy: Strategy, attempts: Sequence[Attempt]) -> Choice:
    """Choose among candidates; there is always a winner, the one that came furthest where none has an answer.

    Raises:
        ValueError: there is no candidate at all.
    """
    if not attempts:
        raise ValueError("no candidates")
    answered = [attempt for attempt in attempts if attempt.answered]
    if not answered:
        scores = [(-float(_PLACES.index(attempt.stopped)), attempt) for attempt in attempts]
        scores = [(score + len(attempt.candidate.evidence) / 1e6, attempt) for score, attempt in scores]
        return _choice(attempts, scores, "no candidate has an answer; this one came furthest")
    match strategy:
        case "majority" | "auto" | "debate":
            return _choice(attempts, _votes(answered, [1.0] * len(answered)), "most candidates agree with it")
        case "weighted":
            weights = [1 / (1 + math.exp(-z)) for z in standardised([_coarse(a) for a in answered])]
            return _choice(
                attempts, _votes(answered, weights), "its answer has most reward, all candidates together"
            )
        case _:
            scores = [(_coarse(attempt), attempt) for attempt in answered]
            return _choice(attempts, scores, "none has a higher reward, and of those as good most agree with it")


def _coarse(attempt: Attempt) -> float:
    """Return the reward without what tells nothing of truth, a few words more to read."""
    return round(attempt.reward.total / TIE) * TIE


def _votes(attempts: Sequence[Attempt], weights: Sequence[float]) -> list[tuple[float, Attempt]]:
    """Give each candidate the sum of the weights of those with the same answer."""
    return [
        (sum(weight for other, weight in zip(attempts, weights, strict=True) if _agree(attempt, other)), attempt)
        for attempt in attempts
    ]


def _agree(one: Attempt, other: Attempt) -> bool:
    return same_answer(one.candidate.short, other.candidate.short)


def _choice(attempts: Sequence[Attempt], scores: Sequence[tuple[float, Attempt]], why: str) -> Choice:
    """Rank by score, then reward, then agreement, then order: a tie goes to the candidate that came first."""
    agreeing = {attempt.number: count for count, attempt in _counts(attempts)}
    order = sorted(
        scores, key=lambda pair: (-pair[0], -_coarse(pair[1]), -agreeing.get(pair[1].number, 0), pair[1].number)
    )
    scored = {attempt.number: score for score, attempt in scores}
    rest = [attempt for attempt in attempts if attempt.number not in scored]
    ranking = tuple(
        Ranked(
            attempt.number,
            attempt.candidate.short,
            attempt.reward.total,
            scored.get(attempt.number),
            attempt.stopped,
            attempt.why,
        )
        for attempt in (*(attempt for _, attempt in order), *rest)
    )
    return Choice(order[0][1], ranking, why)


def agreement(attempts: Sequence[Attempt]) -> float:
    """Return the share of candidates that have the most frequent answer; 0 where none has one."""
    counts = _counts(attempts)
    return max(count for count, _ in counts) / len(attempts) if counts else 0.0


def decided(attempts: Sequence[Attempt], n: int) -> bool:
    """Say whether the most frequent answer stays so, whatever the candidates that are still to come of `n` say."""
    counts = _counts(attempts)
    if not counts:
        return False
    most, leader = max(counts, key=lambda pair: pair[0])
    rival = max((count for count, other in counts if not _agree(leader, other)), default=0)
    return most - rival > n - len(attempts)


def _counts(attempts: Sequence[Attempt]) -> list[tuple[int, Attempt]]:
    """Return how many have the answer of each candidate that has one."""
    answered = [attempt for attempt in attempts if attempt.answered]
    return [(sum(_agree(attempt, other) for other in answered), attempt) for attempt in answered]
