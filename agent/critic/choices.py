"""What people have chosen: one line of JSON for each two answers, with the fields of OpenAI's WebGPT comparisons.

`question` (`full_text`), `quotes_0` and `quotes_1` (`title` and `extract`), `answer_0`, `answer_1`, `score_0` and
`score_1`: the scores are −1, −0.5, 0, 0.5 or 1 and sum to 0. Source of the fields: Nakano et al., "WebGPT",
arXiv:2112.09332, and its data set `webgpt_comparisons`. Ours in addition: `runs`, `first` (which of the two was
shown first) and `by`.
"""

import json
import os
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from crowquill.agent.answer import Answer, Candidate, Draft, DraftClaim
from crowquill.agent.critic.checks import check
from crowquill.agent.critic.reward import features
from crowquill.agent.critic.statements import statements
from crowquill.agent.writer import DISAGREE, NO_RECEIPT, UNKNOWN
from crowquill.errors import UserError
from crowquill.memory.evidence import Evidence, Quote, Source, digest, plain_text
from crowquill.memory.forget import erase
from crowquill.memory.owned import open_own, own_folder

FILE = "comparisons.jsonl"
LEVELS: tuple[float, ...] = (-1.0, -0.5, 0.0, 0.5, 1.0)
"""Score of the second answer: from "the first is much better" to "the second is much better"."""
MAX_LINE = 2_000_000
_TIE = 1e-9
By = Literal["choice", "acceptance", "edit", "import"]
_CITE = re.compile(r"\s*\[(\d{1,3}(?:\s*,\s*\d{1,3})*)\]")
_BEHIND = re.compile(r"([.!?])\s*((?:\[\d{1,3}(?:\s*,\s*\d{1,3})*\]\s*)+)")
_BESIDE = re.compile(
    rf"(?:\A|\n\n)(?:{'|'.join((*DISAGREE, *UNKNOWN))}): .*?(?=\n\n|\Z)"
    rf"|\s*(?:{'|'.join(map(re.escape, NO_RECEIPT))})",
    re.DOTALL,
)
"""What stands in an answer's text beside its statements: admitting what is not known states nothing."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of two answers: its text with citations `[1]`, and title and text of what they number."""

    text: str
    quotes: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, answer: Answer) -> "Side":
        """Take what a person is shown of an answer."""
        quotes = tuple(
            (item.source.title if isinstance(item, Quote) else item.kind, plain_text(item))
            for item in answer.evidence
        )
        return cls(answer.text, quotes)

    def candidate(self, question: str) -> Candidate:
        """Check the answer again, from its text alone: sentences with their citations against the quotes."""
        evidence: list[Evidence] = [
            Quote(text, Source(f"comparison:{title}", title, "", digest(title)), 0, len(text), (1, 1))
            for title, text in self.quotes
        ]
        claims = []
        text = _BEHIND.sub(r" \2\1 ", _BESIDE.sub("", self.text))  # "… long. [1]" as "… long [1]."
        for part in statements(DraftClaim(text, ())):
            cites = tuple(int(number) for found in _CITE.findall(part.text) for number in found.split(","))
            bare = _CITE.sub("", part.text).strip()
            if bare:
                claims.append(DraftClaim(bare, cites if cites else part.cites))
        return check(Draft(claims[0].text if claims else "", tuple(claims)), evidence, question)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two answers to a question and how much better the second is (one of `LEVELS`); `first` was shown first."""

    question: str
    sides: tuple[Side, Side]
    score: float
    by: By = "choice"
    first: int = 0
    runs: tuple[str, ...] = ()

    @property
    def differences(self) -> dict[str, float]:
        """The features of the second answer less those of the first."""
        before, after = (features(side.candidate(self.question), self.question) for side in self.sides)
        return {name: after[name] - before[name] for name in before}

    def to_json(self) -> dict[str, Any]:
        """Return the line that stands for this comparison."""
        data: dict[str, Any] = {
            "question": {"dataset": "crowquill", "id": digest(self.question)[:12], "full_text": self.question},
        }
        for number, (side, score) in enumerate(zip(self.sides, (-self.score, self.score), strict=True)):
            titles, extracts = [title for title, _ in side.quotes], [text for _, text in side.quotes]
            data[f"quotes_{number}"] = {"title": titles, "extract": extracts}
            data[f"answer_{number}"] = side.text
            data[f"score_{number}"] = score + 0.0  # no minus zero
        return {**data, "by": self.by, "first": self.first, "runs": list(self.runs)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Comparison":
        """Read a line, ours or of the public data set. Raises KeyError, TypeError or ValueError when it is none."""
        question = data["question"]
        sides = tuple(_side(data[f"answer_{n}"], data.get(f"quotes_{n}")) for n in (0, 1))
        by: By = data.get("by", "import")
        score, other = float(data["score_1"]), float(data["score_0"])
        if abs(score + other) > 1e-6 or not -1.0 <= score <= 1.0:
            raise ValueError("score_0 and score_1 must sum to 0 and lie between -1 and 1")
        text = question["full_text"] if isinstance(question, dict) else str(question)
        runs = tuple(map(str, data.get("runs", ())))
        return cls(text, (sides[0], sides[1]), score, by, int(data.get("first", 0)), runs)


def _side(text: Any, quotes: Any) -> Side:
    titles, extracts = (quotes["title"], quotes["extract"]) if quotes else ((), ())
    return Side(
        str(text), tuple((str(title), str(extract)) for title, extract in zip(titles, extracts, strict=True))
    )


def read_comparisons(path: Path) -> list[Comparison]:
    """Read a file of comparisons; none where there is no file.

    Raises:
        UserError: the file cannot be read, or a line is no comparison.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"cannot read the comparisons {path}: {error}") from error
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            if len(line) > MAX_LINE:
                raise ValueError(f"longer than {MAX_LINE} characters")
            found.append(Comparison.from_json(json.loads(line)))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise UserError(f"{path}, line {number}: no comparison ({type(error).__name__}: {error})") from error
    return found


