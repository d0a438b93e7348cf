"""The notebook of a run: what is known, guessed, still open and refuted. No model in here."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

Standing = Literal["fact", "guess", "open", "refuted"]
"""`open` is a hypothesis that is to be looked into."""

MOST = 20
"""Notes that are kept; the oldest guesses and refuted ones go first."""


@dataclass(frozen=True, slots=True)
class Note:
    """One entry. `evidence` holds the ids that it rests on: a fact has some."""

    text: str
    standing: Standing
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Notebook:
    """Notes in the order in which they were first written."""

    notes: tuple[Note, ...] = ()

    def revise(self, notes: Iterable[Note]) -> "Notebook":
        """Write new notes and change the standing of old ones, found by their words.

        What claims to be a fact and names no evidence is written down as a guess.
        """
        known = {_words(note.text): note for note in self.notes}
        for note in notes:
            if note.text.strip():
                bare = note.standing == "fact" and not note.evidence
                known[_words(note.text)] = replace(note, standing="guess") if bare else note
        kept = list(known.values())
        for standing in ("refuted", "guess", "open", "fact"):
            while len(kept) > MOST and any(note.standing == standing for note in kept):
                kept.remove(next(note for note in kept if note.standing == standing))
        return Notebook(tuple(kept))


def _words(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))
