"""A tool is a typed function with a docstring; name, schema and help are derived from it."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any, get_type_hints, overload

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from crowquill.errors import CrowquillError, ToolFailed, ToolRetry
from crowquill.memory.untrusted import Untrusted
from crowquill.tools.context import Access, ToolContext
from crowquill.tools.observation import Observation
from crowquill.tools.threads import in_own_thread

AccessOf = Callable[[Mapping[str, Any]], Access]
_SHOWN = 300
"""Characters that are shown of a foreign exception."""


class _Arguments(BaseModel):
    model_config = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that the model can call.

    `parameters` is the JSON schema of its arguments. The model never sees the context: a parameter
    annotated `ToolContext` is filled in by the episode. `access` may be a function of the arguments. `usd` is what
    a call costs. `custom` tools are the user's: they are cut off at the deadline of the run, to which our own tools
    keep by themselves, inside their recorded effects. `idempotent`: doing it twice is the same as doing it once, so
    a run that was left in the middle of a call may make it again without asking what became of it.
    """

    name: str
    description: str
    access: Access | AccessOf
    function: Callable[..., Observation | str | Awaitable[Observation | str]]
    arguments: type[BaseModel]
    context_parameter: str | None
    custom: bool = False
    usd: float = 0.0
    idempotent: bool = False

    @property
    def parameters(self) -> dict[str, Any]:
        """JSON schema of the arguments, without titles; not to be changed."""
        return _schema_of(self.arguments)

    @property
    def usage(self) -> str:
        """Name, arguments and description on one line, for a prompt."""
        return (
            f"{self.name}({', '.join(self.parameters.get('properties', {}))}): {' '.join(self.description.split())}"
        )

    async def call(self, arguments: Mapping[str, Any], context: ToolContext) -> Observation:
        """Validate the arguments and run the function; a sync function runs in a thread.

        Raises:
            ToolRetry: the arguments do not fit the schema, or the tool says so.
            ToolFailed: the tool could not do it, raised an exception of its own, or took too long.
        """
        try:
            values = self.arguments.model_validate(dict(arguments))
        except ValidationError as error:
            raise ToolRetry(f"{self.name}: {_first_problem(error)}") from None
        keywords = {name: getattr(values, name) for name in type(values).model_fields}
        if self.context_parameter is not None:
            keywords[self.context_parameter] = context
        result = await self._run(keywords, context)
        if isinstance(result, str):
            return Observation(Untrusted(result, self.name), status=f"{self.name}: done")
        if not isinstance(result, Observation):
            raise ToolFailed(f"{self.name}: it returned {type(result).__name__}, not str or Observation")
        return result

    async def _run(self, keywords: Mapping[str, Any], context: ToolContext) -> object:
        end = context.deadline if self.custom else None
        left = None if end is None else end - context.clock.monotonic()
        try:
            async with asyncio.timeout(left) as limit:
                if inspect.iscoroutinefunction(self.function):
                    return await self.function(**keywords)
                return await in_own_thread(partial(self.function, **keywords), "tool")
        except CrowquillError:
            raise
        except Exception as error:  # whatever a tool raises is told to the model, and ends no run
            if limit.expired():
                raise ToolFailed(f"{self.name}: the time of the run was over before it was done") from error
            raise ToolFailed(f"{self.name}: {_one_line(error)}") from error


@lru_cache(maxsize=512)
def _schema_of(arguments: type[BaseModel]) -> dict[str, Any]:
    schema = arguments.model_json_schema()
    schema.pop("title", None)
    for field in schema.get("properties", {}).values():
        field.pop("title", None)
    return schema


def _one_line(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:_SHOWN]


def _first_problem(error: ValidationError) -> str:
    problem = error.errors()[0]
    where = ".".join(str(part) for part in problem["loc"])
    return f"{where}: {problem['msg']}" if where else str(problem["msg"])


@overload
def tool(function: Callable[..., Any], /) -> Tool: ...


@overload
def tool(
    *, name: str | None = None, access: Access | AccessOf = "read", usd: float = 0.0, idempotent: bool = False
) -> Callable[[Callable[..., Any]], Tool]: ...


def tool(
    function: Callable[..., Any] | None = None,
    /,
    *,
    name: str | None = None,
    access: Access | AccessOf = "read",
    usd: float = 0.0,
    idempotent: bool = False,
) -> Tool | Callable[[Callable[..., Any]], Tool]:
    """Make a `Tool` of a typed function with a docstring; works as `@tool` and as `@tool(name="lookup")`.

    `access` is what it may do beside reading, or a function that tells it from the arguments; `usd` what a call
    costs; `idempotent` that doing it twice is the same as doing it once.

    Raises:
        TypeError: the function has no docstring or an unannotated parameter.
    """
    if function is None:
        return partial(tool, name=name, access=access, usd=usd, idempotent=idempotent)
    return replace(_make(function, name, access), usd=usd, idempotent=idempotent)


def _make(function: Callable[..., Any], name: str | None, access: Access | AccessOf) -> Tool:
    label = name if name is not None else function.__name__
    description = inspect.getdoc(function)
    if not description:
        raise TypeError(f"tool {label!r} needs a docstring: it is what the model reads")
    hints = get_type_hints(function)
    fields: dict[str, Any] = {}
    context_parameter = None
    for parameter in inspect.signature(function).parameters.values():
        if parameter.name not in hints:
            raise TypeError(f"tool {label!r}: parameter {parameter.name!r} needs a type annotation")
        if hints[parameter.name] is ToolContext:
            context_parameter = parameter.name
            continue
        default = ... if parameter.default is parameter.empty else parameter.default
        fields[parameter.name] = (hints[parameter.name], Field(default))
    arguments = create_model(f"{label}_arguments", __base__=_Arguments, **fields)
    return Tool(label, description, access, function, arguments, context_parameter)
