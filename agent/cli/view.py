"""Views of a run for the terminal: a live one for people, plain lines for logs, and the finished answer.

Text from outside is shown through `rich.text.Text` after `render.clean`, never as markup.
"""

from collections.abc import Iterator

from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.spinner import Spinner
from rich.text import Text

from crowquill.agent.answer import Answer, Claim, Selection
from crowquill.agent.budget import Budget
from crowquill.agent.events import (
    Acted,
    Decided,
    Event,
    EvidenceFound,
    Judged,
    ModelCalled,
    Noticed,
    Observed,
    Planned,
    Progress,
    RunFinished,
    RunStarted,
    Selected,
    TaskFinished,
    TaskStarted,
)
from crowquill.agent.models.base import Usage
from crowquill.agent.render import clean, one_line
from crowquill.memory.clock import Clock
from crowquill.memory.evidence import Computation, Evidence, Quote, Table, plain_text
from crowquill.tasks.task import Task
from crowquill.tools.sql.words import in_words

_MARKS = {"open": "○", "done": "✓", "failed": "✗", "dropped": "–"}
_STATUS_STYLE = {
    "quoted": "green",
    "computed": "green",
    "queried": "green",
    "derived": "yellow",
    "unsupported": "red",
}
_RECENT_QUOTES = 6


def describe(event: Event) -> str | None:
    """Return one line about an event, or None for those that need none."""
    match event:
        case RunStarted():
            return f"run {event.run_id} · model {event.model} · policy {event.policy}"
        case Planned() if event.tasks:
            return "plan: " + " · ".join(f"{task.id} {one_line(task.goal, 70)}" for task in event.tasks)
        case Acted():
            arguments = ", ".join(one_line(str(value), 60) for value in event.args.values())
            return (
                f"{event.step:>3}. {event.tool}({arguments})" if event.tool not in ("answer", "give_up") else None
            )
        case Observed() if event.error:
            return f"     {event.tool} failed: {one_line(event.error, 160)}"
        case Decided():
            verb = "allowed" if event.allowed else "denied"
            return f"     {verb}: {event.tool} ({event.access}): {one_line(event.why, 200)}"
        case EvidenceFound():
            return f"     {_kind(event.evidence)}: {one_line(plain_text(event.evidence), 110)}"
        case TaskFinished():
            return f"{event.task.id} {event.task.status}" + (f": {one_line(event.why)}" if event.why else "")
        case Judged() if event.number > 1:
            return f"candidate {event.number}: {one_line(event.short, 80)} ({event.reward.total:.2f})"
        case Selected():
            return f"candidate {event.winner} of {len(event.selection.candidates)}: {event.selection.why}"
        case Noticed():
            return f"{'warning: ' if event.level == 'warning' else ''}{one_line(event.message, 200)}"
        case _:
            return None


def _kind(evidence: Evidence) -> str:
    match evidence:
        case Quote():
            return f"quote, {one_line(evidence.source.title, 40)} line {evidence.lines[0]}"
        case Computation():
            return "computed"
        case Table():
            return "query result"


class LiveView:
    """A rich renderable of a run under way: plan, current step, quotes as they come, budget."""

    def __init__(self, budget: Budget, clock: Clock) -> None:
        self._budget = budget
        self._clock = clock
        self._started = clock.monotonic()
        self._tasks: dict[str, Task] = {}
        self._running: set[str] = set()
        self._now = "starting"
        self._evidence: list[Evidence] = []
        self._notices: list[str] = []
        self._steps = 0
        self._usage = Usage()
        self._spinner = Spinner("dots")

    def on(self, event: Event) -> None:
        """Take an event into account."""
        match event:
            case Planned():
                self._tasks = {task.id: task for task in event.tasks}
            case TaskStarted():
                self._running.add(event.task.id)
            case TaskFinished():
                self._running.discard(event.task.id)
                self._tasks[event.task.id] = event.task
            case Acted():
                self._steps += 1
                line = describe(event)
                self._now = line.strip() if line is not None else "composing the answer"
            case EvidenceFound():
                self._evidence.append(event.evidence)
            case ModelCalled():
                self._usage += event.usage
            case Noticed():
                self._notices.append(one_line(event.message, 200))
            case Progress():
                self._now = one_line(event.message)
            case Judged() | RunFinished():
                self._now = "checking the answer"
            case _:
                pass

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = options.max_width
        yield Group(*self._lines(width))

    def _lines(self, width: int) -> Iterator[Text | Spinner]:
        for task in self._tasks.values():
            mark = "▸" if task.id in self._running else _MARKS[task.status]
            yield Text(f" {mark} {one_line(task.goal, width - 4)}", style="bold" if mark == "▸" else "dim")
        for item in self._evidence[-_RECENT_QUOTES:]:
            yield Text(f"   “{one_line(plain_text(item), width - 8)}”", style="green")
        if len(self._evidence) > _RECENT_QUOTES:
            yield Text(f"   … {len(self._evidence) - _RECENT_QUOTES} more before", style="dim")
        for notice in self._notices[-2:]:
            yield Text(f"   {one_line(notice, width - 4)}", style="yellow")
        self._spinner.update(text=Text(f" {one_line(self._now, width - 6)}"))
        yield self._spinner
        yield Text("   " + one_line(self._spent(), width - 4), style="dim")

    def _spent(self) -> str:
        parts = [
            _of(self._steps, self._budget.steps, "steps"),
            _of(self._usage.prompt + self._usage.completion, self._budget.tokens, "tokens"),
            _of(int(self._clock.monotonic() - self._started), self._budget.seconds, "s"),
        ]
        return " · ".join(parts)


