"""What a query asks for beside its words: `site:`, `-site:`, `after:`, `before:`, `time:`, `lang:`, `region:`.

They stand in the query itself, as people are used to, so that the user and every model can write them. What only
looks like one of them ("time: 5 pm") stays words.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal, get_args

from crowquill.tools.context import Json

Filter = Literal["time", "after", "before", "lang", "region", "site", "exclude"]
Span = Literal["day", "week", "month", "year"]
FILTERS: tuple[Filter, ...] = get_args(Filter)

_SITE = r"[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})+(?:/[\w./~-]*)?"
_OPERATOR = re.compile(
    rf"(?<!\S)(?:(?P<minus>-)?site:(?P<site>{_SITE})|(?P<bound>after|before):(?P<date>\d{{4}}(?:-\d{{2}}(?:-\d{{2}})?)?)"
    r"|time:(?P<time>day|week|month|year)|lang:(?P<lang>[a-z]{2,3})|region:(?P<region>[a-z]{2}))(?!\S)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Query:
    """The words, and the filters: dates as YYYY-MM-DD, `lang` and `region` as two-letter codes in lower case."""

    words: str
    time: Span | None = None
    after: str = ""
    before: str = ""
    lang: str = ""
    region: str = ""
    site: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> "Query":
        """Take a query apart; of a filter that is given twice the last counts, but sites add up."""
        found: dict[str, str] = {}
        sites: dict[str, None] = {}
        excluded: dict[str, None] = {}
        rest, at = [], 0
        for match in _OPERATOR.finditer(text):
            parts = {name: value.lower() for name, value in match.groupdict().items() if value is not None}
            if "date" in parts and _day(parts["date"], last=parts["bound"] == "before") is None:
                continue
            rest.append(text[at : match.start()])
            at = match.end()
            if "site" in parts:
                (excluded if "minus" in parts else sites)[parts["site"].removeprefix("www.")] = None
            elif "date" in parts:
                found[parts["bound"]] = str(_day(parts["date"], last=parts["bound"] == "before"))
            else:
                found |= parts
        words = " ".join(" ".join([*rest, text[at:]]).split())
        span = next((known for known in get_args(Span) if known == found.get("time")), None)
        dates = {name: found.get(name, "") for name in ("after", "before", "lang", "region")}
        return cls(words, time=span, **dates, site=tuple(sites), exclude=tuple(excluded))

    @property
    def filters(self) -> Mapping[Filter, str | tuple[str, ...]]:
        """The filters that are set."""
        return {name: value for name in FILTERS if (value := getattr(self, name))}

    def request(self) -> dict[str, Json]:
        """Return what an effect records."""
        request: dict[str, Json] = {"query": self.words}
        for name, value in self.filters.items():
            request[name] = [*value] if isinstance(value, tuple) else value
        return request

    def missing(self, has: Collection[Filter]) -> list[Filter]:
        """Return the filters that are set and that a provider with `has` does not know."""
        return [name for name in self.filters if name not in has]

    def with_sites(self) -> str:
        """Return the words with the sites as operators, for engines that read them."""
        wanted = " OR ".join(f"site:{site}" for site in self.site)
        wanted = f"({wanted})" if len(self.site) > 1 else wanted
        return " ".join([self.words, *([wanted] if wanted else []), *(f"-site:{site}" for site in self.exclude)])


def _day(text: str, *, last: bool) -> date | None:
    """Return the first or the last day of a year, month or day."""
    parts = [int(part) for part in text.split("-")]
    try:
        if len(parts) == 3:
            return date(*parts)
        if len(parts) == 2:
            year, month = parts
            following = date(year + month // 12, month % 12 + 1, 1)
            return date.fromordinal(following.toordinal() - 1) if last else date(year, month, 1)
        return date(parts[0], 12, 31) if last else date(parts[0], 1, 1)
    except ValueError:
        return None
