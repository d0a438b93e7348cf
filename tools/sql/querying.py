"""The query job of every engine but SQLite: the statement is checked, run, and capped."""

from collections.abc import Mapping, Sequence
from typing import Any

from crowquill.errors import ToolFailed, ToolRetry
from crowquill.tools.context import Json
from crowquill.tools.sql.advice import explain
from crowquill.tools.sql.cells import result
from crowquill.tools.sql.guard import MAX_ROWS
from crowquill.tools.sql.session import Deadline, Opener, Session
from crowquill.tools.sql.statement import checked


def run_query(request: Any, opened: Opener) -> Json:
    """Run the guarded statement `request["sql"]`; the response is that of `cells.result`.

    Raises:
        ToolRetry: the statement is wrong or not allowed; the message has the nearest names.
        ToolFailed: the database cannot be read, or it took too long.
    """
    deadline = Deadline(float(request["seconds"]))
    with opened(request, deadline) as session:
        statement = checked(str(request["sql"]), session.dialect, session.only)
        try:
            names, rows = session.stream(statement)
            return result(names, rows, max_rows=int(request.get("max_rows", MAX_ROWS)))
        except session.failures as error:
            if deadline.over() or session.late(error):
                raise ToolFailed(
                    f"the query took longer than {deadline.seconds:g} seconds; make it narrower"
                ) from None
            if "out of memory" in str(error).lower():
                raise ToolFailed("the query needs too much memory; make it narrower") from None
            raise ToolRetry(explain(str(error), _names(session), session.dialect)) from None


def _names(session: Session) -> Mapping[str, Sequence[str]]:
    session.recover()
    try:
        return session.names()
    except session.failures:
        return {}  # the advice then has no nearest names
