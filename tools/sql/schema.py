"""The schema of a database, as a model sees it, and how well a question's words fit it."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from crowquill.memory.textual import content_words

_SHOWN_SAMPLES, _SHOWN_LENGTH, _COMMENT_LENGTH = 3, 24, 80
_LENGTH = re.compile(r"\(\d+(?:, ?\d+)?\)| COLLATE .*")
_DOTTED = re.compile(r"\w+\.\w+")
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_KEYWORDS = """
    all and as by case check column create cross default delete desc distinct drop else end except exists for from
    full group having in index inner insert intersect into is join key left like limit natural not null offset on or
    order outer primary references right select set table then to transaction union unique update using values when
    where with
"""
_RESERVED = frozenset(_KEYWORDS.split())
ASKING = content_words(
    """
    how many much often what which who when where list show give tell name average total sum number count most
    least highest lowest first last old new all each every per was were did have has ever never there any share
    more less fewer than long longer short shorter larger smaller higher lower greater
    second minute hour day week month year percent euro dollar belong many
    """
)
"""Stems of words that only ask, and say nothing of what is asked about."""
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class Column:
    """A column; `samples` are some of its text values, `low` and `high` its ends where it holds dates.

    `complete`: the samples are all values that there are.
    """

    name: str
    type: str
    key: bool
    samples: tuple[str, ...] = ()
    low: str | None = None
    high: str | None = None
    complete: bool = False
    comment: str = ""


@dataclass(frozen=True, slots=True)
class TableInfo:
    """A table or view; `links` are (column, table, column) of its foreign keys.

    `rows` is None where they were not counted; with `more`, there are more than `rows`. `notes` say what was
    repaired in reading a data file.
    """

    name: str
    columns: tuple[Column, ...]
    links: tuple[tuple[str, str, str], ...] = ()
    rows: int | None = None
    more: bool = False
    comment: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Schema:
    """All tables of one database, or those that a question needs."""

    database: str
    tables: tuple[TableInfo, ...]
    dialect: str = "SQLite"

    @classmethod
    def from_json(cls, database: str, data: Any, dialect: str = "SQLite") -> "Schema":
        """Read what the worker's `describe` gave."""
        return cls(database, tuple(_table(entry) for entry in data), dialect)

    def only(self, names: Collection[str]) -> "Schema":
        """Return the schema of these tables alone."""
        return replace(self, tables=tuple(table for table in self.tables if table.name in names))

    def text_columns(self) -> list[tuple[str, str]]:
        """Return (table, column) of the columns that hold texts, as far as is known."""
        return [(table.name, column.name) for table in self.tables for column in table.columns if column.samples]

    def render(self, max_chars: int) -> str:
        """Return the schema in at most `max_chars` characters, one table a line, keys below.

        When it is too long, sample values go first, then types, then columns; the last resort is a list of names.
        """
        for samples, types in ((_SHOWN_SAMPLES, True), (1, True), (0, True), (0, False)):
            text = "\n".join([*(_line(table, samples, types=types) for table in self.tables), *self._links()])
            if len(text) <= max_chars:
                return text
        return self._names(max_chars)

    def matches(self, question: str) -> set[str]:
        """Return the stems of the question's words that stand in a name or in a sampled value."""
        return set(content_words(question) & (self._names_of_tables() | self._names_of_columns() | self._values()))

    def relevance(self, question: str) -> float:
        """Return 0 to 1: the share of the question's words that the schema knows.

        A word that names the database or a table counts in full, a column or a value only beside such a word:
        that alone could come from anywhere. Words that only ask ("how many") and figures do not count.
        """
        words = {word for word in content_words(question) - ASKING if not word.isdigit()}
        tables = words & self._names_of_tables()
        if not tables:
            return 0.0
        known = words & (self._names_of_columns() | self._values())
        return len(tables | known) / len(words)

    def _links(self) -> list[str]:
        ends = [
            (shown_table(table.name), quoted_name(column), shown_table(other), quoted_name(to) if to else "")
            for table in self.tables
            for column, other, to in table.links
        ]
        return [f"{table}.{column} -> {other}.{to}".removesuffix(".") for table, column, other, to in ends]

    def _names(self, max_chars: int) -> str:
        text = ""
        for number, table in enumerate(self.tables):
            more = f"\n… and {len(self.tables) - number} more tables"
            entry = ("\n" if text else "") + shown_table(table.name)
            if len(text) + len(entry) + len(more) > max_chars:
                return (text + more).strip()[:max_chars]
            text += entry
        return text

    def _names_of_tables(self) -> frozenset[str]:
        return name_words([self.database, *(table.name for table in self.tables)])

    def _names_of_columns(self) -> frozenset[str]:
        return name_words([column.name for table in self.tables for column in table.columns]) - {"id"}

    def notes(self) -> list[str]:
        """Return what is to be said of data files: how they were read, one line a table."""
        return [f"{table.name}: {'; '.join(table.notes)}" for table in self.tables if table.notes]

    def samples(self) -> list[str]:
        """Return the text values of all columns that are known."""
        return [sample for table in self.tables for column in table.columns for sample in column.samples]

    def _values(self) -> frozenset[str]:
        return content_words(". ".join(self.samples()))


