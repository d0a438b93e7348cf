"""What a command of the session is."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from crowquill.agent.cli.chat.session import Chat


@dataclass(frozen=True, slots=True)
class Command:
    """A command: what is written after its name, what it does in a line, and the function that does it.

    The function gets the session and the rest of the line; it raises UserError or another error of ours.
    """

    name: str
    usage: str
    help: str
    do: Callable[[Chat, str], Awaitable[None]]
