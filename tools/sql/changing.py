"""The job that shows what a change would do, and the one that makes it: the same work, rolled back or committed."""

from collections.abc import Iterable, Sequence
from typing import Any

from crowquill.tools.context import Json
from crowquill.tools.sql.cells import result
from crowquill.tools.sql.changes import SAMPLE, check_unchanged, checked_change, outcome
from crowquill.tools.sql.querying import told
from crowquill.tools.sql.session import Deadline, WriterOpener


def run_change(request: Any, opened: WriterOpener) -> Json:
    """Run the statement `request["sql"]` in a transaction; the response is that of `changes.outcome`.

    Without `request["expected"]` everything is rolled back. With it, it is the digest that was shown, and the
    change is committed when it is still the same.

    Raises:
        ToolRetry: the statement is wrong or not allowed, or would now do something else than was shown.
        ToolFailed: the database cannot be written, or it took too long.
    """
    deadline = Deadline(float(request["seconds"]))
    with opened(request, deadline) as writer:
        session = writer.session
        change = checked_change(str(request["sql"]), session.dialect)
        try:
            before = result(*session.stream(change.before), max_rows=SAMPLE) if change.before else None
            count, after = writer.run(change)
            gone = change.kind == "delete"  # RETURNING gives the deleted rows, which are no longer there
            shown = None if after is None or gone else result(*after, max_rows=SAMPLE)
            found = outcome(change, count, before, shown)
            if "expected" in request:
                check_unchanged(found, request["expected"])
                writer.commit()
            return found
        except session.failures as error:
            raise told(error, session, deadline) from None


def counted(rows: Iterable[Sequence[Any]]) -> tuple[int, list[Sequence[Any]]]:
    """Read all rows; return how many there are and those that may be shown."""
    count, shown = 0, list[Sequence[Any]]()
    for row in rows:
        count += 1
        if len(shown) <= SAMPLE:
            shown.append(row)
    return count, shown
