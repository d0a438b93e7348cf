"""`crowquill ask`: one question, one checked answer."""

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import cast

from crowquill.agent.agent import Agent
from crowquill.agent.approvals import Mode
from crowquill.agent.budget import Budget
from crowquill.agent.cli.approving import TerminalApprover, can_ask
from crowquill.agent.cli.report import check_report
from crowquill.agent.cli.session import drive, print_outcome
from crowquill.agent.config import PlanMode, PolicyName
from crowquill.agent.report.page import write_report
from crowquill.agent.safety import personal_safety
from crowquill.agent.story import read_story
from crowquill.errors import UserError
from crowquill.tools.fetching import Fetching
from crowquill.tools.search.registry import split_specs


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
    select: str = "single"
    examples: Path | None = None
    cache: bool = True
    allow_write: bool = False
    profile: Path | None = None
    knowledge: tuple[str, ...] = ()
    planning: PlanMode = "auto"
    workspace: Path | None = None
    mode: Mode | None = None
    safety: Path | None = None

    def agent(self) -> Agent:
        """Make the agent that these options describe. Raises UserError."""
        if self.policy not in (None, "guided", "json"):
            raise UserError(f"unknown policy {self.policy!r}; use guided (small models) or json")
        search = () if self.search is None else split_specs(self.search)
        if search and self.web is False:
            raise UserError("--search asks the web and --no-web forbids it; give one of them")
        alone = not self.corpora and not self.databases and not self.data
        return Agent(
            model="local" if self.model is None else self.model,
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
            allow_write=self.allow_write,
            approver=TerminalApprover() if self.allow_write and can_ask() else None,
            select=self.select,
            profile=self.profile,
            knowledge=self.knowledge,
            planning=self.planning,
            examples=() if self.examples is None else self.examples,
            workspace=self.workspace,
            safety=personal_safety(self.mode, self.safety),
        )


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
    agent = options.agent()
    answer = drive(agent, partial(agent.stream, question), events=events, quiet=quiet)
    code = print_outcome(answer, as_json=as_json, events=events)
    if report is not None and answer is not None:
        write_report(read_story(agent.workspace, answer.run_id), agent.workspace.blobs, report)
    return code
