"""The web search providers by name, and what each needs."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from crowquill.errors import FetchFailed, UserError
from crowquill.tools.exchange import Exchange
from crowquill.tools.fetching import Fetching
from crowquill.tools.guard import HostRules, Lookup, system_lookup
from crowquill.tools.search.base import SearchProvider
from crowquill.tools.search.engine import Api, Engine
from crowquill.tools.search.engines import brave, tavily
from crowquill.tools.search.engines.brave import Brave
from crowquill.tools.search.engines.ddg import DuckDuckGo
from crowquill.tools.search.engines.searxng import Searxng
from crowquill.tools.search.engines.tavily import Tavily
from crowquill.tools.search.engines.wikipedia import Wikipedia
from crowquill.tools.search.web import Together, WebSearch

DEFAULT = ("ddg", "wikipedia")
"""What is asked when nothing is said: none costs money."""
NAMES = ("tavily", "brave", "searxng", "wikipedia", "ddg")
NEEDS = {"tavily": "TAVILY_API_KEY", "brave": "BRAVE_API_KEY", "searxng": "SEARXNG_URL"}
"""The environment variable that a provider needs."""
_WHERE = {"tavily": "https://tavily.com", "brave": "https://brave.com/search/api", "searxng": "your instance"}
_SPEC = re.compile(r"([a-z]+)(?::(\S+))?")


@dataclass(frozen=True, slots=True)
class Setup:
    """What providers are made with. Without `live` they are for a replay, and need no keys."""

    environment: Mapping[str, str] = field(repr=False)
    options: Fetching = field(default_factory=Fetching)
    live: bool = True
    lookup: Lookup = system_lookup

    @property
    def password(self) -> str:
        """That of the proxy."""
        return self.environment.get("CROWQUILL_PROXY_PASSWORD", "")

    def need(self, name: str) -> str:
        """Return the key or address that a provider needs. Raises UserError when it is not set."""
        value = self.environment.get(NEEDS[name], "").strip()
        if not value and self.live:
            raise UserError(f"{name} needs {NEEDS[name]} ({_WHERE[name]}); set it, or leave {name} out of --search")
        return value

    def api(self, url: str) -> Api:
        """Return the interface behind a URL; a host that the user names may be private. Raises UserError."""
        try:
            place = urlsplit(url).netloc
            rules = HostRules([place.rpartition("@")[2]] if place else [])
            target = rules.check_url(url)
        except (FetchFailed, ValueError) as error:
            raise UserError(f"{url!r} is no address of a search provider: {error}") from error
        proxy = self.options.proxied(self.password)
        return Api(Exchange(rules, self.options.user_agent, lookup=self.lookup, proxy=proxy), target)


def make_providers(specs: Sequence[str], setup: Setup) -> list[SearchProvider]:
    """Make the providers of a run, in the order in which they are asked; `a+b` are asked together and merged.

    A provider may be followed by an address, as in `searxng:http://127.0.0.1:8888`, or a language: `wikipedia:de`.

    Raises:
        UserError: there is no such provider, or it lacks a key.
    """
    made: dict[str, WebSearch] = {}

    def one(spec: str) -> WebSearch:
        if spec not in made:
            made[spec] = WebSearch(make_engine(spec, setup))
        return made[spec]

    groups = [[part.strip() for part in spec.split("+")] for spec in specs]
    return [one(group[0]) if len(group) == 1 else Together([one(part) for part in group]) for group in groups]


def split_specs(text: str) -> tuple[str, ...]:
    """Return the parts of `tavily,brave+wikipedia`."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def make_engine(spec: str, setup: Setup) -> Engine:
    """Make one engine of `NAME` or `NAME:ADDRESS`. Raises UserError."""
    match = _SPEC.fullmatch(spec)
    if match is None or match[1] not in NAMES:
        raise UserError(f"no search provider {spec!r}; there are {', '.join(NAMES)}")
    makers: dict[str, Callable[[str, Setup], Engine]] = {
        "tavily": lambda url, setup: Tavily(setup.api(url if url else tavily.URL), setup.need("tavily")),
        "brave": lambda url, setup: Brave(setup.api(url if url else brave.URL), setup.need("brave")),
        "searxng": _searxng,
        "wikipedia": _wikipedia,
        "ddg": _ddg,
    }
    return makers[match[1]](match[2] if match[2] is not None else "", setup)


def _searxng(url: str, setup: Setup) -> Engine:
    base = (url if url else setup.need("searxng")) or "http://searxng.invalid"
    return Searxng(setup.api(base if base.rstrip("/").endswith("/search") else f"{base.rstrip('/')}/search"))


def _wikipedia(place: str, setup: Setup) -> Engine:
    if "/" in place:
        return Wikipedia(setup.api(place))
    lang = place if place else "en"
    if not re.fullmatch(r"[a-z-]{2,12}", lang):
        raise UserError(f"wikipedia:{lang} is no language; write it as wikipedia:de")
    return Wikipedia(setup.api(f"https://{lang}.wikipedia.org/w/api.php"), lang)


def _ddg(place: str, setup: Setup) -> Engine:
    if place:
        raise UserError("ddg takes no address")
    proxy = setup.options.proxied(setup.password)
    return DuckDuckGo(proxy=None if proxy is None else proxy.with_password)
