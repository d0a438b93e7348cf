"""Which pages a search finds: HotpotQA's supporting pages among the pages of all its questions.

    python bench/retrieval.py ../shared/data/hotpot_dev.json [-n 60] [--asked 40] [--with-model] [--fresh]
        [--ways bm25,dense,rrf,titles,hop,cover,mmr]

The pages are indexed as one folder, in which a page links to another where it mentions its title (as in
bench/hotpot.py), and searched through the corpus provider's own `search`:

bm25, dense     one ranking alone
rrf             both, fused by reciprocal rank
titles          and pages whose title stands in the question
hop             and the pages that the best ones link to
cover           and those first that together hold the words of the question: the whole recipe
mmr             the whole recipe, its best fifty chosen by maximal marginal relevance
multi           with --with-model: the question and rewordings of it by the model, each searched, fused by rank
hyde            with --with-model: a passage that the model makes up is searched in the place of the question
corrective      with --with-model: of the first five hits those that the model takes for relevant; when there are
                none, rewordings are searched and graded, and when there are none again the row has no hit

The last three are `crowquill.agent.corrective` with the embedded model; what it says to a prompt is kept, so that
these rows go on where they stopped. Recall, MAP and nDCG are of `crowquill.memory.metrics`, milliseconds are of
warm searches (line vectors cached), the calls of the model not counted. Results go to bench/results/; a change of
the program's code begins anew.
"""

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import Any

from common import Results, fingerprint, interval, mean
from hotpot import pages_of, write_pages

from crowquill.agent.corrective import Corrective, RecallMode
from crowquill.agent.direct import DirectContext
from crowquill.agent.models.base import Model, Reply, Request, Usage
from crowquill.agent.models.resolve import resolve
from crowquill.agent.workspace import Workspace
from crowquill.memory.evidence import Evidence, Quote, Source, digest
from crowquill.memory.metrics import average_precision_at, ndcg_at, recall_at
from crowquill.memory.retrieve import Way
from crowquill.memory.scoring import diversify, fuse
from crowquill.tools.search.base import Hit

WITHOUT = {
    "bm25": ("dense", "titles", "hop", "cover"),
    "dense": ("lexical", "titles", "hop", "cover"),
    "rrf": ("titles", "hop", "cover"),
    "titles": ("hop", "cover"),
    "hop": ("cover",),
    "cover": (),
}
WAYS = (*WITHOUT, "mmr")
OF_MODEL: tuple[RecallMode, ...] = ("multi", "hyde", "corrective")
DEPTH = 50
GRADED = 5
CUTS = (2, 5, 10)


class Bench:
    """Searches in each of the ways; each returns titles, best first."""

    def __init__(self, cases: Sequence[dict[str, Any]], folder: Path, said: Results, model: Model | None) -> None:
        self._workspace = Workspace(folder / "workspace")
        write_pages(pages_of(cases), folder / "all")
        self._workspace.index(folder / "all", "all")
        self._context = DirectContext(self._workspace.blobs, lambda message: None)
        self._corpora = {way: self._workspace.corpus("all", without) for way, without in WITHOUT.items()}
        self._said = said
        self._model = model

    async def search(self, way: str, question: str) -> tuple[list[str], float]:
        """Return the titles and the milliseconds of a warm search."""
        await self._titles(way, question)
        started = time.perf_counter()
        titles = await self._titles(way, question)
        return titles, 1000 * (time.perf_counter() - started)

    async def _titles(self, way: str, question: str) -> list[str]:
        if way in OF_MODEL:
            return await self._corrected(way, question)
        if way == "mmr":
            return await self._mmr(question)
        return [hit.title for hit in await self._hits(way, question, max(CUTS))]

    async def _hits(self, way: str, question: str, limit: int) -> list[Hit]:
        return await self._corpora[way].search(question, self._context, limit=limit)

    async def _mmr(self, question: str) -> list[str]:
        hits = await self._hits("cover", question, DEPTH)
        vectors = self._workspace.embedder.embed([f"{hit.title}: {hit.snippet}" for hit in hits])
        best = max(hit.score for hit in hits)
        order = diversify([hit.score / best for hit in hits], vectors, max(CUTS))
        return [hits[at].title for at in order]

    async def _corrected(self, mode: RecallMode, question: str) -> list[str]:
        limit = GRADED if mode == "corrective" else max(CUTS)

        async def ask(way: Way) -> tuple[Evidence, ...]:
            asked = [way.imagined if way.imagined else question, *way.also]
            hits = [await self._hits("cover", text, DEPTH) for text in asked]
            quotes = {hit.title: _quote(hit) for hit in chain(*hits)}
            fused = fuse([[hit.title for hit in each] for each in hits])
            return tuple(quotes[title] for title in list(fused)[:limit])

        found = await Corrective(self._complete, "bench", mode).recall(question, ask)
        return [item.source.title for item in found if isinstance(item, Quote)]

    async def _complete(self, request: Request) -> Reply:
        """Return what the model says; a prompt is put once."""
        key = digest(json.dumps([asdict(message) for message in request.messages], sort_keys=True))
        row = self._said.get(key)
        if row is None:
            assert self._model is not None
            reply = await self._model.complete(request)
            row = self._said.keep(key, {"parsed": reply.parsed})
        return Reply("", Usage(), parsed=row["parsed"])


