"""What the commands share: driving a run with a view, Ctrl-C, exit codes."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, contextmanager, nullcontext
from functools import partial
from typing import Any

from rich.console import Console
from rich.live import Live

from crowquill.agent.agent import Agent
from crowquill.agent.answer import Answer, Stopped
from crowquill.agent.cli.approving import TerminalApprover
from crowquill.agent.cli.live import LiveView
from crowquill.agent.cli.view import answer_view, describe, print_view
from crowquill.agent.events import Event, Progress, RunFinished, RunStarted
from crowquill.agent.publish import answer_json, event_json

EXIT_CODES: dict[Stopped, int] = {
    "answered": 0,
    "error": 1,
    "not_found": 3,
    "refused": 3,
    "budget": 4,
    "stalled": 4,
    "paused": 5,
    "cancelled": 130,
}


def print_json(data: Any) -> None:
    """Print JSON on standard output: indented for a person, one line for a pipe."""
    indent = 2 if sys.stdout.isatty() else None
    sys.stdout.write(json.dumps(data, ensure_ascii=False, indent=indent) + "\n")


def print_answer(answer: Answer) -> None:
    """Print a finished answer for a person."""
    console = Console(highlight=False)
    print_view(console, answer_view(answer, wrapped=console.is_terminal))


def print_outcome(answer: Answer | None, *, as_json: bool, events: bool) -> int:
    """Print what a run has come to (None: it was cancelled), unless its events were, and return the exit code."""
    if answer is None:
        return EXIT_CODES["cancelled"]
    if as_json:
        print_json(answer_json(answer))
    elif not events:
        print_answer(answer)
    return EXIT_CODES[answer.stopped]


Run = Callable[[], AsyncGenerator[Event, None]]
"""What begins a run and yields its events, such as `partial(agent.stream, question)`."""


def drive(agent: Agent, run: Run, *, events: bool = False, quiet: bool = False) -> Answer | None:
    """Drive a run of the agent with a view on standard error; None when the user has cancelled it."""
    return asyncio.run(_drive(agent, run, events=events, quiet=quiet))


@contextmanager
def _paused(live: Live) -> Iterator[None]:
    live.stop()
    try:
        yield
    finally:
        live.start()


async def _drive(agent: Agent, run: Run, *, events: bool, quiet: bool) -> Answer | None:
    console = Console(stderr=True, highlight=False)
    view = LiveView(agent.config, agent.clock)
    animated = console.is_terminal and not quiet
    agent.watched = animated
    run_id = ""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, task.cancel)
    live = Live(view, console=console, refresh_per_second=4, transient=True) if animated else None
    if live is not None and isinstance(agent.approver, TerminalApprover):
        agent.approver.pause = partial(_paused, live)
    try:
        with nullcontext() if live is None else live:
            async with aclosing(run()) as stream:
                async for event in stream:
                    if isinstance(event, RunStarted):
                        run_id = event.run_id
                    view.on(event)
                    if isinstance(event, Progress):
                        continue  # only a live view shows what passes
                    if events:
                        sys.stdout.write(json.dumps(event_json(event), ensure_ascii=False) + "\n")
                    elif not animated and not quiet and (line := describe(event)) is not None:
                        console.print(line, markup=False, soft_wrap=True)
                    if isinstance(event, RunFinished):
                        return event.answer
    except asyncio.CancelledError:
        task.uncancel()
        kept = f"; what was found is kept; go on with: crowquill runs resume {run_id}" if run_id else ""
        console.print(f"cancelled{kept}", markup=False, soft_wrap=True)
    finally:
        await agent.close()
    return None
