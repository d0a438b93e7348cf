"""The `sql` and `schema` tools: read-only queries over the user's databases."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any, cast

from crowquill.errors import ToolRetry, UserError
from crowquill.memory.evidence import Cell, Table
from crowquill.memory.untrusted import Untrusted
from crowquill.tools.context import Json, ToolContext
from crowquill.tools.observation import Observation
from crowquill.tools.sql.guard import MAX_ROWS
from crowquill.tools.sql.schema import Schema
from crowquill.tools.sql.source import Database
from crowquill.tools.sql.state import state_of
from crowquill.tools.tool import Tool, tool
from crowquill.tools.worker import Worker, time_for

SECONDS = 10.0
"""Time limit of one query, and of reading one schema."""
SCHEMA_CHARS = 6000
"""Characters of a schema that the tool `schema` shows."""

_SHOWN_ROWS, _SHOWN_WIDTH = 30, 40
_FENCE = re.compile(r"```(?:sql\w*)?", re.IGNORECASE)


async def read_schemas(databases: Sequence[Database], worker: Worker, context: ToolContext) -> tuple[Schema, ...]:
    """Read the schema of each database, one effect each. Raises ToolFailed."""
    return tuple([await _read_schema(database, worker, context) for database in databases])


async def _read_schema(database: Database, worker: Worker, context: ToolContext) -> Schema:
    async def call() -> Json:
        seconds = time_for(SECONDS, context)
        request = database.request(seconds=seconds / 2)  # what is not read by then is left out
        return await worker.run(database.job("schema"), request, seconds=seconds)

    found = await context.effect("sql", {"schema": database.name}, call)
    return Schema.from_json(database.name, found, database.dialect)


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
        statement = bare_statement(query)

        def state() -> str | None:
            return state_of(chosen, context.clock.now().timestamp())

        async def call() -> Json:
            context.progress(f"querying {chosen.name}")
            before = state()
            found = await run_statement(chosen, statement, worker, seconds=time_for(SECONDS, context))
            still = found.pop("timeless") and before is not None and state() == before
            return {**found, "state": before} if still else found

        request: Json = {"database": chosen.name, "sql": statement}
        table = as_table(statement, chosen, await context.effect("sql", request, call, state=state))
        return Observation(Untrusted(_aligned(table), chosen.name), (table,), _status(table))

    @tool
    async def schema() -> Observation:
        """Show the tables and columns of the databases, with row counts, sample values and keys."""
        text = "\n\n".join(f"{entry.database}:\n{entry.render(SCHEMA_CHARS)}" for entry in schemas)
        tables = sum(len(entry.tables) for entry in schemas)
        status = f"{_count(len(schemas), 'database')} · {_count(tables, 'table')}"
        return Observation(Untrusted(text, "schema"), status=status)

    return [sql, schema]


async def run_statement(
    database: Database, statement: str, worker: Worker, *, seconds: float = SECONDS, max_rows: int = MAX_ROWS
) -> dict[str, Json]:
    """Run one guarded statement and return `cells.result` of its rows. Raises ToolRetry and ToolFailed."""
    request = database.request(sql=statement, seconds=seconds, max_rows=max_rows)
    return cast("dict[str, Json]", await worker.run(database.job("query"), request, seconds=seconds))


def as_table(statement: str, database: Database, result: Any) -> Table:
    """Return the result of a query as evidence."""
    rows = tuple(tuple(row) for row in result["rows"])
    return Table(statement, database.name, tuple(result["columns"]), rows, len(rows), result["truncated"])


def bare_statement(query: str) -> str:
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
