"""How the guided policy turns what a model or a tool has said into an answer, or into an honest "not found"."""

import math
import re
from collections.abc import Sequence
from typing import Any

from crowquill.agent.annotate import counted, is_yes_no, uncounted, wants_person
from crowquill.agent.critic.across import is_across
from crowquill.agent.critic.checks import is_unknown, is_verdict
from crowquill.agent.critic.closeness import CLOSE_ACROSS, closest
from crowquill.agent.critic.grounding import (
    bare_title,
    connected,
    lacking,
    needed,
    repeats,
    says,
    searchable,
    title_words,
)
from crowquill.agent.models.base import Reply
from crowquill.agent.state import Action, State
from crowquill.memory.evidence import Computation, Evidence, Quote, Table, plain_text
from crowquill.memory.textual import content_words, names

RESULT = "RESULT"
"""Stands for the computed number in a sentence that the model writes before the number is known."""
_VERDICTS = {"true": "yes", "false": "no"}
_COMPARED = re.compile(r"(\S+) ([<>]) (\S+)")
_WHICH = re.compile(
    r"\b(?:which|what|что)\b.*?\b(?:(smaller|less|lower|меньше)|larger|bigger|greater|higher|more|больше)\b", re.I
)
_LIVED = re.compile(r"\s*\((?:born|died|\d{3,4}\b)[^()]*\)?\Z")
_WHOLE = content_words("full real birth legal complete middle полное настоящее")
"""Words of a question that wants more of a name than people are called by."""
NOT_FOUND = Action("give_up", {"reason": "not_found", "note": "the sources consulted do not say it"})


def read_answer(state: State, parsed: dict[str, Any], reply: Reply | None) -> Action:
    """Turn a reading into an answer, or "not found" when the evidence does not carry the short answer."""
    short = _bare(str(parsed.get("answer", "")).strip().strip("."), state.task.goal)
    short = _common_name(short, state.task.goal, state.evidence)
    sentence = str(parsed.get("sentence", "")).strip()
    if is_unknown(short):
        short = counted(state.task.goal, sentence)
    if not short:
        return NOT_FOUND
    if not is_verdict(short):
        if repeats(short, state.task.goal):
            return NOT_FOUND
        texts = [searchable(item) for item in state.evidence]
        if lacking(short, [*texts, state.task.goal]) or not connected(state.task.goal, short, state.evidence):
            return NOT_FOUND
        if not says(short, sentence) or _strays(sentence, texts):
            sentence = _holder(short, tuple(parsed.get("quotes", ())), state.evidence)
    cites = needed(sentence, tuple(parsed.get("quotes", ())), state.evidence)
    args: dict[str, Any] = {"short": short, "claims": [{"text": sentence, "cites": list(cites)}]}
    if reply is not None and reply.logprobs:
        args["confidence"] = round(math.exp(sum(reply.logprobs) / len(reply.logprobs)), 4)
    return Action("answer", args)


def _strays(sentence: str, texts: Sequence[str]) -> bool:
    """Say whether a sentence in another alphabet than all texts is far in meaning from each."""
    return is_across(sentence, " ".join(texts)) and closest(sentence, texts)[0] < CLOSE_ACROSS


def decided(short: str, cites: Sequence[int], state: State) -> Action:
    """Answer with what code has concluded: the deciding quote about each side is the claim."""
    claims = [{"text": plain_text(state.evidence[number - 1]), "cites": [number]} for number in cites]
    return Action("answer", {"short": short, "claims": claims})


def computed(state: State, sentence: str, cites: tuple[int, ...]) -> Action:
    """Answer with the last computation: its result stands where the sentence says RESULT."""
    number = len(state.evidence)
    computation = state.evidence[-1]
    assert isinstance(computation, Computation)
    value = computation.decimal
    shown = value if computation.exact == value else f"≈ {value}"
    shown += f" {computation.unit}" if computation.unit else ""
    shown = _chosen(shown, state.task.goal)
    text = sentence.replace(RESULT, shown) if RESULT in sentence else plain_text(computation)
    return Action("answer", {"short": shown, "claims": [{"text": text, "cites": [*cites, number]}]})


def _chosen(shown: str, question: str) -> str:
    """Return what a question asks of a comparison: one side of "9.11 < 9.9", yes or no of "true"; else it stays."""
    if shown in _VERDICTS and is_yes_no(question):
        return _VERDICTS[shown]
    sides, asked = _COMPARED.fullmatch(shown), _WHICH.search(question)
    if sides is None or asked is None:
        return shown
    return sides[1] if (sides[2] == "<") == (asked[1] is not None) else sides[3]


def is_negative(state: State) -> bool:
    """Say whether the last result is below zero, which a story about things rarely ends with."""
    return str(getattr(state.evidence[-1], "decimal", "")).startswith("-")


def first_cell(table: Table) -> str:
    """Return the first cell of a result."""
    return str(table.rows[0][0])


def row_sentence(table: Table) -> str:
    """Put the first row of a result into words."""
    shown = ", ".join(f"{column}: {cell}" for column, cell in zip(table.columns, table.rows[0], strict=True))
    return f"The first row of the result is {shown}."


def _bare(short: str, question: str) -> str:
    """Cut what follows the name where a person is asked for: "Lee Hazlewood died in 2007" names one.

    What "how many" asks for is only a number.
    """
    found = names(short, openings=True)
    short = uncounted(question, short)
    if not wants_person(question) or not found or found[0].start != 0:
        return short
    return found[0].text if short[found[0].end :].lstrip()[:1].islower() and len(found) == 1 else short


def _common_name(short: str, question: str, evidence: Sequence[Evidence]) -> str:
    """Return the title of a page instead of the longer form of the name with which its text begins.

    "Robert Clark Seger (born May 6, 1945)" is the beginning of the page "Bob Seger": that is what he is called.
    """
    short = _LIVED.sub("", short)
    words, found = content_words(short), names(short, openings=True)
    if len(found) != 1 or found[0].text != short.rstrip(".") or _WHOLE & content_words(question):
        return short
    for item in evidence:
        if isinstance(item, Quote) and item.text.startswith(short):
            title = title_words(item.source.title)
            if len(title) > 1 and title & words and words - title:
                return bare_title(item.source.title)
    return short


def _holder(short: str, cites: Sequence[int], evidence: Sequence[Evidence]) -> str:
    """Return the quote that holds the short answer, a cited one first: it stands for a sentence that does not."""
    preferred = [evidence[number - 1] for number in cites if 1 <= number <= len(evidence)]
    return next((plain_text(item) for item in (*preferred, *evidence) if says(short, searchable(item))), short)
