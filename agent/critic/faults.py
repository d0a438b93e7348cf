"""What is wrong with a statement, held against the evidence that it cites. Code only; each finding can be shown.

A finding *contradicts* when the evidence says something else in that place, *misreads* when all of it stands there
but belongs to something else, *adds* when it does not stand there at all.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from typing import TypeVar

from crowquill.agent.critic.across import is_across, share_said
from crowquill.agent.critic.closeness import CLOSE_WORD, closest, says_alike
from crowquill.agent.critic.fault import Fault
from crowquill.agent.critic.misreadings import find_misreadings, find_swaps
from crowquill.agent.critic.opposites import COMPARED, LESS, OPPOSITES, polarity, quantities
from crowquill.agent.critic.other_values import find_other_values
from crowquill.agent.critic.paraphrase import LIGHT, TELLING, stands
from crowquill.agent.critic.passages import Passage, aligned, shared_names, stems_of_names
from crowquill.agent.critic.places import rival
from crowquill.memory.amounts import Amount, amounts, held, told
from crowquill.memory.figures import slashed_dates
from crowquill.memory.textual import content_words, dates, names, split_sentences, stem
from crowquill.memory.unit_words import UNITS
from crowquill.memory.values import shares
from crowquill.memory.verify import missing_dates, missing_names
from crowquill.memory.words import NUMBER_WORDS, SCALES

NONE, SOME, MANY = 0.25, 0.6, 3
"""When a part of a statement was added: of its words at most NONE stand in the evidence, or at most SOME where MANY
are missing. Set by bench/critic.py on its tuning half."""
_MEASURES = frozenset(stem(word) for word in (*UNITS, *SCALES, *NUMBER_WORDS, "половина", "half"))
_PART = re.compile(
    r"[,;]\s+|\s+(?:and|which|who|that|because|и|а|но|который|которая|которое|потому что|так как)\s+", re.IGNORECASE
)
_AND_ONE = re.compile(r"\s(?:and|и)\s+([^\W\d_]+)\s*(?=[.,;!?]|\Z)", re.IGNORECASE)
_Way = TypeVar("_Way")


def find_faults(
    statement: str, texts: Sequence[str], among: Sequence[Passage], objective: str, queries: Sequence[str] = ()
) -> list[Fault]:
    """Return what is wrong with a statement; `texts` are the cited evidence whole, `among` its passages.

    `queries` are those that cited tables came from. Names that the objective itself uses need no receipt, unless
    the evidence has others in their place; numbers always do. Of a statement in another alphabet than its evidence
    only the numbers can be checked, and what was added to a table.
    """
    near = aligned(statement, among)
    found = [*_numbers(statement, texts, near), *_dates(statement, texts, near)]

    def beside_results() -> Iterator[Fault]:
        worked = any(not passage.is_prose and not passage.title for passage in among)
        asked = objective if worked else _asked(objective)  # word problems tell their numbers
        return _added_to_results(statement, spelled_out(" ".join([*texts, *queries, asked])))

    if is_across(statement, " ".join(texts)):
        return [*found, *beside_results()] if queries else found
    found += _names(statement, texts, near, objective)
    if not found:
        found = list(find_misreadings(statement, among))
    prose = [passage.text for passage in among if passage.is_prose]
    if not found and len(prose) == len(among) and not queries:
        found = list(_added(statement, texts, prose, objective))
    elif not found and (prose or queries):  # a calculation alone is of what the objective says
        found = list(beside_results())
    return [*found, *_polarity(statement, near), *_quantities(statement, near), *find_swaps(statement, near)]


# --- numbers, dates, names ---


def number_faults(statement: str, texts: Sequence[str]) -> list[Fault]:
    """Return the numbers of a statement without a receipt, in the order in which they stand."""
    return list(_numbers(statement, texts, ()))


def _numbers(statement: str, texts: Sequence[str], near: Sequence[Passage]) -> Iterator[Fault]:
    given = [amount for text in texts for amount in (*amounts(text), *_of_dates(text))]
    parts = [share for text in texts for share in shares(text)]
    faults, spans = find_other_values(statement, texts, near)
    yield from faults
    spans += [(date.start, date.end) for date in dates(statement)]
    for amount in amounts(statement):
        if any(start <= amount.start < end for start, end in spans):
            continue  # a date is looked at as a whole, as is "six in ten"
        if amount.is_spelled and amount.value == 1 and not amount.dimension:
            continue
        way = held(amount, given, parts)
        if way == "unit":
            said = next((told(p.text, o) for p in near for o in amounts(p.text) if o.value == amount.value), "")
            also = f"; the evidence says {said}" if said else ""
            yield Fault("unit", "contradicts", f"no receipt for {told(statement, amount)}{also}")
        elif not way:
            other = _instead(amount, near)
            also = f"; the evidence says {other}" if other else ""
            yield Fault("number", "contradicts" if other else "adds", f"no receipt for {amount.text}{also}")


def _of_dates(text: str) -> Iterator[Amount]:
    for date in dates(text):
        for part in (date.year, date.month, date.day):
            if part is not None:
                yield Amount(Fraction(part), date.start, date.end, text=str(part))


def _instead(amount: Amount, near: Sequence[Passage]) -> str:
    """Return what the passages that a statement is about give in the place of an amount, "" when nothing."""
    for passage in near:
        for other in amounts(passage.text):
            if other.kind == amount.kind and (amount.kind or not other.dimension):
                return told(passage.text, other)
    return ""


def _dates(statement: str, texts: Sequence[str], near: Sequence[Passage]) -> Iterator[Fault]:
    for date in missing_dates(statement, texts):
        dated = any(dates(passage.text) or slashed_dates(passage.text) for passage in near)
        yield Fault("date", "contradicts" if dated else "adds", f"no receipt for {date}")


def _names(statement: str, texts: Sequence[str], near: Sequence[Passage], objective: str) -> Iterator[Fault]:
    said = set().union(*stems_of_names(statement), *stems_of_names(objective))
    unasked = missing_names(statement, [objective])
    for name in missing_names(statement, texts):
        if other := rival(name, statement, near):
            yield Fault("name", "contradicts", f"no receipt for {name}; the evidence says {other}")
        elif name in unasked:
            others = [other for passage in near for other in stems_of_names(passage.text) if not other & said]
            yield Fault("name", "contradicts" if others else "adds", f"no receipt for {name}")


# --- the opposite ---


def _polarity(statement: str, near: Sequence[Passage]) -> Iterator[Fault]:
    """Find a word that is denied on one side only, or that is the opposite of what stands there.

    Where a word is denied on both sides, the two agree. Only passages count that hold the statement's numbers.
    """
    wanted = amounts(statement)
    holding = [passage for passage in near if any(held(amount, amounts(passage.text)) for amount in wanted)]
    near = holding if holding else near
    if not near:
        return
    said, given = polarity(statement), _joined(polarity(passage.text) for passage in near)
    proper = set().union(*stems_of_names(statement))
    shared = [word for word in said if word in given and word not in proper]
    denied_alike = any(True in said[word] & given[word] for word in shared)
    if not denied_alike and any(not said[word] & given[word] for word in shared):
        yield Fault("negation", "contradicts", "says the opposite: one of the two denies it")
        return
    for word in said:
        for table in (OPPOSITES, COMPARED):
            other = next((other for other in table.get(word, ()) if other in given and other not in said), None)
            if other is None or word in given or (table is COMPARED and not _same_order(statement, near[0].text)):
                continue
            same_side = any(other in table.get(word, ()) for word in given)
            if said[word] & given[other] and not same_side:
                yield Fault("opposite", "contradicts", f"says the opposite: {word}, where the evidence has {other}")
                return


def _quantities(statement: str, near: Sequence[Passage]) -> Iterator[Fault]:
    """Find what is said of all, where the evidence says it of some, and the like."""
    given = _joined(quantities(passage.text) for passage in near)
    for noun, said in quantities(statement).items():
        for quantity in said - given.get(noun, set()):
            others = sorted(LESS.get(quantity, frozenset()) & given.get(noun, set()))
            if others:
                yield Fault(
                    "opposite", "contradicts", f"says {quantity}, where the evidence has {', '.join(others)}"
                )


def _joined(maps: Iterable[dict[str, set[_Way]]]) -> dict[str, set[_Way]]:
    found: dict[str, set[_Way]] = {}
    for single in maps:
        for word, ways in single.items():
            found.setdefault(word, set()).update(ways)
    return found


def _same_order(statement: str, text: str) -> bool:
    """Say whether the names that both hold come in the same order in both."""
    own, given = shared_names(statement, text)
    return own == given


# --- what was added ---


def _added(statement: str, texts: Sequence[str], passages: Sequence[str], objective: str) -> Iterator[Fault]:
    """Find the first part of a statement whose words do not stand in the evidence.

    Nearly none of two, unless a passage says alike, or at least three and many of them: what was added to
    a part does not take it far away. One word behind "and" ("310 metres deep and poisonous") must be near in
    meaning to a word that is known. Names and numbers are looked at elsewhere.
    """
    given = " ".join([*texts, _asked(objective)])
    known = content_words(given)
    for part in _PART.split(statement):
        own = _own_words(part)
        unseen = [word for word in own if not stands(word, known)]
        alone = len(own) >= 2 and len(unseen) >= (1 - NONE) * len(own)
        many = len(unseen) >= MANY and len(unseen) >= (1 - SOME) * len(own)
        if many or (alone and not says_alike(part, passages)):
            yield _says_nothing(part)
            return
    for match in _AND_ONE.finditer(statement):
        word = _common(match[1]).lower()
        if word and not stands(stem(word), known) and not word.endswith("ly") and not _is_near(word, given):
            yield _says_nothing(word)
            return


def _is_near(word: str, text: str) -> bool:
    """Say whether a word is near in meaning to one of a text."""
    given = [other for other in re.findall(r"[^\W\d_]+", text) if content_words(other)]
    return closest(word, given)[0] >= CLOSE_WORD


def _added_to_results(statement: str, given: str) -> Iterator[Fault]:
    """Find the first part of a statement about a result of a query or a calculation of which nothing is `given`.

    Such statements are short, and their verbs stand nowhere: one word that is near, in whichever language, will do.
    """
    known = content_words(given)
    for part in _PART.split(statement):
        own = [word for word in _own_words(part) if word not in LIGHT and word not in TELLING]
        if len(own) >= 2 and not any(stands(word, known) for word in own) and not share_said(_common(part), given):
            yield _says_nothing(part)
            return


def _says_nothing(part: str) -> Fault:
    return Fault("added", "adds", f"nothing says “{part.strip(' .,;')}”")


def _asked(objective: str) -> str:
    """Return what asks in an objective, where anything does: what is only said in it may be an opinion."""
    sentences = [objective[start:end] for start, end in split_sentences(objective)]
    asking = [sentence for sentence in sentences if sentence.rstrip("»”\"'").endswith("?")]
    return " ".join(asking if asking else sentences)


def _own_words(part: str) -> list[str]:
    """Return the words of a part of a statement that are no names, numbers or units."""
    proper = content_words(" ".join(name.text for name in names(part, openings=True)))
    return [
        word for word in content_words(part) if word[0].isalpha() and word not in proper and word not in _MEASURES
    ]


def _common(part: str) -> str:
    """Return the words of a part of a statement that `_own_words` has the stems of."""
    own = set(_own_words(part))
    return " ".join(word for word in re.findall(r"[^\W\d_]+", part) if content_words(word) & own - LIGHT - TELLING)


def spelled_out(text: str) -> str:
    """Return the words of names as databases have them: "BillingCountry", "billing_country"."""
    return re.sub(r"(?<=[a-zа-яё])(?=[A-ZА-ЯЁ])|_", " ", text)
