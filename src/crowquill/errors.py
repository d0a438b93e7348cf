"""The errors that Crowquill raises, grouped by who is at fault.

CrowquillError
├── UserError            a setting, argument or file is wrong; the message says what to change
│   └── MissingModel     no model is configured, or its weights are not on this machine
├── ModelError           a model answered badly, or not at all (`kind` says how)
├── ToolError
│   ├── ToolRetry        the model asked for something impossible; it may try again
│   └── ToolFailed       the tool could not do it; the model sees why, trying again is no use
│       └── FetchFailed  a page cannot be had (`kind` says why)
├── BudgetExceeded       a call was refused because it could not be paid
├── RunPaused            a run cannot go on now, but later: a quota is used up, a server fails again and again
└── StorageError         the workspace cannot be read or written
    ├── ReplayMiss       a replay asked for an effect that was never recorded
    └── ReplayMismatch   a replay produced another event than the recorded one

Anything else that escapes is a defect of ours. This module imports nothing.
"""

from typing import Literal

ModelFault = Literal[
    "transient", "rate", "quota", "context", "auth", "refusal", "malformed", "length", "time", "fatal"
]

FetchFault = Literal[
    "refused",
    "robots",
    "login",
    "missing",
    "busy",
    "server",
    "unreachable",
    "timeout",
    "too large",
    "broken",
    "unreadable",
]
"""Why there is no page: our rules, the site's robots.txt, a login, no such page, the site asks to wait, it has a
fault, it cannot be reached, not in time, more than is read, an answer that is no HTTP, nothing that is text."""


class CrowquillError(Exception):
    """Root of the tree; `str(error)` is one line a person can act on."""


class UserError(CrowquillError):
    """The user's input or configuration cannot be used. `page` is the one of `crowquill help` that tells more.

    `others` are further faults of the same file, each in a line.
    """

    page = ""
    others: tuple[str, ...] = ()


class MissingModel(UserError):
    """No model can be reached with the present configuration."""

    page = "models"


class ModelError(CrowquillError):
    """A model call failed.

    `kind` decides what happens next: transient and rate are retried, context is compacted once,
    quota and auth stop at the first call, malformed gets one repair, time is the run's own and ends its exploring.
    """

    def __init__(self, message: str, *, kind: ModelFault = "fatal") -> None:
        super().__init__(message)
        self.kind: ModelFault = kind


class ToolError(CrowquillError):
    """A tool did not do what was asked; the message is shown to the model."""


class ToolRetry(ToolError):
    """The call was wrong in a way that the model can mend."""


class ToolFailed(ToolError):
    """The world refused; the same call will fail again."""


class FetchFailed(ToolFailed):
    """A page cannot be had; `kind` tells a program what the message tells a person."""

    def __init__(self, message: str, *, kind: FetchFault) -> None:
        super().__init__(message)
        self.kind: FetchFault = kind


class BudgetExceeded(CrowquillError):
    """A reservation did not fit. `resource` is steps, calls, tokens, usd or seconds."""

    def __init__(self, resource: str, message: str) -> None:
        super().__init__(message)
        self.resource = resource


class RunPaused(CrowquillError):
    """The run is parked: nothing is wrong with it, and it can be resumed."""


class StorageError(CrowquillError):
    """The workspace cannot be used as it is."""


class ReplayMiss(StorageError):
    """A replayed run asked for an effect that is not in its journal."""


class ReplayMismatch(StorageError):
    """A replayed run produced an event that differs from the recorded one."""
