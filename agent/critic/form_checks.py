"""Has the answer the form that was asked for? Code only; what is wrong stands in the verdict."""

from collections import Counter
from collections.abc import Iterator, Sequence

from crowquill.agent.answer import Claim, Output
from crowquill.agent.form import Form

_SHOWN = 3
"""Findings of one kind that are told one by one."""


def form_problems(form: Form, output: Output | None, claims: Sequence[Claim]) -> list[str]:
    """Return what is wrong with the form of an answer."""
    found: list[str] = []
    words = sum(len(claim.text.split()) for claim in claims)
    if form.max_words and words > form.max_words:
        found.append(f"the answer has {words} words, at most {form.max_words} were asked for")
    if not form.is_filled_in:
        return found
    if output is None:
        return [*found, f"there is no {form.format} output"]
    found += _few(_unfit(form, output)) if form.format == "json" else _of_table(form, output)
    return found + _few(f"no receipt for {pointer} in the output" for pointer in output.missing)


def _unfit(form: Form, output: Output) -> Iterator[str]:
    from jsonschema import Draft202012Validator  # 0.1 s, and only an output that has a schema needs it

    for error in Draft202012Validator(dict(form.schema)).iter_errors(output.data):
        where = "/".join(map(str, error.absolute_path))
        yield f"the output does not fit its schema at /{where}: {error.message[:120]}"


def _of_table(form: Form, output: Output) -> list[str]:
    rows = output.data.get("rows", [])
    if not rows:
        return ["the table has no rows"]
    empty = [name for name in form.columns if all(row.get(name) in (None, "") for row in rows)]
    twice = sum(count - 1 for count in Counter(str(sorted(row.items())) for row in rows).values())
    found = [f"the column {name!r} is empty" for name in empty]
    return [*found, f"rows of the table that stand twice: {twice}"] if twice else found


def _few(found: Iterator[str]) -> list[str]:
    every = list(found)
    more = len(every) - _SHOWN
    return every[:_SHOWN] + ([f"and {more} more of this kind"] if more > 0 else [])
