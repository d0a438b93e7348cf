"""`crowquill memory tidy`, `stats` and `audit`."""

import asyncio
from dataclasses import asdict
from pathlib import Path

import typer
from rich.console import Console

from crowquill.agent.cli.memory import closing, opened
from crowquill.agent.cli.session import print_json
from crowquill.agent.memories import Audit, audit, counts, least_valuable_last
from crowquill.agent.workspace import Workspace, find_workspace
from crowquill.memory import life
from crowquill.memory.forget import forget


def tidy_memory(workspace: Path | None, capacity: int | None, *, dry: bool, as_json: bool) -> int:
    """Shelve what has expired, and delete the least valuable beyond the capacity."""
    place = Workspace(find_workspace(workspace))
    with closing(place):
        store = place.memory().store
        ranked = asyncio.run(least_valuable_last(store))
        now = store.now()
        found = place.database.read_now(lambda connection: life.tidy(connection, ranked, capacity, now))
        if not dry:
            place.database.write_now(lambda connection: life.shelve(connection, found.expired, "it has expired"))
            forget(place.database, found.evicted)
    if as_json:
        print_json({"schema": 1, "dry_run": dry, "shelved": len(found.expired), "deleted": len(found.evicted)})
    else:
        would = "would be " if dry else ""
        typer.echo(f"{would}shelved as expired: {len(found.expired)}; {would}deleted: {len(found.evicted)}")
    return 0


def stats(workspace: Path | None, *, as_json: bool) -> int:
    """Print counts."""
    place = Workspace(find_workspace(workspace))
    with closing(place):
        found = place.database.read_now(counts)
    if as_json:
        print_json({"schema": 1, "workspace": str(place.path), **found})
        return 0
    typer.echo(f"{found['records']} records in {place.path}")
    for group in ("kinds", "namespaces", "states", "embedders", "relations"):
        parts = ", ".join(f"{count} {name}" for name, count in found[group].items())
        if parts:
            typer.echo(f"  {group:<11} {parts}")
    return 0


def audit_memory(workspace: Path | None, *, as_json: bool) -> int:
    """Check records and indexes; exit code 1 when records are damaged."""
    place = Workspace(find_workspace(workspace))

    async def work() -> Audit:
        async with opened(place) as memory:
            with Console(stderr=True).status("checking records and indexes"):
                return await audit(place, memory)

    found = asyncio.run(work())
    if as_json:
        print_json({"schema": 1, **asdict(found)})
    else:
        lost = f"an index lacked {found.unfindable}, and is built again" if found.unfindable else "all can be found"
        typer.echo(f"{found.records} records: {len(found.damaged)} damaged; {lost}")
        for id_, why in found.damaged.items():
            typer.echo(f"  {id_}: {why}")
        if found.damaged:
            typer.echo("damaged records are not recalled; forget them with: crowquill memory forget ID…")
    return 1 if found.damaged or found.unfindable else 0
