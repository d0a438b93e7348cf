"""Runs task files as a test: each several times, from nothing, with results that outlive an interruption."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from crowquill.agent.answer import Answer
from crowquill.agent.jobs import Pace, paced
from crowquill.agent.models.base import Model
from crowquill.agent.models.resolve import resolve
from crowquill.agent.scores import Trial
from crowquill.agent.tape import canonical
from crowquill.agent.tasking import Wishes, published, task_agent
from crowquill.agent.workspace import Workspace
from crowquill.errors import CrowquillError, RunPaused, StorageError
from crowquill.memory.owned import open_own, own_folder
from crowquill.memory.rows import digest
from crowquill.tasks.expect import check
from crowquill.tasks.filling import Case


@dataclass(frozen=True)
class Evaluation:
    """What is to be run: the cases under their names, each `epochs` times, with the results kept in `file`."""

    cases: dict[str, Case]
    epochs: int
    model: str | None
    workspace: Workspace

    @property
    def folder(self) -> Path:
        """Where results are kept."""
        return self.workspace.path / "evals"

    @property
    def file(self) -> Path:
        """The results of an evaluation under way; the same tasks with the same settings go on in it."""
        what: Any = {name: case.spec.model_dump(mode="json") for name, case in self.cases.items()}
        return self.folder / f"{digest(canonical([what, self.model]))[:16]}.jsonl"

    def done(self) -> list[Trial]:
        """Return the trials that an interrupted evaluation has left; what was only half written is left out."""
        try:
            lines = self.file.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []
        found: dict[tuple[str, int], Trial] = {}
        for line in lines:
            with suppress(ValueError, TypeError):
                trial = Trial(**json.loads(line))
                found[trial.case, trial.epoch] = trial
        return [trial for trial in found.values() if trial.epoch <= self.epochs]

    def open_trials(self) -> list[tuple[str, int]]:
        """Return which runs are still to be made: every task once, then every task again."""
        known = {(trial.case, trial.epoch) for trial in self.done()}
        wanted = [(name, epoch) for epoch in range(1, self.epochs + 1) for name in self.cases]
        return [entry for entry in wanted if entry not in known]

    def keep(self, trial: Trial) -> None:
        """Add a trial to the results. Raises StorageError."""
        try:
            own_folder(self.folder)
            with open_own(self.file, "a") as stream:
                stream.write(json.dumps(trial.to_json(), ensure_ascii=False) + "\n")
        except OSError as error:
            raise StorageError(f"cannot write {self.file}: {error.strerror}") from error

    def close(self) -> Path:
        """Put the finished results aside, so that the next evaluation begins anew; return where they are."""
        at = f"{datetime.now(UTC):%Y%m%d-%H%M%S}"
        return self.file.rename(self.file.with_name(f"{at}-{self.file.name}"))

    def forget(self) -> None:
        """Throw the results of an interrupted evaluation away."""
        self.file.unlink(missing_ok=True)


def trial_of(name: str, epoch: int, case: Case, answer: Answer, workspace: Workspace) -> Trial:
    """Check an answer against what is expected of it; without expectations it has to be answered."""
    result = published(workspace, answer)
    checks = [] if case.spec.expect is None else check(case.spec.expect, result)
    failed = [entry.why for entry in checks if not entry.held]
    if case.spec.expect is None and answer.stopped != "answered":
        failed = [answer.why if answer.why else f"the run ended with {answer.stopped}"]
    return Trial(
        case=name,
        epoch=epoch,
        passed=not failed,
        checks={entry.criterion: entry.held for entry in checks},
        failed=failed,
        short=answer.short,
        stopped=answer.stopped,
        reward=answer.reward.total,
        spent=result["spent"],
        run_id=answer.run_id,
    )


async def run_trials(
    plan: Evaluation, *, at_once: int, pace: Pace, begun: Callable[[str, int], None]
) -> AsyncGenerator[Trial, None]:
    """Make the runs that are still open and yield each when it is done; it is kept by then.

    Raises:
        RunPaused: a model cannot be had now; what is done is kept.
    """
    shelf = Shelf()
    waiting, running = plan.open_trials(), set[asyncio.Task[Trial]]()
    try:
        while waiting or running:
            while waiting and len(running) < at_once:
                name, epoch = waiting.pop(0)
                begun(name, epoch)
                running.add(asyncio.create_task(_run(plan, name, epoch, shelf, pace)))
            finished, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in finished:
                trial = task.result()
                plan.keep(trial)
                yield trial
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await shelf.close()


async def _run(plan: Evaluation, name: str, epoch: int, shelf: "Shelf", pace: Pace) -> Trial:
    case = plan.cases[name]
    try:
        agent = task_agent(case.spec, Wishes(plan.model, fresh=True, find=shelf.find), plan.workspace)
        agent.models = paced(agent.models, pace.turn)
        answer = await agent.answer(case.spec.objective)
    except CrowquillError as error:
        return Trial(name, epoch, passed=False, error=str(error))
    if answer.stopped == "paused":
        raise RunPaused(answer.why)
    return trial_of(name, epoch, case, answer, plan.workspace)


class Shelf:
    """Models by their spelling, each made once: an embedded one is not started for every run. Scripts are."""

    def __init__(self) -> None:
        self._models: dict[str, Model] = {}

    def find(self, spec: str) -> Model:
        """Return the model of this spelling. Raises UserError."""
        if spec.startswith("scripted:"):
            return resolve(spec)
        if spec not in self._models:
            self._models[spec] = resolve(spec)
        return self._models[spec]

    async def close(self) -> None:
        """Release the models."""
        for model in self._models.values():
            await model.close()


def names_of(cases: Sequence[Case], folders: Sequence[str]) -> dict[str, Case]:
    """Return cases by names that do not depend on where the evaluation is started: relative to their folder."""
    named: dict[str, Case] = {}
    for case in cases:
        name = case.name
        for folder in folders:
            name = name.removeprefix(f"{folder.rstrip('/')}/")
        named[Path(name).name if name.startswith("/") else name] = case
    return named
