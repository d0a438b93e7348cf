"""The `guided` policy, for models of 1 to 3 billion parameters.

Code chooses where to look and which lines to quote, out of what retrieval has ranked. The model is asked once for
most questions, and five times at worst: to write a query or a calculation, to put a result into words, to read the
quotes, to read again when more lines were quoted, or to look at each of two things that are compared.
The actions are the same as any other policy's.
"""

from collections.abc import AsyncGenerator, Collection

from crowquill.agent.annotate import is_word_problem, needs_calculation
from crowquill.agent.compare import comparison
from crowquill.agent.guided_answers import NOT_FOUND, computed, is_negative
from crowquill.agent.guided_maths import program, reasoned
from crowquill.agent.guided_pages import PageRecipe
from crowquill.agent.guided_reader import Reader
from crowquill.agent.guided_sql import SqlRecipe
from crowquill.agent.lane import Lane
from crowquill.agent.state import ENDINGS, Action, State
from crowquill.agent.toolkit import Toolkit
from crowquill.errors import ModelError
from crowquill.memory.evidence import Quote
from crowquill.memory.verify import word_coverage
from crowquill.tools.maths.questions import parse_computation

KNOWN = 0.6
"""Share of a question's words that a recalled quote must hold, with its title, to be read before any page."""
DATABASE_RELEVANCE = 0.5
"""Share of the question's content words known to a schema from which the database is asked first."""


class GuidedPolicy:
    """A fixed recipe: arithmetic, else the database, else recall and quote pages; calculate or read."""

    def __init__(self, lane: Lane, toolkit: Toolkit, without: Collection[str] = ()) -> None:
        self._lane = lane
        self._toolkit = toolkit
        self._without = without
        self._reader = Reader(lane, without)
        self._pages: PageRecipe | None = None
        self._recipe: AsyncGenerator[Action, State] | None = None
        self._fault: ModelError | None = None

    async def next(self, state: State, legal: frozenset[str]) -> Action:
        """Return the recipe's next action; when only the endings are left, read what there is."""
        if legal <= ENDINGS:
            return await self._last(state)
        try:
            if self._recipe is None:
                self._recipe = self._steps(state)
                return await anext(self._recipe)
            return await self._recipe.asend(state)
        except ModelError as fault:
            self._fault = fault  # which has ended the recipe
            raise
        except StopAsyncIteration:
            if self._fault is not None and not state.evidence:
                raise self._fault from None
            return await self._last(state)

    async def _last(self, state: State) -> Action:
        """Return the answer that was found before going on, else what there is to read."""
        found = self._pages.found if self._pages is not None else None
        return await self._reader.read(state) if found is None else found

    async def _steps(self, state: State) -> AsyncGenerator[Action, State]:
        question = state.task.goal
        expression = parse_computation(question)
        if expression is not None:
            state = yield Action("math", {"expression": expression}, "a computation as it stands")
            if state.evidence:
                yield computed(state, "", ())
        alone = self._toolkit.browser is None
        if "program" not in self._without and is_word_problem(question, alone=alone and not self._toolkit.schemas):
            for ask in (reasoned, program) if alone else (reasoned,):
                if expression := await ask(self._lane, question):
                    state = yield Action("math", {"expression": expression}, "with the numbers of the question")
                    if state.evidence and not is_negative(state):
                        yield computed(state, "", ())
            if state.evidence:
                yield computed(state, "", ())
        schemas = self._toolkit.schemas
        follows = bool(self._toolkit.desk.earlier) if self._toolkit.desk is not None else False
        known = [schema for schema in schemas if follows or schema.relevance(question) >= DATABASE_RELEVANCE]
        for schema in known or (schemas[:1] if alone else ()):
            recipe = SqlRecipe(self._lane, self._toolkit, schema)
            queries = recipe.steps(state)
            action = await anext(queries, None)
            while action is not None:
                state = yield action
                action = await _asend(queries, state)
            if recipe.found is not None and recipe.found.rows:
                yield await self._reader.tell(state, recipe.found, words=recipe.calls == 1)
        state = yield Action("recall", {"query": question}, "what earlier runs have verified")
        if self._toolkit.browser is None:
            yield await self._reader.read(state)
            return
        if is_known(question, state):
            remembered = await self._reader.read(state)
            if remembered is not NOT_FOUND:
                yield remembered
        self._pages = PageRecipe(self._lane, self._toolkit, self._reader, self._without, state)
        steps = self._pages.steps()
        action = await anext(steps, None)
        while action is not None:
            action = await _asend(steps, (yield action))


def is_known(question: str, state: State) -> bool:
    """Say whether something that was recalled is so close to the question that it is read before any page."""
    if not any(step.action.tool == "recall" and step.found for step in state.steps):
        return False
    if needs_calculation(question) or comparison(question, state.evidence) is not None:
        return False
    texts = [f"{item.source.title} {item.text}" for item in state.evidence if isinstance(item, Quote)]
    return any(word_coverage(question, text) >= KNOWN for text in texts)


async def _asend(steps: AsyncGenerator[Action, State], state: State) -> Action | None:
    """Return the next action of steps, or None when there is none."""
    try:
        return await steps.asend(state)
    except StopAsyncIteration:
        return None
