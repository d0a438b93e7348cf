"""Copies of SQLite files from before each change, by which the change can be undone.

A copy and a note of the same name lie in one folder of the workspace. The note says what the file looked like after
the change (size and time of the file and of its log): a file that another program has changed since then is not put
back, for that would lose what it has written.
"""

import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from crowquill.errors import UserError
from crowquill.memory.owned import open_own, own_folder
from crowquill.tools.context import Json
from crowquill.tools.worker import Worker


@dataclass(frozen=True, slots=True)
class Kept:
    """A change: `rows` of `table` by `statement`, and how the file looked before and after it (see `look`)."""

    id: str
    database: str
    statement: str
    table: str
    rows: int
    made_at: str
    before: tuple[int, ...]
    after: tuple[int, ...] = ()
    undone_at: str = ""

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a note. Raises ValueError and TypeError where it is none."""
        data = json.loads(path.read_text(encoding="utf-8"))
        return cls(**{**data, "before": tuple(data["before"]), "after": tuple(data["after"])})


class Copies:
    """The folder of copies. Raises UserError where it cannot be written."""

    def __init__(self, folder: Path, worker: Worker) -> None:
        self._folder = folder
        self._worker = worker

    def begin(self, database: Path, statement: str, shown: Mapping[str, Json]) -> Kept:
        """Note a change that is about to be made; its copy is to be written to `path_of`."""
        kept = Kept(
            datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f-") + secrets.token_hex(3),
            str(database.resolve()),
            statement,
            str(shown["table"]),
            int(str(shown["rows"])),
            datetime.now(UTC).isoformat(timespec="seconds"),
            look(database),
        )
        self._write(kept)
        return kept

    def path_of(self, kept: Kept) -> Path:
        """Where the copy of the database is kept."""
        return self._folder / f"{kept.id}.sqlite"

    def made(self, kept: Kept) -> None:
        """Note that the change was made."""
        self._write(replace(kept, after=look(Path(kept.database))))

    def dropped(self, kept: Kept) -> None:
        """Forget a change that was not made."""
        self.path_of(kept).unlink(missing_ok=True)
        self._note(kept).unlink(missing_ok=True)

    def all(self, database: Path) -> list[Kept]:
        """Return the changes of a database that can be undone, oldest first."""
        path = str(database.resolve())
        return [kept for kept in self._read() if kept.database == path and not kept.undone_at]

    async def undo(self, database: Path, *, seconds: float, force: bool = False) -> Kept:
        """Put a database back to what it was before its last change; `force` also when it was changed since.

        Raises:
            UserError: there is no change, or another program has written to the file since.
            ToolFailed: it cannot be put back.
        """
        kept = self.all(database)
        if not kept:
            raise UserError(f"there is no change of {database} to undo")
        last = kept[-1]
        if look(database) != last.after and not force:
            raise UserError(
                f"{database} was changed after {last.made_at}, perhaps by another program, and that would be lost: "
                "undo it with force if that is meant"
            )
        request: Json = {"path": last.database, "copy": str(self.path_of(last)), "seconds": seconds}
        await self._worker.run("restore", request, seconds=seconds, writes=True)
        self._write(replace(last, undone_at=datetime.now(UTC).isoformat(timespec="seconds")))
        self.path_of(last).unlink(missing_ok=True)
        if len(kept) > 1 and kept[-2].after == last.before:  # nothing came between: it is as that one left it
            self._write(replace(kept[-2], after=look(database)))
        return last

    def _note(self, kept: Kept) -> Path:
        return self._folder / f"{kept.id}.json"

    def _read(self) -> Iterator[Kept]:
        for path in sorted(self._folder.glob("*.json")):
            with suppress(OSError, ValueError, TypeError, KeyError):  # a damaged note undoes nothing
                yield Kept.read(path)

    def _write(self, kept: Kept) -> None:
        """Write a note, whole or not at all."""
        fresh = self._folder / f"{kept.id}.{os.getpid()}"
        try:
            own_folder(self._folder)
            with open_own(fresh) as file:
                json.dump(asdict(kept), file)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self._note(kept))
        except OSError as error:
            raise UserError(f"{self._folder} cannot be written: {error.strerror}") from error


def look(database: Path) -> tuple[int, ...]:
    """Return size and time (ns) of a database's file and of its write-ahead log; 0 for what is absent or empty."""
    found: list[int] = []
    for path in (database, Path(f"{database}-wal")):
        status = path.stat() if path.exists() else None
        found += [0, 0] if status is None or not status.st_size else [status.st_size, status.st_mtime_ns]
    return tuple(found)
