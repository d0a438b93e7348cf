"""What a search provider is, and what it returns."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from crowquill.memory.snapshot import Snapshot
from crowquill.tools.context import ToolContext


@dataclass(frozen=True, slots=True)
class Passage:
    """Lines of a page that answer a query: `first` to `last` (from 1), with a score, larger is better."""

    first: int
    last: int
    text: str
    score: float


@dataclass(frozen=True, slots=True)
class Hit:
    """One result, from outside: title and snippet are untrusted text. Passages are best first.

    Providers that hold the pages (the corpus) fill `passages`; live search leaves it empty. `date` is YYYY-MM-DD,
    or empty where the provider gives none; `source` names the providers that found it.
    """

    url: str
    title: str
    snippet: str
    score: float
    passages: tuple[Passage, ...] = ()
    date: str = ""
    source: str = ""


class Hits(list[Hit]):
    """Hits, best first. `notes` says what a person should know of them: who failed, which filter nobody has."""

    def __init__(self, hits: Iterable[Hit] = (), notes: Iterable[str] = ()) -> None:
        super().__init__(hits)
        self.notes = tuple(notes)


class SearchProvider(Protocol):
    """Finds pages for a query."""

    @property
    def name(self) -> str:
        """Name shown to the user, such as `corpus` or `web`."""
        ...

    async def search(self, query: str, context: ToolContext, *, limit: int = 8) -> list[Hit]:
        """Return the best hits, best first, through one `search` effect for each request to a provider.

        What comes may be `Hits`, with notes for the status line.

        Raises:
            ToolFailed: the provider cannot be reached or refuses; the message says why.
        """
        ...


class PageSource(Protocol):
    """Opens pages by URL."""

    def handles(self, url: str) -> bool:
        """Say whether this source is the one for `url`."""
        ...

    async def open(self, url: str, context: ToolContext) -> Snapshot:
        """Return the snapshot behind `url`, through one effect (`page` or `fetch`) per request.

        Raises:
            ToolRetry: the URL is not one the user, a search result or a page link gave.
            ToolFailed: the page cannot be had; the message says why.
        """
        ...
