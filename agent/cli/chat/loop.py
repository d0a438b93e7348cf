"""`crowquill chat`: reads questions and commands until there are no more."""

import asyncio
import difflib
import signal
import sys
from collections.abc import Iterator
from functools import partial

from rich.console import Console
from rich.text import Text

from crowquill import __version__
from crowquill.agent.cli.ask import AskOptions
from crowquill.agent.cli.chat.approving import Terminal
from crowquill.agent.cli.chat.choosing import COMMANDS as CHOOSING
from crowquill.agent.cli.chat.choosing import sources_line
from crowquill.agent.cli.chat.command import Command
from crowquill.agent.cli.chat.complete import complete
from crowquill.agent.cli.chat.handwork import COMMANDS as HANDWORK
from crowquill.agent.cli.chat.looking import COMMANDS as LOOKING
from crowquill.agent.cli.chat.prompt import ASCII_PROMPT, PROMPT, next_line, person, typed_ahead
from crowquill.agent.cli.chat.question import answer_question
from crowquill.agent.cli.chat.recording import COMMANDS as RECORDING
from crowquill.agent.cli.chat.session import Chat
from crowquill.agent.cli.chat.welcome import has_model, introduce, is_first
from crowquill.agent.cli.session import EXIT_CODES
from crowquill.agent.cli.view import numbered, print_view
from crowquill.agent.render import one_line
from crowquill.agent.settings import load_defaults
from crowquill.agent.workspace import find_workspace
from crowquill.errors import CrowquillError, UserError

_NAME = 40
_ELSE = (
    "Everything else is a question; it may refer to those before. Alt-Enter begins a new line, Ctrl-C holds a run,"
    " Ctrl-D ends the session, // asks what begins with a slash."
)


async def show_help(chat: Chat, rest: str) -> None:
    """List the commands, or explain one."""
    wanted = rest.strip().lstrip("/")
    shown = [entry for entry in ALL.values() if wanted in ("", entry.name)]
    if not shown:
        raise UserError(_unknown(wanted))
    for entry in shown:
        left = f"/{entry.name} {entry.usage}"
        chat.show(numbered(f"{left:<35}", Text(entry.help), wrapped=chat.interactive))
    if not wanted:
        chat.say(_ELSE, "dim")


async def leave(chat: Chat, rest: str) -> None:
    """End the session."""
    chat.ended = True


ALL: dict[str, Command] = {
    entry.name: entry
    for entry in (
        Command("help", "[COMMAND]", "list the commands, or explain one", show_help),
        *LOOKING,
        *CHOOSING,
        *HANDWORK,
        *RECORDING,
        Command("quit", "", "end the session", leave),
    )
}


def run_chat(options: AskOptions, *, quiet: bool) -> int:
    """Hold a session and return the exit code: 0, or from a pipe that of the last question that went wrong."""
    interactive = sys.stdin.isatty() and sys.stdout.isatty()
    try:
        return asyncio.run(_session(options, interactive=interactive, quiet=quiet))
    except (KeyboardInterrupt, asyncio.CancelledError):
        return EXIT_CODES["cancelled"]


async def _session(options: AskOptions, *, interactive: bool, quiet: bool) -> int:
    approver = Terminal() if interactive else None
    chat = Chat(options.with_defaults(load_defaults()), Console(highlight=False), next_line, interactive, quiet)
    chat.approver = approver
    if approver is not None:
        approver.chat = chat
    if interactive:
        history = find_workspace(options.workspace) / "history"
        chat.ask = person(history, partial(complete, chat, ALL), partial(_toolbar, chat))
        if is_first(options) or not has_model(chat.options):
            chosen = await introduce(chat.options, chat.console, chat.ask)
            if chosen is None:
                return 0
            chat.options = chosen
    loop, this = asyncio.get_running_loop(), asyncio.current_task()
    assert this is not None
    if not interactive:
        chat.interrupt = this.cancel
    loop.add_signal_handler(signal.SIGINT, lambda: chat.interrupt())
    try:
        if interactive:
            _greet(chat)
        with typed_ahead():
            return await _converse(chat)
    finally:
        loop.remove_signal_handler(signal.SIGINT)
        await chat.close()


async def _converse(chat: Chat) -> int:
    code = 0
    prompt = "" if not chat.interactive else ASCII_PROMPT if chat.console.options.ascii_only else PROMPT
    while not chat.ended and (line := await chat.ask(prompt)) is not None:
        try:
            done = await _interruptible(chat, line) if chat.interactive else await take(chat, line)
        except CrowquillError as error:
            done = 2 if isinstance(error, UserError) else 1
            text = Text(f"! {one_line(str(error), 600)}", "yellow")
            print_view(chat.console if chat.interactive else Console(stderr=True), [text])
        code = done if done else code
    return 0 if chat.interactive else code


async def _interruptible(chat: Chat, line: str) -> int:
    """Do what was typed; Ctrl-C ends that, and not the session."""
    work, before = asyncio.create_task(take(chat, line)), chat.interrupt
    chat.interrupt = work.cancel
    try:
        await asyncio.wait({work})
    finally:
        chat.interrupt = before
        work.cancel()
    if work.cancelled():
        chat.say("stopped", "yellow")
        return EXIT_CODES["cancelled"]
    return work.result()


async def take(chat: Chat, line: str) -> int:
    """Do what was typed: a command, or a question; return the exit code. Raises errors of ours."""
    text = line.strip()
    if not text:
        return 0
    if text.startswith("/") and not text.startswith("//"):
        name, _, rest = text[1:].partition(" ")
        command = ALL.get(name)
        if command is None:
            raise UserError(_unknown(name))
        await command.do(chat, rest)
        return 0
    code = await answer_question(chat, text.removeprefix("/") if text.startswith("//") else text)
    chat.say()
    return code


def _unknown(name: str) -> str:
    near = difflib.get_close_matches(name, ALL, n=1)
    hint = f"did you mean /{near[0]}? " if near else ""
    return f"there is no command /{one_line(name, 40)}; {hint}/help lists them"


def _greet(chat: Chat) -> None:
    chat.console.print(
        Text(f"Crowquill {__version__} · {chat.agent.models['act'].name} · {sources_line(chat)}", "bold")
    )
    chat.say("Ask something. /help lists commands, Ctrl-C holds a run, Ctrl-D ends.", "dim")


def _model_name(chat: Chat) -> str:
    """Return the model's name, of a long one (a file, an address) the end."""
    name = chat.agent.models["act"].name
    cut = "..." if chat.console.options.ascii_only else "…"
    return name if len(name) <= _NAME else f"{cut}{name[-_NAME:]}"


def _toolbar(chat: Chat) -> str:
    return " · ".join(_facts(chat)) if chat.ready else ""


def _facts(chat: Chat) -> Iterator[str]:
    yield _model_name(chat)
    if chat.answers:
        tokens = sum(answer.usage.prompt + answer.usage.completion for answer in chat.answers)
        yield f"{tokens:,} tokens"
    yield sources_line(chat).removeprefix("searches ")
