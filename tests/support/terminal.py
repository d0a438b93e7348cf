"""A program in a pseudo terminal, as a person would use it."""

import os
import pty
import re
import select
import subprocess
import termios
import time


class Terminal:
    """A program in a pseudo terminal."""

    def __init__(self, command: list[str]) -> None:
        self._master, slave = pty.openpty()
        termios.tcsetwinsize(slave, (40, 100))
        environment = {**os.environ, "TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1"}
        self._process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=environment)
        os.close(slave)
        self._seen = ""

    def wait_for(self, text: str, seconds: float = 40) -> None:
        """Read until a text has come since the last one."""
        end = time.monotonic() + seconds
        while text not in self._seen:
            assert time.monotonic() < end, f"{text!r} did not come; {self._seen[-800:]!r}"
            if select.select([self._master], [], [], 0.2)[0]:
                data = os.read(self._master, 65536).decode("utf-8", "replace")
                self._seen += re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]*\x07", "", data)
        self._seen = self._seen.partition(text)[2]

    def press(self, keys: str) -> None:
        """Type keys."""
        os.write(self._master, keys.encode())

    def end(self) -> int:
        """Wait for the end and return the exit code."""
        code = self._process.wait(20)
        os.close(self._master)
        return code
