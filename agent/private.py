"""What must not leave the machine, and how to see it in outgoing text, also in disguise.

Cells of databases and identifiers (words of 12 letters and digits or more with a digit in them) are recognised by
any 12 letters and digits in a row; running text of files and memory by 32, since shorter runs of ordinary words
stand in every text. Spaces, punctuation and case do not count. A text is read as it stands, percent-decoded, in
base64, base32, hexadecimal and HTML entities, each also backwards, and together with what was sent before it.
"""

import base64
import binascii
import html
import re
from collections.abc import Callable, Iterable, Iterator
from urllib.parse import unquote_plus

SHORT, LONG = 12, 32
"""Letters and digits in a row by which cells and identifiers, and running text, are recognised (RELIABILITY R4)."""
_ANCHOR = 16
_STRIDE = LONG - _ANCHOR + 1
"""Any run of LONG characters holds an anchor that begins at a multiple of this."""
_MAX_CELL, _MAX_TEXT = 20_000, 2_000_000
_TAIL = 400
"""Characters of what was sent before that are read together with what is sent next."""
_DECODINGS = 3
"""How many codes may lie in one another."""
_MOST_READINGS = 400
_WORD = re.compile(r"\S*\d\S*")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{16,}")
_BASE32 = re.compile(r"[A-Z2-7]{20,}", re.IGNORECASE)
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2}[\s:,%-]?){11,}[0-9A-Fa-f]{2}")


class Private:
    """The private texts of one lane."""

    def __init__(self) -> None:
        self._short: set[str] = set()
        self._anchors: dict[str, tuple[str, ...]] = {}
        self._sent = ""

    def __bool__(self) -> bool:
        return bool(self._short or self._anchors)

    def absorb(self, other: "Private") -> None:
        """Take over what another lane keeps and has sent."""
        self._short |= other._short
        for anchor, texts in other._anchors.items():
            self._anchors[anchor] = tuple(dict.fromkeys((*self._anchors.get(anchor, ()), *texts)))
        self._sent = (self._sent + other._sent)[-_TAIL:]

    def keep_cells(self, cells: Iterable[str]) -> None:
        """Remember values of a database."""
        for cell in cells:
            self._short.update(windows(squeeze(cell[:_MAX_CELL]), SHORT))

    def keep_text(self, text: str) -> None:
        """Remember running text of a file or of memory, and the identifiers in it."""
        self.keep_cells(word for word in _WORD.findall(text[:_MAX_TEXT]) if len(squeeze(word)) >= SHORT)
        squeezed = squeeze(text[:_MAX_TEXT])
        for at in range(0, len(squeezed) - _ANCHOR + 1, _STRIDE):
            anchor = squeezed[at : at + _ANCHOR]
            known = self._anchors.get(anchor, ())
            if squeezed not in known:
                self._anchors[anchor] = (*known, squeezed)

    def note_sent(self, text: str) -> None:
        """Remember text that has left, so that private data cannot leave in pieces."""
        self._sent = (self._sent + squeeze(text))[-_TAIL:]

    def is_in(self, text: str, own: frozenset[str]) -> bool:
        """Say whether text carries something private that is not in `own`, what the user has written."""
        for reading in readings(text):
            plain = squeeze(reading)
            if any(self._holds(form, own) for form in (plain, plain[::-1], self._sent[-SHORT:] + plain)):
                return True
        return False

    def _holds(self, text: str, own: frozenset[str]) -> bool:
        if any(window in self._short and window not in own for window in windows(text, SHORT)):
            return True
        for at, anchor in enumerate(windows(text, _ANCHOR)):
            around = text[max(0, at - LONG + _ANCHOR) : at + LONG]
            for kept in self._anchors.get(anchor, ()):
                for run in windows(around, LONG):
                    if run in kept and not all(window in own for window in windows(run, SHORT)):
                        return True
        return False


def squeeze(text: str) -> str:
    """Return the letters and digits alone, case folded: spaces and punctuation disguise nothing."""
    return "".join(letter for letter in text.casefold() if letter.isalnum())


def windows(text: str, length: int) -> Iterator[str]:
    """Yield every run of `length` characters."""
    return (text[at : at + length] for at in range(len(text) - length + 1))


def readings(text: str, depth: int = _DECODINGS) -> Iterator[str]:
    """Yield what a text says: as it is, and its parts in the usual codes decoded, to some depth."""
    seen = {text}
    yield text
    layer = [text]
    for _ in range(depth):
        forms = dict.fromkeys(form for before in layer for form in _decoded(before))
        layer = [form for form in forms if form not in seen][: _MOST_READINGS - len(seen)]
        seen.update(layer)
        yield from layer


def _decoded(text: str) -> Iterator[str]:
    for form in (unquote_plus(text), html.unescape(text)):
        if form != text:
            yield form
    for run in _HEX.findall(text):
        digits = re.sub(r"[^0-9A-Fa-f]", "", run)
        yield bytes.fromhex(digits[: len(digits) // 2 * 2]).decode("utf-8", "replace")
    for run in _BASE64.findall(text):
        for skip in range(4):  # letters before the code shift it
            part = run[skip : skip + (len(run) - skip) // 4 * 4].replace("-", "+").replace("_", "/")
            if found := _base(base64.b64decode, part):
                yield found
    for run in _BASE32.findall(text):
        for skip in range(8):
            if found := _base(base64.b32decode, run[skip : skip + (len(run) - skip) // 8 * 8].upper()):
                yield found


def _base(decode: Callable[[str], bytes], text: str) -> str:
    try:
        return decode(text).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""
