"""Demonstrations of earlier runs, read in as examples for a model that chooses actions by itself."""

import json
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ValidationError

from crowquill.agent.render import one_line
from crowquill.agent.story import short_action
from crowquill.errors import UserError

MOST = 8
"""Examples that are shown: whole runs from the beginning teach more than single steps, and a prompt is dear."""
_LONGEST = 300


class _Demonstration(BaseModel, extra="ignore"):
    task: str
    action: dict[str, object]
    thought: str = ""
    run: str = ""


def read_examples(path: Path) -> tuple[str, ...]:
    """Read the first demonstrations of a file that `runs export --format demonstrations` has written, a line each.

    Raises:
        UserError: the file cannot be read, or a line is no demonstration.
    """
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            lines = [line for _, line in zip(range(MOST), file, strict=False)]
    except OSError as error:
        raise UserError(f"cannot read the examples {path}: {error.strerror}") from error
    found = tuple(_examples(lines, path))
    if not found:
        raise UserError(f"{path} holds no demonstrations; make some with: crowquill runs export")
    return found


def _examples(lines: list[str], path: Path) -> Iterator[str]:
    run, past = "", ""
    for number, line in enumerate(lines, 1):
        try:
            shown = _Demonstration.model_validate(json.loads(line))
            action = short_action(dict(shown.action))
        except (ValueError, ValidationError, KeyError) as error:
            raise UserError(f"{path}, line {number}: this is no demonstration") from error
        past = past if shown.run == run else "nothing"
        yield f"Task: {one_line(shown.task, _LONGEST)} | done: {past} | next: {one_line(action, _LONGEST)}"
        tool = str(shown.action["tool"])
        run, past = shown.run, tool if past == "nothing" else f"{past}, {tool}"
