"""What a run has spent, counted from its events: for `expect:`, tables of evaluations and JSON."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from crowquill.agent.budget import FREE, Price
from crowquill.agent.events import Acted, Event, ModelCalled, RunFinished
from crowquill.agent.models.base import Role
from crowquill.agent.prices import is_free
from crowquill.agent.state import ENDINGS


def tally(events: Iterable[Event], models: Mapping[Role, str], prices: Mapping[str, Price]) -> dict[str, Any]:
    """Return steps, calls of each tool and of models, tokens, dollars (None: no price is known) and seconds."""
    tools: Counter[str] = Counter()
    calls = tokens = 0
    usd: float | None = 0.0
    seconds = 0.0
    for event in events:
        match event:
            case Acted():
                tools[event.tool] += 1
            case ModelCalled():
                calls += event.usage.calls
                tokens += event.usage.prompt + event.usage.completion
                name = models[event.role]  # type: ignore[index]  # events spell roles as text
                price = FREE if is_free(name) else prices.get(name)
                usd = None if price is None or usd is None else usd + price.cost(event.usage)
            case RunFinished():
                seconds = event.answer.seconds
            case _:
                pass
    steps = tools.total()
    used = {name: count for name, count in sorted(tools.items()) if name not in ENDINGS}
    return {"steps": steps, "tools": used, "calls": calls, "tokens": tokens, "usd": usd, "seconds": seconds}
