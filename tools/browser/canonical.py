"""Canonical text: blocks of running text become numbered lines with exact offsets, and links keep their place."""

import re
from collections.abc import Sequence

from crowquill.memory.snapshot import MAX_LINE, Line, LineKind, Link
from crowquill.memory.textual import split_sentences

# What a person cannot see: the same characters as `agent/render.py` strips, but for white space.
_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]"
)
_CLAUSE = re.compile(r"[;:,)–—]\s")
_BREAKS = re.compile(r"\r\n|[\r\v\f\x85\u2028\u2029]")
_SENTENCE_END = re.compile(r"[.!?…。！？]")

LinkSpan = tuple[int, int, str]
"""Start, end and URL of a link in a block."""


def strip_unseen(text: str) -> str:
    """Return text without control, zero-width, bidirectional and tag characters; white space stays."""
    return _UNSEEN.sub("", text)


def folded(text: str) -> str:
    """Return what is seen of running text, with one space wherever there is white space."""
    return " ".join(strip_unseen(text).split())


def preserved(text: str) -> str:
    """Return what is seen of text whose white space counts."""
    return laid_out(strip_unseen(text))


def laid_out(text: str) -> str:
    """Return text with one kind of line break; a tab is four spaces."""
    return _BREAKS.sub("\n", text).replace("\t", "    ")


class Canon:
    """Collects blocks into the canonical text of a page; what is given is folded or preserved already."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self.lines: list[Line] = []
        self.links: list[Link] = []

    @property
    def text(self) -> str:
        """The text so far: blocks separated by a newline."""
        return "".join(self._parts).rstrip("\n")

    def block(
        self, text: str, kind: LineKind = "text", level: int = 0, *, mark: str = "", links: Sequence[LinkSpan] = ()
    ) -> None:
        """Add a block: sentences of running text, items and quotes are lines, other blocks are one line.

        `mark` is what stands before its first line, such as the number of an item.
        """
        text = text.rstrip()
        if not text:
            return
        first, at = len(self.lines), self._length
        for start, end in _sentences(text) if kind in _RUNNING else [(0, len(text))]:
            for piece in [(start, end)] if end - start <= MAX_LINE else _short(text, start, end):
                self.lines.append(Line(at + piece[0], at + piece[1], kind, level, mark))
                mark = ""
        if links:
            self._number(links, text, first)
        self._append(text + "\n")

    def verbatim(self, text: str, kind: LineKind = "code", links: Sequence[LinkSpan] = ()) -> None:
        """Add preformatted text: each line that is not blank is a line, and white space stays as it is."""
        text = text.rstrip()
        if not text:
            return
        first, at = len(self.lines), self._length
        for row in text.split("\n"):
            indent, end = len(row) - len(row.lstrip()), len(row.rstrip())
            for piece in _short(row, indent, end):
                self.lines.append(Line(at + piece[0], at + piece[1], kind))
            at += len(row) + 1
        if links:
            self._number(links, text, first)
        self._append(text + "\n")

    def _append(self, text: str) -> None:
        self._parts.append(text)
        self._length += len(text)

    def _number(self, links: Sequence[LinkSpan], text: str, first: int) -> None:
        """Number the links of a block whose lines begin at index `first`."""
        line = first
        for start, end, url in sorted(links):
            words = text[start:end]
            place = self._length + start + len(words) - len(words.lstrip())
            while line + 1 < len(self.lines) and self.lines[line + 1].start <= place:
                line += 1
            if words.strip():
                self.links.append(Link(len(self.links) + 1, " ".join(words.split()), url, line + 1, place))


_RUNNING: frozenset[LineKind] = frozenset({"text", "item", "quote"})


def _sentences(text: str) -> list[tuple[int, int]]:
    return split_sentences(text) if _SENTENCE_END.search(text, 0, len(text) - 1) else [(0, len(text))]


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
