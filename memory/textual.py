"""What a text says on its face: sentences, numbers, dates, names, words. English and Russian.

Everything here is a pure function of the text; offsets count Unicode code points. Nothing guesses meaning:
these are the readings by which a statement is held against its receipts, so both sides are read alike.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from crowquill.memory.figures import DateAt, NumberAt, dates, numbers
from crowquill.memory.words import (
    GERMAN_MONTHS,
    LEADING_ABBREVIATIONS,
    MAGNITUDES,
    MONTHS,
    NAME_JOINTS,
    NUMBER_WORDS,
    NUMERIC_ABBREVIATIONS,
    OPENERS,
    QUANTIFIERS,
    SCALES,
    STOP_WORDS,
    TRAILING_ABBREVIATIONS,
)

__all__ = [
    "DateAt",
    "NameAt",
    "NumberAt",
    "blanked",
    "content_words",
    "dates",
    "fold",
    "fold_with_offsets",
    "is_cyrillic",
    "names",
    "numbers",
    "split_sentences",
    "stem",
    "stems",
]

# --- sentences ---

_STOP = re.compile(
    r"(?P<stop>[.!?…]+)(?P<close>[\"'”’»›)\]]*(?:\[\d{1,3}\])*)(?P<gap>\s+)"
    r"|(?P<wide>[。！？]+[」』”’]*)|(?P<blank>\n\s*\n)"
)
_BEFORE = re.compile(r"[^\s(\[\"'“”«»„—–/]*\Z")
_NEXT_WORD = re.compile(r"[\"'“”‘«„(\[]*([\w’'.-]*)")
_ACRONYM = re.compile(r"(?:\w\.)+\w\Z")


def split_sentences(text: str) -> list[tuple[int, int]]:
    """Return (start, end) of each sentence, without the white space around it.

    A blank line always ends a sentence; a single line break is white space.
    """
    spans: list[tuple[int, int]] = []
    start = 0
    for match in _STOP.finditer(text):
        if match["stop"] is not None and not _ends(text, start, match):
            continue
        _append_stripped(spans, text, start, match.start("gap") if match["stop"] is not None else match.end())
        start = match.end()
    _append_stripped(spans, text, start, len(text))
    return spans


def _append_stripped(spans: list[tuple[int, int]], text: str, start: int, end: int) -> None:
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    if start < end:
        spans.append((start, end))


def _ends(text: str, start: int, match: re.Match[str]) -> bool:
    found = _NEXT_WORD.match(text, match.end())
    following = found[1] if found is not None else ""
    if following[:1].islower() and not following[1:2].isupper():
        return False
    if match["stop"] != "." or match["close"]:
        return True
    at = match.start("stop")
    before = _BEFORE.search(text, max(start, at - 24), at)
    token = before[0] if before is not None else ""
    return _stop_after(token, following, text[start : at - len(token)].rstrip()[-1:])


def _stop_after(token: str, following: str, previous: str) -> bool:
    """Say whether a sentence ends in "token. following"; `previous` is the character before the token."""
    lower = token.lower()
    opener = following.lower() in OPENERS
    if token.isdigit():
        listed = not previous and len(token) <= 3
        return not listed and not (len(token) <= 2 and following.lower().rstrip(".") in GERMAN_MONTHS)
    if lower in LEADING_ABBREVIATIONS or token in ("c", "v"):  # circa, versus; "vitamin C." may end one
        return False
    if lower in NUMERIC_ABBREVIATIONS and (following[:1].isdigit() or (lower != "no" and len(token) == 1)):
        return False
    if len(token) == 1 and token.isupper():
        initials = len(following) == 2 and following[1] == "."
        return opener and len(following) > 1 and not initials and previous != ""
    if lower in ("г", "гг"):  # "в 1990 г. Москва выросла" against "родился в г. Москва"
        return previous.isdigit()
    if lower in TRAILING_ABBREVIATIONS or (_ACRONYM.match(token) and token[0].isupper()):
        return opener
    return True


# --- folding ---

_QUOTES = dict.fromkeys(map(ord, "‘’‚‛′ʼ`´＇"), "'") | dict.fromkeys(map(ord, "“”„‟″«»〝〞＂"), '"')
_DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−﹘﹣－"), "-")
_NOTHING = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u2060\ufeff\u200e\u200f"), "")
_FOLDED: dict[int, str] = {**_QUOTES, **_DASHES, **_NOTHING}
# "10²" must never read as "102", nor "1½" as "11/2": these compatibility forms carry meaning.
_MEANINGFUL = ("<super>", "<sub>", "<fraction>", "<circle>", "<square>")


@lru_cache(maxsize=8192)
def _fold_cluster(cluster: str) -> str:
    """Fold one character together with the combining marks and invisible characters after it."""
    cluster = cluster.translate(_NOTHING)
    if cluster and unicodedata.decomposition(cluster[0]).startswith(_MEANINGFUL):
        return cluster
    return unicodedata.normalize("NFKC", cluster).translate(_FOLDED)


def fold_with_offsets(text: str) -> tuple[str, list[int]]:
    """Fold `text`, and map each folded character to the offset where it came from.

    The list is one longer than the folded text: its last item is len(text). Folding is NFKC (superscripts,
    fractions and enclosed figures excepted), white space to one space, quotation marks to ' and ", dashes
    to "-", invisible characters to nothing. Case is kept.
    """
    folded: list[str] = []
    offsets: list[int] = []
    at, length = 0, len(text)
    while at < length:
        end = at + 1
        while end < length and (unicodedata.combining(text[end]) or ord(text[end]) in _NOTHING):
            end += 1
        for character in _fold_cluster(text[at:end]):
            if character.isspace():
                if folded and folded[-1] == " ":
                    continue
                character = " "
            folded.append(character)
            offsets.append(at)
        at = end
    offsets.append(length)
    return "".join(folded), offsets


_PLAIN = re.compile(r"[ -_a-~А-яЁё\n]*\Z")  # what folding leaves alone, white space apart


def fold(text: str) -> str:
    """Return the folded text, without white space at its ends (see `fold_with_offsets`)."""
    if _PLAIN.match(text):
        return " ".join(text.split())
    return fold_with_offsets(text)[0].strip()


# --- words ---

_TOKEN = re.compile(r"\d+(?:[.,]\d+)*|[^\W_]+(?:['’][^\W_]+)*")
_RUSSIAN_ENDING = re.compile(
    r"(?:иями|ями|ами|иях|ях|ах|ого|его|ому|ему|ыми|ими|ию|ия|ии|ие|ов|ев|ей|ый|ий|ой|ая|яя|ое|ее|ые"
    r"|ых|их|ым|им|ую|юю|ом|ем|ам|ям|[уюаяоеыиьй])\Z"
)


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """Return a crude stem of one lower-case word: possessive, plural, -ed, -ing; Russian case endings.

    Stems are only ever compared with each other, so they need not be words.
    """
    word = word.replace("’", "'").removesuffix("'s").removesuffix("'").replace("ё", "е")
    if word[-1:] >= "а" and len(word) > 3:
        root = _RUSSIAN_ENDING.sub("", word)
        return root if len(root) >= 3 else word
    if not word.isascii() or len(word) < 4 or not word.isalpha():
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "ches", "shes", "zes")):
        word = word[:-2]
    elif word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    for ending in ("ing", "ed"):
        root = word.removesuffix(ending)
        if root != word and len(root) >= 3 and not root.endswith("e") and re.search("[aeiouy]", root):
            word = root[:-1] if root[-1] == root[-2] and root[-1] not in "ls" else root
            break
    return word[:-1] if word.endswith("e") and len(word) > 4 else word


def stems(text: str) -> list[str]:
    """Return the stems of all words and figures of `text`, in order."""
    return [_stem_of(token) for token in _TOKEN.findall(fold(text).lower())]


def content_words(text: str) -> frozenset[str]:
    """Return the stems of the words and figures of `text` that carry meaning (stop words left out)."""
    return frozenset(_stem_of(token) for token in _TOKEN.findall(fold(text).lower()) if token not in STOP_WORDS)


def _stem_of(token: str) -> str:
    return token.replace(",", "") if token[0].isdigit() else stem(token)


def blanked(text: str, spans: Iterable[tuple[int, int]], gap: str = " ") -> str:
    """Return a text with a gap in the place of each span (start, end); no two may overlap."""
    for start, end in sorted(spans, reverse=True):
        text = f"{text[:start]}{gap}{text[end:]}"
    return text


_CYRILLIC, _LETTER = re.compile(r"[А-яЁё]"), re.compile(r"[^\W\d_]")


def is_cyrillic(text: str) -> bool:
    """Say whether most letters of a text are Cyrillic."""
    return 2 * len(_CYRILLIC.findall(text)) > len(_LETTER.findall(text))


# --- names ---


@dataclass(frozen=True, slots=True)
class NameAt:
    """A proper name at text[start:end].

    `is_opening`: it opens a sentence, so its capital proves nothing.
    """

    text: str
    start: int
    end: int
    is_opening: bool = False


_NAME_WORD = re.compile(r"[^\W\d_](?:[.](?=[^\W\d_]\.))?[^\W_]*(?:[.'’&-][^\W_]+)*\.?")
_COMMON_ENDING = re.compile(
    r"(?:ing|ed|ly|ies|ions?|ments?|ers|ists|ness|ости|ение|ания|[аяеё]нн(?:ый|ая|ое|ые)|вш(?:ий|ая|ее|ие))\Z"
)


def names(text: str, *, openings: bool = False) -> list[NameAt]:
    """Return runs of capitalised words, joined over "of", "de", "von" and the like.

    A single capitalised word at the start of a sentence is left out unless something else shows it to be a
    name (it is capitalised inside another sentence, or has a capital or digit inside); with `openings` those
    that are neither stop words nor look like common nouns come too, marked `is_opening`.
    """
    found: list[NameAt] = []
    for start, end in split_sentences(text):
        found.extend(_names_of_sentence(text, start, end))
    settled = {word for name in found if not name.is_opening for word in name.text.split()}
    return [
        NameAt(name.text, name.start, name.end) if name.text in settled else name
        for name in found
        if not name.is_opening or name.text in settled or (openings and not _COMMON_ENDING.search(name.text))
    ]


def _names_of_sentence(text: str, start: int, end: int) -> list[NameAt]:
    found: list[NameAt] = []
    run: list[re.Match[str]] = []
    opening = _first_word(text, start, end)
    for match in _NAME_WORD.finditer(text, start, end):
        if text[max(0, match.start() - 1) : match.start()] == "°":
            continue  # a scale of temperature
        near = not run or text[run[-1].end() : match.start()] in (" ", "\u00a0")
        if run and not near:
            found.extend(_close(text, run, opening))
            run = []
        if match[0][0].isupper() or (run and match[0].lower() in NAME_JOINTS):
            run.append(match)
        elif run:
            found.extend(_close(text, run, opening))
            run = []
    found.extend(_close(text, run, opening))
    return found


def _first_word(text: str, start: int, end: int) -> int:
    while start < end and not text[start].isalnum():
        start += 1
    return start


def _close(text: str, run: list[re.Match[str]], opening: int) -> list[NameAt]:
    """Turn a run of words into a name, without what is capitalised for another reason."""
    run = list(run)
    while run and not run[-1][0][0].isupper():
        run.pop()
    while run and _is_no_name(run[0][0]) and (run[0].start() == opening or len(run) == 1):
        run.pop(0)
        while run and not run[0][0][0].isupper():
            run.pop(0)
    if not run:
        return []
    start, end = run[0].start(), run[-1].end()
    label = text[start:end]
    if label.endswith(".") and not re.search(r"\b\w\.\Z", label):
        label, end = label[:-1], end - 1
    for possessive in ("'s", "’s"):
        if label.endswith(possessive):
            label, end = label[:-2], end - 2
    only_by_place = len(run) == 1 and start == opening and not re.search(r"[A-ZА-Я\d]", label[1:])
    return [NameAt(label, start, end, only_by_place)] if len(label) > 1 else []


_NO_NAMES = (STOP_WORDS, OPENERS, MONTHS, NUMBER_WORDS, SCALES, MAGNITUDES, QUANTIFIERS)


def _is_no_name(word: str) -> bool:
    lower = word.lower().rstrip(".")
    return any(lower in words for words in _NO_NAMES)
