"""The `guided` policy, for models of 1 to 3 billion parameters.

Code chooses where to look and which lines to quote, out of what retrieval has ranked. The model is asked once for
most questions, and five times at worst: to write a query or a calculation, to put a result into words, to read the
quotes, to read again when more lines were quoted, or to look at each of two things that are compared.
The actions are the same as any other policy's.
"""

import re
from collections.abc import AsyncGenerator, Collection, Sequence
from typing import Any

from crowquill.agent.annotate import (
    answer_pattern,
    asked_kind,
    is_word_problem,
    may_be_stopover,
    needs_calculation,
)
from crowquill.agent.compare import Comparison, Side, agree, best_quote, choose, comparison, holds, lacks, larger
from crowquill.agent.critic.checks import is_unknown
from crowquill.agent.critic.grounding import is_called, needed
from crowquill.agent.guided_answers import (
    NOT_FOUND,
    computed,
    decided,
    first_cell,
    is_negative,
    read_answer,
    row_sentence,
)
from crowquill.agent.guided_maths import program, reasoned
from crowquill.agent.guided_sql import SqlRecipe
from crowquill.agent.lane import Lane
from crowquill.agent.measures import measure_words, measures
from crowquill.agent.models.base import Reply, Request
from crowquill.agent.prompting import prompt
from crowquill.agent.render import evidence_block
from crowquill.agent.rules import urls_in
from crowquill.agent.schemas import cited_schema, object_schema, reading_schema, short_schema
from crowquill.agent.state import ENDINGS, Action, State
from crowquill.agent.toolkit import Toolkit
from crowquill.errors import ModelError
from crowquill.memory.evidence import Computation, Evidence, Quote, Table, plain_text
from crowquill.memory.textual import content_words, names
from crowquill.memory.verify import missing_numbers, word_coverage
from crowquill.tools.maths.questions import parse_computation
from crowquill.tools.search.base import Passage

KNOWN = 0.6
"""Share of a question's words that a recalled quote must hold, with its title, to be read before any page."""
PAGES = 5
"""Pages that are opened."""
LINES = 3
"""Lines that are quoted from a page which comes without passages, and from one that is opened again."""
LOOKED_AT_AGAIN = 3
"""Pages of which more lines are read when the first reading has found nothing."""
LONGEST = 12
"""Words of a short answer beyond which it is none."""
DATABASE_RELEVANCE = 0.5
"""Share of the question's content words known to a schema from which the database is asked first."""


