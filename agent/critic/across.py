"""Names and words across two alphabets: "Дуная" stands for "Danube", "радиация" for "radiation".

Two things show it: consonants that sound alike, also of names that nobody knows, and the search's sentence encoder,
which knows both languages and puts the two close together.
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from crowquill.agent.critic.closeness import CLOSE, closest
from crowquill.memory.textual import content_words, is_cyrillic, names

_WORD = re.compile(r"[^\W\d_]+")
_SPELLED = {
    "sch": "ш", "tch": "ч", "sh": "ш", "ch": "ч", "zh": "ж", "kh": "г", "ph": "ф", "th": "т", "ts": "с", "qu": "кв",
    "ce": "с", "ci": "с", "cy": "с", "x": "кс",
}  # fmt: skip
_DIGRAPH = re.compile("|".join(_SPELLED))
_LETTERS = str.maketrans("bcdfghklmnpqrstvwzзхцщ", "бкдфггклмнпкрстввссгсш")
_SOUNDLESS, _TWICE = re.compile("[^бвгджклмнпрстфчш]"), re.compile(r"(.)\1+")


@lru_cache(maxsize=4096)
def sound(word: str) -> str:
    """Return the consonants of a word, as Cyrillic letters that stand for both alphabets; those alike are one."""
    spelled = _DIGRAPH.sub(lambda match: _SPELLED[match[0]], word.lower())
    return _TWICE.sub(r"\1", _SOUNDLESS.sub("", spelled.translate(_LETTERS)))


def is_across(text: str, other: str) -> bool:
    """Say whether two texts are written in different alphabets; one without letters is in any."""
    written = all(_WORD.search(each) for each in (text, other))
    return written and is_cyrillic(text) != is_cyrillic(other)


def is_named(asked: Sequence[str], text: str) -> bool:
    """Say whether a text in the other alphabet has one of these names: a word of it by sound, or all of it."""
    given = [name.text for name in names(text, openings=True)]
    heard = {sound(word) for name in given for word in _WORD.findall(name)}
    by_sound = any(_is_heard(word, heard) for name in asked for word in _WORD.findall(name))
    return by_sound or any(closest(name, given)[0] >= CLOSE for name in asked)


def share_said(phrase: str, text: str) -> float:
    """Return the share (0 to 1) of a phrase's content words that a text in the other alphabet has; 1 without any.

    A word is had when a name of the text sounds like it, or when a word of the text is near in meaning.
    """
    wanted = [word for word in _WORD.findall(phrase) if content_words(word)]
    given = [word for word in _WORD.findall(text) if content_words(word)]
    heard = {sound(word) for word in given if word[0].isupper()}
    had = [_is_heard(word, heard) or closest(word, given)[0] >= CLOSE for word in wanted]
    return sum(had) / len(had) if had else 1.0


def _is_heard(word: str, heard: Iterable[str]) -> bool:
    """Say whether one of these sounds is that of a word, an ending more or less; one consonant alone is none."""
    own = sound(word)
    for other in heard:
        short, long = sorted((own, other), key=len)
        if len(short) > 1 and long.startswith(short) and len(long) - len(short) < len(short):
            return True
    return False
