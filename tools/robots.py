"""robots.txt as in RFC 9309: what a site asks programs not to read. Patterns are matched by `protego`."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from crowquill.errors import FetchFailed
from crowquill.tools.exchange import REDIRECTS, Limits, Reply
from crowquill.tools.guard import Target

if TYPE_CHECKING:
    from protego import Protego

LIMITS = Limits(wire=500 * 1024, body=500 * 1024, prefix=True)
"""RFC 9309 asks for at least 500 KiB; what is beyond is not read."""
HOPS = 5
REMEMBERED = 24 * 3600.0
"""Seconds for which a site's rules hold; those of a site that did not answer hold for `RETRY` only."""
RETRY = 60.0
_SITES = 500  # whose rules are remembered at a time

Get = Callable[[Target, Limits], Awaitable[Reply]]
Check = Callable[[str], Target]


class Robots:
    """The rules of the sites that were asked for, by origin. Needs no effect: it only ever forbids a fetch."""

    def __init__(self, agent: str, get: Get, check_url: Check) -> None:
        """`agent` is the product name by which a site knows us."""
        self._agent = agent
        self._get = get
        self._check_url = check_url
        self._known: dict[str, tuple[float, Protego | bool]] = {}
        self._asking: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def check(self, target: Target, now: float) -> float | None:
        """Refuse a page that its site asks programs not to read; return the pause between requests it asks for.

        `now` and the pause are in seconds.

        Raises:
            FetchFailed: the site forbids it, or did not say because it does not answer.
        """
        async with self._asking[target.origin]:
            rules = await self._rules(target, now)
        if rules is False:
            why = f"{target.host[:100]} does not give out its robots.txt; try again later"
            raise FetchFailed(why, kind="robots")
        if rules is True:
            return None
        if not rules.can_fetch(target.origin + target.path, self._agent):
            raise FetchFailed(
                f"{target.host[:100]} asks programs not to read this page (robots.txt); to use it, save it yourself"
                " into a folder and run: crowquill index FOLDER",
                kind="robots",
            )
        return rules.crawl_delay(self._agent)

    async def _rules(self, target: Target, now: float) -> "Protego | bool":
        until, rules = self._known.get(target.origin, (0.0, True))
        if now >= until:
            rules = await self._ask(target)
            if len(self._known) >= _SITES:
                self._known.pop(next(iter(self._known)))
            self._known[target.origin] = (now + (RETRY if rules is False else REMEMBERED), rules)
        return rules

    async def _ask(self, target: Target) -> "Protego | bool":
        """Return the rules; True where everything is allowed, False where the site cannot say."""
        from protego import Protego  # only the web needs it

        place = Target(target.scheme, target.host, target.port, "/robots.txt")
        try:
            for _ in range(HOPS + 1):
                reply = await self._get(place, LIMITS)
                if reply.status not in REDIRECTS:
                    break
                place = self._check_url(urljoin(place.origin + place.path, reply.headers.get("location", "")))
            else:
                return True
        except (FetchFailed, ValueError):
            return False
        if reply.status >= 500 or reply.status == 429:
            return False
        return Protego.parse(reply.body.decode("utf-8-sig", "replace")) if reply.status < 300 else True
