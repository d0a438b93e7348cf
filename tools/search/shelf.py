"""The pages of a corpus on disk: `pages.db`, a cache that can always be rebuilt from the folder.

A build stages what it has rendered in batches, so that an interrupted build goes on where it stopped, and
then puts the new pages in the place of the old in one transaction.
"""

import contextlib
import hashlib
import json
import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from crowquill.errors import StorageError
from crowquill.memory.embed import Vectors
from crowquill.memory.owned import own_folder
from crowquill.memory.snapshot import Snapshot

LAYOUT = "2"
"""Version of the tables and of what is embedded; another version is built anew."""

_LEVEL = 4  # of compression: a third of the size at 0.1 ms a page
_SLACK = 0.25  # of the file may be empty before it is written anew

_PAGE = (
    "path TEXT PRIMARY KEY, size INTEGER NOT NULL, mtime INTEGER NOT NULL, raw_sha256 TEXT NOT NULL,"
    " title TEXT NOT NULL, sha256 TEXT NOT NULL, snapshot BLOB NOT NULL, links TEXT NOT NULL,"
    " vector BLOB NOT NULL"
)
_TABLES = f"""
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS pages ({_PAGE}) STRICT;
CREATE TABLE IF NOT EXISTS staged ({_PAGE}) STRICT;
CREATE TABLE IF NOT EXISTS lines (
    sha256 TEXT NOT NULL, embedder TEXT NOT NULL, line INTEGER NOT NULL, vector BLOB NOT NULL,
    PRIMARY KEY (sha256, embedder, line)
) STRICT, WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Page:
    """A page as it is stored: `path` is relative to the folder, `links` are (path, line) in the corpus."""

    path: str
    size: int
    mtime: int
    raw_sha256: str
    snapshot: Snapshot
    links: tuple[tuple[str, int], ...]
    vector: Vectors


@dataclass(frozen=True)
class Catalogue:
    """What a search needs of all pages at once. `links[n]` are (page number, line) of the links of page n."""

    version: str
    paths: list[str]
    titles: list[str]
    vectors: Vectors
    links: list[list[tuple[int, int]]]


class Shelf:
    """`pages.db` of one corpus. Connections are short-lived: a shelf may be used from any thread."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextlib.contextmanager
    def open(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection in autocommit mode.

        Raises:
            StorageError: the file is missing, damaged or locked; building the corpus again mends it.
        """
        try:
            with contextlib.closing(sqlite3.connect(self.path, isolation_level=None, timeout=10)) as connection:
                connection.execute("PRAGMA synchronous=NORMAL")
                yield connection
        except sqlite3.Error as error:
            raise StorageError(f"corpus index {self.path}: {error}; index the folder again") from error

    def prepare(self, settings: dict[str, str]) -> None:
        """Make the file; empty it when it was written under other settings or is damaged."""
        own_folder(self.path.parent)
        self.path.touch(mode=0o600)
        wanted = settings | {"layout": LAYOUT}
        try:
            with self.open() as connection:
                connection.execute("PRAGMA journal_mode=WAL")
                connection.executescript(_TABLES)
                meta = dict(connection.execute("SELECT key, value FROM meta"))
                if any(meta.get(key) != value for key, value in wanted.items()):
                    for table in ("meta", "pages", "staged", "lines"):
                        connection.execute(f"DROP TABLE {table}")
                    connection.executescript(_TABLES)
                    connection.executemany("INSERT INTO meta VALUES (?, ?)", list(wanted.items()))
        except StorageError:
            if not self.path.exists():
                raise
            for suffix in ("", "-wal", "-shm"):
                self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
            self.prepare(settings)

    def get_meta(self, key: str) -> str | None:
        """Return a stored setting."""
        with self.open() as connection:
            row = connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def set_meta(self, key: str, value: str) -> None:
        """Store a setting."""
        with self.open() as connection:
            connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def known(self, table: str) -> dict[str, tuple[int, int, str]]:
        """Return path → (size, mtime in ns, hash of the bytes) of the `pages` or the `staged` ones."""
        with self.open() as connection:
            rows = connection.execute(f"SELECT path, size, mtime, raw_sha256 FROM {table}").fetchall()  # noqa: S608
        return {path: (size, mtime, sha256) for path, size, mtime, sha256 in rows}

    def stage(self, pages: Sequence[Page]) -> None:
        """Keep rendered pages for `publish`."""
        with self.open() as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(
                "INSERT OR REPLACE INTO staged VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [_row(page) for page in pages],
            )
            connection.execute("COMMIT")

    def publish(self, changed: Sequence[str], removed: Sequence[str], touched: dict[str, tuple[int, int]]) -> None:
        """Put the staged `changed` pages in place, take the `removed` out, and note new (size, mtime)."""
        with self.open() as connection:
            connection.execute("BEGIN IMMEDIATE")
            self._put_in_place(connection, changed)
            connection.executemany("DELETE FROM pages WHERE path = ?", [(path,) for path in removed])
            connection.executemany(
                "UPDATE pages SET size = ?, mtime = ? WHERE path = ?",
                [(size, mtime, path) for path, (size, mtime) in touched.items()],
            )
            connection.execute("DELETE FROM staged")
            connection.execute("DELETE FROM lines WHERE sha256 NOT IN (SELECT sha256 FROM pages)")
            connection.execute("INSERT OR REPLACE INTO meta VALUES ('version', ?)", (_version(connection),))
            connection.execute("COMMIT")
            (free,) = connection.execute("PRAGMA freelist_count").fetchone()
            (pages,) = connection.execute("PRAGMA page_count").fetchone()
            if free > pages * _SLACK:
                connection.execute("VACUUM")

    @staticmethod
    def _put_in_place(connection: sqlite3.Connection, changed: Sequence[str]) -> None:
        """Move the staged pages; the first build's table as a whole, so that its pages are not written twice."""
        counts = connection.execute("SELECT (SELECT count(*) FROM pages), (SELECT count(*) FROM staged)").fetchone()
        if counts == (0, len(changed)):
            connection.execute("DROP TABLE pages")
            connection.execute("ALTER TABLE staged RENAME TO pages")
            connection.execute(f"CREATE TABLE staged ({_PAGE}) STRICT")
            return
        connection.executemany(
            "INSERT OR REPLACE INTO pages SELECT * FROM staged WHERE path = ?", [(path,) for path in changed]
        )

    def paths(self) -> list[str]:
        """Return the paths of all pages, sorted."""
        with self.open() as connection:
            return [row[0] for row in connection.execute("SELECT path FROM pages ORDER BY path")]

    def texts(self, paths: Sequence[str]) -> Iterator[tuple[str, str, str]]:
        """Yield (path, title, text of the main part) of these pages."""
        with self.open() as connection:
            for path in paths:
                snapshot = _snapshot(connection, path)
                if snapshot is not None:
                    yield path, snapshot.title, snapshot.main_text

    def snapshot(self, path: str) -> Snapshot | None:
        """Return a page, None when there is none of that path."""
        with self.open() as connection:
            return _snapshot(connection, path)

    def catalogue(self) -> Catalogue:
        """Read what a search needs of all pages."""
        import numpy as np  # 0.2 s, and only vectors need it

        with self.open() as connection:
            connection.execute("BEGIN")
            version = connection.execute("SELECT value FROM meta WHERE key = 'version'").fetchone()
            rows = connection.execute("SELECT path, title, links FROM pages ORDER BY path").fetchall()
            vectors = connection.execute("SELECT vector FROM pages ORDER BY path")
            matrix = np.zeros((0, 0), np.float32)
            for row, (vector,) in enumerate(vectors):  # one at a time: there may be hundreds of megabytes
                values = np.frombuffer(vector, "<f2")
                if not matrix.size:
                    matrix = np.empty((len(rows), len(values)), np.float32)
                matrix[row] = values
        numbers = {row[0]: number for number, row in enumerate(rows)}
        links = [[(numbers[path], line) for path, line in json.loads(row[2]) if path in numbers] for row in rows]
        return Catalogue(
            version=str(version[0]) if version is not None else "",
            paths=[row[0] for row in rows],
            titles=[row[1] for row in rows],
            vectors=matrix,
            links=links,
        )

    def line_vectors(self, sha256: str, embedder: str) -> dict[int, Vectors]:
        """Return the cached vectors of the lines of a snapshot."""
        with self.open() as connection:
            rows = connection.execute(
                "SELECT line, vector FROM lines WHERE sha256 = ? AND embedder = ?", (sha256, embedder)
            ).fetchall()
        import numpy as np  # 0.2 s, and only vectors need it

        return {line: np.frombuffer(vector, "<f2").astype(np.float32) for line, vector in rows}

    def keep_line_vectors(self, sha256: str, embedder: str, vectors: dict[int, Vectors]) -> None:
        """Cache vectors (in half precision); a cache that cannot be written is no fault."""
        rows = [(sha256, embedder, line, vector.astype("<f2").tobytes()) for line, vector in vectors.items()]
        with contextlib.suppress(StorageError), self.open() as connection:
            connection.execute("PRAGMA busy_timeout=200")
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT OR IGNORE INTO lines VALUES (?, ?, ?, ?)", rows)
            connection.execute("COMMIT")


def _row(page: Page) -> tuple[str, int, int, str, str, str, bytes, str, bytes]:
    snapshot = page.snapshot
    return (
        page.path,
        page.size,
        page.mtime,
        page.raw_sha256,
        snapshot.title,
        snapshot.sha256,
        zlib.compress(snapshot.to_json().encode("utf-8", "surrogatepass"), _LEVEL),
        json.dumps(page.links),
        page.vector.astype("<f2").tobytes(),
    )


def _snapshot(connection: sqlite3.Connection, path: str) -> Snapshot | None:
    row = connection.execute("SELECT snapshot FROM pages WHERE path = ?", (path,)).fetchone()
    return None if row is None else Snapshot.from_json(zlib.decompress(row[0]).decode("utf-8", "surrogatepass"))


def _version(connection: sqlite3.Connection) -> str:
    """Return the fingerprint of all pages: what a search depends on."""
    sha256 = hashlib.sha256()
    for row in connection.execute(
        "SELECT path, sha256, title, links FROM pages UNION ALL"
        " SELECT key, value, '', '' FROM meta WHERE key IN ('layout', 'embedder', 'renderer') ORDER BY 1"
    ):
        sha256.update(json.dumps(row).encode())
    return sha256.hexdigest()[:16]
