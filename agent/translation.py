"""Translations of quotes for whoever asked in another language, shown beside the quote and never in its place.

A model makes them, and they are marked so. Code looks at their numbers: a translation that changes one is left out.
"""

from collections.abc import Sequence

from crowquill.agent.critic.faults import number_faults
from crowquill.agent.lane import Lane
from crowquill.agent.models.base import Request
from crowquill.agent.prompting import prompt
from crowquill.agent.render import fence, one_line
from crowquill.agent.schemas import object_schema
from crowquill.memory.evidence import Evidence, Quote
from crowquill.memory.textual import is_cyrillic
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
        if isinstance(item, Quote)
        and len(item.text) <= _LONGEST
        and is_cyrillic(item.text) != is_cyrillic(objective)
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
    return tuple(
        (number, said)
        for (number, text), said in zip(foreign, made, strict=False)
        if said and is_cyrillic(said) == is_cyrillic(objective) and not number_faults(said, [text])
    )
