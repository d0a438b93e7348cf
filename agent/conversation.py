"""Conversations: what a question may refer to, and what was found for those before it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from crowquill.agent.answer import Answer
from crowquill.agent.critic.grounding import searchable
from crowquill.agent.render import one_line
from crowquill.memory.evidence import Evidence
from crowquill.memory.evidence_json import decode
from crowquill.memory.verify import word_coverage

TURNS = 6
"""Earlier questions that a follow-up may refer to."""
KEPT = 60
"""Pieces of evidence that a conversation hands on, the newest; all that was verified stays in the memory."""
_ANSWER = 300


@dataclass(frozen=True, slots=True)
class Turn:
    """A question, as it was understood, and its short answer (or the beginning of its text)."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Conversation:
    """What a question follows: earlier turns, oldest first, and the evidence of their answers."""

    turns: tuple[Turn, ...] = ()
    evidence: tuple[Evidence, ...] = ()

    def then(self, answer: Answer) -> "Conversation":
        """Return the conversation with one more answer; of a long one, what is oldest is left out."""
        turn = Turn(answer.objective, one_line(answer.short if answer.short else answer.text, _ANSWER))
        known = {item.id: item for item in (*self.evidence, *answer.evidence)}
        return Conversation((*self.turns, turn)[-TURNS:], tuple(known.values())[-KEPT:])

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> "Conversation":
        """Restore what `dataclasses.asdict` gave, also after a trip through JSON."""
        turns = tuple(Turn(**turn) for turn in data.get("turns", ()))
        return cls(turns, tuple(decode(item) for item in data.get("evidence", ())))

    def about(self, question: str, most: int) -> tuple[Evidence, ...]:
        """Return the evidence that shares words with a question: at most so much, the nearest first."""
        near = [(word_coverage(question, searchable(item)), item) for item in self.evidence]
        return tuple(item for share, item in sorted(near, key=lambda pair: -pair[0]) if share > 0)[:most]
