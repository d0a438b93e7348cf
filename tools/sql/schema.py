"""The schema of a database, as the model sees it, and how well a question's words fit it."""

from dataclasses import dataclass
from typing import Any

from crowquill.memory.textual import content_words

_SHOWN_SAMPLES = 3
_ASKING = content_words(
    "how many much what which who when where list show name average total sum number count most"
)


@dataclass(frozen=True, slots=True)
class Column:
    """A column; `samples` are some of its text values."""

    name: str
    type: str
    key: bool
    samples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TableInfo:
    """A table or view; `links` are (column, table, column) of its foreign keys."""

    name: str
    columns: tuple[Column, ...]
    links: tuple[tuple[str, str, str], ...]
    rows: int


@dataclass(frozen=True, slots=True)
class Schema:
    """All tables of one database."""

    database: str
    tables: tuple[TableInfo, ...]

    @classmethod
    def from_json(cls, database: str, data: Any) -> "Schema":
        """Read what the worker's `describe` gave."""
        return cls(
            database,
            tuple(
                TableInfo(
                    table["name"],
                    tuple(
                        Column(column["name"], column["type"], column["key"], tuple(column["samples"]))
                        for column in table["columns"]
                    ),
                    tuple((link["column"], link["table"], str(link["to"])) for link in table["links"]),
                    table["rows"],
                )
                for table in data
            ),
        )

    def render(self, limit: int) -> str:
        """Return the schema in at most about `limit` characters; samples go first when it is too long."""
        for samples in (_SHOWN_SAMPLES, 1, 0):
            text = "\n".join(_render(table, samples) for table in self.tables)
            if len(text) <= limit:
                return text
        return text[:limit]

    def matches(self, question: str) -> frozenset[str]:
        """Return the content words of the question that name a table, a column or a sampled value."""
        return content_words(question) & self._words()

    def relevance(self, question: str) -> float:
        """Return the share (0 to 1) of the question's content words that the schema knows.

        A question that names neither the database nor a table counts as 0; words that only ask ("how many") do
        not count.
        """
        words = content_words(question) - _ASKING
        if not words & content_words(
            " ".join([self.database, *(table.name for table in self.tables)]).replace("_", " ")
        ):
            return 0.0
        return len(words & self._words()) / len(words)

    def _words(self) -> frozenset[str]:
        names = [self.database, *(table.name for table in self.tables)]
        names += [column.name for table in self.tables for column in table.columns]
        values = [sample for table in self.tables for column in table.columns for sample in column.samples]
        return content_words(" ".join(name.replace("_", " ") for name in names)) | content_words(". ".join(values))


def _render(table: TableInfo, samples: int) -> str:
    columns = ", ".join(_render_column(column, samples) for column in table.columns)
    links = "".join(f"\n  {table.name}.{column} -> {other}.{to}" for column, other, to in table.links)
    return f"{table.name}({columns}) -- {table.rows} rows{links}"


def _render_column(column: Column, samples: int) -> str:
    shown = [repr(sample[:24]) for sample in column.samples[:samples]]
    key = " PRIMARY KEY" if column.key else ""
    return f"{column.name} {column.type}{key}".rstrip() + (f" e.g. {', '.join(shown)}" if shown else "")
