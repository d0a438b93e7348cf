"""The reward: one real number out of what was checked, larger is better, unbounded on both sides.

Every part is built so that an answer cannot raise it by being longer, cite more, flatter or hedge: of the claims
that are to the point the worst one counts, never a share, which true filler would raise, and whatever is wrong
counts once for each time.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path

from crowquill.agent.answer import Accept, Candidate, Claim, Revise, Reward, Verdict
from crowquill.agent.critic.checks import is_verdict
from crowquill.agent.critic.citations import citation_precision, citation_recall
from crowquill.agent.critic.completeness import beside_the_point, parts_of, unanswered
from crowquill.agent.critic.grounding import says
from crowquill.errors import UserError

_STRENGTH = {"quoted": 1.0, "computed": 1.0, "queried": 1.0, "derived": 0.6, "unsupported": 0.0}
_SAFE_BYTES = 20_000


@cache
def shipped_weights() -> Mapping[str, float]:
    """Return the weights that come with the program."""
    return _parse((files("crowquill.agent.critic") / "weights.yaml").read_text(encoding="utf-8"), "weights.yaml")


def read_weights(path: Path) -> dict[str, float]:
    """Read weights; parts that the file leaves out count nothing.

    Raises:
        UserError: the file cannot be read, or names a part that there is none of.
    """
    try:
        if path.stat().st_size > _SAFE_BYTES:
            raise UserError(f"{path}: a file of weights has at most {_SAFE_BYTES} bytes")
        found = _parse(path.read_text(encoding="utf-8"), str(path))
    except OSError as error:
        raise UserError(f"cannot read the weights {path}: {error.strerror}") from error
    try:
        return known_weights(found)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


def changed_weights(own: Mapping[str, float], changes: Mapping[str, float]) -> Mapping[str, float]:
    """Return the workspace's own weights (the shipped ones if it has none) with some changed. Raises UserError."""
    return {**(own if own else shipped_weights()), **known_weights(changes)} if changes else own


def known_weights(weights: Mapping[str, float]) -> dict[str, float]:
    """Return weights by the names of parts that there are. Raises UserError when one is of none."""
    if unknown := sorted(set(weights) - set(shipped_weights())):
        raise UserError(f"there is no part {unknown[0]!r} of the score; parts are {', '.join(shipped_weights())}")
    return dict(weights)


def _parse(text: str, where: str) -> dict[str, float]:
    from ruamel.yaml import YAML  # 0.05 s, and a start without an answer needs none
    from ruamel.yaml.error import YAMLError

    try:
        data = YAML(typ="safe", pure=True).load(text)
        return {str(name): float(value) for name, value in data["weights"].items()}
    except (YAMLError, TypeError, KeyError, AttributeError, ValueError) as error:
        raise UserError(f"{where}: it must hold 'weights:', each a number ({error})") from error


def features(candidate: Candidate, objective: str) -> dict[str, float]:
    """Return the parts of the reward before they are weighted; see `weights.yaml` for what they mean."""
    beside = beside_the_point(objective, candidate.short, candidate.claims)
    claims = [claim for claim in candidate.claims if claim not in beside]
    parts = parts_of(objective)
    wrong = [claim for claim in candidate.claims if claim.problem]
    held = [claim for claim in claims if claim.status != "unsupported"]
    answered = any(_tells(candidate.short, claim) for claim in held)
    return {
        "answered": float(answered),
        "receipts": _least(citation_recall, claims),
        "short form": float(answered and not candidate.problems),
        "directness": min((_STRENGTH[claim.status] for claim in claims), default=0.0),
        "confidence": candidate.confidence if candidate.confidence is not None else 0.0,
        "citation precision": _least(citation_precision, claims),
        "completeness": 1 - len(unanswered(objective, held)) / max(len(parts), 1) if claims else 0.0,
        "judge": candidate.judged if candidate.judged is not None else 0.0,
        "closed book": 1.0 if candidate.remembered else 0.0,
        "problems": float(len(candidate.problems) + len(wrong)),
        "contradictions": float(sum(claim.wrong == "contradicts" for claim in candidate.claims)),
        "disagreements": float(len(candidate.disagreements)),
        "padding": float(len(beside)),
        "effort": len(" ".join(claim.text for claim in candidate.claims).split()) / 100,
    }


def _tells(short: str, claim: Claim) -> bool:
    """Say whether a claim says the short answer; any may stand behind a bare yes or no."""
    return bool(short) and (is_verdict(short) or says(short, claim.text))


def _least(share: Callable[[Sequence[Claim]], float], claims: Sequence[Claim]) -> float:
    """Return the least share that a single claim has; 0 without claims."""
    return min((share([claim]) for claim in claims), default=0.0)


def reward(candidate: Candidate, objective: str = "", *, weights: Mapping[str, float] | None = None) -> Reward:
    """Return the weighted sum of the features; the shipped weights count where none are given."""
    chosen = weights if weights else shipped_weights()
    found = features(candidate, objective)
    weighted = tuple((name, round(chosen.get(name, 0.0) * value, 4)) for name, value in found.items())
    return Reward(round(sum(value for _, value in weighted), 4), weighted)


def verdict(candidate: Candidate) -> Verdict:
    """Accept a candidate whose every statement has a receipt; else name what to revise."""
    problems = [*candidate.problems, *(claim.problem for claim in candidate.claims if claim.problem)]
    return Revise("; ".join(problems)) if problems else Accept()
