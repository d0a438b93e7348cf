"""Calculations and queries in processes that can be killed.

A single-threaded zygote (`python -I`, own session, empty environment) forks one child for each request; the child
sets its own limits, reads the request, writes the response and ends. A bomb costs its own child and nobody else's.
The jobs are fixed when the worker is made: a request names one, and carries data only.

Not covered: a child may open files and sockets like any process of this user. The jobs are our own code, which
does neither beyond the database it is given; the child bounds what they cost, not what they are.
"""

import asyncio
import contextlib
import ctypes
import functools
import importlib
import json
import os
import resource
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn, cast

from crowquill.errors import ToolFailed, ToolRetry
from crowquill.tools.context import Json, ToolContext

JOBS: Mapping[str, str] = {
    "query": "crowquill.tools.sql.sqlite:query",
    "schema": "crowquill.tools.sql.describe:describe",
    "lookup": "crowquill.tools.sql.describe:look_up_sqlite",
    "compute": "crowquill.tools.maths.compute:compute",
}
"""Name of each job, and `module:function` of what does it: a function of JSON that returns JSON.

The zygote imports them in this order while nothing is asked of it; then it takes the steps of each module's `warm`,
where there is one, so that a child finds loaded what is slow to load.
"""
MEMORY = 1 << 30
"""Bytes of address space that a child may use."""
LARGEST = 8 * 2**20
"""Bytes that a request or a response may have."""

KEPT = 60.0
"""Seconds that a released zygote waits for the next worker with its jobs before it ends."""

_START_SECONDS = 30.0  # a cold zygote imports the jobs, on a busy machine
_GRACE = 0.5  # seconds beyond the limit for passing request and response
_LEAST_SECONDS = 0.1  # what a call gets when the run's time is over; it is about to be stopped anyway
_OPEN_FILES = 64
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG
_PACKAGE_PARENT = str(Path(__file__).parents[2])  # `-I` hides PYTHONPATH and the user's own site-packages
_ZYGOTE = "import sys; sys.path.append(sys.argv[1]); from crowquill.tools.worker import zygote; zygote()"

Handler = Callable[[Any], Json]


class Worker:
    """A warm zygote; it starts with the first request and ends with `close`, or with this process.

    Workers that follow one another, as those of runs do, may share one by `release`.
    One worker serves any number of tasks, threads and event loops at once; nothing of it belongs to a loop.
    """

    def __init__(self, jobs: Mapping[str, str] = JOBS, *, memory: int = MEMORY, kept: float = KEPT) -> None:
        self._jobs = dict(jobs)
        self._kept = kept
        self._requests = 0
        self._memory = memory
        self._lock = threading.Lock()
        self._zygote: _Zygote | None = None

    async def run(self, job: str, request: Json, *, seconds: float, writes: bool = False) -> Json:
        """Run one job and return its response. `writes`: it may write files, and is not tried a second time.

        Raises:
            ToolRetry: the request itself is wrong.
            ToolFailed: it took more than `seconds`, too much memory, or broke its process.
        """
        limits = {"seconds": seconds, "memory": self._memory, "writes": writes}
        message = _packed({"job": job, "request": request, **limits})
        if len(message) > LARGEST:
            raise ToolRetry(f"the request has more than {LARGEST >> 20} MB")
        with self._lock:
            self._requests += 1
        try:
            return _unwrapped(await self._tried(self._place(job), message, seconds, 1 if writes else 2))
        finally:
            with self._lock:
                self._requests -= 1

    async def _tried(self, imported: int, message: bytes, seconds: float, times: int) -> dict[str, Any]:
        """Exchange a message, and again if the zygote dies, which may be killed at any moment."""
        complaint = ""
        for _ in range(times):
            zygote = self._warm_zygote()
            try:
                return await _exchange(zygote, imported, message, seconds)
            except _ZygoteDied:
                if zygote.closed:
                    raise ToolFailed("the worker was closed") from None
                complaint = zygote.complaint()
                self._discard(zygote)
        raise ToolFailed(f"the worker process does not stay alive{complaint}; run: crowquill doctor")

    def _place(self, job: str) -> int:
        """Return how many jobs the zygote must have imported before it forks for this one."""
        return list(self._jobs).index(job) + 1 if job in self._jobs else 0

    def warm(self) -> None:
        """Start the zygote, so that the first request does not wait for it."""
        self._warm_zygote()

    def close(self) -> None:
        """End the zygote and all children; the worker may be used again."""
        self._part(idle=False)

    def release(self) -> None:
        """Do as `close` does, but leave an idle zygote to the next worker with these jobs, should one come soon."""
        self._part(idle=True)

    def _part(self, *, idle: bool) -> None:
        """Part with the zygote: an idle one is left to others if `idle` says so, any other ends."""
        with self._lock:
            zygote, self._zygote = self._zygote, None
            idle = idle and not self._requests
        if zygote is not None and idle and zygote.park():
            _leave(self._jobs, zygote)
        elif zygote is not None:
            zygote.closed = True
            zygote.end()

    def _warm_zygote(self) -> "_Zygote":
        with self._lock:
            if self._zygote is None or not self._zygote.alive():
                if self._zygote is not None:
                    self._zygote.end()
                self._zygote = _taken(self._jobs) or _Zygote(self._jobs, self._kept)
            return self._zygote

    def _discard(self, zygote: "_Zygote") -> None:
        with self._lock:
            if self._zygote is zygote:  # else another caller has replaced it already
                self._zygote = None
        zygote.end()