def _quote(hit: Hit) -> Quote:
    return Quote(hit.snippet, Source(hit.url, hit.title, "", ""), 0, len(hit.snippet), (1, 1))


def figures(titles: Sequence[str], support: Sequence[str]) -> dict[str, float]:
    """Return the measures of one ranking."""
    return {
        **{f"recall@{k}": recall_at(titles, support, k) for k in CUTS},
        "ap@10": average_precision_at(titles, support, 10),
        "ndcg@10": ndcg_at(titles, support, 10),
    }


def summary(way: str, rows: Sequence[dict[str, Any]]) -> str:
    """Return the line that sums a way up."""
    parts = []
    for name in (*(f"recall@{k}" for k in CUTS), "ap@10", "ndcg@10"):
        values = [row[name] for row in rows]
        low, high = interval(values)
        parts.append(f"{name} {mean(values):.3f} [{low:.2f}, {high:.2f}]")
    times = sorted(row["ms"] for row in rows)
    return (
        f"{way:<12} {'  '.join(parts)}  p50 {times[len(times) // 2]:.0f} ms p95 {times[int(0.95 * len(times))]:.0f}"
    )


async def work(options: argparse.Namespace, cases: Sequence[dict[str, Any]], ways: Sequence[str]) -> None:
    """Search for all questions in all ways, and print the summaries."""
    results = Results(f"retrieval-{fingerprint()}", fresh=options.fresh)
    model = resolve("local") if options.with_model else None
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(cases, Path(folder), Results("retrieval-said"), model)

        async def row(way: str, case: dict[str, Any]) -> dict[str, Any]:
            key = f"{len(cases)} {way} {case['question']}"
            kept = results.get(key)
            if kept is None:
                titles, spent = await bench.search(way, case["question"])
                found = figures(titles, case["support"])
                kept = results.keep(key, {**found, "ms": round(spent, 1), "titles": titles})
            return kept

        try:
            asked = cases[: options.asked]
            for case in asked:  # question by question: where it is stopped, all ways have been asked the same
                for way in ways:
                    await row(way, case)
            for way in ways:
                print(summary(way, [await row(way, case) for case in asked]), flush=True)
        finally:
            if model is not None:
                await model.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path, help="a HotpotQA file: question, answer, type, support, pages")
    parser.add_argument("-n", type=int, help="questions, from the first; all when not given")
    parser.add_argument("--asked", type=int, help="put only the first of them, to the pages of all")
    parser.add_argument("--ways", default=",".join(WAYS))
    parser.add_argument("--with-model", action="store_true", help=f"also {', '.join(OF_MODEL)} (embedded model)")
    parser.add_argument("--fresh", action="store_true", help="forget results of an earlier run of the same code")
    options = parser.parse_args()
    cases = json.loads(options.path.read_text(encoding="utf-8"))[: options.n]
    ways = [*options.ways.split(","), *(OF_MODEL if options.with_model else ())]
    asyncio.run(work(options, cases, ways))


if __name__ == "__main__":
    main()
