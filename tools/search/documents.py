"""Search providers of the user's own program: whatever finds texts for a query, as pages that can be quoted."""

import inspect
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol, cast

from crowquill.errors import CrowquillError, ReplayMiss, ToolFailed, ToolRetry
from crowquill.memory.evidence import digest
from crowquill.memory.snapshot import Snapshot
from crowquill.tools.browser.page import render
from crowquill.tools.context import Json, ToolContext
from crowquill.tools.search.base import Hit
from crowquill.tools.threads import in_own_thread

_SNIPPET = 300


@dataclass(frozen=True, slots=True)
class Document:
    """A text that was found. `url` is its address on the web; without one it is private: nothing of it goes out.

    `media_type` says what the text is: `text/plain`, `text/markdown`, `text/html`.
    """

    text: str
    title: str = ""
    url: str = ""
    media_type: str = "text/plain"


class DocumentSearch(Protocol):
    """Finds documents for a query. `search` may be a coroutine; what is synchronous runs in a thread."""

    @property
    def name(self) -> str:
        """Name shown to the user and to the model."""
        ...

    def search(self, query: str, limit: int) -> Sequence[Document] | Awaitable[Sequence[Document]]:
        """Return the best documents, best first; whatever it raises ends this search and no run."""
        ...


class Library:
    """Makes a `DocumentSearch` a provider and page source of a run; None stands for one that is not at hand."""

    def __init__(self, name: str, source: DocumentSearch | None) -> None:
        self.name = name
        self._source = source
        self._pages: dict[str, str] = {}

    async def search(self, query: str, context: ToolContext, *, limit: int = 8) -> list[Hit]:
        """Return the best documents through one `search` effect.

        Raises:
            ToolFailed: the provider failed; the message says how.
        """

        async def call() -> Json:
            found = await self._find(query, limit)
            return [self._kept(document, context) for document in found[:limit]]

        request: Json = {"provider": self.name, "query": query, "limit": limit}
        entries = cast("list[dict[str, Any]]", await context.effect("search", request, call))
        self._pages |= {entry["url"]: entry["page"] for entry in entries}
        context.offer([entry["url"] for entry in entries])
        for entry in entries:
            if entry["private"]:
                context.protect(entry["snippet"])
        return [
            Hit(entry["url"], entry["title"], entry["snippet"], 1.0 / place, source=self.name)
            for place, entry in enumerate(entries, 1)
        ]

    def handles(self, url: str) -> bool:
        """Say whether this provider has found the document."""
        return url in self._pages or url.startswith(f"{self.name}:")

    async def open(self, url: str, context: ToolContext) -> Snapshot:
        """Return a document that was found.

        Raises:
            ToolRetry: none was found at that address.
        """
        if url not in self._pages:
            raise ToolRetry("that document was not found by a search")
        snapshot = Snapshot.from_json(context.blobs.get(self._pages[url]).decode("utf-8", "surrogatepass"))
        context.offer([link.url for link in snapshot.links])
        if snapshot.kind == "corpus":
            context.protect(snapshot.text)
        return snapshot

    async def _find(self, query: str, limit: int) -> Sequence[Document]:
        if self._source is None:
            raise ReplayMiss(f"the search provider {self.name!r} of the run's own program is not at hand")
        search: Callable[..., Any] = self._source.search
        try:
            if inspect.iscoroutinefunction(search):
                return cast("Sequence[Document]", await search(query, limit))
            found = await in_own_thread(partial(search, query, limit), "search")
            return cast("Sequence[Document]", await found if inspect.isawaitable(found) else found)
        except CrowquillError:
            raise
        except Exception as error:  # a provider of the user's own may raise anything
            said = " ".join(f"{type(error).__name__}: {error}".split())[:_SNIPPET]
            raise ToolFailed(f"{self.name}: {said}") from error

    def _kept(self, document: Document, context: ToolContext) -> Json:
        """Keep a document as a snapshot, and return what the model is shown of it."""
        private = not document.url.startswith(("https://", "http://"))
        url = f"{self.name}:{digest(document.text)[:16]}" if private else document.url
        data = document.text.encode("utf-8", "replace")
        page = render(data, document.media_type, url, charset="utf-8", kind="corpus" if private else "web")
        title = document.title if document.title else page.title
        sha256 = context.blobs.put(replace(page, title=title).to_json().encode("utf-8", "surrogatepass"))
        return {"url": url, "title": title, "snippet": page.text[:_SNIPPET], "page": sha256, "private": private}
