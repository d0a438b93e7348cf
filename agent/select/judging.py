"""The judging model looks at candidates: each alone, in pairs, or only at the winner."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from crowquill.agent.answer import Grade
from crowquill.agent.critic.judge import grade, grade_by_probability, objection, opinion, strengths
from crowquill.agent.events import Graded, Noticed, Paired
from crowquill.agent.lane import Lane
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
    await _warn_of_own_words(run.lane)
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
    await _warn_of_own_words(run.lane)
    try:
        grades = await _grades(winner, run)
        against = await objection(winner.candidate, run.objective, run.evidence(), run.lane)
    except (ModelError, BudgetExceeded) as error:
        await run.lane.emit(Noticed(f"the answer was not judged: {error}", "warning"))
        return winner
    await run.lane.emit(Graded(winner.number, grades, against.text if against is not None else ""))
    return replace(winner, candidate=replace(winner.candidate, grades=grades, objection=against))


async def _warn_of_own_words(lane: Lane) -> None:
    models = lane.services.models
    judge = models["judge"].name
    if judge in (models["act"].name, models["write"].name):
        told = f"{judge} judges what it has written itself, and models prefer their own words"
        await lane.emit(Noticed(f"{told}: name another model with --judge"))


async def _graded(attempt: Attempt, run: Judged) -> tuple[float, tuple[Grade, ...]]:
    grades = await _grades(attempt, run)
    await run.lane.emit(Graded(attempt.number, grades))
    return opinion(grades), grades


async def _grades(attempt: Attempt, run: Judged) -> tuple[Grade, ...]:
    model = run.lane.services.models["judge"].name
    ask = grade_by_probability if model.startswith(_SMALL) else grade
    return await ask(attempt.candidate, run.objective, run.lane)


def _with(attempt: Attempt, value: float, grades: tuple[Grade, ...]) -> Attempt:
    return replace(attempt, candidate=replace(attempt.candidate, judged=round(value, 4), grades=grades))
