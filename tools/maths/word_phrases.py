"""Phrases about the letters of words. Words are data: they are counted and turned round, never read as mathematics."""

# ruff: noqa: E501 - a phrase is one line

from crowquill.tools.maths.nodes import Call, Node, Text
from crowquill.tools.maths.slots import Builder, Phrase, Slots, call, phrase

_QUOTES = "\"'“”‘’«»`"
_WORD = r"(?P<w>.+?)"
_LETTER = rf"[{_QUOTES}]?(?P<l>[^\W_])[{_QUOTES}]?(?:'?s)?"
_IN = r"(?:in|of|appear in|occur in|does|в)(?: the)?(?: word| string| phrase| sentence| слове| строке| фразе)?"


def _text(slots: Slots, name: str = "w") -> Text:
    return Text(slots.raw(name).strip(_QUOTES + " "))


def _count(slots: Slots) -> Node:
    return call("count_letter", Text(slots.raw("l")), _text(slots))


def _reversed(slots: Slots) -> Node | None:
    return call("reverse", _text(slots))


def _of(name: str) -> Builder:
    return lambda slots: call(name, _text(slots))


_KINDS = "letters|characters|vowels|consonants|words|digits|букв|символов|гласных|согласных|слов"

WORD_PHRASES: tuple[Phrase, ...] = (
    phrase(rf"(?:how many times|count how (?:many times|often)) does (?:the letter )?{_LETTER} (?:appear|occur) {_IN} {_WORD}", _count),
    phrase(rf"(?:how many|count(?: the)?(?: number of)?|number of|the number of) (?:times the )?(?:letters? )?{_LETTER}(?: are)?(?: there)?(?: is)?(?: letters?)? {_IN} {_WORD}(?: have| contain)?", _count),
    phrase(rf"сколько (?:раз )?(?:встречается )?букв[аы]? [{_QUOTES}]?(?P<l>[^\W_])[{_QUOTES}]? (?:встречается )?{_IN} {_WORD}", _count),
    phrase(rf"(?:how many|count(?: the)?(?: number of)?|number of|сколько) (?P<k>{_KINDS})(?: are)?(?: there)? {_IN} (?P<w>[^\d].*?)(?: have| contain)?", lambda slots: call("count_kind", Text(slots.raw("k").lower()), _text(slots))),
    phrase(r"(?:reverse|spell|write|переверни(?:те)?|запиши)(?: the)?(?: word| string| text| слово| строку| number| число)? (?P<w>.+?) ?(?:backwards?|in reverse|reversed|наоборот|задом наперёд)?", lambda slots: _turned(slots)),
    phrase(rf"(?P<w>[{_QUOTES}].+[{_QUOTES}]) (?:spelled |spelt |written )?(?:reversed|backwards?|наоборот)", _reversed),
    phrase(r"(?P<w>[^\W\d]+) (?:spelled|spelt|written) backwards?", _reversed),
    phrase(rf"(?:length|длина)(?: of| слова)?(?: the)?(?: word| string)? (?P<w>[{_QUOTES}].+[{_QUOTES}]|[^\W\d]{{3,}})", _of("length")),
    phrase(r"is (?P<w>.+?) a palindrome", _of("is_palindrome")),
    phrase(r"(?:are )?(?P<w>[^\s,]+) and (?P<w2>[^\s,]+) anagrams", lambda slots: call("are_anagrams", _text(slots), _text(slots, "w2"))),
    phrase(r"(?P<n>first|last|\d+(?:st|nd|rd|th)) letter (?:of|in)(?: the)?(?: word)? (?P<w>.+)", lambda slots: call("letter_at", Text(slots.raw("n").lower()), _text(slots))),
    phrase(r"(?:sort|alphabeti[sz]e)(?: the)? letters (?:of|in)(?: the)?(?: word)? (?P<w>.+)", _of("sorted_letters")),
)  # fmt: skip
"""Phrases of which a word is the object."""


def _turned(slots: Slots) -> Node | None:
    """Read "reverse" as it is, but "write" and "spell" only when they say backwards."""
    ordered = slots.whole.lower()
    if ordered.startswith(("reverse", "переверни")) or ordered.endswith(
        ("backwards", "backward", "reverse", "reversed", "наоборот", "наперёд")
    ):
        return Call("reverse", (_text(slots),))
    return None
