"""The judging model looks at candidates: each alone, in pairs, or only at the winner."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from crowquill.agent.answer import Grade
from crowquill.agent.critic.judge import grade, grade_by_probability, objection, opinion, strengths
from crowquill.agent.events import Graded, Noticed, Paired
from crowquill.agent.lane import Lane
from crowquill.agent.models.base import Request, Role
from crowquill.agent.select.attempt import Attempt
from crowquill.agent.select.vote import standardised
from crowquill.errors import BudgetExceeded, ModelError
from crowquill.memory.evidence import Evidence

_SMALL = "local"
"""The embedded model is too small for levels: it is asked yes or no, and its certainty counts."""


class Judged(Protocol):
    """The run whose candidates are judged: `agent.run.Run`."""

    lane: Lane
    objective: str

    def evidence(self) -> tuple[Evidence, ...]:
        """Return what the first candidate has found."""
        ...

    def rescored(self, attempt: Attempt) -> Attempt:
        """Return an attempt with the reward that its candidate has now."""
        ...


async def judge_all(attempts: Sequence[Attempt], run: Judged, *, pairs: bool) -> list[Attempt]:
    """Judge all candidates that have an answer; what the judge thinks counts in their reward.

    A judge that fails or cannot be paid is told, and changes nothing.
    """
    told = [attempt for attempt in attempts if attempt.answered]
    if not told:
        return list(attempts)
    await _warn_of_own_words(run.lane, "judge")
    try:
        if pairs and len(told) > 1:
            found, matches = await strengths([attempt.candidate for attempt in told], run.objective, run.lane)
            await run.lane.emit(Paired(len(matches), sum(match.flipped for match in matches)))
            opinions: list[tuple[float, tuple[Grade, ...]]] = [(value, ()) for value in standardised(found)]
        else:
            opinions = [await _graded(attempt, run) for attempt in told]
    except (ModelError, BudgetExceeded) as error:
        await run.lane.emit(Noticed(f"the candidates were not judged: {error}", "warning"))
        return list(attempts)
    judged = {
        attempt.number: run.rescored(_with(attempt, value, grades))
        for attempt, (value, grades) in zip(told, opinions, strict=True)
    }
    for attempt in judged.values():
        await run.lane.emit(attempt.event)
    return [judged.get(attempt.number, attempt) for attempt in attempts]


async def judge_gold(winner: Attempt, run: Judged) -> Attempt:
    """Grade the winner for the report alone, and let the judge argue against it; nothing of it counts."""
    lane = _lane_of_gold(run.lane)
    await _warn_of_own_words(run.lane, "gold")
    try:
        grades = await _grades(winner, run, lane, "gold")
        against = await objection(winner.candidate, run.objective, run.evidence(), lane)
    except (ModelError, BudgetExceeded) as error:
        await run.lane.emit(Noticed(f"the answer was not judged: {error}", "warning"))
        return winner
    await run.lane.emit(Graded(winner.number, grades, against.text if against is not None else ""))
    return replace(winner, candidate=replace(winner.candidate, grades=grades, objection=against))


async def _warn_of_own_words(lane: Lane, role: Role) -> None:
    models = lane.services.models
    judge = models[role].name
    if judge in (models["act"].name, models["write"].name):
        told = f"{judge} judges what it has written itself, and models prefer their own words"
        option = "judge" if models["judge"].name == judge else role
        await lane.emit(Noticed(f"{told}: name another model with --{option}"))


def _lane_of_gold(lane: Lane) -> Lane:
    """Return the lane on which the reporting model is asked; where that is the judge, there is no other."""
    models = lane.services.models
    if models["gold"].name == models["judge"].name:
        return lane
    return Lane(lane.services, "gold", lane.ledger, lane.rules, heard=lane.heard, sampling=_to_gold)


def _to_gold(request: Request) -> Request:
    """Send what is asked of the judge to the model that reports."""
    return replace(request, role="gold") if request.role == "judge" else request


async def _graded(attempt: Attempt, run: Judged) -> tuple[float, tuple[Grade, ...]]:
    grades = await _grades(attempt, run, run.lane, "judge")
    await run.lane.emit(Graded(attempt.number, grades))
    return opinion(grades), grades


async def _grades(attempt: Attempt, run: Judged, lane: Lane, role: Role) -> tuple[Grade, ...]:
    model = lane.services.models[role].name
    ask = grade_by_probability if model.startswith(_SMALL) else grade
    return await ask(attempt.candidate, run.objective, lane)


def _with(attempt: Attempt, value: float, grades: tuple[Grade, ...]) -> Attempt:
    return replace(attempt, candidate=replace(attempt.candidate, judged=round(value, 4), grades=grades))
