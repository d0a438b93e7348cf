"""What the memory holds: evidence, and notes that name the evidence they rest on.

A record is one of these with what is known about it: where it came from, how far it is trusted and why, whether it
is recalled or shelved.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError

from crowquill.errors import StorageError
from crowquill.memory.evidence import Evidence, content_id, plain_text

NoteKind = Literal["answer", "insight", "lesson", "skill", "note"]
"""`answer`: the answer of a run that passed its checks; `insight`: what several records say together; `lesson`: a
person's correction; `skill`: the plan of a successful run; `note`: what a person wrote down."""

Kind = Literal["quote", "computation", "table", "answer", "insight", "lesson", "skill", "note"]
Status = Literal["active", "shelved"]
Author = Literal["run", "person", "import"]


@dataclass(frozen=True, slots=True)
class Note:
    """Words that the memory keeps beside evidence. They are never a receipt: `cites` are the ids of what is.

    `level` is 0, for an insight one more than the highest of what it cites; `steps` are the goals of a plan.
    """

    kind: NoteKind
    text: str
    title: str = ""
    cites: tuple[str, ...] = ()
    level: int = 0
    steps: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """Content hash of kind, words and what they rest on."""
        return content_id("n", self.kind, self.text, self.title, self.cites, self.steps)


Content = Evidence | Note


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a record comes from and how it is kept.

    `namespace` groups records ("" is what runs find); `title` replaces that of the source; `trust` is the trust at
    the beginning, strictly between 0 and 1, that of the source when None; `expires_at` is ISO 8601 in UTC.
    """

    run: str = ""
    task: str = ""
    question: str = ""
    author: Author = "run"
    namespace: str = ""
    title: str | None = None
    importance: float = 0.5
    trust: float | None = None
    expires_at: str | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """Something remembered. `seq` grows with every new record; times are ISO 8601 in UTC.

    `upheld` and `doubted` count what has spoken for and against it; `copies` counts the near-duplicates that were
    merged into it; `why` says why it was shelved. `merged_into` is the record that is recalled in its place.
    """

    seq: int
    content: Content
    text: str
    title: str
    prior: float
    created_at: str
    namespace: str = ""
    author: Author = "run"
    status: Status = "active"
    why: str = ""
    importance: float = 0.5
    upheld: int = 0
    doubted: int = 0
    copies: int = 0
    merged_into: int | None = None
    used_at: str | None = None
    uses: int = 0
    expires_at: str | None = None
    url: str = ""

    @property
    def trust(self) -> float:
        """How far it is trusted now (see `trust`)."""
        return trust(self.prior, self.upheld, self.doubted)


_PRIOR_WEIGHT = 4
"""Confirmations that outweigh the trust in a source as it was at the beginning."""


def trust(prior: float, upheld: int, doubted: int) -> float:
    """Return the mean of a Beta distribution that began at `prior`: strictly inside (0, 1), as `prior` is."""
    return (_PRIOR_WEIGHT * prior + upheld) / (_PRIOR_WEIGHT + upheld + doubted)


def text_of(content: Content) -> str:
    """Return the words and figures of a record."""
    return content.text if isinstance(content, Note) else plain_text(content)


def decode(data: Mapping[str, Any]) -> Content:
    """Restore what `evidence_json.encode` gave for evidence or a note. Raises StorageError."""
    try:
        return _adapter().validate_python(dict(data))
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise StorageError(f"a stored record cannot be read: {where}: {error.errors()[0]['msg']}") from None


@cache
def _adapter() -> TypeAdapter[Content]:
    return TypeAdapter(Annotated[Content, Field(discriminator="kind")])


@dataclass(frozen=True, slots=True)
class Filter:
    """Which records are meant: all conditions that are set must hold.

    `source` is a part of the URL or title; `since` and `until` bound the time of storing (ISO 8601, `until` itself
    left out); `run` has met the record, `unmet_by` has not. Shelved, merged and expired records are left out unless
    `shelved`.
    """

    kinds: frozenset[Kind] = frozenset()
    namespaces: frozenset[str] = frozenset()
    source: str = ""
    since: str = ""
    until: str = ""
    run: str = ""
    unmet_by: str = ""
    without: frozenset[str] = field(default_factory=frozenset)
    shelved: bool = False