def time_for(limit: float, context: ToolContext) -> float:
    """Return the seconds that a call may take: `limit`, or what is left of the run's time when that is less."""
    left = limit if context.deadline is None else context.deadline - context.clock.monotonic()
    return max(min(limit, left), _LEAST_SECONDS)


class _ZygoteDied(Exception):
    """The zygote ended, or does not fork; nothing is known about the request."""


class _Zygote:
    """The parent's end of one zygote process."""

    def __init__(self, jobs: Mapping[str, str], kept: float) -> None:
        self._control, theirs = socket.socketpair()
        self._kept = kept
        with theirs:
            arguments = [_PACKAGE_PARENT, str(theirs.fileno()), json.dumps(jobs), str(kept)]
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-c", _ZYGOTE, *arguments],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={"LC_ALL": "C.UTF-8"},
                cwd="/",
                start_new_session=True,
            )
        self._control.setblocking(False)
        self._owner = os.getpid()
        self.closed = False
        self._parked = 0.0  # monotonic seconds
        self.end = weakref.finalize(self, _end, self._process, self._control, self._owner)

    def alive(self) -> bool:
        """Say whether the process runs and belongs to this process, not to one that forked it.

        It says nothing as long as it lives, and its end of the socket closes before its children are told to die.
        """
        try:
            self._control.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return os.getpid() == self._owner
        except OSError:
            pass  # closed by `end`
        return False

    def accept(self, channel: socket.socket, imported: int) -> None:
        """Have a child forked that serves the other end of `channel`, once so many jobs are imported."""
        try:
            socket.send_fds(self._control, [bytes([imported])], [channel.fileno()])
        except OSError:
            raise _ZygoteDied from None

    def park(self) -> bool:
        """Have it end by itself when nothing follows in time; False when it is dead."""
        self._parked = time.monotonic()
        return self._sent(b"-")

    def unpark(self) -> bool:
        """Have it stay; False when it is dead, or about to end."""
        return time.monotonic() - self._parked < self._kept / 2 and self._sent(b"+")

    def _sent(self, byte: bytes) -> bool:
        try:
            return self.alive() and self._control.send(byte) == 1
        except OSError:
            return False

    def complaint(self) -> str:
        """Return what the zygote said before it ended, in brackets."""
        with contextlib.suppress(OSError):
            return f" ({self._control.recv(500).decode('utf-8', 'replace')})"
        return ""


