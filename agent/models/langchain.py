"""Any chat model that LangChain can reach, spelled `langchain:PROVIDER:MODEL`."""

import asyncio
from typing import TYPE_CHECKING, Any, cast

from crowquill.agent.models.base import Finish, Reply, Request, Usage
from crowquill.agent.models.calls import with_tools_in_prompt
from crowquill.agent.models.faults import ServerFault, classify, one_line, read_error
from crowquill.agent.models.reply import estimate_usage, finish_reply
from crowquill.agent.models.structured import clean, with_schema_in_prompt, without_thoughts
from crowquill.errors import UserError

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

_CUT_OFF = {"length", "max_tokens", "MAX_TOKENS"}

MISSING = "LangChain is not installed; install it with: pip install 'crowquill[langchain]'"


class LangChainModel:
    """A chat model of LangChain. Schemas are asked for in the prompt and checked afterwards.

    The synchronous call runs in a thread, because LangChain's asynchronous clients keep connections that
    belong to one event loop; a cancelled call is abandoned there. Keys come from the variables that the
    provider's package documents.
    """

    def __init__(self, provider: str, model: str, *, context_tokens: int = 128_000, timeout: float = 300.0) -> None:
        self.provider = provider
        self.model = model
        self._context_tokens = context_tokens
        self._timeout = timeout
        self._given: Any = None

    @classmethod
    def of(cls, chat: "BaseChatModel") -> "LangChainModel":
        """Return a model for a chat model that the program has made; its own settings hold."""
        named = next((value for name in ("model", "model_name") if (value := getattr(chat, name, ""))), "given")
        made = cls(type(chat).__name__, str(named))
        made._given = chat
        return made

    @property
    def name(self) -> str:
        """How the user spells this model."""
        return f"langchain:{self.provider}:{self.model}"

    @property
    def slots(self) -> int:
        """How many requests may run at once."""
        return 8

    @property
    def context_tokens(self) -> int:
        """Size of the context window, in tokens; a guess."""
        return self._context_tokens

    async def warm(self) -> None:
        """Import LangChain (1–2 s) in a thread; nothing is sent.

        Raises:
            UserError: LangChain or the provider's package is not installed, or a key is missing.
        """
        await asyncio.to_thread(self._chat_model, 1, 0.0)

    async def close(self) -> None:
        """Do nothing: LangChain owns its connections."""

    async def complete(self, request: Request) -> Reply:
        """Answer one request; seed and log-probabilities have no common spelling and are left out.

        Raises:
            UserError: LangChain or the provider's package is not installed, or a key is missing.
            ModelError: with the kind of fault.
        """
        asked = request if request.schema is None else with_schema_in_prompt(request)
        asked = with_tools_in_prompt(asked) if asked.tools else asked
        try:
            async with asyncio.timeout(self._timeout):
                message = await asyncio.to_thread(self._invoke, asked)
        except TimeoutError as error:
            reason = f"{self.name} did not answer in {self._timeout:.0f} s"
            raise ServerFault(reason, kind="transient") from error
        text = without_thoughts(clean(str(message.text)))
        return finish_reply(request, text=text, usage=_usage(message, asked, text), finish=_finish(message))

    def _invoke(self, request: Request) -> Any:
        chat = self._chat_model(request.max_tokens, request.temperature)
        try:
            return chat.invoke([(m.role, clean(m.content)) for m in request.messages])
        except Exception as error:  # every provider's package has an error tree of its own
            raise self._fault(error) from error

    def _chat_model(self, max_tokens: int, temperature: float) -> Any:
        if self._given is not None:
            return self._given
        try:
            from langchain.chat_models import init_chat_model
        except ImportError as error:
            raise UserError(MISSING) from error
        try:
            return init_chat_model(
                self.model,
                model_provider=self.provider,
                max_tokens=max_tokens,
                temperature=temperature,
                timeout=self._timeout,
                max_retries=0,
            )
        except Exception as error:  # a missing package, an unknown provider, a missing key: all say what to do
            raise UserError(f"{self.name}: {one_line(str(error))}") from error

    def _fault(self, error: Exception) -> ServerFault:
        status, name = getattr(error, "status_code", None), type(error).__name__
        if isinstance(status, int):
            body = read_error(getattr(error, "body", str(error)))
            kind = classify(status, body)
        else:
            unreachable = isinstance(error, OSError) or "Timeout" in name or "Connect" in name
            kind = "transient" if unreachable else "fatal"
        return ServerFault(f"{self.name}: {name}: {one_line(str(error))}", kind=kind)


def _usage(message: Any, request: Request, text: str) -> Usage:
    counted = cast("dict[str, Any] | None", message.usage_metadata)
    if counted is None:
        return estimate_usage(request.messages, text)
    cached = counted.get("input_token_details", {}).get("cache_read", 0)
    return Usage(counted["input_tokens"], cached, counted["output_tokens"], 1)


def _finish(message: Any) -> Finish:
    said = cast("dict[str, Any]", message.response_metadata)
    return "length" if {said.get("finish_reason"), said.get("stop_reason")} & _CUT_OFF else "stop"
