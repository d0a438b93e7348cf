"""Do the sources agree? For each number of a claim: what other sources say in its place.

All evidence of the run counts, cited or not. A source is a site (of the web) or a page (of a folder): ten pages of
one site are one voice.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from urllib.parse import urlsplit

from crowquill.agent.answer import Claim
from crowquill.agent.critic.passages import Passage, aligned, passages
from crowquill.memory.amounts import Amount, amounts, held
from crowquill.memory.evidence import Evidence, Quote, Table
from crowquill.memory.record import trust as trusted
from crowquill.memory.textual import content_words, names
from crowquill.memory.verify import missing_names

ODD = 2.0
"""By how much more trust the other value must have for a claim to be dropped as the odd one."""
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

    def __str__(self) -> str:
        return (
            f"{_voices(self.against)} {self.other}, {_voices(self.holding)} {self.value} "
            f"({', '.join(self.against[:3])} against {', '.join(self.holding[:3])})"
        )


def _voices(sources: Sequence[str]) -> str:
    return "1 source says" if len(sources) == 1 else f"{len(sources)} sources say"


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
    if not amount.kind:
        return
    trust: dict[str, dict[str, float]] = {}
    shown: dict[str, str] = {}
    for item in quotes:
        for passage in _same_thing(claim.text, amount, passages([item])):
            rivals = [other for other in amounts(passage.text) if other.kind == amount.kind]
            mine = held(amount, rivals) not in ("", "unit")
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
