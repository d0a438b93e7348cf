"""Bytes to a snapshot: what kind of page it is, which characters it has, and its canonical text."""

import codecs
import contextlib
import json
import re
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from crowquill.errors import ToolFailed
from crowquill.memory.evidence import SourceKind
from crowquill.memory.snapshot import Snapshot
from crowquill.tools.browser.canonical import Canon, Inline
from crowquill.tools.browser.html import render_html_text

RENDERER = "crowquill/1"
"""Version of the rendering; it changes when the same bytes would give another text."""

_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_META = re.compile(rb"""<meta[^>]{0,200}charset\s*=\s*["']?\s*([\w-]{2,40})""", re.IGNORECASE)
_SUFFIXES = {
    ".html": "text/html",
    ".htm": "text/html",
    ".xhtml": "text/html",
    ".md": "text/markdown",
    ".markdown": "text/markdown",
    ".json": "application/json",
}
_KINDS = {
    "text/html": "html",
    "application/xhtml+xml": "html",
    "text/markdown": "markdown",
    "text/x-markdown": "markdown",
    "application/json": "json",
    "text/plain": "text",
    "text/csv": "text",
    "text/xml": "text",
    "application/xml": "text",
    "": "text",
}


def decode(data: bytes, charset: str | None) -> str:
    """Return the characters of a page: by its byte order mark, the header, its own <meta>, or by guessing.

    Bytes that do not fit become replacement characters; nothing is raised.
    """
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return data.decode(encoding, "replace")
    declared = _META.search(data[:4096])
    for name in (charset, declared[1].decode("ascii", "replace") if declared is not None else None):
        if name is not None:
            try:
                return data.decode(name, "replace")
            except (LookupError, ValueError):
                continue  # an unknown name says nothing
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        from charset_normalizer import from_bytes  # only pages in old encodings need it

        best = from_bytes(data[:65_536]).best()
        return data.decode(best.encoding if best is not None else "utf-8", "replace")


def sniff(data: bytes, media_type: str) -> str:
    """Return the kind of page, `html`, `markdown`, `json` or `text`, by declared type and first bytes.

    Raises:
        ToolFailed: it is something that cannot be read as text.
    """
    head = data[:512]
    if head.startswith((b"%PDF", b"PK\x03\x04")):
        raise ToolFailed("the page is a PDF or an archive, which cannot be read yet")
    if b"\x00" in head and not head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise ToolFailed("the page is binary data, not text")
    declared = _KINDS.get(media_type.partition(";")[0].strip().lower())
    if declared is None:
        raise ToolFailed(f"pages of type {media_type.partition(';')[0][:60]!r} cannot be read")
    looks_like_html = re.match(rb"\s*(?:<!doctype html|<html)", head, re.IGNORECASE) is not None
    return "html" if looks_like_html and declared == "text" else declared


def render(
    data: bytes,
    media_type: str,
    url: str,
    *,
    charset: str | None = None,
    kind: SourceKind = "web",
    fetched_at: str = "",
    trust: float = 0.5,
) -> Snapshot:
    """Render a page. `media_type` is a Content-Type; the same bytes always give the same snapshot.

    Raises:
        ToolFailed: it is no text.
    """
    form = sniff(data, media_type)
    text = decode(data, charset)
    hidden = 0
    if form == "text":
        canon, title = _plain(text), ""
    elif form == "json":
        canon, title = _json(text), ""
    else:
        rendered, title = render_html_text(_markdown_to_html(text) if form == "markdown" else text, url)
        canon, hidden = rendered.canon, rendered.hidden
    return Snapshot(
        url=url,
        title=title if title else url.rstrip("/").rpartition("/")[2],
        text=canon.text,
        lines=tuple(canon.lines),
        links=tuple(canon.links),
        kind=kind,
        media_type=media_type,
        fetched_at=fetched_at,
        raw_sha256=sha256(data).hexdigest(),
        renderer=RENDERER,
        hidden=hidden,
        trust=trust,
    )


def render_file(path: Path, url: str) -> Snapshot:
    """Render a file of a corpus by its suffix; `fetched_at` is the time of its last change.

    Raises:
        OSError: it cannot be read.
        ToolFailed: it is no text.
    """
    changed = datetime.fromtimestamp(int(path.stat().st_mtime), UTC).isoformat()
    media_type = _SUFFIXES.get(path.suffix.lower(), "text/plain")
    return render(path.read_bytes(), media_type, url, kind="corpus", fetched_at=changed, trust=0.6)


def _plain(text: str) -> Canon:
    canon = Canon()
    for paragraph in re.split(r"\n\s*\n", text.replace("\r\n", "\n").replace("\r", "\n")):
        inline = Inline()
        inline.add(paragraph.strip())
        canon.block(inline)
    return canon


def _json(text: str) -> Canon:
    canon = Canon()
    with contextlib.suppress(ValueError, RecursionError):  # then it is shown as it came
        text = json.dumps(json.loads(text), ensure_ascii=False, indent=1)
    canon.verbatim(text)
    return canon


def _markdown_to_html(text: str) -> str:
    from markdown_it import MarkdownIt  # only Markdown needs it

    html: str = MarkdownIt("commonmark", {"html": False}).enable("table").render(text)
    return html
