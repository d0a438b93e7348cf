"""Blocking work beside the event loop, in threads that keep no program from ending."""

import asyncio
import contextlib
import contextvars
import threading
from collections.abc import Callable
from typing import TypeVar, cast

T = TypeVar("T")


async def in_own_thread(work: Callable[[], T], name: str) -> T:
    """Run blocking work in a daemon thread: one that hangs is left behind and keeps no program from ending."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T] = loop.create_future()
    context = contextvars.copy_context()

    def settle(result: T | None, error: Exception | None) -> None:
        if answer.done():  # nobody waits any more
            return
        if error is None:
            answer.set_result(cast("T", result))
        else:
            answer.set_exception(error)

    def run() -> None:
        result, failure = None, None
        try:
            result = context.run(work)
        except BaseException as error:  # it is raised again where it is awaited
            failure = _carried(error)
        with contextlib.suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(settle, result, failure)

    threading.Thread(target=run, name=f"crowquill-{name}", daemon=True).start()
    return await answer


def _carried(error: BaseException) -> Exception:
    """Return what a future can carry: not StopIteration, and not what would end the loop (SystemExit, ...)."""
    if isinstance(error, Exception) and not isinstance(error, StopIteration):
        return error
    return RuntimeError(f"{type(error).__name__} was raised")