_spares: dict[str, _Zygote] = {}


def _place_of(jobs: Mapping[str, str]) -> str:
    """Return where a spare is kept: one with other rights than this process has now is none for it."""
    return json.dumps([jobs, os.getresuid(), os.getresgid(), os.getgroups()])


def _leave(jobs: Mapping[str, str], zygote: _Zygote) -> None:
    """Leave a zygote to the next worker with these jobs, for an older one; what has ended is cleared away."""
    own = _place_of(jobs)
    for place, spare in list(_spares.items()):
        if (place == own or not spare.alive()) and _spares.pop(place, None) is spare:
            spare.end()
    _spares[own] = zygote


def _taken(jobs: Mapping[str, str]) -> _Zygote | None:
    """Take the zygote that another worker with these jobs has left, unless it is about to end."""
    found = _spares.pop(_place_of(jobs), None)
    if found is None or found.unpark():
        return found
    found.end()
    return None


def _forget_spares() -> None:
    """Let go, in a fork, of what belongs to the process that it comes from, before it reuses the descriptors."""
    for spare in _spares.values():
        spare.end()
    _spares.clear()


os.register_at_fork(after_in_child=_forget_spares)


def _end(process: "subprocess.Popen[bytes]", control: socket.socket, owner: int) -> None:
    if owner == os.getpid():
        with contextlib.suppress(ProcessLookupError):
            process.kill()  # its children die with it (PR_SET_PDEATHSIG)
        process.wait()
    else:
        process.returncode = 0  # or Popen warns in this fork that it still runs
    control.close()


async def _exchange(zygote: _Zygote, imported: int, message: bytes, seconds: float) -> dict[str, Any]:
    """Have a child forked, send it the message, return its response; whatever happens, the child ends."""
    ours, theirs = socket.socketpair()
    child: int | None = None
    with ours:
        with theirs:
            zygote.accept(theirs, imported)
        ours.setblocking(False)
        try:
            child = await _greeted(ours)
            async with asyncio.timeout(seconds + _GRACE):
                await asyncio.get_running_loop().sock_sendall(ours, message)
                return await _response(ours)
        except TimeoutError:
            raise ToolFailed(f"it took longer than {seconds:g} seconds and was stopped") from None
        except (OSError, EOFError):
            if not zygote.alive():
                raise _ZygoteDied from None
            raise ToolFailed("its process ended early: too much memory or processor time") from None
        finally:
            if child is not None:
                _kill(child)


async def _greeted(channel: socket.socket) -> int:
    """Wait for the child's first words and return a pid file descriptor, which cannot name another process."""
    try:
        async with asyncio.timeout(_START_SECONDS):
            pid = struct.unpack("!I", await _receive(channel, 4))[0]
        return os.pidfd_open(pid)
    except (TimeoutError, OSError, EOFError):
        raise _ZygoteDied from None


