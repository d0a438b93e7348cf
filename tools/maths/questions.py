"""Recognises questions that are a computation as they stand, so that no model is needed for them.

It is conservative: dates, ranges, scores, telephone numbers, names that look like a calculation and words that may
mean something else are left alone.
"""

import re

from crowquill.errors import ToolRetry
from crowquill.tools.maths.grammar import MAX_LENGTH
from crowquill.tools.maths.nodes import COMPARISONS, Call, Name, Node, Number, Text, Unit, parts, words
from crowquill.tools.maths.reading import read

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
_ARITHMETIC = words(
    """
    + - * / // mod ^ neg pct and abs ceil factorial floor gcd lcm max mean median min percent round sqrt sum
    cbrt root ln log log10 log2 sin cos tan asin acos atan exp binomial permutations in numeric stdev
    variance significant
    """
) | set(COMPARISONS)
_PLAIN = ("+", "-", "*", "/", "//", "mod", "^", *COMPARISONS)
_FORMS = words(
    """
    integrate diff limit series sum product factor expand simplify apart solve at det inv eigenvalues
    eigenvectors rank trace transpose dot cross is_prime factorint divisors divisor_count prime nextprime
    prevprime primepi fibonacci modular_inverse gcd lcm mean median mode stdev pstdev variance pvariance
    range min max quartiles base roman from_base from_roman compare digit_sum digits days_between add_days
    weekday age iso_week day_of_year is_leap days_in count_letter count_kind reverse length is_palindrome
    are_anagrams letter_at sorted_letters program round numeric significant plot totient
    """
)
_OF_WORDS = words("count_kind reverse length letter_at sorted_letters")
_THINGS = re.compile(r"\b(?:the|a|an)\s+(?!word|string|phrase|text|letters?)", re.IGNORECASE)
_QUOTED = re.compile("[\"'“”«»].+[\"'“”«»]")
_NAMED_AS_WORD = re.compile(r"\b(?:word|string|backwards?|reversed|слов\w*|строк\w*|наоборот)\b", re.IGNORECASE)
_UNKNOWNS = frozenset("xyzt")


def parse_computation(question: str) -> str | None:
    """Return the expression when a whole question is a computation ("What is 17% of 2340?"), else None."""
    text = question.strip()
    if len(text) > MAX_LENGTH:
        return None
    asked = _ASKED.match(text)
    expression = _without_tail(text[asked.end() :] if asked is not None else text)
    ordered = asked is not None and asked["order"] is not None
    for candidate in dict.fromkeys((_without_tail(text), expression)):
        node = _read(candidate)
        if node is not None and _is_form(node, candidate):
            return candidate
    if (
        "–" in expression
        or _DATE.search(expression)
        or (_CHAIN.fullmatch(expression) and not _is_calculation(expression, ordered))
    ):
        return None
    node = _read(expression)
    return expression if node is not None and _is_arithmetic(node) else None


def _read(text: str) -> Node | None:
    try:
        return read(text)
    except ToolRetry:
        return None


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


def _is_arithmetic(node: Node) -> bool:
    """Say whether there is something to compute, and nothing but arithmetic of numbers and quantities."""
    found = parts(node)
    calls = [part for part in found if isinstance(part, Call)]
    if any(isinstance(part, Text) or (isinstance(part, Name) and part.text != "pi") for part in found):
        return False
    if not all(call.name in _ARITHMETIC for call in calls):
        return False
    return any(call.name in _PLAIN and not _is_bare_quantity(call) for call in calls) or any(
        call.name not in (*_PLAIN, "neg", "pct", "and") for call in calls
    )


def _is_bare_quantity(call: Call) -> bool:
    """Say whether this is only how a quantity is written: 5 km, 3 m/s^2."""
    return any(isinstance(part, Unit) for part in call.args)


def _is_form(node: Node, text: str) -> bool:
    """Say whether this is a form that can mean nothing else."""
    if not isinstance(node, Call):
        return False
    if node.name in _OF_WORDS:
        return _QUOTED.search(text) is not None or (
            _NAMED_AS_WORD.search(text) is not None and _THINGS.search(text) is None
        )
    names = {part.text for part in parts(node) if isinstance(part, Name)}
    if node.name in COMPARISONS or node.name == "and":
        return bool(names) and names <= _UNKNOWNS and any(isinstance(part, Number) for part in parts(node))
    return node.name in _FORMS
