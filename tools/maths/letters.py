"""Exact work on the letters of words and the digits of numbers in other bases."""

import re
import unicodedata
from collections.abc import Callable

import sympy
from sympy import Integer

from crowquill.errors import ToolRetry
from crowquill.tools.maths.values import Remarks, whole

_ROMAN = (
    *((1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"), (50, "L"), (40, "XL")),
    *((10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I")),
)
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_VOWELS = frozenset("aeiouаеёиоуыэюя")


def graphemes(text: str) -> list[str]:
    """Return what a reader takes for one letter each: accents stay with their letters."""
    found: list[str] = []
    for letter in unicodedata.normalize("NFC", text):
        if found and unicodedata.combining(letter):
            found[-1] += letter
        else:
            found.append(letter)
    return found


def _letters(text: str) -> list[str]:
    return [letter for letter in graphemes(text) if letter[0].isalpha()]


def _count_letter(remarks: Remarks, letter: str, text: str) -> Integer:
    remarks.assume("capital and small letters are counted alike")
    return Integer([at.casefold() for at in graphemes(text)].count(unicodedata.normalize("NFC", letter).casefold()))


def _count_kind(remarks: Remarks, kind: str, text: str) -> Integer:
    letters = [letter.casefold() for letter in _letters(text)]
    match kind:
        case "letters" | "букв":
            return Integer(len(letters))
        case "vowels" | "гласных":
            return Integer(sum(letter in _VOWELS for letter in letters))
        case "consonants" | "согласных":
            remarks.assume("y is counted as a consonant")
            return Integer(sum(letter not in _VOWELS and letter not in "ьъ" for letter in letters))
        case "digits":
            return Integer(sum(letter.isdecimal() for letter in text))
        case "words" | "слов":
            return Integer(len(re.findall(r"[\w'’-]+", text)))
        case _:
            remarks.assume("spaces and punctuation are counted")
            return Integer(len(graphemes(text)))


def _letter_at(remarks: Remarks, place: str, text: str) -> str:
    letters = graphemes(text)
    at = {"first": 1, "last": len(letters)}.get(place) or int(re.sub(r"\D", "", place))
    if not 1 <= at <= len(letters):
        raise ToolRetry(f"it has {len(letters)} letters")
    return letters[at - 1]


def _is_palindrome(remarks: Remarks, text: str) -> object:
    remarks.assume("spaces, punctuation and capitals do not count")
    letters = [letter.casefold() for letter in graphemes(text) if letter[0].isalnum()]
    return sympy.true if letters == letters[::-1] else sympy.false


def _are_anagrams(remarks: Remarks, one: str, two: str) -> object:
    same = sorted(letter.casefold() for letter in _letters(one)) == sorted(
        letter.casefold() for letter in _letters(two)
    )
    return sympy.true if same else sympy.false


def _from_roman(remarks: Remarks, text: str) -> Integer:
    total, rest = 0, text.upper()
    for value, sign in _ROMAN:
        while rest.startswith(sign):
            total, rest = total + value, rest[len(sign) :]
    if rest or _roman(remarks, Integer(total)) != text.upper():
        raise ToolRetry(f"{text[:20]} is no Roman numeral")
    return Integer(total)


def _roman(remarks: Remarks, value: Integer) -> str:
    number = whole(value, "a Roman numeral")
    if not 1 <= number <= 3999:
        raise ToolRetry("Roman numerals go from 1 to 3999")
    text = ""
    for size, sign in _ROMAN:
        text += sign * (number // size)
        number %= size
    return text


def _from_base(remarks: Remarks, text: str, base: Integer) -> Integer:
    size = _base_of(base)
    digits = [_DIGITS.find(letter) for letter in text.lower()]
    if not digits or not all(0 <= digit < size for digit in digits):
        raise ToolRetry(f"{text[:20]!r} has digits that base {size} does not have")
    value = 0
    for digit in digits:
        value = value * size + digit
    return Integer(value)


def _in_base(remarks: Remarks, value: Integer, base: Integer) -> str:
    size, number = _base_of(base), whole(value, "another base")
    remarks.note(f"written in base {size}")
    digits = ""
    left = abs(number)
    while left:
        left, digit = divmod(left, size)
        digits = _DIGITS[digit] + digits
    return ("-" if number < 0 else "") + (digits or "0")


def _base_of(base: Integer) -> int:
    size = whole(base, "a base")
    if not 2 <= size <= 36:
        raise ToolRetry("bases go from 2 to 36")
    return size


LETTERS: dict[str, Callable[..., object]] = {
    "are_anagrams": _are_anagrams,
    "base": _in_base,
    "count_kind": _count_kind,
    "count_letter": _count_letter,
    "from_base": _from_base,
    "from_roman": _from_roman,
    "is_palindrome": _is_palindrome,
    "length": lambda remarks, text: Integer(len(graphemes(text))),
    "letter_at": _letter_at,
    "reverse": lambda remarks, text: "".join(reversed(graphemes(text))),
    "roman": _roman,
    "sorted_letters": lambda remarks, text: "".join(sorted(_letters(text.casefold()))),
}
