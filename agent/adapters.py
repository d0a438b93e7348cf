"""What a program brings along, as what a run works with: functions, and LangChain's tools, models, retrievers.

LangChain's objects are known by their methods, so that nothing of it is imported where it is not used.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeGuard, cast

from pydantic import BaseModel, ConfigDict, create_model

from crowquill.agent.models.base import Model
from crowquill.agent.models.langchain import LangChainModel
from crowquill.errors import UserError
from crowquill.memory.untrusted import Untrusted
from crowquill.tools.observation import Observation
from crowquill.tools.search.documents import Document, DocumentSearch
from crowquill.tools.tool import Tool, tool

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.retrievers import BaseRetriever
    from langchain_core.tools import BaseTool


def to_tool(value: "Tool | BaseTool | Callable[..., Any]") -> Tool:
    """Return a tool of ours: itself, one of LangChain's, or a typed function with a docstring.

    A tool of LangChain's counts as one that only reads; `langchain_tool` says otherwise.

    Raises:
        UserError: it is none of these.
    """
    if isinstance(value, Tool):
        return value
    if hasattr(value, "args_schema") and hasattr(value, "ainvoke"):
        return langchain_tool(cast("BaseTool", value))
    if callable(value):
        return tool(value)
    raise UserError(f"{type(value).__name__} is no tool: pass a typed function, a Tool or a LangChain tool")


def langchain_tool(value: "BaseTool", *, access: Any = "read") -> Tool:
    """Return a tool of LangChain's as ours, with what it may do beside reading."""
    arguments = _arguments(value)

    async def call(**given: Any) -> Observation:
        said = await value.ainvoke({name: entry for name, entry in given.items() if entry is not _UNSET})
        text = said if isinstance(said, str) else str(said)
        return Observation(Untrusted(text, value.name), status=f"{value.name}: done")

    return Tool(value.name, value.description, access, call, arguments, None, custom=True)


class _Unset:
    """Stands for an argument that was not given."""


_UNSET = _Unset()


def _arguments(value: "BaseTool") -> type[BaseModel]:
    """Return the schema of a tool's arguments, which LangChain has as a model of pydantic or as JSON."""
    given: Any = value.args_schema
    schema: Any = given if isinstance(given, dict) else value.get_input_schema()
    if isinstance(schema, type) and issubclass(schema, BaseModel):
        return schema
    told = schema if isinstance(schema, dict) else schema.model_json_schema()
    needed = told.get("required", [])
    fields: dict[str, Any] = {name: (Any, ... if name in needed else _UNSET) for name in told.get("properties", {})}

    class Told(BaseModel):
        model_config = ConfigDict(extra="forbid")

        @classmethod
        def model_json_schema(cls, *args: Any, **keywords: Any) -> dict[str, Any]:
            return dict(told)

    return create_model(f"{value.name}_arguments", __base__=Told, **fields)


def is_model(value: object) -> TypeGuard[Model]:
    """Say whether an object is a model of ours."""
    return hasattr(value, "complete") and hasattr(value, "context_tokens")


def to_model(value: "Model | BaseChatModel") -> Model:
    """Return a model of ours: itself, or a chat model of LangChain's.

    Raises:
        UserError: it is neither.
    """
    if is_model(value):
        return value
    if hasattr(value, "ainvoke") and hasattr(value, "bind_tools"):
        return LangChainModel.of(cast("BaseChatModel", value))
    raise UserError(f"{type(value).__name__} is no model: pass its spelling, a Model or a LangChain chat model")


class Retrieved:
    """A retriever of LangChain's as a search provider."""

    def __init__(self, retriever: "BaseRetriever", name: str = "") -> None:
        self._retriever = retriever
        self.name = name if name else type(retriever).__name__.lower()

    async def search(self, query: str, limit: int) -> Sequence[Document]:
        """Return what the retriever finds; title and address come from the metadata."""
        found = await self._retriever.ainvoke(query)
        return [_document(item.page_content, item.metadata) for item in found[:limit]]


def _document(text: str, metadata: Mapping[str, Any]) -> Document:
    source = str(metadata.get("url") or metadata.get("source") or "")
    title = str(metadata.get("title") or source.rpartition("/")[2])
    return Document(text, title, source if source.startswith(("https://", "http://")) else "")


def _is_provider(value: object) -> TypeGuard[DocumentSearch]:
    return inspect.ismethod(getattr(value, "search", None)) and not hasattr(value, "ainvoke")


def to_provider(value: "DocumentSearch | BaseRetriever") -> DocumentSearch:
    """Return a search provider: itself, or a retriever of LangChain's.

    Raises:
        UserError: it is neither.
    """
    if _is_provider(value):
        return value
    if hasattr(value, "ainvoke"):
        return Retrieved(cast("BaseRetriever", value))
    raise UserError(f"{type(value).__name__} is no search provider: it needs name and search(query, limit)")
