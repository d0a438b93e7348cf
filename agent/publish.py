"""Answers and events as published JSON: `schema: 1`."""

from functools import cache
from typing import Any

from pydantic import TypeAdapter

from crowquill.agent.answer import Answer
from crowquill.agent.events import Event, encode
from crowquill.memory.evidence import Evidence, Table, plain_text
from crowquill.tools.sql.words import in_words

SCHEMA = 1


@cache
def _adapter() -> TypeAdapter[Answer]:
    return TypeAdapter(Answer)


def answer_json(answer: Answer) -> dict[str, Any]:
    """Return an answer as JSON data. Claims cite evidence by number, from 1; evidence carries its id."""
    data: dict[str, Any] = {"schema": SCHEMA, **_adapter().dump_python(answer, mode="json")}
    numbers = {item.id: number for number, item in enumerate(answer.evidence, 1)}
    for claim, published in zip(answer.claims, data["claims"], strict=True):
        published["support"] = [
            {"evidence": numbers[receipt.evidence.id], "locator": entry["locator"]}
            for receipt, entry in zip(claim.support, published["support"], strict=True)
        ]
    data["evidence"] = [
        _evidence(number, item, data["evidence"][number - 1]) for number, item in enumerate(answer.evidence, 1)
    ]
    if answer.objection is not None:
        for item, entry in zip(answer.objection.evidence, data["objection"]["evidence"], strict=True):
            entry |= {"id": item.id, "shown": plain_text(item)}
    data["reward"] = {"total": answer.reward.total, "parts": dict(answer.reward.parts)}
    return data


def _evidence(number: int, item: Evidence, data: dict[str, Any]) -> dict[str, Any]:
    words = {"in_words": in_words(item.sql)} if isinstance(item, Table) else {}
    return {"number": number, "id": item.id, "shown": plain_text(item), **words, **data}


def event_json(event: Event) -> dict[str, Any]:
    """Return an event as JSON data, for a line of JSONL."""
    return {"schema": SCHEMA, **encode(event)}
