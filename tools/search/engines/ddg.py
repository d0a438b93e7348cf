"""DuckDuckGo through `ddgs` 9, which asks other engines, too, and needs no key."""

from collections.abc import Callable
from typing import Any

from crowquill.memory.clock import Clock
from crowquill.tools.search.engine import EngineFault, Entry, entries
from crowquill.tools.search.query import Filter, Query
from crowquill.tools.threads import in_own_thread

SECONDS = 5
_REGIONS = {
    "en": "us",
    "zh": "cn",
    "ja": "jp",
    "ko": "kr",
    "uk": "ua",
    "cs": "cz",
    "da": "dk",
    "el": "gr",
    "sv": "se",
}

Ask = Callable[[Query, int], list[dict[str, Any]]]
"""Asks the engines, blocking: query and number of results to entries with `href`, `title` and `body`."""


class DuckDuckGo:
    """The engine."""

    name = "ddg"
    filters: frozenset[Filter] = frozenset({"time", "lang", "region", "site", "exclude"})
    pause = 1.5

    def __init__(self, ask: Ask | None = None, *, proxy: str | None = None) -> None:
        """`proxy` is the user's, with its password."""
        self._ask: Ask = Ddgs(proxy).ask if ask is None else ask

    async def ask(self, query: Query, limit: int, clock: Clock) -> list[Entry]:
        """Ask for web pages. Raises EngineFault."""
        try:
            found = await in_own_thread(lambda: self._ask(query, limit), "search")
        except EngineFault:
            raise
        except Exception as error:  # scraped pages change without notice: whatever breaks is the world's fault
            raise EngineFault("malformed", f"its answer cannot be read ({type(error).__name__})") from error
        return entries(found, title="title", url="href", snippet="body", date="")


class Ddgs:
    """Asks by `ddgs`. `backend` and `verify` are its own, for tests against a server on loopback."""

    def __init__(self, proxy: str | None = None, *, backend: str = "auto", verify: bool = True) -> None:
        self._proxy = proxy
        self._backend = backend
        self._verify = verify

    def ask(self, query: Query, limit: int) -> list[dict[str, Any]]:
        """Ask, blocking. Raises EngineFault."""
        from ddgs import DDGS  # 0.2 s, and only live search needs it
        from ddgs.exceptions import DDGSException

        try:
            found: list[dict[str, Any]] = DDGS(self._proxy, SECONDS - 1, verify=self._verify).text(
                query.with_sites(),
                max_results=limit,
                region=_region(query),
                timelimit=query.time[0] if query.time is not None else None,
                backend=self._backend,
            )
        except DDGSException as error:
            if "No results" in str(error):
                return []
            raise _fault(error) from error
        return found


def _region(query: Query) -> str:
    if not query.lang and not query.region:
        return "us-en"
    lang = query.lang if query.lang else "en"
    return f"{query.region if query.region else _REGIONS.get(lang, lang)}-{lang}"


def _fault(error: Exception) -> EngineFault:
    """Say in our own words what an exception of ddgs means; its text quotes addresses and servers."""
    text = f"{type(error).__name__} {error}"
    if "Ratelimit" in text:
        return EngineFault("rate", "the search engines ask to slow down")
    if "Timeout" in text or "timed out" in text:
        return EngineFault("time", "no search engine answered in time")
    if any(word in text for word in ("DNS", "dns error", "Connect")):
        return EngineFault("down", "no search engine can be reached; check the network")
    return EngineFault("down", "no search engine gave a usable answer")
