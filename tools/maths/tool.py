"""The `math` tool."""

from typing import cast

from crowquill.memory.evidence import Computation, plain_text
from crowquill.memory.untrusted import Untrusted
from crowquill.tools.context import Json, ToolContext
from crowquill.tools.observation import Observation
from crowquill.tools.tool import Tool, tool
from crowquill.tools.worker import Worker, time_for

SECONDS = 4.0
"""Time limit of one computation."""


def math_tool(worker: Worker) -> Tool:
    """Make the tool that computes in `worker`."""

    @tool
    async def math(expression: str, context: ToolContext) -> Observation:
        """Compute exactly: numbers, + - * / // % **, brackets, comparisons, 17% of 2340, and the functions abs,
        ceil, factorial, floor, gcd, lcm, max, mean, median, min, percent(part, whole), round(value, places), sqrt,
        sum. No units or words. Example: (2850 - 1230) / 2
        """

        async def call() -> Json:
            return await worker.run("compute", {"expression": expression}, seconds=time_for(SECONDS, context))

        result = cast("dict[str, str]", await context.effect("compute", {"expression": expression}, call))
        computation = Computation(result["expression"], result["exact"], result["decimal"])
        return Observation(Untrusted(plain_text(computation), "math"), (computation,), _status(computation))

    entry: Tool = math
    return entry


def _status(computation: Computation) -> str:
    if "…" in computation.exact:
        return "no exact form; rounded"
    return "exact" if computation.exact == computation.decimal else "exact, and rounded to 15 digits"
