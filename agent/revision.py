"""The one revision: statements that code has found fault with are mended, and no others."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from crowquill.agent.answer import Candidate, Claim, DraftClaim
from crowquill.agent.critic.checks import check_claim
from crowquill.agent.events import Noticed, Revised
from crowquill.agent.lane import Lane
from crowquill.agent.models.base import Request
from crowquill.agent.prompting import prompt
from crowquill.agent.render import evidence_block, fence
from crowquill.agent.schemas import object_schema
from crowquill.errors import BudgetExceeded, ModelError
from crowquill.memory.evidence import Evidence
from crowquill.memory.untrusted import Untrusted

_LONGEST = 400
"""Characters of a mended statement."""


async def mend(candidate: Candidate, evidence: Sequence[Evidence], objective: str, lane: Lane) -> Candidate:
    """Return the candidate with its statements without receipts mended, or left out where nothing says them.

    What is offered counts only when it has receipts, so nothing can be damaged; what is not mended stays, marked.
    """
    flagged = [claim for claim in candidate.claims if claim.status == "unsupported"]
    if not flagged or not evidence:
        return candidate
    try:
        offered = await _ask(flagged, evidence, objective, lane)
    except (BudgetExceeded, ModelError) as error:
        await lane.emit(Noticed(f"statements without receipts stay as they are: {error}"))
        return candidate
    mended = [
        await asyncio.to_thread(check_claim, claim, evidence, objective) if claim.text else None
        for claim in offered
    ]
    better = {
        old: new for old, new in zip(flagged, mended, strict=False) if new is None or new.status != "unsupported"
    }
    claims = dict.fromkeys(better.get(claim, claim) for claim in candidate.claims)
    kept = tuple(claim for claim in claims if claim is not None)
    fixed = sum(claim is not None for claim in better.values())
    await lane.emit(Revised(len(flagged), fixed, len(better) - fixed if kept else 0))
    return replace(candidate, claims=kept, evidence=tuple(evidence)) if kept else candidate


async def _ask(
    flagged: Sequence[Claim], evidence: Sequence[Evidence], objective: str, lane: Lane
) -> list[DraftClaim]:
    """Return what the writer offers for each statement; an empty text says that the evidence does not hold it."""
    seed = lane.services.seed
    lines = [f"{number}. {claim.text}\n   wrong: {claim.problem}" for number, claim in enumerate(flagged, 1)]
    messages = prompt("revise").messages(
        objective=objective,
        evidence=evidence_block(evidence, seed),
        statements=fence(Untrusted("\n".join(lines), "statements"), seed),
    )
    numbers = list(range(1, len(evidence) + 1))
    cites = {"type": "array", "items": {"type": "integer", "enum": numbers}, "maxItems": 4}
    entry = object_schema({"text": {"type": "string", "maxLength": _LONGEST}, "cites": cites})
    claims = {"type": "array", "items": entry, "minItems": len(flagged), "maxItems": len(flagged)}
    schema = object_schema({"claims": claims})
    reply = await lane.complete(Request("write", messages, 150 * len(flagged) + 50, schema))
    offered = reply.parsed["claims"] if reply.parsed is not None else []
    return [DraftClaim(str(each["text"]).strip(), tuple(each["cites"])) for each in offered]
