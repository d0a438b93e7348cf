"""Snapshots: the immutable text of a fetched page, divided into lines.

A line is a sentence, list item, heading or table row (at most `MAX_LINE` characters, else split at a
clause). Lines do not depend on any window width, and offsets count Unicode code points.
"""

import json
from bisect import bisect_right
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Literal

from crowquill.memory.evidence import Quote, Source, SourceKind, digest

MAX_LINE = 300

LineKind = Literal["text", "heading", "item", "row", "code", "quote"]


@dataclass(frozen=True, slots=True)
class Line:
    """One line: `text[start:end]` of the snapshot.

    `level` is 1–6 for headings, nesting depth for items, 1 for the head of a table. `mark` is what stands
    before an item, such as "-" or "3."; further lines of it have none.
    """

    start: int
    end: int
    kind: LineKind = "text"
    level: int = 0
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """A numbered link (from 1) that stands in `line` (from 1) and leads to the absolute `url`.

    Its words begin at `start` in the text of the snapshot.
    """

    number: int
    text: str
    url: str
    line: int
    start: int = 0


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a form: what is sent under `name`; `label` names it for people, empty when it is not filled in."""

    name: str
    value: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """A numbered form (from 1) that stands before or in `line` and sends its fields to the absolute `url`."""

    number: int
    line: int
    url: str
    method: str
    fields: tuple[Field, ...] = ()


@dataclass(frozen=True)
class Snapshot:
    """The canonical text of one page as it was at one moment.

    `hidden` counts the characters of invisible text that were dropped. `raw_sha256` is the hash of the bytes.
    The first `main` lines are what the page is about, the others are its navigation, header and footer; None when
    nothing tells them apart. `pages` has the first line of each page of a PDF; `anchors` are (id, line) of places
    that links lead to. `needs_script`: the page is a shell that JavaScript fills.
    """

    url: str
    title: str
    text: str
    lines: tuple[Line, ...]
    links: tuple[Link, ...] = ()
    kind: SourceKind = "web"
    media_type: str = "text/html"
    fetched_at: str = ""
    raw_sha256: str = ""
    renderer: str = ""
    hidden: int = 0
    trust: float = 0.5
    main: int | None = None
    pages: tuple[int, ...] = ()
    anchors: tuple[tuple[str, int], ...] = ()
    forms: tuple[Form, ...] = ()
    needs_script: bool = False

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the canonical text."""
        return digest(self.text)

    @property
    def source(self) -> Source:
        """The source that quotes of this snapshot carry."""
        return Source(
            url=self.url,
            title=self.title,
            fetched_at=self.fetched_at,
            sha256=self.sha256,
            kind=self.kind,
            trust=self.trust,
            raw_sha256=self.raw_sha256,
            renderer=self.renderer,
        )

    @property
    def main_lines(self) -> int:
        """How many lines the main part has."""
        return len(self.lines) if self.main is None else self.main

    @property
    def main_text(self) -> str:
        """The text of the main part."""
        return self.text[: self.lines[self.main_lines - 1].end] if self.main_lines else ""

    def page_of(self, line: int) -> int | None:
        """Return the page of a PDF (from 1) on which a line stands; None for what has no pages."""
        return bisect_right(self.pages, line) if self.pages else None

    def line_text(self, number: int) -> str:
        """Return line `number` (from 1)."""
        line = self.lines[number - 1]
        return self.text[line.start : line.end]

    def quote(self, first: int, last: int) -> Quote:
        """Copy lines `first` to `last` (from 1, inclusive) verbatim.

        Raises:
            IndexError: a line is outside the page, or the range is empty.
        """
        if not 1 <= first <= last <= len(self.lines):
            raise IndexError(f"lines {first}-{last} are outside 1-{len(self.lines)}")
        start, end = self.lines[first - 1].start, self.lines[last - 1].end
        return Quote(self.text[start:end], self.source, start, end, (first, last), self.page_of(first))

    def to_json(self) -> str:
        """Serialise; `from_json` restores an equal value."""
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, data: str) -> "Snapshot":
        """Restore what `to_json` wrote."""
        fields = json.loads(data)
        fields["lines"] = tuple(Line(**line) for line in fields["lines"])
        fields["links"] = tuple(Link(**link) for link in fields["links"])
        fields["pages"] = tuple(fields.get("pages", ()))
        fields["anchors"] = tuple((name, line) for name, line in fields.get("anchors", ()))
        fields["forms"] = tuple(
            Form(**{**form, "fields": tuple(Field(**field) for field in form["fields"])})
            for form in fields.get("forms", ())
        )
        return cls(**fields)
