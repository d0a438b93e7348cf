"""The reward: one real number out of what code has checked."""

from crowquill.agent.answer import Accept, Candidate, Revise, Reward, Verdict
from crowquill.agent.critic.checks import is_verdict

WEIGHTS: dict[str, float] = {
    "answered": 1.0,
    "receipts": 2.0,
    "short form": 1.0,
    "directness": 0.5,
    "confidence": 0.5,
    "problems": -0.5,
}
"""Weight of each part; a part is a share in 0–1, except `problems`, which is a count."""

_STRENGTH = {"quoted": 1.0, "computed": 1.0, "queried": 1.0, "derived": 0.6, "unsupported": 0.0}


def reward(candidate: Candidate) -> Reward:
    """Return the weighted sum: larger is better, unbounded below.

    answered: there is a short answer. receipts: share of the claims that have a receipt. short form: the bare
    answer stands in a receipt, or is yes or no. directness: mean strength of the claims, where quoted,
    computed and queried count 1 and derived 0.6. confidence: geometric mean of the token probabilities, where
    the model gives them.
    """
    claims = candidate.claims
    count = max(len(claims), 1)
    parts = {
        "answered": 1.0 if candidate.short and claims else 0.0,
        "receipts": sum(claim.status != "unsupported" for claim in claims) / count,
        "short form": 1.0 if claims and (is_verdict(candidate.short) or not candidate.problems) else 0.0,
        "directness": sum(_STRENGTH[claim.status] for claim in claims) / count,
        "confidence": candidate.confidence if candidate.confidence is not None else 0.0,
        "problems": float(len(candidate.problems) + sum(bool(claim.problem) for claim in claims)),
    }
    weighted = tuple((name, round(WEIGHTS[name] * value, 4)) for name, value in parts.items())
    return Reward(round(sum(value for _, value in weighted), 4), weighted)


def verdict(candidate: Candidate) -> Verdict:
    """Accept a candidate whose every statement has a receipt; else name what to revise."""
    problems = [*candidate.problems, *(claim.problem for claim in candidate.claims if claim.problem)]
    return Revise("; ".join(problems)) if problems else Accept()
