"""Translations of quotes for whoever asked in another language, shown beside the quote and never in its place.

A model makes them, and they are marked so. Code looks at their numbers and at how near they are in meaning: a
translation that changes one, or says something else (weak models repeat the question), is left out.
"""

import asyncio
from collections.abc import Sequence

from crowquill.agent.critic.across import is_across
from crowquill.agent.critic.closeness import CLOSE_ACROSS, closest
from crowquill.agent.critic.faults import number_faults
from crowquill.agent.critic.grounding import repeats
from crowquill.agent.lane import Lane
from crowquill.agent.models.base import Request
from crowquill.agent.prompting import prompt
from crowquill.agent.render import fence, one_line
from crowquill.agent.schemas import object_schema
from crowquill.memory.evidence import Evidence, Quote
from crowquill.memory.untrusted import Untrusted

MOST = 8
"""Quotes of an answer that are translated."""
_LONGEST = 600
"""Characters of a quote up to which it is translated."""

Translations = tuple[tuple[int, str], ...]
"""Pairs of the number of a piece of evidence, from 1, and its translation."""


async def translations(objective: str, evidence: Sequence[Evidence], lane: Lane) -> Translations:
    """Translate the quotes that are written in another alphabet than the question, in one call.

    Raises:
        ModelError: the model failed.
        BudgetExceeded: the call cannot be paid.
    """
    foreign = [
        (number, item.text)
        for number, item in enumerate(evidence, 1)
        if isinstance(item, Quote) and len(item.text) <= _LONGEST and is_across(item.text, objective)
    ][:MOST]
    if not foreign:
        return ()
    quotes = "\n".join(f"{place}. {one_line(text, _LONGEST)}" for place, (_, text) in enumerate(foreign, 1))
    messages = prompt("translate").messages(
        objective=objective, quotes=fence(Untrusted(quotes, "quotes"), lane.services.seed)
    )
    entry = {"type": "string", "maxLength": 2 * _LONGEST}
    each = {"type": "array", "items": entry, "minItems": len(foreign), "maxItems": len(foreign)}
    room = 50 + sum(len(text) for _, text in foreign)
    reply = await lane.complete(Request("write", messages, room, object_schema({"translations": each})))
    made = [one_line(text, 2 * _LONGEST) for text in (reply.parsed or {}).get("translations", ())]
    pairs = zip(foreign, made, strict=False)
    return tuple([(number, said) for (number, text), said in pairs if await _is_faithful(said, text, objective)])


async def _is_faithful(said: str, text: str, objective: str) -> bool:
    """Say whether a translation is in the alphabet of the question, with the quote's numbers, and says alike."""
    if not said or is_across(said, objective) or repeats(said, objective):
        return False
    if number_faults(said, [text]) or number_faults(text, [said]):
        return False
    return (await asyncio.to_thread(closest, said, [text]))[0] >= CLOSE_ACROSS
