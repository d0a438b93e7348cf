"""One finding about a statement."""

from dataclasses import dataclass
from typing import Literal

from crowquill.agent.answer import Wrong

FaultKind = Literal[
    "citation", "number", "unit", "date", "name", "negation", "opposite", "pairing", "order", "added"
]


@dataclass(frozen=True, slots=True)
class Fault:
    """One finding; `text` says it in a few words."""

    kind: FaultKind
    wrong: Wrong
    text: str
