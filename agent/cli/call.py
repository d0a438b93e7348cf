"""`crowquill call`: one tool, by hand; and `crowquill math`, a pocket calculator with the `math` tool."""

import asyncio
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import typer

from crowquill.agent.cli.session import print_json
from crowquill.agent.config import RunConfig
from crowquill.agent.direct import DirectContext
from crowquill.agent.render import clean
from crowquill.agent.rules import Rules
from crowquill.agent.workshop import Workshop
from crowquill.agent.workspace import Workspace, find_workspace
from crowquill.errors import ToolError, UserError
from crowquill.memory.evidence import Table
from crowquill.memory.evidence_json import encode
from crowquill.memory.owned import write_own
from crowquill.tools.observation import Observation
from crowquill.tools.tool import Tool

_SECONDS = 60.0
_HELP = 'write a calculation, such as: integrate x^2 from 0 to 3 ("quit" or Ctrl-D ends)'


class ByHand(DirectContext):
    """The context of a call by hand: typed URLs may be opened, and what a tool has found."""

    def __init__(self, workspace: Workspace, typed: str) -> None:
        super().__init__(workspace.blobs, partial(typer.echo, err=True))
        self.lane = "call"
        self.deadline = self.clock.monotonic() + _SECONDS
        self.rules = Rules(typed)

    async def egress(self, url: str) -> None:
        """Apply the egress rules to a URL."""
        self.rules.check_url(url)

    def permits(self, url: str, *, known: bool = True) -> bool:
        """Say whether `egress` would let a URL pass."""
        return not known or self.rules.knows(url)

    async def check_outgoing(self, text: str) -> None:
        """Apply the egress rules to text that leaves this machine."""
        self.rules.check_outgoing(text)

    def offer(self, urls: list[str], *, page: str = "") -> None:
        """Make URLs openable."""
        self.rules.offer(urls, page=page)


@dataclass(frozen=True, slots=True)
class CallOptions:
    """What the tools of a call may work with."""

    corpora: tuple[str, ...] = ()
    databases: tuple[str, ...] = ()
    web: bool = False
    workspace: Path | None = None


def run_call(
    name: str, arguments: str, options: CallOptions, *, plot: Path | None = None, as_json: bool = False
) -> int:
    """Call a tool once and print what it says; exit code 1 when it cannot do it."""
    place = Workspace(find_workspace(options.workspace))
    config = RunConfig(
        models={},
        policy="json",
        corpora=options.corpora,
        databases=tuple(map(place.database_url, options.databases)),
        web=options.web,
    )
    context = ByHand(place, arguments)
    workshop = Workshop(config, place, (), live=True)
    try:
        return asyncio.run(_call(name, arguments, workshop, context, plot=plot, as_json=as_json))
    finally:
        workshop.close()
        place.close()


async def _call(
    name: str, arguments: str, workshop: Workshop, context: ByHand, *, plot: Path | None, as_json: bool
) -> int:
    tools = await workshop.tools(context)
    if name not in tools:
        raise UserError(f"there is no tool {name[:40]!r} here; there are {', '.join(sorted(tools))}")
    try:
        observation = await tools[name].call(read_arguments(tools[name], arguments), context)
    except ToolError as error:
        typer.echo(f"crowquill: {name}: {clean(str(error))}", err=True)
        return 1
    if plot is not None:
        _write_plot(observation, plot)
    _print(observation, name, as_json=as_json)
    return 0


def read_arguments(tool: Tool, text: str) -> Mapping[str, Any]:
    """Read a JSON object, or plain words for a tool that needs one argument. Raises UserError."""
    needed = tool.parameters.get("required", [])
    if text.lstrip().startswith("{"):
        try:
            return cast("dict[str, Any]", json.loads(text))
        except json.JSONDecodeError as error:
            if len(needed) != 1:
                raise UserError(f"the arguments are no JSON object: {error.msg} at character {error.pos}") from None
    if not text and not needed:
        return {}
    if len(needed) != 1:
        example = json.dumps(dict.fromkeys(tool.parameters.get("properties", {}), "…"), ensure_ascii=False)
        raise UserError(f"{tool.name} takes a JSON object: crowquill call {tool.name} '{example}'")
    return {needed[0]: text}


def _print(observation: Observation, name: str, *, as_json: bool) -> None:
    text = clean(observation.text.text)
    if as_json:
        found = [encode(item) for item in observation.evidence]
        print_json({"schema": 1, "tool": name, "text": text, "status": observation.status, "evidence": found})
        return
    tables = [item for item in observation.evidence if isinstance(item, Table)]
    typer.echo(text if text or not tables else "")
    typer.echo(observation.status, err=True)


def _write_plot(observation: Observation, path: Path) -> None:
    kind = path.suffix.lstrip(".").lower()
    if kind not in observation.pictures:
        raise UserError(f"there is no picture to write to {path}; plot something, and name a file .svg or .png")
    write_own(path, observation.pictures[kind])
    typer.echo(f"written to {path}", err=True)


def run_math(workspace: Path | None) -> int:
    """Read calculations line by line from a person or a pipe, and print each result."""
    place = Workspace(find_workspace(workspace))
    workshop = Workshop(RunConfig(models={}, policy="json"), place, (), live=True)
    interactive = sys.stdin.isatty()
    try:
        return asyncio.run(_repl(workshop, place, interactive=interactive))
    except (KeyboardInterrupt, EOFError):
        return 0
    finally:
        workshop.close()
        place.close()


async def _repl(workshop: Workshop, place: Workspace, *, interactive: bool) -> int:
    context = ByHand(place, "")
    tool = (await workshop.tools(context))["math"]
    if interactive:
        import readline  # noqa: F401 - editing and history of input()

        typer.echo(_HELP, err=True)
    failed = 0
    while True:
        try:
            line = input("> " if interactive else "").strip()  # noqa: ASYNC250 - nothing else runs
        except EOFError:
            return failed
        if line in ("quit", "exit"):
            return failed
        if not line:
            continue
        context.deadline = context.clock.monotonic() + _SECONDS
        try:
            observation = await tool.call({"expression": line}, context)
        except ToolError as error:
            failed = 0 if interactive else 1
            typer.echo(f"  {clean(str(error))}", err=not interactive)
            continue
        typer.echo("\n".join(f"  {text}" for text in clean(observation.text.text).splitlines()))
