"""`crowquill ask`: one question, one checked answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TypeVar, cast

from crowquill.agent.agent import Agent
from crowquill.agent.approvals import Approver, Mode
from crowquill.agent.budget import Budget
from crowquill.agent.cli.approving import TerminalApprover, can_ask
from crowquill.agent.cli.report import check_report
from crowquill.agent.cli.session import drive, print_outcome
from crowquill.agent.config import Layout, PlanMode, PolicyName
from crowquill.agent.corrective import RecallMode
from crowquill.agent.models.base import Model, Role
from crowquill.agent.report.page import write_report
from crowquill.agent.safety import personal_safety
from crowquill.agent.select.options import Select
from crowquill.agent.settings import load_defaults
from crowquill.agent.steering import Steering
from crowquill.agent.story import read_story
from crowquill.errors import UserError
from crowquill.tasks.safety import Defaults
from crowquill.tools.fetching import Fetching
from crowquill.tools.search.registry import split_specs

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class AskOptions:
    """The command's options, as given; None means not given."""

    model: str | None = None
    policy: str | None = None
    corpora: tuple[str, ...] = ()
    databases: tuple[str, ...] = ()
    data: tuple[str, ...] = ()
    web: bool | None = None
    search: str | None = None
    fetching: Fetching = field(default_factory=Fetching)
    allow_hosts: tuple[str, ...] = ()
    budget: str | None = None
    memory: bool = True
    select: str | None = None
    judge: str | None = None
    gold: str | None = None
    examples: Path | None = None
    cache: bool = True
    similar: float | None = None
    allow_write: bool = False
    profile: Path | None = None
    knowledge: tuple[str, ...] = ()
    recall: RecallMode = "plain"
    planning: PlanMode = "auto"
    layout: Layout | None = None
    workspace: Path | None = None
    mode: Mode | None = None
    safety: Path | None = None

    def with_defaults(self, settings: Defaults) -> "AskOptions":
        """Return these options with the user's own defaults where nothing was given.

        The settings' sources count together: they are used when no source was given at all.
        """
        policy = self.policy if self.policy is not None or self.model is not None else settings.policy
        profile = None if settings.profile is None else Path(settings.profile).expanduser()
        chosen = replace(
            self,
            model=_given(self.model, settings.model),
            policy=policy,
            budget=_given(self.budget, settings.budget),
            similar=_given(self.similar, settings.similar) if self.cache else self.similar,
            select=_given(self.select, settings.select),
            profile=_given(self.profile, profile),
        )
        if self.corpora or self.databases or self.data or self.search or self.web is not None:
            return chosen
        return replace(
            chosen,
            corpora=tuple(settings.corpus),
            databases=tuple(settings.db),
            data=tuple(settings.data),
            search=settings.search,
            web=settings.web,
        )

    def agent(self, *, models: Mapping[Role, Model] | None = None, approver: Approver | None = None) -> Agent:
        """Make the agent that these options describe, with the given models where they are there already.

        Raises UserError.
        """
        if self.policy not in (None, "guided", "json", "tools"):
            raise UserError(f"unknown policy {self.policy!r}; use guided (small models), json or tools")
        search = () if self.search is None else split_specs(self.search)
        if search and self.web is False:
            raise UserError("--search asks the web and --no-web forbids it; give one of them")
        alone = not self.corpora and not self.databases and not self.data
        return Agent(
            model="local" if self.model is None else self.model,
            models=self._judges() | dict(models or {}),
            policy=cast("PolicyName | None", self.policy),
            corpora=self.corpora,
            databases=self.databases,
            data=self.data,
            web=(alone or bool(search)) if self.web is None else self.web,
            search=search,
            fetching=self.fetching,
            allow_hosts=self.allow_hosts,
            budget=None if self.budget is None else Budget.parse(self.budget),
            memory=self.memory,
            cache=self.cache,
            similar=self.similar,
            select=self._selection(),
            allow_write=self.allow_write,
            approver=TerminalApprover() if approver is None and self.mode != "auto" and can_ask() else approver,
            profile=self.profile,
            knowledge=self.knowledge,
            recall=self.recall,
            planning=self.planning,
            layout=self.layout,
            examples=() if self.examples is None else self.examples,
            workspace=self.workspace,
            safety=personal_safety(self.mode, self.safety),
        )

    def _selection(self) -> Select:
        """Return the selection; naming a judge has it grade, where nothing else is said. Raises UserError."""
        chosen = Select.parse("single" if self.select is None else self.select)
        return chosen.judged(rank=self.judge is not None, report=self.gold is not None)

    def _judges(self) -> dict[Role, str | Model]:
        named: dict[Role, str | None] = {"judge": self.judge, "gold": self.gold}
        return {role: model for role, model in named.items() if model is not None}


def _given(value: T | None, default: T | None) -> T | None:
    return default if value is None else value


def run_ask(
    question: str,
    options: AskOptions,
    *,
    as_json: bool,
    events: bool,
    quiet: bool,
    report: Path | None = None,
) -> int:
    """Answer the question, write the report if one is wanted, and return the exit code."""
    check_report(report)
    agent = options.with_defaults(load_defaults()).agent()
    asker = agent.approver.ask if isinstance(agent.approver, TerminalApprover) else None
    stream = partial(agent.stream, question, steering=Steering(agent.clock, asker))
    answer = drive(agent, stream, events=events, quiet=quiet)
    code = print_outcome(answer, as_json=as_json, events=events)
    if report is not None and answer is not None:
        write_report(read_story(agent.workspace, answer.run_id), agent.workspace.blobs, report)
    return code
