"""What kind of page some bytes are: by what they are, then by what the server or the name says of them."""

import codecs
import re
from pathlib import PurePosixPath
from typing import Literal
from urllib.parse import urlsplit

from crowquill.errors import ToolFailed

Form = Literal["html", "markdown", "json", "xml", "csv", "text", "pdf"]

_DECLARED: dict[str, Form] = {
    "text/html": "html",
    "application/xhtml+xml": "html",
    "text/markdown": "markdown",
    "text/x-markdown": "markdown",
    "application/json": "json",
    "application/x-ndjson": "json",
    "text/json": "json",
    "text/csv": "csv",
    "text/tab-separated-values": "csv",
    "text/xml": "xml",
    "application/xml": "xml",
    "application/pdf": "pdf",
    "application/javascript": "text",
    "application/yaml": "text",
    "application/x-yaml": "text",
    "application/toml": "text",
}
_UNSAID = frozenset({"", "application/octet-stream", "binary/octet-stream", "application/x-download", "text/plain"})
"""Types that say nothing: servers give them to what they do not know."""
_SUFFIXES: dict[str, Form] = {
    ".md": "markdown",
    ".markdown": "markdown",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "csv",
    ".xml": "xml",
}
_MAGIC = (
    (b"PK\x03\x04", "an archive or an office document"),
    (b"\x1f\x8b", "an archive"),
    (b"BZh", "an archive"),
    (b"\xfd7zXZ\x00", "an archive"),
    (b"Rar!\x1a\x07", "an archive"),
    (b"7z\xbc\xaf\x27\x1c", "an archive"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old office document"),
    (b"{\\rtf", "an RTF document"),
    (b"\x89PNG\r\n\x1a\n", "an image"),
    (b"\xff\xd8\xff", "an image"),
    (b"GIF8", "an image"),
    (b"RIFF", "an image or a recording"),
    (b"OggS", "a recording"),
    (b"ID3", "a recording"),
    (b"\x1aE\xdf\xa3", "a film"),
    (b"\x7fELF", "a program"),
    (b"MZ\x90", "a program"),
    (b"\x00asm", "a program"),
)
_READ = "HTML, PDF, text, Markdown, JSON, XML and CSV"
_LEAD = rb"(?:\xef\xbb\xbf)?(?:\s|<!--.{0,400}?-->|<\?xml[^>]{0,200}>)*"
_HTML = re.compile(_LEAD + rb"<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL)
_XML = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml\s|<(?:rss|feed|sitemapindex|urlset)\b)", re.IGNORECASE)
_JSON = re.compile(rb'(?:\xef\xbb\xbf)?\s*(?:\{\s*(?:"|\})|\[\s*(?:[\[{"\]\-0-9]|true|false|null))')


def sniff(data: bytes, media_type: str, url: str = "") -> Form:
    """Return the kind of page. `media_type` is a Content-Type; the suffix of `url` counts where that says nothing.

    Raises:
        ToolFailed: it is something that cannot be read as text; the message names it.
    """
    head = data[:4096]
    if b"%PDF-" in head[:1024] and not _HTML.match(head):  # a page may speak of it
        return "pdf"
    found = next((what for magic, what in _MAGIC if head.startswith(magic)), None)
    if found is not None or head[4:8] == b"ftyp":
        raise ToolFailed(f"the page is {'a film' if found is None else found}; only {_READ} can be read")
    if b"\x00" in head[:512] and not head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise ToolFailed(f"the page is binary data; only {_READ} can be read")
    name = media_type.partition(";")[0].strip().lower()
    declared = _declared(name, url)
    if declared == "pdf":
        raise ToolFailed("the page is said to be a PDF, but is none")
    if declared not in ("csv", "markdown") and _HTML.match(head):
        return "html"
    if declared is None:
        shown = name if re.fullmatch(r"[\w.+-]{1,40}/[\w.+-]{1,40}", name) else "unknown"
        raise ToolFailed(f"pages of type {shown} cannot be read, only {_READ}")
    if declared == "text" and name in _UNSAID:
        return "xml" if _XML.match(head) else "json" if _is_json(data) else "text"
    return declared


def _declared(name: str, url: str) -> Form | None:
    """Return what the declared type says, or the URL's suffix where the type says nothing."""
    if name in _UNSAID:
        return _SUFFIXES.get(_suffix(url), "text")
    if name in _DECLARED:
        return _DECLARED[name]
    if name.endswith("+json"):
        return "json"
    if name.endswith("+xml") and not name.startswith("image/"):
        return "xml"
    return "text" if name.startswith("text/") else None


def _suffix(url: str) -> str:
    try:
        return PurePosixPath(urlsplit(url).path).suffix.lower()
    except ValueError:
        return ""


def _is_json(data: bytes) -> bool:
    return _JSON.match(data[:200]) is not None and data[-200:].rstrip()[-1:] in (b"}", b"]")
