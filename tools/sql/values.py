"""Values of a database that a question names: "Ac/Dc" is the artist `AC/DC`.

Pure: phrases of a question, and which of a column's values they mean. Two texts are the same value when their
letters and digits are, without case, accents, spaces and punctuation.
"""

import difflib
import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache

from crowquill.memory.textual import content_words

_LONGEST = 6
"""Words of a phrase."""
_LIKE, _PART, _PLURAL = 0.8, 5, 5
"""Similarity from which a spelling is taken for another; letters that a part of a value, and a plural, needs."""


@lru_cache(maxsize=50_000)
def squeeze(text: str) -> str:
    """Return the letters and digits alone, case folded and without accents."""
    if text.isascii():
        return "".join(filter(str.isalnum, text)).lower()
    folded = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in folded if letter.isalnum())


def phrases(question: str) -> list[str]:
    """Return the runs of up to six words of a question, squeezed, with and without a plural's end."""
    words = [word for word in map(_bare, question.split()) if word]
    found: dict[str, None] = {}
    for length in range(_LONGEST, 0, -1):
        for start in range(len(words) - length + 1):
            phrase = squeeze("".join(words[start : start + length]))
            plural = len(phrase) >= _PLURAL
            for form in (phrase, *((phrase.removesuffix("s"), phrase.removesuffix("es")) if plural else ())):
                if len(form) > 1:
                    found[form] = None
    return list(found)


def words_of(question: str) -> dict[str, str]:
    """Return the content words of a question, in lower case, each with its stem."""
    words = {word: content_words(word) for word in re.findall(r"[^\W\d_]{3,}", question.lower())}
    return {word: next(iter(stems)) for word, stems in words.items() if stems}


def _bare(word: str) -> str:
    """Return a word of a question without a possessive and what stands around it."""
    for ending in ("'s", "’s", "s'", "s’"):
        if word.rstrip("?!.,;:").endswith(ending):
            return word.rstrip("?!.,;:")[: -len(ending)] + ("s" if ending[0] == "s" else "")
    return word


def meant(wanted: Iterable[str], values: Iterable[str]) -> Iterator[str]:
    """Yield the values that stand in full among the squeezed phrases `wanted`."""
    phrases_known = frozenset(wanted)
    for value in values:
        if squeeze(value) in phrases_known:
            yield value


def nearest_values(text: str, values: Iterable[str], limit: int = 3) -> list[str]:
    """Return the values that are spelt most like a text, or contain it, best first."""
    wanted = squeeze(text)
    forms = {value: squeeze(value) for value in values}
    same = [value for value, form in forms.items() if form == wanted]
    if same or len(wanted) < 2:
        return same[:limit]
    parts = [value for value, form in forms.items() if _part(wanted, form)]
    by_form = {form: value for value, form in forms.items()}
    close = difflib.get_close_matches(wanted, list(by_form), n=limit, cutoff=_LIKE)
    return list(dict.fromkeys([*(by_form[form] for form in close), *sorted(parts, key=len)]))[:limit]


def _part(one: str, other: str) -> bool:
    return (len(one) >= _PART and one in other) or (len(other) >= _PART - 1 and one.startswith(other))
