"""A model as judge: each criterion alone, pairs in both orders, yes or no by probability, objections, and steps.

It only ever adds to what code has checked. It should be another model than the writer's, as models prefer their own
words; answers are compared at equal length, and each pair twice, as models prefer what is longer and comes first.
"""

import asyncio
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from statistics import fmean
from typing import Any, Literal, get_args

from crowquill.agent.annotate import needs_calculation
from crowquill.agent.answer import Candidate, Claim, DraftClaim, Grade, Objection
from crowquill.agent.critic.checks import check_claim
from crowquill.agent.critic.objections import opposes
from crowquill.agent.events import Noticed
from crowquill.agent.lane import Lane
from crowquill.agent.models.base import Reply, Request
from crowquill.agent.prompting import Instruction, prompt
from crowquill.agent.render import evidence_block, fence, one_line
from crowquill.agent.schemas import object_schema
from crowquill.agent.state import Step
from crowquill.agent.writer import compose
from crowquill.errors import BudgetExceeded, ModelError
from crowquill.memory.evidence import Evidence
from crowquill.memory.untrusted import Untrusted

TaskKind = Literal["answer", "comparison", "calculation"]
Label = Literal["good", "neutral", "bad"]
WORTH: Mapping[Label, float] = {"good": 0.5, "neutral": 0.0, "bad": -0.5}
"""What the label of its last statement adds to the value of a beginning."""
_BETTER = {"A much": -1.0, "A": -0.5, "equal": 0.0, "B": 0.5, "B much": 1.0}
_LABELS: tuple[Label, ...] = get_args(Label)
CUT = "… (cut)"
"""Where the longer of two answers was cut."""
NEARLY = 5
"""Words by which an answer may be longer than the other: the last of a sentence may be what it says."""
_REASON: dict[str, Any] = {"type": "string", "maxLength": 300}


@dataclass(frozen=True, slots=True)
class Criterion:
    """One question to the judge; see `criteria.yaml`."""

    name: str
    ask: str
    best: str
    worst: str
    yes: tuple[str, ...]


@cache
def criteria(kind: TaskKind) -> tuple[Criterion, ...]:
    """Return the criteria of a kind of task: the five of every answer, and its own."""
    from ruamel.yaml import YAML  # 0.05 s, and only a judge needs it

    text = (files("crowquill.agent.critic") / "criteria.yaml").read_text(encoding="utf-8")
    data = YAML(typ="safe", pure=True).load(text)
    own = data[kind] if kind != "answer" else []
    return tuple(Criterion(**{**entry, "yes": tuple(entry["yes"])}) for entry in [*data["answer"], *own])


def kind_of(objective: str) -> TaskKind:
    """Return the kind of a question."""
    if needs_calculation(objective):
        return "calculation"
    return "comparison" if " or " in objective.casefold() or " или " in objective.casefold() else "answer"


async def grade(candidate: Candidate, objective: str, lane: Lane) -> tuple[Grade, ...]:
    """Judge an answer by each criterion of its kind, on five levels.

    Raises:
        ModelError: the model failed.
        BudgetExceeded: the calls cannot be paid.
    """
    schema = object_schema({"reason": _REASON, "level": {"enum": ["1", "2", "3", "4", "5"]}})

    async def one(criterion: Criterion) -> Grade:
        levels = {"best": Instruction(criterion.best), "worst": Instruction(criterion.worst)}
        messages = prompt("judge").messages(levels, **_shown(candidate, objective, lane), ask=criterion.ask)
        reply = await lane.complete(Request("judge", messages, 200, schema))
        parsed = reply.parsed if reply.parsed is not None else {}
        return Grade(criterion.name, (int(parsed.get("level", 3)) - 3) / 2, str(parsed.get("reason", "")))

    return tuple([await one(criterion) for criterion in criteria(kind_of(objective))])


async def grade_by_probability(candidate: Candidate, objective: str, lane: Lane) -> tuple[Grade, ...]:
    """Judge as a small model can: the probability of yes, averaged over ways of asking. Raises as `grade`."""
    shown = _shown(candidate, objective, lane)

    async def chance(ask: str) -> float:
        return chance_of_yes(await lane.complete(yes_or_no(shown, ask)))

    asked = criteria(kind_of(objective))
    means = [fmean([await chance(ask) for ask in criterion.yes]) for criterion in asked]
    return tuple(Grade(criterion.name, 2 * mean - 1) for criterion, mean in zip(asked, means, strict=True))


