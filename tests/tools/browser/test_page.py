"""Bytes to a snapshot: kinds of pages, their characters, and forms that are not HTML."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowquill.memory.snapshot import MAX_LINE, Snapshot
from crowquill.tools.browser.charset import decode
from crowquill.tools.browser.page import pack, render, render_file, render_job, unpack

URL = "https://site.example/page"


def shown(data: str | bytes, media_type: str) -> Snapshot:
    return render(data.encode() if isinstance(data, str) else data, media_type, URL)


def texts(snapshot: Snapshot) -> list[str]:
    return [snapshot.line_text(number) for number in range(1, len(snapshot.lines) + 1)]


RUSSIAN = "Вороны приносят подарки людям, которые их кормят. Это заметили жители города."


@pytest.mark.parametrize(
    ("data", "charset", "text"),
    [
        ("é".encode(), "utf-8", "é"),
        ("é".encode("latin-1"), "ISO-8859-1", "é"),
        ("“x”".encode("cp1252"), "iso-8859-1", "“x”"),
        ("“x”".encode("cp1252"), "us-ascii", "“x”"),
        ("漢".encode("gbk"), "gb2312", "漢"),
        ("é".encode("utf-8-sig"), "latin-1", "é"),
        ("é".encode("utf-16"), "utf-8", "é"),
        (b'<meta charset="windows-1251">' + "ё".encode("cp1251"), None, '<meta charset="windows-1251">ё'),
        (b"<meta charset=utf-16>" + "é".encode(), None, "<meta charset=utf-16>é"),
        (
            b"<?xml version='1.0' encoding='koi8-r'?>" + "ё".encode("koi8-r"),
            "",
            "<?xml version='1.0' encoding='koi8-r'?>ё",
        ),
        ("é".encode(), "no-such-charset", "é"),
        ("é".encode(), "zlib", "é"),
        ("é".encode(), "utf-7", "é"),
        ("é".encode(), "unicode_escape", "é"),
        ("é".encode(), "a\x00b", "é"),
        ("é".encode(), "../../x", "é"),
        (b"a\xffb", "utf-8", "a\ufffdb"),
        (RUSSIAN.encode("cp1251"), None, RUSSIAN),
    ],
)
def test_charsets(data: bytes, charset: str | None, text: str) -> None:
    assert decode(data, charset) == text


@given(st.binary(max_size=200), st.none() | st.text(max_size=12))
def test_decoding_never_fails(data: bytes, charset: str | None) -> None:
    assert isinstance(decode(data, charset), str)


def test_plain_text_has_sentences_and_keeps_its_layout() -> None:
    snapshot = shown(
        "A paragraph that is wrapped at some width or\r\nother goes on here. And ends.\r\n\r\n"
        "  - item one\n  - item two\n\n"
        "name      age\nAda        36\n\n"
        "Two roads diverged\nin a yellow wood,\nAnd sorry I could not",
        "text/plain",
    )
    assert texts(snapshot) == [
        "A paragraph that is wrapped at some width or other goes on here.",
        "And ends.",
        "- item one",
        "- item two",
        "name      age",
        "Ada        36",
        "Two roads diverged",
        "in a yellow wood,",
        "And sorry I could not",
    ]


def test_csv_rows_are_lines() -> None:
    snapshot = shown('river;km\r\nDanube;2850\n"Rh;ine";"1,230"\n', "text/csv")
    assert texts(snapshot) == ["river | km", "Danube | 2850", "Rh;ine | 1,230"]
    assert {line.kind for line in snapshot.lines} == {"row"}
    assert texts(shown('a,b\n"' + "x" * 200_000, "text/csv"))


def test_json_keeps_its_figures_as_they_are_written() -> None:
    data = '{"price":1.10,"big":1e400,"id":' + "9" * 5000 + ',"name":"\\u00e9\\ud83d\\ude00","list":[1,{"a":null}]}'
    snapshot = shown(data, "application/json")
    read = texts(snapshot)
    assert '"price": 1.10,' in read
    assert '"big": 1e400,' in read
    assert '"name": "é😀",' in read
    assert "".join(read).count("9") == 5000


@given(st.recursive(st.none() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3)))
def test_json_says_the_same(value: Any) -> None:
    snapshot = shown(json.dumps({"v": value}, ensure_ascii=False).encode("utf-8", "replace"), "application/json")
    assert snapshot.text.startswith("{")
    assert all(len(text) <= MAX_LINE for text in texts(snapshot))


@pytest.mark.parametrize("data", ['{"a": ', "[" * 5000, '"\\', "nonsense, {}", "]]]}"])
def test_json_that_is_none_is_shown_as_it_is(data: str) -> None:
    assert texts(shown(data, "application/json"))


def test_xml_is_shown_as_it_is() -> None:
    assert texts(shown("<rss>\n  <title>News &amp; more</title>\n</rss>", "application/rss+xml")) == [
        "<rss>",
        "<title>News &amp; more</title>",
        "</rss>",
    ]


def test_markdown() -> None:
    snapshot = shown(
        "---\ntitle: Crows\n---\n# Crows\n\nThey are *clever* and **kind**. See [more](b.md).\n\n- one\n  - two\n\n"
        "| River | km |\n|---|---|\n| Danube | 2850 |\n\n```py\nx = 1\n```\n\n"
        "<div hidden>psst</div>\n\n<b>Bold</b>",
        "text/markdown",
    )
    assert [(line.kind, snapshot.line_text(number)) for number, line in enumerate(snapshot.lines, 1)] == [
        ("code", "title: Crows"),
        ("heading", "Crows"),
        ("text", "They are clever and kind."),
        ("text", "See more."),
        ("item", "one"),
        ("item", "two"),
        ("row", "River | km"),
        ("row", "Danube | 2850"),
        ("code", "x = 1"),
        ("text", "Bold"),
    ]
    assert snapshot.title == "Crows"
    assert snapshot.hidden == 4
    assert snapshot.links[0].url == "https://site.example/b.md"


def test_the_same_bytes_give_the_same_snapshot_in_the_workers_child() -> None:
    data = "<title>Ж</title><p>Text. <a href=/x>x</a></p>".encode()
    request = {"data": pack(data), "media_type": "text/html", "url": URL, "charset": None, "fetched_at": "2026"}
    there = Snapshot.from_json(unpack(render_job(request)).decode())
    assert there == render(data, "text/html", URL, fetched_at="2026")
    assert there.renderer.startswith("crowquill/")


def test_files(tmp_path: Path) -> None:
    page = tmp_path / "crow.html"
    page.write_text("<title>Crow</title><p>Black.</p>", encoding="utf-8")
    snapshot = render_file(page, "corpus:birds/crow.html")
    assert (snapshot.text, snapshot.kind, snapshot.trust) == ("Black.", "corpus", 0.6)
    assert snapshot.fetched_at.endswith("+00:00")
    notes = tmp_path / "notes.txt"
    notes.write_bytes(b"plain")
    assert render_file(notes, "corpus:birds/notes.txt").title == "notes.txt"
    with pytest.raises(OSError, match="missing"):
        render_file(tmp_path / "missing.md", "corpus:birds/missing.md")
