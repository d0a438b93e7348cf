"""Bytes to a snapshot: what kind of page it is, which characters it has, and its canonical text."""

import base64
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from crowquill.memory.evidence import SourceKind
from crowquill.memory.snapshot import Snapshot
from crowquill.tools.browser.canonical import Canon
from crowquill.tools.browser.charset import decode
from crowquill.tools.browser.html import HtmlText, render_html
from crowquill.tools.browser.pdf import render_pdf
from crowquill.tools.browser.text import comma_separated, json_text, markdown_to_html, plain_text, verbatim
from crowquill.tools.sniff import sniff

RENDERER = "crowquill/4"
"""Version of the rendering; it changes when the same bytes would give another text."""

_SUFFIXES = {
    ".pdf": "application/pdf",
    ".html": "text/html",
    ".htm": "text/html",
    ".xhtml": "text/html",
    ".md": "text/markdown",
    ".markdown": "text/markdown",
    ".json": "application/json",
    ".csv": "text/csv",
    ".xml": "text/xml",
}
_FORMS: dict[str, Callable[[str], Canon]] = {
    "text": plain_text,
    "csv": comma_separated,
    "json": json_text,
    "xml": verbatim,
}


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
    form = sniff(data, media_type, url)
    if form == "pdf":
        pdf = render_pdf(data)
        page = HtmlText(pdf.canon, pdf.title)
        pages = pdf.pages
    elif form in ("html", "markdown"):
        text = decode(data, charset)
        page = render_html(markdown_to_html(text) if form == "markdown" else text, url)
        pages = ()
    else:
        page = HtmlText(_FORMS[form](decode(data, charset)))
        pages = ()
    return Snapshot(
        url=url,
        title=page.title if page.title else url.rstrip("/").rpartition("/")[2],
        text=page.canon.text,
        lines=tuple(page.canon.lines),
        links=tuple(page.canon.links),
        kind=kind,
        media_type=media_type,
        fetched_at=fetched_at,
        raw_sha256=sha256(data).hexdigest(),
        renderer=RENDERER,
        hidden=page.hidden,
        trust=trust,
        main=page.main,
        pages=pages,
        anchors=page.anchors,
        forms=page.forms,
        needs_script=page.needs_script,
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


def render_job(request: Any) -> str:
    """Render a fetched page in a worker's child: packed bytes in, packed snapshot out (see `unpack`)."""
    snapshot = render(
        unpack(request["data"]),
        request["media_type"],
        request["url"],
        charset=request["charset"],
        fetched_at=request["fetched_at"],
    )
    return pack(snapshot.to_json().encode("utf-8", "surrogatepass"))


def pack(data: bytes) -> str:
    """Return bytes as text that JSON can carry, compressed."""
    return base64.b64encode(zlib.compress(data)).decode("ascii")


def unpack(text: str) -> bytes:
    """Return what `pack` was given."""
    return zlib.decompress(base64.b64decode(text))
