"""The form of an answer: data that fit a schema, or a table, in which code finds the receipt of every value.

The model fills the form in from the evidence; it is not asked for citations, and would not be believed. A value has a
receipt when evidence holds it: its numbers and names, and most of its words. Values of an enumeration, and yes or no,
are judgements of the model; no evidence can hold them, and they are told apart.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from crowquill.agent.answer import Candidate, Output
from crowquill.agent.critic.grounding import says, searchable
from crowquill.agent.lane import Lane
from crowquill.agent.models.base import Request
from crowquill.agent.prompting import prompt
from crowquill.agent.render import evidence_block, fence
from crowquill.agent.schemas import object_schema
from crowquill.memory.evidence import Evidence, Table
from crowquill.memory.untrusted import Untrusted
from crowquill.memory.verify import word_coverage

Format = Literal["text", "markdown", "json", "csv", "html"]
MAX_ROWS = 100
_TOKENS = 2000
_RECEIPTS = 4
"""Pieces of evidence that together may hold one value."""
Pointer = str
"""Where a value stands, as a JSON pointer (RFC 6901)."""


@dataclass(frozen=True, slots=True)
class Form:
    """What is wanted: for `json` a JSON Schema of an object, for `csv` the names of the columns."""

    format: Format = "text"
    schema: Mapping[str, Any] = field(default_factory=dict)
    columns: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Form":
        """Restore what `dataclasses.asdict` gave."""
        return cls(**{**data, "columns": tuple(data.get("columns", ()))})

    @property
    def is_filled_in(self) -> bool:
        """Whether the model is asked for it; the other forms are views of the answer."""
        return self.format in ("json", "csv")

    @property
    def asked(self) -> dict[str, Any]:
        """The schema of what the model is asked for."""
        if self.format == "json":
            return dict(self.schema)
        cell = {"type": ["string", "null"], "maxLength": 300}
        rows = {"type": "array", "maxItems": MAX_ROWS, "items": object_schema(dict.fromkeys(self.columns, cell))}
        return object_schema({"rows": rows})


@dataclass(frozen=True, slots=True)
class _Leaf:
    pointer: Pointer
    value: str | int | float
    beside: str
    """The other texts of the same object, which say what the value is about."""


async def fill_in(
    form: Form, candidate: Candidate, found: Sequence[Evidence], *, objective: str, lane: Lane
) -> tuple[Output, tuple[Evidence, ...]]:
    """Fill a form in; return it with the candidate's evidence, to which more of what was found is added as needed.

    A query result that has all the columns of a table is that table, without a model.

    Raises:
        ModelError: the model failed.
        BudgetExceeded: the call cannot be paid.
    """
    own = {item.id for item in candidate.evidence}
    evidence = [*candidate.evidence, *(item for item in found if item.id not in own)]
    data = _queried(form, evidence)
    if data is None:
        seed = lane.services.seed
        messages = prompt("fill").messages(
            evidence=evidence_block(evidence, seed),
            answer=fence(Untrusted(" ".join(claim.text for claim in candidate.claims), "answer"), seed),
            objective=objective,
            schema=json.dumps(form.asked, ensure_ascii=False),
        )
        reply = await lane.complete(Request("write", messages, _TOKENS, form.asked))
        data = reply.parsed if reply.parsed is not None else {}
    receipts = {leaf.pointer: _receipts(leaf, evidence) for leaf in _leaves(data, form.asked, "", "")}
    used = {number for numbers in receipts.values() for number in numbers}
    kept = [number for number in range(1, len(evidence) + 1) if number <= len(own) or number in used]
    renumbered = {number: place for place, number in enumerate(kept, 1)}
    output = Output(
        format=form.format,
        data=data,
        receipts=tuple(
            (pointer, tuple(renumbered[number] for number in numbers))
            for pointer, numbers in receipts.items()
            if numbers
        ),
        missing=tuple(pointer for pointer, numbers in receipts.items() if not numbers),
    )
    return output, tuple(evidence[number - 1] for number in kept)


def _queried(form: Form, evidence: Sequence[Evidence]) -> dict[str, Any] | None:
    """Return a query result that has all the columns as data, None when there is none."""
    for table in evidence:
        places = {name.casefold(): at for at, name in enumerate(table.columns)} if isinstance(table, Table) else {}
        if form.columns and isinstance(table, Table) and all(name.casefold() in places for name in form.columns):
            return {"rows": [{name: row[places[name.casefold()]] for name in form.columns} for row in table.rows]}
    return None


def _leaves(value: Any, schema: Mapping[str, Any], at: Pointer, beside: str) -> Iterator[_Leaf]:
    """Yield the values that need a receipt."""
    if isinstance(value, dict):
        parts = schema.get("properties", {})
        texts = " ".join(str(part) for part in value.values() if isinstance(part, str | int | float))
        for name, part in value.items():
            yield from _leaves(part, parts.get(name, {}), f"{at}/{_escaped(name)}", texts)
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from _leaves(part, schema.get("items", {}), f"{at}/{index}", beside)
    elif isinstance(value, str | int | float) and not isinstance(value, bool) and value != "":
        if "enum" not in schema and "const" not in schema:
            yield _Leaf(at, value, beside)


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _receipts(leaf: _Leaf, evidence: Sequence[Evidence]) -> tuple[int, ...]:
    """Return the numbers of the evidence that holds a value: one piece if one is enough, that which is about it."""
    value = str(leaf.value)
    texts = [searchable(item) for item in evidence]
    holding = [at for at, text in enumerate(texts) if says(value, text)]
    if holding:
        return (max(holding, key=lambda at: word_coverage(leaf.beside, texts[at])) + 1,)
    nearest = sorted(range(len(texts)), key=lambda at: -word_coverage(value, texts[at]))[:_RECEIPTS]
    for count in range(2, len(nearest) + 1):
        if says(value, "\n".join(texts[at] for at in nearest[:count])):
            return tuple(sorted(at + 1 for at in nearest[:count]))
    return ()
