"""Tavily, https://docs.tavily.com: `POST /search` as tavily-python 0.8.5 sends it."""

from typing import Any

from crowquill.memory.clock import Clock
from crowquill.tools.search.engine import Api, Entry, entries
from crowquill.tools.search.query import Filter, Query

URL = "https://api.tavily.com/search"
MOST = 20
# Tavily wants names; these are the countries that its documentation lists and people search from most.
_COUNTRIES = {
    "ar": "argentina",
    "at": "austria",
    "au": "australia",
    "be": "belgium",
    "br": "brazil",
    "ca": "canada",
    "ch": "switzerland",
    "cl": "chile",
    "cn": "china",
    "cz": "czech republic",
    "de": "germany",
    "dk": "denmark",
    "eg": "egypt",
    "es": "spain",
    "fi": "finland",
    "fr": "france",
    "gb": "united kingdom",
    "gr": "greece",
    "hu": "hungary",
    "id": "indonesia",
    "ie": "ireland",
    "il": "israel",
    "in": "india",
    "it": "italy",
    "jp": "japan",
    "ke": "kenya",
    "kr": "south korea",
    "mx": "mexico",
    "my": "malaysia",
    "ng": "nigeria",
    "nl": "netherlands",
    "no": "norway",
    "nz": "new zealand",
    "pl": "poland",
    "pt": "portugal",
    "ro": "romania",
    "ru": "russia",
    "se": "sweden",
    "sg": "singapore",
    "th": "thailand",
    "tr": "turkey",
    "tw": "taiwan",
    "ua": "ukraine",
    "uk": "united kingdom",
    "us": "united states",
    "vn": "vietnam",
    "za": "south africa",
}


class Tavily:
    """The engine. Its key goes into the request's headers and nowhere else."""

    name = "tavily"
    filters: frozenset[Filter] = frozenset({"time", "after", "before", "region", "site", "exclude"})
    pause = 0.6  # the development key's 100 requests a minute

    def __init__(self, api: Api, key: str) -> None:
        self._api = api
        self._key = key

    async def ask(self, query: Query, limit: int, clock: Clock) -> list[Entry]:
        """Ask for web pages. Raises EngineFault."""
        data: dict[str, Any] = {"query": query.words, "max_results": min(limit, MOST), "search_depth": "basic"}
        if query.time is not None:
            data["time_range"] = query.time
        if query.after:
            data["start_date"] = query.after
        if query.before:
            data["end_date"] = query.before
        if query.region in _COUNTRIES:
            data["country"] = _COUNTRIES[query.region]
        if query.site:
            data["include_domains"] = [*query.site]
        if query.exclude:
            data["exclude_domains"] = [*query.exclude]
        found = await self._api.post(data, clock, [("Authorization", f"Bearer {self._key}")])
        return entries(found.get("results"), title="title", url="url", snippet="content", date="published_date")
