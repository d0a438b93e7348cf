"""What kind of page some bytes are; the bytes come before what is said of them."""

import itertools

import pytest

from crowquill.errors import ToolFailed
from crowquill.tools.browser.page import render
from crowquill.tools.sniff import sniff


@pytest.mark.parametrize(
    ("data", "media_type", "kind"),
    [
        (b"<p>x", "text/html; charset=x", "html"),
        (b"<p>x", "application/xhtml+xml", "html"),
        (b"# x", "text/markdown", "markdown"),
        (b"{}", "application/json", "json"),
        (b"{}", "application/ld+json", "json"),
        (b"<a/>", "text/xml", "xml"),
        (b"<a/>", "application/rss+xml", "xml"),
        (b"a,b", "text/csv", "csv"),
        (b"x", "text/plain", "text"),
        (b"x", "", "text"),
        (b"  <!DOCTYPE html><p>x", "text/plain", "html"),
        (b"\xef\xbb\xbf<!-- c --><html>", "", "html"),
        (b"<?xml version='1.0'?><!DOCTYPE html PUBLIC><html>", "application/xml", "html"),
        (b"<p>x</p>", "text/plain", "text"),
        ("é".encode("utf-16"), "text/html", "html"),
        (b"<html>sorry", "application/json", "html"),
        (b"<html>sorry", "image/png", "html"),
        (b"```\n<html>\n```", "text/markdown", "markdown"),
        (b"%PDF-1.7\n", "text/html", "pdf"),
        (b"<!doctype html><p>A PDF begins with %PDF-1.7.", "text/html", "html"),
        (b"\n\n%PDF-1.7\n\x00", "application/octet-stream", "pdf"),
        (b"<?xml version='1.0'?><rss/>", "text/plain", "xml"),
        (b"<feed xmlns='x'/>", "", "xml"),
        (b' {"a": 1}\n', "text/plain", "json"),
        (b"[1, 2]", "", "json"),
        (b"[1] Smith, J. (2019)", "text/plain", "text"),
        (b"{braces} are text", "", "text"),
        (b"def f(): pass", "text/x-python", "text"),
        (b"plain words", "application/octet-stream", "text"),
        (b"a: 1", "application/yaml", "text"),
        (b'{"a": 1}\n{"a": 2}\n', "application/x-ndjson", "json"),
    ],
)
def test_kinds_of_pages(data: bytes, media_type: str, kind: str) -> None:
    assert sniff(data, media_type) == kind


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("https://a.example/README.md", "markdown"),
        ("https://a.example/README.MD?raw=1#x", "markdown"),
        ("https://a.example/t.csv", "csv"),
        ("https://a.example/t.tsv", "csv"),
        ("https://a.example/md", "text"),
        ("https://[x/t.csv", "text"),
    ],
)
def test_the_name_counts_where_the_type_says_nothing(url: str, kind: str) -> None:
    assert sniff(b"a, b", "text/plain", url) == kind
    assert sniff(b"a, b", "text/html", url) == "html"


@pytest.mark.parametrize(
    ("data", "media_type", "says"),
    [
        (b"PK\x03\x04", "text/plain", "archive"),
        (b"\x1f\x8b\x08", "text/html", "archive"),
        (b"GIF89a\x00", "text/html", "an image"),
        (b"\x00\x01\x02", "text/html", "binary"),
        (b"\x00\x00\x00\x20ftypisom", "text/html", "a film"),
        (b"\x7fELF", "", "a program"),
        (b"x", "image/png", "image/png cannot be read"),
        (b"<svg/>", "image/svg+xml", "cannot be read"),
        (b"x", "application/zip", "cannot be read"),
        (b"no pdf", "application/pdf", "said to be a PDF"),
        (b"x", "evil\x1b[31m/<b>", "type unknown"),
    ],
)
def test_what_cannot_be_read_says_so(data: bytes, media_type: str, says: str) -> None:
    with pytest.raises(ToolFailed, match=says):
        sniff(data, media_type)


BODIES = [
    b"",
    b"<p>\xff\xfe caf\xe9",
    "<p>Вороны".encode("koi8-r"),
    '{"a": "é"}'.encode("utf-16"),
    b'a;b\n"unclosed;\x80',
    b"<?xml version='1.0' encoding='x'?><a>&#x110000;</a>",
]
TYPES = [
    "text/html",
    "text/html; charset=utf-8",
    'text/html; charset="no such"',
    "text/plain; charset=utf-16",
    "text/csv; charset=cp437",
    "application/json; charset=",
    "application/xml; charset=zlib",
    "; ; ;",
    "html",
    "",
]


@pytest.mark.parametrize(("body", "media_type"), list(itertools.product(BODIES, TYPES)))
def test_60_types_and_charsets_are_rendered_or_refused(body: bytes, media_type: str) -> None:
    name, _, charset = media_type.partition("; charset=")
    try:
        snapshot = render(body, name, "https://a.example/x", charset=charset or None)
    except ToolFailed:
        return
    assert all(0 <= line.start < line.end <= len(snapshot.text) for line in snapshot.lines)
