"""`crowquill critic`: how good the critic is, and what an answer hangs on."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from crowquill.agent.answer import Answer
from crowquill.agent.cli.session import print_json
from crowquill.agent.critic.choices import FILE, read_comparisons
from crowquill.agent.critic.probe import probe
from crowquill.agent.critic.report import Judging, Report, judging, revisions, validate
from crowquill.agent.records import list_records
from crowquill.agent.render import one_line
from crowquill.agent.story import Story, read_story
from crowquill.agent.workspace import Workspace, find_workspace
from crowquill.errors import UserError


def recorded_answers(place: Workspace, limit: int) -> list[Answer]:
    """Return the newest answers with statements."""
    return [answer for answer in (story.answer for story in _stories(place, limit)) if answer is not None]


def _stories(place: Workspace, limit: int) -> list[Story]:
    """Return the newest runs whose answer makes statements."""
    records = place.database.read_now(lambda connection: list_records(connection, limit))
    stories = [read_story(place, record.id) for record in records]
    return [story for story in stories if story.answer is not None and story.answer.claims]


def report_critic(workspace: Path | None, limit: int, *, as_json: bool) -> int:
    """Print how good the critic is."""
    place = Workspace(find_workspace(workspace))
    stories = _stories(place, limit)
    answers = [story.answer for story in stories if story.answer is not None]
    comparisons = read_comparisons(place.path / FILE)
    found = validate(comparisons, answers, place.reward_weights())
    events = [[entry.event for entry in story.events] for story in stories]
    revised, judge = revisions(events), judging(events, comparisons)
    if as_json:
        print_json({"schema": 1, **asdict(found), "revisions": asdict(revised), "judge": asdict(judge)})
        return 0
    console = Console(highlight=False)
    if not found.count:
        console.print("No choices are stored yet: crowquill compare asks you for some.")
    else:
        _print_agreement(console, found)
    _print_judge(console, judge)
    console.print(_tricks(found))
    if revised.flagged:
        console.print(
            f"revisions: of {revised.flagged} flagged statements {revised.fixed} mended, {revised.dropped} dropped;"
            f" {revised.damaged} statements with receipts were lost"
        )
    return 0


def _print_agreement(console: Console, found: Report) -> None:
    console.print(f"preferences: {found.count}; the reward agrees with {found.agreement:.0%} of them")
    console.print(_shares("part alone", found.parts))
    for bin_ in found.calibration:
        console.print(f"predicted {bin_.predicted:.0%}, right {bin_.observed:.0%} of {bin_.count}")
    console.print(f"the answer shown first was preferred in {found.position:.0%} of choices (50% is fair)")
    console.print(
        f"longer is better: reward {found.length:+.2f}, people {found.length_of_people:+.2f} (from -1 to 1)"
    )


def _print_judge(console: Console, judge: Judging) -> None:
    if judge.pairs:
        share = judge.flipped / judge.pairs
        console.print(f"the judge: the order alone decided {judge.flipped} of {judge.pairs} pairs ({share:.0%})")
    if judge.criteria:
        console.print(_shares("the judge's criterion", judge.criteria))


def _shares(what: str, shares: Mapping[str, tuple[float, int]]) -> Table:
    table = Table(what, "right", "where it differs", box=None)
    for name, (share, count) in sorted(shares.items(), key=lambda pair: -pair[1][0]):
        table.add_row(Text(one_line(name)), f"{share:.0%}", str(count))
    return table


def _tricks(found: Report) -> Table:
    table = Table("trick", "answers whose reward it would raise", box=None)
    for name, (raised, count) in found.tricks.items():
        table.add_row(name, Text(f"{raised} of {count}", style="red" if raised else "green"))
    return table


def probe_run(workspace: Path | None, run_id: str, *, as_json: bool) -> int:
    """Print what the answer of a run hangs on."""
    place = Workspace(find_workspace(workspace))
    answer = read_story(place, run_id).answer
    if answer is None or not answer.claims:
        raise UserError(f"run {run_id} has no statement that could be probed")
    found = probe(answer)
    if as_json:
        print_json({"schema": 1, **asdict(found)})
        return 0
    console = Console(highlight=False)
    if found.carrier:
        console.print(Text(f"All of it rests on one source: {one_line(found.carrier, 100)}", style="yellow"))
    console.print(f"Sources that must go before a statement falls: {found.distance}")
    for flip in found.flips:
        what = "without" if flip.kind == "source" else "with"
        fate = f"{flip.share:.0%} of the statements fall" if flip.lost else "all statements stand"
        console.print(Text(f"{what} {one_line(flip.what, 100)}: {fate}", style="red" if flip.lost else "green"))
    return 0
