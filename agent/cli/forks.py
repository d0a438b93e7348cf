"""`crowquill runs fork`: a run tried again from a step on, beside the run that it left."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from crowquill.agent.answer import Answer
from crowquill.agent.cli.runs import recorded_agent
from crowquill.agent.cli.session import EXIT_CODES, drive, print_json
from crowquill.agent.events import RunFinished
from crowquill.agent.fork import Change
from crowquill.agent.publish import answer_json
from crowquill.agent.records import RunRecord, find_run
from crowquill.agent.render import clean
from crowquill.agent.tape import load_events
from crowquill.agent.workspace import Workspace, find_workspace


def fork_run(
    workspace: Path | None,
    run_id: str,
    at: str,
    *,
    sets: list[str],
    hint: str,
    model: str | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Fork a run, and print both outcomes side by side; the exit code is the new run's."""
    place = Workspace(find_workspace(workspace))
    record = place.database.read_now(lambda connection: find_run(connection, run_id))
    change = Change.parse(sets, hint)
    agent = recorded_agent(place, record, model)
    answer = drive(agent, partial(agent.fork, record.id, at, change), quiet=quiet)
    if answer is None:
        return EXIT_CODES["cancelled"]
    before = _answer_of(place, record)
    if as_json:
        original = None if before is None else answer_json(before)
        print_json({"schema": 1, "original": original, "fork": answer_json(answer), "at": at})
    else:
        Console(highlight=False).print(_side_by_side(record, before, answer))
    return EXIT_CODES[answer.stopped]


def _answer_of(place: Workspace, record: RunRecord) -> Answer | None:
    recorded = place.database.read_now(lambda connection: load_events(connection, record.id, place.blobs))
    return next((entry.event.answer for entry in recorded if isinstance(entry.event, RunFinished)), None)


def _side_by_side(record: RunRecord, before: Answer | None, after: Answer) -> Table:
    table = Table("", f"original {record.id}", f"fork {after.run_id}", box=None, header_style="dim", pad_edge=False)
    left = dict(_figures(before)) if before is not None else {"ended": record.state}
    for name, value in _figures(after):
        old = left.get(name, "")
        table.add_row(Text(name, "dim"), Text(clean(old)), Text(clean(value), "" if value == old else "bold"))
    return table


def _figures(answer: Answer) -> Iterator[tuple[str, str]]:
    yield "ended", answer.stopped
    yield "short", answer.short
    yield "answer", answer.text
    yield "claims", ", ".join(claim.status for claim in answer.claims)
    yield "sources", "\n".join(source.url for source in answer.sources)
    yield "score", f"{answer.reward.total:.2f}"
    yield "tokens", f"{answer.usage.prompt} + {answer.usage.completion} in {answer.usage.calls} calls"
    yield "seconds", f"{answer.seconds:.1f}"