def yes_or_no(shown: Mapping[str, str], ask: str) -> Request:
    """Return a question of which the first token answers; a schema would put its own tokens before it."""
    return Request("judge", prompt("judge_yes").messages(**shown, ask=ask), 2, logprobs=True)


def chance_of_yes(reply: Reply) -> float:
    """Return the probability of yes: that of the first token, 0.5 where it is neither yes nor no."""
    said = reply.text.strip().casefold()
    sure = math.exp(reply.logprobs[0]) if reply.logprobs else 1.0
    if said.startswith("yes"):
        return sure
    return 1.0 - sure if said.startswith("no") else 0.5


def opinion(grades: Sequence[Grade]) -> float:
    """Return what a judge thinks altogether, from -1 to 1."""
    return fmean(grade.value for grade in grades) if grades else 0.0


def _shown(candidate: Candidate, objective: str, lane: Lane) -> dict[str, str]:
    seed = lane.services.seed
    return {
        "evidence": evidence_block(candidate.evidence, seed),
        "objective": objective,
        "answer": fence(Untrusted(_told(candidate), "answer"), seed),
    }


def _told(candidate: Candidate) -> str:
    """Return an answer as a judge is shown it: candidates may differ in the short answer alone."""
    short = one_line(candidate.short, 200) if candidate.short else "(none)"
    return f"Short answer: {short}\n\n{compose(candidate)}"


async def guess(objective: str, lane: Lane) -> str:
    """Return what the judge knows without any evidence, "" when it does not; one cheap call, which may fail."""
    try:
        reply = await lane.complete(Request("judge", prompt("guess").messages(objective=objective), 30))
    except (ModelError, BudgetExceeded) as error:
        await lane.emit(Noticed(f"the judge was not asked without evidence: {error}"))
        return ""
    said = one_line(reply.text.splitlines()[0], 200).rstrip(".")
    return "" if said.casefold().startswith("unknown") else said


# --- pairs ---


@dataclass(frozen=True, slots=True)
class Match:
    """How much better the second of two candidates is (−1 to 1); `flipped` when the order decided."""

    first: int
    second: int
    score: float
    flipped: bool


async def match(pair: tuple[int, int], candidates: Sequence[Candidate], objective: str, lane: Lane) -> Match:
    """Compare two candidates in both orders, at equal length. Raises as `grade`."""
    first, second = pair
    one, other = at_equal_length(candidates[first], candidates[second])
    evidence = evidence_block(one.evidence, lane.services.seed)
    told = await _better(objective, evidence, (_told(one), _told(other)), lane)
    swapped = -await _better(objective, evidence, (_told(other), _told(one)), lane)
    flipped = told * swapped < 0
    return Match(first, second, 0.0 if flipped else (told + swapped) / 2, flipped)


async def _better(objective: str, evidence: str, texts: tuple[str, str], lane: Lane) -> float:
    schema = object_schema({"reason": _REASON, "better": {"enum": list(_BETTER)}})
    first, second = (fence(Untrusted(text, "answer"), lane.services.seed) for text in texts)
    messages = prompt("judge_pair").messages(evidence=evidence, objective=objective, first=first, second=second)
    reply = await lane.complete(Request("judge", messages, 200, schema))
    return _BETTER[reply.parsed["better"]] if reply.parsed is not None else 0.0


def at_equal_length(one: Candidate, other: Candidate) -> tuple[Candidate, Candidate]:
    """Return two answers of about as many words, the longer one cut, which number the evidence of both alike."""
    evidence = tuple({item.id: item for item in (*one.evidence, *other.evidence)}.values())
    fewest = min(sum(_length(claim) for claim in each.claims) for each in (one, other))
    first, second = (Candidate(each.short, _cut(each.claims, fewest), evidence) for each in (one, other))
    return first, second


def _length(claim: Claim) -> int:
    return len(claim.text.split())


def _cut(claims: Sequence[Claim], words: int) -> tuple[Claim, ...]:
    """Return statements of so many words; one that is nearly at its end there is finished, another is marked."""
    kept: list[Claim] = []
    for claim in claims:
        if words <= 0:
            break
        if _length(claim) > words + NEARLY:
            claim = replace(claim, text=f"{' '.join(claim.text.split()[:words])} {CUT}", row=())
        kept.append(claim)
        words -= _length(claim)
    return tuple(kept)


