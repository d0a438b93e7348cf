"""Another draft from evidence that is there already."""

from collections.abc import Sequence

from crowquill.agent.annotate import answer_pattern
from crowquill.agent.answer import Draft
from crowquill.agent.config import PolicyName
from crowquill.agent.critic.checks import is_unknown
from crowquill.agent.episode import read_draft
from crowquill.agent.guided_answers import read_answer
from crowquill.agent.lane import Lane
from crowquill.agent.models.base import Request
from crowquill.agent.prompting import prompt
from crowquill.agent.render import evidence_block
from crowquill.agent.schemas import reading_schema
from crowquill.agent.state import State
from crowquill.agent.writer import write
from crowquill.memory.evidence import Evidence
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
    messages = prompt("read").messages(evidence=evidence_block(evidence, lane.services.seed), objective=objective)
    schema = reading_schema(evidence, answer_pattern(objective))
    reply = await lane.complete(Request("act", messages, 120, schema, logprobs=True))
    state = State(objective, Task("read", objective), evidence=tuple(evidence))
    action = read_answer(state, reply.parsed if reply.parsed is not None else {}, reply)
    return read_draft(action.args) if action.tool == "answer" else None
