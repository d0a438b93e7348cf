"""What has changed in an answer since the same question was asked before."""

from collections.abc import Iterator
from dataclasses import dataclass

from crowquill.agent.answer import Answer
from crowquill.agent.records import list_records
from crowquill.agent.tasking import recorded_answer
from crowquill.agent.workspace import Workspace
from crowquill.memory.textual import fold

_LOOKED_THROUGH = 1000
"""Runs, newest first, among which the one before is looked for."""


@dataclass(frozen=True, slots=True)
class Changes:
    """Compares two answers to one question. `since` is when the former run was begun, in ISO 8601."""

    since: str
    before: Answer
    after: Answer

    def lines(self) -> Iterator[str]:
        """Yield one line for each difference: the bare answer, statements and sources that came or went."""
        if fold(self.before.short).casefold() != fold(self.after.short).casefold():
            yield f"the answer was {self.before.short or 'not found'!r} and is {self.after.short or 'not found'!r}"
        yield from _came_and_went(
            "statement", [claim.text for claim in self.before.claims], [claim.text for claim in self.after.claims]
        )
        yield from _came_and_went(
            "source", [source.url for source in self.before.sources], [source.url for source in self.after.sources]
        )
        quoted = {source.url: source.sha256 for source in self.before.sources}
        for source in self.after.sources:
            if quoted.get(source.url, source.sha256) != source.sha256:
                yield f"changed page: {source.url}"

    def to_json(self) -> dict[str, object]:
        """Return the differences as JSON data."""
        lines = list(self.lines())
        return {"since": self.since, "run": self.before.run_id, "changed": bool(lines), "changes": lines}


def _came_and_went(what: str, before: list[str], after: list[str]) -> Iterator[str]:
    yield from (f"new {what}: {text}" for text in after if text not in before)
    yield from (f"gone {what}: {text}" for text in before if text not in after)


def changes_since_last(workspace: Workspace, answer: Answer) -> Changes | None:
    """Compare an answer with that of the last finished run of the same objective; None when there is none."""
    records = workspace.database.read_now(lambda connection: list_records(connection, _LOOKED_THROUGH))
    for record in records:
        if record.objective == answer.objective and record.id != answer.run_id and record.finished_at is not None:
            before = recorded_answer(workspace, record.id)
            if before is not None and before.stopped in ("answered", "not_found", "budget", "stalled"):
                return Changes(record.created_at, before, answer)
    return None
