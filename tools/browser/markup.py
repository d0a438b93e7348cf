"""The HTML that the parser has written from its tree, divided into tags and texts.

Every element is closed, attribute values are quoted and hold no angle brackets, text holds four entities only. So a
regular expression divides it without error.
"""

import re

from crowquill.tools.browser.canonical import strip_unseen

_RAW = "script|style|iframe|noembed|noframes|noscript|xmp|plaintext"
_TOKEN = re.compile(rf"<(?:!--.*?-->|(?:{_RAW})\b[^>]*>.*?</(?:{_RAW})>|(/?[a-zA-Z][^\s/>]*)([^>]*)>)", re.DOTALL)
_ATTRIBUTE = re.compile(r'\s([^\s=">]+)="([^"]*)"')

Tokens = list[str | None]
"""Text, then name and attributes of a tag with the text after it, again and again; a comment has no name."""


def tokens(html: str) -> Tokens:
    """Divide what the parser has written."""
    return _TOKEN.split(strip_unseen(html))


def attributes(written: str) -> dict[str, str]:
    """Return the attributes of a tag."""
    return {name: unescape(value) for name, value in _ATTRIBUTE.findall(written)}


def unescape(text: str) -> str:
    """Undo the escapes that the parser writes."""
    if "&" not in text:
        return text
    return (
        text.replace("&nbsp;", "\xa0")
        .replace("&quot;", '"')
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
    )


def escape(text: str) -> str:
    """Escape what `unescape` would take for an entity."""
    return text.replace("&", "&amp;")


def closing(pieces: Tokens, at: int) -> int:
    """Return the index behind the end of the element whose tag is at `at`; else the page ends it."""
    found = closing_within(pieces, at, len(pieces))
    return len(pieces) if found is None else found


def closing_within(pieces: Tokens, at: int, last: int) -> int | None:
    """As `closing`, looking no further than the index `last`."""
    tag = pieces[at]
    end, depth = f"/{tag}", 0
    for other in range(at, min(last, len(pieces)), 3):
        if pieces[other] == tag:
            depth += 1
        elif pieces[other] == end:
            depth -= 1
            if depth == 0:
                return other + 3
    return None


def number(written: str | None, otherwise: int) -> int:
    """Return the number that an attribute holds."""
    match = re.match(r"\s*(-?\d{1,6})", written) if written is not None else None
    return int(match[1]) if match is not None else otherwise
