"""Wikipedia, https://www.mediawiki.org/wiki/API:Search: `list=search` of the action API, format version 2."""

from urllib.parse import quote

from crowquill.memory.clock import Clock
from crowquill.tools.guard import Target
from crowquill.tools.search.engine import Api, EngineFault, Entry, entries, error_of
from crowquill.tools.search.query import Filter, Query
from crowquill.tools.search.urls import is_of


class Wikipedia:
    """The engine, in the language of the query's `lang:`, else in `lang`; needs no key."""

    name = "wikipedia"
    filters: frozenset[Filter] = frozenset({"lang", "site", "exclude"})
    pause = 0.5

    def __init__(self, api: Api, lang: str = "en") -> None:
        """The host of the API's target is replaced by that of the language where it is Wikipedia's."""
        self._api = api
        self._lang = lang

    async def ask(self, query: Query, limit: int, clock: Clock) -> list[Entry]:
        """Ask for articles. Raises EngineFault."""
        target = self._target(query.lang if query.lang else self._lang)
        here = f"{target.scheme}://{target.netloc}/wiki/"
        if (query.site and not is_of(here, query.site)) or is_of(here, query.exclude):
            return []
        parameters = {
            "action": "query",
            "list": "search",
            "format": "json",
            "formatversion": "2",
            "maxlag": "5",
            "srsearch": query.words,
            "srlimit": str(min(limit, 50)),
            "srprop": "snippet",
        }
        found = await Api(self._api.exchange, target).get(parameters, clock)
        if error := error_of(found):
            busy = error.get("code") in ("maxlag", "ratelimited")
            if busy:
                raise EngineFault("rate", "it is busy", 5.0)
            raise EngineFault("request", "it does not understand the request")
        inner = found.get("query")
        results = inner.get("search") if isinstance(inner, dict) else None
        if isinstance(results, list):
            results = [
                {**item, "url": _address(here, item)} if isinstance(item, dict) else item for item in results
            ]
        return entries(results, title="title", url="url", snippet="snippet", date="")

    def _target(self, lang: str) -> Target:
        target = self._api.target
        if not target.host.endswith(".wikipedia.org"):
            return target
        return Target(target.scheme, f"{lang}.wikipedia.org", target.port, target.path)


def _address(here: str, item: dict[str, object]) -> str | None:
    title = item.get("title")
    return here + quote(title.replace(" ", "_"), safe="/:(),'!*;@") if isinstance(title, str) and title else None
