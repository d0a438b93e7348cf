"""The embedded model: llama.cpp in a child process, spoken to over loopback.

Inside the agent's own process a call in flight at exit crashed it, and Ctrl-C waited for the call.
"""

import asyncio
import contextlib
import json
import os
import secrets
import select
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from functools import cache
from pathlib import Path
from typing import IO, Any, cast

from crowquill.agent.models.base import Reply, Request
from crowquill.agent.models.faults import ServerFault, one_line
from crowquill.agent.models.openai import OpenAIModel
from crowquill.agent.models.streaming import Listener
from crowquill.errors import MissingModel, ModelError, ModelFault, UserError

SERVER_SCRIPT = Path(__file__).with_name("local_server.py")
CONTEXT_TOKENS = 4096
CALL_SECONDS = 600.0
START_SECONDS = 180.0
MAX_DEATHS = 2
"""Deaths in a row after which the child is not started again."""


class LocalModel:
    """A GGUF file served by a child process that starts at the first call and ends with this process.

    Models with the same file and context share one child; it ends when all of them are closed.

    Raises:
        UserError: the file is not a readable GGUF file.
    """

    def __init__(
        self,
        path: Path,
        *,
        name: str = "local",
        context_tokens: int = CONTEXT_TOKENS,
        threads: int | None = None,
        script: Path = SERVER_SCRIPT,
    ) -> None:
        _check_magic(path)
        self._name = name
        self._context_tokens = context_tokens
        cores = threads if threads is not None else len(os.sched_getaffinity(0))
        self._child = _shared_child(path.resolve(), context_tokens, cores, script)

    @property
    def name(self) -> str:
        """How the user spells this model."""
        return self._name

    @property
    def slots(self) -> int:
        """One: the child computes one reply at a time."""
        return 1

    @property
    def context_tokens(self) -> int:
        """Size of the context window, in tokens."""
        return self._context_tokens

    async def warm(self) -> None:
        """Start the child, which loads the weights; nothing is sent.

        Raises:
            MissingModel: the library for embedded models is not installed.
            ModelError: the child does not start.
        """
        await asyncio.to_thread(self._child.start, id(self))

    async def complete(self, request: Request) -> Reply:
        """Answer one request.

        Raises:
            MissingModel: the library for embedded models is not installed.
            ModelError: with the kind of fault; transient when the child died (the next call starts it
                again, once).
        """
        return await self.complete_streaming(request, None)

    async def complete_streaming(self, request: Request, listener: Listener | None) -> Reply:
        """Answer one request like `complete`; the listener hears what is said while it comes."""
        served = await asyncio.to_thread(self._child.start, id(self))
        try:
            reply = await served.complete_streaming(request, listener)
        except ModelError as fault:
            if fault.kind != "transient":
                raise
            death = await asyncio.to_thread(self._child.death)
            if death is not None:
                raise death from None
            raise
        self._child.deaths = 0
        return reply

    async def close(self) -> None:
        """End the child, unless another model still uses it."""
        await asyncio.to_thread(self._child.release, id(self))


@cache
def _shared_child(path: Path, context_tokens: int, threads: int, script: Path) -> "_Child":
    return _Child(path, context_tokens, threads, script)


class _Child:
    """The serving process. Methods block and may be called from any thread."""

    def __init__(self, path: Path, context_tokens: int, threads: int, script: Path) -> None:
        self.path = path
        self.context_tokens = context_tokens
        self.threads = threads
        self.script = script
        self.deaths = 0
        self._users: set[int] = set()
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._served: OpenAIModel | None = None
        self._end: weakref.finalize[Any, Any] | None = None

    def start(self, user: int) -> OpenAIModel:
        """Return a client of the running child, starting it if need be."""
        with self._lock:
            self._users.add(user)
            if self._process is not None and self._process.poll() is not None:
                self._bury()
            if self._served is None:
                if self.deaths >= MAX_DEATHS:
                    raise ModelError(f"the process of the embedded model died {self.deaths} times in a row")
                self._served = self._launch()
            return self._served

    def death(self) -> ModelError | None:
        """Return what to say if the child has just died, else nothing."""
        with self._lock:
            if self._process is None:
                return ServerFault("the process of the embedded model was closed", kind="transient")
            # The connection breaks a moment before the process can be waited for.
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=0.2)
            if self._process.returncode is None:
                return None
            code = self._process.returncode
            self._bury()
            kind: ModelFault = "fatal" if self.deaths >= MAX_DEATHS else "transient"
            hint = " (too little memory?)" if code == -9 else ""
            return ServerFault(f"the process of the embedded model died (exit {code}){hint}", kind=kind)

    def release(self, user: int) -> None:
        """Forget a user, and end the child after the last one."""
        with self._lock:
            self._users.discard(user)
            if not self._users and self._end is not None:
                self._end()
                self._process = self._served = self._end = None
                self.deaths = 0

    def _bury(self) -> None:
        self.deaths += 1
        if self._end is not None:
            self._end()
        self._process = self._served = self._end = None

    def _launch(self) -> OpenAIModel:
        key = secrets.token_urlsafe(24)
        order = {"path": str(self.path), "key": key, "n_ctx": self.context_tokens, "threads": self.threads}
        with tempfile.TemporaryFile() as noise:
            process = subprocess.Popen(
                [sys.executable, "-I", str(self.script)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=noise,
                start_new_session=True,  # Ctrl-C is for the agent, which then decides
            )
            end = weakref.finalize(self, _end, process)
            try:
                address = self._address(process, order, noise)
            except BaseException:
                end()
                raise
        self._process, self._end = process, end
        return OpenAIModel(
            self.path.name,
            base_url=f"{address}/v1",
            api_key=key,
            name="local",
            context_tokens=self.context_tokens,
            slots=1,
            timeout=CALL_SECONDS,
        )

    def _address(self, process: subprocess.Popen[bytes], order: dict[str, object], noise: IO[bytes]) -> str:
        stdin, stdout = cast("IO[bytes]", process.stdin), cast("IO[bytes]", process.stdout)
        with contextlib.suppress(BrokenPipeError):
            stdin.write(json.dumps(order).encode() + b"\n")
            stdin.flush()
        answer = _read_answer(stdout)
        if "missing" in answer:
            raise MissingModel(
                "the embedded model needs an extra library; install it with: pip install 'crowquill[local]'"
            )
        if "address" not in answer:
            noise.seek(0)
            said = noise.read()[-2000:].decode("utf-8", "replace").strip().splitlines()
            why = one_line(str(answer.get("error", said[-1] if said else "no answer")))
            raise ModelError(f"the embedded model {self.path.name} does not start: {why}")
        return str(answer["address"])


def _read_answer(stdout: IO[bytes]) -> dict[str, Any]:
    """Read the child's one line, for at most START_SECONDS; an empty answer if it ends without one."""
    line = b""
    end = time.monotonic() + START_SECONDS
    while not line.endswith(b"\n"):
        left = end - time.monotonic()
        if left <= 0 or not select.select([stdout], [], [], left)[0]:
            return {"error": f"no answer in {START_SECONDS:.0f} s"}
        piece = os.read(stdout.fileno(), 4096)
        if not piece:
            return {}
        line += piece
    return cast("dict[str, Any]", json.loads(line))


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the child by closing its stdin, or by force."""
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(BrokenPipeError):
                pipe.close()
    try:
        process.wait(timeout=2)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _check_magic(path: Path) -> None:
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except OSError as error:
        raise UserError(f"cannot read the model file {path}: {error.strerror}") from error
    if magic != b"GGUF":
        raise UserError(f"{path} is not a GGUF model file")
