"""One connection to a database of the user, as the jobs in the worker's child use it."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from crowquill.tools.sql.advice import explain, explain_error
from crowquill.tools.sql.changes import Change

Rows = Iterable[Sequence[Any]]


class Deadline:
    """The time that a job has left."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    def over(self) -> bool:
        """Say whether the time is used up."""
        return time.monotonic() > self._end

    @property
    def left(self) -> float:
        """Seconds that are left, a hundredth at least: a limit of 0 would mean none."""
        return max(self._end - time.monotonic(), 0.01)


@dataclass(frozen=True, slots=True)
class Session:
    """An open connection that can only read.

    `stream` runs a statement and gives its column names and its rows one by one; `names` gives the columns of each
    table, for advice; `failures` are the driver's exceptions. `dialect` is sqlglot's name, `only` the tables that
    may be read (None: all that the role may), and `late` says whether an exception means that the time was over.
    """

    dialect: str
    stream: Callable[[str], tuple[list[str], Rows]]
    names: Callable[[], Mapping[str, Sequence[str]]]
    failures: tuple[type[BaseException], ...]
    late: Callable[[BaseException], bool]
    only: tuple[str, ...] | None = None
    quote: str = '"'
    recover: Callable[[], None] = lambda: None
    """Makes the connection usable again after a failed statement."""

    def explain(self, message: str, names: Mapping[str, Sequence[str]]) -> str:
        """Return an error of the engine as advice, with the nearest of these names."""
        return explain_error(message, names) if self.dialect == "sqlite" else explain(message, names, self.dialect)

    def quoted(self, name: str) -> str:
        """Return a name as it can stand in a statement, whatever it contains."""
        return self.quote + name.replace(self.quote, self.quote * 2) + self.quote


class Opener(Protocol):
    """Opens a session for a request; raises ToolFailed where that is impossible."""

    def __call__(self, request: Mapping[str, Any], deadline: Deadline) -> AbstractContextManager[Session]:
        """Return a context that closes the connection, rolled back, when it ends."""
        ...


@dataclass(frozen=True, slots=True)
class Writer:
    """An open connection in a transaction that is rolled back unless `commit` is called.

    `run` makes the change and returns how many rows it affected, and those rows as they are then where the engine
    tells. `session` reads in the same transaction.
    """

    session: Session
    run: Callable[[Change], tuple[int, tuple[list[str], list[Sequence[Any]]] | None]]
    commit: Callable[[], None]


class WriterOpener(Protocol):
    """Opens a connection that may change data; raises ToolFailed where that is impossible."""

    def __call__(self, request: Mapping[str, Any], deadline: Deadline) -> AbstractContextManager[Writer]:
        """Return a context that closes the connection when it ends, rolled back what was not committed."""
        ...
