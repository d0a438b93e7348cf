"""Text from outside, as a type of its own.

`Untrusted` is deliberately not a `str` and cannot be turned into one by accident: `str()`, f-strings,
`join` and `+` raise. Only `agent/render.py` unwraps it, fenced and stripped of control characters.
"""

import hashlib
from dataclasses import dataclass
from typing import NoReturn


@dataclass(frozen=True, slots=True, repr=False)
class Untrusted:
    """Text that nobody vouches for, with the name of where it came from (a URL, a tool, a database)."""

    text: str
    source: str

    @property
    def sha256(self) -> str:
        """SHA-256 of the text, to tell equal texts without reading them."""
        return hashlib.sha256(self.text.encode("utf-8", "surrogatepass")).hexdigest()

    def __repr__(self) -> str:
        return f"Untrusted({len(self.text)} characters from {self.source!r})"

    def __str__(self) -> NoReturn:
        raise TypeError("untrusted text cannot become a string here; render it with agent.render")

    def __format__(self, spec: str) -> NoReturn:
        raise TypeError("untrusted text cannot be formatted into a string; render it with agent.render")

    def __bool__(self) -> bool:
        return bool(self.text)
