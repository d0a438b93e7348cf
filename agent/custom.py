"""Calls of the tools of the user's own program, as effects."""

from collections.abc import Mapping
from typing import Any, cast

from crowquill.agent.lane import Lane
from crowquill.memory.evidence_json import decode, encode
from crowquill.memory.untrusted import Untrusted
from crowquill.tools.context import Json
from crowquill.tools.observation import Observation
from crowquill.tools.tool import Tool


async def call_custom(entry: Tool, arguments: Mapping[str, Any], lane: Lane) -> Observation:
    """Call a tool of the user's as an effect: what it returned, and which URLs it made openable, is recorded.

    Raises:
        ToolRetry, ToolFailed: as the tool.
    """
    before = lane.rules.offered

    async def call() -> Json:
        shown = await entry.call(arguments, lane)
        return {
            "text": shown.text.text,
            "source": shown.text.source,
            "status": shown.status,
            "evidence": [encode(item) for item in shown.evidence],
            "offered": cast("Json", sorted(lane.rules.offered - before)),
        }

    request: Json = {"tool": entry.name, "args": dict(arguments)}
    data = cast("dict[str, Any]", await lane.effect("tool", request, call, access=entry.access))
    lane.offer(data["offered"])
    evidence = tuple(decode(item) for item in data["evidence"])
    return Observation(Untrusted(data["text"], data["source"]), evidence, data["status"])
