"""Fills the inputs of a task file in: `{{name}}` is replaced by a value once, and by nothing that computes.

Only texts that say what is asked, where to look and what is expected are filled in; models, tools and limits are
not. What stands between the braces and is no name, such as `{{7*7}}`, stays as it is, and so do the values.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crowquill.errors import UserError
from crowquill.tasks.spec import InputSpec, RunSpec, Scalar
from crowquill.tasks.yaml_text import nearest

_PLACEHOLDER = re.compile(r"\{\{ ?([a-z][a-z0-9_]{0,63}) ?\}\}")
_FILLED = ("objective", "corpus", "db", "data", "sites", "output", "expect")
LONGEST = 200_000
"""Characters of an objective with everything filled in."""


@dataclass(frozen=True, slots=True)
class Case:
    """One run of a task file: everything filled in, and the values that were."""

    name: str
    spec: RunSpec
    inputs: Mapping[str, Scalar]


def cases(spec: RunSpec, given: Mapping[str, str], folder: Path, name: str) -> list[Case]:
    """Return the runs of a task file, one for each combination of its matrix.

    `given` are the values of the person who runs it; an input that the matrix varies is not given. `folder` is that
    of the file, beside which the paths of its defaults are looked up.

    Raises:
        UserError: an input is missing, unknown or of another type, or a combination makes an unusable task.
    """
    declared = spec.declared()
    if unknown := sorted(set(given) - set(declared)):
        raise UserError(f"{name}: there is no input {unknown[0]!r}{nearest(unknown[0], declared)}")
    found = []
    for row in spec.variants():
        values = {key: _value(key, entry, given, row, folder) for key, entry in declared.items()}
        if missing := [key for key, value in values.items() if value is None]:
            what = declared[missing[0]].description
            hint = f" ({what})" if what else ""
            raise UserError(f"{name}: the input {missing[0]!r}{hint} is missing: --input {missing[0]}=…")
        known = {key: value for key, value in values.items() if value is not None}
        filled = fill(spec, known, name)
        if "model" in row:
            filled = filled.model_copy(update={"model": str(row["model"])})
        label = ", ".join(f"{key}={value}" for key, value in row.items())
        found.append(Case(f"{name} [{label}]" if label else name, filled, known))
    return found


def _value(
    key: str, entry: InputSpec, given: Mapping[str, str], row: Mapping[str, Scalar], folder: Path
) -> Scalar | None:
    value: Scalar | None = row.get(key, given.get(key, entry.default))
    if value is None:
        return None
    if entry.type == "path":
        base = Path.cwd() if key in given and key not in row else folder
        return str(base / Path(str(value)).expanduser())
    if entry.type == "number" and isinstance(value, str):
        value = _number(key, value)
    allowed = [*map(str, entry.choices)]
    if allowed and str(value) not in allowed:
        raise UserError(f"input {key}: {value!r} is none of {', '.join(allowed)}{nearest(str(value), allowed)}")
    return value


def _number(key: str, text: str) -> float:
    try:
        return float(text.replace(",", ""))
    except ValueError:
        raise UserError(f"input {key}: {text!r} is no number") from None


def fill(spec: RunSpec, values: Mapping[str, Scalar], name: str) -> RunSpec:
    """Return the task with `{{name}}` replaced. Raises UserError when a name is no input, or it is no task then."""
    content = spec.model_dump(by_alias=True, exclude_unset=True)
    filled = {key: _fill(part, values, name) if key in _FILLED else part for key, part in content.items()}
    number = (filled.get("expect") or {}).get("number")
    if isinstance(number, dict) and isinstance(number.get("value"), str):
        number["value"] = _number("of expect.number", number["value"])
    if len(filled["objective"]) > LONGEST:
        raise UserError(f"{name}: the objective has more than {LONGEST} characters with its inputs filled in")
    try:
        return RunSpec.model_validate(filled)
    except ValueError as error:
        first = str(error).splitlines()[1:3]
        raise UserError(f"{name}: with these inputs it is no task: {' '.join(' '.join(first).split())}") from None


def _fill(part: Any, values: Mapping[str, Scalar], name: str) -> Any:
    if isinstance(part, str):
        return _PLACEHOLDER.sub(lambda match: _text(match[1], values, name), part)
    if isinstance(part, dict):
        return {key: _fill(value, values, name) for key, value in part.items()}
    if isinstance(part, Sequence):
        return [_fill(value, values, name) for value in part]
    return part


def _text(key: str, values: Mapping[str, Scalar], name: str) -> str:
    if key not in values:
        hint = nearest(key, values) or "; declare it under inputs:"
        raise UserError(f"{name}: {{{{{key}}}}} is no input{hint}")
    value = values[key]
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.0f}" if isinstance(value, float) and value.is_integer() else str(value)


def placeholders(spec: RunSpec) -> set[str]:
    """Return the names that stand between double braces."""
    content = spec.model_dump(by_alias=True, exclude_unset=True)
    return {name for key in _FILLED if key in content for name in _PLACEHOLDER.findall(str(content[key]))}
