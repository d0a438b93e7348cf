"""`crowquill memory export` and `import`."""

import asyncio
import re
import sys
from dataclasses import asdict
from pathlib import Path

import typer
from rich.console import Console

from crowquill.agent.cli.memory import closing
from crowquill.agent.cli.session import print_json
from crowquill.agent.knowledge import learn
from crowquill.agent.render import one_line
from crowquill.agent.workspace import Workspace, find_workspace
from crowquill.errors import UserError
from crowquill.memory.owned import open_own
from crowquill.memory.portable import export, take_in

_SHOWN = 10


def export_memory(workspace: Path | None, out: Path | None, namespace: str | None) -> int:
    """Write the memory to a file that did not exist, or to standard output."""
    place = Workspace(find_workspace(workspace))
    with closing(place):
        if out is None:
            for line in export(place.database, namespace):
                sys.stdout.write(line + "\n")
            return 0
        try:
            with open_own(out, "x", encoding="ascii") as file:
                count = sum(file.write(line + "\n") > 0 for line in export(place.database, namespace))
        except OSError as error:
            raise UserError(f"cannot write {out}: {error.strerror}") from error
    typer.echo(f"{count} lines written to {out}", err=True)
    return 0


def import_memory(workspace: Path | None, source: Path, name: str | None, *, as_json: bool) -> int:
    """Take over an export, or learn documents."""
    place = Workspace(find_workspace(workspace))
    with closing(place), Console(stderr=True).status("reading") as status:
        if source.suffix == ".jsonl" or source.suffix == ".json":
            if name is not None:
                raise UserError("--name is for documents; an export keeps the namespaces that it was made with")
            with source.open(encoding="utf-8", errors="replace") as lines:
                taken = take_in(place.database, lines)
            outcome, problems = asdict(taken), taken.refused
            said = f"{taken.added} records taken over, {taken.known} known already, {len(problems)} refused"
        else:
            label = name if name is not None else re.sub(r"[^\w-]+", "-", source.absolute().stem.lower()).strip("-")
            if not re.fullmatch(r"[\w-]{1,64}", label):
                raise UserError(f"{label!r} cannot name knowledge; give letters, digits and - with --name")
            learned = asyncio.run(learn(place, source, label, lambda what, done: status.update(f"{what}: {done}")))
            outcome, problems = {**asdict(learned), "name": label}, learned.problems
            said = f"{learned.documents} documents in {label!r}: {learned.pieces} new pieces, {learned.gone} gone"
    if as_json:
        print_json({"schema": 1, **outcome})
        return 0
    typer.echo(said)
    for problem in problems[:_SHOWN]:
        typer.echo(f"  {one_line(problem, 200)}", err=True)
    return 0
