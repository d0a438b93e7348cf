"""Opens a file that another file names: only one beside or below it, and only what really lies there.

Comparing paths is not enough: between the look and the opening a folder can become a link to elsewhere. So every
part of the path is opened from the folder before it, and links are never followed.
"""

import os
import stat
from contextlib import suppress
from pathlib import Path, PurePosixPath

from crowquill.errors import UserError

MAX_BYTES = 256_000


def read_beside(folder: Path, name: str) -> str:
    """Return the text of a file beside or below a folder.

    Raises:
        UserError: the name is absolute or leads out of the folder; a part of it is a link; it is no regular file,
            or one that has another name elsewhere (a hard link); it is too large, or not UTF-8.
    """
    parts = PurePosixPath(name).parts
    if not parts or name.startswith(("/", "~")) or "\\" in name or "\0" in name or ".." in parts:
        raise UserError(f"{name!r} is no file beside this one; give a relative path without ..")
    try:
        data = _read(folder, parts)
    except OSError as error:
        why = "links are not followed" if error.errno in (40, 20) else error.strerror
        raise UserError(f"{name!r} cannot be read: {why}") from None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise UserError(f"{name!r}: not UTF-8 text") from None


def _read(folder: Path, parts: tuple[str, ...]) -> bytes:
    place = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in parts[:-1]:
            below = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=place)
            os.close(place)
            place = below
        file = os.open(parts[-1], os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=place)
    finally:
        with suppress(OSError):
            os.close(place)
    with os.fdopen(file, "rb") as stream:
        status = os.fstat(stream.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise UserError(f"{parts[-1]!r} is no regular file")
        if status.st_nlink != 1:
            raise UserError(f"{parts[-1]!r} has another name elsewhere (a hard link), so it is not read")
        data = stream.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise UserError(f"{parts[-1]!r} is larger than {MAX_BYTES // 1000} kB")
    return data
