"""Figures of an evaluation: how many runs passed and how sure that is, what they cost, and what got worse.

Everything here is data in, data out: a trial is one run of one task, as JSON data.
"""

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

SCHEMA = 1
_Z = 1.959964
"""Quantile of the normal distribution for 95 %."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One run of one task: which criteria held, what it spent, and why it failed if it could not even run."""

    case: str
    epoch: int
    passed: bool
    checks: Mapping[str, bool] = field(default_factory=dict)
    failed: Sequence[str] = ()
    short: str = ""
    stopped: str = ""
    reward: float = 0.0
    spent: Mapping[str, Any] = field(default_factory=dict)
    run_id: str = ""
    error: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the trial as JSON data."""
        return asdict(self)


def pass_at_k(runs: int, passed: int, k: int) -> float:
    """Return the chance that one of k runs passes or more, estimated without bias from `runs` of which some passed.

    Chen et al. 2021, Evaluating Large Language Models Trained on Code, equation 1.
    """
    return 1.0 if runs - passed < k else 1.0 - math.comb(runs - passed, k) / math.comb(runs, k)


def wilson(share: float, count: int) -> tuple[float, float]:
    """Return the 95 % interval of a share of `count` (Wilson 1927); it holds for few, and for all or none."""
    if count == 0:
        return 0.0, 1.0
    middle = (share + _Z**2 / (2 * count)) / (1 + _Z**2 / count)
    half = _Z / (1 + _Z**2 / count) * math.sqrt(share * (1 - share) / count + _Z**2 / (4 * count**2))
    return max(0.0, middle - half), min(1.0, middle + half)


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value below which a share of the values lies, interpolated; 0 when there is none."""
    if not values:
        return 0.0
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low, high = math.floor(place), math.ceil(place)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def summary(trials: Iterable[Trial], *, epochs: int) -> dict[str, Any]:
    """Return the figures of all trials, and of each task.

    The interval of the share that passed counts tasks, as several runs of one task are not independent of each
    other; with a single task it counts its runs.
    """
    done = list(trials)
    cases = {name: [trial for trial in done if trial.case == name] for name in dict.fromkeys(t.case for t in done)}
    tasks = [_task(name, runs) for name, runs in cases.items()]
    shares = [task["pass_at_1"] for task in tasks]
    mean = statistics.fmean(shares) if shares else 0.0
    low, high = wilson(mean, len(tasks) if len(tasks) > 1 else len(done))
    return {
        "schema": SCHEMA,
        "epochs": epochs,
        "runs": len(done),
        "pass_at_1": {"mean": mean, "low": low, "high": high},
        "pass_at_k": _mean(task["pass_at_k"] for task in tasks),
        "all_k": _mean(task["all_k"] for task in tasks),
        "reward": _mean(trial.reward for trial in done),
        "criteria": _criteria(done),
        "spent": _spent(done),
        "tasks": tasks,
    }


def _task(name: str, runs: Sequence[Trial]) -> dict[str, Any]:
    passed = sum(trial.passed for trial in runs)
    return {
        "case": name,
        "runs": len(runs),
        "passed": passed,
        "pass_at_1": pass_at_k(len(runs), passed, 1),
        "pass_at_k": pass_at_k(len(runs), passed, len(runs)),
        "all_k": float(passed == len(runs)),
        "reward": _mean(trial.reward for trial in runs),
        "spent": _spent(runs),
        "failed": list(dict.fromkeys(line for trial in runs for line in (*trial.failed, trial.error) if line)),
        "run_ids": [trial.run_id for trial in runs if trial.run_id],
    }


def _criteria(trials: Sequence[Trial]) -> dict[str, dict[str, int]]:
    names = dict.fromkeys(name for trial in trials for name in trial.checks)
    held = {name: [trial.checks[name] for trial in trials if name in trial.checks] for name in names}
    return {name: {"held": sum(values), "of": len(values)} for name, values in sorted(held.items())}


def _spent(trials: Sequence[Trial]) -> dict[str, Any]:
    seconds = [float(trial.spent.get("seconds", 0.0)) for trial in trials]
    dollars = [trial.spent.get("usd", 0.0) for trial in trials]
    return {
        "usd": None if None in dollars else sum(dollars),
        "tokens": sum(trial.spent.get("tokens", 0) for trial in trials),
        "steps": sum(trial.spent.get("steps", 0) for trial in trials),
        "seconds": {"p50": quantile(seconds, 0.5), "p95": quantile(seconds, 0.95), "sum": sum(seconds)},
    }


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return statistics.fmean(found) if found else 0.0


def compare(before: Mapping[str, Any], now: Mapping[str, Any], *, tolerance: float) -> dict[str, Any]:
    """Compare two summaries.

    Worse is a task that always passed and never does now, one that is gone, and a share of passed runs that is
    lower by more than `tolerance`. Tasks that pass less often, and new costs, are told, but are no regression.
    """
    old = {task["case"]: task for task in before["tasks"]}
    new = {task["case"]: task for task in now["tasks"]}
    worse = [f"{name} always passed, and never does now" for name in old if _broken(old[name], new.get(name))]
    worse += [f"{name} is not there any more" for name in old if name not in new]
    shared = [name for name in old if name in new]
    change = _mean(new[name]["pass_at_1"] for name in shared) - _mean(old[name]["pass_at_1"] for name in shared)
    if change < -tolerance:
        worse.append(f"passed runs of the same tasks: {change:+.1%}, and {tolerance:.1%} are tolerated")
    notes = [
        f"{name}: {old[name]['pass_at_1']:.0%} before, {new[name]['pass_at_1']:.0%} now"
        for name in shared
        if old[name]["pass_at_1"] != new[name]["pass_at_1"]
    ]
    tokens = [
        round(_mean(tasks[name]["spent"]["tokens"] / tasks[name]["runs"] for name in shared))
        for tasks in (old, new)
    ]
    notes += [f"tokens of a run: {tokens[0]} before, {tokens[1]} now"] if tokens[0] != tokens[1] else []
    return {"regressions": worse, "notes": notes, "change": change, "tolerance": tolerance}


def _broken(before: Mapping[str, Any], now: Mapping[str, Any] | None) -> bool:
    return now is not None and before["passed"] == before["runs"] > 0 and now["passed"] == 0
