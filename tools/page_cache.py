"""The pages that were fetched, kept in the workspace: rows in its database that name blobs.

A cache only ever stands in for a request inside a `fetch` effect, so a replay never looks at it.
"""

import sqlite3
from dataclasses import astuple, dataclass, fields
from datetime import datetime

from crowquill.memory.db import Database

MOST = 20_000
"""Pages that are kept; the oldest go first. Their blobs stay, for the runs and quotes that name them."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A response as it was kept. `body` names a blob, empty for a redirect; `fresh_until` is in epoch seconds.

    `listed` is 1 when the host was one the user had listed: what came from there is not for runs without it.
    """

    url: str
    status: int
    media_type: str
    charset: str | None
    location: str
    body: str
    etag: str
    last_modified: str
    fetched_at: str
    fresh_until: float
    listed: int

    @property
    def conditions(self) -> tuple[tuple[str, str], ...]:
        """The headers that ask whether this is still so."""
        pairs = (("If-None-Match", self.etag), ("If-Modified-Since", self.last_modified))
        return tuple((name, value) for name, value in pairs if value)

    @property
    def lasted(self) -> float:
        """Seconds for which it was fresh when it came."""
        return self.fresh_until - datetime.fromisoformat(self.fetched_at).timestamp()


_FIELDS = [entry.name for entry in fields(Kept)]
_NAMES = ", ".join(_FIELDS)
_MARKS = ", ".join("?" * len(_FIELDS))


class PageCache:
    """Responses by URL, over all runs of a workspace. Raises StorageError when the database cannot be used."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, url: str) -> Kept | None:
        """Return what is kept of a URL, fresh or not."""

        def read(connection: sqlite3.Connection) -> Kept | None:
            row = connection.execute(f"SELECT {_NAMES} FROM pages WHERE url = ?", (url,)).fetchone()  # noqa: S608
            return None if row is None else Kept(**dict(zip(_FIELDS, row, strict=True)))

        return await self._database.read(read)

    async def keep(self, kept: Kept) -> None:
        """Keep a response in the place of an older one."""

        def write(connection: sqlite3.Connection) -> None:
            connection.execute(f"INSERT OR REPLACE INTO pages ({_NAMES}) VALUES ({_MARKS})", astuple(kept))  # noqa: S608
            connection.execute("DELETE FROM pages WHERE rowid <= (SELECT max(rowid) FROM pages) - ?", (MOST,))

        await self._database.write(write)

    async def forget(self, url: str) -> None:
        """Keep nothing of a URL."""
        await self._database.write(lambda connection: connection.execute("DELETE FROM pages WHERE url = ?", (url,)))
