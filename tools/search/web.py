"""Live search by DuckDuckGo (`ddgs`), which needs no key."""

import asyncio
from typing import Any, cast

from crowquill.errors import ToolFailed
from crowquill.tools.context import Json, ToolContext
from crowquill.tools.search.base import Hit

SECONDS = 10.0


class WebSearch:
    """A search provider over the live web."""

    name = "web"

    async def search(self, query: str, context: ToolContext, *, limit: int = 8) -> list[Hit]:
        """Return the best hits through one `search` effect.

        Raises:
            ToolFailed: the web cannot be reached, or the provider refuses.
        """
        context.check_outgoing(query)

        async def call() -> Json:
            context.progress("searching the web")
            try:
                async with asyncio.timeout(SECONDS):
                    found = await asyncio.to_thread(_ask, query, limit)
            except TimeoutError:
                raise ToolFailed(f"no answer within {SECONDS:g} seconds; is there a network?") from None
            return cast("Json", found)

        request: Json = {"provider": self.name, "query": query, "limit": limit}
        entries = cast("list[dict[str, str]]", await context.effect("search", request, call))
        hits = [
            Hit(entry["url"], entry["title"], entry["snippet"], 1.0 / rank) for rank, entry in enumerate(entries, 1)
        ]
        context.offer([hit.url for hit in hits])
        return hits


def _ask(query: str, limit: int) -> list[dict[str, str]]:
    from ddgs import DDGS  # 0.2 s, and only live search needs it
    from ddgs.exceptions import DDGSException

    try:
        found: list[dict[str, Any]] = DDGS(timeout=int(SECONDS) - 2).text(query, max_results=limit)
    except DDGSException as error:
        raise ToolFailed(f"DuckDuckGo did not answer: {type(error).__name__}") from error
    return [
        {
            "url": str(entry["href"]),
            "title": str(entry.get("title", "")),
            "snippet": str(entry.get("body", "")),
        }
        for entry in found
        if str(entry.get("href", "")).startswith(("http://", "https://"))
    ]
