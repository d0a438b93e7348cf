"""Statements that change data, for a user who allows them: what they may say, and which rows they are about.

One INSERT, UPDATE or DELETE of one table, in the syntax that also a query may use; no definitions of tables,
nothing that replaces rows unseen (REPLACE, ON CONFLICT), no further tables beside subqueries.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Literal

from sqlglot import exp

from crowquill.errors import ToolRetry
from crowquill.tools.context import Json
from crowquill.tools.sql.statement import check_nodes, parsed, readable

Kind = Literal["insert", "update", "delete"]

SAMPLE = 20
"""Rows that are shown of those which a change affects."""

_PARTS: dict[type[exp.Expr], tuple[Kind, frozenset[str]]] = {
    exp.Insert: ("insert", frozenset({"this", "expression", "default"})),
    exp.Update: ("update", frozenset({"this", "expressions", "where"})),
    exp.Delete: ("delete", frozenset({"this", "where"})),
}
"""Kinds of change, and the clauses that each may have."""


@dataclass(frozen=True, slots=True)
class Change:
    """A statement that changes one table.

    `statement` is written anew from the syntax tree, `before` selects the rows as they are now ("" for an
    insertion). `whole` says that no row is left out.
    """

    kind: Kind
    table: str
    statement: str
    before: str
    whole: bool

    @property
    def returning(self) -> str:
        """The same statement, with the changed rows as its result, for engines that know that."""
        return f"{self.statement} RETURNING *"


def checked_change(sql: str, dialect: str) -> Change:
    """Read a statement that changes data; `dialect` is sqlglot's name.

    Raises:
        ToolRetry: it is none of the kinds that are allowed, or uses what is not allowed; the sentence says what.
    """
    with readable(dialect, "one INSERT, UPDATE or DELETE"):
        tree = parsed(sql, dialect)
        kind, table = _kind_and_table(tree)
        target = tree.this
        check_nodes(tree, dialect, but=(tree, target) if isinstance(target, exp.Schema) else (tree,))
        statement = tree.sql(dialect=dialect, comments=False)
        where = tree.args.get("where")
        before = exp.select("*").from_(table.copy()).limit(SAMPLE + 1)
        before = before if where is None else before.where(where.this.copy())
        return Change(
            kind,
            table.name,
            statement,
            "" if kind == "insert" else before.sql(dialect=dialect, comments=False),
            whole=kind != "insert" and where is None,
        )


def _kind_and_table(tree: exp.Expr) -> tuple[Kind, exp.Table]:
    if type(tree) not in _PARTS:
        raise ToolRetry("only one INSERT, UPDATE or DELETE of rows can be asked for here")
    kind, parts = _PARTS[type(tree)]
    if further := [name.strip("_") for name, value in tree.args.items() if value and name not in parts]:
        raise ToolRetry(f"{kind.upper()} with {further[0]!r} is not supported: use a subquery in WHERE instead")
    table = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    if not isinstance(table, exp.Table) or table.args.get("joins") or not isinstance(table.this, exp.Identifier):
        raise ToolRetry("a change is about one table: use a subquery in WHERE instead of a join")
    return kind, table


def outcome(change: Change, count: int, before: Json, after: Json) -> dict[str, Json]:
    """Return what a change does, as JSON: `{"kind", "table", "whole", "rows", "before", "after", "digest"}`.

    `before` and `after` are results (`cells.result`) or None. The digest is of the number of rows and of those that
    are shown: the same change, made later, must still be about the same.
    """
    seen = json.dumps([change.statement, count, before], sort_keys=True, ensure_ascii=True)
    return {
        "kind": change.kind,
        "table": change.table,
        "whole": change.whole,
        "rows": count,
        "before": before,
        "after": after,
        "digest": hashlib.sha256(seen.encode()).hexdigest(),
    }


def check_unchanged(found: dict[str, Json], expected: Json) -> None:
    """Refuse to make a change that is no longer the one which was shown. Raises ToolRetry."""
    if found["digest"] != expected:
        raise ToolRetry("the rows have changed since they were shown: look at them again, then ask anew")
