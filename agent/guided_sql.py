"""The database part of the guided recipe: link the question to the schema, ask for a query, run it, look again.

Code looks up which values the question names, and after each query whether its result can be the answer; the model
is asked for the query, and at most `REPAIRS` times for another one, with what was wrong. Nothing is asked twice.
"""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass

from crowquill.agent.lane import Lane
from crowquill.agent.models.base import Request
from crowquill.agent.prompting import prompt
from crowquill.agent.render import fence, one_line
from crowquill.agent.schemas import object_schema
from crowquill.agent.state import Action, State
from crowquill.agent.toolkit import Toolkit
from crowquill.memory.evidence import Table
from crowquill.memory.untrusted import Untrusted
from crowquill.tools.sql.ddl import as_ddl
from crowquill.tools.sql.linking import Hit, Join, joins_of, named, path
from crowquill.tools.sql.rejoin import rejoined
from crowquill.tools.sql.review import is_empty, respelled, review, texts_of
from crowquill.tools.sql.schema import Schema

REPAIRS = 2
"""Times that the model is asked for another query."""
SCHEMA_CHARS = 4000
"""Characters of a schema in the prompt."""
_QUERY_TOKENS = 220
_HEAT = 0.7
"""Temperature of a repair."""


@dataclass(frozen=True, slots=True)
class Linked:
    """What a question needs of a database: tables, values that it names, and the joins between where they stand."""

    schema: Schema
    hits: tuple[Hit, ...]
    joins: tuple[Join, ...]
    background: tuple[str, ...]

    def describe(self, seed: str) -> str:
        """Return the values, the joins and the background as a model sees them."""
        lines = [f"{hit.table}.{hit.column} has the value '{one_line(hit.value, 80)}'" for hit in self.hits[:6]]
        lines += [f"Join: {' AND '.join(map(str, self.joins))}"] if self.joins else []
        known = fence(Untrusted("\n".join(lines), "values"), seed) if lines else ""
        return "\n".join([known, *(one_line(line, 900) for line in self.background)])


@dataclass(frozen=True, slots=True)
class Trial:
    """A query that was run, its result, and by what that seems not to be the answer."""

    table: Table
    problem: str


class SqlRecipe:
    """Asks one database; `found` is the result that fits best, once the steps are over."""

    def __init__(self, lane: Lane, toolkit: Toolkit, schema: Schema) -> None:
        assert toolkit.desk is not None  # where there is a schema, there is a desk
        self._lane = lane
        self._desk = toolkit.desk
        self._named = len(toolkit.schemas) > 1
        self._schema = schema
        self._trials: list[Trial] = []
        self.calls = 0

    @property
    def found(self) -> Table | None:
        """The first result that passed the review, else the last one that is not empty, else any."""
        good = [trial.table for trial in self._trials if not trial.problem]
        filled = [trial.table for trial in self._trials if not is_empty(trial.table)]
        tables = [trial.table for trial in self._trials]
        return good[0] if good else filled[-1] if filled else tables[-1] if tables else None

    async def steps(self, state: State) -> AsyncGenerator[Action, State]:
        """Yield queries until one is good, or the repairs are used up."""
        question = state.task.goal
        linked = await self._link(question)
        problem, last, asked = "", "", set[str]()
        for _ in range(1 + REPAIRS):
            query = await self._query(question, linked, problem, last)
            if not query or query in asked:
                continue  # another try is not greedy, and says something else
            state = yield self._action(query)
            asked.add(query)
            last, problem = query, state.steps[-1].error
            if problem:
                continue
            table = _tables(state)[-1]
            if is_empty(table) and (other := await self._respelled(query, linked)) not in asked:
                state = yield self._action(other)
                asked.add(other)
                table = table if state.steps[-1].error else _tables(state)[-1]
            problem = review(question, table, linked.hits)
            self._trials.append(Trial(table, problem))
            if not problem:
                return

    async def _link(self, question: str) -> Linked:
        asked = " ".join([*(earlier for earlier, _ in self._desk.earlier), question])
        schema = await self._desk.narrow(self._schema, asked, self._lane)
        hits = named(question, schema, await self._desk.look_up(schema, question, self._lane))
        joins = joins_of(schema)
        between = path(joins, list(dict.fromkeys(hit.table for hit in hits)))
        background = await self._desk.background(schema.database, question, self._lane)
        return Linked(schema, tuple(hits), tuple(between), tuple(background))

    async def _query(self, question: str, linked: Linked, problem: str, last: str) -> str:
        """Ask for a query and mend what code can mend; after a failure less greedily, so that it is another one."""
        failed = f"Tried: {one_line(last, 400)}\nThe last try failed: {one_line(problem, 300)}. Write another one."
        seed = self._lane.services.seed
        messages = prompt("query").messages(
            dialect=linked.schema.dialect,
            schema=fence(as_ddl(linked.schema, SCHEMA_CHARS), seed),
            known=linked.describe(seed),
            objective=question,
            problem=failed if problem else "",
        )
        heat = _HEAT if self.calls else 0.0
        self.calls += 1
        reply = await self._lane.complete(
            Request("act", messages, _QUERY_TOKENS, _QUERY, temperature=heat, seed=self.calls)
        )
        query = str(reply.parsed["query"]).strip() if reply.parsed is not None else ""
        return rejoined(respelled(query, linked.hits), self._schema)

    async def _respelled(self, query: str, linked: Linked) -> str:
        """Return a query without rows with its texts as the database spells what is nearest to them."""
        texts = texts_of(query)
        near = await self._desk.nearest(linked.schema, texts, self._lane) if texts else []
        for text in texts:
            own = [hit.value for hit in near if hit.text == text]
            if own and text not in own:
                query = query.replace("'" + text.replace("'", "''") + "'", "'" + own[0].replace("'", "''") + "'")
        return query

    def _action(self, query: str) -> Action:
        args = {"query": query}
        if self._named:
            args["database"] = self._schema.database
        return Action("sql", args, "the database knows the question's words")


def _tables(state: State) -> Sequence[Table]:
    return [item for item in state.evidence if isinstance(item, Table)]


_QUERY = object_schema({"query": {"type": "string", "maxLength": 700}})
