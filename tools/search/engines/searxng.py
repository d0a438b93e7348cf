"""SearXNG, https://docs.searxng.org/dev/search_api.html: one's own instance, with `json` among its formats."""

from crowquill.memory.clock import Clock
from crowquill.tools.search.engine import Api, EngineFault, Entry, entries
from crowquill.tools.search.query import Filter, Query


class Searxng:
    """The engine; needs no key."""

    name = "searxng"
    filters: frozenset[Filter] = frozenset({"time", "lang", "region", "site", "exclude"})
    pause = 0.5

    def __init__(self, api: Api) -> None:
        self._api = api

    async def ask(self, query: Query, limit: int, clock: Clock) -> list[Entry]:
        """Ask for web pages. Raises EngineFault."""
        parameters = {"q": query.with_sites(), "format": "json", "categories": "general"}
        if query.time is not None:
            parameters["time_range"] = query.time
        if query.lang:
            parameters["language"] = f"{query.lang}-{query.region.upper()}" if query.region else query.lang
        try:
            found = await self._api.get(parameters, clock)
        except EngineFault as fault:
            if fault.kind == "key":
                why = "it gives out no JSON; add json to search.formats in its settings.yml"
                raise EngineFault("key", why) from fault
            raise
        results = entries(found.get("results"), title="title", url="url", snippet="content", date="publishedDate")
        silent = found.get("unresponsive_engines")
        if not results and isinstance(silent, list) and silent:
            raise EngineFault("down", f"{len(silent)} of the engines behind it did not answer")
        return results[:limit]
