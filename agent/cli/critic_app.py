"""The commands of `crowquill critic`, and `crowquill compare`. Each imports what it needs when it runs."""

from pathlib import Path
from typing import Annotated

import typer

from crowquill.agent.cli.options import AsJson, RunId, Workspace

critic_app = typer.Typer(help="The critic: how good it is, and what an answer hangs on.", no_args_is_help=True)


@critic_app.command("report")
def critic_report(
    workspace: Workspace = None,
    limit: Annotated[int, typer.Option(help="Newest runs on whose answers the tricks are tried.", min=1)] = 50,
    as_json: AsJson = False,
) -> None:
    """Hold the critic against your choices: agreement, calibration, position, length, and the tricks."""
    from crowquill.agent.cli.critic import report_critic

    raise typer.Exit(report_critic(workspace, limit, as_json=as_json))


@critic_app.command("probe")
def critic_probe(run_id: RunId = "last", workspace: Workspace = None, as_json: AsJson = False) -> None:
    """Remove each source and change each number of an answer's evidence: which statements fall?"""
    from crowquill.agent.cli.critic import probe_run

    raise typer.Exit(probe_run(workspace, run_id, as_json=as_json))


def compare(
    runs: Annotated[
        list[str] | None, typer.Argument(help="Two runs of one question; all such pairs when not given.")
    ] = None,
    fit: Annotated[bool, typer.Option("--fit", help="Fit the weights of the reward to your choices.")] = False,
    import_file: Annotated[
        Path | None, typer.Option("--import", help="Add comparisons from a file (JSONL, fields as in WebGPT).")
    ] = None,
    export_file: Annotated[
        Path | None, typer.Option("--export", help="Write all comparisons to a new file.")
    ] = None,
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Say which of two answers is better, without knowing which is which; or fit the reward to what was said."""
    from crowquill.agent.cli import compare as command

    if import_file is not None:
        raise typer.Exit(command.import_comparisons(workspace, import_file))
    if export_file is not None:
        raise typer.Exit(command.export_comparisons(workspace, export_file))
    if fit:
        raise typer.Exit(command.fit_weights(workspace, as_json=as_json))
    raise typer.Exit(command.compare_runs(workspace, runs if runs is not None else []))
