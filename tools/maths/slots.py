"""What a phrase holds: the parts of its pattern, read when they are asked for."""

import re
from collections.abc import Callable
from typing import Protocol

from crowquill.errors import ToolRetry
from crowquill.tools.maths.nodes import Call, Name, Node, Number


class Ambiguous(ToolRetry):
    """What stands there has two meanings: no other reading may replace the refusal."""


class Reader(Protocol):
    """Reads a part of what was typed."""

    def expression(self, text: str, *, listed: bool = False) -> Node:
        """Read a part. Raises ToolRetry."""
        ...


class Slots:
    """The named groups of a pattern that has matched."""

    def __init__(self, found: re.Match[str], reader: Reader) -> None:
        self._found = found
        self._reader = reader

    def __contains__(self, name: str) -> bool:
        return self.raw(name) != ""

    def raw(self, name: str) -> str:
        """Return the words of a part, empty when it is missing."""
        text = self._found.groupdict().get(name)
        return "" if text is None else text.strip()

    @property
    def whole(self) -> str:
        """All that the phrase has matched."""
        return self._found[0]

    def read(self, text: str) -> Node:
        """Read a text as a part."""
        return self._reader.expression(text)

    def __getitem__(self, name: str) -> Node:
        return self._reader.expression(self.raw(name))

    def listed(self, name: str) -> Node:
        """Read values that are separated by commas, semicolons or "and"."""
        text = re.sub(r"(?:,\s*)?(?<![^\s\d.)\]])\s+(?:and|и|with|с)\s+|,\s+(?:and|и)\s+", ", ", self.raw(name))
        return self._reader.expression(_spaced(text), listed=True)

    def variable(self, name: str) -> Node:
        """Return a variable that is named."""
        return Name(self.raw(name))

    def values(self, name: str) -> tuple[Node, ...]:
        """Return the values of a list."""
        node = self.listed(name)
        return node.args if isinstance(node, Call) and node.name == "list" else (node,)


def _spaced(text: str) -> str:
    """Read "2 4 6 8" as a list, too."""
    return re.sub(r"\s+", ", ", text) if re.fullmatch(r"-?[\d.]+(?:\s+-?[\d.]+)+", text) else text


Builder = Callable[[Slots], Node | None]
"""Makes the node that a phrase means, None when it is another one after all."""
Phrase = tuple[re.Pattern[str], Builder]


def phrase(pattern: str, build: Builder) -> Phrase:
    """Make a phrase of a pattern; case is ignored."""
    return re.compile(pattern, re.IGNORECASE), build


def call(name: str, *args: Node) -> Call:
    """Make a call."""
    return Call(name, args)


def number(text: str) -> Number:
    """Make a number."""
    return Number(text)
