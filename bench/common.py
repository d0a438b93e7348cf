"""What the benchmarks share: results that are continued where they stopped, and honest intervals."""

import hashlib
import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).parent / "results"
RESAMPLES = 10_000


def fingerprint() -> str:
    """Return eight hex digits that change with every change of the program's code, prompts and settings."""
    digest = hashlib.sha256()
    for folder in ("agent", "memory", "tasks", "tools", "src"):
        for file in sorted((ROOT / folder).rglob("*")):
            if file.suffix in (".py", ".yaml"):
                digest.update(file.read_bytes())
    return digest.hexdigest()[:8]


class Results:
    """One JSON line per case in `bench/results/NAME.jsonl`; a case is known by its key and not run twice."""

    def __init__(self, name: str, *, fresh: bool = False) -> None:
        RESULTS.mkdir(exist_ok=True)
        self.path = RESULTS / f"{name}.jsonl"
        if fresh:
            self.path.unlink(missing_ok=True)
        lines = self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else []
        self._rows: dict[str, dict[str, Any]] = {row["key"]: row for row in map(_row, lines) if row is not None}

    def get(self, key: str) -> dict[str, Any] | None:
        """Return the result of a case that has been run."""
        return self._rows.get(key)

    def keep(self, key: str, row: dict[str, Any]) -> dict[str, Any]:
        """Write the result of a case, and return it."""
        self._rows[key] = {"key": key, **row}
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(self._rows[key], ensure_ascii=False) + "\n")
        return self._rows[key]


def _row(line: str) -> dict[str, Any] | None:
    try:
        row = json.loads(line)
    except json.JSONDecodeError:  # the last line of a run that was killed while writing
        return None
    return row if isinstance(row, dict) and "key" in row else None


def mean(values: Sequence[float]) -> float:
    """Return the mean, 0 of nothing."""
    return sum(values) / len(values) if values else 0.0


def interval(values: Sequence[float], *, seed: int = 0) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of the mean (percentiles of 10,000 resamples)."""
    draw = random.Random(seed)
    means = sorted(mean(draw.choices(values, k=len(values))) for _ in range(RESAMPLES))
    return means[int(0.025 * RESAMPLES)], means[int(0.975 * RESAMPLES)]


def paired(ours: Sequence[float], theirs: Sequence[float]) -> tuple[float, float, float, float]:
    """Compare two ways on the same cases.

    Returns the mean difference, its 95 % bootstrap interval, and p: the share of resamples in which ours is not
    better (one-sided).
    """
    differences = [mine - other for mine, other in zip(ours, theirs, strict=True)]
    draw = random.Random(0)
    means = sorted(mean(draw.choices(differences, k=len(differences))) for _ in range(RESAMPLES))
    worse = sum(value <= 0 for value in means) / RESAMPLES
    return mean(differences), means[int(0.025 * RESAMPLES)], means[int(0.975 * RESAMPLES)], worse
