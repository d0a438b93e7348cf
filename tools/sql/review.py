"""Does this result answer the question? What code can tell of a query and its rows, as advice for one more try.

Each check looks for one slip that models make and that runs without an error: a filter that fits no row, a name of
the question that the query forgets, "never" without a NOT, "the most" without a first row.
"""

import re
from collections.abc import Iterable

from crowquill.memory.evidence import Table
from crowquill.tools.sql.linking import Hit
from crowquill.tools.sql.values import squeeze

_TEXT = re.compile(r"'((?:[^']|'')*)'")
_ABSENCE = re.compile(r"\b(?:never|no|not|nothing|none|without|neither|nor|\w+n't)\b", re.I)
_NEGATED = re.compile(r"\bNOT\b|\bEXCEPT\b|\bIS\s+NULL\b|<>|!=|=\s*0\b|<\s*1\b", re.I)
_NUMBER_OF = re.compile(
    r"^\W*(?:how many|what (?:is|was) the (?:total |average )?"
    r"(?:number|sum|total|average|difference|percentage|share|mean|median))\b",
    re.I,
)
_GROUPED = re.compile(r"\b(?:each|every|per|by (?:country|year|month|genre|city|type)|respectively)\b", re.I)
_EACH = re.compile(r"^\W*for (?:each|every)\b|\b(?:in|of|for) each\b", re.I)
_COUNTS = re.compile(r"\b(?:count|sum|total)\s*\(", re.I)
_FIRST = re.compile(
    r"\b(?:which|what|who)\b(?!.*\bare\b).*\b(?:the (?:most|least|fewest|highest|lowest|largest|smallest|longest|"
    r"shortest|best|worst|oldest|youngest|first|last|newest|cheapest)|most recently)\b",
    re.I,
)
_ENDS = re.compile(r"\bLIMIT\b|\b(?:max|min)\s*\(|\brank\s*\(|\brow_number\s*\(|\bTOP\b|\bFETCH\b", re.I)
_DIFFERENT = re.compile(r"\b(?:different|distinct|unique)\b", re.I)
_SHARE = re.compile(r"\bpercent(?:age)?\b|%", re.I)
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")


def review(question: str, table: Table, hits: Iterable[Hit] = ()) -> str:
    """Return the first thing by which a result seems not to answer the question, or "" when nothing does."""
    problems = (
        _unused(question, table, hits),
        _missing_year(question, table),
        _missing_absence(question, table),
        _not_one(question, table),
        _not_each(question, table),
        _not_first(question, table),
        _not_distinct(question, table),
        _no_share(question, table),
        _empty(table),
    )
    return next((problem for problem in problems if problem), "")


def is_empty(table: Table) -> bool:
    """Say whether nothing was found: no row, or nothing but NULL and 0 in one."""
    return not table.rows or (len(table.rows) == 1 and all(cell in (None, 0, 0.0) for cell in table.rows[0]))


def texts_of(sql: str) -> list[str]:
    """Return the text literals of a statement, without the wildcards of LIKE."""
    found = (text.replace("''", "'").strip("%_ ") for text in _TEXT.findall(sql))
    return list(dict.fromkeys(text for text in found if len(text) > 1 and not _YEAR.match(text)))


def respelled(sql: str, hits: Iterable[Hit]) -> str:
    """Return the statement with its texts spelt as the database spells them, where letters and digits agree."""
    by_form = {squeeze(hit.value): hit.value for hit in hits}

    def spelt(found: re.Match[str]) -> str:
        text = found[1].replace("''", "'")
        value = by_form.get(squeeze(text), text) if "%" not in text else text
        return "'" + value.replace("'", "''") + "'"

    return _TEXT.sub(spelt, sql)


def _empty(table: Table) -> str:
    if table.rows and any(cell is not None for cell in table.rows[0]):
        return ""
    return f"the result is {'NULL' if table.rows else 'empty'}; a filter or a join may be wrong"


def _unused(question: str, table: Table, hits: Iterable[Hit]) -> str:
    """Values that the question names and the query does not; a longer one covers those that stand in it."""
    used = squeeze(table.sql)
    named: dict[str, list[Hit]] = {}
    for hit in hits:
        if not hit.text:
            named.setdefault(squeeze(hit.value), []).append(hit)
    for form, places in named.items():
        covered = any(form != other and form in other for other in named)
        if len(form) > 3 and not covered and form not in used and places[0].value in question:
            where = " or ".join(f"{place.table}.{place.column}" for place in places[:2])
            return f"the query does not use '{places[0].value}' of the question, a value of {where}"
    return ""


def _missing_year(question: str, table: Table) -> str:
    missing = [year for year in _YEAR.findall(question) if year not in table.sql]
    return f"the query does not use {missing[0]} of the question" if missing else ""


def _missing_absence(question: str, table: Table) -> str:
    if _ABSENCE.search(question) and not _NEGATED.search(table.sql):
        return "the question asks for what is not there: use NOT IN (SELECT …) or IS NULL"
    return ""


def _not_one(question: str, table: Table) -> str:
    if not _NUMBER_OF.search(question) or _GROUPED.search(question):
        return ""
    if len(table.rows) > 1:
        return "the question asks for one number: count the rows in a subquery, or without GROUP BY"
    return (
        ""
        if _COUNTS.search(table.sql) or len(table.columns) == 1
        else "the question asks for a number: use count(*)"
    )


def _not_each(question: str, table: Table) -> str:
    if (
        _EACH.search(question)
        and len(table.rows) == 1
        and not re.search(r"\bGROUP\s+BY\b|\(\s*SELECT\b", table.sql, re.I)
    ):
        return "the question asks for each one: use GROUP BY"
    return ""


def _not_first(question: str, table: Table) -> str:
    if (
        _FIRST.search(question)
        and not _GROUPED.search(question)
        and not _ENDS.search(table.sql)
        and len(table.rows) > 1
    ):
        return "the question asks for the first of an order only: ORDER BY … LIMIT 1"
    return ""


def _not_distinct(question: str, table: Table) -> str:
    if _DIFFERENT.search(question) and not re.search(r"\bDISTINCT\b|\bGROUP\s+BY\b", table.sql, re.I):
        return "the question asks for different ones: use DISTINCT"
    return ""


def _no_share(question: str, table: Table) -> str:
    if _SHARE.search(question) and "100" not in table.sql:
        return "the question asks for a percentage: 100.0 * part / whole"
    return ""
