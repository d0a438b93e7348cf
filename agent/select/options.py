"""What the user says about selection: which strategy, how many candidates, and what they share."""

import math
from dataclasses import dataclass, replace
from typing import Literal, get_args

from crowquill.errors import UserError

Strategy = Literal["single", "best_of_n", "weighted", "majority", "auto", "debate", "beam", "dvts", "tree"]
Share = Literal["evidence", "plan", "nothing"]
Judging = Literal["off", "grade", "pairs", "gold", "grade+gold", "pairs+gold"]
STRATEGIES: tuple[Strategy, ...] = get_args(Strategy)
SHARES: tuple[Share, ...] = get_args(Share)
JUDGINGS: tuple[Judging, ...] = get_args(Judging)

MOST = 64
"""Candidates beyond which something was mistyped."""
USUAL = 4
"""Candidates when no number is given."""


@dataclass(frozen=True, slots=True)
class Select:
    """How an answer is chosen among candidates.

    `n` is the most candidates there are. With `share` *evidence* one run collects, and the others write from what
    it has found; with *plan* they share the plan and collect by themselves; with *nothing* they are whole runs. No
    candidate is begun once one has a reward of `threshold`. `at_once` candidates are made at the same time; as
    many as the model has slots when None. The model of the role `judge` may *grade* each candidate, or compare them
    in *pairs*, which counts in the reward; that of the role `gold` grades the winner only (*gold*), and changes
    nothing. With `closed_book` the judge is asked once what it knows without evidence, and agreement with that
    counts a little.
    """

    strategy: Strategy = "single"
    n: int = 1
    share: Share = "evidence"
    threshold: float | None = None
    at_once: int | None = None
    judge: Judging = "off"
    closed_book: bool = False

    @property
    def ranks(self) -> bool:
        """Whether a judge counts in the reward."""
        return self.judge.startswith(("grade", "pairs"))

    @property
    def reports(self) -> bool:
        """Whether a judge grades the winner for the report."""
        return self.judge.endswith("gold")

    def judged(self, *, rank: bool, report: bool) -> "Select":
        """Return this selection with judges that are named: one to rank grades, where nothing else is said."""
        ranking = "grade" if rank and self.judge == "off" else self.judge.removesuffix("gold").removesuffix("+")
        wanted = [name for name in (ranking, "gold" if self.reports or report else "") if name not in ("", "off")]
        return replace(self, judge=next(known for known in JUDGINGS if known == "+".join(wanted or ["off"])))

    @classmethod
    def parse(cls, text: str) -> "Select":
        """Read `best_of_n`, `majority:8`, `best_of_n:4,share=plan,threshold=4.5,at_once=2`.

        Raises:
            UserError: an unknown strategy or setting, one that is given twice, or a value that it cannot have.
        """
        first, *rest = (part.strip() for part in text.split(","))
        name, _, count = first.partition(":")
        strategy: Strategy | None = next((known for known in STRATEGIES if known == name), None)
        if strategy is None:
            raise UserError(f"select: unknown strategy {name!r}; use {', '.join(STRATEGIES)}, as in best_of_n:4")
        chosen = cls(strategy, 1 if strategy == "single" else USUAL)
        if count:
            chosen = replace(chosen, n=_count("the number of candidates", count))
        keys = [part.partition("=")[0] for part in rest]
        if twice := next((key for at, key in enumerate(keys) if key in keys[:at]), ""):
            raise UserError(f"select: {twice} is given twice")
        for part in rest:
            chosen = chosen._with(part)
        return chosen.checked()

    def _with(self, part: str) -> "Select":
        key, _, value = part.partition("=")
        match key:
            case "share":
                share = next((known for known in SHARES if known == value), None)
                if share is None:
                    raise UserError(f"select: share must be one of {', '.join(SHARES)}, not {value!r}")
                return replace(self, share=share)
            case "judge":
                judge = next((known for known in JUDGINGS if known == value), None)
                if judge is None:
                    raise UserError(f"select: judge must be one of {', '.join(JUDGINGS)}, not {value!r}")
                return replace(self, judge=judge)
            case "closed_book":
                if value not in ("yes", "no"):
                    raise UserError(f"select: closed_book must be yes or no, not {value!r}")
                return replace(self, closed_book=value == "yes")
            case "threshold":
                try:
                    return replace(self, threshold=float(value))
                except ValueError:
                    raise UserError(f"select: threshold must be a number, not {value!r}") from None
            case "at_once":
                return replace(self, at_once=_count("at_once", value))
            case _:
                raise UserError(
                    f"select: unknown setting {key!r}; use share, threshold, at_once, judge or closed_book"
                )

    def checked(self) -> "Select":
        """Return this selection. Raises UserError when it has a number or a combination that cannot be."""
        if self.strategy == "single" and self.n != 1:
            raise UserError("select: single has one candidate; best_of_n:4 has four")
        if not 1 <= self.n <= MOST:
            raise UserError(f"select: from 1 to {MOST} candidates, not {self.n}")
        if self.strategy == "debate" and self.share != "evidence":
            raise UserError(f"select: a debate is about one evidence; it cannot have share={self.share}")
        if self.at_once is not None and self.at_once < 1:
            raise UserError(f"select: at_once must be 1 or more, not {self.at_once}")
        if self.threshold is not None and not math.isfinite(self.threshold):
            raise UserError(f"select: threshold must be a finite number, not {self.threshold}")
        return self


def _count(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise UserError(f"select: {name} must be a whole number, not {text!r}") from None
