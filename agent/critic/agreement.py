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
from crowquill.agent.critic.paraphrase import LIGHT, stands
from crowquill.agent.critic.passages import Passage, aligned, passages
from crowquill.memory.amounts import ROUNDING, Amount, amounts, held
from crowquill.memory.evidence import Evidence, Quote, Table
from crowquill.memory.record import trust as trusted
from crowquill.memory.textual import DateAt, blanked, content_words, dates, names
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


Value = Amount | DateAt
"""What sources may differ in."""

History = Mapping[str, tuple[int, int]]
"""Source → how often earlier runs have found its statements upheld, and how often contradicted."""


def disagreements(
    claim: Claim, evidence: Sequence[Evidence], history: History = MappingProxyType({})
) -> list[Disagreement]:
    """Return the numbers and dates of a claim for which another source gives another value of the same kind.

    What earlier runs have found of a source moves the trust in it.
    """
    quotes = [item for item in evidence if isinstance(item, Quote)]
    values: list[Value] = [*dates(claim.text), *_outside_dates(claim.text)]
    return [found for value in values for found in _about(claim, value, quotes, history)]


def _outside_dates(text: str) -> list[Amount]:
    spans = [(date.start, date.end) for date in dates(text)]
    return [each for each in amounts(text) if not any(start <= each.start < end for start, end in spans)]


def _about(claim: Claim, value: Value, quotes: Sequence[Quote], history: History) -> Iterator[Disagreement]:
    trust: dict[str, dict[str, float]] = {}
    shown: dict[str, str] = {}
    written = claim.text[value.start : value.end]
    for item in quotes:
        for passage in _same_thing(claim.text, value, passages([item])):
            if not _is_told_alike(claim.text, value, passage):
                continue
            rivals = _rivals(value, passage.text)
            mine = any(_agree(value, other) for other in rivals)
            if not mine and len(rivals) != 1:
                continue  # which of them would it be?
            key = "" if mine else _key(rivals[0])
            shown.setdefault(key, written if mine else passage.text[rivals[0].start : rivals[0].end])
            name = voice(item)
            trust.setdefault(key, {})[name] = trusted(item.source.trust, *history.get(name, (0, 0)))
    own = trust.pop("", {})
    for key, voices in sorted(trust.items(), key=lambda pair: -sum(pair[1].values())):
        against = {name: weight for name, weight in voices.items() if name not in own}
        if against and own:
            odd = len(against) >= 2 * len(own) and sum(against.values()) >= ODD * sum(own.values())
            yield Disagreement(claim.text, written, shown[key], tuple(sorted(own)), tuple(sorted(against)), odd)


def _rivals(value: Value, text: str) -> Sequence[Value]:
    """Return what a passage gives that may stand in the place of a value; a bare year may be that of a date."""
    if isinstance(value, Amount):
        return [other for other in amounts(text) if other.kind == value.kind]
    years = [DateAt(int(each.value), None, None, each.start, each.end) for each in amounts(text) if each.is_year]
    found = dates(text)
    return found if found else years


def _key(value: Value) -> str:
    """Return a date, or an amount to six digits in its base unit, however large it is."""
    if isinstance(value, Amount):
        whole = value.value * value.size
        return f"{Decimal(whole.numerator) / Decimal(whole.denominator):.6g}"
    return f"{value.year}-{value.month}-{value.day}"


def _is_told_alike(text: str, value: Value, passage: Passage) -> bool:
    """Say whether a passage may give the same value: of the same time, and in the same words if it has no kind.

    Where year and amount both differ it tells of another time, whichever of the two is looked at.
    """
    own, given = _outside_dates(text), amounts(passage.text)
    if isinstance(value, Amount) and not value.kind and _words(text) != _words(passage.text):
        return False
    if isinstance(value, Amount) and not value.is_year:
        years, others = ({each.value for each in amounts(each) if each.is_year} for each in (text, passage.text))
        return not years or not others or bool(years & others)
    return all(
        any(_agree(each, other) for other in rivals)
        for each in own
        if not each.is_year and (rivals := [other for other in given if other.kind == each.kind])
    )


def _words(text: str) -> frozenset[str]:
    values: list[Value] = [*dates(text), *_outside_dates(text)]
    return content_words(blanked(text, [(value.start, value.end) for value in values])) - LIGHT


def _agree(one: Value, other: Value) -> bool:
    """Say whether two sources that give these may both be right: either may be the other, less exactly."""
    if isinstance(one, Amount) and isinstance(other, Amount):
        return _may_be_equal(one, other)
    if isinstance(one, Amount) or isinstance(other, Amount):
        return False
    pairs = ((one.year, other.year), (one.month, other.month), (one.day, other.day))
    return all(first is None or second is None or first == second for first, second in pairs)


def _may_be_equal(one: Amount, other: Amount) -> bool:
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


def _same_thing(text: str, value: Value, among: Sequence[Passage]) -> list[Passage]:
    """Return the passages that say something of the same thing: all names of the claim, and most of its words.

    One of these is no name, where both have other words, too: who was born in one year has died in another.
    """
    bare = text[: value.start] + text[value.end :]
    wanted = {word for word in content_words(bare) if not word[0].isdigit()}
    proper = content_words(" ".join(name.text for name in names(bare, openings=True)))
    own = _words(text) - proper

    def says_alike(passage: Passage) -> bool:
        given = _words(passage.text) - proper
        return not own or not given or any(stands(word, given) for word in own)

    return [
        passage
        for passage in aligned(bare, among)
        if not (names(bare) and missing_names(bare, [f"{passage.title}. {passage.text}"]))
        and sum(stands(word, passage.words) for word in wanted) >= SAME_THING * len(wanted)
        and says_alike(passage)
    ]
