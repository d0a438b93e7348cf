"""`crowquill runs report` and `--report`: a run as one HTML page."""

import sys
from pathlib import Path

import typer

from crowquill.agent.report.page import render_report, write_report
from crowquill.agent.story import read_story
from crowquill.agent.workspace import Workspace, find_workspace
from crowquill.errors import UserError


def report_run(workspace: Path | None, run_id: str, out: Path | None) -> int:
    """Write the report of a run, by default to a file named after it; `-` is standard output."""
    place = Workspace(find_workspace(workspace))
    story = read_story(place, run_id)
    if out == Path("-"):
        sys.stdout.write(render_report(story, place.blobs))
        return 0
    path = Path(f"crowquill-{story.record.id}.html") if out is None else out
    write_report(story, place.blobs, path)
    typer.echo(f"{path} written", err=True)
    return 0


def check_report(out: Path | None) -> None:
    """Say before a run, not after it, that its report cannot be written there. Raises UserError."""
    if out is not None and (out.is_dir() or not out.absolute().parent.is_dir()):
        raise UserError(f"cannot write a report to {out}: {'it is a folder' if out.is_dir() else 'no such folder'}")
