"""Files and folders that only their owner can read, whatever the umask: what a workspace holds is made here.

One that exists keeps its mode: whoever has shared it meant to.
"""

import os
from pathlib import Path
from typing import IO, Literal

_FLAGS = {"w": os.O_TRUNC, "a": os.O_APPEND, "x": os.O_EXCL}


def own_folder(folder: Path) -> None:
    """Make a folder, and those above it that are missing, for its owner alone (0700). Raises OSError."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    for each in reversed(missing):
        each.mkdir(mode=0o700, exist_ok=True)


def open_own(
    file: Path, mode: Literal["w", "a", "x"] = "w", *, encoding: str = "utf-8", errors: str = "strict"
) -> IO[str]:
    """Open a text file for writing; a new one is its owner's alone (0600). Raises OSError."""
    return os.fdopen(_descriptor(file, mode), mode.replace("x", "w"), encoding=encoding, errors=errors)


def write_own(file: Path, data: str | bytes, *, errors: str = "strict") -> None:
    """Write what a file is to hold, a text in UTF-8; a new one is its owner's alone (0600). Raises OSError."""
    with os.fdopen(_descriptor(file, "w"), "wb") as stream:
        stream.write(data if isinstance(data, bytes) else data.encode("utf-8", errors))


def _descriptor(file: Path, mode: Literal["w", "a", "x"]) -> int:
    return os.open(file, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | _FLAGS[mode], 0o600)
