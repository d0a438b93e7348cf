"""Mends what models slip up on in a query: they pick the right columns more often than the right way to them.

A SELECT that shows columns beside aggregates gets its GROUP BY, one that counts a key behind joins a DISTINCT. Its
joins are built anew when it joins by what is no key, or takes a column from a table that does not have it: each
column goes to the table that holds it, and the tables are joined along the shortest path of keys.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from crowquill.tools.sql.linking import Join, connect, joins_of
from crowquill.tools.sql.schema import Schema

_DIALECTS = {"SQLite": "sqlite", "DuckDB": "duckdb", "PostgreSQL": "postgres", "MySQL": "mysql", "MariaDB": "mysql"}


def rejoined(sql: str, schema: Schema) -> str:
    """Return the query with its joins mended, or unchanged when they are sound or cannot be mended."""
    from sqlglot import exp, parse_one  # 0.1 s, which only a run with a database pays
    from sqlglot.errors import SqlglotError

    dialect = _DIALECTS.get(schema.dialect)
    try:
        tree = parse_one(sql, read=dialect)
        known = {cte.alias_or_name.lower() for cte in tree.find_all(exp.CTE)}
        mender = _Mender(schema)
        changed = [mender.mend(select, known) for select in list(tree.find_all(exp.Select))]
        changed += [_group(select) for select in tree.find_all(exp.Select)]
        changed += [mender.count_once(select) for select in tree.find_all(exp.Select)]
        return tree.sql(dialect=dialect, comments=False) if any(changed) else sql
    except (SqlglotError, RecursionError):
        return sql


class _Mender:
    """The tables, columns and keys of a schema, by which selects are mended."""

    def __init__(self, schema: Schema) -> None:
        self._columns = {table.name: {column.name.lower() for column in table.columns} for table in schema.tables}
        self._keys_of = {
            table.name: keys[0] if len(keys) == 1 else ""
            for table in schema.tables
            for keys in [[column.name.lower() for column in table.columns if column.key]]
        }
        self._names = {name.lower(): name for name in self._columns}
        self._joins = joins_of(schema)
        self._keys = {frozenset((_end(join.table, join.column), _end(join.other, join.to))) for join in self._joins}

    def mend(self, select: Any, known: set[str]) -> bool:
        """Mend one SELECT in place; False when it was sound, or is beyond mending."""
        scope = self._scope(select, known)
        if scope is None:
            return False
        columns = list(_own_columns(select))
        swapped = self._swapped(columns, scope)
        scope = scope if swapped is None else swapped
        placed = {id(column): self._place(column, scope) for column in columns}
        joins = select.args.get("joins") or []
        conditions = [part for join in joins for part in _parts(join.args.get("on"))]
        sound = all(scope.get(column.table.lower()) == placed[id(column)] for column in columns if column.table)
        keyed = all(self._is_key(part, scope) for part in conditions if _compares_columns(part))
        linked = all(join.args.get("on") is not None or join.args.get("using") for join in joins)
        if swapped is None and sound and keyed and linked and None not in placed.values():
            return False
        wanted = self._wanted(select, columns, placed, scope, conditions)
        order = self._connected(wanted)
        if not order:
            return False
        _rebuild(select, order, self._joins, [part for part in conditions if not _compares_columns(part)])
        for column in columns:
            if placed[id(column)] is not None:
                column.set("table", _identifier(str(placed[id(column)])))
        return True

    def count_once(self, select: Any) -> bool:
        """Count things once though joins repeat them: COUNT of a key becomes COUNT DISTINCT."""
        if not select.args.get("joins"):
            return False
        counted = [
            node
            for column in select.expressions
            for node in column.walk()
            if type(node).__name__ == "Count" and type(node.this).__name__ == "Column"
        ]
        scope = self._scope(select, set()) or {}
        changed = False
        for node in counted:
            table = scope.get(node.this.table.lower(), "")
            if self._keys_of.get(table) == node.this.name.lower():
                _make_distinct(node)
                changed = True
        return changed

    def _scope(self, select: Any, known: set[str]) -> dict[str, str] | None:
        """Return alias → table; None when a source is not a plain table, or a join not an inner one."""
        start = select.args.get("from_") or select.args.get("from")
        joins = select.args.get("joins") or []
        if start is None or any(join.side or join.kind not in ("", "INNER") for join in joins):
            return None
        scope: dict[str, str] = {}
        for source in (start.this, *(join.this for join in joins)):
            if type(source).__name__ != "Table" or source.name.lower() in known or not source.name:
                return None
            scope[source.alias_or_name.lower()] = self._names.get(source.name.lower(), "")
        return scope

    def _swapped(self, columns: Sequence[Any], scope: dict[str, str]) -> dict[str, str] | None:
        """Return the scope with two aliases exchanged, when only so each column is where it is said to be."""

        def fits(tables: Mapping[str, str]) -> bool:
            written = [column for column in columns if column.table]
            return all(
                column.name.lower() in self._columns.get(tables.get(column.table.lower(), ""), ())
                for column in written
            )

        if len(scope) != 2 or fits(scope):
            return None
        exchanged = dict(zip(scope, reversed(scope.values()), strict=True))
        return exchanged if fits(exchanged) else None

    def _place(self, column: Any, scope: Mapping[str, str]) -> str | None:
        """Return the table that a column belongs to: as written, else in scope, else the nearest by keys."""
        name = column.name.lower()
        qualifier = column.table.lower()
        written = scope.get(qualifier, self._names.get(qualifier)) if qualifier else None
        if written and name in self._columns[written]:
            return written
        inside = [table for table in scope.values() if table and name in self._columns[table]]
        if inside:
            return inside[0]
        holders = [table for table, columns in self._columns.items() if name in columns]
        near = sorted(holders, key=lambda table: self._distance(table, scope.values()))
        return near[0] if near else None

    def _distance(self, table: str, others: Any) -> int:
        return min((len(connect(self._joins, [other, table])) for other in others if other), default=99)

    def _is_key(self, part: Any, scope: Mapping[str, str]) -> bool:
        ends = [_end(scope.get(side.table.lower(), ""), side.name) for side in (part.this, part.expression)]
        return frozenset(ends) in self._keys

    def _wanted(
        self,
        select: Any,
        columns: Sequence[Any],
        placed: Mapping[int, str | None],
        scope: Mapping[str, str],
        conditions: Sequence[Any],
    ) -> list[str]:
        """Return the tables that must be joined: those of the columns but in joins, and the counted."""
        joining = {
            id(side) for part in conditions if _compares_columns(part) for side in (part.this, part.expression)
        }
        if any(placed[id(column)] is None for column in columns if id(column) not in joining):
            return []  # a column that no table has: the model must say it otherwise
        used = [placed[id(column)] for column in columns if id(column) not in joining]
        counts_rows = any(type(node).__name__ == "Star" for node in select.walk())
        first = [table for table in [next(iter(scope.values()))] if table and (counts_rows or not used)]
        twice = len([table for table in scope.values() if table]) != len(
            {table for table in scope.values() if table}
        )
        if twice and all(
            scope.get(column.table.lower()) == placed[id(column)] for column in columns if column.table
        ):
            return []  # a table joined with itself, on purpose
        return list(dict.fromkeys([*first, *(table for table in used if table)]))

    def _connected(self, wanted: Sequence[str]) -> list[str]:
        """Return the tables and those between, each joined to one before it; nothing when that is impossible."""
        tables = connect(self._joins, wanted)
        order, rest = list(wanted[:1]), [table for table in tables if table not in wanted[:1]]
        while rest:
            following = next((table for table in rest if _key_to(table, order, self._joins) is not None), None)
            if following is None:
                return []
            order.append(following)
            rest.remove(following)
        return order


def _group(select: Any) -> bool:
    """Group by the columns that are shown beside aggregates; SQLite would show those of any row."""
    shown = [column.unalias() for column in select.expressions]
    plain = [column for column in shown if type(column).__name__ == "Column" and not column.is_star]
    other = [*(column for column in shown if column not in plain), *filter(None, [select.args.get("order")])]
    if select.args.get("group") or not plain or not any(map(_aggregates, other)):
        return False
    select.group_by(*(column.copy() for column in plain), copy=False)
    return True


def _make_distinct(count: Any) -> None:
    from sqlglot import exp  # see above

    count.set("this", exp.Distinct(expressions=[count.this.copy()]))


def _aggregates(node: Any) -> bool:
    """Say whether an expression counts or adds up; beside min and max alone, SQLite shows the row they are of."""
    found = {type(part).__name__ for part in node.walk() if type(part).__name__ in ("Count", "Sum", "Avg")}
    return bool(found) and not any(type(part).__name__ in ("Window", "Subquery", "Select") for part in node.walk())


def _end(table: str, column: str) -> tuple[str, str]:
    return table.lower(), column.lower()


def _own_columns(select: Any) -> Iterator[Any]:
    """Yield the columns of a SELECT without those of the SELECTs in it."""
    stack = list(select.iter_expressions())
    while stack:
        node = stack.pop()
        kind = type(node).__name__
        if kind == "Column" and type(node.this).__name__ != "Star":
            yield node
        if kind not in ("Select", "Subquery", "Union", "With"):
            stack += list(node.iter_expressions())


def _parts(condition: Any) -> list[Any]:
    if condition is None:
        return []
    return list(condition.flatten()) if type(condition).__name__ == "And" else [condition]


def _compares_columns(part: Any) -> bool:
    kinds = (type(part).__name__, type(part.args.get("this")).__name__, type(part.args.get("expression")).__name__)
    return kinds == ("EQ", "Column", "Column")


def _key_to(table: str, others: Sequence[str], joins: Sequence[Join]) -> Join | None:
    """Return a key between a table and one of the others."""
    for join in joins:
        if (join.table == table and join.other in others) or (join.other == table and join.table in others):
            return join
    return None


def _identifier(name: str) -> Any:
    from sqlglot import exp  # see above

    return exp.to_identifier(name)


def _rebuild(select: Any, order: Sequence[str], joins: Sequence[Join], filters: Sequence[Any]) -> None:
    """Set the sources of a SELECT: the tables in order, joined by their keys; other conditions go to WHERE."""
    from sqlglot import exp  # see above

    select.set("joins", None)
    select.from_(exp.to_table(order[0]), copy=False)
    for number, table in enumerate(order[1:], 1):
        key = _key_to(table, order[:number], joins)
        assert key is not None  # `_connected` has seen to it
        left = exp.column(exp.to_identifier(key.column), table=exp.to_identifier(key.table))
        right = exp.column(exp.to_identifier(key.to), table=exp.to_identifier(key.other))
        select.join(exp.to_table(table), on=exp.EQ(this=left, expression=right), copy=False)
    for part in filters:
        select.where(part.copy(), copy=False)
