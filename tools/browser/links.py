"""Where a link of a page leads."""

from urllib.parse import urldefrag, urljoin, urlsplit

from crowquill.tools.browser.canonical import strip_unseen

_CORPUS_BASE = "https://corpus.invalid/"  # stands for `corpus:`, which no URL library joins links to


def join(base: str, href: str) -> str:
    """Return the address that a link leads to, empty when it stays on the page or is not of the web."""
    href = strip_unseen(href).strip().replace("\t", "").replace("\n", "").replace("\r", "").replace(" ", "%20")
    inside = base.startswith("corpus:")
    try:
        start = _CORPUS_BASE + base.removeprefix("corpus:") if inside else base
        url = urljoin(start, href)
        if urldefrag(url).url == urldefrag(start).url or urlsplit(url).scheme not in ("http", "https", "corpus"):
            return ""
    except ValueError:
        return ""
    return "corpus:" + url.removeprefix(_CORPUS_BASE) if inside and url.startswith(_CORPUS_BASE) else url
