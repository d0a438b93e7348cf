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
    label = name if name is not None else re.sub(r"[^\w-]+", "-", folder.absolute().name.lower()).strip("-")
    if not re.fullmatch(r"[\w][\w-]{0,63}", label):
        raise UserError(f"{label!r} cannot name a corpus; give one of letters, digits and - with --name")
    place = Workspace(find_workspace(workspace))
    columns = (TextColumn("indexing"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        job = bar.add_task("indexing", total=None)
        report = place.index(
            folder, label, progress=lambda done, total: bar.update(job, completed=done, total=total)
        )
    if as_json:
        print_json({"schema": 1, "corpus": label, "workspace": str(place.path), **asdict(report)})
    else:
        counts = ", ".join(f"{count} {what}" for what, count in asdict(report).items() if isinstance(count, int))
        typer.echo(f"corpus {label!r}: {counts}")
        typer.echo(f'ask it with: crowquill ask --corpus {label} "…"')
    return 0
