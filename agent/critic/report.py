"""How good is the critic itself? Held against what people have chosen, and against the tricks."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from crowquill.agent.answer import Answer, Draft, DraftClaim
from crowquill.agent.critic.checks import check
from crowquill.agent.critic.choices import Comparison, agreement, preferences
from crowquill.agent.critic.reward import reward, shipped_weights
from crowquill.agent.critic.tricks import TRICKS
from crowquill.agent.events import Event, Judged, Paired, Revised, RunFinished, Selected

BINS = 4


@dataclass(frozen=True, slots=True)
class Bin:
    """Preferences that were predicted with about the same confidence: predicted and observed share, and count."""

    predicted: float
    observed: float
    count: int


@dataclass(frozen=True, slots=True)
class Report:
    """The validation of a critic.

    agreement: share of preferences that the reward gets right, a tie by half. parts: the same for each part alone,
    where the two differ in it, with how many do. calibration: predicted against observed. position: share of
    preferences for the answer that was shown first (0.5 is fair). length: how much more often the longer answer has
    the higher reward (−1 to 1), beside the same of people; equal lengths count 0. tricks: name → answers whose
    reward it raised, of how many.
    """

    count: int
    agreement: float
    parts: Mapping[str, tuple[float, int]]
    calibration: tuple[Bin, ...]
    position: float
    length: float
    length_of_people: float
    tricks: Mapping[str, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Revisions:
    """What came of revising flagged statements, all runs together: how many were flagged, mended, dropped.

    damaged: statements that had receipts before the revision and are gone or have none after it.
    """

    flagged: int = 0
    fixed: int = 0
    dropped: int = 0
    damaged: int = 0


def revisions(runs: Sequence[Sequence[Event]]) -> Revisions:
    """Count what revisions did in finished runs, given their events in order."""
    total = Revisions()
    for events in runs:
        done = next((event for event in events if isinstance(event, Revised)), None)
        finished = next((event for event in events if isinstance(event, RunFinished)), None)
        if done is None or finished is None:
            continue
        winner = next((event.winner for event in events if isinstance(event, Selected)), 1)
        before = [event.claims for event in events if isinstance(event, Judged) and event.number == winner][-1]
        held = {claim.text for claim in finished.answer.claims if claim.status != "unsupported"}
        damaged = sum(claim.status != "unsupported" and claim.text not in held for claim in before)
        total = Revisions(
            total.flagged + done.flagged,
            total.fixed + done.fixed,
            total.dropped + done.dropped,
            total.damaged + damaged,
        )
    return total


@dataclass(frozen=True, slots=True)
class Judging:
    """How good the judging model is: pairs it has seen, and those in which the order alone decided.

    criteria: share of people's preferences that its levels of a criterion get right, where the two answers differ
    in them, with how many do.
    """

    pairs: int
    flipped: int
    criteria: Mapping[str, tuple[float, int]]


def judging(runs: Sequence[Sequence[Event]], comparisons: Sequence[Comparison]) -> Judging:
    """Hold the judge's levels, as the runs have recorded them, against choices between their answers."""
    events = [event for each in runs for event in each]
    paired = [event for event in events if isinstance(event, Paired)]
    graded = {
        event.answer.run_id: {grade.criterion: grade.value for grade in event.answer.grades}
        for event in events
        if isinstance(event, RunFinished)
    }
    chosen = [each for each in preferences(comparisons) if len(each.runs) == 2]
    sides = [[graded.get(run, {}) for run in each.runs] for each in chosen]
    differences = [
        {name: after[name] - before[name] for name in before.keys() & after.keys()} for before, after in sides
    ]
    names = sorted({name for each in differences for name in each})
    shares = {name: found for name in names if (found := _right(name, 1.0, differences, chosen))[1]}
    return Judging(sum(event.pairs for event in paired), sum(event.flipped for event in paired), shares)


def validate(comparisons: Sequence[Comparison], answers: Sequence[Answer], weights: Mapping[str, float]) -> Report:
    """Hold a critic with these weights against choices and, for the tricks, against recorded answers."""
    chosen = preferences(comparisons)
    used = weights if weights else shipped_weights()
    differences = [comparison.differences for comparison in chosen]
    leads = [sum(used.get(name, 0.0) * value for name, value in each.items()) for each in differences]
    parts = {name: _right(name, weight, differences, chosen) for name, weight in used.items()}
    longer = [_sign(len(c.sides[1].text) - len(c.sides[0].text)) for c in chosen]
    return Report(
        len(chosen),
        _mean([agreement(lead, c.score) for lead, c in zip(leads, chosen, strict=True)]),
        {name: found for name, found in parts.items() if found[1]},
        _calibration(leads, chosen),
        _mean([float((c.score > 0) == (c.first == 1)) for c in chosen if c.by == "choice"]),
        _mean([sign * _sign(lead) for sign, lead in zip(longer, leads, strict=True) if lead]),
        _mean([sign * _sign(c.score) for sign, c in zip(longer, chosen, strict=True)]),
        {name: _raised(name, answers, weights) for name in TRICKS},
    )


def _sign(value: float) -> int:
    return (value > 0) - (value < 0)


def _mean(values: Sequence[float]) -> float:
    return fmean(values) if values else 0.0


def _right(
    name: str, weight: float, differences: Sequence[Mapping[str, float]], chosen: Sequence[Comparison]
) -> tuple[float, int]:
    """Return the share of preferences that a part alone gets right where the two differ in it, and how many do."""
    sign = math.copysign(1, weight)
    told = [(sign * each[name], c.score) for each, c in zip(differences, chosen, strict=True) if each.get(name)]
    return _mean([agreement(lead, score) for lead, score in told]), len(told)


def _calibration(leads: Sequence[float], chosen: Sequence[Comparison]) -> tuple[Bin, ...]:
    """Group by the chance that the reward gives the answer which it prefers, from 0.5 to 1."""
    groups: dict[int, list[tuple[float, float]]] = {}
    for lead, comparison in zip(leads, chosen, strict=True):
        chance = 1 / (1 + math.exp(-abs(lead)))
        right = agreement(lead, comparison.score)
        groups.setdefault(min(int((chance - 0.5) * 2 * BINS), BINS - 1), []).append((chance, right))
    return tuple(
        Bin(fmean(chance for chance, _ in group), fmean(right for _, right in group), len(group))
        for _, group in sorted(groups.items())
    )


def _raised(name: str, answers: Sequence[Answer], weights: Mapping[str, float]) -> tuple[int, int]:
    """Return how many answers a trick would have raised the reward of, and of how many."""
    raised, told = 0, [answer for answer in answers if answer.claims]
    for answer in told:
        numbers = {item.id: number for number, item in enumerate(answer.evidence, 1)}
        claims = tuple(
            DraftClaim(claim.text, tuple(numbers[receipt.evidence.id] for receipt in claim.support))
            for claim in answer.claims
        )
        before, after = (
            reward(
                check(Draft(answer.short, made), answer.evidence, answer.objective),
                answer.objective,
                weights=weights,
            )
            for made in (claims, TRICKS[name](claims, len(answer.evidence)))
        )
        raised += after.total > before.total + 1e-9
    return raised, len(told)
