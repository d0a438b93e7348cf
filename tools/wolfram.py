"""The `wolfram` tool: questions to WolframAlpha through its LLM API, when the user has a key.

The API (products.wolframalpha.com/llm-api/documentation) answers `GET /api/v1/llm-api?appid=…&input=…` as text;
501 means that it did not understand the input, 403 that the key is wrong.
"""

from typing import cast
from urllib.parse import urlencode

from crowquill.errors import ToolFailed, ToolRetry
from crowquill.memory.untrusted import Untrusted
from crowquill.tools.context import Json, ToolContext
from crowquill.tools.exchange import Exchange, Limits
from crowquill.tools.guard import HostRules
from crowquill.tools.observation import Observation
from crowquill.tools.secrets import environment
from crowquill.tools.tool import Tool, tool

KEY = "WOLFRAM_APP_ID"
"""Environment variable with the user's key."""
ADDRESS = "https://www.wolframalpha.com/api/v1/llm-api"
MAX_INPUT, MAX_ANSWER = 400, 6000
"""Characters of a question, and of an answer that are kept."""
_LIMITS = Limits()


def wolfram_tools() -> list[Tool]:
    """Return the tool in a list, an empty one without a key in the environment."""
    key = environment().get(KEY, "")
    return [wolfram_tool(key)] if key else []


def wolfram_tool(key: str, *, address: str = ADDRESS, allow_hosts: tuple[str, ...] = ()) -> Tool:
    """Make the tool; `allow_hosts` are private hosts that `address` may name."""
    rules = HostRules(allow_hosts)
    exchange = Exchange(rules, "Crowquill")

    @tool
    async def wolfram(query: str, context: ToolContext) -> Observation:
        """Ask WolframAlpha, in short English keywords, for computed facts and data: populations, distances."""
        if not query.strip() or len(query) > MAX_INPUT:
            raise ToolRetry(f"a question to WolframAlpha has 1 to {MAX_INPUT} characters")
        await context.check_outgoing(query)

        async def call() -> Json:
            context.progress("asking WolframAlpha")
            target = rules.check_url(
                f"{address}?{urlencode({'appid': key, 'input': query, 'maxchars': MAX_ANSWER})}"
            )
            reply = await exchange.send(target, _LIMITS)
            return {"status": reply.status, "text": reply.body.decode("utf-8", "replace")[:MAX_ANSWER]}

        # the key stays out of the journal: the recorded request is the question alone
        response = cast("dict[str, Json]", await context.effect("search", {"wolfram": query}, call))
        return _observed(int(cast("int", response["status"])), str(response["text"]))

    entry: Tool = wolfram
    return entry


def _observed(status: int, text: str) -> Observation:
    if status == 200 and text.strip():
        return Observation(Untrusted(text, "wolfram"), status=f"WolframAlpha answered, {len(text)} characters")
    if status == 501:
        raise ToolRetry("WolframAlpha did not understand it; ask in simpler words")
    if status == 403:
        raise ToolFailed(f"WolframAlpha refuses the key; check {KEY}")
    raise ToolFailed(f"WolframAlpha answered with status {status}")
