"""Evidence as a report shows it: a quote in its page, a computation, a table with its cited cells."""

from collections.abc import Sequence
from dataclasses import dataclass

from crowquill.agent.answer import Claim
from crowquill.errors import StorageError
from crowquill.memory.blobs import BlobStore
from crowquill.memory.evidence import CellAt, Computation, Evidence, Quote, Source, Table
from crowquill.tools.sql.words import in_words

_AROUND = 700
"""Characters of the page shown before and after a quote."""
_LONGEST_PAGE = 60_000
"""Characters of a page that are shown around the first and last quote of it."""
_ROWS = 50


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text; `mark` is the number of the receipt that quotes it, 0 for what nothing quotes."""

    text: str
    mark: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table: its cells, each with whether it is cited."""

    cells: tuple[tuple[str, bool], ...]


@dataclass(frozen=True, slots=True)
class ReceiptView:
    """One piece of evidence, numbered as the answer cites it.

    `pieces` is the quote in its surroundings, `page` the number of its page among the snapshots (0: it is not
    there any more); `rows` are those of a table, `hidden_rows` how many more there are; `cited_by` are the numbers
    of the statements that rest on it.
    """

    number: int
    evidence: Evidence
    cited_by: tuple[int, ...]
    pieces: tuple[Piece, ...] = ()
    page: int = 0
    inputs: tuple[int, ...] = ()
    rows: tuple[Row, ...] = ()
    hidden_rows: int = 0
    words: str = ""


@dataclass(frozen=True, slots=True)
class PageView:
    """A snapshot with all its quotes marked; `cut` when only the part around them is shown."""

    number: int
    source: Source
    pieces: tuple[Piece, ...]
    cut: bool


class Receipts:
    """The evidence of a report, and the pages that it stands in."""

    def __init__(self, evidence: Sequence[Evidence], claims: Sequence[Claim], blobs: BlobStore) -> None:
        self._evidence = evidence
        self._claims = claims
        self._numbers = {item.id: number for number, item in enumerate(evidence, 1)}
        self._texts = _load_texts(evidence, blobs)
        self.pages = tuple(self._page(number, sha256) for number, sha256 in enumerate(self._texts, 1))
        self.views = tuple(self._view(number, item) for number, item in enumerate(evidence, 1))

    def number(self, evidence: Evidence) -> int:
        """Return the number by which evidence is cited; 0 when the answer does not hold it."""
        return self._numbers.get(evidence.id, 0)

    def _view(self, number: int, item: Evidence) -> ReceiptView:
        cited_by = tuple(
            place
            for place, claim in enumerate(self._claims, 1)
            if any(receipt.evidence.id == item.id for receipt in claim.support)
        )
        match item:
            case Quote():
                pages = list(self._texts)
                page = pages.index(item.source.sha256) + 1 if item.source.sha256 in self._texts else 0
                return ReceiptView(number, item, cited_by, self._around(number, item), page)
            case Computation():
                inputs = tuple(self.number(receipt.evidence) for receipt in item.inputs)
                return ReceiptView(number, item, cited_by, inputs=tuple(filter(None, inputs)))
            case Table():
                rows, hidden = self._rows(item)
                words = in_words(item.sql)
                return ReceiptView(number, item, cited_by, rows=rows, hidden_rows=hidden, words=words)

    def _around(self, number: int, quote: Quote) -> tuple[Piece, ...]:
        """Return the quote with what stands before and after it, cut at white space."""
        text = self._texts.get(quote.source.sha256, "")
        if text[quote.start : quote.end] != quote.text:
            return (Piece(quote.text, number),)
        start = _word_start(text, max(0, quote.start - _AROUND))
        end = _word_end(text, min(len(text), quote.end + _AROUND))
        before, after = (
            "… " * (start > 0) + text[start : quote.start],
            text[quote.end : end] + " …" * (end < len(text)),
        )
        return (Piece(before), Piece(quote.text, number), Piece(after))

    def _page(self, number: int, sha256: str) -> PageView:
        """Return a page with its quotes marked; of two that overlap, the later from where the first ends."""
        text = self._texts[sha256]
        quotes = [
            (item.start, item.end, place, item)
            for place, item in enumerate(self._evidence, 1)
            if isinstance(item, Quote) and item.source.sha256 == sha256
        ]
        quotes.sort(key=lambda entry: entry[:3])
        middle = (quotes[0][0] + max(end for _, end, _, _ in quotes)) // 2
        low = max(0, min(middle - _LONGEST_PAGE // 2, len(text) - _LONGEST_PAGE))
        high = min(len(text), low + _LONGEST_PAGE)
        pieces: list[Piece] = []
        at = low
        for start, end, place, _ in quotes:
            start, end = max(start, at), min(end, high)
            if start < end:
                pieces += [Piece(text[at:start]), Piece(text[start:end], place)]
                at = end
        pieces.append(Piece(text[at:high]))
        source = quotes[0][3].source
        return PageView(number, source, tuple(piece for piece in pieces if piece.text), high - low < len(text))

    def _rows(self, table: Table) -> tuple[tuple[Row, ...], int]:
        """Return the first rows and those with cited cells."""
        cited = {
            (receipt.locator.row, receipt.locator.column)
            for claim in self._claims
            for receipt in claim.support
            if receipt.evidence.id == table.id and isinstance(receipt.locator, CellAt)
        }
        shown = [at for at in range(len(table.rows)) if at < _ROWS or any(row == at for row, _ in cited)]
        rows = tuple(
            Row(
                tuple(
                    ("" if cell is None else str(cell), (at, column) in cited)
                    for column, cell in zip(table.columns, table.rows[at], strict=True)
                )
            )
            for at in shown
        )
        return rows, len(table.rows) - len(shown)


def _load_texts(evidence: Sequence[Evidence], blobs: BlobStore) -> dict[str, str]:
    """Return the texts of the pages that are quoted, in the order of citation, less those that are gone."""
    texts: dict[str, str] = {}
    for item in evidence:
        if isinstance(item, Quote) and item.source.sha256 not in texts:
            try:
                text = blobs.get(item.source.sha256).decode("utf-8", "surrogatepass")
            except (StorageError, UnicodeDecodeError):
                continue
            if text[item.start : item.end] == item.text:
                texts[item.source.sha256] = text
    return texts


def _word_start(text: str, at: int) -> int:
    space = text.find(" ", at, at + 40)
    return at if at == 0 or space < 0 else space + 1


def _word_end(text: str, at: int) -> int:
    space = text.rfind(" ", at - 40, at)
    return at if at == len(text) or space < 0 else space
