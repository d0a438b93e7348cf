"""Checks by code: what each claim rests on, and whether it stands there."""

from collections.abc import Sequence

from crowquill.agent.answer import Candidate, Claim, ClaimStatus, Draft, DraftClaim
from crowquill.agent.critic.grounding import searchable
from crowquill.memory.evidence import CellAt, Computation, Evidence, Quote, Receipt, Table, Whole
from crowquill.memory.textual import fold
from crowquill.memory.verify import missing_dates, missing_names, missing_numbers, word_coverage

QUOTED_COVERAGE = 0.6
"""Share of a claim's content words that must stand in one cited span for the status *quoted*."""
RELATED_COVERAGE = 0.25
"""Share of a claim's content words below which evidence that is cited says nothing about the claim."""


def check(draft: Draft, evidence: Sequence[Evidence], objective: str) -> Candidate:
    """Check a draft against the evidence that its citations number from 1."""
    claims = tuple(check_claim(claim, evidence, objective) for claim in draft.claims)
    problems = [] if claims else ["the answer makes no statement"]
    if not is_verdict(draft.short):
        texts = [searchable(receipt.evidence) for claim in claims for receipt in claim.support]
        problems += [
            f"no receipt for {number} in the short answer" for number in missing_numbers(draft.short, texts)
        ]
        problems += [
            f"no receipt for {name} in the short answer" for name in missing_names(draft.short, [*texts, objective])
        ]
    return Candidate(draft.short, claims, tuple(evidence), tuple(problems), draft.confidence)


def is_verdict(short: str) -> bool:
    """Say whether a short answer is a bare yes or no, which no receipt can contain."""
    return short.casefold().strip(" .!") in {"yes", "no", "да", "нет", "true", "false"}


def check_claim(claim: DraftClaim, evidence: Sequence[Evidence], objective: str) -> Claim:
    """Give a claim its receipts and its status; what is missing is named in `problem`.

    Names that the objective itself uses need no receipt for the status *derived*; numbers always do.
    """
    invented = [number for number in claim.cites if not 1 <= number <= len(evidence)]
    cited = [evidence[number - 1] for number in dict.fromkeys(claim.cites) if 1 <= number <= len(evidence)]
    texts = [searchable(item) for item in cited]
    missing = [*missing_numbers(claim.text, texts), *missing_dates(claim.text, texts)]
    missing += missing_names(claim.text, [*texts, objective])
    problem = _problem(invented, cited, missing)
    support = tuple(_receipt(claim.text, item) for item in cited)
    if not cited or missing:
        return Claim(claim.text, support, "unsupported", problem)
    status = _status(claim.text, cited)
    if status == "derived" and word_coverage(claim.text, " ".join(texts)) < RELATED_COVERAGE:
        return Claim(claim.text, support, "unsupported", "the cited evidence is about something else")
    return Claim(claim.text, support, status, problem)


def _problem(invented: list[int], cited: list[Evidence], missing: list[str]) -> str:
    found = [f"cites [{number}], which does not exist" for number in invented]
    if not cited:
        found.append("cites no evidence")
    else:
        found += [f"no receipt for {part}" for part in missing]
    return "; ".join(found)


def _status(text: str, cited: Sequence[Evidence]) -> ClaimStatus:
    for item in cited:
        if isinstance(item, Computation) and not missing_numbers(item.decimal, [text]):
            return "computed"
    for item in cited:
        if isinstance(item, Table) and _cell_in(text, item) is not None:
            return "queried"
    for item in cited:
        if isinstance(item, Quote) and _stands_in(text, item):
            return "quoted"
    return "derived"


def _stands_in(text: str, quote: Quote) -> bool:
    spans = [quote.text]
    return (
        not missing_numbers(text, spans)
        and not missing_names(text, [searchable(quote)])
        and word_coverage(text, searchable(quote)) >= QUOTED_COVERAGE
    )


def _receipt(text: str, item: Evidence) -> Receipt:
    if isinstance(item, Table):
        place = _cell_in(text, item)
        return Receipt(item, place if place is not None else Whole())
    return Receipt(item)


def _cell_in(text: str, table: Table) -> CellAt | None:
    """Return the first cell whose value stands in the text."""
    folded = fold(text).casefold()
    for number, row in enumerate(table.rows):
        for column, cell in zip(table.columns, row, strict=True):
            if cell is None or cell == "":
                continue
            if isinstance(cell, int | float):
                if not missing_numbers(str(cell), [text]):
                    return CellAt(number, column)
            elif fold(cell).casefold() in folded:
                return CellAt(number, column)
    return None
