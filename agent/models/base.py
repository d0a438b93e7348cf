"""What a language model is to the rest of Crowquill."""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

Role = Literal["plan", "act", "write", "judge", "gold"]
Finish = Literal["stop", "length", "tool_calls", "content_filter"]


@dataclass(frozen=True, slots=True)
class Function:
    """A tool as a model sees it; `parameters` is the JSON schema of its arguments."""

    name: str
    description: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call that a model wants made; the arguments fit the function's schema."""

    id: str
    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Message:
    """One chat message. `calls` are those of an assistant, `answers` the id of the call that a `tool` answers."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str
    calls: tuple[ToolCall, ...] = ()
    answers: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """One completion. With `schema` the reply must be a JSON object that fits it, with `tools` it must call some.

    Only the `allowed` of the tools may be called; all are told, so that prompts stay the same.

    `max_tokens` bounds the completion and is never left out. `role` says who is asking, for routing.
    """

    role: Role
    messages: tuple[Message, ...]
    max_tokens: int
    schema: Mapping[str, Any] | None = None
    temperature: float = 0.0
    seed: int | None = None
    logprobs: bool = False
    tools: tuple[Function, ...] = ()
    allowed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one or more calls. `cached` counts the prompt tokens that a prefix cache served."""

    prompt: int = 0
    cached: int = 0
    completion: int = 0
    calls: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.prompt + other.prompt,
            self.cached + other.cached,
            self.completion + other.completion,
            self.calls + other.calls,
        )


@dataclass(frozen=True, slots=True)
class Reply:
    """What the model said. `parsed` is the JSON object when the request had a schema, `calls` those of tools.

    `logprobs` are natural logarithms of the probability of each completion token, when asked for.
    """

    text: str
    usage: Usage
    finish: Finish = "stop"
    parsed: dict[str, Any] | None = None
    logprobs: tuple[float, ...] = field(default=())
    calls: tuple[ToolCall, ...] = ()


@runtime_checkable
class Rehearsed(Protocol):
    """A model whose replies come from a list, which goes on where it was when a run is resumed."""

    def skip(self, request: Request, text: str) -> None:
        """Pass over the replies up to the one that said `text` to this request before."""
        ...


@runtime_checkable
class Connected(Protocol):
    """A model that can keep its connections open from call to call."""

    def keep_connected(self) -> AbstractAsyncContextManager[None]:
        """Return what keeps them open, in this event loop, until it is left."""
        ...


@runtime_checkable
class Streams(Protocol):
    """A model that can be listened to while it answers."""

    async def complete_streaming(self, request: Request, listener: Callable[[str], None]) -> Reply:
        """Answer one request as `complete` does; the listener is told the text so far, from its beginning."""
        ...


class Model(Protocol):
    """A language model. Implementations hold no event loop between runs."""

    @property
    def name(self) -> str:
        """How the user spells this model, such as `local` or `openai:gpt-5-mini`."""
        ...

    @property
    def slots(self) -> int:
        """How many requests may run at once."""
        ...

    @property
    def context_tokens(self) -> int:
        """Size of the context window, in tokens."""
        ...

    async def complete(self, request: Request) -> Reply:
        """Answer one request.

        Raises:
            ModelError: with the kind of fault.
        """
        ...

    async def warm(self) -> None:
        """Load what the first request will need; harmless when repeated."""
        ...

    async def close(self) -> None:
        """Release connections and child processes; the model may be used again afterwards."""
        ...
