"""`crowquill models`: the embedded models, and fetching their weights."""

import asyncio
import signal
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from crowquill.agent.cli.session import EXIT_CODES, print_json
from crowquill.agent.models.catalog import CATALOG, CatalogEntry, find, installed
from crowquill.agent.models.pull import pull


def list_models(*, as_json: bool) -> int:
    """Print the catalog and what of it is on this machine."""
    entries = list(CATALOG.values())
    if as_json:
        print_json([_entry_json(entry) for entry in entries])
        return 0
    table = Table("model", "size", "licence", "here", box=None, header_style="dim", pad_edge=False)
    for entry in entries:
        here = installed(entry)
        table.add_row(entry.name, f"{entry.size / 1e9:.2f} GB", entry.licence, "no" if here is None else str(here))
    console = Console(highlight=False, soft_wrap=True)
    console.print(table)
    for entry in entries:
        console.print(Text(f"\n{entry.name}\n  sha256 {entry.sha256}"))
        for number, source in enumerate(entry.sources, 1):
            console.print(Text(f"  source {number}: {source}"))
        console.print(Text(f"  {entry.note}", style="dim"))
    return 0


def _entry_json(entry: CatalogEntry) -> dict[str, Any]:
    here = installed(entry)
    return {
        "name": entry.name,
        "size": entry.size,
        "sha256": entry.sha256,
        "licence": entry.licence,
        "sources": [str(source) for source in entry.sources],
        "path": None if here is None else str(here),
        "note": entry.note,
    }


def pull_model(name: str | None) -> int:
    """Fetch the weights with a progress bar; Ctrl-C keeps what came."""
    entry = find("local" if name is None else name)
    here = installed(entry)
    if here is not None:
        typer.echo(f"{entry.name} is on this machine: {here}", err=True)
        return 0
    path = asyncio.run(pull_shown(entry))
    if path is None:
        typer.echo("interrupted; what came is kept, run again to continue", err=True)
        return EXIT_CODES["cancelled"]
    typer.echo(f"{entry.name} is ready: {path}", err=True)
    return 0


async def pull_shown(entry: CatalogEntry) -> Path | None:
    """Fetch weights with a progress bar; None when Ctrl-C has stopped it."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, task.cancel)
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bar:
        jobs: dict[str, TaskID] = {}

        def progress(stage: str, done: int, total: int) -> None:
            if stage not in jobs:
                jobs[stage] = bar.add_task(stage, total=total)
                if not console.is_terminal:
                    console.print(stage, markup=False)
            bar.update(jobs[stage], completed=done, total=total)

        try:
            return await pull(entry, progress=progress)
        except asyncio.CancelledError:
            task.uncancel()
            return None
