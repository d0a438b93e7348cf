"""Calls of the tools of the user's own program, as effects."""

from collections.abc import Mapping
from typing import Any, cast, get_args

from crowquill.agent.events import Decided
from crowquill.agent.events import decode as decode_event
from crowquill.agent.events import encode as encode_event
from crowquill.agent.lane import Lane
from crowquill.errors import ToolFailed
from crowquill.memory.evidence_json import decode, encode
from crowquill.memory.untrusted import Untrusted
from crowquill.tools.context import Access, Json
from crowquill.tools.observation import Observation
from crowquill.tools.tool import Tool


async def access_of(entry: Tool, arguments: Mapping[str, Any], lane: Lane) -> Access:
    """Return what a call may do; what a tool of the user's says about its arguments is an effect."""
    if not callable(entry.access):
        return entry.access
    if not entry.custom:
        return entry.access(arguments)
    tell = entry.access

    async def call() -> Json:
        try:
            told: str = tell(arguments)
        except Exception as error:  # whatever it raises is told to the model, and ends no run
            raise ToolFailed(f"{entry.name}: its access cannot be told: {type(error).__name__}") from error
        if told not in get_args(Access):
            raise ToolFailed(f"{entry.name}: {told!r} is no access; there are {', '.join(get_args(Access))}")
        return told

    return cast("Access", await lane.effect("tool", {"access of": entry.name, "args": dict(arguments)}, call))


async def call_custom(entry: Tool, arguments: Mapping[str, Any], lane: Lane, access: Access) -> Observation:
    """Call a tool of the user's as an effect: what it returned, and which URLs it made openable, is recorded.

    Raises:
        ToolRetry, ToolFailed: as the tool.
    """
    before, collected = lane.rules.offered, list[Decided]()

    async def call() -> Json:
        with lane.inside() as decided:
            try:
                shown = await entry.call(arguments, lane)
            finally:
                collected.extend(decided)
        return {
            "text": shown.text.text,
            "source": shown.text.source,
            "status": shown.status,
            "evidence": [encode(item) for item in shown.evidence],
            "offered": cast("Json", sorted(lane.rules.offered - before)),
        }

    request: Json = {"tool": entry.name, "args": dict(arguments)}
    try:
        again: Access = "read" if entry.idempotent else access
        data = cast("dict[str, Any]", await lane.effect("tool", request, call, access=again))
    finally:
        await _record_decisions(request, collected, lane)
    lane.offer(data["offered"])
    evidence = tuple(decode(item) for item in data["evidence"])
    return Observation(Untrusted(data["text"], data["source"]), evidence, data["status"])


async def _record_decisions(request: Json, decided: list[Decided], lane: Lane) -> None:
    """Record what was decided while a tool ran: an effect of its own, where there is any, and the events."""
    asked: Json = {"decided in": request}
    if not decided and not lane.services.journal.knows(lane.lane, "tool", asked):
        return

    async def call() -> Json:
        return [cast("Json", encode_event(event)) for event in decided]

    for event in cast("list[dict[str, Any]]", await lane.effect("tool", asked, call)):
        await lane.emit(decode_event(event))
