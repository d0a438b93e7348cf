"""What is done to the winner before it is shown: its form and the checks of that, translations of quotes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from crowquill.agent.answer import Candidate, Output
from crowquill.agent.config import RunConfig
from crowquill.agent.critic.form_checks import form_problems
from crowquill.agent.events import Noticed
from crowquill.agent.fill import fill_in
from crowquill.agent.lane import Lane
from crowquill.agent.translation import Translations, translations
from crowquill.errors import BudgetExceeded, ModelError
from crowquill.memory.evidence import Evidence


@dataclass(frozen=True, slots=True)
class Presented:
    """A candidate as it is shown; what is wrong with its form is among its problems."""

    candidate: Candidate
    evidence: tuple[Evidence, ...]
    output: Output | None
    translations: Translations


async def present(
    candidate: Candidate, found: Sequence[Evidence], *, config: RunConfig, objective: str, lane: Lane
) -> Presented:
    """Put an answer into the form that is wanted, check that, and translate what it quotes in another alphabet.

    `found` is all evidence of the run. A model that fails or cannot be paid is told; the answer stands without.
    """
    output, evidence = await _filled_in(candidate, found, config, objective, lane)
    if candidate.claims:
        wrong = form_problems(config.form, output, candidate.claims)
        candidate = replace(candidate, problems=(*candidate.problems, *wrong))
    translated: Translations = ()
    if config.policy != "guided":  # whose models repeat the question instead
        try:
            translated = await translations(objective, evidence, lane)
        except (BudgetExceeded, ModelError) as error:
            await lane.emit(Noticed(f"quotes were not translated: {error}"))
    return Presented(candidate, evidence, output, translated)


async def _filled_in(
    candidate: Candidate, found: Sequence[Evidence], config: RunConfig, objective: str, lane: Lane
) -> tuple[Output | None, tuple[Evidence, ...]]:
    form = config.form
    if not form.is_filled_in or not found:
        return None, candidate.evidence
    lane.ledger.open_reserve()
    try:
        return await fill_in(form, candidate, found, objective=objective, lane=lane)
    except (BudgetExceeded, ModelError) as error:
        await lane.emit(Noticed(f"the {form.format} output could not be made: {error}", "warning"))
        return None, candidate.evidence
