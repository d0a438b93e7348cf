"""Asking a person at the terminal before something is written, sent or executed."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from rich.console import Console
from rich.text import Text

from crowquill.agent.approvals import ApprovalRequest, Decision
from crowquill.agent.render import clean, one_line
from crowquill.agent.steering import Question
from crowquill.tools.threads import in_own_thread

_SHOWN_ROWS, _SHOWN_TEXT = 10, 2000
_ANSWERS = {
    "y": Decision(allow=True),
    "yes": Decision(allow=True),
    "a": Decision(allow=True, scope="run"),
    "always": Decision(allow=True, scope="run"),
}


class TerminalApprover:
    """Asks on standard error and reads one line; everything but a clear yes is a no.

    `pause` is entered while it asks, so that a live view does not write over the question.
    """

    def __init__(self) -> None:
        self.pause: Callable[[], AbstractContextManager[Any]] = nullcontext

    async def decide(self, request: ApprovalRequest) -> Decision:
        """Show what is about to be done and wait for the answer."""
        with self.pause():
            console = Console(stderr=True, highlight=False, soft_wrap=True)
            for line in shown(request):
                console.print(line)
            console.print(Text("Do it? [y]es, [a]lways in this run, [N]o: ", style="bold"), end="")
            answer = await in_own_thread(sys.stdin.readline, "approval")
        return _ANSWERS.get(answer.strip().lower(), Decision(allow=False, why="you said no"))

    async def ask(self, question: Question) -> str:
        """Put a question of the run to the person; an empty line is no answer."""
        with self.pause():
            console = Console(stderr=True, highlight=False, soft_wrap=True)
            choices = f" [{'/'.join(question.choices)}]" if question.choices else ""
            console.print(Text(f"{one_line(question.text, 400)}{choices} ", style="bold"), end="")
            return await in_own_thread(sys.stdin.readline, "question")


def can_ask() -> bool:
    """Say whether a person sits at a terminal."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def shown(request: ApprovalRequest) -> Iterator[Text]:
    """Yield what a person needs to decide; text from outside is cleaned and never markup."""
    yield Text(f"{request.tool} may {request.access}: {one_line(request.effect, 300)}", style="bold yellow")
    for name, value in request.args.items():
        if isinstance(value, Mapping) and "rows" in value:
            yield from rows_shown(name, value)
        elif value is not None:
            yield Text(f"  {name}: {clean(str(value))[:_SHOWN_TEXT]}")
    if request.why:
        yield Text(f"  asked because {one_line(request.why, 300)}", style="dim")


def rows_shown(title: str, table: Mapping[str, Any]) -> Iterator[Text]:
    """Yield the rows of a result under a title, a line each."""
    yield Text(f"  {title}: {' | '.join(one_line(str(column), 40) for column in table['columns'])}")
    for row in table["rows"][:_SHOWN_ROWS]:
        yield Text("    " + " | ".join("NULL" if cell is None else one_line(str(cell), 40) for cell in row))
    if len(table["rows"]) > _SHOWN_ROWS or table["truncated"]:
        yield Text("    …")
