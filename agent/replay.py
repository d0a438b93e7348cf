"""Replay: the same code over the recorded effects, with nothing to call."""

import json

from crowquill.agent.agent import Agent
from crowquill.agent.config import RunConfig
from crowquill.agent.events import Progress
from crowquill.agent.journal import Journal
from crowquill.agent.models.base import Reply, Request
from crowquill.agent.records import find_run
from crowquill.agent.redact import Redactor
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
        UserError: the run never finished.
        ReplayMiss: an effect is asked for that was not recorded.
        ReplayMismatch: an event differs, or does not come again.
    """
    record = await workspace.database.read(lambda connection: find_run(connection, run_id))
    if record.finished_at is None or record.status in ("cancelled", "error"):
        raise UserError(f"run {run_id} did not finish ({record.state}); only finished runs can be replayed")
    config = RunConfig.from_json(json.loads(record.config))
    agent = Agent.from_config(
        config, {role: AbsentModel(name) for role, name in config.models.items()}, workspace=workspace
    )
    journal = await Journal.reopen(workspace.database, run_id, clock=SystemClock(), redactor=Redactor())
    count = 0
    async for event in agent.drive(journal, record.objective, agent.workshop(live=False)):
        count += not isinstance(event, Progress)
    journal.check_complete()
    return count
