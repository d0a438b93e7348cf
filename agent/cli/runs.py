"""`crowquill runs`: list, show, resume and replay what was recorded."""

import json
import sqlite3
from functools import partial
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from crowquill.agent.agent import Agent, run_in_thread
from crowquill.agent.cli.session import drive, print_answer, print_json, print_outcome
from crowquill.agent.cli.view import describe
from crowquill.agent.config import RunConfig
from crowquill.agent.events import RunFinished
from crowquill.agent.journal import load_events
from crowquill.agent.models.resolve import resolve
from crowquill.agent.publish import event_json
from crowquill.agent.records import RunRecord, find_run, list_records
from crowquill.agent.render import one_line
from crowquill.agent.replay import replay
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
    }


def show_run(workspace: Path | None, run_id: str, *, as_json: bool) -> int:
    """Print what a run did, and its answer."""
    place = Workspace(find_workspace(workspace))
    record = place.database.read_now(lambda connection: find_run(connection, run_id))
    recorded = place.database.read_now(lambda connection: load_events(connection, record.id))
    console = Console(highlight=False, soft_wrap=True)
    if not as_json:
        console.print(Text(f"{record.objective}  ({record.state})", style="bold"))
    for item in recorded:
        if as_json:
            print_json({"lane": item.lane, "seq": item.seq, "at": item.at, **event_json(item.event)})
        elif isinstance(item.event, RunFinished):
            console.print()
            print_answer(item.event.answer)
        elif (line := describe(item.event)) is not None:
            console.print(Text(f"{item.at[11:19]} {item.lane:<4} {line}"))
    return 0


def resume_run(workspace: Path | None, run_id: str, *, as_json: bool, events: bool, quiet: bool) -> int:
    """Go on with a run that was left, and return the exit code of its answer."""
    place = Workspace(find_workspace(workspace))
    record = place.database.read_now(lambda connection: find_run(connection, run_id))
    config = RunConfig.from_json(json.loads(record.config))
    if config.tools:
        raise UserError(
            f"run {record.id} has tools of its own program ({', '.join(config.tools)}); resume it there, with"
            f" Agent(…, tools=[…]).resume({record.id!r})"
        )
    made = {name: resolve(name) for name in set(config.models.values())}
    models = {role: made[name] for role, name in config.models.items()}
    agent = Agent.from_config(config, models, workspace=place)
    answer = drive(agent, partial(agent.resume, record.id), events=events, quiet=quiet)
    return print_outcome(answer, as_json=as_json, events=events)


def replay_run(workspace: Path | None, run_id: str, *, as_json: bool) -> int:
    """Replay a run and say whether every event came again."""
    place = Workspace(find_workspace(workspace))

    def find(connection: sqlite3.Connection) -> RunRecord:
        return find_run(connection, run_id)

    record = place.database.read_now(find)
    count = run_in_thread(replay(place, record.id))
    if as_json:
        print_json({"schema": 1, "run": record.id, "events": count, "identical": True})
    else:
        typer.echo(f"{record.id}: {count} events, all identical; no model and no network was used")
    return 0
