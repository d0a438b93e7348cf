"""From a task file to an agent, and from a recorded run to what `expect:` is checked against."""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from crowquill.agent.agent import Agent
from crowquill.agent.answer import Answer
from crowquill.agent.budget import Budget
from crowquill.agent.config import RunConfig
from crowquill.agent.events import RunFinished
from crowquill.agent.form import Form
from crowquill.agent.jobs import Job
from crowquill.agent.models.base import Model
from crowquill.agent.prices import find_prices
from crowquill.agent.publish import answer_json
from crowquill.agent.records import find_run
from crowquill.agent.safety import personal_safety, tightened
from crowquill.agent.select.options import USUAL, Select
from crowquill.agent.tally import tally
from crowquill.agent.tape import load_events
from crowquill.agent.workspace import Workspace
from crowquill.tasks.filling import Case, cases
from crowquill.tasks.load import PRESETS, load_task_file
from crowquill.tasks.safety import RestrictingSpec
from crowquill.tasks.secrets import database_address
from crowquill.tasks.spec import RunSpec
from crowquill.tools.fetching import Fetching


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the person who runs task files wants beside what stands in them.

    A `model` replaces the file's, and so do the providers of `search`; `allow_hosts` may be fetched though they are
    private. With `fresh`, neither replies nor evidence of earlier runs are used, but for evidence where the file
    asks for it.
    """

    model: str | None = None
    fresh: bool = False
    search: tuple[str, ...] = ()
    allow_hosts: tuple[str, ...] = ()
    find: Callable[[str], str | Model] = str
    """Makes a model of its spelling; an agent does so by itself when it is left as it is."""


def load_cases(path: Path, given: Mapping[str, str]) -> list[Case]:
    """Read a task file and return its runs. Raises UserError."""
    return cases(load_task_file(path), given, path.parent.absolute(), label(path))


def label(path: Path) -> str:
    """Return how a task file is called: a shipped one by its name, another one as it was named."""
    return path.stem if path.parent == PRESETS else str(path)


def task_agent(spec: RunSpec, wishes: Wishes, workspace: Path | Workspace | None) -> Agent:
    """Make the agent that a task describes. Raises UserError."""
    chosen = wishes.model if wishes.model is not None else spec.model
    models = {} if wishes.model is not None else spec.models
    again = spec.since_last or spec.tools.browser.refresh
    remembers = spec.memory and not (wishes.fresh and "memory" not in spec.model_fields_set)
    fetching = Fetching.of_environment(os.environ)
    return Agent(
        model=wishes.find("local" if chosen is None else chosen),
        models={role: wishes.find(name) for role, name in models.items()},
        policy=spec.policy,
        corpora=spec.corpus,
        databases=[database_address(entry, os.environ) for entry in spec.db],
        data=spec.data,
        web=spec.web,
        search=wishes.search if wishes.search else spec.search,
        allow_hosts=wishes.allow_hosts,
        sites=spec.sites,
        fetching=replace(fetching, refresh=again, js=spec.tools.browser.js),
        without_tools=spec.tools.off,
        profile=spec.profile,
        safety=tightened(personal_safety(), RestrictingSpec(mode=spec.mode, approvals=spec.approvals)),
        select=_selection(spec),
        weights=spec.critic.weights,
        form=task_form(spec),
        memory=remembers,
        cache=not (wishes.fresh or again),
        similar=None if wishes.fresh or again else spec.similar,
        budget=Budget(**spec.budget.model_dump()),
        workspace=workspace,
    )


def task_form(spec: RunSpec) -> Form:
    """Return the form in which a task wants its answer."""
    return Form.from_json(spec.output.model_dump(by_alias=True))


def job(case: Case, wishes: Wishes, name: str) -> Job:
    """Make the job of a case; its agent is made where it runs."""
    return Job(name, case.spec.objective, partial(task_agent, case.spec, wishes))


def _selection(spec: RunSpec) -> Select:
    wanted = spec.selection
    count = wanted.n if wanted.n is not None else 1 if wanted.strategy == "single" else USUAL
    critic = spec.critic
    return Select(
        wanted.strategy,
        count,
        wanted.share,
        wanted.threshold,
        judge=critic.judge,
        closed_book=critic.closed_book,
    )


def recorded_answer(workspace: Workspace, run_id: str) -> Answer | None:
    """Return the answer that a run has ended with, None when it has not."""
    recorded = workspace.database.read_now(lambda connection: load_events(connection, run_id, workspace.blobs))
    return next((entry.event.answer for entry in recorded if isinstance(entry.event, RunFinished)), None)


def published(workspace: Workspace, answer: Answer) -> dict[str, Any]:
    """Return an answer as JSON data, with what its run has spent."""
    run = workspace.database.read_now(lambda connection: find_run(connection, answer.run_id))
    recorded = workspace.database.read_now(lambda connection: load_events(connection, run.id, workspace.blobs))
    config = RunConfig.from_json(json.loads(run.config))
    prices = {**find_prices(config.models.values(), workspace.path), **config.prices}
    return {**answer_json(answer), "spent": tally((entry.event for entry in recorded), config.models, prices)}
