"""What standard output and error can show: where they are not UTF-8, text is written as near as ASCII comes."""

import codecs
import io
import os
import sys
import unicodedata

_NEAR = {
    "“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "…": "...", "–": "-", "—": "-", "−": "-", "·": "-", "•": "-",
    "→": "->", "×": "x", "≈": "~", "≤": "<=", "≥": ">=", "√": "sqrt", "\u00a0": " ", "\u202f": " ", "\u2009": " ",
    "▸": ">", "✓": "x", "✗": "!", "○": " ", "★": "*", "›": ">", "█": "#", "░": ".",
}  # fmt: skip


def prepare_output() -> None:
    """Make standard output and error write whatever they are given; CROWQUILL_ASCII=1 asks for nothing but ASCII.

    Only the command line calls this: a program that uses Crowquill keeps its streams as they are.
    """
    codecs.register_error("crowquill", _nearest)
    plain = os.environ.get("CROWQUILL_ASCII", "") not in ("", "0")
    for stream in (sys.stdout, sys.stderr):
        if not isinstance(stream, io.TextIOWrapper):
            continue
        if plain:
            stream.reconfigure(encoding="ascii", errors="crowquill")
        elif not stream.encoding.lower().startswith("utf"):
            stream.reconfigure(errors="crowquill")


def _nearest(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_near, error.object[error.start : error.end])), error.end


def _near(letter: str) -> str:
    if letter in _NEAR:
        return _NEAR[letter]
    return unicodedata.normalize("NFKD", letter).encode("ascii", "ignore").decode() or "?"
