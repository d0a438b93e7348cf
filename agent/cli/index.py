"""`crowquill index`: make a folder searchable."""

import re
from dataclasses import asdict
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from crowquill.agent.cli.session import print_json
from crowquill.agent.workspace import Workspace, find_workspace
from crowquill.errors import UserError


def run_index(folder: Path, name: str | None, workspace: Path | None, *, as_json: bool) -> int:
    """Index the folder and say what was done."""
    called = folder.absolute().name.lower().removesuffix(".zim")
    label = name if name is not None else re.sub(r"[^\w-]+", "-", called).strip("-")
    if not re.fullmatch(r"[\w][\w-]{0,63}", label):
        raise UserError(f"{label!r} cannot name a corpus; give one of letters, digits and - with --name")
    place = Workspace(find_workspace(workspace))
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        job, shown = bar.add_task("finding pages", total=None), "finding pages"

        def show(stage: str, done: int, total: int) -> None:
            nonlocal shown
            if stage != shown:
                bar.reset(job, description=stage)
                shown = stage
            bar.update(job, completed=done, total=total if total else None)

        report = place.index(folder, label, progress=show)
    if as_json:
        print_json({"schema": 1, "corpus": label, "workspace": str(place.path), **asdict(report)})
    else:
        counts = ", ".join(f"{count} {what}" for what, count in asdict(report).items() if isinstance(count, int))
        typer.echo(f"corpus {label!r}: {counts}")
        typer.echo(f'ask it with: crowquill ask --corpus {label} "…"')
    return 0
