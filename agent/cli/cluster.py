"""`crowquill run … --engine ray`: task files on a cluster."""

from functools import partial
from pathlib import Path

import typer

from crowquill.agent.cli.session import EXIT_CODES, print_json
from crowquill.agent.cli.tasks import TaskOptions, exit_code, expand
from crowquill.agent.cluster import Cluster, Done, Job, run_jobs
from crowquill.agent.tasking import Wishes, load_cases, published, recorded_answer, task_agent
from crowquill.agent.workspace import Workspace, find_workspace
from crowquill.tasks.expect import failures
from crowquill.tasks.filling import Case


def run_on_cluster(files: list[str], cluster: Cluster, options: TaskOptions) -> int:
    """Run task files on a cluster; a line each for what they came to. The first that did not end well decides."""
    place = Workspace(find_workspace(options.workspace))
    cases = {case.name: case for path in expand(files) for case in load_cases(path.absolute(), options.inputs)}
    jobs = [job(case, options.wishes, name) for name, case in cases.items()]
    done = run_jobs(jobs, place, cluster=cluster, tell=lambda line: typer.echo(line, err=True))
    codes = [_report(place, cases[end.name], end, as_json=options.as_json) for end in done]
    return next((code for code in codes if code), 0)


def job(case: Case, wishes: Wishes, name: str) -> Job:
    """Make the job of a case; its agent is made where it runs."""
    return Job(name, case.spec.objective, partial(task_agent, case.spec, wishes))


def _report(place: Workspace, case: Case, end: Done, *, as_json: bool) -> int:
    answer = None if end.run_id is None else recorded_answer(place, end.run_id)
    if answer is None:
        typer.echo(f"{end.name}: {end.failure or 'it did not end'}; see: crowquill runs list", err=True)
        return EXIT_CODES["error"]
    result = published(place, answer)
    failed = [] if case.spec.expect is None else failures(case.spec.expect, result)
    if as_json:
        print_json({**result, "task": end.name, "attempts": end.attempts, "failed": failed})
    else:
        typer.echo(f"{Path(end.name).name:<24} {answer.stopped:<10} {answer.short}  (run {answer.run_id})")
        for line in failed:
            typer.echo(f"expected: {line}", err=True)
    return exit_code(answer, case, failed)
