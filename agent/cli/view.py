"""Views of a run for the terminal: plain lines for logs, and the finished answer.

Text from outside is shown through `rich.text.Text` after `render.clean`, never as markup.
"""

from collections.abc import Iterable, Iterator

from rich.console import Console, RenderableType
from rich.table import Table as Grid
from rich.text import Text

from crowquill.agent.answer import Answer, Claim, Ranked, Selection
from crowquill.agent.events import (
    Acted,
    Decided,
    Event,
    EvidenceFound,
    Graded,
    Judged,
    Noticed,
    Observed,
    Paired,
    Planned,
    Revised,
    RunStarted,
    Selected,
    TaskFinished,
)
from crowquill.agent.render import clean, one_line
from crowquill.memory.evidence import Computation, Evidence, Quote, Table, plain_text
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
                f"{event.step:>3}. {one_line(event.tool, 40)}({arguments})"
                if event.tool not in ("answer", "give_up")
                else None
            )
        case Observed() if event.error:
            return f"     {one_line(event.tool, 40)} failed: {one_line(event.error, 160)}"
        case Decided():
            verb = "allowed" if event.allowed else "denied"
            return f"     {verb}: {one_line(event.tool, 40)} ({event.access}): {one_line(event.why, 200)}"
        case EvidenceFound():
            return f"     {kind_of(event.evidence)}: {one_line(plain_text(event.evidence), 110)}"
        case TaskFinished():
            return f"{event.task.id} {event.task.status}" + (f": {one_line(event.why)}" if event.why else "")
        case Judged() if event.number > 1 or dict(event.reward.parts).get("judge"):
            return f"candidate {event.number}: {one_line(event.short, 80)} ({event.reward.total:.2f})"
        case Graded():
            levels = ", ".join(f"{grade.criterion} {grade.value:+.1f}" for grade in event.grades)
            against = f"; against it: {one_line(event.objection)}" if event.objection else ""
            return f"judged {event.number}: {levels}{against}"
        case Paired():
            return f"judged in pairs: the order alone decided {event.flipped} of {event.pairs}"
        case Revised():
            return f"revised: {event.fixed} of {event.flagged} statements mended, {event.dropped} dropped"
        case Selected():
            return f"candidate {event.winner} of {len(event.selection.candidates)}: {event.selection.why}"
        case Noticed():
            return f"{'warning: ' if event.level == 'warning' else ''}{one_line(event.message, 200)}"
        case _:
            return None


def kind_of(evidence: Evidence) -> str:
    """Return in a few words what evidence is, and where it stands."""
    match evidence:
        case Quote():
            return f"quote, {one_line(evidence.source.title, 40)} line {evidence.lines[0]}"
        case Computation():
            return "computed"
        case Table():
            return "query result"


def print_view(console: Console, lines: Iterable[RenderableType]) -> None:
    """Print lines of a view: wrapped at words for a person, whole for a pipe."""
    for line in lines:
        console.print(line, soft_wrap=not console.is_terminal)


def answer_view(answer: Answer, *, wrapped: bool) -> Iterator[RenderableType]:
    """Yield the finished answer: text, receipts, score and cost; `wrapped` sets receipts off in a column."""
    yield Text(clean(answer.text), style="bold" if answer.ok else "")
    if answer.short and answer.claims:
        yield Text.assemble(("Short answer  ", "dim"), clean(answer.short))
    if answer.evidence:
        yield Text("")
        yield Text("Receipts" if answer.claims else "Evidence found so far", style="dim")
        translated = dict(answer.translations)
        for number, item in enumerate(answer.evidence, 1):
            text = receipt_view(item)
            if number in translated:
                text.append(f"\ntranslated by the model: “{clean(translated[number])}”", style="italic")
            yield numbered(f"[{number}]", text, wrapped=wrapped)
    for told in answer.disagreements:
        yield Text(f"! sources disagree: {one_line(told, 160)}", style="yellow")
    if answer.objection is not None:
        yield Text(f"! against it, says the judge: {one_line(answer.objection.text, 300)}", style="yellow")
        for item in answer.objection.evidence:
            yield numbered("–", receipt_view(item), wrapped=wrapped)
    problems = [one_line(problem, 300) for problem in answer.problems]
    problems += [
        f"{one_line(claim.text, 80)} — {one_line(claim.problem, 120)}" for claim in answer.claims if claim.problem
    ]
    if answer.carrier:
        problems.append(f"all of it rests on one source: {one_line(answer.carrier, 100)}")
    if problems:
        yield Text("")
        for problem in problems:
            yield numbered("!", Text(problem), wrapped=wrapped, style="yellow")
    yield Text("")
    if answer.grades:
        levels = " · ".join(f"{grade.criterion} {grade.value:+.1f}" for grade in answer.grades)
        yield _labelled("Judge", Text(levels, "dim"), wrapped=wrapped)
    yield from score_lines(answer, wrapped=wrapped)
    yield from _cost(answer, wrapped=wrapped)


