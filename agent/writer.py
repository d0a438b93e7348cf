"""The writer: composes the answer of a run with several tasks, from their results and evidence only."""

from collections.abc import Sequence

from crowquill.agent.answer import Candidate, Claim, Draft, DraftClaim
from crowquill.agent.episode import read_draft
from crowquill.agent.lane import Lane
from crowquill.agent.models.base import Request
from crowquill.agent.policy import claims_schema
from crowquill.agent.prompting import prompt
from crowquill.agent.render import clean, evidence_block, fence
from crowquill.memory.evidence import Evidence
from crowquill.memory.untrusted import Untrusted
from crowquill.tasks.task import Task


async def write(objective: str, tasks: Sequence[Task], evidence: Sequence[Evidence], lane: Lane) -> Draft:
    """Ask for the answer; a draft without claims says that the evidence does not hold it.

    Raises:
        ModelError: the model failed.
        BudgetExceeded: not even the reserve pays for the call.
    """
    seed = lane.services.seed
    results = [fence(Untrusted(f"{task.goal}\n{task.result}", task.id), seed) for task in tasks if task.result]
    messages = prompt("write").messages(
        persona=lane.services.persona,
        objective=objective,
        evidence=evidence_block(evidence, seed),
        results="\n".join(results) if results else "(none)",
    )
    schema = claims_schema(list(range(1, len(evidence) + 1)))
    reply = await lane.complete_whole(Request("write", messages, 900, schema))
    return read_draft(reply.parsed if reply.parsed is not None else {})


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


def compose(candidate: Candidate) -> str:
    """Return the answer's text: the claims in order, each with its citations, unsupported ones marked."""
    return " ".join(_sentence(claim, candidate.evidence) for claim in candidate.claims)


def _sentence(claim: Claim, evidence: Sequence[Evidence]) -> str:
    numbers = {item.id: number for number, item in enumerate(evidence, 1)}
    marks = "".join(f"[{numbers[receipt.evidence.id]}]" for receipt in claim.support)
    text = clean(claim.text)
    flag = " (no receipt)" if claim.status == "unsupported" else ""
    return f"{text} {marks}{flag}".rstrip() if marks or flag else text
