"""Replay: the same code over the recorded effects, with nothing to call."""

import json
from collections.abc import Sequence

from crowquill.agent.agent import Agent
from crowquill.agent.config import RunConfig
from crowquill.agent.events import Observed, Progress, Recorded, RunFinished
from crowquill.agent.journal import Journal, load_events
from crowquill.agent.models.base import Reply, Request
from crowquill.agent.records import find_run
from crowquill.agent.redact import Redactor
from crowquill.agent.toolkit import BUILT_IN
from crowquill.agent.workspace import Workspace
from crowquill.errors import ReplayMiss, UserError
from crowquill.memory.clock import SystemClock


class AbsentModel:
    """Stands for a model that must not be called."""

    slots = 1
    context_tokens = 0

    def __init__(self, name: str) -> None:
        self.name = name

    async def complete(self, request: Request) -> Reply:
        """Refuse."""
        raise ReplayMiss(f"a replay asked the model {self.name} something ({request.role})")

    async def warm(self) -> None:
        """Do nothing."""

    async def close(self) -> None:
        """Do nothing."""


async def replay(workspace: Workspace, run_id: str) -> int:
    """Replay a finished run and return the number of its events, all of which came again.

    Raises:
        UserError: the run never finished, or it used a tool of the user's own.
        ReplayMiss: an effect is asked for that was not recorded.
        ReplayMismatch: an event differs, or does not come again.
    """
    record = await workspace.database.read(lambda connection: find_run(connection, run_id))
    events = await workspace.database.read(lambda connection: load_events(connection, record.id))
    finished = bool(events) and isinstance(events[-1].event, RunFinished)
    if record.finished_at is None or record.status == "cancelled" or not finished:
        raise UserError(f"run {run_id} did not finish ({record.state}); only finished runs can be replayed")
    if custom := _custom_tools(events):
        raise UserError(
            f"run {run_id} used the tool {custom[0]!r} of its own program; such runs cannot be replayed"
        )
    config = RunConfig.from_json(json.loads(record.config))
    agent = Agent.from_config(
        config, {role: AbsentModel(name) for role, name in config.models.items()}, workspace=workspace
    )
    journal = await Journal.reopen(workspace.database, run_id, clock=SystemClock(), redactor=Redactor())
    count = 0
    async for event in agent.drive(journal, record.objective, agent.workshop(live=False)):
        count += not isinstance(event, Progress)
    return count


def _custom_tools(events: Sequence[Recorded]) -> list[str]:
    """Return tools that worked and are not ours; a name that the model has made up does not work."""
    observed = [entry.event for entry in events if isinstance(entry.event, Observed)]
    return [event.tool for event in observed if not event.error and event.tool not in BUILT_IN]
