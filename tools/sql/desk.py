"""What a policy asks of the databases beside queries: which tables a question needs, and which values it names."""

import asyncio
from collections.abc import Sequence
from typing import cast

from crowquill.errors import ToolFailed
from crowquill.memory.embed import Embedder, Vectors
from crowquill.memory.lessons import LessonStore
from crowquill.tools.context import Json, ToolContext
from crowquill.tools.sql.linking import TABLES, Akin, Hit, name_vocabulary, narrow, rank_tables, unknown_words
from crowquill.tools.sql.schema import Schema
from crowquill.tools.sql.source import Database
from crowquill.tools.sql.values import phrases
from crowquill.tools.worker import Worker, time_for

SECONDS = 4.0
"""Time limit of one look-up; what is not found by then is not known."""
MAX_SEARCHED = 60
"""Text columns that one look-up searches."""
_AKIN, _LIKENESS = 4, 0.45
"""Names that one word of a question may mean, and how near they must be (cosine)."""


class Desk:
    """The databases of a run, for policies that choose by code. Each question asked of them is an effect."""

    def __init__(
        self,
        databases: Sequence[Database],
        worker: Worker,
        embedder: Embedder | None,
        *,
        earlier: Sequence[tuple[str, str]] = (),
        lessons: LessonStore | None = None,
    ) -> None:
        self._databases = {database.name: database for database in databases}
        self._worker = worker
        self._embedder = embedder
        self._vectors: dict[str, Vectors] = {}
        self.earlier = tuple(earlier)
        """Questions that the present one refines, each with its query, oldest first."""
        self._lessons = lessons

    async def background(self, database: str, question: str, context: ToolContext) -> list[str]:
        """Return what to know beside the schema, a line each: earlier questions, and what a person has taught."""

        async def call() -> Json:
            found = [] if self._lessons is None else await self._lessons.relevant(database, question)
            return [[lesson.question, lesson.sql, lesson.correction] for lesson in found]

        lines = [f"Earlier question: {asked} Its query: {sql}" for asked, sql in self.earlier]
        lines += ["The question refines the earlier one."] if lines else []
        taught = await context.effect("recall", {"lessons": database, "question": question}, call)
        for asked, sql, correction in cast("list[list[str]]", taught):
            if correction:
                lines.append(f"The user said about the question {asked!r} and the query {sql}: {correction}")
            else:
                lines.append(f"The query for the question {asked!r} was: {sql}")
        return lines

    async def narrow(self, schema: Schema, question: str, context: ToolContext) -> Schema:
        """Return what a question needs of a wide schema; a small one stays whole."""
        if len(schema.tables) <= TABLES:
            return schema
        akin = await self._akin(schema, question, context) if self._embedder is not None else {}
        return narrow(schema, rank_tables(schema, question, akin))

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

    async def _akin(self, schema: Schema, question: str, context: ToolContext) -> Akin:
        """Return what the question's words are akin to, for those that no table's name knows."""

        async def call() -> Json:
            return cast("Json", await asyncio.to_thread(self.akin, schema, question))

        request: Json = {"tables": schema.database, "question": question}
        return cast("Akin", await context.effect("rank", request, call))

    def akin(self, schema: Schema, question: str) -> dict[str, dict[str, float]]:
        """Compare the question's unknown words with those of the tables' names; takes a while for many names."""
        known = name_vocabulary(schema)
        asked = unknown_words(schema, question)
        if self._embedder is None or not known or not asked:
            return {}
        if schema.database not in self._vectors:
            self._vectors[schema.database] = self._embedder.embed(list(known))
        likeness = self._embedder.embed(list(asked)) @ self._vectors[schema.database].T
        stems = list(known.values())
        found = {}
        for stem, row in zip(asked.values(), likeness, strict=True):
            best = sorted(range(len(stems)), key=lambda at: -float(row[at]))[:_AKIN]
            found[stem] = {stems[at]: round(float(row[at]), 4) for at in best if row[at] >= _LIKENESS}
        return found
