"""Does the evidence that holds an answer belong to the question, and which citations does a statement need?

A weak model, asked when one person was born, will offer the birthday of another who happens to stand in its quotes.
Code can see that: no name leads from the question to the quote that holds the answer.
"""

import re
from collections.abc import Sequence

from crowquill.agent.critic.across import is_across, is_named, share_said
from crowquill.memory.evidence import Evidence, Quote, Table, plain_text
from crowquill.memory.textual import content_words, names, stems
from crowquill.memory.verify import missing_dates, missing_names, missing_numbers, word_coverage

SAID = 0.5
"""Share of the content words of a short answer, or of a name, that a text must hold to say it."""
_ASKING = content_words("date day month year time name number place what which who whom when where how many much")
_GAP_IN_FIGURE = re.compile(r"(?<=\d)[ \u00a0\u202f](?=\d{3}(?!\d))")
_QUALIFIER = re.compile(r"\s*\([^)]*\)\s*\Z")
_CHOICE = re.compile(r"\b(?:or|или)\b", re.IGNORECASE)


def searchable(item: Evidence) -> str:
    """Return the words of evidence; a quote brings the title of its page, which says what it is about."""
    return f"{item.source.title}. {item.text}" if isinstance(item, Quote) else plain_text(item)


def lacking(statement: str, texts: Sequence[str]) -> list[str]:
    """Return the numbers, dates and names of a statement that no text holds, as written."""
    found = [
        *missing_numbers(statement, texts),
        *missing_dates(statement, texts),
        *unnamed(statement, texts),
    ]
    return list(dict.fromkeys(found))


def unnamed(statement: str, texts: Sequence[str]) -> list[str]:
    """Return the names of a statement that no text holds, be it in another alphabet."""
    return [
        name
        for name in missing_names(statement, texts)
        if not any(is_across(name, text) and share_said(name, text) >= SAID for text in texts)
    ]


def carried(short: str, text: str) -> float:
    """Return the share (0 to 1) of a short answer's content words that a text holds, be it in another alphabet."""
    if is_across(short, text):
        return share_said(short, text)
    return word_coverage(_GAP_IN_FIGURE.sub("", short), text)


def says(short: str, text: str) -> bool:
    """Say whether a text holds a short answer: all its numbers and names, else most of its words."""
    if lacking(short, [text]):
        return False
    return carried(short, text) >= SAID


def repeats(short: str, question: str) -> bool:
    """Say whether a short answer is a phrase of the question, which does not ask to choose between some."""
    phrase, asked = (f" {' '.join(stems(text.replace('&', ' and ')))} " for text in (short, question))
    return bool(content_words(short)) and phrase in asked and _CHOICE.search(question) is None


def bare_title(title: str) -> str:
    """Return a page's title without a qualifier in brackets: "Mercury" of "Mercury (planet)"."""
    return _QUALIFIER.sub("", title)


def title_words(title: str) -> frozenset[str]:
    """Return the content words of a page's title, a qualifier in brackets aside."""
    return content_words(bare_title(title))


def is_called(title: str, name: str) -> bool:
    """Say whether a page's title (a qualifier in brackets aside) is a name, or that name with less to it."""
    words, called = content_words(name), title_words(title)
    return bool(called) and (called == words or (len(called) > 1 and called <= words and len(names(name)) == 1))


def connected(question: str, short: str, evidence: Sequence[Evidence]) -> bool:
    """Say whether evidence that holds the short answer is about what the question names.

    It is when it holds a name of the question itself, or when what it is about (its page, or its first name) stands
    in other evidence together with one: "London" in both would not do, since it is the subject of neither.
    A question without names cannot be checked this way, and a query result need not be: the query, which is shown
    with it, was written for the question. Nor does anything lead on where the question asks of the name itself,
    with no word left that the holder lacks: his director's birthday is none of Anton Karas.
    """
    asked = [name.text for name in names(question, openings=True)]
    if not asked or any(isinstance(item, Table) and says(short, plain_text(item)) for item in evidence):
        return True
    about = [text for text in map(searchable, evidence) if _has_one(asked, text)]
    bridges = [name.text for text in about for name in names(text, openings=True)]
    relations = content_words(question) - content_words(" ".join(asked)) - _ASKING

    def leads_on(holder: Evidence) -> bool:
        far = relations - content_words(searchable(holder))
        return bool(far) and any(not missing_names(bridge, [_subject(holder)]) for bridge in bridges)

    holders = [item for item in evidence if says(short, searchable(item))]
    return any(searchable(holder) in about or leads_on(holder) for holder in holders)


def _has_one(asked: Sequence[str], text: str) -> bool:
    shown = ", ".join(asked)
    return len(missing_names(shown, [text])) < len(asked) or (is_across(shown, text) and is_named(asked, text))


def _subject(item: Evidence) -> str:
    title = item.source.title if isinstance(item, Quote) else ""
    first = next((name.text for name in names(plain_text(item), openings=True)), "")
    return f"{title}. {first}"


def needed(statement: str, cites: Sequence[int], evidence: Sequence[Evidence]) -> tuple[int, ...]:
    """Return the citations (numbers from 1) that a statement needs, out of those given and at most two more.

    Evidence is added when it carries numbers or names which the cited evidence lacks, and left out when the rest
    carries as many and as many of the statement's words.
    """
    texts = {number: searchable(item) for number, item in enumerate(evidence, 1)}
    chosen = [number for number in dict.fromkeys(cites) if number in texts]

    def gap(numbers: Sequence[int]) -> tuple[int, float]:
        held = [texts[number] for number in numbers]
        return len(lacking(statement, held)), -word_coverage(statement, " ".join(held))

    for _ in range(2):
        best = min(
            (number for number in texts if number not in chosen), key=lambda n: gap([*chosen, n]), default=None
        )
        if best is None or gap([*chosen, best])[0] >= gap(chosen)[0]:
            break
        chosen.append(best)
    for number in reversed(chosen[:]):
        rest = [other for other in chosen if other != number]
        if rest and gap(rest) <= gap(chosen):
            chosen = rest
    return tuple(chosen)
