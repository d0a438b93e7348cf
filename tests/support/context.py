"""A tool's context for tests: effects run at once and are noted."""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from crowquill.errors import ToolRetry
from crowquill.memory.blobs import BlobStore
from crowquill.memory.clock import Clock, SystemClock
from crowquill.memory.evidence import Evidence
from crowquill.tools.context import Access, EffectKind, Json, State


class NoMemory:
    """A memory that holds nothing."""

    async def recall(self, query: str, *, limit: int) -> tuple[Evidence, ...]:
        return ()


class FakeContext:
    """Implements `ToolContext`; `effects` lists (kind, request, response) in order, `offered` the URLs."""

    def __init__(self, folder: Path, *, strict: bool = False, clock: Clock | None = None) -> None:
        self.lane = "test"
        self.clock: Clock = SystemClock() if clock is None else clock
        self.deadline: float | None = None
        self.blobs = BlobStore(folder / "blobs")
        self.memory = NoMemory()
        self.effects: list[tuple[EffectKind, Json, Json]] = []
        self.offered: set[str] = set()
        self.asked: list[str] = []
        self.protected: list[str] = []
        self._strict = strict

    async def effect(
        self,
        kind: EffectKind,
        request: Json,
        call: Callable[[], Awaitable[Json]],
        *,
        access: Access = "read",
        state: State | None = None,
    ) -> Json:
        response = await call()
        self.effects.append((kind, request, response))
        return response

    async def egress(self, url: str) -> None:
        self.asked.append(url)
        if self._strict and url not in self.offered:
            raise ToolRetry("that URL was not offered")

    def permits(self, url: str, *, known: bool = True) -> bool:
        return not (self._strict and known) or url in self.offered

    async def check_outgoing(self, text: str) -> None:
        self.asked.append(text)

    async def approve(self, tool: str, access: Access, args: Mapping[str, Json], *, effect: str) -> None:
        self.asked.append(effect)

    def offer(self, urls: list[str], *, page: str = "") -> None:
        self.offered.update(urls)

    def protect(self, text: str) -> None:
        self.protected.append(text)

    @property
    def fetched(self) -> list[tuple[EffectKind, Json, Json]]:
        """The effects that are requests for pages."""
        return [effect for effect in self.effects if effect[0] == "fetch"]

    def progress(self, message: str) -> None:
        pass
