"""Is a short answer the kind of thing that is asked for, and does a statement with receipts say it?

It may not take what it likes out of the evidence: the length of another river stands in the same quote.
"""

import re
from collections.abc import Iterator, Sequence

from crowquill.agent.annotate import is_yes_no
from crowquill.agent.answer import Claim
from crowquill.agent.critic.completeness import parts_of
from crowquill.agent.critic.faults import number_faults
from crowquill.agent.critic.grounding import SAID, carried, searchable, unnamed
from crowquill.agent.critic.opposites import is_denied
from crowquill.memory.amounts import Amount, amounts, held
from crowquill.memory.evidence import Quote
from crowquill.memory.textual import blanked, content_words, fold, names, stem
from crowquill.memory.verify import missing_dates, missing_names

YES = frozenset({"yes", "да", "true"})
NO = frozenset({"no", "нет", "false"})
_PIECE = re.compile(r"[?.!;:,\n]+\s*|\s+(?:and|or|but|и|или|а|но)\s+", re.IGNORECASE)
_ASKS = re.compile(
    r"(?:(?:in|on|at|by|to|from|of|for|with|since|until|в|во|на|с|со|из|к|от|до|за|о|об|по|у|при|для)\s+)?"
    r"(?:who(?:m|se)?|what|which|when|where|why|how|"
    r"что|кто|кого|кому|кем|чей|чья|когда|где|куда|откуда|почему|зачем|как|как(?:ой|ая|ое|ие|ова?|им|ую|их)|сколько)\b",
    re.IGNORECASE,
)
_INVITES = re.compile(
    r"(?:what|how) about\b|when \w+ (?:\w+ )+(?:do|does|did|is|are|will|can) (?:it|they|he|she|we|you)\b"
    r"|как (?:вы|ты) (?:думае|счита)|(?:кто|что)-",
    re.IGNORECASE,
)
_ASKS_VERDICT = re.compile(
    r"^(?:will|would|should|shall|may|might|must)\b|\b(?:whether|if|true|false|correct|ли|правда|верно)\b",
    re.IGNORECASE,
)
_ASSERTS = re.compile(
    r"^(?:is it (?:true|correct) that|(?:верно|правда) ли,? что|yes,|да,|indeed,)\s+", re.IGNORECASE
)
_BARE_NUMBER = re.compile(r"[\s≈~]*\d[\d.,\s]*[.!\s]*")
_FOCUS = re.compile(r"^([^\W_]+) ли\b", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_JOINTS = frozenset("a an the is are was were do does did has have had".split())  # noqa: SIM905
"""Words that a question and the statement it becomes have in different places, and that say nothing alone."""
_SPANS = ("length", "time", "months")
_ASKED: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = tuple(
    (re.compile(rf"\b(?:{words})\b", re.IGNORECASE), dimensions)
    for words, dimensions in (
        (r"how (?:deep|high|tall|wide|far)", ("length",)),
        (r"what (?:is|was) the (?:depth|height|length|width|elevation)", ("length",)),
        (r"(?:какова?|какой) (?:глубин|высот|длин|ширин|протяж[её]нност)\w*", ("length",)),
        (r"(?:как|насколько) (?:глубок|высок|широк)\w*", ("length",)),
        (r"how long|(?:как|насколько) (?:длин|долг)\w*", _SPANS),
        (r"how heavy|how much (?:does|do|did) [^?]* weigh|what (?:is|was) the (?:mass|weight)", ("mass",)),
        (r"сколько вес(?:ит|ил|ила|или|ят)|како(?:в|ва) (?:масса|вес)", ("mass",)),
    )
)
"""What a question asks to be measured: the dimensions that an answer may have."""

_DIRECT = re.compile(
    r"(?:how (?:deep|high|tall|wide|long|heavy) (?:is|was)|what (?:is|was) the "
    r"(?:depth|height|length|width|elevation|mass|weight) of|"
    r"какова (?:глубина|высота|длина|ширина|протяж[её]нность|масса))\s+(?:the\s+)?([^?]+?)\s*\?*",
    re.IGNORECASE,
)
"""A question for the measure of one thing, and nothing that leads to it."""


def bare(short: str) -> str:
    """Return a short answer without case and the stops around it."""
    return short.casefold().strip(" .!")


def verdict_problems(verdict: str, claims: Sequence[Claim], objective: str) -> list[str]:
    """Return what is wrong with a bare yes or no: it answers no such question, or denies what a statement says."""
    problems = []
    if not _may_be_verdict(objective):
        problems.append("the short answer is a bare yes or no, and the question asks for something else")
    if bare(verdict) in NO and not is_denied(objective):
        denied = [claim for claim in claims if claim.status != "unsupported" and _asserts(claim.text, objective)]
        problems += [f"the short answer denies what the answer says: {claim.text}" for claim in denied[:1]]
    return problems


def short_problems(short: str, claims: Sequence[Claim], objective: str) -> list[str]:
    """Return what is wrong with a short answer, held against the statements of its answer that have receipts.

    Its numbers and dates must stand in one of them, its names there or in the question, and most of its words
    in what they cite; the title of a cited page says what a statement is about.
    """
    held_claims = [claim for claim in claims if claim.status != "unsupported"]
    said = [_said(claim) for claim in held_claims]
    texts = [searchable(receipt.evidence) for claim in claims for receipt in claim.support]
    problems = [f"{fault.text} in the short answer" for fault in number_faults(short, said)]
    problems += [f"no receipt for {date} in the short answer" for date in missing_dates(short, said)]
    known = [*said, objective] if said else []  # the question alone carries nothing
    problems += [f"no receipt for {name} in the short answer" for name in unnamed(short, known)]
    bare_words = blanked(short, [(amount.start, amount.end) for amount in amounts(short)])
    if claims and carried(bare_words, " ".join([*texts, objective])) < SAID:
        problems.append("the short answer stands in no receipt")
    if not problems and (wanted := _measured(short, held_claims, objective)):
        problems.append(f"a measure is asked for, and the short answer is none: the answer says {wanted}")
    if not problems and (other := _of_another(short, held_claims, objective)):
        problems.append(f"{other} in the short answer is said of something else")
    return problems


def _said(claim: Claim) -> str:
    titles = [item.evidence.source.title for item in claim.support if isinstance(item.evidence, Quote)]
    return ". ".join([claim.text, *dict.fromkeys(titles)])


def _may_be_verdict(objective: str) -> bool:
    """Say whether some part of a question may want yes or no, which not all of them show in Russian."""
    pieces = [piece.strip() for piece in _PIECE.split(objective) if piece.strip()]
    if len(pieces) != 1 or is_yes_no(pieces[0]) or _ASKS_VERDICT.search(pieces[0]):
        return True
    return _ASKS.match(pieces[0]) is None or _INVITES.match(pieces[0]) is not None


def _asserts(text: str, question: str) -> bool:
    """Say whether a statement says what is asked: the same words in the same order, and the same numbers."""
    asked, said = (_ASSERTS.sub("", each.strip()) for each in (question, text))
    wanted, given = amounts(asked), amounts(said)
    if len(wanted) != len(given) or any(held(one, [other]) in ("", "unit") for one, other in _pairs(wanted, given)):
        return False
    words, own = _words(asked, wanted), _words(said, given)
    focus = _FOCUS.match(asked)
    if focus is not None and stem(focus[1].lower()) in own:  # "Впадает ли Дунай" asks "Дунай впадает"
        own.remove(stem(focus[1].lower()))
        words = words[2:]
    return bool(words) and words == own


def _pairs(one: Sequence[Amount], other: Sequence[Amount]) -> Iterator[tuple[Amount, Amount]]:
    return zip(one, other, strict=True)


def _words(text: str, without: Sequence[Amount]) -> list[str]:
    """Return the stems of the words of a text, in order, without amounts and what only joins them."""
    bare = blanked(text, [(amount.start, amount.end) for amount in without])
    words = [word for word in _WORD.findall(fold(bare).lower()) if word not in _JOINTS]
    return [stem(word) for word in words]


def _measured(short: str, claims: Sequence[Claim], objective: str) -> str:
    """Return a measure of the kind that the question wants where statements have one and the short answer none."""
    wanted = next((dimensions for words, dimensions in _ASKED if words.search(objective)), ())
    if not wanted or len(parts_of(objective)) > 1 or _BARE_NUMBER.fullmatch(short) is None:
        return ""  # and not "until Monday", "since 1990", "5.2 %"
    given = [
        (claim.text[amount.start : amount.end], amount)
        for claim in claims
        for amount in amounts(claim.text)
        if amount.dimension in wanted
    ]
    own = {amount.value for amount in amounts(short)}
    return "" if not given or any(amount.value in own for _, amount in given) else given[0][0]


def _of_another(short: str, claims: Sequence[Claim], objective: str) -> str:
    """Return a measure of a short answer that no statement gives of the one thing whose measure is asked for.

    "How long is the Danube?" asks for no other river's; where nothing gives a measure of it, nothing is said.
    """
    found = _DIRECT.fullmatch(objective.strip())
    thing = found[1] if found is not None else ""
    if not thing or content_words(thing) != content_words(
        " ".join(each.text for each in names(thing, openings=True))
    ):
        return ""
    given = [
        amount
        for claim in claims
        if not missing_names(thing, [_said(claim)]) or not names(claim.text)  # "the mountain"
        for amount in amounts(claim.text)
    ]
    kinds = {amount.dimension for amount in given} - {""}
    strange = [each for each in amounts(short) if each.dimension in kinds and held(each, given) in ("", "unit")]
    return short[strange[0].start : strange[0].end] if strange else ""
