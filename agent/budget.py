"""Budgets: what a run may spend, and the one ledger in which it is spent.

A call is reserved before it is made and refused when it cannot be paid. A part is kept back for the final
answer, so that a run at its limit answers with what it has.
"""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from crowquill.agent.models.base import Usage
from crowquill.errors import BudgetExceeded, UserError

Resource = Literal["steps", "tokens", "usd", "seconds"]

_COUNTS = ("steps", "tokens")
_NAMES = "steps, tokens, usd, seconds, calls, calls.TOOL"

FINAL_SHARE = 0.15
"""Part of tokens, dollars and seconds that is kept for the final answer."""


@dataclass(frozen=True, slots=True)
class Budget:
    """Limits of one run; None means no limit.

    `steps` counts the actions of all episodes together, `tokens` prompt and completion of all model calls,
    `usd` their price where it is known, `seconds` wall-clock time. `calls` limits single tools by name, and `*` all
    of them together; a tool that is used up is no longer offered.
    """

    steps: int | None = 40
    tokens: int | None = None
    usd: float | None = None
    seconds: float | None = None
    calls: Mapping[str, int] = field(default_factory=dict)

    def checked(self) -> "Budget":
        """Return this budget. Raises UserError when a limit is not more than 0, not finite, or a broken count."""
        for name in ("steps", "tokens", "usd", "seconds"):
            value = getattr(self, name)
            if value is None:
                continue
            if isinstance(value, float) and not math.isfinite(value):
                raise UserError(f"budget: {name} must be a finite number, not {value}; none lifts the limit")
            if value <= 0:
                raise UserError(f"budget: {name} must be more than 0, not {value}")
            if name in _COUNTS and value % 1:
                raise UserError(f"budget: {name} must be a whole number, not {value}")
        for tool, limit in self.calls.items():
            if not isinstance(limit, int) or limit < 0:
                raise UserError(f"budget: calls of {tool} must be a whole number from 0, not {limit}")
        return self

    @classmethod
    def parse(cls, text: str) -> "Budget":
        """Read `steps=20,tokens=8000,usd=0.5,seconds=120,calls=30,calls.search=4`; `none` lifts a limit.

        Raises:
            UserError: an unknown name or a value that is no number.
        """
        values: dict[str, float | int | None] = {}
        calls: dict[str, int] = {}
        for part in text.split(","):
            name, _, value = part.strip().partition("=")
            kind, _, tool = name.partition(".")
            if kind == "calls":
                if not value.isdecimal():
                    raise UserError(f"budget: {name} must be a whole number, not {value!r}")
                calls[tool if tool else "*"] = int(value)
                continue
            if name not in ("steps", "tokens", "usd", "seconds"):
                raise UserError(f"budget: unknown limit {name!r}; use {_NAMES}, as in steps=20")
            try:
                number = None if value == "none" else float(value)
            except ValueError:
                raise UserError(f"budget: {name} must be a number or none, not {value!r}") from None
            whole = number is not None and name in _COUNTS and number.is_integer()
            values[name] = int(number) if number is not None and whole else number
        return cls(**values, calls=calls).checked()  # type: ignore[arg-type]  # names were checked above


@dataclass(frozen=True, slots=True)
class Price:
    """Dollars per million tokens of one model."""

    prompt: float
    cached: float
    completion: float

    def cost(self, usage: Usage) -> float:
        """Return the dollars that `usage` has cost."""
        fresh = usage.prompt - usage.cached
        return (fresh * self.prompt + usage.cached * self.cached + usage.completion * self.completion) / 1e6


FREE = Price(0.0, 0.0, 0.0)


