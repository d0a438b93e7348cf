"""Calculations and queries in processes that can be killed.

A single-threaded zygote (`python -I`, own session, empty environment) forks one child for each request; the child
sets its own limits, reads the request, writes the response and ends. A bomb costs its own child and nobody else's.
The jobs are fixed here: a request names one, and carries data only.
"""

import array
import asyncio
import contextlib
import ctypes
import importlib
import json
import os
import resource
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, cast

from crowquill.errors import ToolFailed, ToolRetry
from crowquill.tools.context import Json

JOBS = {
    "compute": "crowquill.tools.maths.arithmetic:compute",
    "query": "crowquill.tools.sql.sqlite:query",
    "schema": "crowquill.tools.sql.sqlite:describe",
}
MEMORY = 1 << 30
"""Bytes of address space that a child may use."""
LARGEST = 4 * 2**20
"""Bytes of a request or response."""
_START_SECONDS = 20.0
_GRACE = 0.5  # seconds beyond the limit for starting the child and passing the response


class Worker:
    """A warm zygote; it starts with the first request and ends with `close` or with this process."""

    def __init__(self, *, memory: int = MEMORY) -> None:
        self._memory = memory
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    async def run(self, job: str, request: Json, *, seconds: float) -> Json:
        """Run one job and return its response.

        Raises:
            ToolRetry: the request itself is wrong.
            ToolFailed: it took more than `seconds`, too much memory, or broke its process.
        """
        call = _Call(job, request, seconds, self._memory)
        waiting = asyncio.ensure_future(asyncio.to_thread(self._run, call))
        try:
            return await asyncio.shield(waiting)
        except asyncio.CancelledError:
            call.kill()
            await asyncio.wait([waiting])
            raise

    def warm(self) -> None:
        """Start the zygote, so that the first request does not wait for it."""
        with self._lock:
            self._started()

    def close(self) -> None:
        """End the zygote; the worker may be used again."""
        with self._lock:
            self._stop()

    def _run(self, call: "_Call") -> Json:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            self._hand_over(theirs, call)
            theirs.close()
            return call.follow(ours)

    def _hand_over(self, theirs: socket.socket, call: "_Call") -> None:
        with self._lock:
            for last in (False, True):
                control = self._started()
                try:
                    socket.send_fds(control, [b"x"], [theirs.fileno()])
                except OSError:
                    self._stop()  # it was killed; one new one is tried
                    if last:
                        raise ToolFailed("the worker process cannot be started") from None
                else:
                    return

    def _started(self) -> socket.socket:
        if self._control is not None and self._process is not None and self._process.poll() is None:
            return self._control
        self._stop()
        ours, theirs = socket.socketpair()
        with theirs:
            code = f"from crowquill.tools.worker import zygote; zygote({theirs.fileno()})"
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-c", code],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={"LC_ALL": "C.UTF-8"},
                cwd="/",
                start_new_session=True,
            )
        self._control = ours
        return ours

    def _stop(self) -> None:
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None


class _Call:
    """One request on its way: the child's number, and what became of it."""

    def __init__(self, job: str, request: Json, seconds: float, memory: int) -> None:
        self._message = {"job": job, "request": request, "seconds": seconds, "memory": memory}
        self._seconds = seconds
        self._child: int | None = None
        self._killed = False

    def kill(self) -> None:
        """End the child now."""
        self._killed = True
        if self._child is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._child, signal.SIGKILL)

    def follow(self, channel: socket.socket) -> Json:
        """Send the request, wait for the response, and kill the child when its time is over."""
        try:
            channel.settimeout(_START_SECONDS)
            self._child = struct.unpack("!I", _receive(channel, 4))[0]
            if self._killed:
                self.kill()
            end = time.monotonic() + self._seconds + _GRACE
            _send(channel, self._message)
            response = _load(channel, end)
        except TimeoutError:
            self.kill()
            raise ToolFailed(f"it took longer than {self._seconds:g} seconds") from None
        except (OSError, EOFError, ValueError):
            self.kill()
            raise ToolFailed(f"it took more than {self._seconds:g} seconds of work, or too much memory") from None
        kind = response.get("error")
        if kind is None:
            return cast("Json", response["result"])
        raise (ToolRetry if kind == "ToolRetry" else ToolFailed)(str(response["message"]))


def _send(channel: socket.socket, message: dict[str, Any]) -> None:
    data = json.dumps(message, ensure_ascii=True).encode()
    channel.sendall(struct.pack("!I", len(data)) + data)


def _receive(channel: socket.socket, count: int, end: float | None = None) -> bytes:
    data = bytearray()
    while len(data) < count:
        if end is not None:
            channel.settimeout(max(end - time.monotonic(), 0.001))
        piece = channel.recv(min(count - len(data), 65_536))
        if not piece:
            raise EOFError
        data += piece
    return bytes(data)


def _load(channel: socket.socket, end: float | None = None) -> dict[str, Any]:
    size = struct.unpack("!I", _receive(channel, 4, end))[0]
    if size > LARGEST:
        raise ValueError("the message is too large")
    return cast("dict[str, Any]", json.loads(_receive(channel, size, end)))


def zygote(control_number: int) -> None:
    """Fork a child for each socket that comes over the control socket; end when it closes."""
    handlers: dict[str, Callable[[Any], Json]] = {}
    for job, place in JOBS.items():
        module, _, function = place.partition(":")
        handlers[job] = getattr(importlib.import_module(module), function)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # children are reaped by the kernel
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    control = socket.socket(fileno=control_number)
    while True:
        received, ancillary, _, _ = control.recvmsg(1, socket.CMSG_SPACE(array.array("i").itemsize))
        if not received:
            os._exit(0)
        numbers = array.array("i")
        for _, _, data in ancillary:
            numbers.frombytes(data[: len(data) - len(data) % numbers.itemsize])
        if os.fork() == 0:
            control.close()
            _serve(socket.socket(fileno=numbers[0]), handlers)
        os.close(numbers[0])


def _serve(channel: socket.socket, handlers: dict[str, Callable[[Any], Json]]) -> None:
    """Work one request off in a child, and end it whatever happens."""
    try:
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: end with the zygote
        channel.sendall(struct.pack("!I", os.getpid()))
        message = _load(channel)
        _limit(float(message["seconds"]), int(message["memory"]))
        _send(channel, _answer(handlers[message["job"]], message["request"]))
    finally:
        os._exit(0)


def _answer(handler: Callable[[Any], Json], request: Json) -> dict[str, Any]:
    try:
        return {"result": handler(request)}
    except (ToolRetry, ToolFailed) as error:
        return {"error": type(error).__name__, "message": str(error)}
    except MemoryError:
        return {"error": "ToolFailed", "message": "it needs too much memory"}
    except RecursionError:
        return {"error": "ToolRetry", "message": "it is nested too deeply"}
    except Exception as error:  # a defect of ours must not look like a limit; the parent reports it
        return {"error": "ToolFailed", "message": f"internal error in the worker: {error!r}"[:500]}


def _limit(seconds: float, memory: int) -> None:
    cpu = max(int(seconds + 0.999), 1)
    resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
