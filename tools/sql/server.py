"""What all servers share: their URL, and reading tables, columns, keys and comments through SQLAlchemy."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy
from sqlalchemy.engine import URL, Engine, Inspector, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from crowquill.errors import ToolFailed

CONNECT_SECONDS = 5
"""Time to reach a server."""
BATCH = 200
"""Rows that are fetched from a server at once."""


def server_url(request: Mapping[str, Any]) -> URL:
    """Return the URL of a request, with its password. Raises ToolFailed."""
    try:
        url = make_url(str(request["url"]))
    except (ArgumentError, ValueError):
        raise ToolFailed("the database URL cannot be read: DIALECT://USER@HOST/NAME") from None
    return url if url.password is not None or not request.get("password") else url.set(password=request["password"])


def read_tables(engine: Engine, limit: tuple[int, int]) -> list[dict[str, Any]]:
    """Return the tables and views of all schemas but the server's own, as `describe.describe` gives them.

    `limit` is how many tables, and how many columns in all. Tables outside the default schema are called
    `schema.table`.
    """
    inspector = sqlalchemy.inspect(engine)
    default = inspector.default_schema_name
    tables: list[dict[str, Any]] = []
    columns = limit[1]
    for schema in _schemas(inspector, default, engine.dialect.name):
        scope = None if schema == default else schema
        for entry in _tables(inspector, scope):
            columns -= len(entry["columns"])
            if columns < 0 or len(tables) == limit[0]:
                return tables
            tables.append(entry)
    return tables


def _schemas(inspector: Inspector, default: str | None, dialect: str) -> list[str | None]:
    if dialect in ("mysql", "mariadb"):
        return [default]  # there, a schema is another database
    own = {"information_schema", "pg_catalog", "pg_toast"}
    others = [name for name in inspector.get_schema_names() if name not in own and name != default]
    return [default, *others]


def _tables(inspector: Inspector, schema: str | None) -> Iterator[dict[str, Any]]:
    """Yield what one schema holds; each kind of fact is read for all tables at once."""
    reading: dict[str, Any] = {"schema": schema, "kind": sqlalchemy.engine.ObjectKind.ANY}
    columns = inspector.get_multi_columns(**reading)
    keys = _facts(lambda: inspector.get_multi_pk_constraint(**reading))
    links = _facts(lambda: inspector.get_multi_foreign_keys(**reading))
    comments = _facts(lambda: inspector.get_multi_table_comment(**reading))
    views = {*inspector.get_view_names(schema=schema)}
    for at in sorted(columns, key=lambda found: str(found[1])):
        name = at[1]
        key: set[str] = {*((keys.get(at) or {}).get("constrained_columns") or ())}
        yield {
            "name": name if schema is None else f"{schema}.{name}",
            "kind": "view" if name in views else "table",
            "comment": (comments.get(at) or {}).get("text") or "",
            "columns": [_column(column, key) for column in columns[at]],
            "links": [link for entry in links.get(at) or () for link in _links(entry, schema)],
        }


def _facts(read: Any) -> Mapping[Any, Any]:
    try:
        return dict(read())
    except (SQLAlchemyError, NotImplementedError):
        return {}  # this dialect does not know of it


def _column(column: Mapping[str, Any], key: set[str]) -> dict[str, Any]:
    try:
        kind = str(column["type"])
    except (SQLAlchemyError, NotImplementedError):
        kind = ""
    name = str(column["name"])
    return {"name": name, "type": kind, "key": name in key, "comment": column.get("comment") or ""}


def _links(entry: Mapping[str, Any], schema: str | None) -> Iterable[dict[str, str]]:
    other = entry["referred_table"]
    if entry.get("referred_schema") not in (None, schema):
        other = f"{entry['referred_schema']}.{other}"
    elif schema is not None:
        other = f"{schema}.{other}"
    for column, to in zip(entry["constrained_columns"], entry["referred_columns"], strict=False):
        yield {"column": column, "table": other, "to": to}


def columns_by_table(found: Iterable[Sequence[Any]]) -> dict[str, list[str]]:
    """Return rows of (table, column) as table → columns."""
    names: dict[str, list[str]] = {}
    for table, column in found:
        names.setdefault(str(table), []).append(str(column))
    return names


def batches(cursor: Any) -> Iterator[Sequence[Any]]:
    """Yield the rows of a DB-API cursor in batches; it is not closed, which might read all that is left."""
    while rows := cursor.fetchmany(BATCH):
        yield from rows
