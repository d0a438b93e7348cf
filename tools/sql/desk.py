"""What a policy asks of the databases beside queries: which tables a question needs, and which values it names."""

import asyncio
from collections.abc import Sequence
from typing import cast

from crowquill.errors import ToolFailed
from crowquill.memory.embed import Embedder
from crowquill.tools.context import Json, ToolContext
from crowquill.tools.sql.linking import TABLES, Hit, narrow, rank_tables
from crowquill.tools.sql.schema import Schema, TableInfo
from crowquill.tools.sql.source import Database
from crowquill.tools.sql.values import phrases
from crowquill.tools.worker import Worker, time_for

SECONDS = 4.0
"""Time limit of one look-up; what is not found by then is not known."""
MAX_SEARCHED = 60
"""Text columns that one look-up searches."""


class Desk:
    """The databases of a run, for policies that choose by code. Each question asked of them is an effect."""

    def __init__(
        self,
        databases: Sequence[Database],
        worker: Worker,
        embedder: Embedder | None,
        *,
        earlier: Sequence[tuple[str, str]] = (),
    ) -> None:
        self._databases = {database.name: database for database in databases}
        self._worker = worker
        self._embedder = embedder
        self.earlier = tuple(earlier)
        """Questions that the present one refines, each with its query, oldest first."""

    async def narrow(self, schema: Schema, question: str, context: ToolContext) -> Schema:
        """Return what a question needs of a wide schema; a small one stays whole."""
        if len(schema.tables) <= TABLES:
            return schema
        meant = await self._by_meaning(schema, question, context) if self._embedder is not None else []
        return narrow(schema, rank_tables(schema, question, (), meant))

    async def look_up(self, schema: Schema, question: str, context: ToolContext) -> list[Hit]:
        """Return the values of text columns that the question names, the longest first."""
        hits = await self._search(schema, {"phrases": list[Json](phrases(question)), "like": []}, context)
        return sorted(hits, key=lambda hit: -len(hit.value))

    async def nearest(self, schema: Schema, texts: Sequence[str], context: ToolContext) -> list[Hit]:
        """Return the values that are spelt most like each text."""
        return await self._search(schema, {"phrases": [], "like": list[Json](texts)}, context)

    async def _search(self, schema: Schema, wanted: dict[str, Json], context: ToolContext) -> list[Hit]:
        columns: list[Json] = [[table, column] for table, column in schema.text_columns()[:MAX_SEARCHED]]
        if not columns:
            return []
        database = self._databases[schema.database]

        async def call() -> Json:
            seconds = time_for(SECONDS, context)
            request = database.request(columns=columns, seconds=seconds / 2, **wanted)
            return await self._worker.run(database.job("lookup"), request, seconds=seconds)

        try:
            found = await context.effect("sql", {"lookup": database.name, "columns": columns, **wanted}, call)
        except ToolFailed:
            return []  # too slow or too large: the question is asked without
        return [Hit(*map(str, cast("list[str]", entry))) for entry in cast("list[Json]", found)]

    async def _by_meaning(self, schema: Schema, question: str, context: ToolContext) -> list[str]:
        async def call() -> Json:
            return list[Json](await asyncio.to_thread(self._ranked, schema, question))

        request: Json = {"tables": schema.database, "question": question}
        return [str(name) for name in cast("list[Json]", await context.effect("rank", request, call))]

    def _ranked(self, schema: Schema, question: str) -> list[str]:
        assert self._embedder is not None
        texts = [_in_words(table) for table in schema.tables]
        *tables, asked = self._embedder.embed([*texts, question])
        names = [table.name for table in schema.tables]
        scores = {name: float(vector @ asked) for name, vector in zip(names, tables, strict=True)}
        return sorted(names, key=lambda name: -scores[name])[: 3 * TABLES]


def _in_words(table: TableInfo) -> str:
    """Return a table's name, comment and columns as words, for an embedding."""
    columns = ", ".join(column.name.replace("_", " ") for column in table.columns[:20])
    about = f" ({table.comment})" if table.comment else ""
    return f"{table.name.replace('_', ' ')}{about}: {columns}"
