"""Answers: claims with their receipts, and what became of a run."""

from dataclasses import dataclass
from typing import Any, Literal

from crowquill.agent.answer_html import answer_html
from crowquill.agent.models.base import Usage
from crowquill.memory.evidence import Evidence, Receipt, Source

ClaimStatus = Literal["quoted", "computed", "queried", "derived", "unsupported"]

Wrong = Literal["", "contradicts", "misreads", "adds"]
"""What is wrong with a claim: the evidence says otherwise, says it of something else, or does not say it."""

Stopped = Literal["answered", "not_found", "refused", "budget", "stalled", "paused", "cancelled", "error"]


Row = tuple[tuple[str, str], ...]
"""A row of a table that an answer holds: pairs of column and cell."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One statement with its receipts.

    The status is set by code: *quoted* (numbers, names and most content words stand in one cited span),
    *computed*, *queried*, *derived* (every number and name has a receipt, the wording is the model's) or
    *unsupported*. `problem` says what is missing, when something is, and `wrong` in which way. A `row` of a table
    is a statement, too: `text` reads it with the names of its columns.
    """

    text: str
    support: tuple[Receipt, ...] = ()
    status: ClaimStatus = "unsupported"
    problem: str = ""
    wrong: Wrong = ""
    row: Row = ()


@dataclass(frozen=True, slots=True)
class DraftClaim:
    """A statement as the model wrote it: `cites` are evidence numbers, from 1."""

    text: str
    cites: tuple[int, ...]
    row: Row = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """What an `answer` action carries, before any check."""

    short: str
    claims: tuple[DraftClaim, ...]
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Grade:
    """What a judging model thinks by one criterion, from -1 to 1."""

    criterion: str
    value: float
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Objection:
    """What speaks against an answer, as a judging model puts it, and the evidence in which code has found it."""

    text: str
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A checked draft: what may become the answer. `problems` are findings about the whole.

    `disagreements` say where another source gives another number, `judged` is a model's opinion from -1 to 1;
    `remembered`: a model that was asked without evidence says the same.
    """

    short: str
    claims: tuple[Claim, ...]
    evidence: tuple[Evidence, ...]
    problems: tuple[str, ...] = ()
    confidence: float | None = None
    disagreements: tuple[str, ...] = ()
    judged: float | None = None
    grades: tuple[Grade, ...] = ()
    remembered: bool = False
    objection: Objection | None = None


@dataclass(frozen=True, slots=True)
class Accept:
    """The candidate can stand."""

    kind: Literal["accept"] = "accept"


@dataclass(frozen=True, slots=True)
class Revise:
    """The candidate has claims without receipts; they are marked."""

    why: str
    kind: Literal["revise"] = "revise"


@dataclass(frozen=True, slots=True)
class Stop:
    """There is no answer to be had."""

    why: str
    kind: Literal["stop"] = "stop"


Verdict = Accept | Revise | Stop


@dataclass(frozen=True, slots=True)
class Reward:
    """The score of an answer: one real number, larger is better, and the weighted parts it is the sum of."""

    total: float
    parts: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate's place: its number in order of making, short answer, reward, and score under the strategy.

    The score is None for a candidate that has no answer; `why` says what became of it.
    """

    number: int
    short: str
    reward: float
    score: float | None
    stopped: Stopped
    why: str = ""


@dataclass(frozen=True, slots=True)
class Selection:
    """How an answer was chosen: by which strategy, among which candidates (best first), and why this one."""

    strategy: str
    candidates: tuple[Ranked, ...]
    why: str


@dataclass(frozen=True, slots=True)
class Output:
    """An answer as data, in the form that was asked for: what fits a schema, or `rows` of a table.

    `receipts` are pairs of a JSON pointer into `data` and the numbers of the evidence that holds the value there;
    `missing` are pointers to values that no evidence holds.
    """

    format: str
    data: Any
    receipts: tuple[tuple[str, tuple[int, ...]], ...] = ()
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """The result of a run.

    `short` is the bare answer (a name, a number, yes or no), empty when nothing was found. `text` is the
    whole answer with citations `[1]`; `evidence` holds what the citations number, from 1. `seconds` and
    `usage` are what the run has cost; `stopped` says why it ended, `open` what it leaves undone; `selection` how
    it was chosen when there were several candidates, `output` the answer in the form that was asked for,
    `disagreements` where the sources do not agree, `grades` what a judging model thinks. `problems` are findings
    about the whole, `carrier` is the one source on which every statement rests, if it is one, and `translations`
    are a model's, of quotes in another language: pairs of the number of the evidence and the text. `objection` is
    what a judging model has found against the answer, None without any.
    """

    text: str
    short: str
    claims: tuple[Claim, ...]
    sources: tuple[Source, ...]
    reward: Reward
    verdict: Verdict
    evidence: tuple[Evidence, ...]
    usage: Usage
    seconds: float
    stopped: Stopped
    run_id: str
    objective: str
    why: str = ""
    open: tuple[str, ...] = ()
    selection: Selection | None = None
    disagreements: tuple[str, ...] = ()
    grades: tuple[Grade, ...] = ()
    output: Output | None = None
    problems: tuple[str, ...] = ()
    carrier: str = ""
    translations: tuple[tuple[int, str], ...] = ()
    objection: Objection | None = None

    @property
    def ok(self) -> bool:
        """Whether the objective was answered."""
        return self.stopped == "answered"

    def __str__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        """Return the answer for a notebook."""
        return answer_html(self)