def keep(path: Path, comparisons: Iterable[Comparison]) -> int:
    """Add comparisons to a file, durably, and return how many. Raises UserError when it cannot be written."""
    lines = [json.dumps(comparison.to_json(), ensure_ascii=False) + "\n" for comparison in comparisons]
    try:
        own_folder(path.parent)
        with open_own(path, "a") as file:
            file.write("".join(lines))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise UserError(f"cannot write the comparisons {path}: {error.strerror}") from error
    return len(lines)


def leave_out(path: Path, runs: Collection[str]) -> None:
    """Take the comparisons of answers of these runs out of a file, and overwrite them. Raises UserError."""
    comparisons = read_comparisons(path)
    kept = [comparison for comparison in comparisons if not {*comparison.runs} & {*runs}]
    if len(kept) < len(comparisons):
        fresh = path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        keep(fresh, kept)
        erase(path)
        fresh.rename(path)


def feedback(answer: Answer, *, accepted: bool | None = None, edited: str = "") -> Comparison:
    """Return what a person's reaction says as a comparison.

    An edit is better than what it was made from; an answer that was accepted is better than none, else worse.
    """
    given, runs = Side.of(answer), (answer.run_id,)
    if edited:
        return Comparison(answer.objective, (given, Side(edited, given.quotes)), 0.5, "edit", 0, runs)
    score = -0.5 if accepted else 0.5
    return Comparison(answer.objective, (given, Side("I do not know.", ())), score, "acceptance", 0, runs)


def preferences(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """Return the comparisons in which one of the two was preferred."""
    return [comparison for comparison in comparisons if comparison.score]


def agreement(lead: float, score: float) -> float:
    """Say how far a lead agrees with a preference: 1 where both prefer the same; a tie agrees by half."""
    return 0.5 if abs(lead) < _TIE else float((lead > 0) == (score > 0))
