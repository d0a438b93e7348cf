"""The pocket web: pages and a shop database that are shipped with the package, for first runs and examples."""

import os
import sqlite3
from importlib.resources import files
from pathlib import Path

from crowquill.memory.owned import own_folder

POCKET = Path(str(files("crowquill"))) / "pocket"
"""Folder with `web/*.html`, `shop.sql` and `questions.yaml`."""


def write_shop(path: Path) -> None:
    """Write the shop as an SQLite file; a half-written file never stands under the name."""
    own_folder(path.parent)
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    temporary.unlink(missing_ok=True)
    temporary.touch(mode=0o600)
    connection = sqlite3.connect(temporary)
    connection.executescript((POCKET / "shop.sql").read_text(encoding="utf-8"))
    connection.commit()
    connection.close()
    temporary.replace(path)
