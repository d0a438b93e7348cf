"""Prints an answer in the form that a task file asks for, or writes it to a file."""

from pathlib import Path

import typer

from crowquill.agent.answer import Answer
from crowquill.agent.cli.session import print_answer
from crowquill.agent.form import Form
from crowquill.agent.report.page import render_report
from crowquill.agent.story import read_story
from crowquill.agent.workspace import Workspace
from crowquill.agent.written import as_csv, as_json, as_markdown
from crowquill.errors import UserError
from crowquill.memory.owned import write_own

SUFFIXES = {"text": ".txt", "markdown": ".md", "json": ".json", "csv": ".csv", "html": ".html"}


def deliver(answer: Answer, form: Form, workspace: Workspace, file: Path | None) -> None:
    """Print the answer, or write it. What is missing in it is said on standard error.

    Raises:
        UserError: the file cannot be written.
    """
    if form.format == "text" and file is None:
        print_answer(answer)
        return
    text = written(answer, form, workspace)
    if answer.output is not None and answer.output.missing:
        typer.echo(f"no receipt for the values at {', '.join(answer.output.missing)}", err=True)
    if text is None:
        typer.echo(answer.text, err=True)
    elif file is None:
        typer.echo(text, nl=False)
    else:
        _write(file, text)
        typer.echo(f"written to {file}", err=True)


def written(answer: Answer, form: Form, workspace: Workspace) -> str | None:
    """Return the answer in its form, None when there are no data to be written."""
    match form.format:
        case "json":
            return None if answer.output is None else as_json(answer.output)
        case "csv":
            return None if answer.output is None else as_csv(answer.output, form.columns, answer.evidence)
        case "html":
            return render_report(read_story(workspace, answer.run_id), workspace.blobs)
        case _:
            return as_markdown(answer)


def _write(file: Path, text: str) -> None:
    try:
        write_own(file, text)
    except OSError as error:
        raise UserError(f"{file}: cannot be written: {error.strerror}") from error


def target(file: Path | None, name: str, form: Form, *, alone: bool) -> Path | None:
    """Return the file for one of several runs: beneath `--output`, which then is a folder. Raises UserError."""
    if file is None or alone:
        return file
    if not file.is_dir():
        raise UserError(f"--output {file}: there are several runs, so this has to be a folder that is there")
    stem = "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in name.replace(".yaml", ""))
    return file / f"{stem}{SUFFIXES[form.format]}"
