"""The corpus: building, searching, following links, opening; with a small folder of pages."""

import asyncio
import fcntl
import json
import os
import sqlite3
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

import pytest

from crowquill.errors import StorageError, ToolFailed, ToolRetry, UserError
from crowquill.memory.blobs import BlobStore
from crowquill.memory.clock import SystemClock
from crowquill.memory.embed import HashingEmbedder, Vectors
from crowquill.memory.evidence import Evidence
from crowquill.memory.snapshot import Line, Snapshot
from crowquill.tools.context import Access, EffectKind, Json, State
from crowquill.tools.search.corpus import BuildReport, Corpus, corpus_names, rank_lines


class NoMemory:
    async def recall(self, query: str, *, limit: int) -> tuple[Evidence, ...]:
        return ()


class Context:
    """Runs effects and keeps what they were asked and gave, as JSON; given responses are replayed."""

    lane = "t1/s1"
    clock = SystemClock()
    deadline = None
    memory = NoMemory()

    def __init__(self, blobs: BlobStore, replay: dict[str, str] | None = None) -> None:
        self.blobs = blobs
        self.offered: list[str] = []
        self.protected: list[str] = []
        self.effects: dict[str, str] = {}
        self._replay = replay

    async def effect(
        self,
        kind: EffectKind,
        request: Json,
        call: Callable[[], Awaitable[Json]],
        *,
        access: Access = "read",
        state: State | None = None,
    ) -> Json:
        key = json.dumps([kind, request], sort_keys=True)
        if self._replay is not None:
            recorded: Json = json.loads(self._replay[key])
            return recorded
        response = await call()
        self.effects[key] = json.dumps(response)
        return response

    async def egress(self, url: str) -> None:
        raise AssertionError("a corpus sends nothing out")

    def permits(self, url: str, *, known: bool = True) -> bool:
        raise AssertionError("a corpus sends nothing out")

    async def check_outgoing(self, text: str) -> None:
        raise AssertionError("a corpus sends nothing out")

    async def approve(self, tool: str, access: Access, args: Mapping[str, Json], *, effect: str) -> None:
        raise AssertionError("a corpus changes nothing")

    def offer(self, urls: list[str], *, page: str = "") -> None:
        self.offered += urls

    def protect(self, text: str) -> None:
        self.protected.append(text)

    def progress(self, message: str) -> None:
        pass


def page(title: str, *paragraphs: str) -> str:
    body = "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
    return f"<!doctype html><html><head><title>{title}</title></head><body><h1>{title}</h1>{body}</body></html>"


