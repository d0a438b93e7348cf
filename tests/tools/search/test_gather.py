"""PDF and ZIM files in a corpus: found, searched, brought up to date; what is damaged is told."""

import os
from pathlib import Path
from typing import Any

import pytest
from libzim.writer import Creator, Hint, Item, StringProvider
from tests.support.context import FakeContext
from tests.support.pdf import column, write_pdf

from crowquill.errors import UserError
from crowquill.memory.embed import HashingEmbedder
from crowquill.tools.search.corpus import Corpus


class Article(Item):  # type: ignore[misc]
    """A page of a ZIM file."""

    def __init__(self, path: str, title: str, html: str, media_type: str = "text/html") -> None:
        super().__init__()
        self._path, self._title, self._html, self._type = path, title, html, media_type

    def get_path(self) -> str:
        return self._path

    def get_title(self) -> str:
        return self._title

    def get_mimetype(self) -> str:
        return self._type

    def get_contentprovider(self) -> Any:
        return StringProvider(self._html)

    def get_hints(self) -> dict[Any, Any]:
        return {Hint.FRONT_ARTICLE: True}


CROW = '<title>Crow</title><p>Crows bring gifts. See the <a href="Rook">rook</a>.</p>'


def write_zim(path: Path, **articles: str) -> None:
    path.unlink(missing_ok=True)
    with Creator(path) as creator:
        creator.set_mainpath("Crow")
        for name, html in articles.items():
            creator.add_item(Article(name, name, html))
        creator.add_item(Article("style.css", "", "p {}", "text/css"))
        creator.add_redirection("Ravens", "Ravens", "Crow", {Hint.FRONT_ARTICLE: True})
        creator.add_metadata("Title", "Birds")


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    return Corpus(tmp_path / "ws" / "corpora" / "birds", HashingEmbedder())


@pytest.fixture
def context(tmp_path: Path) -> FakeContext:
    return FakeContext(tmp_path)


async def test_the_articles_of_a_zim_file_are_pages_that_link_to_each_other(
    corpus: Corpus, context: FakeContext, tmp_path: Path
) -> None:
    zim = tmp_path / "birds.zim"
    write_zim(zim, Crow=CROW, Rook="<p>Rooks nest in elms.</p>")
    report = corpus.build(zim)
    assert (report.added, report.failed) == (2, 0)
    hit = (await corpus.search("Who brings gifts?", context))[0]
    assert (hit.url, hit.title) == ("corpus:birds/birds.zim/Crow", "Crow")
    page = await corpus.open(hit.url, context)
    assert [link.url for link in page.links] == ["corpus:birds/birds.zim/Rook"]
    assert (await corpus.open(page.links[0].url, context)).text == "Rooks nest in elms."


async def test_a_new_edition_renders_only_the_articles_that_changed(
    corpus: Corpus, context: FakeContext, tmp_path: Path
) -> None:
    folder = tmp_path / "pages"
    folder.mkdir()
    (folder / "note.txt").write_text("A note about jays.")
    write_zim(folder / "birds.zim", Crow=CROW, Rook="<p>Rooks nest in elms.</p>")
    assert corpus.build(folder).added == 3
    assert corpus.build(folder).unchanged == 3
    write_zim(folder / "birds.zim", Crow=CROW, Rook="<p>Rooks nest in oaks.</p>", Jay="<p>Jays hide acorns.</p>")
    os.utime(folder / "birds.zim", ns=(1, 10**18))
    report = corpus.build(folder)
    assert (report.added, report.changed, report.unchanged, report.removed) == (1, 1, 2, 0)
    assert "oaks" in (await corpus.search("where rooks nest", context))[0].snippet
    (folder / "birds.zim").unlink()
    assert corpus.build(folder).removed == 3


def test_a_damaged_zim_file_is_told_and_the_rest_goes_on(corpus: Corpus, tmp_path: Path) -> None:
    folder = tmp_path / "pages"
    folder.mkdir()
    (folder / "bad.zim").write_bytes(b"ZIM\x04" + b"\0" * 500)
    (folder / "note.txt").write_text("A note.")
    report = corpus.build(folder)
    assert (report.added, report.failed) == (1, 1)
    assert report.problems == ("bad.zim: not a ZIM file, or damaged",)


def test_without_libzim_it_is_said_how_to_get_it(
    corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "libzim.reader", None)
    (tmp_path / "x.zim").write_bytes(b"ZIM\x04")
    with pytest.raises(UserError, match=r"pip install 'crowquill\[zim\]'"):
        corpus.build(tmp_path / "x.zim")


async def test_pdf_files_are_pages(corpus: Corpus, context: FakeContext, tmp_path: Path) -> None:
    folder = tmp_path / "pages"
    folder.mkdir()
    lines = ["Crows bring gifts to people who feed them.", "They remember faces for years."]
    (folder / "crows.pdf").write_bytes(write_pdf([column(70, 700, lines)], title="On crows"))
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7 and no more")
    report = corpus.build(folder)
    assert (report.added, report.failed) == (1, 1)
    assert report.problems[0].startswith("broken.pdf: ")
    hit = (await corpus.search("who brings gifts", context))[0]
    assert (hit.url, hit.title) == ("corpus:birds/crows.pdf", "On crows")
    assert hit.passages[0].text == lines[0]