def _kill(child: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        signal.pidfd_send_signal(child, signal.SIGKILL)
    os.close(child)


async def _response(channel: socket.socket) -> dict[str, Any]:
    size = struct.unpack("!I", await _receive(channel, 4))[0]
    return cast("dict[str, Any]", json.loads(await _receive(channel, min(size, LARGEST))))


async def _receive(channel: socket.socket, count: int) -> bytes:
    loop = asyncio.get_running_loop()
    data = bytearray()
    while len(data) < count:
        piece = await loop.sock_recv(channel, min(count - len(data), 1 << 18))
        if not piece:
            raise EOFError
        data += piece
    return bytes(data)


def _unwrapped(response: dict[str, Any]) -> Json:
    kind = response.get("error")
    if kind is None:
        return cast("Json", response["result"])
    raise (ToolRetry if kind == "ToolRetry" else ToolFailed)(str(response["message"]))


def _packed(message: dict[str, Any]) -> bytes:
    data = json.dumps(message, ensure_ascii=True).encode()
    return struct.pack("!I", len(data)) + data


# --- what runs in the zygote and its children ---


def zygote() -> NoReturn:
    """Fork a child for each socket that comes over the control socket; end when that closes.

    A "-" without a socket parks it: it ends when nothing follows in time, be it a "+" without a socket.
    """
    control = socket.socket(fileno=int(sys.argv[2]))
    jobs: dict[str, str] = json.loads(sys.argv[3])
    kept = float(sys.argv[4])
    warming, imported = _warming(jobs), 0
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel reaps the children
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a refused write is an error, not the end
    own = os.getpid()
    while True:
        try:
            while not select.select([control], [], [], 0)[0] and (step := next(warming, 0)):
                imported = step
            received, descriptors, _, _ = socket.recv_fds(control, 1, 1)
            parked = received == b"-" and not descriptors
            if not received or (parked and not select.select([control], [], [], kept)[0]):
                os._exit(0)
            if not descriptors:
                continue
            while imported < received[0]:
                imported = next(warming)
        except Exception as error:  # an incomplete install; the parent tells the user
            control.sendall(f"{type(error).__name__}: {error}"[:500].encode())
            os._exit(1)
        if os.fork() == 0:
            control.close()
            _serve(socket.socket(fileno=descriptors[0]), jobs, own)
        os.close(descriptors[0])


def _warming(jobs: Mapping[str, str]) -> Iterator[int]:
    """Import the jobs one by one, then do what makes their first use quick; yields how many are imported."""
    for count, place in enumerate(jobs.values(), 1):
        _imported(place)
        yield count
    for place in jobs.values():
        for _ in getattr(sys.modules[place.partition(":")[0]], "warm", tuple)():
            yield len(jobs)


def _imported(place: str) -> Handler:
    module, _, function = place.partition(":")
    return cast("Handler", getattr(importlib.import_module(module), function))


def _serve(channel: socket.socket, jobs: Mapping[str, str], parent: int) -> NoReturn:
    """Work one request off in a child, and end it whatever happens."""
    try:
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
        if os.getppid() != parent:  # it died before the line above
            os._exit(1)
        channel.sendall(struct.pack("!I", os.getpid()))
        read = functools.partial(_read_exactly, channel)
        message = json.loads(read(struct.unpack("!I", read(4))[0]))
        _limit(float(message["seconds"]), int(message["memory"]), writes=bool(message["writes"]))
        channel.sendall(_answer(jobs, message["job"], message["request"]))
    finally:
        os._exit(0)


def _read_exactly(channel: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        piece = channel.recv(count - len(data))
        if not piece:
            os._exit(1)  # the caller is gone
        data += piece
    return data


def _answer(jobs: Mapping[str, str], job: str, request: Json) -> bytes:
    try:
        response = _packed({"result": _imported(jobs[job])(request)})
        if len(response) <= LARGEST:
            return response
        problem = "ToolFailed", f"the result has more than {LARGEST >> 20} MB"
    except (ToolRetry, ToolFailed) as error:
        problem = ("ToolRetry" if isinstance(error, ToolRetry) else "ToolFailed"), str(error)
    except MemoryError:
        problem = "ToolFailed", "it needs too much memory"
    except RecursionError:
        problem = "ToolRetry", "it is nested too deeply"
    except Exception as error:  # a defect of ours must not look like a limit; the parent reports it
        problem = "ToolFailed", f"internal error in the worker: {error!r}"[:500]
    return _packed({"error": problem[0], "message": problem[1]})


def _limit(seconds: float, memory: int, *, writes: bool) -> None:
    """Bound this process. The wall clock in the parent comes first; these hold when the parent is gone or busy."""
    processor = int(seconds) + 2
    for what, value in (
        (resource.RLIMIT_CPU, processor),
        (resource.RLIMIT_AS, memory),
        *(() if writes else ((resource.RLIMIT_FSIZE, 0),)),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
    ):
        resource.setrlimit(what, (value, value))
