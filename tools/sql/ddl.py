"""A schema as CREATE TABLE statements, the form in which models that write code have met most schemas."""

from crowquill.memory.untrusted import Untrusted
from crowquill.tools.sql.schema import Column, Schema, TableInfo, flat, literal, quoted_name, shown_table

_FEW = 8
_TYPES: dict[str, str] = dict.fromkeys(("NVARCHAR", "VARCHAR", "CHARACTER VARYING"), "TEXT")


def as_ddl(schema: Schema, max_chars: int) -> Untrusted:
    """Return one statement a table, in at most `max_chars` characters: without values or types if need be."""
    for values, types in ((True, True), (False, True), (False, False)):
        text = "\n".join(_table(table, values=values, types=types) for table in schema.tables)
        if len(text) <= max_chars:
            return Untrusted(text, schema.database)
    return Untrusted(schema.render(max_chars), schema.database)


def _table(table: TableInfo, *, values: bool, types: bool) -> str:
    links = {column: (other, to) for column, other, to in table.links}
    columns = [_column(column, links.get(column.name), values=values, types=types) for column in table.columns]
    about = f" -- {flat(table.comment)}" if table.comment else ""
    return f"CREATE TABLE {shown_table(table.name)} ({', '.join(columns)});{about}"


def _column(column: Column, link: tuple[str, str] | None, *, values: bool, types: bool) -> str:
    parts = [quoted_name(column.name)]
    if types and column.type:
        kind = column.type.upper().partition("(")[0]
        parts.append(_TYPES.get(kind, kind))
    if column.key:
        parts.append("PRIMARY KEY")
    if link is not None:
        parts.append(f"REFERENCES {shown_table(link[0])}" + (f"({quoted_name(link[1])})" if link[1] else ""))
    about = [flat(column.comment)] if column.comment else []
    if values and column.complete and len(column.samples) <= _FEW:
        about.append("one of " + ", ".join(map(literal, column.samples)))
    elif values and column.low is not None:
        about.append(f"from '{flat(column.low)}' to '{flat(str(column.high))}'")
    if about:
        parts.append(f"/* {'; '.join(about).replace('*/', '* /')} */")
    return " ".join(parts)
