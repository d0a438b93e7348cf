"""The episode: the action loop that works off one task."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from crowquill.agent.answer import Draft, DraftClaim
from crowquill.agent.approvals import ApprovalRequest
from crowquill.agent.custom import access_of, call_custom
from crowquill.agent.events import Acted, Noticed, Observed, TaskFinished, TaskStarted
from crowquill.agent.lane import Lane, hosts_in
from crowquill.agent.rules import CLEAN
from crowquill.agent.state import ENDINGS, Action, State, Step
from crowquill.agent.toolkit import Toolkit
from crowquill.errors import BudgetExceeded, ModelError, ToolError
from crowquill.memory.evidence import Evidence
from crowquill.tasks.task import Task
from crowquill.tools.observation import Observation

Ended = Literal["answered", "not_found", "refused", "budget", "stalled", "error"]

_REPEATS = 3
"""Equal (tool, arguments, result) triples, or failures in a row, from which an episode counts as stalled."""


class Policy(Protocol):
    """Chooses the next action; it may call the model zero or more times."""

    async def next(self, state: State, legal: frozenset[str]) -> Action:
        """Return an action among `legal`."""
        ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an episode ended: the settled task, the draft it answered with, its evidence, and why it ended."""

    task: Task
    draft: Draft | None
    evidence: tuple[Evidence, ...]
    ended: Ended
    why: str = ""
    steps: tuple[Step, ...] = ()


class _LoopGuard:
    """Notices an episode that does the same again and again: A-A-A, A-B-A-B, or failure after failure."""

    def __init__(self) -> None:
        self._prints: list[str] = []
        self._failures = 0

    def stalled(self, action: Action, result: str, *, failed: bool) -> bool:
        text = f"{action.tool} {sorted(action.args.items())!r} {result}"
        self._prints.append(hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest())
        self._failures = self._failures + 1 if failed else 0
        last = self._prints[-4:]
        ping_pong = len(last) == 4 and last[:2] == last[2:] and last[0] != last[1]
        return self._failures >= _REPEATS or self._prints.count(self._prints[-1]) >= _REPEATS or ping_pong


async def run_episode(state: State, policy: Policy, toolkit: Toolkit, lane: Lane) -> Outcome:
    """Work off `state.task` until the policy answers, gives up, stalls or runs out of budget.

    A stall or a spent budget leaves one last action, which must be an answer or an honest end.
    """
    await lane.emit(TaskStarted(state.task))
    guard = _LoopGuard()
    last_reason: Literal["budget", "stalled"] | None = None
    why = ""
    while True:
        lane.step = len(state.steps) + 1
        if last_reason is None:
            try:
                await lane.tick()
                lane.ledger.take_step()
            except BudgetExceeded as limit:
                if await lane.may_go_on(limit):
                    continue
                last_reason, why = "budget", str(limit)
        if last_reason is not None:
            lane.ledger.open_reserve()
        state = replace(state, steps_left=lane.ledger.steps_left)
        legal = ENDINGS if last_reason is not None else _payable(toolkit.legal(state), lane)
        try:
            action = lane.redirect(await policy.next(state, legal))
        except BudgetExceeded as limit:
            if last_reason is None:
                if not await lane.may_go_on(limit):
                    last_reason, why = "budget", str(limit)
                continue
            return await _end(state, lane, None, last_reason, str(limit))
        except ModelError as error:
            if error.kind not in ("malformed", "length"):
                return await _end(state, lane, None, "error", str(error))
            if last_reason is not None:
                return await _end(state, lane, None, last_reason, why)
            state = state.failed(Action("reply"), str(error))
            await lane.emit(Observed(lane.step, "reply", "failed", str(error)))
            if guard.stalled(Action("reply"), str(error), failed=True):
                last_reason, why = "stalled", "the model's replies cannot be read"
            continue
        await lane.emit(Acted(lane.step, action.tool, dict(action.args), action.thought))
        if action.tool in ENDINGS and action.tool in legal:
            return await _finish(action, state, lane, last_reason, why)
        if last_reason is not None:
            return await _end(state, lane, None, last_reason, why)
        state = await _act(action, state, legal, toolkit, lane)
        step = state.steps[-1]
        shown = state.view.sha256 if state.view is not None else ""
        if guard.stalled(action, step.error if step.error else shown, failed=bool(step.error)):
            last_reason, why = "stalled", "the same steps brought nothing new"
            await lane.emit(
                Noticed(f"task {state.task.id} is going round in circles; answering with what there is")
            )


