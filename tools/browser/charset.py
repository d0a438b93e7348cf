"""Bytes to characters, as browsers read them."""

import codecs
import re

_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_META = re.compile(rb"""<(?:meta[^>]{0,200}charset|\?xml[^>]{0,200}encoding)\s*=\s*["']?\s*([\w-]{2,40})""", re.I)
# What pages call their encoding, as the WHATWG standard reads it; Python's other codecs are not for pages.
_CHARSETS = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "euc_kr": "cp949",
    "shift_jis": "cp932",
    "big5": "big5hkscs",
}
_KNOWN = frozenset(_CHARSETS.values()) | {
    "utf-8",
    "utf-16",
    "utf-16-le",
    "utf-16-be",
    "euc_jp",
    "iso2022_jp",
    "koi8-r",
    "koi8-u",
    "cp866",
    "mac-roman",
    "mac-cyrillic",
    *(f"cp{number}" for number in range(1250, 1259)),
    *(f"iso8859-{part}" for part in (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16)),
}


def decode(data: bytes, charset: str | None) -> str:
    """Return the characters of a page: by its byte order mark, the header, its own <meta>, or by guessing.

    Bytes that do not fit become replacement characters; nothing is raised.
    """
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return data.decode(encoding, "replace")
    found = _META.search(data[:4096])
    declared = found[1].decode("ascii", "replace") if found is not None else None
    if declared is not None and declared.lower().startswith("utf-16"):
        declared = "utf-8"  # what could be read as ASCII is no UTF-16
    for name in (charset, declared):
        known = _charset(name) if name is not None else None
        if known is not None:
            return data.decode(known, "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode(_guessed(data), "replace")


def _charset(name: str) -> str | None:
    try:
        codec = codecs.lookup(name.strip().strip("\"'")).name
    except (LookupError, ValueError):
        return None
    codec = _CHARSETS.get(codec, codec)
    return codec if codec in _KNOWN else None


def _guessed(data: bytes) -> str:
    from charset_normalizer import from_bytes  # only pages in old encodings need it

    best = from_bytes(data[:65_536]).best()
    known = _charset(best.encoding) if best is not None else None
    return "utf-8" if known is None else known
