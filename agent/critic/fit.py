"""Weights of the reward out of people's choices: a Bradley–Terry model on the features of the two answers.

The chance that the second answer is preferred is the logistic function of the difference of rewards (Bradley and
Terry, Biometrika 1952), so the weights are those of a logistic regression without intercept on differences of
features. A strong preference counts twice a weak one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crowquill.agent.critic.choices import Comparison, agreement, preferences
from crowquill.agent.critic.reward import shipped_weights
from crowquill.errors import UserError
from crowquill.memory.owned import open_own

FEWEST = 10
"""Preferences that are needed at least; below, a fit would only repeat them."""
FOLDS = 5
_STRENGTH = 1.0
"""Inverse of the regularisation; 1 is scikit-learn's own."""


@dataclass(frozen=True, slots=True)
class Fit:
    """Fitted weights, and the share of preferences that they get right where they were not fitted on them.

    `before` is the share that the weights in use had right; `count` the preferences. A tie is half right.
    """

    weights: Mapping[str, float]
    agreement: float
    before: float
    count: int


def fit(comparisons: Sequence[Comparison], current: Mapping[str, float]) -> Fit:
    """Fit weights with cross-validated agreement.

    Raises:
        UserError: there are too few preferences, or scikit-learn is not installed.
    """
    chosen = preferences(comparisons)
    if len(chosen) < FEWEST:
        raise UserError(f"{len(chosen)} preferences are too few to fit weights: {FEWEST} are needed at least")
    names = list(shipped_weights())
    rows = [[found[name] for name in names] for found in (comparison.differences for comparison in chosen)]
    scores = [comparison.score for comparison in chosen]
    right = [score > 0 for score in scores]
    strength = [abs(score) for score in scores]
    folds = min(FOLDS, len(chosen))
    hits = 0.0
    for fold in range(folds):
        train = [at for at in range(len(chosen)) if at % folds != fold]
        found = _weights(
            names, [rows[at] for at in train], [right[at] for at in train], [strength[at] for at in train]
        )
        held_out = range(fold, len(chosen), folds)
        hits += sum(agreement(_score(found, names, rows[at]), scores[at]) for at in held_out)
    weights = _weights(names, rows, right, strength)
    before = sum(agreement(_score(current, names, row), score) for row, score in zip(rows, scores, strict=True))
    return Fit(weights, hits / len(chosen), before / len(chosen), len(chosen))


def _score(weights: Mapping[str, float], names: Sequence[str], row: Sequence[float]) -> float:
    return sum(weights.get(name, 0.0) * value for name, value in zip(names, row, strict=True))


def _weights(
    names: Sequence[str], rows: Sequence[Sequence[float]], right: Sequence[bool], strength: Sequence[float]
) -> dict[str, float]:
    """Fit on both orders of each pair, so that no order is preferred; scaled to the sum of the shipped weights.

    Parts in which no pair differs keep the shipped weight.
    """
    try:
        import numpy as np  # with scikit-learn 1 s, and only needed here
        from sklearn.linear_model import LogisticRegression
    except ImportError:
        raise UserError("fitting needs scikit-learn; install it with: pip install 'crowquill[fit]'") from None
    table: Any = np.array([*rows, *([-value for value in row] for row in rows)], float)
    spread = table.std(axis=0)
    used = spread > 1e-9
    shipped = shipped_weights()
    if not used.any():
        raise UserError("the answers that were compared do not differ in anything that the reward looks at")
    wanted = np.array([*right, *(not each for each in right)])
    model = LogisticRegression(C=_STRENGTH, fit_intercept=False)
    model.fit(table[:, used] / spread[used], wanted, sample_weight=[*strength, *strength])
    fitted = dict(
        zip((n for n, use in zip(names, used, strict=True) if use), model.coef_[0] / spread[used], strict=True)
    )
    total = sum(abs(value) for value in fitted.values())
    scale = sum(abs(shipped[name]) for name in fitted) / total if total else 1.0
    return {name: round(float(fitted[name] * scale), 4) if name in fitted else shipped[name] for name in names}


def write_weights(path: Path, found: Fit) -> int:
    """Write fitted weights, keep what was there under its version's name, and return the new version.

    Raises:
        UserError: the file cannot be written.
    """
    from ruamel.yaml import YAML  # 0.05 s, and only needed here

    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    try:
        version = 2
        if path.exists():
            version = int(yaml.load(path.read_text(encoding="utf-8")).get("version", 1)) + 1
            path.rename(path.with_name(f"{path.stem}-{version - 1}{path.suffix}"))
        data = {
            "version": version,
            "preferences": found.count,
            "agreement": round(found.agreement, 4),
            "weights": dict(found.weights),
        }
        with open_own(path) as file:
            yaml.dump(data, file)
    except OSError as error:
        raise UserError(f"cannot write the weights {path}: {error.strerror}") from error
    return version
