"""Canonical text: blocks of running text become numbered lines with exact offsets, and links keep their place."""

import re
from dataclasses import dataclass, field

from crowquill.memory.snapshot import MAX_LINE, Line, LineKind, Link
from crowquill.memory.textual import split_sentences

_SPACE = re.compile(r"\s+")
# What a person cannot see: the same characters as `agent/render.py` strips, but for white space.
_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]"
)
_CLAUSE = re.compile(r"[;:,)–—]\s")
_BREAKS = re.compile(r"\r\n|[\r\v\f\x85\u2028\u2029]")


def strip_unseen(text: str) -> str:
    """Return text without control, zero-width, bidirectional and tag characters; white space stays."""
    return _UNSEEN.sub("", text)


@dataclass
class Inline:
    """Running text of one block, with white space collapsed as it comes, and the links in it.

    With `preserve`, white space stays as it is, but for tabs, which become four spaces.
    """

    preserve: bool = False
    length: int = 0
    links: list[tuple[int, int, str]] = field(default_factory=list)
    """Start, end and URL of each link."""
    _parts: list[str] = field(default_factory=list, init=False)

    @property
    def text(self) -> str:
        """The text so far."""
        return "".join(self._parts)

    @property
    def last(self) -> str:
        """The last character, empty at the start."""
        return self._parts[-1][-1] if self._parts else ""

    @property
    def blank(self) -> bool:
        """Whether there is nothing to see yet."""
        return self.length == 0 or (self.preserve and not self.text.strip())

    def add(self, text: str) -> None:
        """Append text; white space at a seam is one space."""
        text = strip_unseen(text)
        if self.preserve:
            text = _BREAKS.sub("\n", text).replace("\t", "    ")
        else:
            text = _SPACE.sub(" ", text)
            if text.startswith(" ") and self.last in ("", " "):
                text = text[1:]
        if text:
            self._parts.append(text)
            self.length += len(text)

    def trim(self, ending: str = " ") -> None:
        """Take a character off the end, if it is there."""
        if self.last == ending:
            self._parts[-1] = self._parts[-1][:-1]
            self.length -= 1
            if not self._parts[-1]:
                self._parts.pop()


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
        self._number(inline, text, first)
        self._append(text + "\n")

    def verbatim(self, inline: Inline, kind: LineKind = "code") -> None:
        """Add preformatted text: each line that is not blank is a line, and white space stays as it is."""
        text = inline.text.rstrip()
        if not text:
            return
        first, at = len(self.lines), self._length
        for row in text.split("\n"):
            indent, end = len(row) - len(row.lstrip()), len(row.rstrip())
            for piece in _short(row, indent, end):
                self.lines.append(Line(at + piece[0], at + piece[1], kind))
            at += len(row) + 1
        self._number(inline, text, first)
        self._append(text + "\n")

    def _append(self, text: str) -> None:
        self._parts.append(text)
        self._length += len(text)

    def _number(self, inline: Inline, text: str, first: int) -> None:
        """Number the links of a block whose lines begin at index `first`."""
        line = first
        for start, end, url in sorted(inline.links):
            words = text[start:end]
            place = self._length + start + len(words) - len(words.lstrip())
            while line + 1 < len(self.lines) and self.lines[line + 1].start <= place:
                line += 1
            if words.strip():
                self.links.append(Link(len(self.links) + 1, " ".join(words.split()), url, line + 1))


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
