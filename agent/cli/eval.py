"""`crowquill eval`: task files as a test of an agent, with figures and a baseline."""

import asyncio
import json
import signal
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from crowquill.agent.cli.session import EXIT_CODES, print_json
from crowquill.agent.cli.tasks import EXPECTATION_FAILED, expand
from crowquill.agent.cluster import Cluster, run_jobs
from crowquill.agent.evaluate import Evaluation, names_of, run_trials, trial_of
from crowquill.agent.jobs import Done, Pace
from crowquill.agent.records import find_run
from crowquill.agent.render import one_line
from crowquill.agent.scores import Trial, compare, summary
from crowquill.agent.tasking import Wishes, job, load_cases, recorded_answer
from crowquill.agent.workspace import Workspace, find_workspace
from crowquill.errors import RunPaused, UserError
from crowquill.memory.owned import write_own


@dataclass(frozen=True, slots=True)
class EvalOptions:
    """The options of `crowquill eval`, as given."""

    epochs: int = 1
    model: str | None = None
    baseline: Path | None = None
    save_baseline: Path | None = None
    tolerance: float = 0.05
    fresh: bool = False
    ray: bool = False
    cluster: Cluster = field(default_factory=Cluster)
    inputs: dict[str, str] = field(default_factory=dict)
    workspace: Path | None = None
    as_json: bool = False


def run_eval(names: Sequence[str], options: EvalOptions) -> int:
    """Run all tasks, print the figures, and return the exit code.

    With a baseline a regression decides, else whether every run has passed.
    """
    before = None if options.baseline is None else _read_baseline(options.baseline)
    cases = [case for path in expand(names) for case in load_cases(path, options.inputs)]
    plan = Evaluation(
        names_of(cases, names), options.epochs, options.model, Workspace(find_workspace(options.workspace))
    )
    if options.fresh:
        plan.forget()
    try:
        if not _run(plan, options):
            return EXIT_CODES["cancelled"]
    except RunPaused as pause:
        typer.echo(f"paused: {pause}; what is done is kept: run the same command again to go on", err=True)
        return EXIT_CODES["paused"]
    figures: dict[str, Any] = summary(plan.done(), epochs=options.epochs)
    figures["results"] = str(plan.close())
    if options.save_baseline is not None:
        _write_baseline(options.save_baseline, figures)
    compared = None if before is None else compare(before, figures, tolerance=options.tolerance)
    if options.as_json:
        print_json({**figures, "comparison": compared})
    else:
        _print(figures, compared)
    if compared is not None:
        return EXPECTATION_FAILED if compared["regressions"] else 0
    return 0 if all(task["passed"] == task["runs"] for task in figures["tasks"]) else EXPECTATION_FAILED


def _run(plan: Evaluation, options: EvalOptions) -> bool:
    """Make all runs; return whether they were made to the end."""
    total, done = len(plan.cases) * plan.epochs, len(plan.done())
    if done:
        typer.echo(f"going on: {done} of {total} runs are done (--fresh begins anew)", err=True)
    if options.ray:
        return _on_cluster(plan, options.cluster)
    return asyncio.run(_watched(plan, options.cluster))


async def _watched(plan: Evaluation, cluster: Cluster) -> bool:
    console = Console(stderr=True, highlight=False)
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, task.cancel)
    total, passed = len(plan.cases) * plan.epochs, sum(trial.passed for trial in plan.done())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task("starting", total=total, completed=len(plan.done()))

        def begun(name: str, epoch: int) -> None:
            again = f" (epoch {epoch})" if plan.epochs > 1 else ""
            progress.update(bar, description=f"{passed} passed · {one_line(name, 50)}{again}")

        try:
            at_once, pace = cluster.at_once_here, Pace(cluster.calls_per_minute)
            async with aclosing(run_trials(plan, at_once=at_once, pace=pace, begun=begun)) as trials:
                async for trial in trials:
                    passed += trial.passed
                    progress.advance(bar)
                    console.print(_line(trial), markup=False, soft_wrap=True)
        except asyncio.CancelledError:
            task.uncancel()
            console.print(_cancelled(plan), soft_wrap=True)
            return False
        finally:
            plan.workspace.close()
    return True


def _cancelled(plan: Evaluation) -> str:
    kept = f"{len(plan.done())} of {len(plan.cases) * plan.epochs} runs are kept"
    return f"cancelled; {kept}: run the same command again to go on"


