"""Twelve secrets in the environment of every test, and the search for them in all that the tests leave behind.

They differ in what stands around a mark that no code changes, so that one search for the mark finds them all.
"""

import base64
import os
import stat
from collections.abc import Iterator
from pathlib import Path

MARK = "CanaryQuill7Zk"
CANARIES = {
    "CANARY_API_KEY": f"sk-{MARK}-0001abcdefgh",
    "CANARY_AWS_SECRET_ACCESS_KEY": f"{MARK}/0002+slash=plus",
    "CANARY_GITHUB_TOKEN": f"ghp_{MARK}0003",
    "CANARY_BOT_TOKEN": f"0004:{MARK}_x",
    "CANARY_PASSWORD": f"{MARK} 0005 with spaces",
    "CANARY_MAIL_PASSWD": f'{MARK}"0006"quotes\\slash',
    "CANARY_WEB_SECRET": f"<{MARK}>&0007",
    "CANARY_FOREIGN_SECRET": f"ключ-{MARK}-0008",
    "CANARY_DATABASE_URL": f"postgresql://crow:{MARK}0009@db.example/shop",
    "CANARY_SIGNING_KEY": f"-----BEGIN KEY-----\n{MARK}0010\n-----END KEY-----",
    "CANARY_SESSION_CREDENTIAL": f"{{{MARK}=0011}};$(id)",
    "CANARY_CLOUD_CREDENTIALS": f"{'x' * 200}{MARK}0012",
}
_CHUNK = 2**24


def spellings(text: str) -> list[bytes]:
    """Return how a text of letters and digits stands in a file: as it is, backwards, in hexadecimal and base64."""
    raw = text.encode()
    found = [raw, raw[::-1], raw.hex().encode(), raw.hex().upper().encode(), text.encode("utf-16-le")]
    for before in range(3):  # the letters that depend on the text alone, whatever stands around it
        coded = base64.b64encode(b"\0" * before + raw + b"\0\0")
        found.append(coded[(0, 2, 3)[before] : (before + len(raw)) // 3 * 4])
    return found


_MARKS = spellings(MARK)


def is_told(data: bytes) -> bool:
    """Say whether one of the secrets stands in some bytes."""
    return any(mark in data for mark in _MARKS)


def found_in(folder: Path) -> Iterator[Path]:
    """Yield the files below a folder in which one of the secrets stands, or in whose name."""
    for base, _, names in os.walk(folder):
        for path in (Path(base, name) for name in names):
            if is_told(os.fsencode(path.name)) or (stat.S_ISREG(path.lstat().st_mode) and _is_in(path)):
                yield path


def _is_in(path: Path) -> bool:
    before = b""
    with path.open("rb") as file:
        while data := file.read(_CHUNK):
            if is_told(before + data):
                return True
            before = data[-100:]
    return False
