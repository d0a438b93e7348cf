"""The run: plan, work the agenda off in batches, extend it, compose the answer from the evidence."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import cast

from crowquill.agent.answer import Answer, Candidate, Draft, Reward, Selection, Stop, Stopped
from crowquill.agent.budget import Ledger
from crowquill.agent.config import PolicyName, RunConfig
from crowquill.agent.critic.agreement import History, carrier, voice
from crowquill.agent.critic.checks import LEFT_OUT, check, is_unknown, whole
from crowquill.agent.critic.judge import WORTH, critique, critique_claims, guess
from crowquill.agent.critic.objections import without_settled
from crowquill.agent.critic.reward import reward, verdict
from crowquill.agent.critic.statements import separated
from crowquill.agent.episode import Outcome, run_episode
from crowquill.agent.events import Noticed, RunFinished, RunStarted
from crowquill.agent.foresight import foresee
from crowquill.agent.lane import Lane, Services
from crowquill.agent.planning import Planning
from crowquill.agent.presenting import present
from crowquill.agent.prices import FILE, is_free
from crowquill.agent.render import one_line
from crowquill.agent.restate import restate
from crowquill.agent.revision import mend
from crowquill.agent.rules import Rules
from crowquill.agent.select.attempt import Attempt, Sampling
from crowquill.agent.select.candidates import Candidates
from crowquill.agent.select.redraft import debated, next_statement, redraft
from crowquill.agent.select.same import same_answer
from crowquill.agent.select.search import Beginning
from crowquill.agent.state import State
from crowquill.agent.steering import Heard
from crowquill.agent.workshop import Workshop
from crowquill.agent.writer import compose, explain, joined, placed, write
from crowquill.errors import BudgetExceeded, ModelError
from crowquill.memory.evidence import Evidence, Quote, Source
from crowquill.tasks.agenda import Agenda
from crowquill.tasks.task import Task
from crowquill.tools.context import Json

_KNOWN: dict[PolicyName, int] = {"guided": 4, "json": 12, "tools": 12}
"""Pieces of evidence of earlier answers with which a question begins: prompts of small models stay short."""
_BARREN_BATCHES = 2
"""Batches in a row without new evidence after which a run ends."""


class Run:
    """One objective, from plan to answer. With a selection it is also the first of several candidates."""

    def __init__(
        self,
        objective: str,
        config: RunConfig,
        services: Services,
        workshop: Workshop,
        *,
        ledger: Ledger | None = None,
        number: int = 1,
    ) -> None:
        self.objective = objective
        self.config = config
        self.services = services
        self.workshop = workshop
        self.ledger = Ledger(config.budget) if ledger is None else ledger
        self.rules = Rules(objective, config.sites)
        self.number = number
        self.advice = ""
        self.lane = self._lane("run", self.ledger, self.rules)
        self.planning = Planning(config, workshop, self.lane)
        self.outcomes: list[Outcome] = []
        self.plan: Agenda | None = None
        self.agenda = Agenda()
        self.known: tuple[Evidence, ...] = ()
        self.guess: str | None = None

    def _lane(
        self, name: str, ledger: Ledger, rules: Rules, *, heard: Heard | None = None, beside: int = 1
    ) -> Lane:
        """Make a lane; those of all candidates but the first have its number and draw at random."""
        name, sampling = (name, None) if self.number == 1 else (f"c{self.number}-{name}", self._sampling.applied)
        return Lane(self.services, name, ledger, rules, heard=heard, beside=beside, sampling=sampling)

    @property
    def _sampling(self) -> Sampling:
        nudged = self.config.select.share != "evidence"
        return Sampling(self.number, self.services.seed, nudged, self.advice)

    async def execute(self) -> Answer:
        """Do everything that the objective needs, within the budget; always end with an answer object."""
        model = self.config.models["act"]
        await self.lane.emit(RunStarted(self.services.journal.run_id, self.objective, model, self.config.policy))
        await self._warn_of_unknown_prices()
        await self._take_up()
        if self.config.select.strategy == "single" and self.config.select.judge == "off":
            return await self._finish(await self._revised(await self.attempt()))
        winner, selection = await Candidates(self.config.select, self).choose()
        return await self._finish(await self._revised(winner), selection)

    async def _take_up(self) -> None:
        """Understand a question that follows others; their evidence that is about it is known from the start.

        One that refines a query is left as it is: the query says what it leaves out.
        """
        if self.config.refines_query:
            return
        question = await restate(self.objective, self.config.conversation, self.lane)
        if question != self.objective:
            await self.lane.emit(Noticed(f"understood as: {question}"))
        self.objective = question
        self._begin_with(self.config.conversation.about(question, _KNOWN[self.config.policy]))

    def _begin_with(self, known: tuple[Evidence, ...]) -> None:
        self.known = known
        for item in known:
            self.rules.take_up(item)

    async def advise(self) -> None:
        """Have the judge look at the steps of this candidate, so that the next ones do better, if one may."""
        if self.advice or self.config.select.judge == "off":
            return
        steps = [step for outcome in self.outcomes for step in outcome.steps]
        try:
            grades = await critique(steps, self.objective, self.lane)
        except (BudgetExceeded, ModelError) as error:
            await self.lane.emit(Noticed(f"the steps were not judged: {error}", "warning"))
            return
        bad = [
            f"{step.action.tool}: {grade.comment}"
            for step, grade in zip(steps, grades, strict=False)
            if grade.label == "bad"
        ]
        if bad:
            self.advice = "; ".join(bad)
            await self.lane.emit(Noticed(one_line(f"An earlier try went wrong: {self.advice}", 300)))

    async def another(self, number: int, ledger: Ledger) -> Attempt:
        """Make another candidate, which collects for itself and shares this one's plan unless nothing is shared."""
        other = self._branch(number, ledger)
        other.plan = self.plan if self.config.select.share != "nothing" else None
        if self.advice:  # it tells of what was read: the same rules hold for whoever reads it
            other.advice = self.advice
            other.rules.absorb(self.rules)
        return await other.attempt()

    async def rewrite(self, number: int, ledger: Ledger, others: Sequence[Attempt] = ()) -> Attempt:
        """Make another candidate from the evidence that this one has found, in a debate after reading others."""
        other, evidence = self._branch(number, ledger), self.evidence()
        ledger.open_reserve()
        if others:
            draft = await debated(other.lane, self.objective, evidence, others)
        else:
            draft = await redraft(other.lane, self.config.policy, self.objective, evidence)
        ending: tuple[Stopped, str] = ("answered", "") if draft is not None else ("not_found", "it found no answer")
        return await other.score(draft, evidence, ending, self._undone)

    async def continued(self, beginning: Beginning, draw: int) -> Beginning:
        """Continue an answer by one statement from the evidence that was found, and value it by code.

        A judge that counts labels the statements, too, and the label of the last adds to the value.
        """
        evidence = self.evidence()
        lane = self._branch(draw + 1, self.ledger).lane  # one for each draw, so that they replay in any order
        grown = await next_statement(lane, self.objective, evidence, beginning, draw)
        checked = await asyncio.to_thread(check, Draft(grown.short, grown.claims), evidence, self.objective)
        value = self._rewarded(checked).total if grown.claims else 0.0
        if grown.is_done or not self.config.select.ranks:
            return replace(grown, value=value)
        try:
            labels = [each.label for each in await critique_claims(checked.claims, self.objective, lane)]
        except (BudgetExceeded, ModelError) as error:
            await lane.emit(Noticed(f"a statement was not judged: {error}", "warning"))
            labels = []
        return replace(grown, value=value + (WORTH[labels[-1]] if labels else 0.0))

    async def drafted(self, number: int, draft: Draft) -> Attempt:
        """Score a draft that was made from the evidence of this candidate as another one."""
        return await self._branch(number, self.ledger).score(draft, self.evidence(), ("answered", ""), self._undone)

    async def _revised(self, attempt: Attempt) -> Attempt:
        """Have the statements without receipts mended, once; the guided policy has no call left for it."""
        if self.config.policy == "guided":
            return attempt
        evidence = self.evidence()
        mended = await mend(attempt.candidate, evidence, self.objective, self.lane)
        if mended == attempt.candidate:
            return attempt
        again = await self._weighed(partial(whole, mended.short, mended.claims, evidence, self.objective), evidence)
        candidate = replace(
            mended,
            claims=again.claims,
            problems=(*again.problems, *(problem for problem in mended.problems if problem.startswith(LEFT_OUT))),
            disagreements=tuple(dict.fromkeys((*mended.disagreements, *again.disagreements))),
        )
        candidate = without_settled(_cited_first(candidate), self.objective)
        return self.rescored(replace(attempt, candidate=candidate, verdict=verdict(candidate)))

    def rescored(self, attempt: Attempt) -> Attempt:
        """Return an attempt with the reward that its candidate has now."""
        return replace(attempt, reward=self._rewarded(attempt.candidate))

    def _rewarded(self, candidate: Candidate) -> Reward:
        return reward(candidate, self.objective, weights=self.config.weights)

    def _branch(self, number: int, ledger: Ledger) -> "Run":
        other = Run(self.objective, self.config, self.services, self.workshop, ledger=ledger, number=number)
        other.lane.heard = self.lane.heard
        other._begin_with(self.known)
        other.guess = self.guess
        return other

    async def attempt(self) -> Attempt:
        """Plan, work the plan off, and compose a candidate; what goes wrong is told in it."""
        try:
            self.plan = await self._plan() if self.plan is None else self.plan
            self.agenda = self.plan
            self.agenda = await self._heed(self.agenda)
            await self._work()
        except BudgetExceeded as limit:
            return await self._conclude("budget", str(limit))
        except ModelError as error:
            return await self._conclude("error", str(error))
        return await self._conclude(*self._ending())

    async def _work(self) -> None:
        """Work the agenda off until it is empty, or batch after batch brings nothing new."""
        barren = 0
        while self.agenda.ready and barren < _BARREN_BATCHES:
            if any(task.split for task in self.agenda.ready):
                self.agenda = await self._heed(await self.planning.split(self.agenda))
                continue
            known = len(self.evidence())
            batch = await self._batch()
            learned = len(self.evidence()) > known
            barren = 0 if learned else barren + 1
            if any(outcome.ended == "error" for outcome in batch):
                break
            agenda = self.agenda
            if self.config.safety.mode != "strict":  # there the plan does not grow by what was read
                agenda = await self.planning.after(agenda, batch, self.evidence(), learned=learned)
            self.agenda = (await self._heed(agenda)).gather()

    async def _warn_of_unknown_prices(self) -> None:
        models = (
            self.config.models if self.services.fork is None else self.services.fork.first_models
        )  # as it was told then
        unknown = set(models.values()) - set(self.config.prices)
        for name in sorted(unknown) if self.config.budget.usd is not None else ():
            if not is_free(name):
                unpriced = f"no price is known for {name}: the dollar budget cannot hold it; give one in {FILE}"
                await self.lane.emit(Noticed(unpriced, "warning"))

    async def _plan(self) -> Agenda:
        agenda = await self.planning.start(self.objective)
        if self.config.safety.mode == "strict" and self.config.policy != "guided":
            self.rules.acts += await foresee(self.objective, agenda.tasks, self.workshop.acting, self.lane)
        return agenda

    async def _batch(self) -> list[Outcome]:
        """Run all ready tasks at the same time; their results settle in the order of the agenda."""
        ready = self.agenda.ready
        alone = len(self.agenda.tasks) == 1
        ledgers = self.ledger.split(len(ready), keep_final=not alone)
        lanes = [
            self._lane(task.id, ledger, self.rules.fork(task), heard=self.lane.heard, beside=len(ready))
            for task, ledger in zip(ready, ledgers, strict=True)
        ]
        try:
            async with asyncio.TaskGroup() as group:
                episodes = [
                    group.create_task(self._episode(task, lane)) for task, lane in zip(ready, lanes, strict=True)
                ]
        except BaseExceptionGroup as failures:  # one lane's failure ends the run; it is told as if it were alone
            raise failures.exceptions[0] from None
        for lane, episode in zip(lanes, episodes, strict=True):
            self.ledger.absorb(lane.ledger)
            self.rules.absorb(lane.rules)
            self.agenda = self.agenda.settle(episode.result().task)
        batch = [episode.result() for episode in episodes]
        self.outcomes += batch
        return batch

    async def _episode(self, task: Task, lane: Lane) -> Outcome:
        toolkit = await self.workshop.toolkit(lane)
        lane.numbered += self.known
        needs = tuple(self.agenda[need] for need in task.needs)
        beside = tuple(other for other in self.agenda.open if other.id != task.id)
        state = State(self.agenda.objective, task, needs, self.known, beside=beside)
        return await run_episode(state, self.workshop.policy(lane, toolkit), toolkit, lane)

    async def _heed(self, agenda: Agenda) -> Agenda:
        """Change the agenda as a person has said. Raises BudgetExceeded when the answer is wanted now."""
        for order in await self.lane.heed():
            match order.kind:
                case "add":
                    agenda = await self.planning.change(agenda, [Task("new", order.text, origin="user")])
                case "drop" | "first":
                    changed = agenda.drop([order.text]) if order.kind == "drop" else agenda.first([order.text])
                    agenda = await self.planning.change(changed, ())
                case _:
                    pass
        if agenda.open:
            self.lane.check_patience()
        return agenda

    @property
    def _tried_again(self) -> set[str]:
        """Tasks that another one has tried again: their outcomes do not count."""
        return {task.retries for task in self.agenda.tasks if task.status != "open"}

    @property
    def _standing(self) -> list[Outcome]:
        return [outcome for outcome in self.outcomes if outcome.task.id not in self._tried_again]

    @property
    def _undone(self) -> tuple[Task, ...]:
        """Tasks that ended without a result and are not tried again, and open ones: what they ask is not known.

        One that is the whole objective is answered where there is an answer.
        """
        again = {task.retries for task in self.agenda.tasks}
        failed = [outcome.task for outcome in self._standing if outcome.draft is None and not self._alone]
        return (*(task for task in failed if task.id not in again), *self.agenda.open)

    @property
    def _alone(self) -> bool:
        """Whether one task is the whole objective; one of several is a part of it."""
        return sum(task.id not in self._tried_again for task in self.agenda.tasks) <= 1

    def evidence(self) -> tuple[Evidence, ...]:
        """Return what all episodes have found, without doubles."""
        found = {item.id: item for outcome in self.outcomes for item in outcome.evidence}
        return tuple(found.values())

    def _ending(self) -> tuple[Stopped, str]:
        """Return why the run ends: the worst of what its episodes ended with."""
        answered = any(outcome.draft is not None for outcome in self._standing)
        cuts: tuple[Stopped, ...] = ("error", "budget", "stalled")
        for reason in cuts if answered else (*cuts, "refused", "not_found"):
            for outcome in self._standing:
                if outcome.ended == reason:
                    return reason, outcome.why
        return "answered", ""

    async def _conclude(self, stopped: Stopped, why: str) -> Attempt:
        """Compose, check and score the answer with what there is."""
        self.ledger.open_reserve()
        alone = self._standing[-1:] if self._alone else []
        evidence = alone[0].evidence if alone else self.evidence()  # a task numbers its own
        draft, stopped, why = await self._draft(evidence, stopped, why)
        left = self.agenda.open if draft is None else self._undone
        return await self.score(draft, evidence, (stopped, why), left)

    async def score(
        self,
        draft: Draft | None,
        evidence: Sequence[Evidence],
        ending: tuple[Stopped, str],
        unfinished: Sequence[Task] = (),
    ) -> Attempt:
        """Check and score a draft by code."""
        stopped, why = ending
        left = tuple(dict.fromkeys(task.goal for task in unfinished))
        if draft is None:
            kept = () if stopped in ("not_found", "refused") else tuple(evidence)
            nothing = Stop(why if why else stopped)
            return Attempt(self.number, Candidate("", (), kept), Reward(0.0, ()), nothing, stopped, why, left)
        draft = separated(draft)
        draft = draft if self.config.policy == "guided" else placed(draft, evidence)  # guided has placed them
        candidate = _cited_first(await self._checked(draft, evidence))
        score, judgement = self._rewarded(candidate), verdict(candidate)
        attempt = Attempt(self.number, candidate, score, judgement, stopped, why, left)
        await self.lane.emit(attempt.event)
        return attempt

    async def _checked(self, draft: Draft, evidence: Sequence[Evidence]) -> Candidate:
        candidate = await self._weighed(partial(check, draft, evidence, self.objective), evidence)
        if not self.config.select.closed_book:
            return candidate
        self.guess = await guess(self.objective, self.lane) if self.guess is None else self.guess
        same = self.guess != "" and same_answer(self.guess, candidate.short)
        return replace(candidate, remembered=same)

    async def _weighed(self, checking: Callable[[History], Candidate], evidence: Sequence[Evidence]) -> Candidate:
        """Check in a thread, as it may load the encoder; where sources disagree their past counts, too."""
        candidate = await asyncio.to_thread(checking, {})
        if not candidate.disagreements or not self.config.memory:
            return candidate
        sources = sorted({voice(item) for item in evidence if isinstance(item, Quote)})
        history = await self.services.memory.history(self.lane.lane, sources)
        return await asyncio.to_thread(checking, history)

    async def _draft(
        self, evidence: Sequence[Evidence], stopped: Stopped, why: str
    ) -> tuple[Draft | None, Stopped, str]:
        """Take the only task's own draft, or let the writer compose one out of all results."""
        if self._alone or not evidence:
            draft = self._standing[-1].draft if self._standing and self._alone else None
        else:
            try:
                draft = await write(
                    self.agenda.objective, [outcome.task for outcome in self._standing], evidence, self.lane
                )
            except (BudgetExceeded, ModelError) as error:
                await self.lane.emit(Noticed(f"the answer could not be written: {error}", "warning"))
                parts = [(outcome.draft, outcome.evidence) for outcome in self._standing if outcome.draft]
                return (
                    joined(parts, evidence),
                    ("budget" if isinstance(error, BudgetExceeded) else "error"),
                    str(error),
                )
        if draft is not None and draft.claims and not is_unknown(draft.short):
            return draft, stopped, why
        if stopped == "answered":
            return None, "not_found", "the evidence does not answer it"
        return None, stopped, why

    async def _finish(self, chosen: Attempt, selection: Selection | None = None) -> Answer:
        stopped, why = chosen.stopped, chosen.why
        shown = await present(
            chosen.candidate, self.evidence(), config=self.config, objective=self.objective, lane=self.lane
        )
        if shown.candidate != chosen.candidate:
            chosen = self.rescored(replace(chosen, candidate=shown.candidate, verdict=verdict(shown.candidate)))
        candidate, evidence = chosen.candidate, shown.evidence
        answer = Answer(
            text=compose(candidate, open_tasks=chosen.open, objective=self.objective)
            if candidate.claims
            else explain(stopped, why, len(candidate.evidence), objective=self.objective),
            short=candidate.short,
            claims=candidate.claims,
            sources=_sources(evidence),
            reward=chosen.reward,
            verdict=chosen.verdict,
            evidence=evidence,
            usage=self.ledger.usage,
            seconds=await self._seconds(),
            stopped=stopped,
            run_id=self.services.journal.run_id,
            objective=self.objective,
            why=why,
            open=chosen.open,
            selection=selection,
            disagreements=candidate.disagreements,
            grades=candidate.grades,
            output=shown.output,
            problems=candidate.problems,
            carrier=carrier(candidate.claims),
            translations=shown.translations,
            objection=candidate.objection,
        )
        goals = [task.goal for task in self.agenda.tasks if task.status == "done"]
        await self.lane.emit(RunFinished(answer, stopped), self.services.learn(answer, goals))
        return answer

    async def _seconds(self) -> float:
        async def elapsed() -> Json:
            return round(self.services.clock.monotonic() - self.services.began, 3)

        return cast("float", await self.lane.effect("clock", "end", elapsed))


def _cited_first(candidate: Candidate) -> Candidate:
    """Keep only cited evidence, in the order of citation, so that the text's numbers run 1, 2, 3 …"""
    cited = {receipt.evidence.id: receipt.evidence for claim in candidate.claims for receipt in claim.support}
    return replace(candidate, evidence=tuple(cited.values()))


def _sources(evidence: Sequence[Evidence]) -> tuple[Source, ...]:
    quotes = [item for item in evidence if isinstance(item, Quote)]
    return tuple({quote.source.url: quote.source for quote in quotes}.values())
