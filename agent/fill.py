"""Fills the form of an answer in: data that fit a schema, or a table. Code finds the receipt of every value.

The model fills the form in from the evidence; it is not asked for citations, and would not be believed. A value
has a receipt when evidence holds it: its numbers and names, and most of its words. Values of an enumeration, and
yes or no, are judgements of the model, which no evidence can hold.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crowquill.agent.answer import Candidate, Output
from crowquill.agent.critic.grounding import says, searchable
from crowquill.agent.form import Form
from crowquill.agent.lane import Lane
from crowquill.agent.models.base import Request
from crowquill.agent.prompting import Instruction, prompt
from crowquill.agent.render import evidence_block, fence
from crowquill.memory.evidence import Evidence, Table
from crowquill.memory.textual import fold
from crowquill.memory.untrusted import Untrusted
from crowquill.memory.verify import word_coverage

_TOKENS = 2000
_RECEIPTS = 4
"""Pieces of evidence that together may hold one value."""
Pointer = str
"""Where a value stands, as a JSON pointer (RFC 6901)."""


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
            {"schema": Instruction(json.dumps(form.asked, ensure_ascii=False, sort_keys=True))},
            evidence=evidence_block(evidence, seed),
            answer=fence(Untrusted(" ".join(claim.text for claim in candidate.claims), "answer"), seed),
            objective=objective,
        )
        reply = await lane.complete(Request("write", messages, _TOKENS, form.asked))
        data = reply.parsed if reply.parsed is not None else {}
    leaves = sorted(_leaves(data, form.asked, "", ""), key=lambda leaf: leaf.pointer)  # JSON objects have no order
    receipts = {leaf.pointer: _receipts(leaf, evidence) for leaf in leaves}
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
        missing=tuple(
            leaf.pointer for leaf in leaves if not receipts[leaf.pointer] and not _is_given(leaf, objective)
        ),
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
    elif _is_fact(value, schema):
        yield _Leaf(at, value, beside)


def _is_fact(value: Any, schema: Mapping[str, Any]) -> bool:
    judged = isinstance(value, bool) or "enum" in schema or "const" in schema
    return isinstance(value, str | int | float) and value != "" and not judged


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _is_given(leaf: _Leaf, objective: str) -> bool:
    """Say whether a value is what the user has written, such as the statement that is to be checked."""
    return fold(str(leaf.value)).casefold() in fold(objective).casefold()


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
