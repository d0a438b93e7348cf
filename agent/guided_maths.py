"""The word problems of the guided policy: what is to be calculated from the numbers of the question."""

from crowquill.agent.critic.checks import unfounded_numbers
from crowquill.agent.lane import Lane
from crowquill.agent.models.base import Request
from crowquill.agent.models.faults import UnusableReply
from crowquill.agent.prompting import prompt
from crowquill.agent.schemas import object_schema
from crowquill.agent.worked import program_of


async def reasoned(lane: Lane, question: str) -> str:
    """Have the model reason in free words, and return what it calculates, as far as code can stand for it."""
    messages = prompt("reason").messages(objective=question)
    try:
        reply = await lane.complete(Request("act", messages, 400))
    except UnusableReply:  # it talks on until it is cut off
        return ""
    found = program_of(reply.text, question)
    return "" if unfounded_numbers(found, [question]) else found


async def program(lane: Lane, question: str) -> str:
    """Ask for named steps, each a formula of the question's numbers and of steps before it."""
    fields = {
        "name": {"type": "string", "pattern": "^[a-z][a-z_]{1,30}$"},
        "value": {"type": "string", "pattern": "^[a-z0-9_. ()+*/%-]{1,80}$"},
    }
    schema = object_schema(
        {"steps": {"type": "array", "items": object_schema(fields), "minItems": 1, "maxItems": 10}}
    )
    reply = await lane.complete(Request("act", prompt("program").messages(objective=question), 300, schema))
    steps = reply.parsed["steps"] if reply.parsed is not None else []
    return "; ".join(f"{step['name']} = {step['value']}" for step in steps)