class GuidedPolicy:
    """A fixed recipe: arithmetic, else the database, else recall and quote pages; calculate or read."""

    def __init__(self, lane: Lane, toolkit: Toolkit, without: Collection[str] = ()) -> None:
        self._lane = lane
        self._toolkit = toolkit
        self._without = without
        self._recipe: AsyncGenerator[Action, State] | None = None
        self._fault: ModelError | None = None
        self._found: Action | None = None
        self._said = ""

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
        return await self._read(state) if self._found is None else self._found

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
            query = await anext(queries, None)
            while query is not None:
                state = yield query
                query = await _asend(queries, state)
            if recipe.found is not None and recipe.found.rows:
                yield await self._tell(state, recipe.found, words=recipe.calls == 1)
        state = yield Action("recall", {"query": question}, "what earlier runs have verified")
        if self._toolkit.browser is None:
            yield await self._read(state)
            return
        if self._is_known(question, state) and (remembered := await self._read(state)) is not NOT_FOUND:
            yield remembered
        places: list[tuple[str, tuple[Passage, ...]]] = [(url, ()) for url in urls_in(question)]
        if not places and "search" in self._toolkit.browser.legal():
            state = yield Action("search", {"query": question}, "look for pages")
            places = [(hit.url, hit.passages) for hit in self._toolkit.browser.hits[:PAGES]]
        for url, passages in places:
            state = yield Action("open", {"target": url}, "named in the question, or among the best results")
            if not state.steps[-1].error:
                for lines in await self._lines(question, passages):
                    state = yield Action("quote", {"lines": lines}, "close to the question")
        compared = comparison(question, state.evidence)
        if compared is not None and "comparison" not in self._without:
            for side in compared.sides:
                page = state.evidence[side.quotes[0] - 1]
                assert isinstance(page, Quote)
                state = yield Action("open", {"target": page.source.url}, f"what it says about {side.name}")
                words = measure_words(compared.asked)
                asked = f"{side.name} {words}" if words else compared.alone(side)
                for lines in await self._unread(state, asked, measured=compared.asked):
                    state = yield Action("quote", {"lines": lines}, "close to what is asked about it")
            compared = comparison(question, state.evidence)
            assert compared is not None  # quotes only came on top
            yield await self._compare(compared, state)
        if needs_calculation(question) and state.evidence:
            calculation = await self._calculate(state)
            if calculation is not None:
                cites, expression, sentence = calculation
                state = yield Action("math", {"expression": expression}, "with numbers from the quotes")
                if isinstance(state.evidence[-1], Computation):
                    yield computed(state, sentence, cites)
        answer = await self._read(state)
        if answer is NOT_FOUND and not needs_calculation(question) and "second look" not in self._without:
            seen = len(state.evidence)
            for url in self._again([url for url, _ in places], state):
                state = yield Action("open", {"target": url}, "not found at first: read on")
                for lines in await self._unread(state, _nameless(question)):
                    state = yield Action("quote", {"lines": lines}, "close to what is asked, whoever it is about")
            if len(state.evidence) > seen:
                answer = await self._read(state, again=True)
        elif "bridge" not in self._without and self._may_lead_on(answer, question):
            self._found, short = answer, str(answer.args["short"])
            state = yield Action("search", {"query": short}, "is there a page about what was answered?")
            about = next((hit for hit in self._toolkit.browser.hits if is_called(hit.title, short)), None)
            if about is not None:
                state = yield Action("open", {"target": about.url}, "is it what is asked for, or on the way there?")
                if not self._is_of_kind(question):
                    for lines in await self._unread(state, _nameless(question)):
                        state = yield Action("quote", {"lines": lines}, "close to what is asked")
                    beyond = await self._beyond(state, short, about.url)
                    answer = answer if beyond is NOT_FOUND else beyond
        yield answer

    def _is_known(self, question: str, state: State) -> bool:
        """Say whether something that was recalled is so close to the question that it is read before any page."""
        if not any(step.action.tool == "recall" and step.found for step in state.steps):
            return False
        if needs_calculation(question) or comparison(question, state.evidence) is not None:
            return False
        texts = [f"{item.source.title} {item.text}" for item in state.evidence if isinstance(item, Quote)]
        return any(word_coverage(question, text) >= KNOWN for text in texts)

    def _again(self, urls: Sequence[str], state: State) -> list[str]:
        """Return the pages to look at again: those first whose subject the first reading has brought up.

        It says what it knows, "Ada Fell played the captain", where it does not know which post she held.
        """
        titles = {item.source.url: item.source.title for item in state.evidence if isinstance(item, Quote)}
        asked = content_words(state.task.goal)
        brought_up = [name.text for name in names(self._said, openings=True) if content_words(name.text) - asked]

        def is_brought_up(url: str) -> bool:
            return any(is_called(titles.get(url, ""), name) for name in brought_up)

        return sorted(urls, key=lambda url: not is_brought_up(url))[:LOOKED_AT_AGAIN]

    def _may_lead_on(self, answer: Action, question: str) -> bool:
        """Say whether an answer is a name that may only be on the way, and can be searched for."""
        named = bool(names(str(answer.args.get("short", "")), openings=True))
        browser = self._toolkit.browser
        return named and may_be_stopover(question) and browser is not None and "search" in browser.legal()

    def _is_of_kind(self, question: str) -> bool:
        """Say whether the open page says in its first lines that it is about what the question asks for."""
        page = self._toolkit.browser.current if self._toolkit.browser is not None else None
        lines = [] if page is None else [page.line_text(line) for line in range(1, min(3, len(page.lines)) + 1)]
        return bool(asked_kind(question) & content_words(" ".join(lines)))

    async def _unread(self, state: State, asked: str, *, measured: str = "") -> list[str]:
        """Return lines of the open page that are close to what is asked, and not quoted yet.

        Those come first that give a measure of the kind for which `measured` asks.
        """
        page = self._toolkit.browser.current if self._toolkit.browser is not None else None
        if state.steps[-1].error or page is None:
            return []
        quoted = {
            line
            for item in state.evidence
            if isinstance(item, Quote) and item.source.sha256 == page.sha256
            for line in range(item.lines[0], item.lines[1] + 1)
        }
        passages = await self._toolkit.rank(page, asked, self._lane)
        unread = [passage for passage in passages if passage.first not in quoted]
        return _line_ranges(sorted(unread, key=lambda passage: not measures(measured, [passage.text]))[:LINES])

    async def _lines(self, question: str, passages: Sequence[Passage]) -> list[str]:
        """Return the line ranges of the open page to quote, best first."""
        if not passages and self._toolkit.browser is not None and self._toolkit.browser.current is not None:
            ranked = await self._toolkit.rank(self._toolkit.browser.current, question, self._lane)
            passages = ranked[:LINES]
        return _line_ranges(passages)

    async def _beyond(self, state: State, stopover: str, url: str) -> Action:
        """Ask again from the quotes of one page, whose subject is on the way to the answer and not the answer."""
        evidence = [item for item in state.evidence if isinstance(item, Quote) and item.source.url == url]
        schema = short_schema(self._pattern(state.task.goal))
        reply = await self._ask("beyond", object_schema({"answer": schema}), 60, evidence, state.task.goal)
        parsed = reply.parsed if reply.parsed is not None else {}
        insists = content_words(str(parsed.get("answer", ""))) & content_words(stopover)
        return NOT_FOUND if insists else read_answer(state, parsed, reply)

    async def _read(self, state: State, *, again: bool = False) -> Action:
        """Ask the model to answer from the evidence; what it says must stand there.

        A second reading, of more lines, has the model write down the facts that lead to the answer.
        """
        if not state.evidence:
            errors = [step.error for step in state.steps if step.error]
            return Action("give_up", {"reason": "not_found", "note": errors[-1]}) if errors else NOT_FOUND
        pattern = self._pattern(state.task.goal)
        if again:
            facts = {"facts": {"type": "string", "maxLength": 300}, "answer": short_schema(pattern)}
            reply = await self._ask("reread", object_schema(facts), 160, state.evidence, state.task.goal)
        else:
            schema = reading_schema(state.evidence, pattern)
            reply = await self._ask("read", schema, 120, state.evidence, state.task.goal)
        parsed = reply.parsed if reply.parsed is not None else {}
        self._said = str(parsed.get("sentence", ""))
        if len(str(parsed.get("answer", "")).split()) > LONGEST:
            return NOT_FOUND  # it talks round the question
        return read_answer(state, parsed, reply)

    def _pattern(self, question: str) -> str | None:
        return None if "types" in self._without else answer_pattern(question)

    async def _compare(self, compared: Comparison, state: State) -> Action:
        """Decide a comparison by code, from quotes about each side; the model is asked where they are silent."""
        if compared.kind == "choice":
            found = choose(compared, state.evidence)
            return await self._choice(compared, state) if found is None else decided(found[0].name, found[1], state)
        fits, reasons, cites = True, ["", ""], [0, 0]
        for at, side in enumerate(compared.sides):
            if compared.kind == "both" and lacks(compared, side, state.evidence):
                fits = False
            elif compared.kind == "same" or not holds(compared, side, state.evidence):
                reasons[at], fit = await self._alone(compared, side, state)
                fits = fits and fit
            cites[at] = best_quote(compared, side, state.evidence, reasons[at])
        if compared.kind == "same":
            fits = agree(compared, (reasons[0], reasons[1]))
        return decided("yes" if fits else "no", cites, state)

    async def _alone(self, compared: Comparison, side: Side, state: State) -> tuple[str, bool]:
        """Ask about one side alone: the words of its quotes that tell, and whether what is asked holds for it."""
        fields = {"because": {"type": "string", "maxLength": 120}, "answer": {"enum": ["yes", "no"]}}
        evidence = [state.evidence[number - 1] for number in side.quotes]
        parsed = (await self._ask("alone", object_schema(fields), 80, evidence, compared.alone(side))).parsed
        return ("", False) if parsed is None else (str(parsed["because"]), parsed["answer"] == "yes")

    async def _choice(self, compared: Comparison, state: State) -> Action:
        """Ask which of the two it is, after a sentence about each."""
        first, second = (side.name for side in compared.sides)
        sentence = f'^{_escaped(first)} [^"]{{3,120}}, while {_escaped(second)} [^"]{{3,120}}\\.$'
        fields = {"sentence": {"type": "string", "pattern": sentence}, "answer": {"enum": [first, second]}}
        numbers = [number for side in compared.sides for number in side.quotes]
        evidence = [state.evidence[number - 1] for number in numbers]
        reply = await self._ask("choose", object_schema(fields), 140, evidence, compared.question)
        parsed = dict(reply.parsed) if reply.parsed is not None else {}
        chosen = larger(compared, str(parsed.get("sentence", "")), state.evidence)
        if chosen is not None:
            parsed["answer"] = chosen.name
        return read_answer(state, {**parsed, "quotes": numbers}, reply)

    async def _calculate(self, state: State) -> tuple[tuple[int, ...], str, str] | None:
        """Ask for a calculation: citations, expression and sentence, or None when it is not grounded."""
        fields = {
            "calculation": {"type": "string", "pattern": "^(none|[0-9. ()+*/-]{3,60})$"},
            "sentence": {"type": "string", "maxLength": 240},
        }
        reply = await self._ask(
            "calculate", cited_schema(state.evidence, fields), 120, state.evidence, state.task.goal
        )
        parsed = reply.parsed if reply.parsed is not None else {}
        expression, sentence = str(parsed.get("calculation", "none")), str(parsed.get("sentence", ""))
        cites = tuple(parsed.get("quotes", ()))
        known = [state.task.goal, "100", *map(plain_text, state.evidence)]
        if expression == "none" or not cites or missing_numbers(expression, known):
            return None
        return needed(expression, cites, state.evidence), expression, sentence

    async def _tell(self, state: State, table: Table, *, words: bool) -> Action:
        """Put a query result into words: by the model when a call is left and it says what the table says."""
        number = 1 + next(at for at, item in enumerate(state.evidence) if item.id == table.id)
        fallback = {"quotes": [number], "sentence": row_sentence(table), "answer": first_cell(table)}
        if not words:
            return read_answer(state, fallback, None)
        fields = {
            "sentence": {"type": "string", "maxLength": 240},
            "answer": {"type": "string", "maxLength": 80},
        }
        reply = await self._ask("tell", object_schema(fields), 120, [table], state.task.goal)
        parsed = {**(reply.parsed if reply.parsed is not None else {}), "quotes": [number]}
        told = read_answer(state, parsed, reply)
        if told.tool == "answer" or is_unknown(str(parsed.get("answer", ""))):
            return told
        return read_answer(state, fallback, None)

    async def _ask(
        self, name: str, schema: dict[str, Any], max_tokens: int, evidence: Sequence[Evidence], question: str
    ) -> Reply:
        block = evidence_block(evidence, self._lane.services.seed)
        messages = prompt(name).messages(evidence=block, objective=question)
        return await self._lane.complete(Request("act", messages, max_tokens, schema, logprobs=True))


def _nameless(question: str) -> str:
    """Return a question without its names.

    In a question of two steps they belong to the first; the page of the second is about somebody else.
    """
    for name in reversed(names(question)):
        question = question[: name.start] + question[name.end :]
    return question


def _escaped(name: str) -> str:
    """Return a name for the pattern of a schema, where only these characters mean something."""
    return re.sub(r"([.*+?^$()\[\]{}|\\/-])", r"\\\1", name)


async def _asend(steps: AsyncGenerator[Action, State], state: State) -> Action | None:
    """Return the next action of steps, or None when there is none."""
    try:
        return await steps.asend(state)
    except StopAsyncIteration:
        return None


def _line_ranges(passages: Sequence[Passage]) -> list[str]:
    return [str(at.first) if at.first == at.last else f"{at.first}-{at.last}" for at in passages]
