"""What a tool call gives back: text for the model, evidence for the memory, a status line."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from crowquill.memory.evidence import Evidence
from crowquill.memory.untrusted import Untrusted


@dataclass(frozen=True, slots=True)
class Observation:
    """The result of one action.

    `text` is shown to the model, fenced. `status` is one trusted line of our own words and numbers (never
    content from outside) that the model can plan by, such as "lines 1-20 of 84 · 3 quotes". `pictures` are for
    people: the bytes of an SVG or PNG, by format.
    """

    text: Untrusted
    evidence: tuple[Evidence, ...] = ()
    status: str = ""
    pictures: Mapping[str, bytes] = field(default_factory=dict)
