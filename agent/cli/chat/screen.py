"""The terminal during a run: the live view, or a question to the person in its place."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from rich.console import Console
from rich.live import Live

from crowquill.agent.cli.live import LiveView

_FRAMES = 4
"""Pictures a second: enough for a spinner, little for a slow line."""


class Screen:
    """Shows a view of a run on standard error while nothing is asked; one question at a time."""

    def __init__(self, console: Console, view: LiveView, *, animated: bool) -> None:
        self.view = view
        self._console = console
        self._animated = animated
        self._live: Live | None = None
        self._turn = asyncio.Lock()

    def show(self) -> None:
        """Begin, or go on, to show the view."""
        if self._animated and self._live is None:
            self._live = Live(self.view, console=self._console, refresh_per_second=_FRAMES, transient=True)
            self._live.start()

    def hide(self) -> None:
        """Take the view off the terminal."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    @asynccontextmanager
    async def dialog(self) -> AsyncIterator[None]:
        """Hold the terminal for a question."""
        async with self._turn:
            self.hide()
            try:
                yield
            finally:
                self.show()
