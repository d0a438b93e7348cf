"""The writer: composes the answer of a run with several tasks, from their results and evidence only."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from crowquill.agent.answer import Candidate, Claim, Draft, DraftClaim, Stopped
from crowquill.agent.critic.grounding import needed, searchable
from crowquill.agent.episode import read_draft
from crowquill.agent.lane import Lane
from crowquill.agent.models.base import Request
from crowquill.agent.policy import claims_schema
from crowquill.agent.prompting import prompt
from crowquill.agent.render import clean, evidence_block, fence, one_line
from crowquill.agent.schemas import object_schema
from crowquill.memory.evidence import Evidence
from crowquill.memory.textual import is_cyrillic
from crowquill.memory.untrusted import Untrusted
from crowquill.memory.verify import word_coverage
from crowquill.tasks.task import Task

LONG = 4
"""Results of tasks from which an answer is long: it begins with an outline, and each point is written by itself."""
DISAGREE, UNKNOWN = ("Sources disagree", "Источники расходятся"), ("Not known", "Что неизвестно")
"""Headings of what stands behind the statements of an answer, English and Russian."""
NO_RECEIPT = "(no receipt)", "(не подтверждено)"
"""How a statement without support is marked, English and Russian."""
_CARRIES = 0.5
"""Share of a statement's words that evidence must have to be cited for it by code."""
_REASONS = {
    "the evidence does not answer it": "найденное на это не отвечает",
    "the sources consulted do not say it": "в просмотренных источниках этого нет",
    "it found no answer": "ответа не нашлось",
    "the same steps brought nothing new": "те же шаги не дали ничего нового",
    "the model's replies cannot be read": "ответы модели нельзя прочесть",
}
"""Why there is no answer, as code says it, in Russian; what a model or the world says is left as it is."""
_ENDINGS: dict[Stopped, str] = {
    "budget": "исчерпан бюджет",
    "stalled": "без продвижения",
    "paused": "пауза",
    "cancelled": "отмена",
    "error": "ошибка",
}


async def write(objective: str, tasks: Sequence[Task], evidence: Sequence[Evidence], lane: Lane) -> Draft:
    """Ask for the answer; a draft without claims says that the evidence does not hold it.

    Raises:
        ModelError: the model failed.
        BudgetExceeded: not even the reserve pays for the call.
    """
    seed = lane.services.seed
    results = [fence(Untrusted(f"{task.goal}\n{task.result}", task.id), seed) for task in tasks if task.result]
    told = "\n".join(results) if results else "(none)"
    if len(results) >= LONG:
        return await _write_long(objective, told, evidence, lane)
    return await _write(objective, told, evidence, lane)


async def _write(objective: str, results: str, evidence: Sequence[Evidence], lane: Lane) -> Draft:
    messages = prompt("write").messages(
        {"persona": lane.services.persona},
        objective=objective,
        evidence=evidence_block(evidence, lane.services.seed),
        results=results,
    )
    schema = claims_schema(list(range(1, len(evidence) + 1)))
    reply = await lane.complete_whole(Request("write", messages, 900, schema))
    return read_draft(reply.parsed if reply.parsed is not None else {})


async def _write_long(objective: str, results: str, evidence: Sequence[Evidence], lane: Lane) -> Draft:
    """Ask for an outline, then for each point from its own evidence; points that nothing answers are left out."""
    numbers = list(range(1, len(evidence) + 1))
    quotes = {"type": "array", "items": {"type": "integer", "enum": numbers}, "minItems": 1, "maxItems": 8}
    point = object_schema({"point": {"type": "string", "maxLength": 200}, "quotes": quotes})
    points = {"type": "array", "items": point, "minItems": 1, "maxItems": 6}
    schema = object_schema({"short": {"type": "string", "maxLength": 200}, "points": points})
    block = evidence_block(evidence, lane.services.seed)
    messages = prompt("outline").messages(objective=objective, evidence=block, results=results)
    reply = await lane.complete_whole(Request("write", messages, 700, schema))
    outline: dict[str, Any] = reply.parsed if reply.parsed is not None else {"short": "", "points": []}
    claims: list[DraftClaim] = []
    for entry in outline["points"]:
        own = list(dict.fromkeys(entry["quotes"]))
        part = await _write(entry["point"], "(none)", [evidence[number - 1] for number in own], lane)
        claims += [
            replace(claim, cites=tuple(own[at - 1] for at in claim.cites if 1 <= at <= len(own)))
            for claim in part.claims
        ]
    return Draft(str(outline["short"]).strip(), tuple(claims))


