"""Where a link of a page leads."""

import re
from urllib.parse import urldefrag, urljoin, urlsplit

from crowquill.tools.browser.canonical import strip_unseen

_CORPUS_BASE = "https://corpus.invalid/"  # stands for `corpus:`, which no URL library joins links to
_NAME = r"[A-Za-z0-9_-][A-Za-z0-9_.-]*"
_BELOW = re.compile(rf"((?:\.\./)*){_NAME}(?:/{_NAME})*(?:#[!-~]*)?\Z", re.ASCII)
_WHOLE = re.compile(r"https?://[a-z0-9.-]+/[\w./~-]*(?:\?[\w=&%.-]+)?(?:#[\w.-]+)?\Z", re.ASCII)
_PLAIN_BASE = re.compile(r"https?://[^/?#;]+(?:/(?!\.\.?(?:/|\Z)|/)[^/?#;]*)+\Z")


class Joiner:
    """Joins the links of one page to its address; plain ones without the detours that a URL library takes."""

    def __init__(self, base: str) -> None:
        self._inside = base.startswith("corpus:")
        self._base = _CORPUS_BASE + base.removeprefix("corpus:") if self._inside else base
        self._page = self._base.partition("#")[0]
        self._folders = self._page.split("/")[3:-1] if _PLAIN_BASE.match(self._page) else None
        self._host = "/".join(self._page.split("/")[:3]) + "/"
        self._known: dict[str, str] = {}

    def __call__(self, href: str, *, stay: bool = False) -> str:
        """Return where a link leads, empty when that is not of the web, or, without `stay`, the same page."""
        url = self._known.get(href)
        if url is None:
            url = self._known[href] = self._join(href)
        if not stay and url.partition("#")[0] == self._page:
            return ""
        return "corpus:" + url.removeprefix(_CORPUS_BASE) if self._inside and url.startswith(_CORPUS_BASE) else url

    def _join(self, href: str) -> str:
        if href.startswith("#"):
            return self._page
        below = _BELOW.match(href) if self._folders is not None else None
        if below is not None and self._folders is not None:
            up = len(below[1])
            kept = self._folders[: len(self._folders) - up // 3] if up // 3 <= len(self._folders) else []
            return self._host + "/".join([*kept, href[up:]])
        if _WHOLE.match(href):
            return href
        href = strip_unseen(href).strip().replace("\t", "").replace("\n", "").replace("\r", "").replace(" ", "%20")
        try:
            url = urljoin(self._base, href)
            if urlsplit(url).scheme not in ("http", "https", "corpus"):
                return ""
            return self._page if urldefrag(url).url == urldefrag(self._base).url else url
        except ValueError:
            return ""
