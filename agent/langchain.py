"""An agent as a part of LangChain programs: a `Runnable` that gives an `Answer`, and a tool for other agents."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from crowquill.agent.agent import Agent
from crowquill.agent.answer import Answer
from crowquill.agent.events import Event
from crowquill.agent.exports import answer_lines
from crowquill.agent.models.langchain import MISSING
from crowquill.errors import UserError

if TYPE_CHECKING:
    from langchain_core.runnables import Runnable, RunnableConfig
    from langchain_core.tools import BaseTool

_ABOUT = """Answer a question by research. Every statement of the answer has a receipt: a verbatim quote, an exact \
computation or cells of a query result, checked by code."""


def as_runnable(agent: Agent) -> "Runnable[Any, Answer]":
    """Return the agent as a LangChain `Runnable`.

    It takes a question, a mapping with `input` or `question`, or messages, of which the last is the question.

    Raises:
        UserError: LangChain is not installed.
    """
    try:
        from langchain_core.runnables import Runnable
    except ImportError as error:
        raise UserError(MISSING) from error

    class AgentRunnable(Runnable[Any, Answer]):
        def invoke(self, input: Any, config: "RunnableConfig | None" = None, **kwargs: Any) -> Answer:  # noqa: A002
            return agent.ask(question_of(input))

        async def ainvoke(self, input: Any, config: "RunnableConfig | None" = None, **kwargs: Any) -> Answer:  # noqa: A002
            return await agent.answer(question_of(input))

        def events(self, input: Any) -> AsyncIterator[Event]:  # noqa: A002 - LangChain's name
            """Return the events of a run as they happen."""
            return agent.stream(question_of(input))

    return AgentRunnable()


def as_langchain_tool(agent: Agent, *, name: str = "research", description: str = _ABOUT) -> "BaseTool":
    """Return the agent as a LangChain tool; its artifact is the `Answer`, its content the text with the receipts.

    Raises:
        UserError: LangChain is not installed.
    """
    try:
        from langchain_core.tools import StructuredTool
    except ImportError as error:
        raise UserError(MISSING) from error

    def research(question: str) -> tuple[str, Answer]:
        return _told(agent.ask(question))

    async def aresearch(question: str) -> tuple[str, Answer]:
        return _told(await agent.answer(question))

    return StructuredTool.from_function(
        research,
        coroutine=aresearch,
        name=name,
        description=description,
        response_format="content_and_artifact",
    )


def _told(answer: Answer) -> tuple[str, Answer]:
    return "\n".join(answer_lines(answer, "Receipts")), answer


def question_of(value: Any) -> str:
    """Return the question in what a chain passes on. Raises UserError when there is none."""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        for key in ("input", "question", "objective", "messages"):
            if key in value:
                return question_of(value[key])
    if isinstance(value, Sequence) and value:
        return question_of(value[-1])
    text = getattr(value, "text", None)  # a message
    if text is None:
        raise UserError(
            f"no question in a {type(value).__name__}: pass a text, or a mapping with input or question"
        )
    return str(text() if callable(text) and not isinstance(text, str) else text)
