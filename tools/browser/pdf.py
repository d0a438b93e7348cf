"""PDF to text, over pdfium: words with their places, put into reading order (see `pdf_layout`)."""

import ctypes
import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from crowquill.errors import ToolFailed
from crowquill.tools.browser.canonical import Canon, folded, preserved, strip_unseen
from crowquill.tools.browser.pdf_layout import BULLETS, Block, Word, page_blocks

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument, PdfPage, PdfTextPage

_HYPHEN = "\ufffe"  # what pdfium puts where a line ends with a hyphen; the line break itself is not told
_WORD = re.compile(rf"[^\s{_HYPHEN}]+{_HYPHEN}?")
_LIGATURES = str.maketrans(
    {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st", "\x02": "-"}
)
_FIXED_PITCH = 1
_FIXED_NAMES = re.compile(rb"courier|mono|consol|typewriter|cmtt", re.IGNORECASE)
_LEADERS = re.compile(r"(?:\s[.·]){3,}(?=\s|\Z)|[.·]{5,}")
_INDEXED = re.compile(r"…\s*[\divxl]+\Z")
_LETTERS = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_NUMBERED = re.compile(r"(\d{1,2}(?:\.\d{1,2}){0,4}\.?|[IVX]{1,5}\.|[A-Z]\.)\s+[^\W\d_a-z]\w")
_CJK = re.compile(r"[\u3000-\u9fff\uf900-\ufaff\uff00-\uffef]{2}")  # between such lines stands no space
_LARGER = 1.18
"""How much larger than running text the type of a heading is; its square and cube are the levels above."""
_LONGEST_HEADING = 200
_KNOWN_PART = 4
"""Letters that both parts of a broken word must have to pass for words of their own."""


@dataclass(frozen=True)
class PdfText:
    """The canonical text of a PDF; `pages` has the first line (from 1) of each page."""

    canon: Canon
    title: str
    pages: tuple[int, ...]


def pdf_pages(data: bytes) -> tuple[str, ...]:
    """Return the text of each page in reading order, one paragraph, heading or table row in a line.

    Raises:
        ToolFailed: it is no PDF, damaged beyond reading, locked, or has no text (a scan).
    """
    text = render_pdf(data)
    lines = text.canon.lines
    whole = text.canon.text
    starts = [lines[first - 1].start if first <= len(lines) else len(whole) for first in text.pages]
    return tuple(whole[start:end].strip("\n") for start, end in zip(starts, [*starts[1:], len(whole)], strict=True))


def render_pdf(data: bytes) -> PdfText:
    """Render a PDF. Raises ToolFailed, see `pdf_pages`."""
    document = _opened(data)
    try:
        headings = _bookmarks(document)
        pages = [_words(page) for page in _pages(document)]
        title = " ".join(strip_unseen(document.get_metadata_value("Title") or "").split())
    finally:
        document.close()
    if not any(pages):
        raise ToolFailed("the PDF has no text, only images; it was scanned or drawn, try another source")
    return _Writer(pages, headings).write(title)


def _opened(data: bytes) -> "PdfDocument":
    import pypdfium2  # 0.1 s, and only PDFs need it

    try:
        return pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        locked = "password" in str(error).lower()
        raise ToolFailed(
            "the PDF is locked with a password" if locked else "the PDF is damaged and cannot be read"
        ) from error


def _pages(document: "PdfDocument") -> Iterator["PdfPage | None"]:
    import pypdfium2

    for number in range(len(document)):
        try:
            yield document[number]
        except pypdfium2.PdfiumError:  # one damaged page does not cost the others
            yield None


def _bookmarks(document: "PdfDocument") -> dict[tuple[int, str], int]:
    """Return the level of each heading that the outline names, by page (from 0) and its letters."""
    found: dict[tuple[int, str], int] = {}
    for bookmark in document.get_toc(max_depth=6):
        target = bookmark.get_dest()
        number = target.get_index() if target is not None else None
        if number is not None:
            found.setdefault((number, _letters(bookmark.get_title())), min(bookmark.level + 1, 6))
    return found


def _letters(text: str) -> str:
    return "".join(character for character in text.lower() if character.isalpha())


def _words(page: "PdfPage | None") -> list[Word]:
    """Return the words of a page in the order in which they are drawn; those that are turned come last."""
    if page is None:
        return []
    textpage = page.get_textpage()
    try:
        text = _text(textpage)
        spans = [match.span() for match in _WORD.finditer(text)]
        angles = [_angle(textpage.raw, first) for first, _ in spans]
        usual = Counter(angles).most_common(1)[0][0] if angles else 0
        words = _upright(textpage.raw, text, spans, usual)
        straight = [word for word, angle in zip(words, angles, strict=True) if angle == usual]
        turned = [word for word, angle in zip(words, angles, strict=True) if angle != usual]
        return [word for word in straight + _apart(turned, straight) if word.text]
    finally:
        textpage.close()
        page.close()


def _text(textpage: "PdfTextPage") -> str:
    import pypdfium2.raw as pdfium

    count = textpage.count_chars()
    text = textpage.get_text_range() if count > 0 else ""
    if len(text) == count:
        return text
    codes = (pdfium.FPDFText_GetUnicode(textpage.raw, at) for at in range(count))  # some count twice or not at all
    return "".join(chr(code) if 0 < code < 0x110000 else " " for code in codes)


def _angle(handle: Any, at: int) -> int:
    """Return how far a character is turned, in quarters of a circle."""
    import pypdfium2.raw as pdfium

    return round(float(pdfium.FPDFText_GetCharAngle(handle, at)) / (math.pi / 2)) % 4


def _upright(handle: Any, text: str, spans: list[tuple[int, int]], turn: int) -> list[Word]:
    """Return words with their places on a page that is turned back by quarters of a circle."""
    import pypdfium2.raw as pdfium

    x, y, box = ctypes.c_double(), ctypes.c_double(), pdfium.FS_RECTF()
    matrix = pdfium.FS_MATRIX()
    font, flags = ctypes.create_string_buffer(80), ctypes.c_int()
    found = []
    for first, end in spans:
        written = text[first:end]
        broken = written.endswith(_HYPHEN) and len(written) > 1
        pdfium.FPDFText_GetCharOrigin(handle, first, x, y)
        pdfium.FPDFText_GetLooseCharBox(handle, end - 1 - broken, box)
        pdfium.FPDFText_GetFontInfo(handle, first, font, len(font), flags)
        x0, baseline = _turned(x.value, y.value, turn)
        corners = _turned(box.left, box.bottom, turn), _turned(box.right, box.top, turn)
        pdfium.FPDFText_GetMatrix(handle, first, matrix)
        size = float(pdfium.FPDFText_GetFontSize(handle, first)) * math.hypot(matrix.b, matrix.d)
        word = strip_unseen(written.removesuffix(_HYPHEN).translate(_LIGATURES))
        fixed = bool(flags.value & _FIXED_PITCH) or _FIXED_NAMES.search(font.value) is not None
        x1 = max(x0, *(x for x, _ in corners))
        found.append(Word(word, x0, x1, baseline, max(1.0, size), broken=broken, fixed=fixed))
    return found


def _turned(x: float, y: float, turn: int) -> tuple[float, float]:
    match turn:
        case 1:
            return -y, x
        case 2:
            return -x, -y
        case 3:
            return y, -x
        case _:
            return x, y


def _apart(turned: list[Word], straight: list[Word]) -> list[Word]:
    """Put words that stand across the others on a line of their own below them."""
    if not turned:
        return []
    bottom = min((word.y for word in straight), default=0.0) - 100.0
    return [replace(word, x0=float(at), x1=at + 1.0, y=bottom, size=1.0) for at, word in enumerate(turned)]


class _Writer:
    """Writes the pages of a document as canonical text."""

    def __init__(self, pages: list[list[Word]], headings: dict[tuple[int, str], int]) -> None:
        self._pages = pages
        self._headings = headings
        self._canon = Canon()
        self._known = {
            letters.lower()
            for words in pages
            for before, word in zip([None, *words], words, strict=False)
            if not word.broken and not (before is not None and before.broken)
            for letters in _LETTERS.findall(word.text)
        }
        sizes = Counter(round(word.size * 2) for words in pages for word in words for _ in word.text)
        self._body = sizes.most_common(1)[0][0] / 2 if sizes else 1.0

    def write(self, title: str) -> PdfText:
        starts = []
        for number, words in enumerate(self._pages):
            starts.append(len(self._canon.lines) + 1)
            for block in page_blocks(words):
                self._block(block, number)
        headings = (line for line in self._canon.lines if line.kind == "heading")
        first = next(headings, None)
        if not title and first is not None:
            title = self._canon.text[first.start : first.end]
        return PdfText(self._canon, title, tuple(starts))

    def _block(self, block: Block, page: int) -> None:
        if block.kind == "code":
            self._code(block)
            return
        if block.kind == "row":
            cells = [" ".join(word.text for word in segment.words) for segment in block.rows[0]]
            self._canon.block(folded(_LEADERS.sub(" …", " | ".join(cells))), "row")
            return
        text = folded(_LEADERS.sub(" …", self._running(block)))
        level = self._level(block, text, page)
        if level:
            self._canon.block(text, "heading", level)
        elif block.kind == "item":
            self._canon.block(text, "item", 1, mark="-" if block.words[0].text in BULLETS else "")
        else:
            self._canon.block(text)

    def _code(self, block: Block) -> None:
        left = min(row[0].x0 for row in block.rows)
        rows = []
        for row in block.rows:
            width = max(0.1, row[0].width / max(1, len(" ".join(word.text for word in row[0].words))))
            text = " " * min(40, round((row[0].x0 - left) / width))
            rows.append(text + "  ".join(" ".join(word.text for word in segment.words) for segment in row))
        self._canon.verbatim(preserved("\n".join(rows)))

    def _level(self, block: Block, text: str, page: int) -> int:
        if len(block.rows) > 3 or len(text) > _LONGEST_HEADING or not _letters(text) or _INDEXED.search(text):
            return 0
        named = self._headings.get((page, _letters(text)))
        if named is not None:
            return named
        numbered = _NUMBERED.match(text)
        if numbered is not None and block.kind == "text" and not text.endswith((".", ",", ":", ";")):
            return 1 + numbered[1].rstrip(".").count(".")
        ratio = block.size / self._body
        if ratio < _LARGER or all(word.fixed for word in block.words):
            return 0
        return 1 if ratio > _LARGER**3 else 2 if ratio > _LARGER**2 else 3

    def _running(self, block: Block) -> str:
        words = block.words
        if block.kind == "item" and words[0].text in BULLETS:
            del words[0]
        ends = {id(row[-1].words[-1]) for row in block.rows[:-1]}
        parts: list[str] = []
        for word, following in zip(words, [*words[1:], None], strict=True):
            broken = word.broken or (id(word) in ends and len(word.text) > 1 and word.text.endswith(("-", "‐")))
            if not broken or following is None:
                is_tight = id(word) in ends and following is not None and _CJK.match(word.text[-1] + following.text)
                parts.append(word.text + ("-" if word.broken else "") + ("" if is_tight else " "))
                continue
            part = word.text if word.broken else word.text[:-1]
            parts.append(part if self._is_one_word(part, following.text) else part + "-")
        return "".join(parts)

    def _is_one_word(self, before: str, after: str) -> bool:
        """Say whether a hyphen at the end of a line only divides a word."""
        first, second = _LETTERS.findall(before.lower()), _LETTERS.findall(after.lower())
        if not first or not second or not after[:1].islower() or not before.lower().endswith(first[-1]):
            return False
        head, tail = first[-1], second[0]
        if f"{head}-{tail}" in self._known:
            return False
        own = all(len(part) >= _KNOWN_PART and part in self._known for part in (head, tail))
        return head + tail in self._known or not own
