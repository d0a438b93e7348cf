"""Recognises questions that are plain arithmetic, so that no model is needed for them.

It is conservative: dates, ranges, scores, telephone numbers and names that look like a calculation are left alone.
"""

import re
from collections.abc import Sequence

from crowquill.errors import ToolRetry
from crowquill.tools.maths.evaluate import FUNCTIONS
from crowquill.tools.maths.grammar import MAX_LENGTH, Token, is_well_formed, tokenize

_ORDERS = (
    r"how\s+much\s+(?:is|are)|calculate|compute|evaluate|work\s+out|сколько\s+будет|вычисли(?:те)?|посчитай(?:те)?"
)
_ASKS = r"what(?:'s|’s|\s+is|\s+are|\s+does)|is|solve"
_ASKED = re.compile(
    rf"(?:please\s+)?(?:(?P<order>{_ORDERS})|(?:{_ASKS}))(?:\s+the\s+value\s+of)?:?\s+", re.IGNORECASE
)
_END = "?.= \t\r\n\u00a0\u202f\u2009"
_EQUALS = re.compile(r"\bequals?(?:\s+to)?$", re.IGNORECASE)
_DATE = re.compile(r"\b\d{4}[-./]\d{1,2}(?:[-./]\d{1,2})?\b|\b\d{1,2}([-./])\d{1,2}\1\d{2,4}\b")
_CHAIN = re.compile(r"\d+(?:[-/]\d+)+|\d+[xX]\d+(?:[xX]\d+)*")


def parse_arithmetic(question: str) -> str | None:
    """Return the expression when a whole question is plain arithmetic ("What is 17% of 2340?"), else None."""
    text = question.strip()
    if len(text) > MAX_LENGTH:
        return None
    asked = _ASKED.match(text)
    expression = _without_tail(text[asked.end() :] if asked is not None else text)
    ordered = asked is not None and asked["order"] is not None
    if (
        "–" in expression
        or _DATE.search(expression)
        or (_CHAIN.fullmatch(expression) and not _is_calculation(expression, ordered))
    ):
        return None
    try:
        tokens = tokenize(expression)
    except ToolRetry:
        return None
    return expression if _computes(tokens) and is_well_formed(tokens) else None


def _without_tail(text: str) -> str:
    """Cut "equal to", "=" and "?" off, without a pattern that long white space could make slow."""
    return _EQUALS.sub("", text.rstrip(_END)).rstrip(_END)


def _is_calculation(chain: str, ordered: bool) -> bool:
    """Tell 12-5 from 1939-1945, 555-0123, 9/11, 24/7 and 4x4; a word like "calculate" settles it."""
    numbers = re.findall(r"\d+", chain)
    if any(len(number) > 1 and number.startswith("0") for number in numbers):
        return False
    if ordered:
        return True
    falling = len(numbers) == 2 and int(numbers[0]) > int(numbers[1])
    return ("-" in chain and falling) or ("/" in chain and falling and len(numbers[0]) > 2)


def _computes(tokens: Sequence[Token]) -> bool:
    """Say whether there is something to compute, and nothing but arithmetic."""
    names = [token.text for token in tokens if token.kind == "name"]
    if any(name not in FUNCTIONS for name in names):
        return False
    operands = ("number", "close", "percent")
    combined = any(
        before.kind in operands
        and (token.kind in ("sign", "of") or (token.kind == "percent" and after is not None))
        for before, token, after in zip(tokens, tokens[1:], [*tokens[2:], None], strict=False)
    )
    return bool(names) or combined