async def strengths(candidates: Sequence[Candidate], objective: str, lane: Lane) -> tuple[list[float], list[Match]]:
    """Rank candidates by comparing all pairs; return a strength for each, standardised, and the matches."""
    pairs = [(first, second) for second in range(len(candidates)) for first in range(second)]
    matches = [await match(pair, candidates, objective, lane) for pair in pairs]
    return bradley_terry(len(candidates), matches), matches


def bradley_terry(count: int, matches: Sequence[Match], *, rounds: int = 200) -> list[float]:
    """Return log-strengths with mean 0, of which the differences explain the matches best.

    Minorisation-maximisation (Hunter, Annals of Statistics 2004); a match is won by shares, and each pair has half
    a win more on each side, so that strengths stay finite.
    """
    wins = [[0.0] * count for _ in range(count)]
    for each in matches:
        share = (1 + each.score) / 2
        wins[each.second][each.first] += share + 0.5
        wins[each.first][each.second] += 1 - share + 0.5
    strength = [1.0] * count
    for _ in range(rounds):
        for own in range(count):
            met = [
                (wins[own][other] + wins[other][own]) / (strength[own] + strength[other])
                for other in range(count)
                if other != own and wins[own][other] + wins[other][own]
            ]
            strength[own] = sum(wins[own]) / sum(met) if met else 1.0
        mean = math.exp(fmean(map(math.log, strength)))
        strength = [value / mean for value in strength]
    return [math.log(value) for value in strength]


# --- objections and steps ---


async def objection(
    candidate: Candidate, objective: str, evidence: Sequence[Evidence], lane: Lane
) -> Objection | None:
    """Argue against an answer from all evidence of the run and from memory; return what holds, if anything does.

    It must cite evidence, and code must find that it stands there and speaks against the answer. Raises as `grade`.
    """
    recalled = await lane.memory.recall(objective, limit=5)
    known = list({item.id: item for item in (*evidence, *recalled)}.values())
    quotes = {"type": "array", "items": {"type": "integer", "enum": list(range(1, len(known) + 1))}, "maxItems": 4}
    shown = {**_shown(candidate, objective, lane), "evidence": evidence_block(known, lane.services.seed)}
    schema = object_schema({"objection": _REASON, "quotes": quotes})
    reply = await lane.complete(Request("judge", prompt("object").messages(**shown), 250, schema))
    parsed = reply.parsed if reply.parsed is not None else {}
    told, cites = str(parsed.get("objection", "")).strip(), tuple(parsed.get("quotes", ()))
    if not cites or not told or told.casefold().strip(" .") == "none":
        return None
    held = await asyncio.to_thread(check_claim, DraftClaim(told, cites), known, objective)
    said = [*(claim.text for claim in candidate.claims), candidate.short]
    if held.status == "unsupported" or not await asyncio.to_thread(opposes, told, said, objective):
        return None
    return Objection(told, tuple(receipt.evidence for receipt in held.support))


@dataclass(frozen=True, slots=True)
class StepGrade:
    """What the judge thinks of one step."""

    label: Label
    comment: str


async def critique(steps: Sequence[Step], objective: str, lane: Lane) -> tuple[StepGrade, ...]:
    """Label and comment each step of an episode. Raises as `grade`."""
    lines = [f"{step.action.tool} {dict(step.action.args)} → {step.error or step.status}" for step in steps]
    return await _labelled(lines, objective, lane)


async def critique_claims(claims: Sequence[Claim], objective: str, lane: Lane) -> tuple[StepGrade, ...]:
    """Label and comment each statement of an answer that is being built. Raises as `grade`."""
    return await _labelled([f"say: {claim.text} ({claim.status})" for claim in claims], objective, lane)


async def _labelled(steps: Sequence[str], objective: str, lane: Lane) -> tuple[StepGrade, ...]:
    if not steps:
        return ()
    lines = [f"{number}. {line}" for number, line in enumerate(steps, 1)]
    entry = object_schema({"label": {"enum": list(_LABELS)}, "comment": {"type": "string", "maxLength": 120}})
    schema = object_schema(
        {"steps": {"type": "array", "items": entry, "minItems": len(steps), "maxItems": len(steps)}}
    )
    shown = fence(Untrusted("\n".join(lines), "steps"), lane.services.seed)
    messages = prompt("critique").messages(objective=objective, steps=shown)
    reply = await lane.complete(Request("judge", messages, 60 * len(steps) + 40, schema))
    parsed = reply.parsed if reply.parsed is not None else {"steps": []}
    return tuple(StepGrade(entry["label"], str(entry["comment"])) for entry in parsed["steps"])
