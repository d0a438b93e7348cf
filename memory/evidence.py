"""Evidence: what a statement can be checked against.

Evidence values are frozen and carry no run, task or time of storage: those belong to the store. An id is
computed from the content, so the same quote found twice is the same quote.
"""

import hashlib
import json
from dataclasses import dataclass
from functools import singledispatch
from typing import Literal

SourceKind = Literal["web", "corpus", "database", "computation"]


def digest(text: str) -> str:
    """Return the SHA-256 of the UTF-8 text, in hexadecimal."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def content_id(prefix: str, *parts: object) -> str:
    """Return an id that equal content has, wherever it was found."""
    return prefix + digest(json.dumps(parts, ensure_ascii=False, separators=(",", ":")))[:15]


@dataclass(frozen=True, slots=True)
class Source:
    """Where a quote stands.

    `sha256` is of the canonical UTF-8 text (the snapshot), `raw_sha256` of the bytes that were fetched, and
    `renderer` names the version that turned one into the other. `trust` lies strictly between 0 and 1.
    """

    url: str
    title: str
    fetched_at: str
    sha256: str
    kind: SourceKind = "web"
    trust: float = 0.5
    raw_sha256: str = ""
    renderer: str = ""

    def __post_init__(self) -> None:
        if not 0.0 < self.trust < 1.0:
            raise ValueError(f"trust must lie strictly between 0 and 1, not {self.trust}")


@dataclass(frozen=True, slots=True)
class Quote:
    """A verbatim span of a snapshot.

    `start` and `end` are offsets in Unicode code points into the snapshot's canonical text; `lines` are the
    first and last line number (from 1); `page` is the page of a PDF, else None.
    """

    text: str
    source: Source
    start: int
    end: int
    lines: tuple[int, int]
    page: int | None = None
    kind: Literal["quote"] = "quote"

    @property
    def id(self) -> str:
        """Content hash of snapshot and span."""
        return content_id("q", self.source.sha256, self.start, self.end)


@dataclass(frozen=True, slots=True)
class Computation:
    """A computed value: what was understood, the exact result, and a decimal rendering.

    `inputs` are the receipts of the numbers that went in, where the caller named them.
    """

    expression: str
    exact: str
    decimal: str
    unit: str = ""
    inputs: tuple["Receipt", ...] = ()
    kind: Literal["computation"] = "computation"

    @property
    def id(self) -> str:
        """Content hash of expression and result."""
        return content_id("c", self.expression, self.exact, self.unit)


Cell = str | int | float | None


@dataclass(frozen=True, slots=True)
class Table:
    """The result of a query. `rows` holds at most the tool's cap; `row_count` counts the rows held."""

    sql: str
    database: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    row_count: int
    truncated: bool = False
    kind: Literal["table"] = "table"

    @property
    def id(self) -> str:
        """Content hash of query and cells."""
        return content_id("t", self.sql, self.database, self.columns, self.rows)


Evidence = Quote | Computation | Table


@dataclass(frozen=True, slots=True)
class Span:
    """Offsets in code points inside a quote's text."""

    start: int
    end: int
    kind: Literal["span"] = "span"


@dataclass(frozen=True, slots=True)
class CellAt:
    """A cell of a table: row number from 0, and column name."""

    row: int
    column: str
    kind: Literal["cell"] = "cell"


@dataclass(frozen=True, slots=True)
class Whole:
    """All of the evidence."""

    kind: Literal["whole"] = "whole"


Locator = Span | CellAt | Whole


@dataclass(frozen=True, slots=True)
class Receipt:
    """Evidence and the place in it that carries the statement."""

    evidence: Evidence
    locator: Locator = Whole()


@singledispatch
def plain_text(evidence: object) -> str:
    """Return the words and figures of a piece of evidence, for matching and for views."""
    raise TypeError(f"not evidence: {type(evidence).__name__}")


@plain_text.register
def _(evidence: Quote) -> str:
    return evidence.text


@plain_text.register
def _(evidence: Computation) -> str:
    unit = f" {evidence.unit}" if evidence.unit else ""
    decimal = "" if evidence.exact == evidence.decimal else f" ≈ {evidence.decimal}"
    stands_for = ":" if any(sign in evidence.exact for sign in "=<>") else " ="  # solutions say "x = 2" themselves
    return f"{evidence.expression}{stands_for} {evidence.exact}{decimal}{unit}"


@plain_text.register
def _(evidence: Table) -> str:
    rows = [evidence.columns, *evidence.rows]
    return "\n".join(" | ".join("" if cell is None else str(cell) for cell in row) for row in rows)
