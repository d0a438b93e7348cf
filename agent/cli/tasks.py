"""`crowquill run`, `validate` and `schema`: YAML task files."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import typer

from crowquill.agent.answer import Answer
from crowquill.agent.changes import Changes, changes_since_last
from crowquill.agent.cli.session import EXIT_CODES, drive, print_json
from crowquill.agent.cli.written import deliver, target
from crowquill.agent.cluster import Cluster
from crowquill.agent.render import one_line
from crowquill.agent.tasking import Wishes, label, load_cases, published, task_agent, task_form
from crowquill.agent.workspace import Workspace
from crowquill.errors import UserError
from crowquill.tasks.expect import failures
from crowquill.tasks.filling import Case
from crowquill.tasks.load import find_task_file, load_task_file, presets
from crowquill.tasks.schema import task_schema
from crowquill.tools.search.registry import split_specs

EXPECTATION_FAILED = 6
_LONGEST_INPUT = 200_000
_PLACE = re.compile(r".*?:(\d+):(\d+): ")


@dataclass(frozen=True, slots=True)
class TaskOptions:
    """The options of `crowquill run`, as given."""

    model: str | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)
    workspace: Path | None = None
    as_json: bool = False
    quiet: bool = False
    output: Path | None = None
    search: str | None = None
    allow_hosts: tuple[str, ...] = ()

    @property
    def wishes(self) -> Wishes:
        """What is wanted beside what stands in the files."""
        search = () if self.search is None else split_specs(self.search)
        return Wishes(self.model, search=search, allow_hosts=self.allow_hosts)


def list_presets(*, as_json: bool) -> None:
    """Print the names of the shipped tasks, what they are for, and as JSON also their inputs."""
    specs = {name: load_task_file(find_task_file(name)) for name in presets()}
    about = {name: one_line(spec.description or spec.objective, 300) for name, spec in specs.items()}
    if as_json:
        tasks = [{"name": name, "about": about[name], "inputs": list(specs[name].inputs)} for name in specs]
        print_json({"schema": 1, "tasks": tasks})
        return
    for name, text in about.items():
        typer.echo(f"{name:<18} {one_line(text, 90)}")


def print_schema() -> None:
    """Print the JSON Schema of task files."""
    print_json(task_schema())


def validate(names: Sequence[str], *, as_json: bool) -> int:
    """Check task files without running them: every fault is a line; exit code 2 when there is one."""
    found: list[dict[str, Any]] = []
    for path in expand(names):
        faults: list[dict[str, Any]] = []
        runs = 0
        try:
            runs = len(load_task_file(path).variants())
        except UserError as error:
            faults = sorted(map(_placed, (str(error), *error.others)), key=lambda fault: fault["line"])
        found.append({"file": label(path), "faults": faults, "runs": runs})
        if as_json:
            continue
        for fault in faults:
            typer.echo(fault["text"], err=True)
        if not faults:
            typer.echo(f"{label(path)}: ok" + ("" if runs == 1 else f", {runs} runs"))
    if as_json:
        print_json({"schema": 1, "files": found})
    return 2 if any(entry["faults"] for entry in found) else 0


def _placed(fault: str) -> dict[str, Any]:
    place = _PLACE.match(fault)
    line, column = (1, 1) if place is None else (int(place[1]), int(place[2]))
    return {"text": fault, "line": line, "column": column}


def expand(names: Sequence[str]) -> list[Path]:
    """Return the task files of these names; a folder stands for all of its task files. Raises UserError."""
    paths: list[Path] = []
    for name in names:
        inside = sorted(Path(name).glob("*.y*ml")) if Path(name).is_dir() else [find_task_file(name)]
        if not inside:
            raise UserError(f"there is no task file (*.yaml) in {name}")
        paths += inside
    return paths


def read_inputs(given: Sequence[str]) -> dict[str, str]:
    """Read `name=value`, where `@FILE` stands for the text of a file. Raises UserError."""
    values: dict[str, str] = {}
    for entry in given:
        name, equals, value = entry.partition("=")
        if not equals or not name:
            raise UserError(f"--input {entry}: write it as NAME=VALUE, or NAME=@FILE for the text of a file")
        values[name] = _file(Path(value[1:])) if value.startswith("@") else value
    return values


def read_cluster(
    engine: str,
    at_once: int | None,
    calls_per_minute: float | None,
    *,
    address: str | None,
    cpus: float | None,
    memory: float | None,
) -> Cluster:
    """Read where, and how many at once, runs shall work. Raises UserError."""
    on_cluster = {"--address": address, "--cpus-per-run": cpus, "--memory-per-run": memory}
    given = [option for option, value in on_cluster.items() if value is not None]
    if given and engine != "ray":
        raise UserError(f"{' and '.join(given)} would do nothing here: add --engine ray")
    return Cluster(address, at_once, calls_per_minute, 1.0 if cpus is None else cpus, memory)


def _file(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(f"--input @{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError:
        raise UserError(f"--input @{path}: not UTF-8 text") from None
    if len(text) > _LONGEST_INPUT:
        raise UserError(f"--input @{path}: longer than {_LONGEST_INPUT} characters")
    return text.strip()


def run_files(files: Sequence[str], options: TaskOptions) -> int:
    """Run task files one after the other; the first that does not end well decides the exit code.

    Ctrl-C ends them all.
    """
    runs = [case for path in expand(files) for case in load_cases(path, options.inputs)]
    first = 0
    for case in runs:
        code = _run(case, options, alone=len(runs) == 1)
        if code == EXIT_CODES["cancelled"]:
            return code
        first = first if first else code
    return first


def _run(case: Case, options: TaskOptions, *, alone: bool) -> int:
    agent = task_agent(case.spec, options.wishes, options.workspace)
    if not (alone or options.as_json):
        typer.echo(f"== {case.name}", err=True)
    answer = drive(agent, partial(agent.stream, case.spec.objective), quiet=options.quiet)
    if answer is None:
        return EXIT_CODES["cancelled"]
    return report(agent.workspace, case, answer, options, alone=alone)


def report(
    workspace: Workspace,
    case: Case,
    answer: Answer,
    options: TaskOptions,
    *,
    alone: bool,
    attempts: int = 1,
) -> int:
    """Print or write what a case came to, and return its exit code."""
    result = published(workspace, answer)
    changes = changes_since_last(workspace, answer) if case.spec.since_last else None
    form = task_form(case.spec)
    failed = [] if case.spec.expect is None else failures(case.spec.expect, result)
    if options.as_json:
        more = {"task": case.name, "inputs": dict(case.inputs), "attempts": attempts, "failed": failed}
        result = {**result, **more}
        print_json(result if changes is None else {**result, "since_last": changes.to_json()})
    else:
        file = target(options.output, Path(case.name).name, form, alone=alone)
        deliver(answer, form, workspace, file)
        if case.spec.since_last:
            for line in _changed(changes):
                typer.echo(line, err=form.format != "text")
        for line in failed:
            typer.echo(f"expected: {one_line(line, 500)}", err=True)
    return exit_code(answer, case, failed)


def _changed(changes: Changes | None) -> list[str]:
    if changes is None:
        return ["", "This is the first run of this question in this workspace."]
    lines = [f"  {one_line(line, 300)}" for line in changes.lines()]
    since = f"Since {changes.since[:16].replace('T', ' ')} UTC:"
    return ["", since if lines else f"{since} nothing has changed", *lines]


def exit_code(answer: Answer, case: Case, failed: Sequence[str]) -> int:
    """Return the exit code of a run: for a test, whether what is expected holds; else how the run ended."""
    if failed:
        return EXPECTATION_FAILED
    return 0 if case.spec.expect is not None else EXIT_CODES[answer.stopped]