def _payable(legal: frozenset[str], lane: Lane) -> frozenset[str]:
    """Return the actions without the tools of which the budget allows no more calls."""
    left = frozenset(name for name in legal if not lane.ledger.used_up(name))
    return left if left else ENDINGS


async def _act(action: Action, state: State, legal: frozenset[str], toolkit: Toolkit, lane: Lane) -> State:
    """Call the tool and record what came back; a refusal is one line that the model can act on."""
    try:
        observation = await _call(action, legal, toolkit, lane)
    except ToolError as error:
        await lane.emit(Observed(lane.step, action.tool, "failed", str(error)))
        return state.failed(action, str(error))
    following = state.after(action, observation)
    if action.tool not in CLEAN and (observation.text or observation.evidence):
        lane.rules.taint(observation.text.source)
    await lane.emit(Observed(lane.step, action.tool, observation.status))
    for evidence in following.evidence[len(state.evidence) :]:
        await lane.take(evidence)
    return following


async def _call(action: Action, legal: frozenset[str], toolkit: Toolkit, lane: Lane) -> Observation:
    if action.tool not in legal:
        raise ToolError(f"{action.tool} is not possible now; possible: {', '.join(sorted(legal))}")
    entry = toolkit.tools[action.tool]
    lane.ledger.take_call(action.tool)
    access = await access_of(entry, action.args, lane)
    hosts = hosts_in(action.args.values())
    await lane.judge(ApprovalRequest(entry.name, access, action.args, hosts=hosts, usd=entry.usd))
    if entry.custom:
        return await call_custom(entry, action.args, lane, access)
    return await entry.call(action.args, lane)


async def _finish(
    action: Action, state: State, lane: Lane, last_reason: Literal["budget", "stalled"] | None, why: str
) -> Outcome:
    if action.tool == "give_up":
        reason = str(action.args.get("reason", "not_found"))
        ended: Ended = "refused" if reason in ("nonsense", "controversial") else "not_found"
        note = str(action.args.get("note", "")) if last_reason is None else why
        return await _end(state, lane, None, ended if last_reason is None else last_reason, note)
    draft = read_draft(action.args)
    return await _end(state, lane, draft, "answered" if last_reason is None else last_reason, why)


def read_draft(args: Mapping[str, object]) -> Draft:
    """Read the arguments of an `answer` action."""
    claims = args.get("claims")
    confidence = args.get("confidence")
    return Draft(
        short=str(args.get("short", "")).strip(),
        claims=tuple(
            DraftClaim(str(claim["text"]).strip(), tuple(int(number) for number in claim["cites"]))
            for claim in (claims if isinstance(claims, list | tuple) else ())
        ),
        confidence=confidence if isinstance(confidence, float) else None,
    )


async def _end(state: State, lane: Lane, draft: Draft | None, ended: Ended, why: str) -> Outcome:
    result = None if draft is None else " ".join([f"{draft.short}:", *(claim.text for claim in draft.claims)])
    task = replace(
        state.task,
        status="failed" if draft is None else "done",
        result=result,
        evidence=tuple(evidence.id for evidence in state.evidence),
    )
    await lane.emit(TaskFinished(task, why))
    return Outcome(task, draft, state.evidence, ended, why, state.steps)
