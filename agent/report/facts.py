"""What a report says of a run: everything that its template prints, as plain values."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crowquill.agent.answer import Accept, Answer, Claim, Ranked, Reward
from crowquill.agent.config import RunConfig
from crowquill.agent.events import Decided, EvidenceFound, Judged, Noticed, Planned, Selected, TaskFinished
from crowquill.agent.report.chart import Chart, charts
from crowquill.agent.report.receipts import Receipts
from crowquill.agent.story import Story, StoryStep, short_action
from crowquill.agent.tape import Effect, Key
from crowquill.memory.blobs import BlobStore
from crowquill.memory.evidence import Evidence, Quote, Source
from crowquill.tasks.task import Task


@dataclass(frozen=True, slots=True)
class ClaimView:
    """A statement of the answer: the numbers of its receipts, and what code found wrong with it."""

    number: int
    text: str
    status: str
    problem: str
    cites: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class CandidateView:
    """A candidate: its reward with the parts, its score under the strategy, and what code found wrong.

    One that failed has no reward, and `findings` say why.
    """

    number: int
    short: str
    statements: int
    reward: Reward | None
    score: float | None
    verdict: str
    findings: str
    won: bool


@dataclass(frozen=True, slots=True)
class SourceView:
    """A page that is quoted: its quotes, the statements that rest on it, and those that rest on another, too."""

    source: Source
    href: str
    quotes: int
    statements: tuple[int, ...]
    backed: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class StepView:
    """A step, with the numbers of the receipts that it brought, and the prompts of the model calls in it.

    Where code chose the action without asking a model, `prompts` is empty.
    """

    step: StoryStep
    action: str
    receipts: tuple[int, ...]
    prompts: tuple[str, ...]


@dataclass(frozen=True)
class Report:
    """All that a report prints. `found` is what an unfinished run had found."""

    story: Story
    config: RunConfig
    answer: Answer | None
    receipts: Receipts
    claims: tuple[ClaimView, ...]
    candidates: tuple[CandidateView, ...]
    sources: tuple[SourceView, ...]
    tasks: tuple[Task, ...]
    refused: tuple[tuple[str, str], ...]
    steps: tuple[StepView, ...]
    instructions: tuple[str, ...]
    charts: tuple[Chart, ...]
    decisions: tuple[Decided, ...]
    warnings: tuple[str, ...]


def gather(story: Story, blobs: BlobStore) -> Report:
    """Collect what a report says of a run, finished or not."""
    config = RunConfig.from_json(json.loads(story.record.config))
    events = [entry.event for entry in story.events]
    answer = story.answer
    found = {event.evidence.id: event.evidence for event in events if isinstance(event, EvidenceFound)}
    evidence: Sequence[Evidence] = tuple(found.values()) if answer is None else answer.evidence
    claims = () if answer is None else answer.claims
    receipts = Receipts(evidence, claims, blobs)
    plans = [event for event in events if isinstance(event, Planned)]
    refused = {pair: None for plan in plans for pair in plan.refused}
    prompts, instructions = _prompts(story.effects)
    return Report(
        story,
        config,
        answer,
        receipts,
        tuple(_claim(number, claim, receipts) for number, claim in enumerate(claims, 1)),
        _candidates(
            {event.number: event for event in events if isinstance(event, Judged)},
            next((event for event in events if isinstance(event, Selected)), None),
        ),
        _sources(claims, evidence),
        _tasks(plans, [event.task for event in events if isinstance(event, TaskFinished)]),
        tuple(refused),
        tuple(_step(step, receipts, prompts.get(f"{step.lane}/s{step.number}", ())) for step in story.steps),
        instructions,
        tuple(charts(story.events, config.budget, config.prices.get(config.models["act"]))),
        tuple(event for event in events if isinstance(event, Decided)),
        tuple(
            dict.fromkeys(
                event.message for event in events if isinstance(event, Noticed) and event.level == "warning"
            )
        ),
    )


def _claim(number: int, claim: Claim, receipts: Receipts) -> ClaimView:
    cites = dict.fromkeys(receipts.number(receipt.evidence) for receipt in claim.support)
    return ClaimView(number, claim.text, claim.status, claim.problem, tuple(filter(None, cites)))


def _candidates(judged: Mapping[int, Judged], selected: Selected | None) -> tuple[CandidateView, ...]:
    """Return the candidates among which was chosen, with what counted then, the winner first."""
    if selected is None:
        return tuple(_candidate(entry, None, won=True) for entry in judged.values())
    return tuple(
        _candidate(judged[ranked.number], ranked.score, won=ranked.number == selected.winner)
        if ranked.number in judged
        else _failed(ranked, won=ranked.number == selected.winner)
        for ranked in selected.selection.candidates
    )


def _failed(ranked: Ranked, *, won: bool) -> CandidateView:
    why = f"{ranked.stopped}: {ranked.why}" if ranked.why else ranked.stopped
    return CandidateView(ranked.number, "", 0, None, None, "stop", why, won)


def _candidate(entry: Judged, score: float | None, *, won: bool) -> CandidateView:
    findings = "" if isinstance(entry.verdict, Accept) else entry.verdict.why
    return CandidateView(
        entry.number, entry.short, len(entry.claims), entry.reward, score, entry.verdict.kind, findings, won
    )


def _sources(claims: Sequence[Claim], evidence: Iterable[Evidence]) -> tuple[SourceView, ...]:
    by_url: dict[str, list[Quote]] = {}
    for item in evidence:
        if isinstance(item, Quote):
            by_url.setdefault(item.source.url, []).append(item)
    rests = [
        {receipt.evidence.source.url for receipt in claim.support if isinstance(receipt.evidence, Quote)}
        for claim in claims
    ]
    views = []
    for url, quotes in by_url.items():
        statements = tuple(number for number, urls in enumerate(rests, 1) if url in urls)
        backed = tuple(number for number in statements if len(rests[number - 1]) > 1)
        href = url if url.startswith(("https://", "http://")) else ""
        views.append(SourceView(quotes[0].source, href, len(quotes), statements, backed))
    return tuple(views)


def _tasks(plans: Sequence[Planned], ended: Sequence[Task]) -> tuple[Task, ...]:
    """Return the tasks of the last plan, as they ended."""
    settled: dict[str, Any] = {task.id: task for task in ended}
    return tuple(settled.get(task.id, task) for task in (plans[-1].tasks if plans else ()))


def _prompts(effects: Mapping[Key, Effect]) -> tuple[dict[str, tuple[str, ...]], tuple[str, ...]]:
    """Return what models were asked, by lane, and the system messages, each once."""
    asked: dict[str, tuple[str, ...]] = {}
    instructions: dict[str, None] = {}
    for key, effect in effects.items():
        if key.kind == "model":
            messages = json.loads(effect.request)["messages"]
            instructions |= {message["content"]: None for message in messages if message["role"] == "system"}
            told = "\n\n".join(message["content"] for message in messages if message["role"] != "system")
            asked[key.lane] = (*asked.get(key.lane, ()), told)
    return asked, tuple(instructions)


def _step(step: StoryStep, receipts: Receipts, prompts: tuple[str, ...]) -> StepView:
    numbers = tuple(filter(None, (receipts.number(item) for item in step.evidence)))
    action = f"answer(short={step.action['short']})" if "short" in step.action else short_action(step.action)
    return StepView(step, action, numbers, prompts)
