"""What was spent over time, as the points of a small chart."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from crowquill.agent.budget import Budget, Price
from crowquill.agent.events import Acted, ModelCalled, Recorded, RunStarted

WIDTH, HEIGHT = 300, 70
"""Units of the drawing."""


@dataclass(frozen=True, slots=True)
class Chart:
    """One resource over time, as a line of steps.

    `points` is the drawing's `points` attribute, `limit_y` the height of the limit (None: there is none, or it is
    out of reach), `total` and `limit` what is written beside it, `seconds` the length of the time axis.
    """

    name: str
    points: str
    total: str
    limit: str
    limit_y: float | None
    seconds: float


def charts(events: Sequence[Recorded], budget: Budget, price: Price | None) -> list[Chart]:
    """Return the charts of steps, tokens and, where the price is known, dollars; those that stay at 0 left out."""
    origin = next((entry.at for entry in events if isinstance(entry.event, RunStarted)), None)
    if origin is None:
        return []
    seconds = [(_seconds(origin, entry.at), entry) for entry in events]
    end = max(seconds[-1][0], 0.001)

    def series(spent: Callable[[Recorded], float]) -> list[tuple[float, float]]:
        total, found = 0.0, []
        for at, entry in seconds:
            if step := spent(entry):
                total += step
                found.append((at, total))
        return found

    drawn = [
        _chart("Steps", series(_step), budget.steps, end, "{:.0f}"),
        _chart("Tokens", series(_tokens), budget.tokens, end, "{:,.0f}"),
    ]
    if price is not None:
        drawn.append(_chart("Dollars", series(lambda entry: _usd(entry, price)), budget.usd, end, "${:.4f}"))
    return [chart for chart in drawn if chart is not None]


def _chart(
    name: str, series: Sequence[tuple[float, float]], limit: float | None, end: float, form: str
) -> Chart | None:
    if not series:
        return None
    total = series[-1][1]
    top = total if limit is None else max(total, min(limit, total * 4))
    points, height = [f"0,{HEIGHT}"], HEIGHT * 1.0
    for at, value in series:
        x = round(WIDTH * min(max(at, 0.0), end) / end, 1)
        points.append(f"{x:g},{height:g}")
        height = round(HEIGHT * (1 - value / top), 1)
        points.append(f"{x:g},{height:g}")
    points.append(f"{WIDTH},{height:g}")
    limit_y = None if limit is None or limit > top else round(HEIGHT * (1 - limit / top), 1)
    return Chart(
        name, " ".join(points), form.format(total), "" if limit is None else form.format(limit), limit_y, end
    )


def _step(entry: Recorded) -> float:
    return float(isinstance(entry.event, Acted))


def _tokens(entry: Recorded) -> float:
    usage = entry.event.usage if isinstance(entry.event, ModelCalled) else None
    return 0.0 if usage is None else float(usage.prompt + usage.completion)


def _usd(entry: Recorded, price: Price) -> float:
    return price.cost(entry.event.usage) if isinstance(entry.event, ModelCalled) else 0.0


def _seconds(origin: str, at: str) -> float:
    return (datetime.fromisoformat(at) - datetime.fromisoformat(origin)).total_seconds()
