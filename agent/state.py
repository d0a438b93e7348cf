"""What an episode knows when it chooses its next action."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from crowquill.memory.evidence import Evidence
from crowquill.memory.untrusted import Untrusted
from crowquill.tasks.task import Task
from crowquill.tools.observation import Observation

ENDINGS = frozenset({"answer", "give_up"})
"""The actions that end an episode; they call no tool."""


@dataclass(frozen=True, slots=True)
class Action:
    """A tool call, or one of the endings, with the thought that led to it."""

    tool: str
    args: Mapping[str, Any] = field(default_factory=dict)
    thought: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One turn: the action and what came back; `error` is the message of a tool that could not.

    `shown` is what it has shown, `found` how many pieces of evidence it has brought.
    """

    index: int
    action: Action
    status: str
    error: str = ""
    shown: Untrusted | None = None
    found: int = 0


@dataclass(frozen=True, slots=True)
class State:
    """An episode so far. `view` is what the last action showed; `evidence` is numbered from 1 in prompts.

    `beside` are the other tasks that are open.
    """

    objective: str
    task: Task
    needs: tuple[Task, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    steps: tuple[Step, ...] = ()
    view: Untrusted | None = None
    steps_left: int | None = None
    beside: tuple[Task, ...] = ()

    def after(self, action: Action, observation: Observation) -> "State":
        """Return the state after an action that worked; known evidence is not numbered twice."""
        known = {evidence.id for evidence in self.evidence}
        new = tuple(evidence for evidence in observation.evidence if evidence.id not in known)
        step = Step(len(self.steps) + 1, action, observation.status, "", observation.text, len(new))
        return replace(
            self,
            evidence=self.evidence + new,
            steps=(*self.steps, step),
            view=observation.text if observation.text else self.view,
        )

    def failed(self, action: Action, error: str) -> "State":
        """Return the state after an action that did not work."""
        return replace(self, steps=(*self.steps, Step(len(self.steps) + 1, action, "failed", error)))
