"""What a session knows: settings, answers so far, their evidence, and the run under way."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from rich.console import Console, RenderableType
from rich.text import Text

from crowquill.agent.agent import Agent
from crowquill.agent.answer import Answer
from crowquill.agent.approvals import Approver
from crowquill.agent.cli.ask import AskOptions
from crowquill.agent.cli.chat.prompt import Ask
from crowquill.agent.cli.chat.screen import Screen
from crowquill.agent.cli.view import print_view
from crowquill.agent.conversation import Conversation
from crowquill.agent.events import Event
from crowquill.agent.models.base import Model, Role
from crowquill.agent.steering import Steering
from crowquill.agent.workspace import Workspace
from crowquill.errors import UserError
from crowquill.memory.evidence import Evidence
from crowquill.tasks.task import Task

Begin = Callable[..., AsyncGenerator[Event, None]]
"""Begins a run, with the keyword `steering`."""


@dataclass
class Chat:
    """A session.

    `answers` are those of this session, oldest first, with all that they rest on; they are never compacted. `agent`
    knows what the next question follows. `interrupt` is what Ctrl-C does now.
    """

    options: AskOptions
    console: Console
    ask: Ask
    interactive: bool
    quiet: bool = False
    approver: Approver | None = None
    answers: list[Answer] = field(default_factory=list)
    tasks: tuple[Task, ...] = ()
    screen: Screen | None = None
    steering: Steering | None = None
    ended: bool = False
    interrupt: Callable[[], object] = field(default=lambda: None)
    _agent: Agent | None = None

    @property
    def ready(self) -> bool:
        """Whether there is an agent."""
        return self._agent is not None

    @property
    def agent(self) -> Agent:
        """The agent for the next question, made when it is first needed. Raises UserError."""
        if self._agent is None:
            self._agent = self.options.agent(approver=self.approver)
        return self._agent

    @property
    def workspace(self) -> Workspace:
        """The workspace of the session."""
        return self.agent.workspace

    @property
    def answer(self) -> Answer:
        """The last answer. Raises UserError when there is none."""
        if not self.answers:
            raise UserError("there is no answer yet: ask a question first")
        return self.answers[-1]

    async def change(self, **options: Any) -> None:
        """Change settings for the questions to come; the conversation goes on.

        Raises:
            UserError: a setting cannot be used; nothing is changed.
        """
        changed = replace(self.options, **options)
        models: dict[Role, Model] | None = None
        if self._agent is not None and changed.model == self.options.model:
            models = self._agent.models  # an embedded model stays warm
        agent = changed.agent(models=models, approver=self.approver)
        (await asyncio.to_thread(agent.workshop, live=True)).close()
        for answer in self.answers:
            agent = agent.following(answer) if answer.claims else agent
        if models is None and self._agent is not None:
            await self._agent.close()
        self.options, self._agent = changed, agent

    def learn(self, answer: Answer) -> None:
        """Keep an answer; one that says something is part of the conversation."""
        self.answers.append(answer)
        if answer.claims:
            self._agent = self.agent.following(answer)

    def forget(self) -> None:
        """Begin a new conversation; what was verified stays in the memory."""
        self.answers, self.tasks = [], ()
        self.agent.config = replace(self.agent.config, earlier=(), conversation=Conversation())

    def receipt(self, name: str) -> tuple[str, Evidence]:
        """Return a receipt of the last answer by its number, or of answer 2 as `2.1`. Raises UserError."""
        answer_number, _, number = name.rpartition(".")
        place = int(answer_number) if answer_number.isdecimal() else len(self.answers) if not answer_number else 0
        if 1 <= place <= len(self.answers) and number.isdecimal():
            evidence = self.answers[place - 1].evidence
            if 1 <= int(number) <= len(evidence):
                return f"{place}.{number}", evidence[int(number) - 1]
        raise UserError(
            "which receipt? write its number in the last answer, or 2.1 for answer 2; /quotes lists them"
        )

    def say(self, text: str = "", style: str = "") -> None:
        """Print a line of ours, or text that was cleaned."""
        self.show(Text(text, style))

    def show(self, *lines: RenderableType) -> None:
        """Print lines: wrapped at words for a person, whole for a pipe."""
        print_view(self.console, lines)

    async def close(self) -> None:
        """Release the models and the workspace."""
        if self._agent is not None:
            await self._agent.close()


def path_of(text: str) -> Path:
    """Return the path that a person has typed."""
    return Path(text.strip()).expanduser()
