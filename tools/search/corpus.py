"""Search over a folder of pages, with its own recipe and no model.

The recipe: BM25, dense page vectors and titles named in the query are fused by reciprocal rank; then one hop
along the links of the best pages, since the second page of a two-step question often shares no word with it;
then those first that complement each other; then the lines of the best pages that are most relevant.
"""

import asyncio
import re
import threading
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, cast
from urllib.parse import unquote

from crowquill.errors import StorageError, ToolFailed, ToolRetry, UserError
from crowquill.memory.embed import Embedder, Vectors
from crowquill.memory.lexical import LexicalIndex
from crowquill.memory.scoring import fuse
from crowquill.memory.snapshot import Snapshot
from crowquill.tools.context import Json, ToolContext
from crowquill.tools.search.base import Hit, Passage
from crowquill.tools.search.corpus_build import LEAD, BuildReport, Progress, build
from crowquill.tools.search.passages import line_in_context, opening_line, rank_lines, score_lines
from crowquill.tools.search.ranking import Titles, cover
from crowquill.tools.search.shelf import Catalogue, Shelf

__all__ = ["BuildReport", "Corpus", "Progress", "corpus_names", "rank_lines"]

DEPTH = 50
"""Pages taken from each ranking."""
HOP_FROM = 4
"""Best pages whose links are followed."""
HUB = 30
"""Links from which a page counts as a list, whose links say nothing about the question."""
HOPPED = 1
"""Places among the pages that are read for one that is found by a link, whatever its rank."""
READ = 5
"""Best pages from which passages are taken."""
PER_PAGE = 3
"""Best passages of one page that compete for the places left."""
PASSAGES = 10
"""Passages of one search, over all pages."""
RANKINGS = frozenset({"lexical", "dense", "titles", "hop", "cover"})
"""What orders the pages, and can be left out to measure what each is worth."""

SHIPPED = "pocket"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")


def corpus_names(workspace: Path) -> list[str]:
    """Return the names of the corpora of a workspace, sorted."""
    return sorted(file.parent.name for file in (workspace / "corpora").glob("*/pages.db"))


class Corpus:
    """A search provider and page source over one indexed folder; page URLs are `corpus:NAME/path`."""

    def __init__(self, directory: Path, embedder: Embedder, without: Collection[str] = ()) -> None:
        """`directory` is `<workspace>/corpora/<name>`; `without` leaves out parts of the recipe (see `RANKINGS`).

        Raises:
            UserError: the name has other characters than letters, digits, dot, dash and underscore.
        """
        if not _NAME.match(directory.name):
            raise UserError(f"{directory.name!r} cannot name a corpus; use letters, digits, '.', '-' and '_'")
        self._directory = directory
        self._embedder = embedder
        self._without = frozenset(without) & RANKINGS
        self._shelf = Shelf(directory / "pages.db")
        self._lock = threading.Lock()
        self._searcher: _Searcher | None = None

    @property
    def name(self) -> str:
        """Name shown to the user and used in page URLs."""
        return self._directory.name

    @property
    def version(self) -> str:
        """Fingerprint of the indexed pages. Raises StorageError when there is no index."""
        if not self._shelf.path.is_file():
            raise StorageError(f"there is no corpus {self.name!r}; make one with: crowquill index DIR")
        version = self._shelf.get_meta("version")
        if version is None:
            raise StorageError(f"corpus {self.name!r} was never built to the end; run crowquill index again")
        return version

    def build(self, source: Path, *, progress: Progress | None = None) -> BuildReport:
        """Index a folder, or bring its index up to date (see `corpus_build.build`)."""
        return build(self._directory, source, self._embedder, progress=progress)

    def handles(self, url: str) -> bool:
        """Say whether `url` is a page of this corpus."""
        return url.startswith(f"corpus:{self.name}/")

    async def search(self, query: str, context: ToolContext, *, limit: int = 8) -> list[Hit]:
        """Return the best pages, best first, through one `search` effect; passages come with the first few.

        Raises:
            ToolFailed: the index cannot be read; the message says what to do.
        """

        async def call() -> Json:
            hits = await asyncio.to_thread(self._search, query, limit)
            return [_hit_json(hit) for hit in hits]

        request: dict[str, Json] = {"provider": "corpus", "corpus": self.name, "query": query, "limit": limit}
        if self._without:
            request["without"] = [*sorted(self._without)]
        response = await context.effect("search", request, call)
        hits = [_hit(cast("dict[str, Any]", item)) for item in cast("list[Json]", response)]
        context.offer([hit.url for hit in hits])
        self._protect(
            [text for hit in hits for text in (hit.snippet, *(part.text for part in hit.passages))], context
        )
        return hits

    async def open(self, url: str, context: ToolContext) -> Snapshot:
        """Return the snapshot of a page, through one `page` effect.

        Raises:
            ToolRetry: the corpus has no such page.
            ToolFailed: the index cannot be read.
        """

        async def call() -> Json:
            snapshot = await asyncio.to_thread(self._page, url)
            data = snapshot.to_json().encode("utf-8", "surrogatepass")
            return {"snapshot": await asyncio.to_thread(context.blobs.put, data)}

        response = cast("dict[str, str]", await context.effect("page", {"url": url}, call))
        data = await asyncio.to_thread(context.blobs.get, response["snapshot"])
        snapshot = Snapshot.from_json(data.decode("utf-8", "surrogatepass"))
        context.offer([link.url for link in snapshot.links])
        self._protect([snapshot.text], context)
        return snapshot

    def _protect(self, texts: Sequence[str], context: ToolContext) -> None:
        """Keep the user's own pages on the machine; those that are shipped with Crowquill are no secret."""
        for text in texts if self.name != SHIPPED else ():
            context.protect(text)

    def _page(self, url: str) -> Snapshot:
        path = url.removeprefix(f"corpus:{self.name}/")
        for candidate in (path, unquote(path.partition("#")[0])):
            try:
                snapshot = self._shelf.snapshot(candidate)
            except StorageError as error:
                raise ToolFailed(str(error)) from error
            if snapshot is not None:
                return snapshot
        raise ToolRetry(f"corpus {self.name} has no such page; open a result of a search or a link of a page")

    def _search(self, query: str, limit: int) -> list[Hit]:
        try:
            with self._lock:
                if self._searcher is None or self._searcher.version != self.version:
                    self._searcher = _Searcher(self._directory, self._shelf, self._embedder)
                searcher = self._searcher
            return searcher.search(query, limit, self._without)
        except StorageError as error:
            raise ToolFailed(str(error)) from error


