"""What a reading consists of: a small tree of frozen values, made by the grammar and walked by everything else.

Operators are calls, too: `+ - * / // mod ^`, `neg`, `pct` (17%), `list`, `tuple`, `let` and `program`, and the
comparisons. There is no node that could name an attribute, an index or a piece of code.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Number:
    """Decimal digits as they were typed, thousands separators removed: `2850`, `.5`, `1e3`."""

    text: str


@dataclass(frozen=True, slots=True)
class Name:
    """A symbol, a constant or a name that was assigned."""

    text: str


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of measurement, by the name that `unit_names` gives it."""

    name: str


@dataclass(frozen=True, slots=True)
class Day:
    """A calendar day."""

    year: int
    month: int
    day: int


@dataclass(frozen=True, slots=True)
class Text:
    """A word or sentence that is only looked at letter by letter."""

    text: str


@dataclass(frozen=True, slots=True)
class Call:
    """A function or operator and what it is applied to. `implied`: a product without a sign, as in 2x."""

    name: str
    args: tuple["Node", ...]
    implied: bool = False


Node = Number | Name | Unit | Day | Text | Call

COMPARISONS = ("=", "!=", "<", "<=", ">", ">=")


def words(text: str) -> frozenset[str]:
    """Return the words of a text; tables of names are written like this."""
    return frozenset(text.split())


def parts(node: Node) -> list[Node]:
    """Return a node and all below it, the node first."""
    found: list[Node] = []
    waiting = [node]
    while waiting:
        at = waiting.pop()
        found.append(at)
        if isinstance(at, Call):
            waiting.extend(reversed(at.args))
    return found
