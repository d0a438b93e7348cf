"""Live search through `ddgs`, which asks DuckDuckGo and other engines and needs no key."""

import asyncio
from collections.abc import Callable
from typing import Any, cast
from urllib.parse import urldefrag, urlsplit

from crowquill.errors import ToolFailed
from crowquill.tools.context import Json, ToolContext
from crowquill.tools.search.base import Hit
from crowquill.tools.threads import in_own_thread

SECONDS = 5.0
"""Time for one search, all engines together."""
_TITLE, _SNIPPET = 200, 500

Entries = list[dict[str, str]]
Ask = Callable[[str, int], list[dict[str, Any]]]
"""Asks the engines, blocking: query and number of results to entries with `href`, `title` and `body`."""


def ask_engines(query: str, limit: int) -> list[dict[str, Any]]:
    """Ask through `ddgs`. Raises ToolFailed."""
    from ddgs import DDGS  # 0.2 s, and only live search needs it
    from ddgs.exceptions import DDGSException

    try:
        found: list[dict[str, Any]] = DDGS(timeout=max(1, int(SECONDS) - 1)).text(query, max_results=limit)
    except DDGSException as error:
        raise ToolFailed(_why(error)) from error
    return found


class WebSearch:
    """A search provider over the live web."""

    name = "web"

    def __init__(self, ask: Ask = ask_engines, *, seconds: float = SECONDS) -> None:
        self._ask = ask
        self._seconds = seconds

    async def search(self, query: str, context: ToolContext, *, limit: int = 8) -> list[Hit]:
        """Return the best hits through one `search` effect; each page once.

        Raises:
            ToolFailed: the query may not leave this machine, the web cannot be reached, or no engine answers.
        """
        context.check_outgoing(query)

        async def call() -> Json:
            context.progress("searching the web")
            try:
                async with asyncio.timeout(self._seconds):
                    found = await in_own_thread(lambda: self._ask(query, limit), "search")
                return cast("Json", distinct(found)[:limit])
            except TimeoutError:
                raise ToolFailed(
                    f"no search engine answered within {self._seconds:g} seconds; is there a network?"
                ) from None
            except ToolFailed:
                raise
            except Exception as error:  # scraped pages change without notice: whatever breaks is the world's fault
                name = type(error).__name__
                raise ToolFailed(f"the search engines' answers cannot be read ({name})") from error

        request: Json = {"provider": self.name, "query": query, "limit": limit}
        entries = cast("Entries", await context.effect("search", request, call))
        hits = [
            Hit(entry["url"], entry["title"], entry["snippet"], 1.0 / rank) for rank, entry in enumerate(entries, 1)
        ]
        context.offer([hit.url for hit in hits])
        return hits


def _why(error: Exception) -> str:
    """Say in our own words what an exception of ddgs means; its text quotes addresses and servers."""
    text = f"{type(error).__name__} {error}"
    if "Ratelimit" in text:
        return "the search engines ask to slow down; try again in a minute"
    if any(word in text for word in ("DNS", "ConnectError", "dns error", "Connect")):
        return "no search engine can be reached; check the network"
    if "Timeout" in text:
        return "no search engine answered in time; try again"
    if "No results" in text:
        return "no search engine found anything; try other words"
    return "no search engine gave a usable answer; try again, or use a corpus"


def distinct(entries: list[dict[str, Any]]) -> Entries:
    """Return the usable results as strings, each page once, in their order."""
    found: dict[str, dict[str, str]] = {}
    for entry in entries:
        url = str(entry.get("href", ""))
        key = _page_of(url)
        if key:
            title, snippet = str(entry.get("title", ""))[:_TITLE], str(entry.get("body", ""))[:_SNIPPET]
            found.setdefault(key, {"url": url, "title": title, "snippet": snippet})
    return list(found.values())


def _page_of(url: str) -> str:
    """Return what is the same for two spellings of one address, empty for what is no web page."""
    try:
        parts = urlsplit(urldefrag(url).url)
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not parts.netloc:
        return ""
    host = parts.netloc.lower().removeprefix("www.")
    return f"{host}{parts.path.rstrip('/')}?{parts.query}"
