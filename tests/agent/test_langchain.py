"""LangChain both ways: its tools, chat models and retrievers plug in, and an agent is a runnable and a tool."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document as Found
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import tool as langchain_decorator

from crowquill import Agent, Answer, ScriptedModel, UserError, as_langchain_tool, as_runnable, langchain_tool
from crowquill.agent.models.scripted import ScriptedReply
from crowquill.agent.replay import replay
from crowquill.agent.workspace import Workspace
from crowquill.memory.embed import HashingEmbedder


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    place = Workspace(tmp_path / "w", embedder=HashingEmbedder())
    yield place
    place.close()


class Pages(BaseRetriever):
    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[Found]:
        return [Found("The tarn is 310 metres deep.", metadata={"title": "The tarn", "source": "/data/tarn.txt"})]


@langchain_decorator
def depth_of(lake: str, unit: str = "m") -> str:
    """Look up the depth of a lake."""
    return f"{lake}: 310 {unit}"


READ = {"quotes": [1], "sentence": "The tarn is 310 metres deep.", "answer": "310 metres"}
QUESTION = "How deep is the tarn?"


def make(workspace: Workspace, *replies: ScriptedReply, **settings: Any) -> Agent:
    model = ScriptedModel(replies or [ScriptedReply("act", json=READ, repeat=True)])
    chosen = {"model": model, "policy": "guided", "providers": [Pages()], "memory": False, **settings}
    return Agent(workspace=workspace, **chosen)


async def test_a_retriever_is_a_search_provider(workspace: Workspace) -> None:
    answer = await make(workspace).answer(QUESTION)
    assert answer.short == "310 metres"
    assert answer.sources[0].title == "The tarn"
    assert await replay(workspace, answer.run_id, strict=True) > 0


async def test_a_chat_model_answers(workspace: Workspace) -> None:
    chat = GenericFakeChatModel(messages=iter([AIMessage(json.dumps(READ))]))
    agent = make(workspace, model=chat)
    assert agent.config.models["act"] == "langchain:GenericFakeChatModel:given"
    assert (await agent.answer(QUESTION)).short == "310 metres"


async def test_a_tool_is_called_with_its_schema_and_its_result_is_recorded(workspace: Workspace) -> None:
    plan = {"tasks": [{"id": "a", "goal": "look it up", "done_when": "", "needs": []}]}
    call = {"thought": "", "action": {"tool": "depth_of", "lake": "tarn"}}
    end = {"thought": "", "action": {"tool": "give_up", "reason": "not_found", "note": ""}}
    replies = [ScriptedReply("plan", json=plan), ScriptedReply("act", json=call), ScriptedReply("act", json=end)]
    model = ScriptedModel(replies)
    agent = make(workspace, model=model, policy="json", tools=[depth_of], providers=[])
    answer = await agent.answer("How deep?")
    assert "depth_of(lake, unit)" in str(model.calls[1].messages)
    assert "tarn: 310 m" in model.calls[2].messages[-1].content
    assert await replay(workspace, answer.run_id, strict=True) > 0
    writes = langchain_tool(depth_of, access="write")
    with pytest.raises(UserError, match="depth_of"):
        make(workspace, tools=[writes], policy="json").ask("How deep?")


def short_of(answer: Answer) -> str:
    return answer.short


async def test_an_agent_is_a_runnable(workspace: Workspace) -> None:
    runnable = as_runnable(make(workspace))
    chain = runnable | RunnableLambda(short_of) | StrOutputParser()
    assert await chain.ainvoke({"question": QUESTION}) == "310 metres"
    assert chain.invoke({"messages": [HumanMessage("hi"), HumanMessage(QUESTION)]}) == "310 metres"
    assert [answer.short for answer in runnable.batch([QUESTION, QUESTION])] == ["310 metres", "310 metres"]
    with pytest.raises(UserError, match="no question"):
        runnable.invoke({"other": 1})


async def test_an_agent_is_a_tool(workspace: Workspace) -> None:
    tool = as_langchain_tool(make(workspace), name="tarns")
    call = {"name": "tarns", "args": {"question": QUESTION}, "id": "1", "type": "tool_call"}
    message = await tool.ainvoke(call)
    assert "310 metres deep" in str(message.content)
    assert "Receipts" in str(message.content)
    assert isinstance(message.artifact, Answer)
    assert "quote" in tool.description
