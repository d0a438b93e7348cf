"""The query job of every engine but SQLite: the statement is checked, run, and capped."""

from collections.abc import Mapping, Sequence
from typing import Any

from crowquill.errors import ToolError, ToolFailed, ToolRetry
from crowquill.tools.context import Json
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
        statement, asks_time = checked(str(request["sql"]), session.dialect, session.only)
        try:
            names, rows = session.stream(statement)
            most = int(request.get("max_rows", MAX_ROWS))
            return result(names, rows, max_rows=most, timeless=not asks_time)
        except session.failures as error:
            raise told(error, session, deadline) from None


def told(error: BaseException, session: Session, deadline: Deadline) -> ToolError:
    """Return a driver's error as one that the model is told: what to do, or the nearest names."""
    if deadline.over() or session.late(error):
        return ToolFailed(f"the query took longer than {deadline.seconds:g} seconds; make it narrower")
    if "out of memory" in str(error).lower():
        return ToolFailed("the query needs too much memory; make it narrower")
    return ToolRetry(session.explain(str(error), _names(session)))


def _names(session: Session) -> Mapping[str, Sequence[str]]:
    session.recover()
    try:
        return session.names()
    except session.failures:
        return {}  # the advice then has no nearest names
