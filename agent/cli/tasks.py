"""`crowquill run`: YAML task files."""

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import typer

from crowquill.agent.agent import Agent
from crowquill.agent.budget import Budget
from crowquill.agent.cli.session import EXIT_CODES, drive, print_answer, print_json
from crowquill.agent.publish import answer_json
from crowquill.agent.safety import personal_safety, tightened
from crowquill.agent.workspace import Workspace
from crowquill.errors import UserError
from crowquill.tasks.expect import failures
from crowquill.tasks.load import find_task_file, load_task_file, presets
from crowquill.tasks.spec import RunSpec
from crowquill.tools.fetching import Fetching

EXPECTATION_FAILED = 6


def list_presets() -> None:
    """Print the names and objectives of the shipped tasks."""
    for name in presets():
        typer.echo(f"{name:<16} {load_task_file(find_task_file(name)).objective}")


def expand(names: Sequence[str]) -> list[Path]:
    """Return the task files of these names; a folder stands for all of its task files. Raises UserError."""
    paths: list[Path] = []
    for name in names:
        inside = sorted(Path(name).glob("*.yaml")) if Path(name).is_dir() else [find_task_file(name)]
        if not inside:
            raise UserError(f"there is no task file (*.yaml) in {name}")
        paths += inside
    return paths


def run_files(files: list[str], *, model: str | None, workspace: Path | None, as_json: bool, quiet: bool) -> int:
    """Run task files one after the other; the first that does not end well decides the exit code.

    Ctrl-C ends them all.
    """
    specs = [(path, load_task_file(path)) for path in expand(files)]
    first = 0
    for path, spec in specs:
        code = _run(path, spec, model, workspace, as_json=as_json, quiet=quiet)
        if code == EXIT_CODES["cancelled"]:
            return code
        first = first if first else code
    return first


def _run(
    path: Path, spec: RunSpec, model: str | None, workspace: Path | None, *, as_json: bool, quiet: bool
) -> int:
    agent = task_agent(path, spec, model, workspace)
    answer = drive(agent, partial(agent.stream, spec.objective), quiet=quiet)
    if answer is None:
        return EXIT_CODES["cancelled"]
    published = answer_json(answer)
    failed = [] if spec.expect is None else failures(spec.expect, published)
    if as_json:
        print_json({**published, "task": str(path), "failed": failed})
    else:
        print_answer(answer)
        for line in failed:
            typer.echo(f"expected: {line}", err=True)
    if failed:
        return EXPECTATION_FAILED
    return 0 if spec.expect is not None else EXIT_CODES[answer.stopped]


def task_agent(path: Path, spec: RunSpec, model: str | None, workspace: Path | Workspace | None) -> Agent:
    """Make the agent that a task file describes."""
    chosen = model if model is not None else spec.model
    return Agent(
        model="local" if chosen is None else _beside(chosen, path, given=model is not None),
        policy=spec.policy,
        corpora=spec.corpus,
        databases=spec.db,
        data=spec.data,
        web=spec.web,
        search=spec.search,
        fetching=Fetching.of_environment(os.environ),
        memory=spec.memory,
        budget=Budget(**spec.budget.model_dump()),
        safety=tightened(personal_safety(), spec.safety),
        workspace=workspace,
    )


def _beside(model: str, path: Path, *, given: bool) -> str:
    """Resolve `scripted:FILE` of a task file against the folder of the task file."""
    scheme, colon, name = model.partition(":")
    return f"scripted:{path.parent / name}" if scheme == "scripted" and colon and not given else model
