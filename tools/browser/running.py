"""The running text of one block while it is read, and the links in it."""

import re

from crowquill.tools.browser.canonical import LinkSpan, laid_out
from crowquill.tools.browser.markup import unescape

_LINK, _LINK_END = "\x02", "\x03"
"""They stand in the text until it is settled; characters like these were stripped from it before."""
_MARKS = re.compile(f"([{_LINK}{_LINK_END}])")


class _Link:
    """A link that is open; `used` when its words stand in a block that has ended."""

    __slots__ = ("url", "used")

    def __init__(self, url: str) -> None:
        self.url = url
        self.used = False


class Running:
    """Collects the pieces of a block as the parser has written them."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self._opened: list[_Link] = []
        self._links: list[_Link] = []

    @property
    def last(self) -> str:
        """The last character, empty at the beginning."""
        return self.parts[-1][-1:] if self.parts else ""

    @property
    def is_blank(self) -> bool:
        """Whether there is nothing yet but white space in one piece; what is more has to be settled to be seen."""
        return not self.parts or (len(self.parts) == 1 and self.parts[0].isspace())

    def begin_link(self, url: str) -> None:
        """Begin a link; an empty URL is one that leads nowhere."""
        link = _Link(url)
        self._opened.append(link)
        if url:
            self.parts.append(_LINK)
            self._links.append(link)

    def end_link(self) -> None:
        """End the link that was begun last; of one that spans blocks, the first with words has it."""
        if self._opened:
            link = self._opened.pop()
            if link.url and not link.used:
                self.parts.append(_LINK_END)

    def settle(self, *, preserve: bool) -> tuple[str, list[LinkSpan]]:
        """Return the collected text and its links; a link that goes on begins again if it had no words yet."""
        text = unescape("".join(self.parts))
        text = laid_out(text) if preserve else " ".join(text.split())
        links: list[LinkSpan] = []
        if self._links:
            text, links = self._located(text, preserve=preserve)
        self.clear()
        return text, links

    def clear(self) -> None:
        """Begin another block; links that are open go on in it."""
        if not self._opened:
            self._links, self.parts = [], []
            return
        self._links = [link for link in self._opened if link.url and not link.used]
        self.parts = [_LINK] * len(self._links)

    def _located(self, text: str, *, preserve: bool) -> tuple[str, list[LinkSpan]]:
        """Take the marks of links out of a text, and return it with the places of the links."""
        parts: list[str] = []
        links: list[LinkSpan] = []
        begun: list[tuple[int, _Link]] = []
        waiting = iter(self._links)
        length, last = 0, " "
        for piece in _MARKS.split(text):
            if piece == _LINK:
                link = next(waiting, None)
                if link is not None:
                    begun.append((length, link))
            elif piece == _LINK_END:
                if begun:
                    start, link = begun.pop()
                    links.append((start, length, link.url))
            elif piece:
                if last == " " and piece[0] == " " and not preserve:
                    piece = piece[1:]
                if piece:
                    parts.append(piece)
                    length += len(piece)
                    last = piece[-1]
        text = "".join(parts)
        for start, link in begun:
            if text[start:].strip():
                link.used = True
                links.append((start, length, link.url))
        return text, links
