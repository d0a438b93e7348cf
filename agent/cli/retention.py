"""`crowquill runs gc`, `delete` and `size`."""

import re
from datetime import timedelta
from pathlib import Path

import typer

from crowquill.agent.cli.session import print_json
from crowquill.agent.retention import Removed, collect, delete_runs, sizes
from crowquill.agent.workspace import Workspace, find_workspace
from crowquill.errors import UserError

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def delete(workspace: Path | None, names: list[str], *, forks: bool, dry: bool, as_json: bool) -> int:
    """Delete runs and what only they stored."""
    place = Workspace(find_workspace(workspace))
    return _tell(delete_runs(place, names, forks=forks, dry=dry), dry=dry, as_json=as_json)


def gc(workspace: Path | None, older_than: str, keep: int, *, dry: bool, as_json: bool) -> int:
    """Delete old runs, and pages that nothing names."""
    place = Workspace(find_workspace(workspace))
    return _tell(collect(place, older_than=_duration(older_than), keep=keep, dry=dry), dry=dry, as_json=as_json)


def size(workspace: Path | None, *, as_json: bool) -> int:
    """Print what the parts of a workspace take on the disk."""
    place = Workspace(find_workspace(workspace))
    found = sizes(place)
    if as_json:
        print_json({"schema": 1, "workspace": str(place.path), "bytes": found})
        return 0
    for name, count in found.items():
        typer.echo(f"{name:<10} {count / 2**20:10.2f} MiB")
    typer.echo(f"{'all':<10} {sum(found.values()) / 2**20:10.2f} MiB in {place.path}")
    return 0


def _duration(text: str) -> timedelta:
    match = re.fullmatch(r"(\d+)([mhdw])", text.strip())
    if match is None:
        raise UserError(f"--older-than {text!r}: write a number and m, h, d or w, as in 30d")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def _tell(removed: Removed, *, dry: bool, as_json: bool) -> int:
    if as_json:
        counts = {"evidence": removed.evidence, "blobs": removed.blobs, "bytes": removed.bytes}
        print_json({"schema": 1, "dry_run": dry, "runs": list(removed.runs), **counts})
    else:
        done = "would delete" if dry else "deleted"
        what = f"{len(removed.runs)} runs, {removed.evidence} pieces of evidence and {removed.blobs} pages"
        typer.echo(f"{done} {what} ({removed.bytes / 2**20:.2f} MiB)")
    return 0
