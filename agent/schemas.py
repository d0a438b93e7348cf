"""JSON schemas of what a model is asked for."""

from collections.abc import Sequence
from typing import Any

from crowquill.memory.evidence import Evidence


def cited_schema(evidence: Sequence[Evidence], fields: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of an object with these fields, behind the numbers of one to four of the evidence."""
    numbers = list(range(1, len(evidence) + 1))
    quotes = {"type": "array", "items": {"type": "integer", "enum": numbers}, "minItems": 1, "maxItems": 4}
    return object_schema({"quotes": quotes, **fields})


def object_schema(properties: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of an object that has all of these properties, and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def reading_schema(evidence: Sequence[Evidence], pattern: str | None, opening: str = "") -> dict[str, Any]:
    """Return the schema of a sentence and a short answer that cite evidence; `opening` matches its start."""
    sentence = {"pattern": f'^{opening}[^"]{{3,220}}$'} if opening else {"maxLength": 240}
    return cited_schema(evidence, {"sentence": {"type": "string", **sentence}, "answer": short_schema(pattern)})


def short_schema(pattern: str | None) -> dict[str, Any]:
    """Return the schema of a short answer, of the kind that the pattern allows if there is one."""
    return {"type": "string", "maxLength": 80} if pattern is None else {"type": "string", "pattern": pattern}
