"""Checks by code: what each claim rests on, and whether it stands there.

A tool can be made to say anything: `8849` is a calculation, and `SELECT 'Canberra'` a query. So a computation is a
receipt only when its numbers come from the question or from other evidence, and a cell that the query itself holds
as a literal is none.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from types import MappingProxyType

from crowquill.agent.answer import Candidate, Claim, ClaimStatus, Draft, DraftClaim, Wrong
from crowquill.agent.critic.across import is_across
from crowquill.agent.critic.agreement import Disagreement, History, disagreements
from crowquill.agent.critic.closeness import CLOSE_ACROSS, closest, says_alike
from crowquill.agent.critic.completeness import unanswered
from crowquill.agent.critic.fault import Fault
from crowquill.agent.critic.faults import find_faults, spelled_out
from crowquill.agent.critic.grounding import searchable
from crowquill.agent.critic.passages import passages
from crowquill.agent.critic.results import find_miscounts
from crowquill.agent.critic.short_form import NO, YES, bare, short_problems, verdict_problems
from crowquill.memory.evidence import Cell, CellAt, Computation, Evidence, Quote, Receipt, Table, Whole, plain_text
from crowquill.memory.figures import numbers
from crowquill.memory.textual import content_words, fold, is_cyrillic, names
from crowquill.memory.verify import missing_names, missing_numbers, word_coverage

QUOTED_COVERAGE = 0.6
"""Share of a claim's content words that must stand in one cited span for the status *quoted*."""
RELATED_COVERAGE = 0.25
"""Share of a claim's content words below which evidence that is cited says nothing about the claim."""
UNITS = frozenset(map(str, (*range(13), 24, 30, 52, 60, 100, 365, 366, 1000)))
"""Numbers that a calculation may bring along: small counts, and what units and percentages are made of."""

LEFT_OUT = "left out, as most sources differ: "
"""How the problem begins that names a statement which was dropped."""

_SHARES = {
    r"\bhalf\b|\bполовин": Fraction(1, 2),
    r"\bquarters?\b|\bчетверт": Fraction(1, 4),
    r"\bthirds?\b|\bтрет": Fraction(1, 3),
    r"\bfifths?\b": Fraction(1, 5),
}
_NEGATION = re.compile(r"\b(?:not|no|never|none|neither|nor|without|не|ни|нет|никогда)\b|n['’]t\b", re.IGNORECASE)
_TEXT = re.compile(r"'((?:[^']|'')*)'")
_NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?![\w.])")
_CHOSEN = re.compile(r"\b(?:select|values)\b(.*?)(?:\bfrom\b|\Z)", re.IGNORECASE | re.DOTALL)
"""What a query selects: a number that stands there is the query's own, one in a condition or a limit is not."""


def check(
    draft: Draft, evidence: Sequence[Evidence], objective: str, history: History = MappingProxyType({})
) -> Candidate:
    """Check a draft against the evidence that its citations number from 1; `history` is that of its sources."""
    claims = tuple(check_claim(claim, evidence, objective) for claim in draft.claims)
    found = whole(draft.short, claims, evidence, objective, history)
    return replace(found, confidence=draft.confidence)


def whole(
    short: str,
    claims: Sequence[Claim],
    evidence: Sequence[Evidence],
    objective: str,
    history: History = MappingProxyType({}),
) -> Candidate:
    """Check an answer whose statements have been checked, as a whole: what is left of it, and what is wrong."""
    kept, differing, dropped = _without_odd(claims, evidence, history)
    told = tuple(each.told(russian=is_cyrillic(objective)) for each in differing)
    problems = [] if claims else ["the answer makes no statement"]
    problems += (verdict_problems if is_verdict(short) else short_problems)(short, kept, objective)
    problems += [f"nothing is said about: {part}" for part in unanswered(objective, kept)]
    return Candidate(short, kept, tuple(evidence), (*problems, *dropped), disagreements=told)


def _without_odd(
    claims: Sequence[Claim], evidence: Sequence[Evidence], history: History
) -> tuple[tuple[Claim, ...], list[Disagreement], list[str]]:
    """Drop claims whose number most other sources contradict, unless nothing would be left; say what was found."""
    found = {claim: disagreements(claim, evidence, history) for claim in claims if claim.status != "unsupported"}
    differing = [each for several in found.values() for each in several]
    odd = [claim for claim, several in found.items() if any(each.is_odd for each in several)]
    if len(odd) == len(claims):
        return tuple(claims), differing, ["most sources differ"] * bool(odd)
    kept = tuple(claim for claim in claims if claim not in odd)
    return kept, differing, [f"{LEFT_OUT}{claim.text}" for claim in odd]


def is_unknown(short: str) -> bool:
    """Say whether a short answer says that there is none."""
    return short.casefold().strip(" .!") in _UNKNOWN or _UNSAID.search(short) is not None


