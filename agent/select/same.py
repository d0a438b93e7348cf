"""Whether two short answers say the same, however they write it."""

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from crowquill.memory.amounts import Amount, amounts, held
from crowquill.memory.textual import DateAt, blanked, dates, fold, stem
from crowquill.memory.unit_words import UNITS
from crowquill.memory.values import shares
from crowquill.memory.words import STOP_WORDS

_Value = DateAt | Amount | Fraction
"""A date, a number with its unit, or a share that is given in words."""
_GAP = "\0"
"""Stands among the words for a value."""
_TOKEN = re.compile(rf"{_GAP}|[^\W_]+[+#]*")  # "C++" is not "C"
_LETTER = re.compile(r"[^\W\d_]")
_ARTICLES = frozenset(("a", "an", "the"))
_UNSAID = frozenset(
    "about around roughly approximately circa exactly около примерно приблизительно ровно in on at в во".split()  # noqa: SIM905
)
"""Words before a value that are as good as not said; `about` of an amount knows them."""
_VERDICTS = {"true": "yes", "да": "yes", "false": "no", "нет": "no"}
_BARE_VERDICTS = frozenset(("yes", "no", "да", "нет"))
_ONE_SHARE = re.compile(r"\bодн(?:а|у|ой)\s+\Z", re.IGNORECASE)  # "одна треть" is "треть"
_LONGEST_SHARE = 4
"""Words of a share: "one out of five"."""


@dataclass(frozen=True, slots=True)
class _Said:
    """A short answer as it is compared: its values, and its words with a gap for each value."""

    values: tuple[_Value, ...]
    words: tuple[str, ...]

    @property
    def unit(self) -> str:
        """The dimension of the only value, empty when it has none."""
        return self.values[0].dimension if isinstance(self.values[0], Amount) else ""

    @property
    def is_bare(self) -> bool:
        """Whether it is a value and nothing else."""
        return self.words == (_GAP,)


def same_answer(one: str, other: str) -> bool:
    """Say whether two short answers are the same.

    Dates and numbers are compared by value and unit, words without case, articles and punctuation. What only one
    of two answers adds behind a single value is left open by the other: "310" is "310 metres deep". So an answer
    may be the same as two that are not the same as each other.
    """
    first, second = _read(one), _read(other)
    if len(first.values) != len(second.values):
        return False
    if not all(_same_value(*pair) for pair in zip(first.values, second.values, strict=True)):
        return False
    return first.words == second.words or _one_adds(first, second)


def _one_adds(first: _Said, second: _Said) -> bool:
    if not all(len(said.values) == 1 and said.words[0] == _GAP for said in (first, second)):
        return False
    if first.unit != second.unit and not (second if first.unit else first).is_bare:
        return False  # "50 Cent" has a unit, "50 Shades of Grey" counts something else
    behind = [{stem(word) for word in said.words[1:]} for said in (first, second)]
    return behind[0] <= behind[1] or behind[1] <= behind[0]


@lru_cache(maxsize=512)
def _read(short: str) -> _Said:
    text = fold(short).replace("ё", "е").replace("Ё", "Е")
    found = _values(text)
    text = blanked(text, [(start, end) for start, end, _ in found], f" {_GAP} ")
    words = [token for token in _TOKEN.findall(text.casefold()) if token not in _ARTICLES]
    while len(words) > 1 and words[0] in _UNSAID and _GAP in words[:2]:
        del words[0]
    if words and words[0] in _BARE_VERDICTS and STOP_WORDS.issuperset(words[1:]):
        del words[1:]  # "Yes, it is."
    if len(words) == 1:
        words = [_VERDICTS.get(words[0], words[0])]
    return _Said(tuple(value for _, _, value in found), tuple(words) if words else (text,))


def _values(text: str) -> list[tuple[int, int, _Value]]:
    """Return the values of a text with their places, in order."""
    found: list[tuple[int, int, _Value]] = [(date.start, date.end, date) for date in dates(text)]
    share = _share(text)
    if share is not None and not any(_overlap(share, each) for each in found):
        found.append(share)
    for amount in amounts(text):
        place = (_start(text, amount), amount.end, amount)
        if not any(_overlap(place, each) for each in found):
            found.append(place)
    return sorted(found, key=lambda each: each[0])


def _overlap(one: tuple[int, int, _Value], other: tuple[int, int, _Value]) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def _start(text: str, amount: Amount) -> int:
    """Return where an amount begins: with the currency before it, if there is one ("USD 5", "$5")."""
    money = re.search(r"(\S+?)\s?\Z", text[: amount.start])
    unit = UNITS.get(money[1].lower()) if money is not None else None
    return money.start() if money is not None and unit is not None and unit[0] == amount.dimension else amount.start


def _share(text: str) -> tuple[int, int, Fraction] | None:
    """Return the only share that a text gives in words, with its place."""
    parts = shares(text)
    words = list(re.finditer(r"[^\W_]+", text))
    if len(parts) != 1:
        return None
    for length in range(1, _LONGEST_SHARE + 1):
        for first, last in zip(words, words[length - 1 :], strict=False):
            if shares(text[first.start() : last.end()]) == parts:
                one = _ONE_SHARE.search(text[: first.start()])
                return (first if one is None else one).start(), last.end(), parts[0]
    return None


def _same_value(one: _Value, other: _Value) -> bool:
    if isinstance(one, DateAt) and isinstance(other, DateAt):
        return (one.year, one.month, one.day) == (other.year, other.month, other.day)
    if isinstance(one, Amount) and isinstance(other, Amount):
        return _stands_for(one, other) or _stands_for(other, one)
    if isinstance(one, Amount) and isinstance(other, Fraction):
        return held(one, [Amount(other * 100, 0, 0, is_percent=True)], [other]) == "same"
    if isinstance(one, Fraction) and isinstance(other, Amount):
        return _same_value(other, one)
    return one == other


def _stands_for(one: Amount, other: Amount) -> bool:
    """Say whether an amount is another one, or that one rounded; zeros at its end alone do not say so."""
    shows = one.about or one.step.denominator > 1 or _LETTER.search(one.text) is not None
    way = held(one, [other])
    return way in ("same", "converted") or (way == "rounded" and shows)
