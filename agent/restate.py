"""Follow-up questions, restated so that they can be understood alone.

A model is asked only where the question leaves something out, and its words are checked by code.
"""

import re
from collections.abc import Sequence

from crowquill.agent.conversation import Conversation
from crowquill.agent.lane import Lane
from crowquill.agent.models.base import Request
from crowquill.agent.prompting import prompt
from crowquill.agent.render import fence, one_line
from crowquill.agent.schemas import object_schema
from crowquill.errors import BudgetExceeded, ModelError
from crowquill.memory.textual import content_words
from crowquill.memory.untrusted import Untrusted
from crowquill.memory.verify import missing_names, missing_numbers

_REFERS = re.compile(
    r"\b(?:it|its|they|them|their|theirs|he|him|his|she|her|hers|this|that|these|those|there|ones?|same|former|latter"
    r"|both|else|instead|он|она|оно|они|его|её|ее|их|ему|ей|им|ним|ней|нём|нем|них|эт(?:от|а|о|и|ого|ой|их|ому|им)"
    r"|т(?:ам|от|а|о|е)|обо?их|оба|обе|первый|второй|последний)\b",
    re.IGNORECASE,
)
_GOES_ON = re.compile(
    r"\s*(?:and|but|so|also|or|now|then|what about|how about|why|а|и|но|ещё|еще|тогда|почему|what else)\b",
    re.IGNORECASE,
)
_FEW = 2
"""Content words up to which a question is taken to leave something out."""


def stands_alone(question: str) -> bool:
    """Say whether a question can be understood without those before it, as far as code can tell."""
    if _REFERS.search(question) or _GOES_ON.match(question):
        return False
    return len(content_words(question)) > _FEW


async def restate(question: str, conversation: Conversation, lane: Lane) -> str:
    """Return a question so that it can be understood alone.

    What the model makes of it must keep the question's numbers and names, and bring none that the conversation does
    not have; otherwise the last question is put beside it.
    """
    if not conversation.turns or stands_alone(question):
        return question
    last = conversation.turns[-1]
    lines = [f"Q: {turn.question}\nA: {turn.answer}" for turn in conversation.turns]
    turns = fence(Untrusted("\n".join(lines), "conversation"), lane.services.seed)
    schema = object_schema({"question": {"type": "string", "maxLength": 300}})
    try:
        messages = prompt("restate").messages(turns=turns, question=question)
        reply = await lane.complete(Request("plan", messages, 120, schema))
        restated = one_line(str((reply.parsed or {}).get("question", "")), 300)
    except (BudgetExceeded, ModelError):
        restated = ""
    if restated and _is_faithful(restated, question, lines):
        return restated
    return f"{question} (after: {last.question} {last.answer})"


def _is_faithful(restated: str, question: str, lines: Sequence[str]) -> bool:
    texts = [question, *lines]
    brings = [*missing_numbers(restated, texts), *missing_names(restated, texts)]
    loses = [*missing_numbers(question, [restated]), *missing_names(question, [restated])]
    return not brings and not loses
