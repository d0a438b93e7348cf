"""Do the sources agree? For each number of a claim: what other sources say in its place.

All evidence of the run counts, cited or not. A source is a site (of the web) or a page (of a folder): ten pages of
one site are one voice.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from urllib.parse import urlsplit

from crowquill.agent.answer import Claim
from crowquill.agent.critic.paraphrase import LIGHT
from crowquill.agent.critic.passages import Passage, aligned, passages
from crowquill.memory.amounts import ROUNDING, Amount, amounts, held
from crowquill.memory.evidence import Evidence, Quote, Table
from crowquill.memory.record import trust as trusted
from crowquill.memory.textual import content_words, names
from crowquill.memory.verify import missing_names

ODD = 2.0
"""By how much more trust the other value must have for a claim to be dropped as the odd one."""
ABOUT, EXACT, YEARS = Fraction(1, 20), Fraction(1, 50), 10
"""Most by which an amount may be off from another that is about as much (a share, of a year in years), and most of
two where one is the other rounded to the zeros at its end."""
SAME_THING = 0.6
"""Share of a claim's words (without the number) that a passage must have to be about the same thing."""


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A number of a claim, what others say, and who: the sources that hold it, and those that hold the other."""

    claim: str
    value: str
    other: str
    holding: tuple[str, ...]
    against: tuple[str, ...]
    is_odd: bool

    def told(self, *, russian: bool = False) -> str:
        """Say it in a line, in English or Russian."""
        said = ", ".join(
            f"{_voices(sources, russian=russian)} {value}"
            for sources, value in ((self.against, self.other), (self.holding, self.value))
        )
        against = "против" if russian else "against"
        return f"{said} ({', '.join(self.against[:3])} {against} {', '.join(self.holding[:3])})"


def _voices(sources: Sequence[str], *, russian: bool) -> str:
    count = len(sources)
    if not russian:
        return "1 source says" if count == 1 else f"{count} sources say"
    if count % 10 == 1 and count % 100 != 11:
        return f"{count} источник говорит"
    few = count % 10 in (2, 3, 4) and count % 100 not in (12, 13, 14)
    return f"{count} {'источника' if few else 'источников'} говорят"


def voice(item: Quote) -> str:
    """Return what counts as one source: the site, or the page where there is none."""
    return voice_of(item.source.url)


def voice_of(url: str) -> str:
    """Return what counts as one source, of a page's address."""
    site = urlsplit(url)
    return site.netloc if site.scheme in ("http", "https") else url


def carrier(claims: Sequence[Claim]) -> str:
    """Return the one source on which every statement with receipts rests, "" when there are several or none.

    Computations rest on what went into them; a query result is no page that could be wrong on its own.
    """
    held = [receipt.evidence for claim in claims if claim.status != "unsupported" for receipt in claim.support]
    voices = {voice(item) for item in held if isinstance(item, Quote)}
    return voices.pop() if len(voices) == 1 and not any(isinstance(item, Table) for item in held) else ""


History = Mapping[str, tuple[int, int]]
"""Source → how often earlier runs have found its statements upheld, and how often contradicted."""


def disagreements(
    claim: Claim, evidence: Sequence[Evidence], history: History = MappingProxyType({})
) -> list[Disagreement]:
    """Return the numbers of a claim for which another source gives another value of the same kind.

    What earlier runs have found of a source moves the trust in it.
    """
    quotes = [item for item in evidence if isinstance(item, Quote)]
    return [found for amount in amounts(claim.text) for found in _about(claim, amount, quotes, history)]


