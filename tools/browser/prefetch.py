"""Fetching the best results ahead, while the model thinks: it warms the page cache and is no effect."""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from crowquill.tools.context import ToolContext
from crowquill.tools.search.base import PageSource


@runtime_checkable
class Warmable(Protocol):
    """A page source that can fetch ahead."""

    async def prefetch(self, url: str, context: ToolContext) -> None:
        """Fetch a page so that `open` has it at once; no effect, and no error."""
        ...


class Prefetch:
    """The pages of one run that are being fetched ahead; bound to its event loop while there are any."""

    def __init__(self, sources: Sequence[PageSource], *, count: int = 3) -> None:
        """`count` results are fetched, those that the first fitting source of `sources` can fetch ahead."""
        self._sources = tuple(sources)
        self._count = count
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def start(self, urls: Sequence[str], context: ToolContext) -> None:
        """Begin with the first pages; what was begun for other results is cancelled."""
        wanted = urls[: self._count]
        self.cancel(but=wanted)
        for url in wanted:
            source = next((source for source in self._sources if source.handles(url)), None)
            if url not in self._tasks and isinstance(source, Warmable):
                self._tasks[url] = asyncio.create_task(source.prefetch(url, context), name="crowquill-prefetch")

    def cancel(self, but: Sequence[str] = ()) -> None:
        """Stop what is not needed any more."""
        for url in [url for url in self._tasks if url not in but]:
            with contextlib.suppress(RuntimeError):  # its loop has ended, and the task with it
                self._tasks.pop(url).cancel()
