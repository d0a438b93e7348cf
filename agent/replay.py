"""Replay: the same code over the recorded effects, with nothing to call."""

import json

from crowquill.agent.agent import Agent
from crowquill.agent.config import RunConfig
from crowquill.agent.events import Progress, RunFinished
from crowquill.agent.fork import Fork
from crowquill.agent.journal import Journal
from crowquill.agent.models.absent import AbsentModel
from crowquill.agent.models.base import Model, Role
from crowquill.agent.records import find_run
from crowquill.agent.redact import Redactor
from crowquill.agent.tape import load_events
from crowquill.agent.workspace import Workspace
from crowquill.errors import UserError
from crowquill.memory.clock import SystemClock


async def replay(workspace: Workspace, run_id: str, *, strict: bool = False) -> int:
    """Replay a finished run and return the number of its events, all of which came again, byte for byte.

    With `strict`, every recorded effect must have been asked for again, too.

    Raises:
        UserError: the run never finished.
        ReplayMiss: an effect is asked for that was not recorded.
        ReplayMismatch: an event differs, or does not come again.
    """
    database = workspace.database
    record = await database.read(lambda connection: find_run(connection, run_id))
    events = await database.read(lambda connection: load_events(connection, record.id, database.blobs))
    finished = bool(events) and isinstance(events[-1].event, RunFinished)
    if record.finished_at is None or record.status == "cancelled" or not finished:
        raise UserError(f"run {record.id} did not finish ({record.state}); only finished runs can be replayed")
    config = RunConfig.from_json(json.loads(record.config))
    models: dict[Role, Model] = {role: AbsentModel(name) for role, name in config.models.items()}
    agent = Agent.from_config(config, models, workspace=workspace)
    journal = Journal(database, record.id, clock=SystemClock(), redactor=Redactor(), mode="replay")
    fork = Fork.read(record)
    workshop = agent.workshop(live=False)
    count = 0
    async for event in agent.driver.drive(journal, record.objective, workshop, fork=fork, strict=strict):
        count += not isinstance(event, Progress)
    return count
