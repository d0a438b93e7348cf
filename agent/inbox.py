"""The inbox of a run: how a person who is there takes part while it goes on.

A surface makes an `Inbox`, gives it to the agent (`Agent(…, inbox=inbox)`), and calls `put`, `pause`, `go_on` and
`answer_now` from any thread whenever the person wants to. Every lane looks in before its next step and before its
next model call; what it finds there is an effect of that lane, so that a run replays with its hints. A hint stands
at the end of all later prompts of the run.
"""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

_LOOK_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Question:
    """What a run wants to know from a person. `choices` are the words it understands; empty for free text.

    A `clarify` question comes from a model: a surface shows it as text from outside, never as markup.
    """

    kind: Literal["clarify", "budget"]
    text: str
    choices: tuple[str, ...] = ()


Asker = Callable[[Question], Awaitable[str]]
"""Puts a question to the person and returns what they say; an empty string is no answer."""


class Inbox:
    """Hints, pauses and answers of the person who watches a run. With `ask` the run may put questions to them."""

    def __init__(self, ask: Asker | None = None) -> None:
        self.ask = ask
        self._hints: list[str] = []
        self._enough = False
        self._lock = threading.Lock()
        self._paused_at: float | None = None
        self._paused_seconds = 0.0

    def put(self, hint: str) -> None:
        """Give a hint, which goes into the next prompt. An empty one is ignored."""
        if hint.strip():
            with self._lock:
                self._hints.append(hint.strip())

    def answer_now(self) -> None:
        """End the looking: every task answers with what it has, and so does the run."""
        self._enough = True

    def pause(self) -> None:
        """Let nothing new begin until `go_on`; a call under way is finished. The time does not count."""
        with self._lock:
            if self._paused_at is None:
                self._paused_at = time.monotonic()

    def go_on(self) -> None:
        """End a pause."""
        with self._lock:
            if self._paused_at is not None:
                self._paused_seconds += time.monotonic() - self._paused_at
                self._paused_at = None

    @property
    def enough(self) -> bool:
        """Whether the person wants the answer now."""
        return self._enough

    @property
    def paused_seconds(self) -> float:
        """Seconds of all pauses that are over."""
        return self._paused_seconds

    def hints_after(self, seen: int) -> list[str]:
        """Return the hints behind the first `seen` ones."""
        with self._lock:
            return self._hints[seen:]

    async def wait_while_paused(self) -> None:
        """Return at once, or when the pause is over."""
        # an asyncio.Event belongs to one loop, and `go_on` may come from any thread
        while self._paused_at is not None:  # noqa: ASYNC110
            await asyncio.sleep(_LOOK_SECONDS)
