"""The planning side of a run: the first plan, what follows from results, parts of large tasks, other ways."""

from collections.abc import Sequence
from dataclasses import replace

from crowquill.agent.blocks import past_line
from crowquill.agent.config import PlanMode, RunConfig
from crowquill.agent.critic.judge import critique
from crowquill.agent.episode import Outcome
from crowquill.agent.events import NotesKept, Noticed, Planned
from crowquill.agent.lane import Lane
from crowquill.agent.likeness import likeness
from crowquill.agent.planner import Plan, Progress, extend, plan, replan
from crowquill.agent.render import one_line
from crowquill.agent.state import Step
from crowquill.agent.steering import Question
from crowquill.agent.workshop import Workshop
from crowquill.errors import BudgetExceeded, ModelError
from crowquill.memory.evidence import Evidence
from crowquill.memory.record import Note
from crowquill.tasks.agenda import Agenda
from crowquill.tasks.notebook import Notebook
from crowquill.tasks.task import Task

_TRIED_STEPS = 12
"""Steps of a task that got stuck which the planner is shown."""


class Planning:
    """Keeps the notebook and changes the agenda of one run; the guided policy works with one task alone."""

    def __init__(self, config: RunConfig, workshop: Workshop, lane: Lane) -> None:
        self.notebook = Notebook()
        self._guided = config.policy == "guided"
        self._frozen = self._guided or config.safety.mode == "strict"
        self._mode: PlanMode = config.planning
        self._workshop = workshop
        self._lane = lane
        self._replanned = False
        self._judges = config.select.judge != "off"
        self._skills: tuple[Note, ...] = ()

    async def start(self, objective: str) -> Agenda:
        """Make the first agenda, which holds the objective as it is understood.

        An ambiguous objective is cleared up first when a person is there.

        Raises:
            ModelError, BudgetExceeded: as `Lane.complete`.
        """
        if self._guided:
            return await self.change(Agenda(objective=objective), [Task("t1", objective, origin="user")])
        self._skills = await self._lane.services.memory.plans(self._lane.lane, objective)
        try:
            first = await self._plan(objective, ask=self._lane.services.person)
        except ModelError as error:
            if error.kind not in ("length", "malformed"):
                raise
            await self._warn(f"the objective is worked on as one task: {error}")
            first = Plan((Task("t1", objective, origin="user"),))
        if first.question:
            said = await self._lane.ask(Question("clarify", first.question))
            if said:
                objective = f"{objective}\n({first.question} {one_line(said, 300)})"
                first = await self._plan(objective, ask=False)
        return await self.change(Agenda(objective=objective), first.tasks)

    async def _plan(self, objective: str, *, ask: bool) -> Plan:
        tools = self._workshop.abilities
        return await plan(objective, tools, self._lane, mode=self._mode, ask=ask, skills=self._skills)

    async def change(self, agenda: Agenda, proposals: Sequence[Task]) -> Agenda:
        """Take the proposals that the rules allow, and tell the agenda as it stands."""
        goals, known = [task.goal for task in proposals], [task.goal for task in agenda.tasks]
        if len(goals) + len(known) > 1 and goals:
            alike = await likeness(goals, [*known, agenda.objective], self._lane, self._workshop.embedder)
            agenda, refused = agenda.add(proposals, similarity=alike)
        else:
            agenda, refused = agenda.add(proposals)
        reasons = tuple((refusal.goal, refusal.reason) for refusal in refused)
        await self._lane.emit(Planned(agenda.tasks, reasons))
        return agenda

    async def split(self, agenda: Agenda) -> Agenda:
        """Plan the large tasks whose turn has come, each by itself; what cannot be split is worked off whole."""
        for task in [task for task in agenda.ready if task.split]:
            parts: tuple[Task, ...] = ()
            if task.depth < agenda.limits.depth:
                try:
                    parts = (await self._plan(task.goal, ask=False)).tasks
                except ModelError as error:
                    await self._warn(f"{task.id} is worked off whole: {error}")
            if len(parts) > 1:
                origin = task.origin if task.born_of_reading else "planner"
                below = [replace(part, parent=task.id, depth=task.depth + 1, origin=origin) for part in parts]
                agenda = await self.change(agenda, below)
            agenda = agenda.await_parts(task.id)
        return agenda

    async def after(
        self, agenda: Agenda, batch: Sequence[Outcome], evidence: tuple[Evidence, ...], *, learned: bool
    ) -> Agenda:
        """Let the planner create, drop and re-order tasks after a batch; skipped when nothing is left to decide.

        In the mode `strict` nothing that was read may change the plan.

        A task that has gone round in circles without an answer is planned anew, once in a run.
        """
        if self._frozen:
            return agenda
        stuck = next((outcome for outcome in batch if outcome.ended == "stalled" and outcome.draft is None), None)
        if stuck is not None and not self._replanned:
            self._replanned = True
            return await self._another_way(agenda, stuck, evidence)
        failed = any(outcome.draft is None for outcome in batch)
        settled = self._mode == "plan_once" or (self._mode == "auto" and agenda.is_whole and not failed)
        if settled or not learned or (len(agenda.tasks) == 1 and not failed):
            return agenda
        return await self._extend(agenda, evidence)

    async def _extend(self, agenda: Agenda, evidence: tuple[Evidence, ...]) -> Agenda:
        try:
            changes = await extend(Progress(agenda, self.notebook, evidence), self._lane)
        except ModelError as error:
            await self._warn(f"the plan stays as it is: {error}")
            return agenda
        if changes.notes:
            self.notebook = self.notebook.revise(changes.notes)
            await self._lane.emit(NotesKept(self.notebook.notes))
        agenda = agenda.drop(changes.drop).first(changes.order)
        if changes.objective_met:
            agenda = agenda.drop(task.id for task in agenda.open)
        return await self.change(agenda, self._entitled(changes.add))

    async def _another_way(self, agenda: Agenda, stuck: Outcome, evidence: tuple[Evidence, ...]) -> Agenda:
        steps = stuck.steps[-_TRIED_STEPS:]
        tried = [past_line(step) + said for step, said in zip(steps, await self._judged(steps, stuck), strict=True)]
        progress = Progress(agenda, self.notebook, evidence)
        try:
            tasks = await replan(progress, stuck.task, tried, self._lane)
        except ModelError as error:
            await self._warn(f"there is no other plan: {error}")
            return agenda
        return await self.change(agenda, self._entitled(tasks)) if tasks else agenda

    async def _judged(self, steps: Sequence[Step], stuck: Outcome) -> list[str]:
        """Return what the judge says of each step, where there is one: the retry shall know what was wrong."""
        if not self._judges:
            return [""] * len(steps)
        try:
            grades = await critique(steps, stuck.task.goal, self._lane)
        except (BudgetExceeded, ModelError) as error:
            await self._warn(f"the steps were not judged: {error}")
            grades = ()
        said = [f" ({grade.label}: {one_line(grade.comment, 120)})" for grade in grades]
        return [*said, *[""] * (len(steps) - len(said))]

    def _entitled(self, tasks: Sequence[Task]) -> list[Task]:
        """Until text from outside was read, a proposal may do what the run may."""
        return [task if self._lane.rules.tainted else replace(task, acts=False) for task in tasks]

    async def _warn(self, message: str) -> None:
        await self._lane.emit(Noticed(message, "warning"))
