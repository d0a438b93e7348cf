"""Brave Search, https://api-dashboard.search.brave.com: `GET /res/v1/web/search`, version 1."""

from crowquill.memory.clock import Clock
from crowquill.tools.search.engine import Api, Entry, entries
from crowquill.tools.search.query import Filter, Query

URL = "https://api.search.brave.com/res/v1/web/search"
MOST = 20
_SPANS = {"day": "pd", "week": "pw", "month": "pm", "year": "py"}
_LANGUAGES = {"zh": "zh-hans", "ja": "jp", "pt": "pt-br", "no": "nb"}


class Brave:
    """The engine. Its key goes into the request's headers and nowhere else."""

    name = "brave"
    filters: frozenset[Filter] = frozenset({"time", "after", "before", "lang", "region", "site", "exclude"})
    pause = 1.0  # what the free plan allows

    def __init__(self, api: Api, key: str) -> None:
        self._api = api
        self._key = key

    async def ask(self, query: Query, limit: int, clock: Clock) -> list[Entry]:
        """Ask for web pages. Raises EngineFault."""
        parameters = {"q": query.with_sites(), "count": str(min(limit, MOST)), "text_decorations": "false"}
        if query.after or query.before:
            first = query.after if query.after else "1990-01-01"
            last = query.before if query.before else clock.now().date().isoformat()
            parameters["freshness"] = f"{first}to{last}"
        elif query.time is not None:
            parameters["freshness"] = _SPANS[query.time]
        if query.lang:
            parameters["search_lang"] = _LANGUAGES.get(query.lang, query.lang)
        if query.region:
            parameters["country"] = ("gb" if query.region == "uk" else query.region).upper()
        found = await self._api.get(parameters, clock, [("X-Subscription-Token", self._key)])
        web = found.get("web")  # left out when there is nothing
        if web is None and found.get("type") == "search":
            return []
        results = web.get("results") if isinstance(web, dict) else None
        return entries(results, title="title", url="url", snippet="description", date="page_age")
