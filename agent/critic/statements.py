"""What a model writes as one statement may be several: sentences, items of a list, rows of a table.

Each is checked by itself. A row of a Markdown table is read with its header, cell by cell ("river: Danube; length:
2,850 km"), and keeps its cells, so that the answer can show the table again.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from crowquill.agent.answer import Draft, DraftClaim, Row
from crowquill.memory.textual import split_sentences
from crowquill.memory.unit_words import UNITS

_RULE = re.compile(r"\s*\|?\s*:?-{1,}:?\s*(?:\|\s*:?-{1,}:?\s*)*\|?\s*")
_BAR = re.compile(r"(?<!\\)\|")
_ITEM = re.compile(r"\A\s*(?:[-*•–]|\d{1,2}[.)])\s+")
_HEADING = re.compile(r"\s*#{1,6}\s")
_CITES = re.compile(r"\s*\[(\d{1,3}(?:\s*,\s*\d{1,3})*)\]")
_IN_UNIT = re.compile(r"\s*[(\[]([^()\[\]]{1,12})[)\]]\s*\Z")
_BARE_NUMBER = re.compile(r"[≈~+−-]?\s?\d[\d\s.,]*")


def separated(draft: Draft) -> Draft:
    """Return the draft with a claim for each sentence, item and row."""
    return replace(draft, claims=tuple(part for claim in draft.claims for part in statements(claim)))


def statements(claim: DraftClaim) -> list[DraftClaim]:
    """Return the statements that a claim consists of; each has its citations unless a row brings its own."""
    if claim.row or ("\n" not in claim.text and len(split_sentences(claim.text)) < 2):
        return [claim]
    found: list[DraftClaim] = []
    prose: list[str] = []
    lines = claim.text.splitlines()
    at = 0
    while at < len(lines):
        if at + 1 < len(lines) and "|" in lines[at] and "|" in lines[at + 1] and _RULE.fullmatch(lines[at + 1]):
            found += _sentences(prose, claim)
            prose, end = [], at + 2
            while end < len(lines) and "|" in lines[end]:
                end += 1
            found += _rows(_cells(lines[at]), lines[at + 2 : end], claim)
            at = end
            continue
        if _HEADING.match(lines[at]) or _ITEM.match(lines[at]) or not lines[at].strip():
            found += _sentences(prose, claim)
            prose = []
        if not _HEADING.match(lines[at]):
            prose.append(_ITEM.sub("", lines[at], count=1))
        at += 1
    return [*found, *_sentences(prose, claim)]


def _sentences(lines: Sequence[str], claim: DraftClaim) -> list[DraftClaim]:
    """Return the sentences of some lines; what only announces a list or table states nothing."""
    text = " ".join(line.strip() for line in lines)
    found = [text[start:end] for start, end in split_sentences(text)]
    return [replace(claim, text=sentence) for sentence in found if not sentence.endswith(":")]


def _rows(header: Sequence[str], lines: Sequence[str], claim: DraftClaim) -> Iterator[DraftClaim]:
    for line in lines:
        cells = _cells(line)
        cites = [int(number) for found in _CITES.findall(line) for number in found.split(",")]
        row = tuple(zip(header, [_CITES.sub("", cell).strip() for cell in cells], strict=False))
        if any(cell for _, cell in row):
            yield DraftClaim(_bound(row), tuple(dict.fromkeys(cites)) if cites else claim.cites, row)


def _cells(line: str) -> list[str]:
    bare = line.strip().removeprefix("|").removesuffix("|")
    return [cell.replace("\\|", "|").strip(" *") for cell in _BAR.split(bare)]


def _bound(row: Row) -> str:
    """Return a row as a sentence; where the first column has no name, the others are what the rows tell about."""
    if row[0][0]:
        return "; ".join(_said(_label(name), cell) for name, cell in row if cell)
    label = _label(row[0][1])
    return "; ".join(_said(f"{name} {label}", cell) for name, cell in row[1:] if cell)


def _said(label: str, cell: str) -> str:
    """Return a cell behind its label; a unit that stands in the label belongs to the number."""
    unit = _IN_UNIT.search(label)
    if unit is not None and (unit[1].lower() in UNITS or unit[1] == "%") and _BARE_NUMBER.fullmatch(cell):
        return f"{label[: unit.start()]}: {cell} {unit[1]}"
    return f"{label}: {cell}" if label else cell


def _label(name: str) -> str:
    """Return the name of a column as no proper name would be written."""
    return " ".join(word if word.isupper() and len(word) > 1 else word.lower() for word in name.split())
