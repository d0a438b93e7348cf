"""Canonical text: blocks of running text become numbered lines with exact offsets, and links keep their place."""

import re
from dataclasses import dataclass, field

from crowquill.memory.snapshot import MAX_LINE, Line, LineKind, Link
from crowquill.memory.textual import split_sentences

_SPACE = re.compile(r"\s+")
_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff"
    "\ud800-\udfff\U000e0000-\U000e0fff]"
)
_CLAUSE = re.compile(r"[;:,)–—]\s")


def strip_unseen(text: str) -> str:
    """Return text without control, zero-width, bidirectional and tag characters; white space stays."""
    return _UNSEEN.sub("", text)


@dataclass
class Inline:
    """Running text of one block, with white space collapsed as it comes, and the links in it."""

    text: str = ""
    links: list[tuple[int, str, str]] = field(default_factory=list)
    """Place in the text, words, and URL of each link."""

    def add(self, text: str) -> None:
        """Append text; white space at a seam is one space."""
        collapsed = _SPACE.sub(" ", strip_unseen(text))
        if collapsed.startswith(" ") and (not self.text or self.text.endswith(" ")):
            collapsed = collapsed[1:]
        self.text += collapsed

    def close_link(self, start: int, url: str) -> None:
        """Mark what was added since `start` as a link; an empty one is none."""
        words = self.text[start:].strip()
        if words:
            self.links.append((start + len(self.text[start:]) - len(self.text[start:].lstrip()), words, url))


class Canon:
    """Collects blocks into the canonical text of a page."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self.lines: list[Line] = []
        self.links: list[Link] = []

    @property
    def text(self) -> str:
        """The text so far: blocks separated by a newline."""
        return "".join(self._parts).rstrip("\n")

    def block(self, inline: Inline, kind: LineKind = "text", level: int = 0) -> None:
        """Add a block: each sentence of running text and of items is a line, other blocks are one line."""
        text = inline.text.rstrip()
        if not text:
            return
        spans = split_sentences(text) if kind in ("text", "item") else [(0, len(text))]
        first = len(self.lines)
        for start, end in (piece for span in spans for piece in _short(text, *span)):
            self.lines.append(Line(self._length + start, self._length + end, kind, level))
        self._link(inline, first)
        self._append(text + "\n")

    def verbatim(self, text: str) -> None:
        """Add preformatted text: each line that is not blank is a line, and white space stays as it is."""
        for row in strip_unseen(text).expandtabs(4).split("\n"):
            stripped = row.rstrip()
            if stripped:
                indent = len(stripped) - len(stripped.lstrip())
                for start, end in _short(stripped, indent, len(stripped)):
                    self.lines.append(Line(self._length + start, self._length + end, "code"))
                self._append(stripped + "\n")

    def _append(self, text: str) -> None:
        self._parts.append(text)
        self._length += len(text)

    def _link(self, inline: Inline, first: int) -> None:
        number = first
        for place, words, url in sorted(inline.links):
            while number + 1 < len(self.lines) and self.lines[number + 1].start <= self._length + place:
                number += 1
            self.links.append(Link(len(self.links) + 1, words, url, number + 1))


def _short(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Split a span at clauses, else at spaces, so that no piece is longer than MAX_LINE."""
    pieces = []
    while end - start > MAX_LINE:
        window = text[start : start + MAX_LINE]
        clauses = [match.end() for match in _CLAUSE.finditer(window)]
        cut = clauses[-1] if clauses and clauses[-1] > MAX_LINE // 3 else window.rfind(" ") + 1
        cut = cut if cut > 1 else MAX_LINE
        pieces.append((start, start + len(window[:cut].rstrip())))
        start += cut
        while start < end and text[start].isspace():
            start += 1
    return [*pieces, (start, end)] if start < end else pieces
