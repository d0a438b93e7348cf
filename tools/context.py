"""The door through which every tool reaches the world.

A tool never opens a socket, file, process or clock by itself: it hands the call to `effect`, which runs and
records it, or returns what was recorded. The agent implements this protocol.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Literal, Protocol

from crowquill.memory.clock import Clock
from crowquill.memory.evidence import Evidence

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]

EffectKind = Literal[
    "model",
    "search",
    "fetch",
    "render",
    "page",
    "rank",
    "sql",
    "compute",
    "recall",
    "remember",
    "tool",
    "ask",
    "clock",
    "random",
    "steer",
]

Access = Literal["read", "write", "send", "exec"]
"""What a call may do beside reading: change the user's data, send something away, run a program."""


State = Callable[[], str | None]
"""Tells the state of what is asked, such as of a file; None when it cannot be told. Not called in a replay."""


class Blobs(Protocol):
    """Content-addressed bytes beside the journal."""

    def put(self, data: bytes) -> str:
        """Store durably and return the SHA-256 in hexadecimal; storing twice is harmless."""
        ...

    def get(self, sha256: str) -> bytes:
        """Return the bytes. Raises StorageError when they are missing or damaged."""
        ...


class Recall(Protocol):
    """Read access to what earlier runs and tasks have verified."""

    async def recall(self, query: str, *, limit: int) -> tuple[Evidence, ...]:
        """Return the evidence most relevant to `query`, best first. The read is an effect."""
        ...


class ToolContext(Protocol):
    """What a tool may use; one per lane."""

    @property
    def lane(self) -> str:
        """Path of the lane, such as `t1/s3`."""
        ...

    @property
    def clock(self) -> Clock:
        """Time for waiting and politeness; what decides control flow goes through an effect."""
        ...

    @property
    def deadline(self) -> float | None:
        """Monotonic second after which no call may go on; None without a time budget."""
        ...

    @property
    def blobs(self) -> Blobs:
        """Large payloads: an effect's response names them by hash."""
        ...

    @property
    def memory(self) -> Recall:
        """Earlier evidence."""
        ...

    async def effect(
        self,
        kind: EffectKind,
        request: Json,
        call: Callable[[], Awaitable[Json]],
        *,
        access: Access = "read",
        state: State | None = None,
    ) -> Json:
        """Return the recorded response to `request`, or run `call` and record what it returns.

        With `state`, a response of an earlier run may be returned that was recorded with the same `"state"` in it.

        What does more than read is never repeated silently when its outcome is not known.

        `ToolRetry` and `ToolFailed` raised by `call` are recorded and raised again on replay.
        """
        ...

    async def egress(self, url: str) -> None:
        """Allow a URL to be fetched, asked before every hop. Raises ToolError when the rules forbid it."""
        ...

    def permits(self, url: str, *, known: bool = True) -> bool:
        """Say whether a URL may be fetched without anybody being asked; nothing is recorded.

        For what is done in the background or inside an effect. Without `known` it need not have been offered: a
        page that may be read has led there.
        """
        ...

    async def check_outgoing(self, text: str) -> None:
        """Allow text to be sent to a server, such as a query. Raises ToolFailed when it carries private data."""
        ...

    async def approve(self, tool: str, access: Access, args: Mapping[str, Json], *, effect: str) -> None:
        """Allow what a tool is about to do, by the rules or by asking a person.

        `effect` says in one line what will happen, as in "3 rows of customers change". A tool whose access is not
        "read" has been approved before it is called; this is for one that knows more by then.

        Raises:
            ToolFailed: it may not be done; the message says why.
        """
        ...

    def offer(self, urls: list[str], *, page: str = "") -> None:
        """Make URLs openable: results of a search, or links of a fetched `page`."""
        ...

    def protect(self, text: str) -> None:
        """Keep text of the user's own from leaving the machine in a URL or a query."""
        ...

    def progress(self, message: str) -> None:
        """Say what is being done, in our own words, for the live view."""
        ...
