"""What the guided policy asks a model of 1 to 3 billion parameters: short prompts, answers in a schema.

Each reply is checked by code: what the quotes do not carry is no answer. Comparisons are decided by code where the
quotes tell, and the model is asked only for what they are silent about.
"""

import re
from collections.abc import Collection, Sequence
from typing import Any

from crowquill.agent.annotate import answer_pattern
from crowquill.agent.bridges import asked_of
from crowquill.agent.compare import Comparison, Side, agree, best_quote, choose, holds, lacks, larger
from crowquill.agent.critic.across import is_across
from crowquill.agent.critic.checks import is_unknown
from crowquill.agent.critic.grounding import needed
from crowquill.agent.guided_answers import NOT_FOUND, decided, first_cell, read_answer, row_sentence
from crowquill.agent.lane import Lane
from crowquill.agent.models.base import Reply, Request
from crowquill.agent.prompting import prompt
from crowquill.agent.render import evidence_block
from crowquill.agent.schemas import cited_schema, object_schema, reading_schema, short_schema
from crowquill.agent.state import Action, State
from crowquill.memory.evidence import Evidence, Quote, Table, plain_text
from crowquill.memory.textual import content_words, is_cyrillic
from crowquill.memory.verify import missing_numbers

OPENINGS = {"Russian": "[А-ЯЁ][а-яё]+[ ,]", "English": "[A-Z][a-z]+[ ,]"}
"""How a sentence begins that is to be in this language: small models go on as they have begun."""
LONGEST = 15
"""Words of a short answer beyond which it is none."""


class Reader:
    """Answers from evidence. `said` is the sentence of its last reading, whether or not it held an answer."""

    def __init__(self, lane: Lane, without: Collection[str] = ()) -> None:
        self._lane = lane
        self._without = without
        self.said = ""

    async def read(self, state: State, *, again: bool = False) -> Action:
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
            language = foreign_to(state.task.goal, state.evidence)
            schema = reading_schema(state.evidence, pattern, OPENINGS.get(language, ""))
            told = f" in {language}" if language else ""
            reply = await self._ask("read", schema, 120, state.evidence, state.task.goal, language=told)
        parsed = reply.parsed if reply.parsed is not None else {}
        self.said = str(parsed.get("sentence", ""))
        if len(str(parsed.get("answer", "")).split()) > LONGEST:
            return NOT_FOUND  # it talks round the question
        return read_answer(state, parsed, reply)

    async def beyond(self, state: State, title: str, stopover: str = "") -> Action:
        """Ask again from the quotes of one page, whose subject is on the way to the answer and not the answer."""
        stopover = stopover if stopover else title
        evidence = [item for item in state.evidence if isinstance(item, Quote) and item.source.title == title]
        schema = short_schema(self._pattern(state.task.goal))
        question = asked_of(state.task.goal, title)
        reply = await self._ask("beyond", object_schema({"answer": schema}), 60, evidence, question)
        parsed = reply.parsed if reply.parsed is not None else {}
        insists = content_words(str(parsed.get("answer", ""))) & content_words(stopover)
        return NOT_FOUND if insists else read_answer(state, parsed, reply)

    async def compare(self, compared: Comparison, state: State) -> Action:
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

    async def calculate(self, state: State) -> tuple[tuple[int, ...], str, str] | None:
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

    async def tell(self, state: State, table: Table, *, words: bool) -> Action:
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
        self,
        name: str,
        schema: dict[str, Any],
        max_tokens: int,
        evidence: Sequence[Evidence],
        question: str,
        **told: str,
    ) -> Reply:
        block = evidence_block(evidence, self._lane.services.seed, grouped=True)
        messages = prompt(name).messages(evidence=block, objective=question, **told)
        return await self._lane.complete(Request("act", messages, max_tokens, schema, logprobs=True))

    def _pattern(self, question: str) -> str | None:
        return None if "types" in self._without else answer_pattern(question)


def foreign_to(question: str, evidence: Sequence[Evidence]) -> str:
    """Return the language of a question where some evidence is in another alphabet, else ""."""
    if not any(is_across(question, plain_text(item)) for item in evidence):
        return ""
    return "Russian" if is_cyrillic(question) else "English"


def _escaped(name: str) -> str:
    """Return a name for the pattern of a schema, where only these characters mean something."""
    return re.sub(r"([.*+?^$()\[\]{}|\\/-])", r"\\\1", name)
