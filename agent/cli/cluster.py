"""`crowquill run … --engine ray`: task files on a cluster."""

from functools import partial
from pathlib import Path

import typer

from crowquill.agent.answer import Answer
from crowquill.agent.cli.session import EXIT_CODES, print_json
from crowquill.agent.cli.tasks import EXPECTATION_FAILED, expand, task_agent
from crowquill.agent.cluster import Cluster, Done, Job, run_jobs
from crowquill.agent.events import RunFinished
from crowquill.agent.publish import answer_json
from crowquill.agent.tape import load_events
from crowquill.agent.workspace import Workspace, find_workspace
from crowquill.tasks.expect import failures
from crowquill.tasks.load import load_task_file
from crowquill.tasks.spec import RunSpec


def run_on_cluster(
    files: list[str], cluster: Cluster, *, model: str | None, workspace: Path | None, as_json: bool
) -> int:
    """Run task files on a cluster; a line each for what they came to. The first that did not end well decides."""
    place = Workspace(find_workspace(workspace))
    specs = {str(path.absolute()): load_task_file(path) for path in expand(files)}
    jobs = [Job(name, spec.objective, partial(task_agent, Path(name), spec, model)) for name, spec in specs.items()]
    done = run_jobs(jobs, place, cluster=cluster, tell=lambda line: typer.echo(line, err=True))
    codes = [_report(place, specs[end.name], end, as_json=as_json) for end in done]
    return next((code for code in codes if code), 0)


def _report(place: Workspace, spec: RunSpec, end: Done, *, as_json: bool) -> int:
    answer = None if end.run_id is None else _answer(place, end.run_id)
    if answer is None:
        typer.echo(f"{end.name}: {end.failure or 'it did not end'}; see: crowquill runs list", err=True)
        return EXIT_CODES["error"]
    published = answer_json(answer)
    failed = [] if spec.expect is None else failures(spec.expect, published)
    if as_json:
        print_json({**published, "task": end.name, "attempts": end.attempts, "failed": failed})
    else:
        typer.echo(f"{Path(end.name).name:<24} {answer.stopped:<10} {answer.short}  (run {answer.run_id})")
        for line in failed:
            typer.echo(f"expected: {line}", err=True)
    if failed:
        return EXPECTATION_FAILED
    return 0 if spec.expect is not None else EXIT_CODES[answer.stopped]


def _answer(place: Workspace, run_id: str) -> Answer | None:
    recorded = place.database.read_now(lambda connection: load_events(connection, run_id, place.blobs))
    return next((entry.event.answer for entry in recorded if isinstance(entry.event, RunFinished)), None)
