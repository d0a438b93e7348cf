"""What a finished run leaves in the memory beside its evidence: answer, plan, and trust in what it cites.

Only an answer that the critic accepted is kept, and only what it cites gains trust; what another source contradicts
was found when it was stored. All of it is written in the transaction of the run's last event: it happens once.
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
    cited = list(dict.fromkeys(receipt.evidence.id for claim in answer.claims for receipt in claim.support))
    accepted = answer.stopped == "answered" and isinstance(answer.verdict, Accept)

    def write(connection: sqlite3.Connection) -> None:
        known = {id_: seq for id_ in cited if (seq := number_of(connection, id_)) is not None}
        if not accepted or not known:
            return
        origin = Origin(answer.run_id, "", redact(answer.objective))
        life.weigh(connection, known.values(), upheld=1)
        notes = [Note("answer", redact(answer.text), redact(answer.objective), tuple(known))]
        if len(goals) >= _FEWEST:
            steps = tuple(map(redact, goals))
            notes.append(Note("skill", redact(answer.objective), "a plan that worked", steps=steps))
        store.insert(connection, notes, origin)

    return write