_UNSAID = re.compile(
    r"\bnot (?:provided|mentioned|given|stated|specified|said|found|known|available)\b"
    r"|\bне (?:найден|указан|упомянут|упомина|сказан|известн|определен|определён|сообща|говорится)"
    r"|\A(?:it|this|that|the answer) is (?:unknown|unclear)\b|\b(?:I|we) (?:do not|don['’]t) know\b"
    r"|\b(?:sources?|texts?|pages?|quotes?|evidence|it) (?:do|does)(?: not|n['’]t) (?:say|state|mention|specify)\b"
    r"|\A(?:cannot|can['’]t) be (?:determined|answered|found)\b|\A(?:there is )?no (?:information|data|answer)\b"
    r"|\A(?:это |ответ )?неизвест(?:но|ен)\b|\A(?:я )?не зна(?:ю|ем)\b"
    r"|\Aнет (?:данных|сведений|информации|ответа)\b",
    re.IGNORECASE,
)
_UNKNOWN = {"not found", "none", "unknown", "unclear", "n/a", "not mentioned", "not given"}


def is_verdict(short: str) -> bool:
    """Say whether a short answer is a bare yes or no, which no receipt can contain."""
    return bare(short) in YES | NO


def check_claim(claim: DraftClaim, evidence: Sequence[Evidence], objective: str) -> Claim:
    """Give a claim its receipts and its status; what is missing is named in `problem`.

    Names that the objective itself uses need no receipt for the status *derived*, unless the evidence has others in
    their place; numbers always do.
    """
    cited = _cited(claim, evidence)
    faults = claim_faults(claim, evidence, objective)
    if not content_words(claim.text) and not names(claim.text, openings=True):
        faults.append(Fault("added", "adds", "states nothing"))
    problem = "; ".join(dict.fromkeys(fault.text for fault in faults))
    support = tuple(_receipt(claim.text, item) for item in cited)
    if any(fault.kind != "citation" for fault in faults) or not cited:
        return Claim(claim.text, support, "unsupported", problem, _worst(faults), claim.row)
    status = _status(claim.text, cited)
    if status in ("derived", "queried") and not _is_related(claim.text, status, cited, objective):
        about = "the cited evidence is about something else"
        return Claim(claim.text, support, "unsupported", about, "adds", claim.row)
    return Claim(claim.text, support, status, problem, row=claim.row)


def claim_faults(claim: DraftClaim, evidence: Sequence[Evidence], objective: str) -> list[Fault]:
    """Return what is wrong with a claim and its citations, which number the evidence from 1."""
    cited = _cited(claim, evidence)
    dead = [number for number in claim.cites if not 1 <= number <= len(evidence)]
    faults = [Fault("citation", "adds", f"cites [{number}], which does not exist") for number in dead]
    if not cited:
        return [*faults, Fault("added", "adds", "cites no evidence")]
    texts = [_held(item, objective) for item in cited]
    queries = [_TEXT.sub(" ", item.sql) for item in cited if isinstance(item, Table)]
    among = passages(cited)
    faults += find_faults(claim.text, texts, among, objective, queries)
    if computed := [item for item in cited if isinstance(item, Computation)]:
        faults += find_miscounts(claim.text, computed, among, objective)
    return faults + [
        Fault("number", "adds", f"no receipt for {number} in the calculation")
        for item in cited
        for number in _unfounded(item, evidence, objective)
    ]


def _is_related(text: str, status: ClaimStatus, cited: Sequence[Evidence], objective: str) -> bool:
    """Say whether evidence is about the same thing: by words, else by meaning; across alphabets only by that."""
    queries = [item.sql for item in cited if isinstance(item, Table)]
    texts = [*(_held(item, objective) for item in cited), *queries]
    held = " ".join([*texts, *map(spelled_out, texts if queries else ())])
    prose = [passage.text for passage in passages(cited) if passage.is_prose]
    if prose and status == "derived" and is_across(text, held):
        return closest(text, prose)[0] >= CLOSE_ACROSS
    return word_coverage(text, held) >= RELATED_COVERAGE or says_alike(text, prose)


def _cited(claim: DraftClaim, evidence: Sequence[Evidence]) -> list[Evidence]:
    return [evidence[number - 1] for number in dict.fromkeys(claim.cites) if 1 <= number <= len(evidence)]


def _worst(faults: Sequence[Fault]) -> Wrong:
    """Return what is worst about a claim; one without any evidence adds all that it says."""
    order: tuple[Wrong, ...] = ("contradicts", "misreads", "adds")
    return next(wrong for wrong in order if wrong == "adds" or any(fault.wrong == wrong for fault in faults))


