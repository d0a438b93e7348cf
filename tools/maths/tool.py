"""The `math` tool."""

from base64 import b64decode
from typing import Any, cast

from crowquill.memory.evidence import Computation, plain_text
from crowquill.memory.untrusted import Untrusted
from crowquill.tools.context import Json, ToolContext
from crowquill.tools.maths.day_phrases import names_today
from crowquill.tools.observation import Observation
from crowquill.tools.tool import Tool, tool
from crowquill.tools.worker import Worker, time_for

SECONDS = 4.0
"""Time limit of one computation."""
_SAID = (("assumptions", "assumed: "), ("alternatives", "or: "), ("notes", ""))


def math_tool(worker: Worker) -> Tool:
    """Make the tool that computes in `worker`."""

    @tool
    async def math(expression: str, context: ToolContext) -> Observation:
        """Compute exactly what is written as a formula, in LaTeX or in words: arithmetic, 17% of 2340, algebra and
        equations (solve x^2 = 4), calculus, statistics, number theory, matrices, units (5 miles in km), dates (days
        between 2021-03-03 and 2023-08-17), bases, letters in a word, or several steps: a = 3; b = a^2.
        Examples: (2850 - 1230) / 2, integrate x^2 from 0 to 3, median of 3, 1, 2
        """
        request: dict[str, Json] = {"expression": expression}
        if names_today(expression):
            request["today"] = await _today(context)

        async def call() -> Json:
            return await worker.run("compute", request, seconds=time_for(SECONDS, context))

        result = cast("dict[str, Any]", await context.effect("compute", request, call))
        computation = Computation(result["expression"], result["exact"], result["decimal"], result["unit"])
        lines = [plain_text(computation), *said(result)]
        pictures = {kind: b64decode(data) for kind, data in (result["plot"] or {}).items()}
        return Observation(Untrusted("\n".join(lines), "math"), (computation,), _status(computation), pictures)

    entry: Tool = math
    return entry


async def _today(context: ToolContext) -> Json:
    async def read() -> Json:
        return context.clock.now().date().isoformat()

    return await context.effect("clock", "today", read)


def said(result: dict[str, Any]) -> list[str]:
    """Return what is to be said beside a result: assumptions, other readings, notes, steps."""
    lines = [f"{label}{text}" for key, label in _SAID for text in result[key]]
    return lines + [f"  {step}" for step in result["steps"]]


def _status(computation: Computation) -> str:
    if "…" in computation.exact:
        return "no exact form; rounded"
    return "exact" if computation.exact == computation.decimal else "exact, and rounded to 15 digits"
