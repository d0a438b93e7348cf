"""Commands that look: the plan, the receipts, a quote in its page, a source, why an answer won."""

from rich.text import Text

from crowquill.agent.cli.chat.command import Command
from crowquill.agent.cli.chat.pause import change_task, show_plan
from crowquill.agent.cli.chat.session import Chat
from crowquill.agent.cli.view import kind_of, numbered, receipt_view, score_lines
from crowquill.agent.render import clean, one_line
from crowquill.errors import StorageError, UserError
from crowquill.memory.evidence import Computation, Quote, Table, plain_text

_AROUND = 1200
"""Characters of a page that are shown before and after a quote."""


async def plan(chat: Chat, rest: str) -> None:
    """Show the plan."""
    show_plan(chat)


async def task(chat: Chat, rest: str) -> None:
    """Change the tasks of a run under way."""
    change_task(chat, chat.steering, rest)


async def quotes(chat: Chat, rest: str) -> None:
    """List the receipts of all answers of the session."""
    wanted = rest.strip().casefold()
    shown = 0
    for place, answer in enumerate(chat.answers, 1):
        for number, item in enumerate(answer.evidence, 1):
            text = one_line(plain_text(item), 300)
            if wanted in f"{text} {kind_of(item)}".casefold():
                shown += 1
                text_of = Text.assemble((text, "green"), (f"  {kind_of(item)}", "dim"))
                chat.show(numbered(f"{place}.{number}", text_of, wrapped=chat.interactive))
    if not shown:
        raise UserError(
            f"no receipt holds {rest.strip()!r}" if wanted else "there are no receipts yet: ask a question"
        )


async def open_quote(chat: Chat, rest: str) -> None:
    """Show a quote in the page that it was taken from."""
    name, _, how = rest.strip().partition(" ")
    number, item = chat.receipt(name)
    if not isinstance(item, Quote):
        chat.show(numbered(number, receipt_view(item), wrapped=chat.interactive))
        return
    try:
        text = chat.workspace.blobs.get(item.source.sha256).decode("utf-8", "surrogatepass")
    except StorageError as error:
        raise UserError(f"the page is not kept any more: {error}") from None
    start, end = (0, len(text)) if how == "all" else _around(text, item)
    parts = (text[start : item.start], text[item.start : item.end], text[item.end : end])
    before, marked, after = map(clean, parts)
    if chat.console.color_system is None or chat.console.no_color:
        marked = f">> {marked} <<"  # where nothing can be coloured
    chat.say(f"{clean(item.source.title)} · {clean(item.source.url)}", "bold")
    chat.show(
        Text.assemble(
            ("… " if start else "") + before,
            (marked, "bold black on yellow"),
            after + (" …" if end < len(text) else ""),
        )
    )
    if start or end < len(text):
        chat.say(f"/open {number} all shows the whole page", "dim")


def _around(text: str, quote: Quote) -> tuple[int, int]:
    """Return where the part of a page begins and ends that is shown around a quote; words stay whole."""
    start, end = max(0, quote.start - _AROUND), min(len(text), quote.end + _AROUND)
    if start:
        start = max(start, text.find(" ", start, quote.start) + 1)
    if end < len(text) and (blank := text.rfind(" ", quote.end, end)) > 0:
        end = blank
    return start, end


async def source(chat: Chat, rest: str) -> None:
    """Say where a receipt comes from."""
    number, item = chat.receipt(rest.strip())
    match item:
        case Quote():
            origin = item.source
            first, last = item.lines
            lines = f"{first}" if first == last else f"{first}-{last}"
            rows = [
                ("title", origin.title),
                ("address", origin.url),
                ("lines", lines + ("" if item.page is None else f", page {item.page}")),
                ("read", origin.fetched_at),
                ("trust", f"{origin.trust:.2f} (between 0 and 1)"),
                ("SHA-256", f"{origin.sha256} of the text"),
            ]
        case Computation():
            rows = [("expression", item.expression), ("exact", item.exact), ("decimal", item.decimal)]
        case Table():
            rows = [("database", item.database), ("rows", str(item.row_count)), ("query", item.sql)]
    chat.say(f"receipt {number}: {item.kind}", "bold")
    for name, value in rows:
        if value:
            chat.show(numbered(f"  {name:<10}", Text(one_line(value, 1000)), wrapped=chat.interactive))


async def why(chat: Chat, rest: str) -> None:
    """Say why the last answer won: its score, its statements, the other candidates."""
    answer = chat.answer
    chat.show(*score_lines(answer, wrapped=chat.interactive))
    numbers = {item.id: number for number, item in enumerate(answer.evidence, 1)}
    for claim in answer.claims:
        cites = "".join(f"[{numbers[receipt.evidence.id]}]" for receipt in claim.support)
        chat.say(f"  {claim.status:<12}{one_line(claim.text, 300)} {cites}")
        if claim.problem:
            chat.say(f"  {'':<12}{one_line(claim.problem, 300)}", "yellow")
    if answer.why:
        chat.say(f"  it ended ({answer.stopped}) because {one_line(answer.why, 300)}")
    if answer.selection is None and answer.claims:
        chat.say("  one candidate; /best-of 4 would make four and choose", "dim")


COMMANDS = (
    Command("plan", "", "the plan as a checklist, with results", plan),
    Command("task", "add GOAL | drop ID | first ID", "change the tasks of a run that is held (Ctrl-C)", task),
    Command("quotes", "[WORDS]", "the receipts of all answers, or those that hold the words", quotes),
    Command("open", "N [all]", "a quote in its page (2.1: receipt 1 of answer 2)", open_quote),
    Command("source", "N", "where a receipt comes from, with trust and hash", source),
    Command("why", "", "why this answer won: score, statements, other candidates", why),
)
