"""What a task file may expect of an answer."""

from typing import Annotated, Any, Literal

import regex
from pydantic import BaseModel, Field, field_validator

from crowquill.tasks.strict import STRICT

Count = Annotated[int, Field(ge=0)]
Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Cell = str | int | float | bool | None
_TEMPLATE = r"\{\{ ?[a-z][a-z0-9_]* ?\}\}"


class _Strict(BaseModel):
    model_config = STRICT


class NumberSpec(_Strict):
    """A number that the short answer must contain, within a tolerance."""

    value: float | Annotated[str, Field(pattern=rf"^{_TEMPLATE}$")]
    """The number, or the `{{input}}` that holds it."""
    tolerance: Amount = 0.0
    """By how much it may differ."""


class ExpectSpec(_Strict):
    """What the answer must be; every entry that is given must hold."""

    short: str | list[str] | None = None
    """The bare answer, or a list of accepted spellings; case, spaces and a final stop do not count."""
    contains: list[str] = []
    """Texts that must stand in the answer; case does not count."""
    lacks: list[str] = []
    """Texts that must not stand in the answer; case does not count."""
    regex: str | None = None
    """A regular expression that must match in the answer."""
    number: NumberSpec | None = None
    """A number that the bare answer must have."""
    rows: list[list[Cell]] | None = None
    """The rows of the query result (or CSV table) that the answer rests on, in any order."""
    data: Any = None
    """What the output of the format json must hold: a part of it is enough, lists must be equal."""
    min_quotes: Count = 0
    """How many verified quotes the answer must cite."""
    min_sources: Count = 0
    """How many different pages the answer must cite."""
    cited_hosts: list[str] = []
    """Hosts, or names of corpora, that must be among the cited ones."""
    supported: bool = False
    """Whether every claim must have a receipt."""
    stopped: Literal["answered", "not_found", "refused", "budget", "stalled", "paused", "error"] | None = None
    """Why the run must have ended."""
    not_found: bool = False
    """Whether the run must say that there is no answer to be had."""
    tools: list[str] = []
    """Tools that must have been used."""
    not_tools: list[str] = []
    """Tools that must not have been used."""
    max_steps: Count | None = None
    """Most actions."""
    max_tokens: Count | None = None
    """Most tokens, prompt and completion."""
    max_usd: Amount | None = None
    """Most dollars; fails where a price is not known."""
    max_seconds: Amount | None = None
    """Longest time."""
    judge: Annotated[float, Field(ge=-1, le=1)] | None = None
    """Least mean grade by the judging model, from -1 to 1; it needs `critic: {judge: gold}` or another judging."""
    min_reward: float | None = None
    """Least score of the answer, as `crowquill ask` shows it."""

    @field_validator("regex")
    @classmethod
    def _compiles(cls, pattern: str | None) -> str | None:
        try:
            if pattern is not None:
                regex.compile(pattern)
        except regex.error as error:
            raise ValueError(f"no regular expression: {error}") from None
        return pattern

    @property
    def criteria(self) -> tuple[str, ...]:
        """The names of the entries that are given."""
        default = ExpectSpec()
        return tuple(name for name in ExpectSpec.model_fields if getattr(self, name) != getattr(default, name))