def _line(trial: Trial) -> str:
    mark = "✓" if trial.passed else "✗"
    why = trial.error if trial.error else "; ".join(trial.failed)
    seconds = f"{trial.spent.get('seconds', 0.0):.1f} s"
    return f"{mark} {one_line(trial.case, 60)} · {seconds} · {one_line(why if why else trial.short, 160)}"


def _on_cluster(plan: Evaluation, cluster: Cluster) -> bool:
    wishes = Wishes(plan.model, fresh=True)
    open_trials = {f"{name} #{epoch}": (name, epoch) for name, epoch in plan.open_trials()}
    jobs = [job(plan.cases[name], wishes, label) for label, (name, _) in open_trials.items()]

    def keep(end: Done) -> None:
        name, epoch = open_trials[end.name]
        answer = None if end.run_id is None else recorded_answer(plan.workspace, end.run_id)
        if answer is None and end.run_id is not None and not end.failure:
            raise RunPaused(plan.workspace.database.read_now(lambda c: find_run(c, str(end.run_id))).why)
        trial = (
            Trial(name, epoch, passed=False, error=end.failure)
            if answer is None
            else trial_of(name, epoch, plan.cases[name], answer, plan.workspace)
        )
        plan.keep(trial)
        typer.echo(_line(trial), err=True)

    try:
        run_jobs(jobs, plan.workspace, cluster=cluster, tell=lambda line: typer.echo(line, err=True), keep=keep)
    except KeyboardInterrupt:
        typer.echo(_cancelled(plan), err=True)
        return False
    return True


def _print(figures: dict[str, Any], compared: dict[str, Any] | None) -> None:
    console = Console(highlight=False)
    table = Table(box=None, header_style="dim", pad_edge=False)
    for name in ("task", "passed", "score", "tokens", "usd", "p50 s", "p95 s"):
        table.add_column(name, justify="left" if name == "task" else "right")
    for task in figures["tasks"]:
        style = "" if task["passed"] == task["runs"] else "red"
        passed = Text(f"{task['passed']}/{task['runs']}", style=style)
        table.add_row(Text(one_line(task["case"], 60)), passed, f"{task['reward']:.2f}", *_costs(task["spent"]))
    console.print(table)
    console.print()
    for line in _totals(figures):
        console.print(line, markup=False, soft_wrap=True)
    for title, key in (("worse", "regressions"), ("changed", "notes")):
        for line in compared[key] if compared is not None else ():
            console.print(f"{title}: {one_line(line, 300)}", markup=False, soft_wrap=True)
    if compared is not None and not compared["regressions"]:
        console.print("nothing is worse than the baseline")


def _costs(spent: dict[str, Any]) -> tuple[str, ...]:
    usd = "?" if spent["usd"] is None else f"{spent['usd']:.4f}"
    return str(spent["tokens"]), usd, f"{spent['seconds']['p50']:.1f}", f"{spent['seconds']['p95']:.1f}"


def _totals(figures: dict[str, Any]) -> list[str]:
    share, spent = figures["pass_at_1"], figures["spent"]
    k = figures["epochs"]
    several = f" · pass@{k} {figures['pass_at_k']:.1%} · all {k} passed {figures['all_k']:.1%}" if k > 1 else ""
    usd = "price not known" if spent["usd"] is None else f"${spent['usd']:.4f}"
    criteria = ", ".join(f"{name} {entry['held']}/{entry['of']}" for name, entry in figures["criteria"].items())
    seconds = spent["seconds"]
    return [
        f"pass@1 {share['mean']:.1%} (95 %: {share['low']:.1%} to {share['high']:.1%}){several}",
        f"criteria: {criteria if criteria else 'none'}",
        f"spent: {usd} · {spent['tokens']} tokens · {spent['steps']} steps · "
        f"p50 {seconds['p50']:.1f} s, p95 {seconds['p95']:.1f} s, {seconds['sum']:.0f} s in all",
    ]


def _read_baseline(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(
            f"--baseline {path}: cannot be read: {error.strerror}; make one with --save-baseline"
        ) from error
    except ValueError:
        data = None
    if not isinstance(data, dict) or data.get("schema") != 1 or "tasks" not in data:
        raise UserError(f"--baseline {path}: this is not what crowquill eval --save-baseline writes")
    return data


def _write_baseline(path: Path, figures: dict[str, Any]) -> None:
    try:
        write_own(path, json.dumps(figures, ensure_ascii=False, indent=2) + "\n")
    except OSError as error:
        raise UserError(f"--save-baseline {path}: cannot be written: {error.strerror}") from error