def _about(claim: Claim, amount: Amount, quotes: Sequence[Quote], history: History) -> Iterator[Disagreement]:
    trust: dict[str, dict[str, float]] = {}
    shown: dict[str, str] = {}
    for item in quotes:
        for passage in _same_thing(claim.text, amount, passages([item])):
            if not _is_told_alike(claim.text, amount, passage):
                continue
            rivals = [other for other in amounts(passage.text) if other.kind == amount.kind]
            mine = any(_agree(amount, other) for other in rivals)
            if not mine and len(rivals) != 1:
                continue  # which of them would it be?
            text = claim.text[amount.start : amount.end] if mine else passage.text[rivals[0].start : rivals[0].end]
            key = "" if mine else _key(rivals[0])
            shown.setdefault(key, text)
            name = voice(item)
            trust.setdefault(key, {})[name] = trusted(item.source.trust, *history.get(name, (0, 0)))
    own = trust.pop("", {})
    for key, voices in sorted(trust.items(), key=lambda pair: -sum(pair[1].values())):
        against = {name: weight for name, weight in voices.items() if name not in own}
        if against and own:
            odd = len(against) >= 2 * len(own) and sum(against.values()) >= ODD * sum(own.values())
            value = claim.text[amount.start : amount.end]
            yield Disagreement(claim.text, value, shown[key], tuple(sorted(own)), tuple(sorted(against)), odd)


def _is_told_alike(text: str, amount: Amount, passage: Passage) -> bool:
    """Say whether a passage may give the same amount: of the same time, and in the same words if it has no kind.

    Where year and amount both differ it tells of another time, whichever of the two is looked at.
    """
    given, own = amounts(passage.text), amounts(text)
    if not amount.kind and _words(text, own) != _words(passage.text, given):
        return False
    years, others = ({each.value for each in found if each.is_year} for found in (own, given))
    if not amount.is_year:
        return not years or not others or bool(years & others)
    return all(
        any(_agree(each, other) for other in rivals)
        for each in own
        if not each.is_year and (rivals := [other for other in given if other.kind == each.kind])
    )


def _words(text: str, found: Sequence[Amount]) -> frozenset[str]:
    for amount in reversed(found):
        text = f"{text[: amount.start]} {text[amount.end :]}"
    return content_words(text) - LIGHT


def _agree(one: Amount, other: Amount) -> bool:
    """Say whether two sources that give these may both be right: either may be the other, less exactly."""
    if any(held(amount, [given]) not in ("", "unit") for amount, given in ((one, other), (other, one))):
        return True
    if one.dimension != other.dimension or one.is_percent != other.is_percent:
        return False
    low, high = sorted((one, other), key=lambda amount: amount.value * amount.size)
    if low.bound == "more" or high.bound == "less":
        return True
    off, whole = high.value * high.size - low.value * low.size, abs(high.value * high.size)
    if one.is_year or other.is_year:
        return (one.about or other.about) and off <= YEARS
    rounding = _rounding(one, other)
    if one.about or other.about:
        return off <= max(ABOUT * whole, min(ROUNDING * whole, rounding))
    return off <= (min(EXACT * whole, rounding) if max(one.step, other.step) > 1 else rounding)


def _rounding(one: Amount, other: Amount) -> Fraction:
    """Return by how much two amounts differ at most when they are rounded to the last digits that they show."""
    steps = [amount.step * amount.size for amount in (one, other)]
    return (max(steps) if one.size == other.size else steps[0] + steps[1]) / 2


def _key(amount: Amount) -> str:
    """Return an amount to six digits in its base unit, however large it is."""
    value = amount.value * amount.size
    return f"{Decimal(value.numerator) / Decimal(value.denominator):.6g}"


def _same_thing(text: str, amount: Amount, among: Sequence[Passage]) -> list[Passage]:
    """Return the passages that say something of the same thing: all names of the claim, and most of its words."""
    bare = text[: amount.start] + text[amount.end :]
    wanted = {word for word in content_words(bare) if not word[0].isdigit()}
    return [
        passage
        for passage in aligned(bare, among)
        if not (names(bare) and missing_names(bare, [f"{passage.title}. {passage.text}"]))
        and len(wanted & passage.words) >= SAME_THING * len(wanted)
    ]
