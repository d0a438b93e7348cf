"""What the write-ahead log of a database holds, to tell whether SQLite could read all of it.

SQLite takes a log up to its first damaged frame and silently leaves the rest, as it must after a power cut in the
middle of a commit. Commits that were finished behind such a frame were acknowledged, and their loss must be said.
Source of the format: sqlite.org/fileformat2.html, "The Write-Ahead Log".
"""

import struct
from pathlib import Path

_HEADER = struct.Struct(">8I")
_FRAME = struct.Struct(">6I")


def committed_frames(log: Path) -> int:
    """Return the number of the last frame that ends a commit, whatever is wrong with those before; 0 for none."""
    try:
        data = log.read_bytes()
    except FileNotFoundError:
        return 0
    if len(data) < _HEADER.size + _FRAME.size:
        return 0
    page_size, salts = _HEADER.unpack_from(data)[2], _HEADER.unpack_from(data)[4:6]
    if not 512 <= page_size <= 65536 or page_size & (page_size - 1):
        page_size = 4096  # the size that a new database has
    step = _FRAME.size + page_size
    frames = [_FRAME.unpack_from(data, at) for at in range(_HEADER.size, len(data) - step + 1, step)]
    if frames and frames[0][2:4] != salts and len(frames) > 1 and frames[1][2:4] == frames[0][2:4]:
        salts = frames[0][2:4]  # the header is what was damaged
    ends = [number for number, frame in enumerate(frames, 1) if frame[2:4] == salts and frame[1] > 0]
    return max(ends, default=0)