def _held(item: Evidence, objective: str) -> str:
    """Return the words of evidence that can be a receipt.

    Of a query result, the columns, what was read, and the figures of the question that the query's conditions use.
    """
    if not isinstance(item, Table):
        return searchable(item)
    rows = [
        [str(cell) for cell in row if not _is_literal(cell, item) or str(cell) in objective] for row in item.rows
    ]
    conditions = [figure for figure in re.findall(r"\d+", objective) if figure in item.sql]
    return "\n".join(" | ".join(row) for row in (item.columns, *rows, conditions))


def _is_literal(cell: Cell, table: Table) -> bool:
    """Say whether the query itself holds the value of a cell, so that the database need not have said it."""
    if isinstance(cell, str):
        return cell in {text.replace("''", "'") for text in _TEXT.findall(table.sql)}
    return str(cell) in {number for chosen in _CHOSEN.findall(table.sql) for number in _NUMBER.findall(chosen)}


def unfounded_numbers(expression: str, known: Sequence[str]) -> list[str]:
    """Return the numbers of an expression that stand in no known text and are none that a calculation may bring.

    A share may be written in other ways: where "40 %" is known, so are 40 (of 100), 0.4, 0.6 (the rest) and 1.4
    (the whole and a share), and "half" is 0.5.
    """
    shares = {number.value / 100 for text in known for number in numbers(text) if number.is_percent}
    shares |= {share for word, share in _SHARES.items() if any(re.search(word, text, re.I) for text in known)}
    derived = {value for share in shares for value in (share, 1 - share, 1 + share, 100 * share)}
    return [
        number
        for number in missing_numbers(expression, known)
        if number not in UNITS and not any(found.value in derived for found in numbers(number))
    ]


def _unfounded(item: Evidence, evidence: Sequence[Evidence], objective: str) -> list[str]:
    """Return the numbers of a computation that stand neither in the question nor in what was found before it."""
    if not isinstance(item, Computation):
        return []
    known = [objective]
    for other in evidence:
        unfounded = unfounded_numbers(_input(other), known)
        if other.id == item.id:
            return unfounded
        if not isinstance(other, Computation):
            known.append(_held(other, objective))
        elif not unfounded:
            known.append(plain_text(other))
    return []


def _input(item: Evidence) -> str:
    return item.expression if isinstance(item, Computation) else ""


def _status(text: str, cited: Sequence[Evidence]) -> ClaimStatus:
    for item in cited:
        if isinstance(item, Computation) and _is_result(item.decimal, text):
            return "computed"
    for item in cited:
        if isinstance(item, Table) and _cell_in(text, item) is not None:
            return "queried"
    for item in cited:
        if isinstance(item, Quote) and _stands_in(text, item):
            return "quoted"
    return "derived"


def _is_result(value: str, text: str) -> bool:
    """Say whether a text gives the result of a computation: its numbers, or the word that it is ("Sunday")."""
    if numbers(value):
        return not missing_numbers(value, [text])
    return re.search(rf"(?<!\w){re.escape(value.casefold())}(?!\w)", text.casefold()) is not None


def _stands_in(text: str, quote: Quote) -> bool:
    spans = [quote.text]
    return (
        not missing_numbers(text, spans)
        and not missing_names(text, [searchable(quote)])
        and word_coverage(text, searchable(quote)) >= QUOTED_COVERAGE
        and (_NEGATION.search(text) is None) == (_NEGATION.search(quote.text) is None)
        and _in_order(text, quote.text)
    )


def _in_order(text: str, quote: str) -> bool:
    """Say whether the names that both hold come in the same order: who is higher than whom depends on it."""
    folded, quoted = fold(text).casefold(), fold(quote).casefold()
    shared = {name for name in (fold(at.text).casefold() for at in names(quote, openings=True)) if name in folded}
    return sorted(shared, key=folded.index) == sorted(shared, key=quoted.index)


def _receipt(text: str, item: Evidence) -> Receipt:
    if isinstance(item, Table):
        place = _cell_in(text, item)
        return Receipt(item, place if place is not None else Whole())
    return Receipt(item)


def _cell_in(text: str, table: Table) -> CellAt | None:
    """Return the cell whose value stands in the text, words before figures, the longest first."""
    places = [
        (isinstance(cell, str), len(str(cell)), CellAt(number, column))
        for number, row in enumerate(table.rows)
        for column, cell in zip(table.columns, row, strict=True)
        if cell is not None and not _is_literal(cell, table) and _says(text, cell)
    ]
    return max(places, key=lambda place: place[:2])[2] if places else None


def _says(text: str, cell: str | int | float) -> bool:
    if not isinstance(cell, str):
        return bool(numbers(str(cell))) and not missing_numbers(str(cell), [text])
    value = re.escape(fold(cell).casefold())
    return bool(value) and re.search(rf"(?<!\w){value}(?!\w)", fold(text).casefold()) is not None
