"""What kind of question is this? Decided by code, before any model is asked."""

import re

from crowquill.memory.textual import content_words, numbers, split_sentences, stems

_COMPARATIVE = (
    "more|less|fewer|longer|shorter|taller|higher|lower|heavier|lighter|older|younger|faster|slower|bigger|"
    "larger|smaller|greater|further|wider|deeper|earlier|later"
)
_CALCULATION = re.compile(
    rf"""
      \bhow\ (?:many|much)\ (?:\w+\ ){{0,3}}?(?:{_COMPARATIVE})\b
    | \bhow\ many\ times\b
    | \bhow\ many\ (?:years|days|months|centuries|decades)\ (?:\w+\ ){{0,8}}?
      (?:between|after|before|apart|passed|since|from|{_COMPARATIVE})\b
    | \bhow\ (?:old|long)\ (?:was|were|did|had)\b
    | \b(?:difference|sum|total|average|mean|ratio|percentage|percent|combined|altogether|half|twice|double)\b
    | \bwhat\ (?:share|fraction)\b
    | (?:на\ сколько|во\ сколько\ раз|сколько\ (?:лет|дней)\ (?:между|прошло)|разниц|сумм|в\ среднем|процент)
    """,
    re.VERBOSE | re.IGNORECASE,
)


def needs_calculation(question: str) -> bool:
    """Say whether the answer is probably a number that has to be computed from other numbers."""
    return _CALCULATION.search(question) is not None


_ASKS_FIGURE = re.compile(
    r"\b(?:how\s+(?:many|much|long|old|far|tall|big|fast|heavy|high|deep|wide|often)|"
    r"what\s+(?:is|was|are|were|will\s+be)\s+(?:the|his|her|their|its)\b|what\s+(?:percent\w*|fraction|number|total)|calculate|find)\b"
    r"|\b(?:сколько|какова|каков|какой\s+процент|найди\w*|вычисли\w*)\b",
    re.IGNORECASE,
)


_ADDRESS = re.compile(r"https?://\S+")


def is_word_problem(question: str, *, alone: bool) -> bool:
    """Say whether a question tells all numbers that its answer is computed from.

    `alone`: there is nothing to look anything up in, so that one number is enough; otherwise it has to be a story
    of several sentences with three numbers or more.
    """
    given = [number for number in numbers(_ADDRESS.sub("", question)) if not number.is_year]
    if alone:
        return bool(given)
    return _ASKS_FIGURE.search(question) is not None and len(given) >= 3 and len(split_sentences(question)) >= 2


_YES_NO = re.compile(r"^(?:is|are|was|were|do|does|did|has|have|had|can|could)\b|\bли\b", re.IGNORECASE)


def is_yes_no(question: str) -> bool:
    """Say whether the question wants yes or no."""
    return _YES_NO.search(question.strip()) is not None and " or " not in question.casefold()


_NUMBER_WORDS = "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
_ABOUT = "about|around|over|under|nearly|almost|some|approximately|more than|less than|at least|около|более|почти"
_FIGURE = f'(({_ABOUT}) )?[$€£₽]?[0-9][0-9.,]{{0,14}}([ -][^"]{{1,30}})?|({_NUMBER_WORDS})( [^"]{{1,30}})?'
_PATTERNS = (
    (re.compile(r"\b(?:what|which)\s+year\b|\bв\s+каком\s+году\b", re.IGNORECASE), "[0-9]{3,4}( BC)?"),
    (
        re.compile(
            r"\bhow\s+(?:m?any|much|long|deep|high|tall|wide|heavy|old|far|fast|large|big)\b|\bwhat\s+(?:is|was)\s+the\s+(?:population|number)\b|\bсколько\b",
            re.I,
        ),
        _FIGURE,
    ),
    (
        re.compile(r"\b(?:what|which)\s+(?:time\s?frame|period|years|date)\b|^when\b|^когда\b", re.IGNORECASE),
        '[^"0-9]{0,24}[0-9][^"]{0,40}',
    ),
)
_ASKING = re.compile(r"\b(?:(whom?|кто)|what|which|how|when|where|что|как\w*|сколько|когда|где)\b", re.IGNORECASE)


def answer_pattern(question: str) -> str | None:
    """Return the regular expression of a short answer of the kind that is asked for: a year, a number, a time."""
    found = next((pattern for words, pattern in _PATTERNS if words.search(question)), None)
    return None if found is None else f"^({found}|not found)$"


def wants_person(question: str) -> bool:
    """Say whether the question asks who: that is its first word of asking, not one that begins a clause."""
    found = _ASKING.search(question)
    return found is not None and found[1] is not None


_COUNTED = re.compile(r"\b(?:how\s+m?any|сколько)\s+(\w+(?:\s+\w+)?)", re.IGNORECASE)
_AFTER = 3
"""Words behind a number among which the counted thing stands: "1,462 large hypermarkets"."""


def counted(question: str, sentence: str) -> str:
    """Return the number by which a sentence counts what the question asks "how many" of, "" when there is none.

    Two different numbers of it are no answer either.
    """
    asked = _COUNTED.search(question)
    things = content_words(asked[1]) if asked is not None else frozenset()
    given = numbers(sentence)
    ends = [*(number.start for number in given[1:]), len(sentence)]
    found = {
        sentence[number.start : number.end]
        for number, end in zip(given, ends, strict=False)  # no number, and one end is over
        if not number.is_year and things & set(stems(sentence[number.end : end])[:_AFTER])
    }
    return found.pop() if len(found) == 1 else ""


def uncounted(question: str, short: str) -> str:
    """Cut the counted thing, and what follows, off the answer to "how many": "3 million" of "3 million copies"."""
    asked, given = _COUNTED.search(question), numbers(short)
    if asked is None or len(given) != 1:
        return short
    things, follows = content_words(asked[1]), stems(short[given[0].end :])
    return short[: given[0].end] if things & set(follows[:1]) else short


_KIND = re.compile(
    r"\b(?:what|which)\s+(?:(?:is|was|are|were)\s+)?((?:[\w'’-]+\s+){0,5}?[\w'’-]+)"
    r"(?=\s+(?:is|are|was|were|did|do|does|has|had|can|could|of|in|that|who|for|held)\b|[,?.]|\Z)",
    re.IGNORECASE,
)
_CALLED = content_words("name names called known title")


def asked_kind(question: str) -> frozenset[str]:
    """Return the words for what is asked for: "government position" of "What government position was held by …"."""
    found = _KIND.search(question)
    return content_words(found[1]) if found is not None else frozenset()


def may_be_stopover(question: str) -> bool:
    """Say whether a name that is offered as the answer may be a thing on the way to what is asked.

    It is not where a person, a name, yes or no, or one of several is asked for.
    """
    named = bool(asked_kind(question) & _CALLED)
    return not (named or wants_person(question) or is_yes_no(question) or " or " in question.casefold())
