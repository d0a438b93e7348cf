"""The schema of a task file: one run, described in YAML, and what is expected of it."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from crowquill.tasks.safety import RestrictingSpec

_NAME = r"(?:tavily|brave|searxng|wikipedia(?::[a-z-]{2,12})?|ddg)"
_PROVIDER = rf"^{_NAME}(?:\+{_NAME})*$"
"""A provider, or several that are asked together. Addresses are only for the command line: they open hosts."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class BudgetSpec(_Strict):
    """Limits of the run; a missing one keeps its default."""

    steps: Annotated[int, Field(gt=0)] | None = 40
    tokens: Annotated[int, Field(gt=0)] | None = None
    usd: Annotated[float, Field(gt=0)] | None = None
    seconds: Annotated[float, Field(gt=0)] | None = None


class NumberSpec(_Strict):
    """A number that the short answer must contain, within a tolerance."""

    value: float
    tolerance: Annotated[float, Field(ge=0)] = 0.0


class ExpectSpec(_Strict):
    """What the answer must be; every entry that is given must hold."""

    short: str | list[str] | None = None
    """The bare answer, or a list of accepted spellings; case, spaces and a final stop do not count."""
    contains: list[str] = []
    """Texts that must stand in the answer."""
    regex: str | None = None
    """A regular expression that must match in the answer."""
    number: NumberSpec | None = None
    min_quotes: Annotated[int, Field(ge=0)] = 0
    """How many verified quotes the answer must cite."""
    supported: bool = False
    """Whether every claim must have a receipt."""
    stopped: Literal["answered", "not_found", "refused", "budget", "stalled"] | None = None
    """Why the run must have ended."""


class RunSpec(_Strict):
    """A task file. Sources and limits are the user's: nothing that is read during a run can change them."""

    objective: Annotated[str, Field(min_length=1)]
    model: str | None = None
    policy: Literal["guided", "json"] | None = None
    corpus: list[str] = []
    db: list[str] = []
    data: list[str] = []
    web: bool = False
    search: list[Annotated[str, Field(pattern=_PROVIDER)]] = []
    memory: bool = True
    budget: BudgetSpec = BudgetSpec()
    safety: RestrictingSpec = RestrictingSpec()
    expect: ExpectSpec | None = None
