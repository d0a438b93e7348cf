"""`crowquill compare`: two answers side by side, blind; choices train the weights of the reward."""

import random
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import combinations
from pathlib import Path

import typer
from rich.console import Console
from rich.text import Text

from crowquill.agent.answer import Answer
from crowquill.agent.cli.critic import recorded_answers
from crowquill.agent.cli.session import print_json
from crowquill.agent.critic.choices import FILE, LEVELS, Comparison, Side, keep, read_comparisons
from crowquill.agent.critic.fit import fit, write_weights
from crowquill.agent.critic.reward import shipped_weights
from crowquill.agent.learning import hear
from crowquill.agent.render import clean, one_line
from crowquill.agent.story import read_story
from crowquill.agent.workspace import WEIGHTS, Workspace, find_workspace
from crowquill.errors import UserError

_LOOKED_THROUGH = 500
"""Newest runs among which pairs of answers to one question are looked for."""
_KEYS = {str(key): level for key, level in enumerate(LEVELS, 1)}
_ASKED = "1 A much better · 2 A better · 3 equal · 4 B better · 5 B much better · s skip · q quit"


def compare_runs(workspace: Path | None, names: Sequence[str]) -> int:
    """Ask which of two answers is better, for the runs named or for all pairs that were not compared yet."""
    place = Workspace(find_workspace(workspace))
    if len(names) not in (0, 2):
        raise UserError("name two runs, or none: then all pairs of answers to one question are shown")
    path, console = place.path / FILE, Console(stderr=True, highlight=False)
    done = {frozenset(comparison.runs) for comparison in read_comparisons(path)}
    pairs = [_named(place, names)] if names else list(_pairs(recorded_answers(place, _LOOKED_THROUGH), done))
    if not pairs:
        console.print("There are no two answers to one question that were not compared: ask a question twice.")
        return 0
    kept = 0
    for number, (one, other) in enumerate(pairs, 1):
        sides = (Side.of(one), Side.of(other))
        first = random.SystemRandom().randrange(2)  # which is A must not be guessed
        _show(console, one.objective, (sides[first], sides[1 - first]), f"{number} of {len(pairs)}")
        pressed = _ask()
        if pressed == "q":
            break
        if pressed in _KEYS:
            score = _KEYS[pressed] * (1 if first == 0 else -1)
            runs = (one.run_id, other.run_id)
            kept += keep(path, [Comparison(one.objective, sides, score + 0.0, "choice", first, runs)])
            if score:
                better, worse = (other, one) if score > 0 else (one, other)
                place.database.write_now(partial(hear, answer=worse, accepted=False, spared=better))
            a, b = (one, other) if first == 0 else (other, one)
            console.print(f"kept. A was run {a.run_id}, B was run {b.run_id}\n", markup=False)
    console.print(f"{kept} choices kept; crowquill compare --fit makes weights of them")
    return 0


def _named(place: Workspace, names: Sequence[str]) -> tuple[Answer, Answer]:
    answers = [read_story(place, name).answer for name in names]
    for name, answer in zip(names, answers, strict=True):
        if answer is None or not answer.claims:
            raise UserError(f"run {name} has no answer")
    one, other = answers
    assert one is not None
    assert other is not None
    if one.objective != other.objective:
        raise UserError("the two runs answer different questions")
    return one, other


def _pairs(answers: Sequence[Answer], done: set[frozenset[str]]) -> Iterator[tuple[Answer, Answer]]:
    for one, other in combinations(answers, 2):
        same = one.objective == other.objective and one.text != other.text
        if same and frozenset((one.run_id, other.run_id)) not in done:
            yield one, other


def _show(console: Console, question: str, sides: tuple[Side, Side], place: str) -> None:
    console.print(Text(f"{clean(question)}  ({place})", style="bold"))
    for name, side in zip("AB", sides, strict=True):
        console.print(Text(f"\n{name}  {clean(side.text)}"), soft_wrap=True)
        for number, (title, text) in enumerate(side.quotes, 1):
            console.print(Text(f"   [{number}] “{one_line(text, 300)}” {one_line(title, 60)}", style="green"))
    console.print()


def _ask() -> str:
    """Return one of the keys; a pipe that ends says quit."""
    while True:
        typer.echo(f"{_ASKED}: ", err=True, nl=False)
        line = sys.stdin.readline()
        pressed = line.strip().lower()
        if not line:
            return "q"
        if pressed in _KEYS or pressed in ("s", "q"):
            return pressed


def fit_weights(workspace: Path | None, *, as_json: bool) -> int:
    """Fit the weights to the choices that are stored, and write them."""
    place = Workspace(find_workspace(workspace))
    current = place.reward_weights()
    found = fit(read_comparisons(place.path / FILE), current if current else shipped_weights())
    version = write_weights(place.path / WEIGHTS, found)
    if as_json:
        shares = {"agreement": found.agreement, "before": found.before}
        print_json(
            {"schema": 1, "version": version, "preferences": found.count, **shares, "weights": dict(found.weights)}
        )
        return 0
    typer.echo(
        f"version {version} of the weights from {found.count} preferences: right on {found.agreement:.0%} of those "
        f"that it was not fitted on; the weights before were right on {found.before:.0%}.\n"
        f"Written to {place.path / WEIGHTS}; delete the file to go back to the shipped weights."
    )
    return 0


def import_comparisons(workspace: Path | None, file: Path) -> int:
    """Add comparisons of another source to those stored here."""
    if not file.exists():
        raise UserError(f"there is no file {file}")
    place = Workspace(find_workspace(workspace))
    typer.echo(f"{keep(place.path / FILE, read_comparisons(file))} comparisons imported")
    return 0


def export_comparisons(workspace: Path | None, file: Path) -> int:
    """Write all comparisons that are stored here to a new file."""
    place = Workspace(find_workspace(workspace))
    if file.exists():
        raise UserError(f"{file} exists; name a new file")
    typer.echo(f"{keep(file, read_comparisons(place.path / FILE))} comparisons written to {file}")
    return 0
