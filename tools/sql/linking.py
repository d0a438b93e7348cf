"""Schema linking: which tables of a wide schema a question needs, and how they are joined.

Tables are ranked by the question's words in their names, columns, comments and sampled values: rarer words count
more, abbreviations less, and words that no name knows by what is akin to them ("clients" to customers). What lies
on the shortest path of keys between the best of them is needed, too.
"""

import math
import re
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from crowquill.memory.textual import content_words
from crowquill.tools.sql.schema import ASKING, Schema, TableInfo, name_words, split_name
from crowquill.tools.sql.values import squeeze, words_of

TABLES = 12
"""Tables that a prompt holds."""

_NAME, _COLUMN, _COMMENT, _VALUE = 3.0, 1.2, 1.0, 0.8
_PART = 0.5
"""What a word counts that only begins like a part of a name ("cust" of "customers")."""
_SEEDS = 8
_SHORT_LIST, _SHORT_WORD = 100, 4
"""Rows of a table whose values a question may name in lower case, and letters that such a value needs."""
_CALLED = re.compile(r"name|title", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Join:
    """Two columns by which tables are joined."""

    table: str
    column: str
    other: str
    to: str

    def __str__(self) -> str:
        return f"{self.table}.{self.column} = {self.other}.{self.to}"


@dataclass(frozen=True, slots=True)
class Hit:
    """A value of a column that a question names; `text` is how the question (or a query) spells it."""

    table: str
    column: str
    value: str
    text: str = ""


def joins_of(schema: Schema) -> list[Join]:
    """Return the keys between tables: the declared ones, and those that names suggest where none is declared."""
    declared = [
        Join(table.name, column, other, to) for table in schema.tables for column, other, to in table.links if to
    ]
    known = {(join.table, join.column) for join in declared}
    homes = {table.name: _key_names(table) for table in schema.tables}
    for table in schema.tables:
        for column in table.columns:
            if (table.name, column.name) in known or not column.name.lower().endswith("id"):
                continue
            for other, keys in homes.items():
                if other != table.name and column.name.lower() in keys:
                    declared.append(Join(table.name, column.name, other, keys[column.name.lower()]))
                    break
    return declared


def _key_names(table: TableInfo) -> dict[str, str]:
    """Return the names under which other tables may refer to a table's key, and the key's own name."""
    keys = [column.name for column in table.columns if column.key]
    if not keys and table.columns:
        keys = [column.name for column in table.columns[:1] if column.name.lower().endswith("id")]
    if len(keys) != 1:
        return {}
    own = table.name.rpartition(".")[2].lower()
    stems = {own, own.removesuffix("s"), own.removesuffix("es"), own[:-3] + "y" if own.endswith("ies") else own}
    names = {f"{stem}{glue}id" for stem in stems for glue in ("", "_")}
    if keys[0].lower() != "id":
        names.add(keys[0].lower())
    return dict.fromkeys(names, keys[0])


Akin = Mapping[str, Mapping[str, float]]
"""Stem of a question that no name knows → stems of names that mean much the same, with their likeness."""


def rank_tables(schema: Schema, question: str, akin: Akin | None = None) -> list[str]:
    """Return the tables that have to do with a question, best first."""
    fields = {table.name: _weights(table) for table in schema.tables}
    frequency = Counter(word for weights in fields.values() for word in weights)
    terms = [(word, {} if akin is None else akin.get(word, {})) for word in content_words(question)]
    scores = {
        name: sum(_worth(word, alike, weights, frequency, len(fields)) for word, alike in terms)
        for name, weights in fields.items()
    }
    return sorted((name for name, score in scores.items() if score > 0), key=lambda name: -scores[name])


def name_vocabulary(schema: Schema) -> dict[str, str]:
    """Return the words of tables' names and comments, each with its stem, but for abbreviations of others."""
    words = {word.lower() for table in schema.tables for word in split_name(f"{table.name} {table.comment}")}
    stems = {word: next(iter(content_words(word)), "") for word in sorted(words) if len(word) > 2}
    whole = [word for word in stems if not any(_alike(word, other) for other in stems if len(other) > len(word))]
    return {word: stems[word] for word in whole if stems[word]}


def unknown_words(schema: Schema, question: str) -> dict[str, str]:
    """Return the words of a question, each with its stem, that no table has and that do not only ask."""
    known = ASKING.union(*(_weights(table).keys() for table in schema.tables))
    return {word: stem for word, stem in words_of(question).items() if stem not in known}


@lru_cache(maxsize=2000)  # a schema is asked about more than once
def _weights(table: TableInfo) -> Mapping[str, float]:
    """Return what each stem counts that stands in a table's name, columns, comments or values."""
    weights: dict[str, float] = {}
    parts = [
        (_VALUE, content_words(". ".join(text for column in table.columns for text in column.samples))),
        (_COMMENT, content_words(". ".join([table.comment, *(column.comment for column in table.columns)]))),
        (_COLUMN, name_words(column.name for column in table.columns)),
        (_NAME, name_words([table.name])),
    ]
    for weight, words in parts:
        for word in words:
            weights[word] = max(weight, weights.get(word, 0.0))
    return weights


def _worth(
    word: str, akin: Mapping[str, float], weights: Mapping[str, float], frequency: Mapping[str, int], tables: int
) -> float:
    """Return what a word of the question counts for a table: the word itself, else what is akin or begins alike."""

    def worth(other: str) -> float:
        return weights[other] * math.log(1 + tables / frequency[other])

    def best(wanted: str) -> float:
        if wanted in weights:
            return worth(wanted)
        return max((_PART * worth(other) for other in weights if _alike(wanted, other)), default=0.0)

    return max([best(word), *(likeness * best(other) for other, likeness in akin.items())])


def _alike(one: str, other: str) -> bool:
    """Say whether one is an abbreviation of the other ("cust", "qty" of "customer", "quantity")."""
    short, long = sorted((one, other), key=len)
    if len(short) < 3 or short[0] != long[0] or short.isdigit():
        return False
    letters = iter(long)
    return long.startswith(short) or (len(short) <= 5 and all(letter in letters for letter in short))


def narrow(schema: Schema, ranked: Sequence[str], limit: int = TABLES) -> Schema:
    """Return the schema of the best tables and of what joins them, at most `limit` tables.

    A schema that is no wider stays whole: what the words of a question do not name may still be needed.
    """
    if len(schema.tables) <= limit:
        return schema
    chosen = list(dict.fromkeys(ranked))[:_SEEDS]
    between = [name for name in connect(joins_of(schema), chosen) if name not in chosen]
    rest = [name for name in ranked if name not in chosen]
    kept = [*chosen, *between, *rest][:limit]
    return schema.only(kept if kept else [table.name for table in schema.tables[:limit]])


def connect(joins: Sequence[Join], names: Sequence[str]) -> list[str]:
    """Return the tables on shortest paths between `names` (the first with each other one), themselves included."""
    neighbours: dict[str, list[str]] = {}
    for join in joins:
        neighbours.setdefault(join.table, []).append(join.other)
        neighbours.setdefault(join.other, []).append(join.table)
    found = dict.fromkeys(names)
    for number, start in enumerate(names):
        before = _search(neighbours, start)
        for goal in names[number + 1 :]:
            at: str | None = goal if goal in before else None
            while at is not None:
                found[at] = None
                at = before[at]
    return list(found)


def _search(neighbours: Mapping[str, Sequence[str]], start: str, furthest: int = 4) -> dict[str, str | None]:
    """Return each table that can be reached, and the one before it on the way from `start`."""
    before: dict[str, str | None] = {start: None}
    queue = deque([(start, 0)])
    while queue:
        name, distance = queue.popleft()
        for other in neighbours.get(name, ()) if distance < furthest else ():
            if other not in before:
                before[other] = name
                queue.append((other, distance + 1))
    return before


def path(joins: Sequence[Join], names: Sequence[str]) -> list[Join]:
    """Return the joins among the tables that connect `names`."""
    tables = set(connect(joins, names)) if len(names) > 1 else set()
    return [join for join in joins if join.table in tables and join.other in tables and join.table != join.other]


def named(question: str, schema: Schema, hits: Sequence[Hit]) -> list[Hit]:
    """Return the values that a question really names, each where it belongs most likely.

    A lower-case word names a value only of a short list ("rock" a genre); of all tracks, one is called "Time". A
    value that stands in several columns belongs to a name or title, of the table that the question speaks of
    ("tracks by" somebody: of another), else of the smallest table.
    """
    tables = {table.name: table for table in schema.tables}
    words = content_words(question)

    def weight(hit: Hit) -> tuple[bool, int, int]:
        rows = tables[hit.table].rows
        spoken = 2 * bool(name_words([hit.table]) & words) + bool(name_words([hit.column]) & words)
        makers = re.search(rf"\bby {re.escape(hit.value)}\b", question, re.IGNORECASE) is not None
        called = _CALLED.search(hit.column) is not None
        return called, -spoken if makers else spoken, -(rows if rows is not None else 10**9)

    best: dict[str, Hit] = {}
    for hit in hits:
        short_list = (tables[hit.table].rows or 10**9) <= _SHORT_LIST or any(
            column.name == hit.column and column.complete for column in tables[hit.table].columns
        )
        if (short_list and len(hit.value) >= _SHORT_WORD) or _is_name(hit.value, question):
            form = squeeze(hit.value)
            best[form] = max(best.get(form, hit), hit, key=weight)
    return [hit for form, hit in best.items() if not any(form != other and form in other for other in best)]


def _is_name(value: str, question: str) -> bool:
    """Say whether a value stands in a question as a name: several words, capitals, digits or signs in it."""
    plain = [word.strip("\"'“”‘’?!.,;:()") for word in question.split()]
    written = [word for word in plain[1:] if squeeze(word) == squeeze(value)]
    if len(value.split()) > 1 or not written:
        return len(value.split()) > 1
    return any(word != word.lower() or not word.isalpha() for word in written)
