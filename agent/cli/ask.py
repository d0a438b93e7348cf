"""`crowquill ask`: one question, one checked answer."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import cast

from crowquill.agent.agent import Agent
from crowquill.agent.budget import Budget
from crowquill.agent.cli.session import drive, print_outcome
from crowquill.agent.config import PolicyName
from crowquill.errors import UserError


@dataclass(frozen=True, slots=True)
class AskOptions:
    """The command's options, as given; None means not given."""

    model: str | None = None
    policy: str | None = None
    corpora: tuple[str, ...] = ()
    databases: tuple[str, ...] = ()
    web: bool | None = None
    allow_hosts: tuple[str, ...] = ()
    budget: str | None = None
    memory: bool = True
    examples: Path | None = None
    cache: bool = True
    workspace: Path | None = None

    def agent(self) -> Agent:
        """Make the agent that these options describe. Raises UserError."""
        if self.policy not in (None, "guided", "json"):
            raise UserError(f"unknown policy {self.policy!r}; use guided (small models) or json")
        alone = not self.corpora and not self.databases
        return Agent(
            model="local" if self.model is None else self.model,
            policy=cast("PolicyName | None", self.policy),
            corpora=self.corpora,
            databases=self.databases,
            web=alone if self.web is None else self.web,
            allow_hosts=self.allow_hosts,
            budget=None if self.budget is None else Budget.parse(self.budget),
            memory=self.memory,
            cache=self.cache,
            examples=() if self.examples is None else self.examples,
            workspace=self.workspace,
        )


def run_ask(question: str, options: AskOptions, *, as_json: bool, events: bool, quiet: bool) -> int:
    """Answer the question and return the exit code."""
    agent = options.agent()
    answer = drive(agent, partial(agent.stream, question), events=events, quiet=quiet)
    return print_outcome(answer, as_json=as_json, events=events)
