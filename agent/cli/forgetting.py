"""`crowquill memory forget`: for good, after a look at what goes with it."""

import asyncio
import sys
from dataclasses import dataclass
from pathlib import Path

import typer

from crowquill.agent.cli.memory import closing, numbers
from crowquill.agent.cli.selecting import Selection
from crowquill.agent.cli.session import print_json
from crowquill.agent.critic.choices import FILE, leave_out
from crowquill.agent.render import one_line
from crowquill.agent.retention import delete_runs
from crowquill.agent.workspace import Workspace, find_workspace
from crowquill.errors import UserError
from crowquill.memory.forget import Forgotten, forget
from crowquill.memory.textual import content_words

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Forgetting:
    """What to forget: by id, or by conditions; `runs` deletes the runs that met it, too."""

    ids: tuple[str, ...]
    query: str
    selection: Selection
    runs: bool
    dry: bool


def forget_records(workspace: Path | None, asked: Forgetting, *, yes: bool, as_json: bool) -> int:
    """Delete records; a person is asked first."""
    if not asked.ids and not asked.query and asked.selection.is_empty:
        raise UserError(
            "say what to forget: ids, --query, --source, --namespace, --kind, --run, --since or --until"
        )
    place = Workspace(find_workspace(workspace))
    with closing(place):
        named = asyncio.run(_named(place, asked))
        found = forget(place.database, named, dry=True)
        if found.records and not asked.dry and not yes:
            _ask(place, found, runs=asked.runs)
        done = found if asked.dry else forget(place.database, named)
        if asked.runs and not asked.dry and found.runs:
            leave_out(place.path / FILE, delete_runs(place, found.runs, forks=True).runs)
    if as_json:
        print_json({"schema": 1, "dry_run": asked.dry, **_counts(found), "runs": list(found.runs)})
        return 0
    counts = _counts(found)
    what = f"{counts['records']} records, {counts['notes']} notes that rest on them, {counts['pages']} pages"
    typer.echo(f"{'would forget' if asked.dry else 'forgot'} {what}")
    if found.runs and not asked.runs:
        typer.echo(
            f"{len(found.runs)} runs met them, and their journals still hold the text; --with-runs deletes these,"
            f" too, or: crowquill runs delete {' '.join(found.runs[:_SHOWN])}"
        )
    if aside := sorted(path.name for path in place.path.glob("damaged-*")):
        typer.echo(f"not looked into, and yours to delete: {', '.join(aside)}")
    if not done.rebuilt:
        typer.echo("another process is using the index: its copy is erased when that process has ended")
    return 0


async def _named(place: Workspace, asked: Forgetting) -> list[int]:
    memory = place.memory()
    chosen = await numbers(memory, asked.ids)
    if not asked.query and asked.selection.is_empty:
        return chosen
    words = content_words(asked.query)
    matching = await memory.store.matching(asked.selection.chosen(place))
    return chosen + [record.seq for record in matching if words <= content_words(f"{record.title} {record.text}")]


def _ask(place: Workspace, found: Forgotten, *, runs: bool) -> None:
    """Show what would go, and ask. Raises UserError where nobody can be asked."""
    if not sys.stdin.isatty():
        raise UserError("nothing was forgotten: give --yes, as there is nobody to ask here")
    records = asyncio.run(place.memory().store.records([*found.records, *found.notes]))
    for record in list(records.values())[:_SHOWN]:
        typer.echo(f"  {record.content.id}  {one_line(record.text, 90)}")
    more = f" (the first {_SHOWN} are shown)" if len(records) > _SHOWN else ""
    with_runs = f" and {len(found.runs)} runs" if runs else ""
    typer.confirm(f"Forget {len(records)} records{more}{with_runs} for good?", abort=True, err=True)


def _counts(found: Forgotten) -> dict[str, int]:
    return {"records": len(found.records), "notes": len(found.notes), "pages": len(found.pages)}
