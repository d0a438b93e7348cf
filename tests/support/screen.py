"""A program in a real pseudo-terminal, and the screen that a person would see."""

import fcntl
import os
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Mapping, Sequence

import pyte

_SECONDS = 40.0
_CONTROLS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]*\x07")


class _Screen(pyte.Screen):
    """A screen that answers when a program asks where the cursor is."""

    def __init__(self, columns: int, lines: int, master: int) -> None:
        super().__init__(columns, lines)
        self._master = master

    def write_process_input(self, data: str) -> None:
        os.write(self._master, data.encode())


class Screened:
    """Runs `crowquill` with arguments in a terminal of a given size; `raw` is all that it has written.

    `wait_for` looks at the screen as it is, `wait_for_next` at what has been written since it was last called.
    """

    def __init__(
        self, arguments: Sequence[str], *, columns: int = 80, lines: int = 24, env: Mapping[str, str] | None = None
    ) -> None:
        self._master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "crowquill", *arguments],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**os.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8", **(env or {})},
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(slave)
        self._screen = _Screen(columns, lines, self._master)
        self._stream = pyte.ByteStream(self._screen)
        self.raw = b""
        self._unread = ""

    @property
    def text(self) -> str:
        """What is on the screen."""
        return "\n".join(line.rstrip() for line in self._screen.display).strip()

    def type(self, text: str) -> None:
        """Type keys, as they reach a program: a carriage return is Enter."""
        os.write(self._master, text.encode())

    def wait_for(self, pattern: str, seconds: float = _SECONDS) -> str:
        """Read until the screen matches, and return the screen."""
        end = time.monotonic() + seconds
        while not re.search(pattern, self.text):
            if time.monotonic() > end or not self._read(end - time.monotonic()):
                raise AssertionError(f"{pattern!r} did not come; the screen is:\n{self.text}")
        return self.text

    def wait_for_next(self, text: str, seconds: float = _SECONDS) -> None:
        """Read until a text has been written since the last one that was waited for."""
        end = time.monotonic() + seconds
        while text not in self._unread:
            if time.monotonic() > end or not self._read(end - time.monotonic()):
                raise AssertionError(f"{text!r} did not come; {self._unread[-800:]!r}")
        self._unread = self._unread.partition(text)[2]

    def end(self) -> int:
        """Read until the program has ended, and return its exit code."""
        while self._read(_SECONDS):
            pass
        return self.process.wait(timeout=_SECONDS)

    def close(self) -> None:
        """End the program if it has not ended."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._master)

    def _read(self, seconds: float) -> bool:
        ready, _, _ = select.select([self._master], [], [], max(seconds, 0.0))
        if not ready:
            return False
        try:
            data = os.read(self._master, 65536)
        except OSError:  # the other side is closed
            return False
        self.raw += data
        self._unread += _CONTROLS.sub("", data.decode("utf-8", "replace"))
        self._stream.feed(data)
        return bool(data)
