"""A search that stays within some sites, whatever a query asks for."""

import re
from collections.abc import Sequence

from crowquill.tools.context import ToolContext
from crowquill.tools.search.base import Hit, SearchProvider
from crowquill.tools.search.urls import is_of

_SITE = re.compile(r"(?<!\S)site:(\S+)", re.IGNORECASE)


class OfSites:
    """Asks a provider for pages of these sites, or of those parts of them that the query itself names."""

    def __init__(self, provider: SearchProvider, sites: Sequence[str]) -> None:
        self._provider = provider
        self._sites = tuple(sites)

    @property
    def name(self) -> str:
        """The provider's name."""
        return self._provider.name

    async def search(self, query: str, context: ToolContext, *, limit: int = 8) -> list[Hit]:
        """Return the best hits of these sites. Raises as the provider does."""
        narrower = [site for site in _SITE.findall(query) if is_of(f"https://{site}", self._sites)]
        wanted = " ".join(f"site:{site}" for site in (narrower if narrower else self._sites))
        words = " ".join(_SITE.sub("", query).split())
        return await self._provider.search(f"{words} {wanted}", context, limit=limit)
