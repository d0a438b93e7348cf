"""Everything that happens in a run is an event; terminal, report, trace and Python API are views of them.

Journaled events hold nothing that differs between a run and its replay. `Progress` is for the live view
only and never stored.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from pydantic import TypeAdapter

from crowquill.agent.answer import Answer, Claim, Grade, Reward, Selection, Stopped, Verdict
from crowquill.agent.approvals import By
from crowquill.agent.models.base import Usage
from crowquill.memory.evidence import Evidence
from crowquill.tasks.notebook import Note
from crowquill.tasks.task import Task
from crowquill.tools.context import Access


@dataclass(frozen=True, slots=True)
class RunStarted:
    """The run has begun."""

    run_id: str
    objective: str
    model: str
    policy: str
    kind: Literal["run_started"] = "run_started"


@dataclass(frozen=True, slots=True)
class Planned:
    """The agenda as it stands; `refused` are proposals that were not taken, with the reason."""

    tasks: tuple[Task, ...]
    refused: tuple[tuple[str, str], ...] = ()
    kind: Literal["planned"] = "planned"


@dataclass(frozen=True, slots=True)
class NotesKept:
    """The notebook as it stands: facts, guesses, hypotheses that are open or refuted."""

    notes: tuple[Note, ...]
    kind: Literal["notes_kept"] = "notes_kept"


@dataclass(frozen=True, slots=True)
class TaskStarted:
    """An episode has begun."""

    task: Task
    kind: Literal["task_started"] = "task_started"


@dataclass(frozen=True, slots=True)
class Acted:
    """The policy has chosen an action."""

    step: int
    tool: str
    args: dict[str, Any]
    thought: str = ""
    kind: Literal["acted"] = "acted"


@dataclass(frozen=True, slots=True)
class Observed:
    """An action came back. `status` is our own words; `error` the message of a tool that could not."""

    step: int
    tool: str
    status: str
    error: str = ""
    kind: Literal["observed"] = "observed"


@dataclass(frozen=True, slots=True)
class Decided:
    """The rules or a person have decided about what would be written, sent, executed or opened.

    `why` is our own words or a person's; `args` and `effect` may hold text from outside.
    """

    step: int
    tool: str
    access: Access
    args: dict[str, str]
    allowed: bool
    by: By
    why: str
    effect: str = ""
    kind: Literal["decided"] = "decided"


@dataclass(frozen=True, slots=True)
class EvidenceFound:
    """A verified quote, a computation or a query result was taken."""

    evidence: Evidence
    kind: Literal["evidence_found"] = "evidence_found"


@dataclass(frozen=True, slots=True)
class ModelCalled:
    """A model has answered; `usage` is of this call."""

    role: str
    usage: Usage
    kind: Literal["model_called"] = "model_called"


@dataclass(frozen=True, slots=True)
class TaskFinished:
    """An episode has ended."""

    task: Task
    why: str = ""
    kind: Literal["task_finished"] = "task_finished"


@dataclass(frozen=True, slots=True)
class Judged:
    """A candidate was checked by code and scored, and again once a model has judged it; numbers count from 1."""

    short: str
    claims: tuple[Claim, ...]
    reward: Reward
    verdict: Verdict
    number: int = 1
    kind: Literal["judged"] = "judged"


@dataclass(frozen=True, slots=True)
class Graded:
    """The judging model has looked at a candidate; `objection` is what holds against it, and code has checked.

    Its quotes are in the answer.
    """

    number: int
    grades: tuple[Grade, ...]
    objection: str = ""
    kind: Literal["graded"] = "graded"


@dataclass(frozen=True, slots=True)
class Paired:
    """The judging model has compared candidates in pairs, each in both orders; in `flipped` the order decided."""

    pairs: int
    flipped: int
    kind: Literal["paired"] = "paired"


@dataclass(frozen=True, slots=True)
class Revised:
    """Statements without receipts were looked at again: how many, and how many were mended or dropped."""

    flagged: int
    fixed: int
    dropped: int
    kind: Literal["revised"] = "revised"


@dataclass(frozen=True, slots=True)
class Selected:
    """One of several candidates was chosen."""

    winner: int
    selection: Selection
    kind: Literal["selected"] = "selected"


@dataclass(frozen=True, slots=True)
class Noticed:
    """Something the user should know: a budget mark, a refusal, a provider that fell back."""

    message: str
    level: Literal["info", "warning"] = "info"
    kind: Literal["noticed"] = "noticed"


@dataclass(frozen=True, slots=True)
class RunFinished:
    """The run is over."""

    answer: Answer
    stopped: Stopped
    kind: Literal["run_finished"] = "run_finished"


@dataclass(frozen=True, slots=True)
class Progress:
    """What is being done right now, in our own words, and what the model says of it so far. Not journaled."""

    message: str
    text: str = ""
    kind: Literal["progress"] = "progress"


Event = (
    RunStarted
    | Planned
    | NotesKept
    | TaskStarted
    | Acted
    | Observed
    | Decided
    | EvidenceFound
    | ModelCalled
    | TaskFinished
    | Judged
    | Graded
    | Paired
    | Revised
    | Selected
    | Noticed
    | RunFinished
    | Progress
)


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event in its place: lane, number within the lane, and the ISO time it was recorded."""

    lane: str
    seq: int
    at: str
    event: Event


@cache
def _adapter() -> TypeAdapter[Event]:
    return TypeAdapter(Event)


def encode(event: Event) -> dict[str, Any]:
    """Return the event as JSON data; `decode` restores an equal value."""
    data: dict[str, Any] = _adapter().dump_python(event, mode="json")
    return data


def decode(data: dict[str, Any]) -> Event:
    """Restore an event from JSON data. Raises ValueError when it is none of ours."""
    return _adapter().validate_python(data)