def placed(draft: Draft, evidence: Sequence[Evidence]) -> Draft:
    """Place the citations by code: those that a statement needs, out of what was cited and what carries it.

    Citations that do not exist stay, so that they are found.
    """
    return replace(draft, claims=tuple(replace(claim, cites=_cites(claim, evidence)) for claim in draft.claims))


def _cites(claim: DraftClaim, evidence: Sequence[Evidence]) -> tuple[int, ...]:
    dead = tuple(number for number in claim.cites if not 1 <= number <= len(evidence))
    cites = claim.cites
    if len(dead) == len(cites):
        shares = [word_coverage(claim.text, searchable(item)) for item in evidence]
        best = max(shares, default=0.0)
        cites = (shares.index(best) + 1,) if shares and best >= _CARRIES else ()
    return (*(needed(claim.text, cites, evidence) if cites else ()), *dead)


def compose(candidate: Candidate, *, open_tasks: Sequence[str] = (), objective: str = "") -> str:
    """Return the answer's text: the claims in order, each with its citations, unsupported ones marked.

    Behind them stands where the sources disagree, and what is not known; the headings and marks are in the language
    of the question.
    """
    russian = is_cyrillic(objective)
    groups = groupby(candidate.claims, key=lambda claim: tuple(name for name, _ in claim.row))
    text = "\n\n".join(_told(list(claims), candidate.evidence, NO_RECEIPT[russian]) for _, claims in groups)
    for headings, lines in ((DISAGREE, candidate.disagreements), (UNKNOWN, open_tasks)):
        if lines:
            text += f"\n\n{headings[russian]}: " + "; ".join(clean(line) for line in lines)
    return text


def explain(stopped: Stopped, why: str, found: int, *, objective: str = "") -> str:
    """Say in our own words that there is no answer, and why, in the language of the question."""
    russian = is_cyrillic(objective)
    reason = f": {_REASONS.get(why, why) if russian else why}" if why else ""
    match stopped:
        case "not_found":
            return f"{'Не найдено' if russian else 'Not found'}{reason}."
        case "refused":
            return f"{'На это ответа не даётся' if russian else 'No answer is given'}{reason}."
        case _ if russian:
            ended = _ENDINGS.get(stopped, stopped)
            return f"Ответа нет: работа закончилась раньше ({ended}){reason}. Найдено свидетельств: {found}."
        case _:
            return f"No answer: the run ended ({stopped}){reason}. Evidence found so far: {found}."


def _told(claims: Sequence[Claim], evidence: Sequence[Evidence], flag: str) -> str:
    """Return statements one after the other, or rows as a Markdown table with their citations in a last column."""
    if not claims[0].row:
        return " ".join(_sentence(claim, evidence, flag) for claim in claims)
    columns = [*(name for name, _ in claims[0].row), ""]
    rows = [
        [*(cell for _, cell in claim.row), _sentence(replace(claim, text=""), evidence, flag)] for claim in claims
    ]
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(one_line(cell, 300).replace('|', '/') for cell in line)} |" for line in lines)


def joined(parts: Sequence[tuple[Draft, Sequence[Evidence]]], evidence: Sequence[Evidence]) -> Draft | None:
    """Put the answers of tasks one after the other, where nobody can write one out of them; None without any.

    Each part numbers its own evidence. There is no short answer: that of a part is not that of the whole.
    """
    numbers = {item.id: number for number, item in enumerate(evidence, 1)}
    claims = [
        DraftClaim(claim.text, tuple(numbers[found[cite - 1].id] for cite in claim.cites if 0 < cite <= len(found)))
        for draft, found in parts
        for claim in draft.claims
    ]
    return Draft("", tuple(claims)) if claims else None


def _sentence(claim: Claim, evidence: Sequence[Evidence], flag: str) -> str:
    numbers = {item.id: number for number, item in enumerate(evidence, 1)}
    marks = "".join(f"[{numbers[receipt.evidence.id]}]" for receipt in claim.support)
    text = clean(claim.text)
    behind = " ".join(part for part in (marks, flag if claim.status == "unsupported" else "") if part)
    return f"{text} {behind}".strip()
