"""What one candidate has come to, and how its model calls differ from those of the others."""

import hashlib
from dataclasses import dataclass, replace

from crowquill.agent.answer import Candidate, Reward, Stopped, Verdict
from crowquill.agent.events import Judged
from crowquill.agent.models.base import Request
from crowquill.agent.render import fence
from crowquill.memory.untrusted import Untrusted

TEMPERATURE = 0.8
"""Of all candidates but the first, which is what would have been answered without a selection."""
_NUDGES = (
    "",
    "Look for other words than those of the question: synonyms, full names, the year.",
    "Do not take the first result; look further down.",
    "First find who or what the question is about, then what is asked about it.",
)
"""What is added to the prompts of a candidate that collects by itself, so that not all look in one place."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the model calls of one candidate are drawn; `advice` is what the judge thought of the first one."""

    number: int
    seed: str
    nudged: bool
    advice: str = ""

    def applied(self, request: Request) -> Request:
        """Return the request as this candidate sends it; only what chooses actions or writes is drawn at random."""
        if request.role not in ("act", "write"):
            return request
        draw = hashlib.sha256(f"{self.seed} {self.number} {request.seed}".encode()).digest()
        messages = request.messages
        nudge = _NUDGES[(self.number - 1) % len(_NUDGES)] if self.nudged else ""
        if self.advice:  # a judge's words about steps that have read what is outside
            nudge += f"\nAn earlier try went wrong:\n{fence(Untrusted(self.advice, 'judge'), self.seed)}"
        if nudge and messages:
            last = messages[-1]
            messages = (*messages[:-1], replace(last, content=f"{last.content}\n\n{nudge.strip()}"))
        seed = int.from_bytes(draw[:4], "big") >> 1
        return replace(request, messages=messages, temperature=max(request.temperature, TEMPERATURE), seed=seed)


@dataclass(frozen=True, slots=True)
class Attempt:
    """A candidate with its score, and how the work on it ended; `open` are the goals of tasks left undone."""

    number: int
    candidate: Candidate
    reward: Reward
    verdict: Verdict
    stopped: Stopped
    why: str = ""
    open: tuple[str, ...] = ()

    @property
    def event(self) -> Judged:
        """What is recorded of it."""
        return Judged(self.candidate.short, self.candidate.claims, self.reward, self.verdict, self.number)

    @property
    def answered(self) -> bool:
        """Whether there is something to show."""
        return bool(self.candidate.claims)
