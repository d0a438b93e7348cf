"""The commands of `crowquill runs`. Each imports what it needs when it runs."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from crowquill.agent.cli.options import AsJson, Events, Quiet, RunId, Workspace

runs_app = typer.Typer(help="Recorded runs: look into them, go on with them, try them again.", no_args_is_help=True)


@runs_app.command("list")
def runs_list(
    workspace: Workspace = None,
    limit: Annotated[int, typer.Option(help="How many, newest first.", min=1)] = 20,
    as_json: AsJson = False,
) -> None:
    """List recorded runs, newest first."""
    from crowquill.agent.cli.runs import list_runs

    raise typer.Exit(list_runs(workspace, limit, as_json=as_json))


@runs_app.command("show")
def runs_show(
    run_id: RunId,
    workspace: Workspace = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the events as lines of JSON.")] = False,
) -> None:
    """Show what a run did, step by step."""
    from crowquill.agent.cli.runs import show_run

    raise typer.Exit(show_run(workspace, run_id, as_json=as_json))


@runs_app.command("resume")
def runs_resume(
    run_id: RunId,
    workspace: Workspace = None,
    as_json: AsJson = False,
    events: Events = False,
    quiet: Quiet = False,
) -> None:
    """Go on with a run that was killed, cancelled or paused; nothing that was finished is done again."""
    from crowquill.agent.cli.runs import resume_run

    raise typer.Exit(resume_run(workspace, run_id, as_json=as_json, events=events, quiet=quiet))


@runs_app.command("settle")
def runs_settle(
    run_id: RunId,
    outcome: Annotated[
        Literal["done", "failed", "again"],
        typer.Argument(help="done: it happened. failed: it did not. again: it did not, and shall be called again."),
    ],
    workspace: Workspace = None,
) -> None:
    """Say what became of calls that may have changed something and were under way when their run was left."""
    from crowquill.agent.cli.runs import settle_run

    raise typer.Exit(settle_run(workspace, run_id, outcome))


@runs_app.command("replay")
def runs_replay(
    run_id: RunId,
    workspace: Workspace = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Every recorded effect must be asked for again, too.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Run a finished run again from its journal, without model or network; every event must be the same."""
    from crowquill.agent.cli.runs import replay_run

    raise typer.Exit(replay_run(workspace, run_id, strict=strict, as_json=as_json))


@runs_app.command("fork")
def runs_fork(
    run_id: RunId,
    at: Annotated[str, typer.Option(help="Step from which to go on: t1/s3, or 3 in a run of one task.")],
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set", help="Take this action instead, as TOOL.ARGUMENT=VALUE. Repeatable.", show_default=False
        ),
    ] = None,
    model: Annotated[str | None, typer.Option(help="Go on with this model.", show_default="the run's")] = None,
    hint: Annotated[str, typer.Option(help="Tell the model this from then on.", show_default=False)] = "",
    workspace: Workspace = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Try a run again from a step on, as a new run that shares what came before; shows both outcomes."""
    from crowquill.agent.cli.forks import fork_run

    raise typer.Exit(
        fork_run(workspace, run_id, at, sets=set_ or [], hint=hint, model=model, as_json=as_json, quiet=quiet)
    )


@runs_app.command("export")
def runs_export(
    run_ids: Annotated[list[str], typer.Argument(help="Run ids, or their beginnings; 'last' is the newest.")],
    form: Annotated[
        Literal["demonstrations", "comparisons", "markdown", "otel", "usage", "cassette"],
        typer.Option(
            "--format",
            help="Lines of (state, action); WebGPT-like pairs of answers; a transcript; OpenTelemetry spans (to"
            " $OTEL_EXPORTER_OTLP_ENDPOINT, else as JSON); tokens and cost by role, tool and task; a cassette.",
        ),
    ],
    out: Annotated[Path | None, typer.Option(help="File to write.", show_default="standard output")] = None,
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Export recorded runs."""
    from crowquill.agent.cli.exports import export_runs

    raise typer.Exit(export_runs(workspace, run_ids, form, out, as_json=as_json))


@runs_app.command("report")
def runs_report(
    run_id: RunId,
    out: Annotated[
        Path | None, typer.Option(help="File to write; - is standard output.", show_default="crowquill-RUN.html")
    ] = None,
    workspace: Workspace = None,
) -> None:
    """Write a run as one HTML page: answer, receipts in their pages, steps, score, budget. It needs no network."""
    from crowquill.agent.cli.report import report_run

    raise typer.Exit(report_run(workspace, run_id, out))


@runs_app.command("delete")
def runs_delete(
    run_ids: Annotated[list[str], typer.Argument(help="Run ids, or their beginnings; 'last' is the newest.")],
    with_forks: Annotated[bool, typer.Option("--with-forks", help="Delete their forks, too.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be deleted.")] = False,
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Delete runs with everything that only they stored: events, pages, evidence. It is overwritten first."""
    from crowquill.agent.cli.retention import delete

    raise typer.Exit(delete(workspace, run_ids, forks=with_forks, dry=dry_run, as_json=as_json))


@runs_app.command("gc")
def runs_gc(
    older_than: Annotated[str, typer.Option(help="Age of the runs to delete: 30d, 12h, 2w.")] = "30d",
    keep: Annotated[int, typer.Option(help="Keep the newest so many, whatever their age.", min=0)] = 100,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be deleted.")] = False,
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Delete old finished runs, and pages that nothing needs any more."""
    from crowquill.agent.cli.retention import gc

    raise typer.Exit(gc(workspace, older_than, keep, dry=dry_run, as_json=as_json))


@runs_app.command("size")
def runs_size(workspace: Workspace = None, as_json: AsJson = False) -> None:
    """Say what the workspace takes on the disk, by part."""
    from crowquill.agent.cli.retention import size

    raise typer.Exit(size(workspace, as_json=as_json))
