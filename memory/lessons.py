"""What a person has said about answers: corrections, and queries of databases that were right.

A lesson is used again where a question (of the same database, if it was of one) speaks of the same things. Only a
person teaches: what a model says about itself is never kept.
"""

import sqlite3
from dataclasses import dataclass

from crowquill.memory.clock import Clock, SystemClock
from crowquill.memory.db import Database
from crowquill.memory.textual import content_words

ANSWERS = "(answers)"
"""What stands in the place of the database of a lesson about an answer that came from none."""
MAX_LESSONS = 3
"""Lessons that a question gets."""
_SHARED, _SHARED_PAIR = 0.3, 0.6
"""Share of a lesson's words that a question must hold: for a correction, and for a query that was right."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """A question to a database, its query, and what was wrong with it: nothing when `correction` is empty."""

    database: str
    question: str
    sql: str
    correction: str = ""
    number: int = 0


class LessonStore:
    """The lessons of a workspace."""

    def __init__(self, database: Database, *, clock: Clock | None = None) -> None:
        self._database = database
        self._clock: Clock = SystemClock() if clock is None else clock

    def keep(self, lesson: Lesson) -> None:
        """Store a lesson; the same one twice is one. Raises StorageError."""
        now = self._clock.now().isoformat()
        row = (lesson.database, lesson.question, lesson.sql, lesson.correction, now)
        self._database.write_now(
            lambda connection: connection.execute(
                "INSERT OR IGNORE INTO lessons (database, question, sql, correction, at) VALUES (?, ?, ?, ?, ?)",
                row,
            )
        )

    def forget(self, number: int) -> bool:
        """Delete a lesson; False when there is none of that number. Raises StorageError."""

        def delete(connection: sqlite3.Connection) -> bool:
            return connection.execute("DELETE FROM lessons WHERE id = ?", (number,)).rowcount > 0

        return self._database.write_now(delete)

    def all(self) -> list[Lesson]:
        """Return all lessons, newest first. Raises StorageError."""
        return self._database.read_now(lambda connection: _select(connection, ""))

    async def relevant(self, database: str, question: str) -> list[Lesson]:
        """Return the lessons for a question, the nearest first. Raises StorageError."""
        lessons = await self._database.read(lambda connection: _select(connection, database))
        words = content_words(question)
        near = [(share, lesson) for lesson in lessons if (share := _share(lesson, words)) > 0]
        return [lesson for _, lesson in sorted(near, key=lambda entry: -entry[0])][:MAX_LESSONS]


def _share(lesson: Lesson, words: frozenset[str]) -> float:
    """Return the share of a lesson's words that a question holds, 0 when it is too small."""
    own = content_words(lesson.question)
    share = len(own & words) / len(own) if own else 0.0
    return share if share >= (_SHARED if lesson.correction else _SHARED_PAIR) else 0.0


def _select(connection: sqlite3.Connection, database: str) -> list[Lesson]:
    rows = connection.execute(
        "SELECT database, question, sql, correction, id FROM lessons WHERE ? IN ('', database) ORDER BY id DESC",
        (database,),
    )
    return [Lesson(*row) for row in rows]
