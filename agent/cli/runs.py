"""`crowquill runs`: list, show, resume, settle and replay what was recorded."""

import json
import sqlite3
from collections.abc import Collection, Iterator
from functools import partial
from pathlib import Path
from typing import Literal

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from crowquill.agent.agent import Agent, run_in_thread
from crowquill.agent.cli.session import drive, print_answer, print_json, print_outcome
from crowquill.agent.cli.view import describe
from crowquill.agent.config import RunConfig
from crowquill.agent.events import RunFinished
from crowquill.agent.models.base import Model
from crowquill.agent.models.resolve import resolve
from crowquill.agent.publish import event_json
from crowquill.agent.records import RunRecord, find_run, list_records, unknown_outcomes
from crowquill.agent.render import one_line
from crowquill.agent.replay import replay
from crowquill.agent.tape import load_events, settle_outcomes
from crowquill.agent.workspace import Workspace, find_workspace
from crowquill.errors import UserError


def list_runs(workspace: Path | None, limit: int, *, as_json: bool) -> int:
    """Print the recorded runs, newest first."""
    place = Workspace(find_workspace(workspace))
    records = place.database.read_now(lambda connection: list_records(connection, limit))
    if as_json:
        print_json([_record_json(record) for record in records])
        return 0
    if not records:
        typer.echo(f'no runs in {place.path} yet; make one with: crowquill ask "…"')
        return 0
    table = Table("run", "state", "objective", "answer", box=None, header_style="dim", pad_edge=False)
    for record in records:
        table.add_row(
            record.id, record.state, Text(one_line(record.objective, 60)), Text(one_line(record.short, 40))
        )
    Console(highlight=False).print(table)
    return 0


def _record_json(record: RunRecord) -> dict[str, str | None]:
    return {
        "id": record.id,
        "state": record.state,
        "objective": record.objective,
        "short": record.short,
        "created_at": record.created_at,
        "finished_at": record.finished_at,
        "why": record.why,
        "parent": record.parent,
    }


def show_run(workspace: Path | None, run_id: str, *, as_json: bool) -> int:
    """Print what a run did, and its answer."""
    place = Workspace(find_workspace(workspace))
    record = place.database.read_now(lambda connection: find_run(connection, run_id))
    recorded = place.database.read_now(lambda connection: load_events(connection, record.id, place.blobs))
    unknown = place.database.read_now(lambda connection: unknown_outcomes(connection, record.id))
    console = Console(highlight=False, soft_wrap=True)
    if not as_json:
        console.print(Text(f"{one_line(record.objective, 2000)}  ({record.state})", style="bold"))
        for note in _notes(record, unknown):
            console.print(Text(note, style="yellow"))
    for item in recorded:
        if as_json:
            print_json({"lane": item.lane, "seq": item.seq, "at": item.at, **event_json(item.event)})
        elif isinstance(item.event, RunFinished):
            console.print()
            print_answer(item.event.answer)
        elif (line := describe(item.event)) is not None:
            console.print(Text(f"{item.at[11:19]} {item.lane:<4} {line}"))
    return 0


def _notes(record: RunRecord, unknown: list[str]) -> Iterator[str]:
    """Yield what a person should know of a run before its events."""
    if record.parent is not None and record.fork is not None:
        yield f"forked from {record.parent} at {json.loads(record.fork)['at']}"
    if record.why:
        yield f"{record.state}: {one_line(record.why, 500)}; go on with: crowquill runs resume {record.id}"
    for call in unknown:
        settle = f"crowquill runs settle {record.id} done|failed|again"
        yield f"outcome unknown: {one_line(call, 500)}; say it with: {settle}"


def resume_run(workspace: Path | None, run_id: str, *, as_json: bool, events: bool, quiet: bool) -> int:
    """Go on with a run that was left, and return the exit code of its answer."""
    place = Workspace(find_workspace(workspace))
    record = place.database.read_now(lambda connection: find_run(connection, run_id))
    agent = recorded_agent(place, record)
    answer = drive(agent, partial(agent.resume, record.id), events=events, quiet=quiet)
    return print_outcome(answer, as_json=as_json, events=events)


def recorded_agent(
    place: Workspace, record: RunRecord, model: str | None = None, known: Collection[Model] = ()
) -> Agent:
    """Return an agent with the settings of a recorded run, or with another model for every role.

    Models that are `known` are not made again.

    Raises:
        UserError: the run has tools of its own program.
    """
    config = RunConfig.from_json(json.loads(record.config))
    if config.tools:
        raise UserError(
            f"run {record.id} has tools of its own program ({', '.join(tool.name for tool in config.tools)}); go on"
            f" with it there, with Agent(…, tools=[…]).resume({record.id!r})"
        )
    names = config.models if model is None else dict.fromkeys(config.models, model)
    ready = {model.name: model for model in known}
    made = {name: ready[name] if name in ready else resolve(name) for name in set(names.values())}
    return Agent.from_config(config, {role: made[name] for role, name in names.items()}, workspace=place)


def settle_run(workspace: Path | None, run_id: str, outcome: Literal["done", "failed", "again"]) -> int:
    """Record what became of calls with unknown outcome."""
    place = Workspace(find_workspace(workspace))

    def settle(connection: sqlite3.Connection) -> tuple[str, int]:
        record = find_run(connection, run_id)
        if record.state == "running":
            raise UserError(f"run {record.id} is being worked on by process {record.pid}; nothing is unknown yet")
        return record.id, settle_outcomes(connection, record.id, outcome)

    found, count = place.database.write_now(settle)
    if count == 0:
        raise UserError(f"run {found} has no call with an unknown outcome")
    typer.echo(f"{count} settled ({outcome}); go on with: crowquill runs resume {found}")
    return 0


def replay_run(workspace: Path | None, run_id: str, *, strict: bool, as_json: bool) -> int:
    """Replay a run and say whether every event came again."""
    place = Workspace(find_workspace(workspace))
    record = place.database.read_now(lambda connection: find_run(connection, run_id))
    count = run_in_thread(replay(place, record.id, strict=strict))
    if as_json:
        print_json({"schema": 1, "run": record.id, "events": count, "identical": True})
    else:
        typer.echo(f"{record.id}: {count} events, all identical; no model and no network was used")
    return 0
