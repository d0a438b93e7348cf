"""`crowquill memory reflect` and `teach`."""

import asyncio
from pathlib import Path

import typer
from rich.console import Console

from crowquill.agent.cli.memory import closing, opened
from crowquill.agent.cli.session import print_json
from crowquill.agent.learning import hear
from crowquill.agent.models.base import Reply, Request
from crowquill.agent.models.resolve import resolve
from crowquill.agent.models.retry import RetryPolicy, complete_with_retry
from crowquill.agent.records import find_run
from crowquill.agent.reflection import Reflected, Reflection
from crowquill.agent.render import one_line
from crowquill.agent.story import read_story
from crowquill.agent.workspace import Workspace, find_workspace
from crowquill.errors import UserError
from crowquill.memory.clock import SystemClock
from crowquill.memory.lessons import ANSWERS, Lesson, LessonStore


def reflect(workspace: Path | None, spec: str, questions: int | None, *, as_json: bool) -> int:
    """Make insights by questions, or by topics when `questions` is None."""
    place, model = Workspace(find_workspace(workspace)), resolve(spec)

    async def complete(request: Request) -> Reply:
        return await complete_with_retry(model, request, policy=RetryPolicy(), clock=SystemClock(), deadline=None)

    async def work() -> Reflected:
        try:
            async with opened(place) as memory:
                with Console(stderr=True).status("reflecting") as status:
                    reflection = Reflection(
                        memory, complete, place.seed(), lambda what: status.update(one_line(what, 100))
                    )
                    by_topics = questions is None
                    return await (reflection.by_topics() if by_topics else reflection.by_questions(questions or 0))
        finally:
            await model.close()

    found = asyncio.run(work())
    if as_json:
        kept = [
            {"id": note.id, "text": note.text, "title": note.title, "cites": list(note.cites), "level": note.level}
            for note in found.kept
        ]
        print_json({"schema": 1, "kept": kept, "refused": list(found.refused)})
        return 0
    for note in found.kept:
        typer.echo(f"{note.id} level {note.level}, from {len(note.cites)} records: {one_line(note.text, 400)}")
    for refusal in found.refused:
        typer.echo(f"refused: {one_line(refusal, 400)}")
    if not found.kept and not found.refused:
        typer.echo("there is nothing to say that is not said by the records themselves")
    return 0


def teach(workspace: Path | None, run: str, correction: str) -> int:
    """Keep a correction of the answer of a run."""
    if not correction.strip():
        raise UserError('say what was wrong, as a rule: "give lengths in miles"')
    place = Workspace(find_workspace(workspace))
    with closing(place):
        record = place.database.read_now(lambda connection: find_run(connection, run))
        LessonStore(place.database).keep(Lesson(ANSWERS, record.objective, "", one_line(correction, 500)))
        answer = read_story(place, record.id).answer
        if answer is not None:
            place.database.write_now(lambda connection: hear(connection, answer, accepted=False))
    typer.echo(f"kept; it is shown with questions like: {one_line(record.objective, 100)}")
    return 0
