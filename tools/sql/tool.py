"""The `sql` and `schema` tools: read-only queries over the user's databases."""

import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

from crowquill.errors import ToolRetry, UserError
from crowquill.memory.evidence import Cell, Table
from crowquill.memory.untrusted import Untrusted
from crowquill.tools.context import Json, ToolContext
from crowquill.tools.observation import Observation
from crowquill.tools.sql.schema import Schema
from crowquill.tools.tool import Tool, tool
from crowquill.tools.worker import Worker, time_for

SECONDS = 10.0
"""Time limit of one query, and of reading one schema."""
SCHEMA_CHARS = 6000
"""Characters of a schema that the tool `schema` shows."""

_MAGIC = b"SQLite format 3\x00"
_SHOWN_ROWS, _SHOWN_WIDTH = 30, 40
_FENCE = re.compile(r"```(?:sql\w*)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Database:
    """A database file, and the name by which it is called."""

    name: str
    path: Path


def locate_database(spec: str) -> Database:
    """Read `sqlite:///path` or a path; nothing is opened.

    Raises:
        UserError: it is another kind of database.
    """
    dialect, separator, rest = spec.partition("://")
    if separator and dialect.partition("+")[0] != "sqlite":
        raise UserError(f"{dialect} databases cannot be read yet, only SQLite: give a file or sqlite:///PATH")
    path = rest.removeprefix("/") if separator else spec
    if not path or path == ":memory:" or (separator and not rest.startswith("/")):
        raise UserError(f"{spec!r} names no file: give a SQLite file or sqlite:///PATH")
    file = Path(path).expanduser().absolute()
    return Database(file.stem, file)


def open_database(spec: str) -> Database:
    """Read `sqlite:///path` or a path, and look whether it is a SQLite file.

    Raises:
        UserError: it is not, or it is missing.
    """
    database = locate_database(spec)
    try:
        status = database.path.stat()
        head = os.pread(_kept_open(status.st_dev, status.st_ino, database.path), len(_MAGIC), 0)
    except OSError as error:
        raise UserError(f"the database {database.path} cannot be read: {error.strerror}") from error
    if head not in (_MAGIC, b""):
        raise UserError(f"{database.path} is not a SQLite file")
    return database


@cache
def _kept_open(device: int, inode: int, path: Path) -> int:
    """Return a descriptor of the file that is never closed.

    Closing it would drop the locks that this process holds on the same file, where the program that we are part of
    has the database open (sqlite.org/howtocorrupt.html, 2.2). One is kept for each file.
    """
    return os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # a pipe must not block us


async def read_schemas(databases: Sequence[Database], worker: Worker, context: ToolContext) -> tuple[Schema, ...]:
    """Read the schema of each database, one effect each. Raises ToolFailed."""
    return tuple([await _read_schema(database, worker, context) for database in databases])


async def _read_schema(database: Database, worker: Worker, context: ToolContext) -> Schema:
    async def call() -> Json:
        seconds = time_for(SECONDS, context)
        request: Json = {"path": str(database.path), "seconds": seconds / 2}  # what is not read by then is left out
        return await worker.run("schema", request, seconds=seconds)

    return Schema.from_json(database.name, await context.effect("sql", {"schema": database.name}, call))


def sql_tools(databases: Sequence[Database], worker: Worker, schemas: Sequence[Schema]) -> list[Tool]:
    """Make the tools over these databases; the first is asked when none is named.

    Raises:
        UserError: there are no databases, or two have the same name.
    """
    by_name = {database.name: database for database in databases}
    double = [name for name, count in Counter(database.name for database in databases).items() if count > 1]
    if not databases or double:
        raise UserError(f"two databases are called {double[0]!r}" if double else "there is no database")

    @tool
    async def sql(query: str, context: ToolContext, database: str = "") -> Observation:
        """Run one read-only SQLite SELECT statement and show the rows."""
        chosen = by_name.get(database) if database else databases[0]
        if chosen is None:
            raise ToolRetry(f"there is no such database; there are {', '.join(by_name)}")
        statement = _statement(query)

        async def call() -> Json:
            context.progress(f"querying {chosen.name}")
            seconds = time_for(SECONDS, context)
            request: Json = {"path": str(chosen.path), "sql": statement, "seconds": seconds}
            return await worker.run("query", request, seconds=seconds)

        request: Json = {"database": chosen.name, "sql": statement}
        result = cast("dict[str, Any]", await context.effect("sql", request, call))
        rows = tuple(tuple(row) for row in result["rows"])
        table = Table(statement, chosen.name, tuple(result["columns"]), rows, len(rows), result["truncated"])
        return Observation(Untrusted(_aligned(table), chosen.name), (table,), _status(table))

    @tool
    async def schema() -> Observation:
        """Show the tables and columns of the databases, with row counts, sample values and keys."""
        text = "\n\n".join(f"{entry.database}:\n{entry.render(SCHEMA_CHARS)}" for entry in schemas)
        tables = sum(len(entry.tables) for entry in schemas)
        status = f"{_count(len(schemas), 'database')} · {_count(tables, 'table')}"
        return Observation(Untrusted(text, "schema"), status=status)

    return [sql, schema]


def _statement(query: str) -> str:
    """Return the statement without a code fence or final semicolons, which models like to add."""
    text = query.strip()
    fence = _FENCE.match(text)
    if fence is not None:
        text = text[fence.end() :].removesuffix("```")
    return text.strip().rstrip("; \n")


def _status(table: Table) -> str:
    shown = f"{_count(table.row_count, 'row')} · {_count(len(table.columns), 'column')}"
    return shown + (" · truncated" if table.truncated else "")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _aligned(table: Table) -> str:
    shown = [[_flat(cell) for cell in row] for row in table.rows[:_SHOWN_ROWS]]
    rows = [[_flat(column) for column in table.columns], *shown]
    widths = [max(len(row[at]) for row in rows) for at in range(len(table.columns))]
    lines = [
        " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    lines.insert(1, "-+-".join("-" * width for width in widths))
    if table.row_count > _SHOWN_ROWS:
        lines.append(f"… {_count(table.row_count - _SHOWN_ROWS, 'more row')}")
    return "\n".join(lines)


def _flat(cell: Cell) -> str:
    """Return a cell on one line, cut to the width that is shown; the evidence keeps it whole."""
    text = "NULL" if cell is None else " ".join(str(cell).split())
    return text if len(text) <= _SHOWN_WIDTH else text[: _SHOWN_WIDTH - 1] + "…"
