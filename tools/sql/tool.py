"""The `sql` tool: read-only queries over the user's databases."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from crowquill.errors import ToolRetry, UserError
from crowquill.memory.evidence import Table
from crowquill.memory.untrusted import Untrusted
from crowquill.tools.context import Json, ToolContext
from crowquill.tools.observation import Observation
from crowquill.tools.sql.schema import Schema
from crowquill.tools.tool import Tool, tool
from crowquill.tools.worker import Worker

SECONDS = 10.0
_MAGIC = b"SQLite format 3\x00"
_SHOWN_ROWS = 30


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
    path = spec.removeprefix("sqlite:///") if spec.startswith("sqlite:///") else spec
    if "://" in path:
        raise UserError(
            f"{spec.partition('://')[0]} databases cannot be read yet; give a SQLite file or sqlite:///PATH"
        )
    file = Path(path).expanduser().absolute()
    return Database(file.stem, file)


def open_database(spec: str) -> Database:
    """Read `sqlite:///path` or a path, and look whether it is a SQLite file.

    Raises:
        UserError: it is not, or it is missing.
    """
    database = locate_database(spec)
    try:
        with database.path.open("rb") as file:
            head = file.read(len(_MAGIC))
    except OSError as error:
        raise UserError(f"the database {database.path} cannot be read: {error.strerror}") from error
    if head not in (_MAGIC, b""):
        raise UserError(f"{database.path} is not a SQLite file")
    return database


async def read_schemas(databases: Sequence[Database], worker: Worker, context: ToolContext) -> tuple[Schema, ...]:
    """Read the schema of each database, one effect each. Raises ToolFailed."""
    return tuple([await _read_schema(database, worker, context) for database in databases])


async def _read_schema(database: Database, worker: Worker, context: ToolContext) -> Schema:
    async def call() -> Json:
        return await worker.run("schema", {"path": str(database.path)}, seconds=SECONDS)

    return Schema.from_json(database.name, await context.effect("sql", {"schema": database.name}, call))


def sql_tools(databases: Sequence[Database], worker: Worker, schemas: Sequence[Schema]) -> list[Tool]:
    """Make the tools over these databases; the first is asked when none is named."""
    by_name = {database.name: database for database in databases}

    @tool
    async def sql(query: str, context: ToolContext, database: str = "") -> Observation:
        """Run one read-only SQLite SELECT statement and show the rows."""
        chosen = by_name.get(database) if database else databases[0]
        if chosen is None:
            raise ToolRetry(f"there is no such database; there are {', '.join(by_name)}")

        async def call() -> Json:
            context.progress(f"querying {chosen.name}")
            return await worker.run("query", {"path": str(chosen.path), "sql": query}, seconds=SECONDS)

        request: Json = {"database": chosen.name, "sql": query}
        result = cast("dict[str, Any]", await context.effect("sql", request, call))
        table = _table(query, chosen.name, result)
        status = f"{table.row_count} rows · {len(table.columns)} columns" + (
            " · truncated" if table.truncated else ""
        )
        return Observation(Untrusted(_aligned(table), chosen.name), (table,), status)

    @tool
    async def schema() -> Observation:
        """Show the tables and columns of the databases."""
        text = "\n\n".join(f"{entry.database}\n{entry.render(6000)}" for entry in schemas)
        return Observation(Untrusted(text, "schema"), status=f"{len(schemas)} databases")

    return [sql, schema]


def _table(query: str, database: str, result: dict[str, Any]) -> Table:
    rows = tuple(tuple(row) for row in result["rows"])
    return Table(query.strip(), database, tuple(result["columns"]), rows, len(rows), bool(result["truncated"]))


def _aligned(table: Table) -> str:
    shown = [["" if cell is None else str(cell) for cell in row] for row in table.rows[:_SHOWN_ROWS]]
    rows = [list(table.columns), *shown]
    widths = [min(max(len(row[at]) for row in rows), 40) for at in range(len(table.columns))]
    lines = [
        " | ".join(cell[:40].ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    if table.row_count > _SHOWN_ROWS:
        lines.append(f"… {table.row_count - _SHOWN_ROWS} more rows")
    return "\n".join(lines)
