"""What a statement may say, by its syntax tree: the second guard, behind the engine's own.

An allow-list of nodes and of functions, in the exact dialect; what is run is written anew from the tree, so that
what a parser reads differently than the engine (an executable comment, an odd quote) never reaches it. SQLite
needs none of this: its authorizer judges what the engine itself has compiled.
"""

import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from crowquill.errors import ToolRetry
from crowquill.tools.sql.advice import nearest_names
from crowquill.tools.sql.allowed import CLOCKS, NAMED, NODES, TYPED

MAX_LENGTH = 20_000
"""Characters of a statement."""

_SYSTEM = {
    "postgres": frozenset({"pg_catalog", "pg_toast"}),
    "mysql": frozenset({"mysql", "sys", "performance_schema"}),
}
"""Schemas about the server itself; `information_schema` may be read."""
_EXECUTABLE = re.compile(r"/\*\s*M?!", re.IGNORECASE)


def checked(sql: str, dialect: str, tables: Collection[str] | None = None) -> tuple[str, bool]:
    """Return the statement as it may be run, written anew from its syntax tree, and whether it asks for the time.

    `dialect` is sqlglot's name; `tables`, when given, are the only ones that may be read.

    Raises:
        ToolRetry: it is not one SELECT, or uses what is not allowed; the sentence says what.
    """
    with readable(dialect, "one SELECT statement"):
        tree = parsed(sql, dialect)
        _require_select(tree)
        check_nodes(tree, dialect, tables)
        return tree.sql(dialect=dialect, comments=False), any(map(_is_clock, tree.find_all(exp.Func)))


@contextmanager
def readable(dialect: str, wanted: str) -> Iterator[None]:
    """Say what cannot be read in a sentence. Raises ToolRetry."""
    try:
        yield
    except RecursionError:
        raise ToolRetry("the statement is nested too deeply") from None
    except SqlglotError as error:
        lines = str(error).splitlines()
        said = re.sub(r"\x1b\[\d*m", "", lines[0] if lines else "it cannot be read")[:160]
        raise ToolRetry(f"syntax error: {said} (the dialect is {dialect}; {wanted})") from None


def parsed(sql: str, dialect: str) -> exp.Expr:
    """Return the syntax tree of the one statement. Raises ToolRetry, and SqlglotError where it cannot be read."""
    if len(sql) > MAX_LENGTH:
        raise ToolRetry(f"the statement is longer than {MAX_LENGTH} characters")
    if _EXECUTABLE.search(sql):
        raise ToolRetry("comments that are executed (/*! … */) are not allowed")
    if "\x00" in sql:
        raise ToolRetry("the statement contains a NUL character")
    trees = [tree for tree in sqlglot.parse(sql, read=dialect) if tree is not None]
    trees = [tree for tree in trees if not isinstance(tree, exp.Semicolon)]
    if len(trees) > 1:
        raise ToolRetry("only one statement at a time")
    if not trees:
        raise ToolRetry("only SELECT statements give a result")
    return trees[0]


def _is_clock(node: exp.Expr) -> bool:
    name = node.name.casefold() if isinstance(node, exp.Anonymous) else type(node).__name__
    return name in CLOCKS


def _require_select(tree: exp.Expr) -> None:
    while isinstance(tree, exp.Subquery | exp.Paren) and tree.this is not None and not tree.args.get("alias"):
        tree = tree.this
    if not isinstance(tree, exp.Select | exp.SetOperation | exp.Values):
        raise ToolRetry("only SELECT is allowed: nothing can be changed, attached or set")


def check_nodes(
    tree: exp.Expr, dialect: str, tables: Collection[str] | None = None, *, but: Collection[exp.Expr] = ()
) -> None:
    """Check every node of a tree but those of `but` against the allow-lists. Raises ToolRetry."""
    own = {cte.alias_or_name.casefold() for cte in tree.find_all(exp.CTE)}
    known = None if tables is None else own | {table.casefold() for table in tables}
    for node in tree.walk():
        if any(node is allowed for allowed in but):
            continue
        name = type(node).__name__
        if isinstance(node, exp.Anonymous | exp.AnonymousAggFunc):
            _check_function(str(node.name))
        elif isinstance(node, exp.Func):
            if name not in TYPED:
                _refuse_function(node)
        elif isinstance(node, exp.Dot):
            if isinstance(node.expression, exp.Func):
                raise ToolRetry(f"functions of a schema are not allowed: {_clean(node.expression.name)}")
        elif name not in NODES:
            raise ToolRetry(f"{_clean(name)} is not allowed: only reading is")
        if isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier):
            _check_table(node, dialect, known)


def _check_function(name: str) -> None:
    if name.casefold() not in NAMED:
        raise ToolRetry(f"the function {_clean(name)} is not allowed here")


def _refuse_function(node: exp.Func) -> None:
    names = node.sql_names()
    if not any(name.casefold() in NAMED for name in names):
        raise ToolRetry(f"the function {_clean(names[0])} is not allowed here")


def _check_table(node: exp.Table, dialect: str, known: Collection[str] | None) -> None:
    name, schema = node.name.casefold(), node.db.casefold()
    if known is not None and (name not in known or schema not in ("", "main")):
        raise ToolRetry(f"no such table: {_clean(node.name)}{nearest_names(node.name, sorted(known))}")
    system = _SYSTEM.get(dialect, frozenset())
    if schema in system or (dialect == "postgres" and not schema and name.startswith("pg_")):
        raise ToolRetry(f"the tables of {_clean(node.db if node.db else 'pg_catalog')} cannot be read here")


def _clean(name: str) -> str:
    return re.sub(r"[^\w .$-]", "", name)[:60]