def _of(spent: int, limit: float | None, unit: str) -> str:
    return f"{spent} {unit}" if limit is None else f"{spent}/{limit:g} {unit}"


def answer_view(answer: Answer) -> Iterator[Text]:
    """Yield the finished answer for a person: text, receipts, score and cost."""
    yield Text(clean(answer.text), style="bold" if answer.ok else "")
    if answer.short and answer.claims:
        yield Text.assemble(("Short answer  ", "dim"), clean(answer.short))
    if answer.evidence:
        yield Text("")
        yield Text("Receipts" if answer.claims else "Evidence found so far", style="dim")
        for number, item in enumerate(answer.evidence, 1):
            yield _receipt(number, item)
    unsure = [claim for claim in answer.claims if claim.problem]
    if unsure:
        yield Text("")
        for claim in unsure:
            yield Text(f"! {one_line(claim.text, 80)} — {one_line(claim.problem, 120)}", style="yellow")
    yield Text("")
    if answer.selection is not None:
        yield from _candidates(answer.selection)
    yield from _figures(answer)


def _receipt(number: int, item: Evidence) -> Text:
    match item:
        case Quote():
            text = Text.assemble(f"[{number}] ", (f"“{clean(item.text)}”", "green"))
            first, last = item.lines
            where = f"line {first}" if first == last else f"lines {first}-{last}"
            text.append(f"\n    {one_line(item.source.title, 60)}, {where} · {clean(item.source.url)}", style="dim")
        case Computation():
            text = Text.assemble(f"[{number}] ", (plain_text(item), "green"))
            text.append("\n    computed exactly", style="dim")
        case Table():
            rows = clean(plain_text(item)).splitlines()
            shown = "\n    ".join(rows[:8]) + (f"\n    … {len(rows) - 8} more rows" if len(rows) > 8 else "")
            text = Text.assemble(f"[{number}] ", (shown, "green"))
            if words := in_words(item.sql):
                text.append(f"\n    {one_line(words, 300)}", style="dim")
            text.append(f"\n    {one_line(item.sql, 300)}", style="dim")
    return text


def _candidates(selection: Selection) -> Iterator[Text]:
    """Yield why the answer was chosen, and a line for each different answer that was not."""
    yield Text.assemble(("Chosen  ", "dim"), (f"{selection.strategy}: {selection.why}", "dim"))
    for ranked in selection.candidates:
        said = one_line(ranked.short, 60) if ranked.short else ranked.stopped
        score = "" if ranked.score is None else f"{ranked.score:.2f}"
        yield Text(f"  {score:>6}  {said}  (candidate {ranked.number}, reward {ranked.reward:.2f})", style="dim")


def _figures(answer: Answer) -> Iterator[Text]:
    if answer.claims:
        statuses = Text.assemble(("Claims  ", "dim"))
        for status, count in _counted(answer.claims):
            statuses.append(f"{count} {status} ", style=_STATUS_STYLE[status])
        yield statuses
        parts = " + ".join(f"{name} {value:g}" for name, value in answer.reward.parts if value)
        yield Text.assemble(("Score   ", "dim"), f"{answer.reward.total:.2f}", (f" = {parts}", "dim"))
    cached = f" ({answer.usage.cached} cached)" if answer.usage.cached else ""
    calls = "1 model call" if answer.usage.calls == 1 else f"{answer.usage.calls} model calls"
    cost = (
        f"{answer.stopped} · {answer.seconds:.1f} s · {calls} · "
        f"{answer.usage.prompt}{cached} + {answer.usage.completion} tokens · run {answer.run_id}"
    )
    yield Text.assemble(("Ended   ", "dim"), (cost, "dim"))
    for goal in answer.open:
        yield Text(f"Left open: {one_line(goal, 100)}", style="yellow")


def _counted(claims: tuple[Claim, ...]) -> list[tuple[str, int]]:
    statuses = [claim.status for claim in claims]
    return [(status, statuses.count(status)) for status in dict.fromkeys(statuses)]
