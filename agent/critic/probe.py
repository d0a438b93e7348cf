"""What an answer hangs on: the source that, if missing, and the value that, if other, flips the verdict."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from crowquill.agent.answer import Answer, Claim, DraftClaim
from crowquill.agent.critic.agreement import voice
from crowquill.agent.critic.checks import check_claim
from crowquill.memory.amounts import amounts
from crowquill.memory.evidence import CellAt, Evidence, Quote, Table

Kind = Literal["source", "number", "cell"]


@dataclass(frozen=True, slots=True)
class Flip:
    """One change: what was removed or altered, and the statements that lose their receipts by it.

    `share` is the part of all statements with receipts that fall.
    """

    kind: Kind
    what: str
    lost: tuple[str, ...]
    share: float


@dataclass(frozen=True, slots=True)
class Probe:
    """All changes, the gravest first, and the distance to a flip: sources that must go before a statement falls.

    `carrier` is the one source on which every statement rests, "" when there is none.
    """

    flips: tuple[Flip, ...]
    distance: int
    carrier: str


def probe(answer: Answer) -> Probe:
    """Remove each source, change each quoted number and each cell with a receipt, and check all statements."""
    held = [claim for claim in answer.claims if claim.status != "unsupported"]
    sources = {_voice(item): None for item in answer.evidence}
    flips = [_flip("source", source, held, answer, partial(_without, source)) for source in sources]
    for item in answer.evidence:
        if isinstance(item, Quote):
            for what, new in _perturbed(item):
                flips.append(_flip("number", what, held, answer, partial(_swapped, item.id, new)))
    for receipt in dict.fromkeys(receipt for claim in held for receipt in claim.support):
        table, place = receipt.evidence, receipt.locator
        if isinstance(table, Table) and isinstance(place, CellAt):
            what, other = _with_other_cell(table, place)
            flips.append(_flip("cell", what, held, answer, partial(_swapped, table.id, other)))
    order = sorted(flips, key=lambda flip: -flip.share)
    carriers = [flip.what for flip in order if flip.kind == "source" and flip.share == 1.0 and held]
    distance = min((_voices(claim) for claim in held), default=0)
    return Probe(tuple(order), distance, carriers[0] if carriers and len(carriers) == 1 else "")


def _voice(item: Evidence) -> str:
    return voice(item) if isinstance(item, Quote) else item.kind


def _voices(claim: Claim) -> int:
    """Return how many sources carry a claim each by itself, at least 1."""
    alone = {
        _voice(receipt.evidence)
        for receipt in claim.support
        if check_claim(DraftClaim(claim.text, (1,)), [receipt.evidence], "").status != "unsupported"
    }
    return max(len(alone), 1)


def _flip(
    kind: Kind, what: str, held: Sequence[Claim], answer: Answer, change: Callable[[Evidence], Evidence | None]
) -> Flip:
    lost = [claim.text for claim in held if not _stands(claim, answer, change)]
    return Flip(kind, what, tuple(lost), len(lost) / len(held) if held else 0.0)


def _stands(claim: Claim, answer: Answer, change: Callable[[Evidence], Evidence | None]) -> bool:
    left = [changed for item in answer.evidence if (changed := change(item)) is not None]
    cited = {receipt.evidence.id for receipt in claim.support}
    kept = [item for item in answer.evidence if change(item) is not None]
    cites = tuple(number for number, item in enumerate(kept, 1) if item.id in cited)
    return check_claim(DraftClaim(claim.text, cites), left, answer.objective).status != "unsupported"


def _perturbed(item: Quote) -> list[tuple[str, Quote]]:
    """Return the quote with each of its numbers changed by one in the last digit, and what was changed."""
    found = []
    for amount in amounts(item.text):
        written = item.text[amount.start : amount.end]
        if other := _off_by_one(written):
            text = item.text[: amount.start] + other + item.text[amount.end :]
            found.append((f"{written} → {other} ({item.source.title})", replace(item, text=text)))
    return found


def _with_other_cell(table: Table, place: CellAt) -> tuple[str, Table]:
    """Return a table with another value in a cell (one more in the last digit, or nothing), and what it was."""
    column = table.columns.index(place.column)
    cells = list(table.rows[place.row])
    written = str(cells[column])
    cells[column] = other = _off_by_one(written)
    rows = (*table.rows[: place.row], tuple(cells), *table.rows[place.row + 1 :])
    return f"{written} → {other or 'nothing'} ({place.column})", replace(table, rows=rows)


def _off_by_one(written: str) -> str:
    """Return what is written with its last digit one higher (9 becomes 0), "" when there is none."""
    digit = next((at for at in reversed(range(len(written))) if written[at].isdecimal()), None)
    return "" if digit is None else f"{written[:digit]}{(int(written[digit]) + 1) % 10}{written[digit + 1 :]}"


def _without(source: str, item: Evidence) -> Evidence | None:
    return None if _voice(item) == source else item


def _swapped(old: str, new: Evidence, item: Evidence) -> Evidence | None:
    return new if item.id == old else item