class _Searcher:
    """One version of the corpus, in memory: page vectors, titles, links, and the text index."""

    def __init__(self, directory: Path, shelf: Shelf, embedder: Embedder) -> None:
        text = shelf.get_meta("text")
        if text is None or not (directory / text / "meta.json").is_file():
            raise StorageError(f"corpus {directory.name} has no text index; run crowquill index again")
        space = shelf.get_meta("embedder")
        if space is not None and space != embedder.name:
            raise StorageError(
                f"corpus {directory.name} was indexed with the embedder {space}, and now it is {embedder.name}; run"
                " crowquill index again"
            )
        self._name = directory.name
        self._shelf = shelf
        self._embedder = embedder
        self._lexical = LexicalIndex(directory / text)
        self._pages: Catalogue = shelf.catalogue()
        self.version = self._pages.version
        self._number = {path: number for number, path in enumerate(self._pages.paths)}
        self._titles = Titles(self._pages.titles)

    def search(self, query: str, limit: int, without: Collection[str] = ()) -> list[Hit]:
        if not query.strip() or limit < 1 or not self._pages.paths:
            return []
        vector = self._embedder.embed([query])[0]
        similar = self._pages.vectors @ vector
        named = self._titles.named(query)
        words = [self._number[path] for path, _ in self._lexical.search(query, DEPTH) if path in self._number]
        import numpy as np  # 0.2 s, and only vectors need it

        nearest = np.argpartition(-similar, DEPTH)[:DEPTH] if len(similar) > DEPTH else np.arange(len(similar))
        dense = sorted((int(at) for at in nearest if similar[at] > 0), key=lambda at: (-similar[at], at))
        pages = {"lexical": words, "dense": dense, "titles": named}
        rankings = [ranking for name, ranking in pages.items() if name not in without]
        first = fuse(rankings)
        snapshots: dict[int, Snapshot] = {}
        sources = [] if "hop" in without else list(first)[:HOP_FROM]
        hops = self._hop(sources, query, vector, snapshots)
        ranked = fuse([*rankings, list(hops)])
        order = list(ranked) if "cover" in without else self._covering(query, ranked, snapshots)
        best = self._reading_order(order, hops)[:limit]
        passages = self._passages(best[:READ], query, vector, set(named), hops, snapshots)
        return [self._as_hit(page, ranked[page], passages.get(page, ()), snapshots) for page in best]

    def _reading_order(self, ranked: list[int], hops: dict[int, tuple[int, int]]) -> list[int]:
        """Put the best pages first, with `HOPPED` places among those that are read for pages found by a link."""
        head = ranked[: READ - HOPPED]
        linked = [page for page in hops if page not in head][:HOPPED]
        return [*head, *linked, *(page for page in ranked if page not in head and page not in linked)]

    def _covering(self, query: str, ranked: dict[int, float], snapshots: dict[int, Snapshot]) -> list[int]:
        """Return the ranked pages, those first that together hold the words of the query, the rarer the better."""
        rarity = {word: self._lexical.rarity(word) for word in self._lexical.meaningful(query)}

        def words(page: int) -> frozenset[str]:
            text = self._snapshot(page, snapshots).main_text[:LEAD]
            return frozenset(self._lexical.words(f"{self._pages.titles[page]} {text}"))

        return cover(ranked, rarity, words)

    def _hop(
        self,
        sources: Sequence[int],
        query: str,
        vector: Vectors,
        snapshots: dict[int, Snapshot],
    ) -> dict[int, tuple[int, int]]:
        """Rank the pages that `sources` link to by the line in which the link stands.

        Returns for each page, best first, the source and the line of its best link.
        """
        scores: dict[int, float] = {}
        places: dict[int, tuple[int, int]] = {}
        for source in sources:
            links = [(page, line) for page, line in self._pages.links[source] if page != source]
            if not links or len(links) > HUB:
                continue
            snapshot = self._snapshot(source, snapshots)
            lines = {line for _, line in links if 1 <= line <= len(snapshot.lines)}
            ranked = score_lines(snapshot, query, vector, self._line_vectors, len(snapshot.lines))
            relevance = {passage.first: passage.score for passage in ranked if passage.first in lines}
            for page, line in links:
                score = relevance.get(line, 0.0)
                if score > scores.get(page, -1.0):
                    scores[page], places[page] = score, (source, line)
        return {page: places[page] for page in sorted(scores, key=lambda page: (-scores[page], page))}

    def _passages(
        self,
        pages: Sequence[int],
        query: str,
        vector: Vectors,
        named: set[int],
        hops: dict[int, tuple[int, int]],
        snapshots: dict[int, Snapshot],
    ) -> dict[int, tuple[Passage, ...]]:
        """Take the best lines: one of each page at least, then whichever are best, `PASSAGES` in all."""
        chosen: dict[int, list[Passage]] = {}
        rest: list[tuple[int, Passage]] = []
        for page in pages:
            snapshot = self._snapshot(page, snapshots)
            ranked = score_lines(snapshot, query, vector, self._line_vectors, PASSAGES)
            keep = [*ranked[:1]]
            wanted = {line for other, (source, line) in hops.items() if source == page and other in pages}
            opening = opening_line(snapshot)
            if page in named and opening is not None:
                wanted.add(opening)
            keep += [passage for passage in ranked[1:] if passage.first in wanted]
            chosen[page] = keep
            rest += [(page, passage) for passage in ranked[:PER_PAGE] if passage not in keep]
        rest.sort(key=lambda pair: -pair[1].score)
        for page, passage in rest[: max(0, PASSAGES - sum(map(len, chosen.values())))]:
            chosen[page].append(passage)
        return {page: tuple(sorted(kept, key=lambda passage: -passage.score)) for page, kept in chosen.items()}

    def _as_hit(
        self, page: int, score: float, passages: tuple[Passage, ...], snapshots: dict[int, Snapshot]
    ) -> Hit:
        if passages:
            snippet = passages[0].text
        else:
            snapshot = self._snapshot(page, snapshots)
            opening = opening_line(snapshot)
            snippet = snapshot.line_text(opening) if opening is not None else ""
        url = f"corpus:{self._name}/{self._pages.paths[page]}"
        return Hit(url, self._pages.titles[page], snippet, round(score, 6), passages)

    def _snapshot(self, page: int, snapshots: dict[int, Snapshot]) -> Snapshot:
        if page not in snapshots:
            snapshot = self._shelf.snapshot(self._pages.paths[page])
            if snapshot is None:
                raise StorageError(f"corpus {self._name} changed during the search; search again")
            snapshots[page] = snapshot
        return snapshots[page]

    def _line_vectors(self, snapshot: Snapshot, numbers: Sequence[int]) -> Vectors:
        import numpy as np  # 0.2 s, and only vectors need it

        cached = self._shelf.line_vectors(snapshot.sha256, self._embedder.name)
        missing = [number for number in numbers if number not in cached]
        if missing:
            fresh = self._embedder.embed([line_in_context(snapshot, number) for number in missing])
            new = dict(zip(missing, fresh, strict=True))
            self._shelf.keep_line_vectors(snapshot.sha256, self._embedder.name, new)
            # as they will be read next time: the first search must not differ from the second
            cached |= {number: row.astype("<f2").astype(np.float32) for number, row in new.items()}
        rows = np.zeros((len(numbers), self._embedder.dimensions), np.float32)
        for row, number in zip(rows, numbers, strict=True):
            row[:] = cached[number]
        return rows


def _hit_json(hit: Hit) -> Json:
    return {
        "url": hit.url,
        "title": hit.title,
        "snippet": hit.snippet,
        "score": hit.score,
        "passages": [[p.first, p.last, p.text, p.score] for p in hit.passages],
    }


def _hit(data: dict[str, Any]) -> Hit:
    passages = tuple(Passage(*passage) for passage in data["passages"])
    return Hit(data["url"], data["title"], data["snippet"], data["score"], passages)
