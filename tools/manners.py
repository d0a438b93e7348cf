"""Manners towards sites: a pause between requests to one host, few at a time, none where peace is asked for."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from crowquill.errors import FetchFailed
from crowquill.memory.clock import Clock

PAUSE = 1.0
"""Seconds between the starts of two requests to one host."""
LONGEST_PAUSE = 10.0
"""Seconds that a site's `Crawl-delay` is followed up to."""
AT_ONCE = 2
"""Requests to one host at a time."""
IN_ALL = 8
"""Requests at a time, over all hosts."""
PEACE = 60.0
"""Seconds for which a host is left alone that asks for it and does not say how long."""
_HOSTS = 2000  # that are remembered


@dataclass
class _Host:
    slots: asyncio.Semaphore
    next: float = 0.0
    closed_until: float = 0.0


@dataclass
class Manners:
    """What is owed to the hosts of one run; times are monotonic seconds. Belongs to one event loop."""

    pause: float = PAUSE
    at_once: int = AT_ONCE
    in_all: int = IN_ALL
    _hosts: dict[str, _Host] = field(default_factory=dict)
    _slots: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self._slots = asyncio.Semaphore(self.in_all)

    @asynccontextmanager
    async def turn(self, host: str, clock: Clock, *, pause: float | None = None) -> AsyncIterator[None]:
        """Wait until a request to `host` is polite; `pause` is what the site wishes, or 0 for one that is ours.

        Raises:
            FetchFailed: the host has asked to be left alone.
        """
        state = self._state(host)
        async with state.slots:
            now = clock.monotonic()
            if now < state.closed_until:
                why = f"the site asks to be left alone for {state.closed_until - now:.0f} seconds more; try another"
                raise FetchFailed(why, kind="busy")
            start = max(now, state.next)
            wanted = self.pause if pause is None else min(pause, LONGEST_PAUSE)
            state.next = start + wanted
            if start > now:
                await clock.sleep(start - now)
            async with self._slots:
                yield

    def leave_alone(self, host: str, clock: Clock, seconds: float | None) -> None:
        """Send nothing to a host for a while, as it asked."""
        self._state(host).closed_until = clock.monotonic() + (PEACE if seconds is None else seconds)

    def _state(self, host: str) -> _Host:
        if host not in self._hosts:
            if len(self._hosts) >= _HOSTS:
                self._hosts.pop(next(iter(self._hosts)))
            self._hosts[host] = _Host(asyncio.Semaphore(self.at_once))
        return self._hosts[host]
