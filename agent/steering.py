"""What a person may say to a run that is under way: wait, a hint, more budget, other tasks, answer now.

What is said takes effect before the next step of each lane, and is recorded there as an effect, so that a replay
hears it at the same place.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, cast

from crowquill.agent.budget import Budget
from crowquill.agent.models.base import Request
from crowquill.memory.clock import Clock, SystemClock
from crowquill.tools.context import Json


@dataclass(frozen=True, slots=True)
class Question:
    """What a run wants to know from the person. `choices` are the words it understands; empty for free text.

    The text of `clarify` and `ask` comes from a model: a surface shows it as text from outside, never as markup.
    """

    kind: Literal["clarify", "ask", "budget"]
    text: str
    choices: tuple[str, ...] = ()


Asker = Callable[[Question], Awaitable[str]]
"""Puts a question to the person and returns what was said; an empty text is no answer."""

Kind = Literal["hint", "answer", "more", "add", "drop", "first"]


@dataclass(frozen=True, slots=True)
class Order:
    """One thing that was said: `text` is a hint, a new task's goal or a task's id; `budget` is what is added."""

    kind: Kind
    text: str = ""
    budget: Budget | None = None

    @classmethod
    def read(cls, data: dict[str, Any]) -> "Order":
        """Restore an order from JSON data."""
        budget = data["budget"]
        return cls(data["kind"], data["text"], None if budget is None else Budget(**budget))


class Steering:
    """The wheel of one run, to be used in the event loop of that run.

    `pause` holds the run before its next step; a call that is under way ends first. The time of a pause is not
    counted to the budget. With `asker` the run may put questions to the person, and is held until the answer.
    """

    def __init__(self, clock: Clock | None = None, asker: Asker | None = None) -> None:
        self.asker = asker
        self._clock: Clock = SystemClock() if clock is None else clock
        self._orders: list[Order] = []
        self._go = asyncio.Event()
        self._go.set()
        self._paused_at: float | None = None
        self._waited = 0.0
        self._asking = asyncio.Lock()

    def pause(self) -> None:
        """Hold the run before its next step."""
        if self._paused_at is None:
            self._paused_at = self._clock.monotonic()
            self._go.clear()

    def go_on(self) -> None:
        """Let a held run go on."""
        if self._paused_at is not None:
            self._waited = self.waited
            self._paused_at = None
            self._go.set()

    @property
    def waited(self) -> float:
        """Seconds for which the run was held so far."""
        return self._waited + (0.0 if self._paused_at is None else self._clock.monotonic() - self._paused_at)

    def hint(self, text: str) -> None:
        """Tell the model something, with every request from now on."""
        self._orders.append(Order("hint", text.strip()))

    def answer_now(self) -> None:
        """End the search: the run answers with what it has."""
        self._orders.append(Order("answer"))

    def more(self, budget: Budget) -> None:
        """Raise the limits by the numbers in `budget`; None adds nothing, and what has no limit stays without."""
        self._orders.append(Order("more", budget=budget))

    def add_task(self, goal: str) -> None:
        """Put a task on the agenda."""
        self._orders.append(Order("add", goal.strip()))

    def drop_task(self, task_id: str) -> None:
        """Take an open task off the agenda."""
        self._orders.append(Order("drop", task_id))

    def first_task(self, task_id: str) -> None:
        """Move a task to the front of the agenda."""
        self._orders.append(Order("first", task_id))

    async def ask(self, question: Question) -> str:
        """Put a question to the person, if there is an asker; the time until the answer is not counted."""
        if self.asker is None:
            return ""
        async with self._asking:
            held = self._paused_at is not None
            self.pause()
            try:
                said = (await self.asker(question)).strip()
            finally:
                if not held:
                    self.go_on()
        meant = (choice for choice in question.choices if said and choice.startswith(said.casefold()))
        return next(meant, said)

    async def gate(self) -> None:
        """Wait while the run is held."""
        await self._go.wait()

    def since(self, heard: int) -> list[Json]:
        """Return the orders after the first `heard`, as JSON data."""
        return [cast("Json", asdict(order)) for order in self._orders[heard:]]


@dataclass(frozen=True, slots=True)
class Heard:
    """What a lane has been told so far: how many orders, the hints among them, and whether to answer now."""

    count: int = 0
    hints: tuple[str, ...] = ()
    answer: bool = False

    def hear(self, orders: Sequence[Order]) -> "Heard":
        """Return what is known after more orders."""
        hints = tuple(order.text for order in orders if order.kind == "hint")
        answer = any(order.kind == "answer" for order in orders)
        return Heard(self.count + len(orders), self.hints + hints, self.answer or answer)

    def tell(self, request: Request) -> Request:
        """Return the request with the hints."""
        if not self.hints:
            return request
        *before, last = request.messages
        told = "".join(f"\n\nHint from the user: {hint}" for hint in self.hints)
        return replace(request, messages=(*before, replace(last, content=last.content + told)))
