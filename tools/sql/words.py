"""Says in words what a statement computes: what is counted or added up, from where, which rows, how sorted."""

import re
from typing import Any

_LONGEST = 400
_NULLS = re.compile(" NULLS (?:FIRST|LAST)")
_AGGREGATES = {"Count": "number", "Sum": "sum", "Avg": "average", "Min": "smallest", "Max": "largest"}
_DIALECTS = {"SQLite": "sqlite", "DuckDB": "duckdb", "PostgreSQL": "postgres", "MySQL": "mysql", "MariaDB": "mysql"}
_LOCAL_TIME = ("now", "current_timestamp", "current_date", "localtime", "curdate", "date('now'")


def in_words(sql: str, dialect: str = "SQLite") -> str:
    """Return one line that says what a SELECT computes, or "" where it cannot be read.

    The words are ours, but names and texts are the database's or the model's: untrusted, to be cleaned when shown.
    """
    from sqlglot import exp, parse_one  # 0.1 s, which only a run with a database pays
    from sqlglot.errors import SqlglotError

    try:
        tree = parse_one(sql, read=_DIALECTS.get(dialect))
    except (SqlglotError, RecursionError):
        return ""
    if isinstance(tree, exp.SetOperation):
        return f"Several results put together ({type(tree).__name__.lower()})."
    if not isinstance(tree, exp.Select):
        return ""
    said = [_chosen(tree), f"from {_sources(tree)}" if tree.args.get("from_") or tree.args.get("from") else ""]
    for name, word in (("where", "where"), ("group", "for each"), ("having", "if"), ("order", "sorted by")):
        part = tree.args.get(name)
        if part is not None:
            inner = (
                ", ".join(_plain(entry) for entry in part.expressions) if part.expressions else _plain(part.this)
            )
            said.append(f"{word} {inner}")
    if (limit := tree.args.get("limit")) is not None and limit.expression is not None:
        said.append(f"only the first {limit.expression.sql()}")
    text = ", ".join(part for part in said if part)
    if "nulls" not in sql.lower():
        text = _NULLS.sub("", text)  # a dialect's own default, which nobody has written
    text = text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
    clock = " Times are those of the database's clock." if any(word in sql.lower() for word in _LOCAL_TIME) else ""
    return f"{text[:1].upper()}{text[1:]}.{clock}"


def _chosen(tree: Any) -> str:
    return ", ".join(_aggregate(column) for column in tree.expressions)


def _aggregate(column: Any) -> str:
    from sqlglot import exp  # see above

    node = column.this if isinstance(column, exp.Alias) else column
    word = _AGGREGATES.get(type(node).__name__)
    if word is None:
        return _plain(node)
    inner = node.this
    if isinstance(inner, exp.Star) or inner is None:
        return "number of rows"
    if isinstance(inner, exp.Distinct):
        return f"{word} of different {', '.join(_plain(entry) for entry in inner.expressions)}"
    return f"{word} of {_plain(inner)}"


def _sources(tree: Any) -> str:
    first = tree.args.get("from_") or tree.args.get("from")
    tables = [first.this, *(join.this for join in tree.args.get("joins") or ())]
    return " with ".join(table.name if table.name else "a subquery" for table in tables)


def _plain(node: Any) -> str:
    """Return a part of a statement without aliases of tables, quotes around names, and line breaks."""
    return " ".join(node.sql(identify=False, comments=False).replace('"', "").replace("`", "").split())