PAGES = {
    "crow.html": page(
        "Crow",
        "The crow is a black bird. Crows bring gifts to people who feed them.",
        'The crow was first studied by <a href="people/Ada%20Quill.html#life">Ada Quill</a> in 1931.',
    ),
    "people/Ada Quill.html": page(
        "Ada Quill",
        "Ada Quill was born in Bergen. She wrote four books.",
        'See also <a href="../crow.html">the crow</a> and <a href="https://example.org/quill">her site</a>.',
    ),
    "people/Bo Reed.html": page("Bo Reed", "Bo Reed was born in Perth. He watched the stock market."),
    "harbour.md": "# Harbour prices\n\nThe harbour fee rose to 12 crowns. Boats pay it each May.\n",
    "вороны.txt": "Вороны живут в городах. Вороны приносят людям подарки.\n",
    "notes/trade.html": page("Trade", "Grain was traded for salt in the north.", "The port closed in 1950."),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "pages"
    for name, text in PAGES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root


@pytest.fixture
def corpus(tmp_path: Path, folder: Path) -> Corpus:
    made = Corpus(tmp_path / "ws" / "corpora" / "birds", HashingEmbedder())
    assert made.build(folder) == BuildReport(added=6, changed=0, removed=0, unchanged=0, failed=0)
    return made


@pytest.fixture
def context(tmp_path: Path) -> Context:
    return Context(BlobStore(tmp_path / "blobs"))


@pytest.mark.parametrize(
    ("query", "url", "line"),
    [
        ("Which birds bring gifts?", "corpus:birds/crow.html", "Crows bring gifts to people who feed them."),
        ("harbour fees", "corpus:birds/harbour.md", "The harbour fee rose to 12 crowns."),
        ("кто приносит подарки", "corpus:birds/вороны.txt", "Вороны приносят людям подарки."),
        ("Where was Bo Reed born?", "corpus:birds/people/Bo Reed.html", "Bo Reed was born in Perth."),
    ],
)
async def test_the_page_and_the_line_that_answer_come_first(
    corpus: Corpus, context: Context, query: str, url: str, line: str
) -> None:
    hits = await corpus.search(query, context, limit=3)
    assert hits[0].url == url
    assert hits[0].passages[0].text == line
    assert hits[0].title in ("Crow", "Harbour prices", "вороны", "Bo Reed")
    assert len(hits) <= 3
    assert context.offered == [hit.url for hit in hits]
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


async def test_one_hop_finds_the_page_that_shares_no_word_with_the_question(
    corpus: Corpus, context: Context
) -> None:
    hits = await corpus.search("birthplace of whoever first studied the black crow", context, limit=2)
    assert [hit.title for hit in hits] == ["Crow", "Ada Quill"]
    assert any("Bergen" in passage.text for passage in hits[1].passages)


async def test_passages_are_lines_of_the_page_that_opens(corpus: Corpus, context: Context) -> None:
    hits = await corpus.search("Ada Quill and the crow", context)
    assert sum(len(hit.passages) for hit in hits) <= 10
    for hit in hits:
        snapshot = await corpus.open(hit.url, context)
        for passage in hit.passages:
            assert snapshot.quote(passage.first, passage.last).text == passage.text
    named = next(hit for hit in hits if hit.title == "Ada Quill")
    assert "Ada Quill was born in Bergen." in [passage.text for passage in named.passages]


async def test_links_lead_to_pages_of_the_corpus(corpus: Corpus, context: Context) -> None:
    snapshot = await corpus.open("corpus:birds/crow.html", context)
    assert snapshot.kind == "corpus"
    assert snapshot.url == "corpus:birds/crow.html"
    assert [link.url for link in snapshot.links] == ["corpus:birds/people/Ada Quill.html"]
    assert context.offered == ["corpus:birds/people/Ada Quill.html"]
    person = await corpus.open(snapshot.links[0].url, context)
    assert person.title == "Ada Quill"
    assert [link.url for link in person.links] == ["corpus:birds/crow.html", "https://example.org/quill"]
    escaped = await corpus.open("corpus:birds/people/Ada%20Quill.html#life", context)
    assert escaped.text == person.text


async def test_a_recorded_search_and_page_need_no_corpus_pages(
    corpus: Corpus, context: Context, tmp_path: Path
) -> None:
    hits = await corpus.search("gifts", context)
    snapshot = await corpus.open(hits[0].url, context)
    assert len(context.effects) == 2
    with sqlite3.connect(tmp_path / "ws/corpora/birds/pages.db") as connection:
        connection.execute("DELETE FROM pages")
    connection.close()
    again = Context(BlobStore(tmp_path / "blobs"), replay=context.effects)
    fresh = Corpus(tmp_path / "ws/corpora/birds", HashingEmbedder())
    assert await fresh.search("gifts", again) == hits
    assert await fresh.open(hits[0].url, again) == snapshot


@pytest.mark.parametrize("query", ["", "  ", "the of", '"', "AND (", "zzzz qqqq", "\x00", "a" * 5000])
async def test_no_query_is_an_error(corpus: Corpus, context: Context, query: str) -> None:
    assert len(await corpus.search(query, context)) <= 8


async def test_the_second_search_equals_the_first(corpus: Corpus, context: Context, tmp_path: Path) -> None:
    first = await corpus.search("gifts of the crow", context)
    assert await corpus.search("gifts of the crow", context) == first
    other = Corpus(tmp_path / "ws/corpora/birds", HashingEmbedder())
    assert await other.search("gifts of the crow", context) == first


async def test_searches_may_run_side_by_side(corpus: Corpus, context: Context) -> None:
    queries = ["crow", "harbour", "Bo Reed", "подарки"] * 4
    found = await asyncio.gather(*(corpus.search(query, context) for query in queries))
    assert [hits[0].url for hits in found[:4]] * 4 == [hits[0].url for hits in found]


@pytest.mark.parametrize("url", ["corpus:birds/none.html", "corpus:birds/../../../etc/passwd", "corpus:birds/"])
async def test_only_pages_of_the_corpus_open(corpus: Corpus, context: Context, url: str) -> None:
    assert corpus.handles(url)
    with pytest.raises(ToolRetry, match="no such page"):
        await corpus.open(url, context)


def test_what_a_corpus_handles(corpus: Corpus) -> None:
    assert not corpus.handles("corpus:bird/x.html")
    assert not corpus.handles("https://example.org/")


async def test_a_rebuild_reads_only_what_changed(corpus: Corpus, context: Context, folder: Path) -> None:
    version = corpus.version
    assert corpus.build(folder) == BuildReport(added=0, changed=0, removed=0, unchanged=6, failed=0)
    os.utime(folder / "crow.html")
    assert corpus.build(folder).unchanged == 6
    assert corpus.version == version
    (folder / "harbour.md").write_text("# Harbour\n\nThe fee is 99 crowns now.\n", encoding="utf-8")
    (folder / "вороны.txt").unlink()
    (folder / "rook.html").write_text(page("Rook", "Rooks nest in elms."), encoding="utf-8")
    seen: list[tuple[str, int, int]] = []
    report = corpus.build(folder, progress=lambda stage, done, total: seen.append((stage, done, total)))
    assert report == BuildReport(added=1, changed=1, removed=1, unchanged=4, failed=0)
    assert seen[:6] == [("reading pages", n, 6) for n in range(1, 7)]
    assert seen[6:] == [("indexing words", 1, 2), ("indexing words", 2, 2)]
    assert corpus.version != version
    assert "99" in (await corpus.search("harbour fee", context))[0].passages[0].text
    assert (await corpus.search("nesting rooks", context))[0].title == "Rook"
    assert not any("ворон" in hit.url for hit in await corpus.search("вороны подарки", context))


async def test_a_damaged_or_half_written_index_is_built_again(
    corpus: Corpus, context: Context, folder: Path, tmp_path: Path
) -> None:
    directory = tmp_path / "ws/corpora/birds"
    for text in directory.glob("text-*"):
        (text / "meta.json").unlink()
    with pytest.raises(ToolFailed, match="index"):
        await Corpus(directory, HashingEmbedder()).search("gifts", context)
    with sqlite3.connect(directory / "pages.db") as connection:  # as after a kill before the text was written
        connection.execute("UPDATE meta SET value = 'old' WHERE key = 'indexed'")
    connection.close()
    corpus.build(folder)
    assert (await corpus.search("gifts", context))[0].title == "Crow"
    for file in directory.glob("pages.db*"):
        file.write_bytes(b"garbage" * 1000)
    with pytest.raises(ToolFailed, match="index the folder again"):
        await corpus.search("gifts", context)
    assert corpus.build(folder).added == 6
    assert (await corpus.search("gifts", context))[0].title == "Crow"


def test_another_embedder_builds_anew(corpus: Corpus, folder: Path, tmp_path: Path) -> None:
    other = Corpus(tmp_path / "ws/corpora/birds", HashingEmbedder(64))
    assert other.build(folder).added == 6


async def test_an_index_of_another_embedder_is_not_searched(
    corpus: Corpus, context: Context, tmp_path: Path
) -> None:
    other = Corpus(tmp_path / "ws/corpora" / corpus.name, HashingEmbedder(32))
    with pytest.raises(ToolFailed, match="run crowquill index again"):
        await other.search("crow", context)


def test_an_interrupted_build_keeps_what_it_rendered(folder: Path, tmp_path: Path) -> None:
    for number in range(80):
        (folder / f"p{number:03}.txt").write_text(f"Page {number} of many.", encoding="utf-8")
    embedded: list[int] = []

    class Counting(HashingEmbedder):
        def embed(self, texts: Sequence[str]) -> Vectors:
            embedded.append(len(texts))
            return super().embed(texts)

    corpus = Corpus(tmp_path / "ws/corpora/big", Counting())

    def stop(stage: str, done: int, total: int) -> None:
        if done == 70:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        corpus.build(folder, progress=stop)
    with pytest.raises(StorageError, match="never built to the end"):
        _ = corpus.version
    done = sum(embedded)
    assert done == 64
    assert corpus.build(folder).added == 86
    assert sum(embedded) == 86


def test_links_that_leave_the_folder_are_not_followed(corpus: Corpus, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("the password is swordfish")
    (tmp_path / "private").mkdir()
    (tmp_path / "private" / "diary.txt").write_text("dear diary")
    (folder / "leak.txt").symlink_to(tmp_path / "secret.txt")
    (folder / "dir").symlink_to(tmp_path / "private")
    (folder / "again.html").symlink_to("crow.html")
    (folder / "loop").symlink_to(".")
    (folder / ".hidden.txt").write_text("hidden")
    report = corpus.build(folder)
    assert (report.added, report.skipped, report.failed) == (1, 2, 0)
    assert sorted(problem.partition(":")[0] for problem in report.problems) == ["dir", "leak.txt"]


def test_files_that_cannot_be_read_are_counted(corpus: Corpus, folder: Path) -> None:
    os.mkfifo(folder / "pipe.txt")
    (folder / "gone.html").symlink_to("nowhere.html")
    (folder / os.fsdecode(b"bad\xff.txt")).write_text("x")
    report = corpus.build(folder)
    assert (report.added, report.failed) == (0, 2)
    assert any("regular" in problem for problem in report.problems)


def test_one_builder_at_a_time(corpus: Corpus, folder: Path, tmp_path: Path) -> None:
    lock = os.open(tmp_path / "ws/corpora/birds/build.lock", os.O_RDWR)
    fcntl.flock(lock, fcntl.LOCK_EX)
    with pytest.raises(StorageError, match="another process"):
        corpus.build(folder)
    os.close(lock)
    assert corpus.build(folder).unchanged == 6


async def test_search_goes_on_while_the_corpus_is_built(corpus: Corpus, context: Context, folder: Path) -> None:
    (folder / "rook.html").write_text(page("Rook", "Rooks nest in elms."), encoding="utf-8")
    halfway, go_on = threading.Event(), threading.Event()

    def wait(stage: str, done: int, total: int) -> None:
        halfway.set()
        go_on.wait(10)

    building = asyncio.create_task(asyncio.to_thread(corpus.build, folder, progress=wait))
    await asyncio.to_thread(halfway.wait, 10)
    assert (await corpus.search("gifts", context))[0].title == "Crow"
    go_on.set()
    assert (await building).added == 1
    assert (await corpus.search("rooks nest", context))[0].title == "Rook"


def test_settings_that_cannot_be_used_say_so(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is not a folder"):
        Corpus(tmp_path / "c", HashingEmbedder()).build(tmp_path / "none")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="no page"):
        Corpus(tmp_path / "c", HashingEmbedder()).build(tmp_path / "empty")
    with pytest.raises(UserError, match="cannot name"):
        Corpus(tmp_path / "a b", HashingEmbedder())
    with pytest.raises(StorageError, match="no corpus"):
        _ = Corpus(tmp_path / "none", HashingEmbedder()).version


def test_corpus_names(corpus: Corpus, tmp_path: Path) -> None:
    assert corpus_names(tmp_path / "ws") == ["birds"]
    assert corpus_names(tmp_path) == []


def snapshot_of(*lines: str, title: str = "Crow") -> Snapshot:
    text, spans = "", []
    for line in lines:
        spans.append(Line(len(text), len(text) + len(line), "heading" if line == title else "text"))
        text += line + "\n"
    return Snapshot("https://example.org/", title, text, tuple(spans))


def test_rank_lines_prefers_the_line_that_answers_and_leaves_headings_out() -> None:
    lines = [
        "Crow",
        *(f"Filler line number {n} about weather." for n in range(200)),
        "The crow ate 7 walnuts.",
    ]
    ranked = rank_lines(snapshot_of(*lines), "How many walnuts did the crow eat?", HashingEmbedder(), 3)
    assert (ranked[0].first, ranked[0].text) == (202, "The crow ate 7 walnuts.")
    assert len(ranked) == 3
    assert all(passage.first > 1 for passage in ranked)
    assert [passage.score for passage in ranked] == sorted((p.score for p in ranked), reverse=True)


def test_rank_lines_of_nothing() -> None:
    assert rank_lines(snapshot_of("Crow"), "crow", HashingEmbedder(), 3) == []
    assert rank_lines(snapshot_of("A crow."), "", HashingEmbedder(), 3)[0].score == 0
    assert rank_lines(snapshot_of("A crow."), "crow", HashingEmbedder(), 0) == []
