"""The `sql_change` tool: one change of rows, shown to a person before it is made."""

from collections.abc import Mapping, Sequence
from typing import cast

from crowquill.errors import ToolRetry
from crowquill.memory.evidence import Table
from crowquill.memory.untrusted import Untrusted
from crowquill.tools.context import Json, ToolContext
from crowquill.tools.observation import Observation
from crowquill.tools.sql.source import Database
from crowquill.tools.sql.tool import SECONDS, bare_statement
from crowquill.tools.sql.undo import Copies
from crowquill.tools.tool import Tool, tool
from crowquill.tools.worker import Worker, time_for

NAME = "sql_change"
COPY_SECONDS = 60.0
"""Time limit of a change that is made: a SQLite file is copied before."""

Shown = Mapping[str, Json]
"""What a change does; see `changes.outcome`."""

_VERBS = {"insert": "added", "update": "changed", "delete": "deleted"}


async def show_change(database: Database, statement: str, worker: Worker, *, seconds: float = SECONDS) -> Shown:
    """Return what a statement would do, from a transaction that is rolled back. Raises ToolRetry and ToolFailed."""
    request = database.request(sql=statement, seconds=seconds)
    found = await worker.run(database.job("change"), request, seconds=seconds, writes=True)
    return cast("Shown", found)


async def make_change(database: Database, statement: str, shown: Shown, worker: Worker, copies: Copies) -> Shown:
    """Make a change that was shown; a SQLite file is copied before.

    Raises:
        ToolRetry: it would no longer do what was shown.
        ToolFailed: it could not be made.
        UserError: the copy cannot be kept.
    """
    request = database.request(sql=statement, seconds=COPY_SECONDS, expected=shown["digest"])
    job = database.job("change")
    if database.path is None:
        return cast("Shown", await worker.run(job, request, seconds=COPY_SECONDS, writes=True))
    kept = copies.begin(database.path, statement, shown)
    more: dict[str, Json] = {**cast("dict[str, Json]", request), "copy": str(copies.path_of(kept))}
    try:
        made = await worker.run(job, more, seconds=COPY_SECONDS, writes=True)
    except ToolRetry:
        copies.dropped(kept)
        raise
    copies.made(kept)
    return cast("Shown", made)


def in_one_line(database: Database, shown: Shown) -> str:
    """Say what a change does, as in "3 rows of customers in shop are changed"."""
    rows = cast("int", shown["rows"])
    many = f"{rows:,} row{'s' * (rows != 1)} of {shown['table']} in {database.name}"
    line = f"{many} {'is' if rows == 1 else 'are'} {_VERBS[str(shown['kind'])]}"
    line += "; there is no WHERE: every row" if shown["whole"] and rows else ""
    return line + ("; can be undone" if database.kind == "sqlite" else "; cannot be undone")


def change_tool(databases: Sequence[Database], worker: Worker, copies: Copies) -> Tool:
    """Make the tool over the databases that may be changed."""
    by_name = {database.name: database for database in databases}

    @tool(name=NAME)
    async def sql_change(statement: str, context: ToolContext, database: str = "") -> Observation:
        """Change rows by one INSERT, UPDATE or DELETE statement. A person sees the rows first and decides."""
        chosen = by_name.get(database) if database else databases[0]
        if chosen is None:
            raise ToolRetry(f"there is no such database to change; there are {', '.join(by_name)}")
        asked = bare_statement(statement)

        async def show() -> Json:
            return dict(await show_change(chosen, asked, worker, seconds=time_for(SECONDS, context)))

        request: dict[str, Json] = {"database": chosen.name, "change": asked}
        shown = cast("Shown", await context.effect("sql", request, show))
        line = in_one_line(chosen, shown)
        if not shown["rows"]:
            return Observation(Untrusted("", chosen.name), status="no row would change; nothing was done")
        rows = {name: shown[name] for name in ("rows", "before", "after")}
        await context.approve(NAME, "write", {"database": chosen.name, "statement": asked, **rows}, effect=line)

        async def make() -> Json:
            context.progress(f"changing {chosen.name}")
            return dict(await make_change(chosen, asked, shown, worker, copies))

        await context.effect("sql", {**request, "expected": shown["digest"]}, make, access="write")
        table = Table(asked, chosen.name, ("changed rows",), ((cast("int", shown["rows"]),),), 1, False)
        return Observation(Untrusted(line, chosen.name), (table,), f"done: {line}")

    return sql_change
