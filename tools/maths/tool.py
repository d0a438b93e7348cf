"""The `math` tool."""

from typing import cast

from crowquill.memory.evidence import Computation, plain_text
from crowquill.memory.untrusted import Untrusted
from crowquill.tools.context import Json, ToolContext
from crowquill.tools.observation import Observation
from crowquill.tools.tool import Tool, tool
from crowquill.tools.worker import Worker

SECONDS = 4.0


def math_tool(worker: Worker) -> Tool:
    """Make the tool that computes in `worker`."""

    @tool
    async def math(expression: str, context: ToolContext) -> Observation:
        """Compute an arithmetic expression exactly, as in (2850 - 1230) / 2 or mean(3, 4, 8)."""

        async def call() -> Json:
            return await worker.run("compute", {"expression": expression}, seconds=SECONDS)

        result = cast("dict[str, str]", await context.effect("compute", {"expression": expression}, call))
        computation = Computation(result["expression"], result["exact"], result["decimal"])
        return Observation(Untrusted(plain_text(computation), "math"), (computation,), "computed exactly")

    return math
