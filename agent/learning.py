"""What a finished run leaves in the memory beside its evidence: answer, plan, and trust in what it cites.

Only an answer that the critic accepted is kept. What an answer cites gains trust with that, and loses it when the
critic, or later a person, rejects the answer; what another source contradicts was found when it was stored. What a
run leaves is written in the transaction of its last event: it happens once.
"""

import sqlite3
from collections.abc import Sequence

from crowquill.agent.answer import Accept, Answer
from crowquill.agent.journal import Alongside, Journal
from crowquill.memory import life
from crowquill.memory.record import Note, Origin
from crowquill.memory.store import MemoryStore, number_of

_FEWEST = 2
"""Tasks of a plan that is worth keeping."""


def learn(store: MemoryStore, journal: Journal, answer: Answer, goals: Sequence[str]) -> Alongside:
    """Return what writes the lesson of a run; `goals` are those of the tasks of its plan, in order."""
    redact = journal.redactor.text
    accepted = isinstance(answer.verdict, Accept)

    def write(connection: sqlite3.Connection) -> None:
        known = _cited(connection, answer)
        if answer.stopped != "answered" or not known:
            return
        origin = Origin(answer.run_id, "", redact(answer.objective))
        life.judge(connection, known.values(), origin.question, accepted=accepted, author="run")
        if not accepted:
            return
        notes = [Note("answer", redact(answer.text), redact(answer.objective), tuple(known))]
        if len(goals) >= _FEWEST:
            steps = tuple(map(redact, goals))
            notes.append(Note("skill", redact(answer.objective), "a plan that worked", steps=steps))
        store.insert(connection, notes, origin)

    return write


def hear(connection: sqlite3.Connection, answer: Answer, *, accepted: bool, spared: Answer | None = None) -> None:
    """Let a person's word on an answer move the trust in what it cites, less what a `spared` answer cites, too.

    An answer that was rejected is shelved, with the plan that led to it.
    """
    left = set() if spared is None else set(_cited(connection, spared))
    numbers = [seq for id_, seq in _cited(connection, answer).items() if id_ not in left]
    life.judge(connection, numbers, answer.objective, accepted=accepted, author="person")
    if not accepted:
        notes = connection.execute(
            "SELECT seq FROM records JOIN sightings ON evidence = seq WHERE run=? AND kind IN ('answer', 'skill')",
            (answer.run_id,),
        ).fetchall()
        life.shelve(connection, [seq for (seq,) in notes], "a person has rejected the answer")


def _cited(connection: sqlite3.Connection, answer: Answer) -> dict[str, int]:
    """Return what the memory holds of what an answer cites: sequence numbers by id, in the order of the claims."""
    ids = dict.fromkeys(receipt.evidence.id for claim in answer.claims for receipt in claim.support)
    return {id_: seq for id_ in ids if (seq := number_of(connection, id_)) is not None}
