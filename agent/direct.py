"""Tools used by a person, without a run: effects happen at once, and nothing is recorded but pages and quotes."""

from collections.abc import Awaitable, Callable, Mapping

from crowquill.memory.blobs import BlobStore
from crowquill.memory.clock import Clock, SystemClock
from crowquill.memory.evidence import Evidence
from crowquill.tools.context import Access, EffectKind, Json, State


class DirectContext:
    """Implements `ToolContext` and `Recall` for a person, who may open whatever the guard lets through."""

    def __init__(self, blobs: BlobStore, progress: Callable[[str], None]) -> None:
        self.lane = "direct"
        self.clock: Clock = SystemClock()
        self.deadline: float | None = None
        self.blobs = blobs
        self.memory = self
        self._progress = progress

    async def recall(self, query: str, *, limit: int) -> tuple[Evidence, ...]:
        """Return nothing: there is no run that could have verified anything."""
        return ()

    async def effect(
        self,
        kind: EffectKind,
        request: Json,
        call: Callable[[], Awaitable[Json]],
        *,
        access: Access = "read",
        state: State | None = None,
    ) -> Json:
        """Run the call."""
        return await call()

    async def egress(self, url: str) -> None:
        """Allow everything: it is the person who asks, and the fetcher guards private addresses."""

    def permits(self, url: str, *, known: bool = True) -> bool:
        """A person decides what is opened."""
        return True

    async def approve(self, tool: str, access: Access, args: Mapping[str, Json], *, effect: str) -> None:
        """A person has asked for it."""

    async def check_outgoing(self, text: str) -> None:
        """Allow everything: the person has typed it."""

    def progress(self, message: str) -> None:
        """Say what is being done."""
        self._progress(message)

    def offer(self, urls: list[str], *, page: str = "") -> None:
        """Note nothing: every URL may be opened."""

    def protect(self, text: str) -> None:
        """Keep nothing: whatever leaves is what the person has typed."""
