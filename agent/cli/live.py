"""The live view of a run: plan, step, evidence as it is taken, score, budget; it keeps its place."""

from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.spinner import Spinner
from rich.table import Table as Grid
from rich.text import Text

from crowquill.agent.budget import Budget, Ledger
from crowquill.agent.cli.view import describe, kind_of
from crowquill.agent.config import RunConfig
from crowquill.agent.events import (
    Acted,
    Event,
    EvidenceFound,
    Judged,
    ModelCalled,
    Noticed,
    Observed,
    Paired,
    Planned,
    Progress,
    RunFinished,
    TaskFinished,
    TaskStarted,
)
from crowquill.agent.models.base import Usage
from crowquill.agent.render import one_line
from crowquill.memory.clock import Clock
from crowquill.memory.evidence import Evidence, plain_text
from crowquill.tasks.task import Task

_MARKS = {"open": "○", "done": "✓", "failed": "✗", "dropped": "–", "running": "▸"}
_ASCII_MARKS = {"open": " ", "done": "x", "failed": "!", "dropped": "-", "running": ">"}
_WIDE = 120
"""Columns from which plan and evidence stand side by side."""
_TASKS = 8
_QUOTES = 6
_BAR = 8


class LiveView:
    """A rich renderable of a run under way."""

    def __init__(self, config: RunConfig, clock: Clock) -> None:
        self._config = config
        self.budget = config.budget
        self._clock = clock
        self._started = clock.monotonic()
        self.tasks: dict[str, Task] = {}
        self._running: set[str] = set()
        self._now = "starting"
        self._thought = ""
        self._written = ""
        self.evidence: list[Evidence] = []
        self._notices: list[str] = []
        self._score = ""
        self._steps = 0
        self._usage = Usage()
        self._usd: float | None = 0.0
        self._spinners = (Spinner("dots"), Spinner("line"))

    def on(self, event: Event) -> None:
        """Take an event into account."""
        self._written = one_line(event.text, 300) if isinstance(event, Progress) else ""
        match event:
            case Planned():
                self.tasks = {task.id: task for task in event.tasks}
            case TaskStarted():
                self._running.add(event.task.id)
            case TaskFinished():
                self._running.discard(event.task.id)
                self.tasks[event.task.id] = event.task
            case Acted():
                self._steps += 1
                line = describe(event)
                self._now = line.strip() if line is not None else "composing the answer"
                self._thought = one_line(event.thought, 300)
            case Observed() if event.error:
                self._thought = f"{one_line(event.tool, 40)} failed: {one_line(event.error, 300)}"
            case EvidenceFound():
                self.evidence.append(event.evidence)
            case ModelCalled():
                self._book(event)
            case Noticed():
                self._notices.append(one_line(event.message, 300))
            case Paired() if event.flipped:
                self._notices.append(f"the judge contradicted itself in {event.flipped} of {event.pairs} pairs")
            case Progress():
                self._now = one_line(event.message, 300)
            case Judged():
                parts = " + ".join(f"{name} {value:g}" for name, value in event.reward.parts if value)
                self._score = f"score {event.reward.total:.2f} = {parts}"
                self._now, self._thought = "checking the answer", ""
            case RunFinished():
                self._now = "finished"
            case _:
                pass

    def grant(self, extra: Budget) -> None:
        """Show the limits raised by what a person has granted."""
        ledger = Ledger(self.budget)
        ledger.grant(extra)
        self.budget = ledger.limits

    def _book(self, event: ModelCalled) -> None:
        self._usage += event.usage
        model = next((name for role, name in self._config.models.items() if role == event.role), "")
        price = self._config.prices.get(model)
        self._usd = None if price is None or self._usd is None else self._usd + price.cost(event.usage)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        ascii_only = options.ascii_only
        plan = [*self._plan(ascii_only=ascii_only)]
        room = max(2, min(_QUOTES, console.height - len(plan) - 7))
        if options.max_width >= _WIDE:
            grid = Grid.grid(expand=True, padding=(0, 2))
            grid.add_column(ratio=2)
            grid.add_column(ratio=3)
            grid.add_row(
                Group(*plan, *self._step(options.max_width * 2 // 5, ascii_only=ascii_only)),
                Group(*self._found(room)),
            )
            yield grid
        else:
            yield Group(*plan, *self._found(room), *self._step(options.max_width, ascii_only=ascii_only))
        yield from (_row(f"   {line}", "yellow") for line in self._notices[-2:])
        if self._score:
            yield _row(f"   {self._score}", "cyan")
        yield self._spent(options.max_width, ascii_only=ascii_only)

    def _plan(self, *, ascii_only: bool) -> Iterator[Text]:
        marks = _ASCII_MARKS if ascii_only else _MARKS
        tasks = list(self.tasks.values())
        ended = [task for task in tasks if task.status != "open"]
        hidden = max(0, min(len(ended), len(tasks) - _TASKS))
        if hidden:
            yield _row(f"   {hidden} tasks before", "dim")
        for task in [task for task in tasks if task not in ended[:hidden]][:_TASKS]:
            state = "running" if task.id in self._running else task.status
            yield _row(f" {marks[state]} {one_line(task.goal, 300)}", "bold" if state == "running" else "dim")

    def _found(self, room: int) -> Iterator["Text | _Beside"]:
        if len(self.evidence) > room:
            yield _row(f"   {len(self.evidence) - room} receipts before", "dim")
        for item in self.evidence[-room:]:
            line = Text(f"   {one_line(plain_text(item), 300)}", "green")
            yield _Beside(line, Text(f"  {kind_of(item)}", "dim"))

    def _step(self, width: int, *, ascii_only: bool) -> Iterator[Text | Grid]:
        spinner = self._spinners[ascii_only]
        grid = Grid.grid(padding=(0, 1))
        grid.add_column(width=2, justify="right")
        grid.add_column(no_wrap=True, overflow="ellipsis")
        grid.add_row(spinner, _row(self._now, ""))
        yield grid
        thought = _end_of(self._written, width - 6) if self._written else self._thought
        yield _row(f"   {thought}", "dim italic")

    def _spent(self, width: int, *, ascii_only: bool) -> Text:
        seconds = int(self._clock.monotonic() - self._started)
        parts = [
            _of("steps", self._steps, self.budget.steps, "{:,.0f}", ascii_only=ascii_only),
            _of(
                "tokens",
                self._usage.prompt + self._usage.completion,
                self.budget.tokens,
                "{:,.0f}",
                ascii_only=ascii_only,
            ),
            *(
                [_of("$", self._usd, self.budget.usd, "{:.3f}", ascii_only=ascii_only)]
                if self._usd is not None and (self._usd > 0 or self.budget.usd is not None)
                else []
            ),
            _of("s", seconds, self.budget.seconds, "{:,.0f}", ascii_only=ascii_only),
        ]
        return _row("   " + "   ".join(parts), "dim")


def _of(unit: str, spent: float, limit: float | None, form: str, *, ascii_only: bool) -> str:
    """Return what was spent of a limit, with a small bar; without a limit only the figure."""
    if limit is None:
        return f"{form.format(spent)} {unit}"
    full, empty = ("#", ".") if ascii_only else ("█", "░")
    filled = min(_BAR, round(_BAR * spent / limit)) if limit else _BAR
    return f"{full * filled}{empty * (_BAR - filled)} {form.format(spent)}/{form.format(limit)} {unit}"


def _end_of(text: str, width: int) -> str:
    """Return the end of a text that fits: what has been written last."""
    while cell_len(text) > max(width, 1):
        text = text[1:]
    return text


def _row(text: str, style: str) -> Text:
    """Return one line that is cut at the border instead of wrapped."""
    return Text(text, style, no_wrap=True, overflow="ellipsis")


class _Beside:
    """A receipt and where it stands, on one line: the receipt gives way, so that the place can be read."""

    def __init__(self, left: Text, right: Text) -> None:
        self._left = left
        self._right = right

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        right = self._right.copy()
        right.truncate(options.max_width // 2, overflow="ellipsis")
        left = self._left.copy()
        left.truncate(options.max_width - right.cell_len, overflow="ellipsis")
        yield Text.assemble(left, right, no_wrap=True)


def checklist(tasks: Sequence[Task], *, ascii_only: bool) -> Iterator[Text]:
    """Yield a plan as a checklist, with the results of what has ended."""
    marks = _ASCII_MARKS if ascii_only else _MARKS
    for task in tasks:
        yield Text(f" {marks[task.status]} {task.id}  {one_line(task.goal, 300)}")
        if task.result:
            yield Text(f"       {one_line(task.result, 300)}", "dim")
