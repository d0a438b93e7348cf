"""Who may write an index beside the database: the process that holds its lock."""

import fcntl
import os
import shutil
from pathlib import Path

from crowquill.memory.owned import own_folder


def take_lock(directory: Path) -> int | None:
    """Take the lock of an index without waiting; None when another process has it.

    An index that was to be erased while another process had it is erased now.
    """
    own_folder(directory.parent)
    lock = os.open(directory.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        return None
    if _mark(directory).exists():
        shutil.rmtree(directory, ignore_errors=True)
        _mark(directory).unlink(missing_ok=True)
    return lock


def erase_index(directory: Path) -> bool:
    """Delete an index, to be built again from the database; False: later, as another process works with it."""
    if not directory.exists():
        return True
    _mark(directory).touch(mode=0o600)
    lock = take_lock(directory)
    if lock is not None:
        os.close(lock)
    return lock is not None


def _mark(directory: Path) -> Path:
    return directory.with_suffix(".stale")