def _table(entry: Mapping[str, Any]) -> TableInfo:
    columns = tuple(
        Column(
            column["name"],
            column["type"],
            column["key"],
            tuple(column["samples"]),
            column["low"],
            column["high"],
            column.get("all", False),
            column.get("comment", ""),
        )
        for column in entry["columns"]
    )
    links = tuple((link["column"], link["table"], link["to"]) for link in entry["links"])
    comment, notes = entry.get("comment", ""), tuple(entry.get("notes", ()))
    return TableInfo(entry["name"], columns, links, entry["rows"], entry["more"], comment, notes)


def split_name(name: str) -> list[str]:
    """Return the words in a name such as order_items, InvoiceLine or HTTPLog."""
    return _WORD.findall(name)


def name_words(names: Iterable[str]) -> frozenset[str]:
    """Return the stems of the words in names such as order_items, InvoiceLine or HTTPLog."""
    return content_words(" ".join(" ".join(split_name(name)) for name in names))


def _line(table: TableInfo, samples: int, *, types: bool) -> str:
    columns = ", ".join(_column(column, samples, types=types) for column in table.columns)
    count = (
        "" if table.rows is None else f" -- {table.rows}{'+' if table.more else ''} row{'s' * (table.rows != 1)}"
    )
    about = f"{count or ' --'} ({flat(table.comment)})" if table.comment else count
    return f"{shown_table(table.name)}({columns}){about}"


def _column(column: Column, samples: int, *, types: bool) -> str:
    parts = [quoted_name(column.name)]
    if types and column.type:
        parts.append(_LENGTH.sub("", column.type.upper()))
    if column.key:
        parts.append("PK")
    if samples and column.samples:
        few = column.complete and len(column.samples) <= samples * 2
        listed = column.samples if few else column.samples[:samples]
        parts.append(("one of " if few else "e.g. ") + ", ".join(map(literal, listed)))
    elif types and column.low is not None:
        parts.append(f"from {column.low} to {column.high}")
    if types and column.comment:
        parts.append(f"({flat(column.comment)})")
    return " ".join(parts)


def flat(comment: str) -> str:
    """Return a comment on one short line."""
    return " ".join(comment.split())[:_COMMENT_LENGTH]


def shown_table(name: str) -> str:
    """Return a table's name as a statement has to write it; servers have `schema.table`."""
    return ".".join(map(quoted_name, name.split("."))) if _DOTTED.fullmatch(name) else quoted_name(name)


def quoted_name(name: str) -> str:
    """Return a name as a statement has to write it."""
    if _PLAIN.fullmatch(name) and name.lower() not in _RESERVED:
        return name
    return '"' + " ".join(name.replace('"', '""').split()) + '"'


def literal(sample: str) -> str:
    """Return a value as a text of a statement, shortened."""
    flat = " ".join(sample.split())
    cut = flat[:_SHOWN_LENGTH] + ("…" if len(flat) > _SHOWN_LENGTH else "")
    return "'" + cut.replace("'", "''") + "'"