def numbered(mark: str, text: Text, *, wrapped: bool, style: str = "") -> RenderableType:
    """Return text behind a mark, its lines set off by a column, or where nothing is wrapped by blanks."""
    if wrapped:
        grid = Grid.grid(padding=(0, 1))
        grid.add_row(Text(mark, style), text)
        return grid
    lines = text.split("\n")
    return Text("\n").join(
        Text.assemble("    " if at else (f"{mark} ", style), line) for at, line in enumerate(lines)
    )


def _labelled(label: str, text: Text, *, wrapped: bool) -> RenderableType:
    return numbered(f"{label:<7}", text, wrapped=wrapped, style="dim")


def receipt_view(item: Evidence) -> Text:
    """Return a piece of evidence, and where it stands."""
    match item:
        case Quote():
            text = Text.assemble((f"“{clean(item.text)}”", "green"))
            first, last = item.lines
            where = f"line {first}" if first == last else f"lines {first}-{last}"
            title = one_line(item.source.title, 60)
            text.append(f"\n{title}, {where} · {clean(item.source.url)}", style="dim")
        case Computation():
            text = Text.assemble((clean(plain_text(item)), "green"))
            text.append("\ncomputed exactly", style="dim")
        case Table():
            rows = clean(plain_text(item)).splitlines()
            shown = "\n".join(rows[:8]) + (f"\n… {len(rows) - 8} more rows" if len(rows) > 8 else "")
            text = Text.assemble((shown, "green"))
            if words := in_words(item.sql):
                text.append(f"\n{one_line(words, 300)}", style="dim")
            text.append(f"\n{one_line(item.sql, 300)}", style="dim")
    return text


def _candidates(selection: Selection, *, wrapped: bool) -> Iterator[RenderableType]:
    """Yield why the answer was chosen, and a line for each different answer that was not."""
    yield _labelled("Chosen", Text(f"{selection.strategy}: {selection.why}", "dim"), wrapped=wrapped)
    for ranked in selection.candidates:
        said = one_line(ranked.short, 60) if ranked.short else _ending(ranked)
        score = "" if ranked.score is None else f"{ranked.score:.2f}"
        yield Text(f"  {score:>6}  {said}  (candidate {ranked.number}, reward {ranked.reward:.2f})", style="dim")


def _ending(ranked: Ranked) -> str:
    return f"{ranked.stopped}: {one_line(ranked.why, 120)}" if ranked.why else ranked.stopped


def score_lines(answer: Answer, *, wrapped: bool) -> Iterator[RenderableType]:
    """Yield why the answer was chosen, how its statements are marked, and its score with the parts."""
    if answer.selection is not None:
        yield from _candidates(answer.selection, wrapped=wrapped)
    if answer.claims:
        counts = [Text(f"{count} {status}", _STATUS_STYLE[status]) for status, count in _counted(answer.claims)]
        yield _labelled("Claims", Text(" ").join(counts), wrapped=wrapped)
        parts = [(name, value) for name, value in answer.reward.parts if value]
        signs = "".join(f" {'-' if value < 0 else '+'} {name} {abs(value):g}" for name, value in parts)
        total = Text.assemble(f"{answer.reward.total:.2f}", (f" = {signs.removeprefix(' + ').strip()}", "dim"))
        yield _labelled("Score", total, wrapped=wrapped)


def _cost(answer: Answer, *, wrapped: bool) -> Iterator[RenderableType]:
    cached = f" ({answer.usage.cached} cached)" if answer.usage.cached else ""
    calls = "1 model call" if answer.usage.calls == 1 else f"{answer.usage.calls} model calls"
    cost = (
        f"{answer.stopped} · {answer.seconds:.1f} s · {calls} · "
        f"{answer.usage.prompt}{cached} + {answer.usage.completion} tokens · run {answer.run_id}"
    )
    yield _labelled("Ended", Text(cost, "dim"), wrapped=wrapped)
    if answer.why and answer.claims:
        yield _labelled("Reason", Text(one_line(answer.why, 300), "yellow"), wrapped=wrapped)
    for goal in answer.open:
        yield Text(f"Left open: {one_line(goal, 100)}", style="yellow")


def _counted(claims: tuple[Claim, ...]) -> list[tuple[str, int]]:
    statuses = [claim.status for claim in claims]
    return [(status, statuses.count(status)) for status in dict.fromkeys(statuses)]