class Ledger:
    """What has been spent and reserved so far.

    A run has one; tasks that run in parallel each get a share of what is left (`split`), so that no lane's
    decisions depend on how fast another one spends.
    """

    def __init__(self, limits: Budget) -> None:
        self.limits = limits
        self.steps = 0
        self.usage = Usage()
        self.usd = 0.0
        self.seconds = 0.0
        self.calls: Counter[str] = Counter()
        self._reserved_tokens = 0
        self._reserved_usd = 0.0
        self._final = False
        self._warned: set[Resource] = set()

    @property
    def steps_left(self) -> int | None:
        """Actions that may still be taken; None without a limit."""
        return None if self.limits.steps is None else max(self.limits.steps - self.steps, 0)

    @property
    def seconds_limit(self) -> float | None:
        """Seconds from the start after which nothing more is begun; None without a limit."""
        return None if self.limits.seconds is None else self._limit(self.limits.seconds)

    def open_reserve(self) -> None:
        """Let the final answer spend what was kept back for it."""
        self._final = True

    def take_step(self) -> None:
        """Count one action. Raises BudgetExceeded when none is left."""
        if not self._final and self.limits.steps is not None and self.steps >= self.limits.steps:
            raise BudgetExceeded("steps", f"all {self.limits.steps} steps are used")
        if not self._final and self.used_up("*"):
            raise BudgetExceeded("calls", f"all {self.limits.calls['*']} tool calls are used")
        self.steps += 1

    def take_call(self, tool: str) -> None:
        """Count one call of a tool."""
        self.calls[tool] += 1
        self.calls["*"] += 1

    def used_up(self, tool: str) -> bool:
        """Say whether a tool (`*`: all of them together) may not be called any more."""
        return tool in self.limits.calls and self.calls[tool] >= self.limits.calls[tool]

    def has_room(self, resource: str) -> bool:
        """Say whether something is left of a resource for exploring."""
        limit = getattr(self.limits, resource)
        spent = {
            "steps": self.steps,
            "tokens": self.usage.prompt + self.usage.completion,
            "usd": self.usd,
            "seconds": self.seconds,
        }
        kept = 1.0 if resource == "steps" else 1 - FINAL_SHARE
        return limit is None or spent[resource] < limit * kept

    def pass_time(self, seconds: float) -> None:
        """Set the seconds since the start. Raises BudgetExceeded when exploring has to end."""
        self.seconds = seconds
        if self.seconds_limit is not None and seconds >= self.seconds_limit:
            raise BudgetExceeded("seconds", f"{seconds:.0f} of {self.limits.seconds:.0f} seconds are used")

    def reserve(self, tokens: int, usd: float) -> None:
        """Set tokens and dollars aside for a call. Raises BudgetExceeded when it cannot be paid."""
        spent = self.usage.prompt + self.usage.completion + self._reserved_tokens
        if self.limits.tokens is not None and spent + tokens > self._limit(self.limits.tokens):
            raise BudgetExceeded(
                "tokens", f"{spent} of {self.limits.tokens} tokens are used, the call needs {tokens}"
            )
        if self.limits.usd is not None and self.usd + self._reserved_usd + usd > self._limit(self.limits.usd):
            raise BudgetExceeded("usd", f"${self.usd:.4f} of ${self.limits.usd:.2f} is used")
        self._reserved_tokens += tokens
        self._reserved_usd += usd

    def grant(self, extra: Budget, lanes: int = 1) -> None:
        """Raise the limits by a share of `extra`, of which each of `lanes` gets one; steps are rounded up."""
        raised: dict[Resource, float] = {}
        for name in ("steps", "tokens", "usd", "seconds"):
            limit, more = getattr(self.limits, name), getattr(extra, name)
            if limit is not None and more is not None:
                together = lanes if name != "seconds" else 1  # the clock runs for all lanes alike
                raised[name] = limit + (math.ceil(more / together) if name in _COUNTS else more / together)
        self.limits = replace(self.limits, **raised)  # type: ignore[arg-type]  # names of limits
        self._warned -= set(raised)

    def settle(self, tokens: int, usd: float, usage: Usage, cost: float) -> None:
        """Give the reservation back and book what the call has really used."""
        self._reserved_tokens -= tokens
        self._reserved_usd -= usd
        self.usage += usage
        self.usd += cost

    def split(self, lanes: int, *, keep_final: bool) -> list["Ledger"]:
        """Share what is left among `lanes`; with `keep_final` the part for the final answer stays here.

        Steps that cannot be shared evenly go to the first lanes, one each.
        """
        kept = FINAL_SHARE if keep_final else 0.0

        def share(limit: float | None, spent: float, kept: float) -> float | None:
            return None if limit is None else max((limit * (1 - kept) - spent) / lanes, 0.0)

        steps, rest = (None, 0) if self.steps_left is None else divmod(self.steps_left, lanes)
        tokens = share(self.limits.tokens, self.usage.prompt + self.usage.completion, kept)
        calls = {tool: divmod(max(limit - self.calls[tool], 0), lanes) for tool, limit in self.limits.calls.items()}
        limits = Budget(
            tokens=None if tokens is None else int(tokens),
            usd=share(self.limits.usd, self.usd, kept),
            seconds=None if self.limits.seconds is None else self.limits.seconds * (1 - kept),
        )
        return [
            Ledger(
                replace(
                    limits,
                    steps=None if steps is None else steps + (lane < rest),
                    calls={tool: each + (lane < over) for tool, (each, over) in calls.items()},
                )
            )
            for lane in range(lanes)
        ]

    def absorb(self, child: "Ledger") -> None:
        """Book what a lane has spent of its share."""
        self.steps += child.steps
        self.calls += child.calls
        self.usage += child.usage
        self.usd += child.usd
        self.seconds = max(self.seconds, child.seconds)

    def marks(self) -> list[str]:
        """Return one line for each resource that has newly passed 80 % of its limit."""
        spent: dict[Resource, float] = {
            "steps": self.steps,
            "tokens": self.usage.prompt + self.usage.completion,
            "usd": self.usd,
            "seconds": self.seconds,
        }
        limits: dict[Resource, float | None] = {
            "steps": self.limits.steps,
            "tokens": self.limits.tokens,
            "usd": self.limits.usd,
            "seconds": self.limits.seconds,
        }
        lines = []
        for resource, limit in limits.items():
            if limit is not None and spent[resource] >= 0.8 * limit and resource not in self._warned:
                self._warned.add(resource)
                lines.append(f"80 % of the budget of {limit:g} {resource} is used")
        return lines

    def _limit(self, total: float) -> float:
        return total if self._final else total * (1 - FINAL_SHARE)
