"""`crowquill run` with several runs at once: in this process, or on a cluster with `--engine ray`."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import typer

from crowquill.agent.cli.session import EXIT_CODES
from crowquill.agent.cli.tasks import TaskOptions, expand, report
from crowquill.agent.cluster import Cluster, run_jobs
from crowquill.agent.evaluate import Shelf
from crowquill.agent.jobs import Done, Pace, run_together
from crowquill.agent.records import find_run
from crowquill.agent.render import one_line
from crowquill.agent.tasking import job, load_cases, recorded_answer
from crowquill.agent.workspace import Workspace, find_workspace
from crowquill.tasks.filling import Case


def run_many(files: Sequence[str], options: TaskOptions, cluster: Cluster, *, ray: bool) -> int:
    """Run task files, several at once, and report each at the end; the first that did not end well decides."""
    place = Workspace(find_workspace(options.workspace))
    cases = {case.name: case for path in expand(files) for case in load_cases(path.absolute(), options.inputs)}

    def tell(line: str) -> None:
        if not options.quiet:
            typer.echo(line, err=True)

    async def together() -> list[Done]:
        shelf = Shelf()
        wishes = replace(options.wishes, find=shelf.find)
        jobs = [job(case, wishes, name) for name, case in cases.items()]
        pace = Pace(cluster.calls_per_minute)
        try:
            return await run_together(jobs, place, at_once=cluster.at_once_here, pace=pace, tell=tell)
        finally:
            await shelf.close()

    try:
        if ray:
            jobs = [job(case, options.wishes, name) for name, case in cases.items()]
            done = run_jobs(jobs, place, cluster=cluster, tell=tell)
        else:
            done = asyncio.run(together())
    except KeyboardInterrupt:
        typer.echo("cancelled; go on with each by: crowquill runs resume (see: crowquill runs list)", err=True)
        return EXIT_CODES["cancelled"]
    codes = [_report(place, cases[end.name], end, options, alone=len(cases) == 1) for end in done]
    return next((code for code in codes if code), 0)


def _report(place: Workspace, case: Case, end: Done, options: TaskOptions, *, alone: bool) -> int:
    answer = None if end.run_id is None else recorded_answer(place, end.run_id)
    if answer is not None:
        return report(place, case, answer, options, alone=alone, attempts=end.attempts)
    why, code = end.failure, EXIT_CODES["error"]
    if end.run_id is not None:
        record = place.database.read_now(lambda connection: find_run(connection, str(end.run_id)))
        why, code = (record.why, EXIT_CODES["paused"]) if record.state == "paused" else (why, code)
        why += f"; go on with: crowquill runs resume {record.id}"
    typer.echo(f"{end.name}: {one_line(why, 500)}", err=True)
    return code
