"""The user's data sources: what `--db` and `--data` name, and how a job reaches them."""

import importlib.util
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from crowquill.errors import UserError
from crowquill.tools.context import Json
from crowquill.tools.secrets import environment

Kind = Literal["sqlite", "duckdb", "postgres", "mysql", "other"]
What = Literal["query", "schema", "lookup", "change"]

DATA_SUFFIXES = (".csv", ".tsv", ".txt", ".parquet", ".json", ".jsonl", ".ndjson", ".xlsx", ".xls", ".xlsb", ".ods")
"""Files that `--data` takes."""
MAX_FILES = 50
"""Files of one source: each is a table, and the child may not open more."""

_MAGIC = b"SQLite format 3\x00"
_KINDS: dict[str, Kind] = {
    "sqlite": "sqlite",
    "duckdb": "duckdb",
    "postgresql": "postgres",
    "postgres": "postgres",
    "mysql": "mysql",
    "mariadb": "mysql",
}
_MODULES = {
    "duckdb": "crowquill.tools.sql.duck",
    "postgres": "crowquill.tools.sql.postgres",
    "mysql": "crowquill.tools.sql.mysql",
    "other": "crowquill.tools.sql.alchemy",
}
_DRIVERS = {"postgres": ("psycopg", "postgres"), "mysql": ("pymysql", "mysql")}
_PASSWORDS = {"postgres": "PGPASSWORD", "mysql": "MYSQL_PWD"}
_DIALECTS: dict[Kind, str] = {
    "sqlite": "SQLite",
    "duckdb": "DuckDB",
    "postgres": "PostgreSQL",
    "mysql": "MySQL",
    "other": "SQL",
}
_NAMED = re.compile(r"([A-Za-z_]\w*)=(.+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Database:
    """A database, or files that are one, and the name by which it is called.

    `path` is the file of a SQLite or DuckDB database, `files` are those of `--data`, `url` is a server's; it may
    hold a password, and is never shown. `writable`: the user allows changes.
    """

    name: str
    path: Path | None = None
    kind: Kind = "sqlite"
    url: str = field(default="", repr=False)
    files: tuple[Path, ...] = ()
    writable: bool = False

    @property
    def dialect(self) -> str:
        """Name of the dialect, as a model knows it."""
        return "MariaDB" if self.url.startswith("mariadb") else _DIALECTS[self.kind]

    def job(self, what: What) -> str:
        """Name of the worker's job."""
        return what if self.kind == "sqlite" else f"{self.kind} {what}"

    def request(self, **more: Json) -> Json:
        """Return the request of a job: where the database is, and more."""
        if self.files:
            return {"files": [str(path) for path in self.files], **more}
        if self.path is not None:
            return {"path": str(self.path), **more}
        password = environment().get(_PASSWORDS.get(self.kind, ""), "")
        scheme, separator, rest = self.url.partition("://")
        plain = {"postgres": "postgresql", "mysql": "mysql"}.get(self.kind, scheme)
        allowed: dict[str, Json] = {"write": True} if self.writable else {}
        return {"url": plain + separator + rest, "password": password, **allowed, **more}


def jobs_of(databases: Sequence[Database]) -> dict[str, str]:
    """Return the worker's jobs for these databases; SQLite's for reading are always there."""
    kinds = sorted({database.kind for database in databases} - {"sqlite"})
    jobs = {
        f"{kind} {what}": f"{_MODULES[kind]}:{what}" for kind in kinds for what in ("query", "schema", "lookup")
    }
    for kind in sorted({database.kind for database in databases if database.writable}):
        if kind == "sqlite":
            jobs |= {what: f"crowquill.tools.sql.sqlite_change:{what}" for what in ("change", "restore")}
        else:
            jobs[f"{kind} change"] = f"{_MODULES[kind]}:change"
    return jobs


def made_writable(database: Database) -> Database:
    """Return the database with changes allowed. Raises UserError for a kind that is only read."""
    if database.kind not in ("sqlite", "postgres", "mysql"):
        raise UserError(f"{database.name}: {database.dialect} is only read here; changes are not supported")
    return replace(database, writable=True)


def locate_database(spec: str) -> Database:
    """Read `[NAME=]sqlite:///path`, a path, or the URL of a server; nothing is opened.

    Raises:
        UserError: it is none of these.
    """
    named = _NAMED.fullmatch(spec)
    name, place = (named[1], named[2]) if named is not None else ("", spec)
    dialect, separator, rest = place.partition("://")
    scheme = dialect.partition("+")[0].lower()
    if separator and re.fullmatch(r"[a-z]\w*", scheme) is None:
        raise UserError("a database URL is DIALECT://USER@HOST/NAME, as in postgresql://reader@localhost/shop")
    kind = _KINDS.get(scheme, "other") if separator else _kind_of_file(place)
    if kind in ("sqlite", "duckdb"):
        return _file_database(name, kind, place, rest if separator else None)
    return _server_database(name, kind, place)


def _kind_of_file(path: str) -> Kind:
    suffix = Path(path).suffix.lower()
    if suffix in DATA_SUFFIXES and suffix != ".txt":
        raise UserError(f"{path} is no database: read it with --data {path}")
    return "duckdb" if suffix in (".duckdb", ".ddb") else "sqlite"


def _file_database(name: str, kind: Kind, spec: str, rest: str | None) -> Database:
    path = spec if rest is None else rest.removeprefix("/")
    if not path or path == ":memory:" or (rest is not None and not rest.startswith("/")):
        raise UserError(f"{spec!r} names no file: give a SQLite file or {kind}:///PATH")
    file = Path(path).expanduser().absolute()
    return Database(name if name else file.stem, file, kind)


def _server_database(name: str, kind: Kind, url: str) -> Database:
    try:
        parts = urlsplit(url)
        database = parts.path.strip("/")
    except ValueError:
        raise UserError("the database URL cannot be read: DIALECT://USER@HOST/NAME") from None
    if not database and kind != "other":
        raise UserError(f"{parts.scheme}://… names no database: {parts.scheme}://USER@HOST/NAME")
    return Database(name if name else re.sub(r"\W+", "_", database) or kind, None, kind, url)


def open_database(spec: str) -> Database:
    """Read what `locate_database` reads, and look whether a file is what it should be and a driver is there.

    Raises:
        UserError: it is not, or it is missing.
    """
    database = locate_database(spec)
    if database.kind in _DRIVERS and importlib.util.find_spec(_DRIVERS[database.kind][0]) is None:
        extra = _DRIVERS[database.kind][1]
        raise UserError(f"{database.dialect} needs a driver: pip install 'crowquill[{extra}]'")
    if database.path is None:
        return database
    try:
        status = database.path.stat()
        head = os.pread(_kept_open(status.st_dev, status.st_ino, database.path), len(_MAGIC), 0)
    except OSError as error:
        raise UserError(f"the database {database.path} cannot be read: {error.strerror}") from error
    if database.kind == "sqlite" and head not in (_MAGIC, b""):
        raise UserError(f"{database.path} is not a SQLite file")
    return database


@cache
def _kept_open(device: int, inode: int, path: Path) -> int:
    """Return a descriptor of the file that is never closed.

    Closing it would drop the locks that this process holds on the same file, where the program that we are part of
    has the database open (sqlite.org/howtocorrupt.html, 2.2). One is kept for each file.
    """
    return os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # a pipe must not block us


def data_source(paths: Sequence[str | Path], *, live: bool = True) -> Database:
    """Make one source of data files; a folder stands for the files of known kinds in it.

    `live`: look at the files; else nothing is opened, as a replay needs it.

    Raises:
        UserError: a file is missing or of an unknown kind, or there are too many.
    """
    places = [Path(entry).expanduser().absolute() for entry in paths]
    if not live:
        return Database("data", None, "duckdb", files=tuple(places))
    files: list[Path] = []
    for path in places:
        if not path.is_dir():
            files.append(path)
            continue
        inside = sorted(entry for entry in path.iterdir() if entry.suffix.lower() in DATA_SUFFIXES)
        if not inside:
            raise UserError(f"there are no data files in {path} ({', '.join(DATA_SUFFIXES)})")
        files += inside
    for file in files:
        if file.suffix.lower() not in DATA_SUFFIXES:
            raise UserError(f"{file.name}: --data takes {', '.join(DATA_SUFFIXES)} files")
        if not file.is_file():
            raise UserError(f"the file {file} cannot be read: it is not there")
    if len(files) > MAX_FILES:
        raise UserError(f"{len(files)} data files are more than {MAX_FILES}")
    return Database("data", None, "duckdb", files=tuple(dict.fromkeys(files)))
