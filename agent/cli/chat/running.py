"""Drives one run of a session: live view, Ctrl-C, and what becomes of the answer."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager

from rich.console import Console
from rich.text import Text

from crowquill.agent.agent import Agent
from crowquill.agent.answer import Answer
from crowquill.agent.cli.chat.approving import Terminal
from crowquill.agent.cli.chat.pause import hold
from crowquill.agent.cli.chat.screen import Screen
from crowquill.agent.cli.chat.session import Begin, Chat
from crowquill.agent.cli.live import LiveView
from crowquill.agent.cli.view import describe, print_view
from crowquill.agent.events import Event, Progress, RunFinished, RunStarted
from crowquill.agent.steering import Steering


async def drive(chat: Chat, agent: Agent, begin: Begin) -> Answer | None:
    """Run to the end, with pauses where the person wants them; None when it was stopped."""
    errors = Console(stderr=True, highlight=False)
    steering = Steering(agent.clock, chat.approver.ask if isinstance(chat.approver, Terminal) else None)
    view = LiveView(agent.config, agent.clock)
    animated = errors.is_terminal and not errors.is_dumb_terminal and chat.interactive and not chat.quiet
    agent.watched = animated
    chat.screen, chat.steering = Screen(errors, view, animated=animated), steering
    pump = asyncio.create_task(
        _pump(begin(steering=steering), chat, errors, speaks=not animated and not chat.quiet)
    )
    try:
        chat.screen.show()
        with _interrupts(chat) as interrupted:
            while not pump.done():
                waiting = asyncio.create_task(interrupted.wait())
                await asyncio.wait({pump, waiting}, return_when=asyncio.FIRST_COMPLETED)
                waiting.cancel()
                if interrupted.is_set() and not pump.done():
                    interrupted.clear()
                    if not await _held(chat, steering):
                        return None
        return await pump
    finally:
        chat.tasks = tuple(view.tasks.values())
        chat.screen.hide()
        chat.screen = chat.steering = None
        pump.cancel()
        await asyncio.gather(pump, return_exceptions=True)


async def _held(chat: Chat, steering: Steering) -> bool:
    """Hold the run and let the person say what is next; False to stop it. From a pipe, Ctrl-C stops."""
    if not chat.interactive:
        return False
    assert chat.screen is not None
    steering.pause()
    async with chat.screen.dialog():
        goes_on = await hold(chat, steering)
    steering.go_on()
    return goes_on


async def _pump(stream: AsyncGenerator[Event, None], chat: Chat, errors: Console, *, speaks: bool) -> Answer | None:
    """Take in the events of a run; return its answer."""
    run_id = ""
    screen = chat.screen
    assert screen is not None
    try:
        async with aclosing(stream) as events:
            async for event in events:
                run_id = event.run_id if isinstance(event, RunStarted) else run_id
                screen.view.on(event)
                if speaks and not isinstance(event, Progress) and (line := describe(event)) is not None:
                    errors.print(line, markup=False, soft_wrap=True)
                if isinstance(event, RunFinished):
                    return event.answer
    except asyncio.CancelledError:
        screen.hide()
        kept = f"; what was found is kept; go on with: /resume {run_id}" if run_id else ""
        print_view(errors, [Text(f"stopped{kept}")])
        raise
    return None


@contextmanager
def _interrupts(chat: Chat) -> Iterator[asyncio.Event]:
    """Turn Ctrl-C into an event."""
    interrupted, before = asyncio.Event(), chat.interrupt
    chat.interrupt = interrupted.set
    try:
        yield interrupted
    finally:
        chat.interrupt = before
