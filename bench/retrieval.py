"""Which pages a search finds: HotpotQA's supporting pages among the pages of all its questions.

    python bench/retrieval.py ../shared/data/hotpot_dev.json [-n 60] [--ways bm25,dense,rrf,titles,hop,cover,mmr]
        [--with-model] [--fresh]

The pages are indexed as one folder, in which a page links to another where it mentions its title (as in
bench/hotpot.py), and searched through the corpus provider's own `search`:

bm25, dense     one ranking alone
rrf             both, fused by reciprocal rank
titles          and pages whose title stands in the question
hop             and the pages that the best ones link to
cover           and those first that together hold the words of the question: the whole recipe
mmr             the whole recipe, its best fifty chosen by maximal marginal relevance
multi-query     with --model: the question and two rewordings of it by the model, each searched, fused by rank
hyde            with --model: a passage that the model makes up is searched in the place of the question

Recall, MAP and nDCG are of `crowquill.memory.metrics`, milliseconds are of warm searches (line vectors cached), the
calls of the model not counted. Results go to bench/results/; a change of the program's code begins anew.
"""

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from common import Results, fingerprint, interval, mean
from hotpot import pages_of, write_pages

from crowquill.agent.direct import DirectContext
from crowquill.agent.models.base import Message, Model, Request
from crowquill.agent.models.resolve import resolve
from crowquill.agent.workspace import Workspace
from crowquill.memory.metrics import average_precision_at, ndcg_at, recall_at
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
OF_MODEL = ("multi-query", "hyde")
DEPTH = 50
CUTS = (2, 5, 10)

Search = Callable[[str], Awaitable[Sequence[str]]]


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
        searches: dict[str, Search] = {"mmr": self._mmr, "multi-query": self._multi, "hyde": self._hyde}
        search = searches.get(way, lambda asked: self._plain(way, asked))
        await search(question)
        started = time.perf_counter()
        titles = await search(question)
        return list(titles), 1000 * (time.perf_counter() - started)

    async def _hits(self, way: str, question: str, limit: int) -> list[Hit]:
        return await self._corpora[way].search(question, self._context, limit=limit)

    async def _plain(self, way: str, question: str) -> list[str]:
        return [hit.title for hit in await self._hits(way, question, max(CUTS))]

    async def _mmr(self, question: str) -> list[str]:
        hits = await self._hits("cover", question, DEPTH)
        vectors = self._workspace.embedder.embed([f"{hit.title}: {hit.snippet}" for hit in hits])
        best = max(hit.score for hit in hits)
        order = diversify([hit.score / best for hit in hits], vectors, max(CUTS))
        return [hits[at].title for at in order]

    async def _multi(self, question: str) -> list[str]:
        told = await self._tell("multi-query", question, "Reword the question in two ways, one a line.")
        asked = [question, *[line.strip(" -0123456789.") for line in told.splitlines() if line.strip()][:2]]
        found = [[hit.title for hit in await self._hits("cover", text, DEPTH)] for text in asked]
        return list(fuse(found))[: max(CUTS)]

    async def _hyde(self, question: str) -> list[str]:
        told = await self._tell("hyde", question, "Write two sentences of an encyclopedia that would answer it.")
        return await self._plain("cover", told)

    async def _tell(self, way: str, question: str, instruction: str) -> str:
        """Return what the model says; it is asked once."""
        key = f"{way} {question}"
        row = self._said.get(key)
        if row is None:
            assert self._model is not None
            messages = (Message("system", instruction), Message("user", question))
            reply = await self._model.complete(Request("act", messages, 80))
            row = self._said.keep(key, {"text": reply.text})
        return str(row["text"])


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
        try:
            for way in ways:
                rows = []
                for case in cases:
                    key = f"{len(cases)} {way} {case['question']}"
                    row = results.get(key)
                    if row is None:
                        titles, spent = await bench.search(way, case["question"])
                        found = figures(titles, case["support"])
                        row = results.keep(key, {**found, "ms": round(spent, 1), "titles": titles})
                    rows.append(row)
                print(summary(way, rows), flush=True)
        finally:
            if model is not None:
                await model.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path, help="a HotpotQA file: question, answer, type, support, pages")
    parser.add_argument("-n", type=int, help="questions, from the first; all when not given")
    parser.add_argument("--ways", default=",".join(WAYS))
    parser.add_argument("--with-model", action="store_true", help="also multi-query and HyDE (embedded model)")
    parser.add_argument("--fresh", action="store_true", help="forget results of an earlier run of the same code")
    options = parser.parse_args()
    cases = json.loads(options.path.read_text(encoding="utf-8"))[: options.n]
    ways = [*options.ways.split(","), *(OF_MODEL if options.with_model else ())]
    asyncio.run(work(options, cases, ways))


if __name__ == "__main__":
    main()
