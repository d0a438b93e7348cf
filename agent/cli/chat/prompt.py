"""Where a person types: history, completion, several lines, pasted text. From a pipe, a line at a time."""

import asyncio
import sys
import termios
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from crowquill.agent.redact import Redactor
from crowquill.memory.owned import own_folder

if TYPE_CHECKING:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

Ask = Callable[[str], Awaitable[str | None]]
"""Returns what is typed after a prompt, None when there is no more."""
Complete = Callable[[str], Iterable[str]]
"""Returns what may stand in the place of the last word of a line."""
PROMPT, ASCII_PROMPT = "› ", "> "
"""Where questions are typed: a single Ctrl-C there, perhaps meant for a run that has just ended, ends nothing."""


async def next_line(prompt: str) -> str | None:
    """Return the next line of a pipe."""
    line = await asyncio.to_thread(sys.stdin.readline)
    return line.rstrip("\r\n") if line else None


def person(history: Path, complete: Complete, toolbar: Callable[[], str]) -> Ask:
    """Return a prompt for a terminal; what is typed is kept in `history`, less what looks like a secret."""
    from prompt_toolkit import PromptSession, print_formatted_text  # 0.14 s, and only a terminal needs it
    from prompt_toolkit.completion import CompleteEvent, Completer, Completion
    from prompt_toolkit.document import Document
    from prompt_toolkit.history import FileHistory

    redactor = Redactor()

    class History(FileHistory):
        def store_string(self, string: str) -> None:
            super().store_string(redactor.text(string))

    class Words(Completer):
        def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
            line = document.text_before_cursor
            word = line.rpartition(" ")[2]
            return (Completion(found, -len(word)) for found in complete(line))

    own_folder(history.parent)
    history.touch(mode=0o600)
    session: PromptSession[str] = PromptSession(
        history=History(str(history)),
        completer=Words(),
        complete_while_typing=False,
        multiline=True,
        key_bindings=_keys(),
        prompt_continuation=lambda width, number, wrapped: "." * (width - 1) + " ",
        bottom_toolbar=toolbar,
        reserve_space_for_menu=4,
    )

    async def ask(prompt: str) -> str | None:
        again = prompt not in (PROMPT, ASCII_PROMPT)
        while True:
            try:
                return await session.prompt_async(prompt, handle_sigint=False)
            except KeyboardInterrupt:
                if not _clear(session):
                    if again:
                        return None
                    again = True
                    print_formatted_text("Ctrl-C once more, Ctrl-D or /quit ends the session")
            except EOFError:
                return None

    return ask


@contextmanager
def typed_ahead() -> Iterator[None]:
    """Keep what is typed while nothing is asked off the screen; the next prompt gets it, each key as it is."""
    if not sys.stdin.isatty():
        yield
        return
    before = termios.tcgetattr(sys.stdin)
    quiet = termios.tcgetattr(sys.stdin)
    quiet[3] &= ~(termios.ECHO | termios.ICANON)  # Ctrl-D is kept like any other key
    termios.tcsetattr(sys.stdin, termios.TCSADRAIN, quiet)
    try:
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def _clear(session: "PromptSession[str]") -> bool:
    """Say whether there was something to throw away, as Ctrl-C does in a shell."""
    return bool(session.default_buffer.text.strip())


def _keys() -> "KeyBindings":
    """Enter sends, Alt-Enter begins a new line; pasted lines stay together."""
    from prompt_toolkit.filters import completion_is_selected
    from prompt_toolkit.key_binding import KeyBindings

    keys = KeyBindings()

    @keys.add("enter", filter=~completion_is_selected)
    def send(event: "KeyPressEvent") -> None:
        event.current_buffer.validate_and_handle()

    @keys.add("enter", filter=completion_is_selected)
    def take(event: "KeyPressEvent") -> None:
        event.current_buffer.complete_state = None

    @keys.add("escape", "enter")
    def new_line(event: "KeyPressEvent") -> None:
        event.current_buffer.insert_text("\n")

    return keys
