"""Another draft from evidence that is there already."""

from collections.abc import Sequence
from typing import Any

from crowquill.agent.answer import Draft, DraftClaim
from crowquill.agent.config import PolicyName
from crowquill.agent.critic.checks import is_unknown
from crowquill.agent.episode import read_draft
from crowquill.agent.guided_reader import Reader
from crowquill.agent.lane import Lane
from crowquill.agent.models.base import Request
from crowquill.agent.policy import claims_schema
from crowquill.agent.prompting import prompt
from crowquill.agent.render import evidence_block, fence
from crowquill.agent.schemas import object_schema
from crowquill.agent.select.attempt import Attempt
from crowquill.agent.select.search import Beginning
from crowquill.agent.state import State
from crowquill.agent.writer import compose, write
from crowquill.memory.evidence import Evidence
from crowquill.memory.untrusted import Untrusted
from crowquill.tasks.task import Task


async def redraft(lane: Lane, policy: PolicyName, objective: str, evidence: Sequence[Evidence]) -> Draft | None:
    """Ask for an answer from the evidence; None when it says that there is none. The lane draws it at random.

    Raises:
        ModelError: the model failed.
        BudgetExceeded: the call cannot be paid.
    """
    if policy == "guided":
        return await _read(lane, objective, evidence)
    draft = await write(objective, (), evidence, lane)
    return draft if draft.claims and not is_unknown(draft.short) else None


async def _read(lane: Lane, objective: str, evidence: Sequence[Evidence]) -> Draft | None:
    """Read once more as the guided policy does, whose prompt small models understand."""
    state = State(objective, Task("read", objective), evidence=tuple(evidence))
    action = await Reader(lane).read(state)
    return read_draft(action.args) if action.tool == "answer" else None


async def debated(
    lane: Lane, objective: str, evidence: Sequence[Evidence], others: Sequence[Attempt]
) -> Draft | None:
    """Ask for an answer after reading what others have answered. Raises as `redraft`."""
    seed = lane.services.seed
    told = [fence(Untrusted(compose(other.candidate), f"answer {other.number}"), seed) for other in others]
    messages = prompt("debate").messages(
        evidence=evidence_block(evidence, seed), objective=objective, others="\n".join(told)
    )
    schema = claims_schema(list(range(1, len(evidence) + 1)))
    reply = await lane.complete(Request("write", messages, 900, schema))
    draft = read_draft(reply.parsed if reply.parsed is not None else {})
    return draft if draft.claims and not is_unknown(draft.short) else None


async def next_statement(
    lane: Lane, objective: str, evidence: Sequence[Evidence], so_far: Beginning, draw: int
) -> Beginning:
    """Ask for one more statement of an answer, without a value yet. Raises as `redraft`."""
    seed = lane.services.seed
    lines = "\n".join(f"- {claim.text}" for claim in so_far.claims)
    messages = prompt("next").messages(
        evidence=evidence_block(evidence, seed),
        objective=objective,
        statements=fence(Untrusted(lines, "statements"), seed) if lines else "(none yet)",
    )
    cites = {
        "type": "array",
        "items": {"type": "integer", "enum": list(range(1, len(evidence) + 1))},
        "maxItems": 4,
    }
    text = {"type": "string", "maxLength": 300}
    schema = object_schema({"text": text, "cites": cites, "short": {"type": "string", "maxLength": 120}})
    reply = await lane.complete(Request("write", messages, 220, schema, seed=draw))
    nothing: dict[str, Any] = {"text": "", "cites": (), "short": so_far.short}
    parsed = reply.parsed if reply.parsed is not None else nothing
    said, short = str(parsed["text"]).strip(), str(parsed["short"]).strip()
    claims = (*so_far.claims, DraftClaim(said, tuple(parsed["cites"]))) if said else so_far.claims
    return Beginning(short if short else so_far.short, claims, is_done=not said)
