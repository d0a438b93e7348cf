"""Any server that speaks the OpenAI chat protocol: OpenAI itself, Ollama, vLLM, llama.cpp, LM Studio …"""

import asyncio
import ipaddress
import os
import re
import ssl
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, cast
from urllib.parse import urlsplit

from pydantic import SecretStr

from crowquill.agent.models.base import Message, Reply, Request, Usage
from crowquill.agent.models.calls import allowed_only, described, spelled, with_tools_in_prompt
from crowquill.agent.models.faults import (
    ErrorBody,
    ServerFault,
    UnusableReply,
    classify,
    one_line,
    read_error,
    retry_after,
)
from crowquill.agent.models.reply import MAX_REPLY_BYTES, read_reply
from crowquill.agent.models.streaming import Listener, gathered
from crowquill.agent.models.structured import clean, is_strict, with_schema_in_prompt

if TYPE_CHECKING:
    from openai import APIStatusError, AsyncOpenAI

OPENAI_URL = "https://api.openai.com/v1"
REASONING_TOKENS = 4096
"""Added to the limit for models that count hidden reasoning against it (they insist on
`max_completion_tokens`); without it a short limit leaves no room for the reply itself."""

KEEP_SECONDS = 60.0
"""How long a connection may wait for the next call of its run."""

_LIBRARY = "openai.resources.chat.completions"
"""The library loads its parts at first touch."""

_Quirk = Literal[
    "max_completion_tokens",
    "no_temperature",
    "no_seed",
    "no_logprobs",
    "schema_in_prompt",
    "any_tool",
    "free_choice",
    "tools_in_prompt",
    "no_stream",
]


@dataclass(slots=True)
class _Kept:
    """The client of one event loop, and how many runs hold it open."""

    users: int = 0
    client: "AsyncOpenAI | None" = None


class OpenAIModel:
    """A model behind an OpenAI-compatible HTTP server.

    `timeout` is the total time of one call in seconds, `connect_timeout` the part of it for connecting.
    `openai_account` sends the organisation, project and headers that the `OPENAI_*` variables name; it is
    off unless the server is OpenAI's, so that nothing meant for OpenAI reaches another host.

    Calls share connections while `keep_connected` is open, in their event loop; otherwise each has its own. A call
    that is cancelled closes its connection, which frees its place in the server at once. What a server refuses
    (`max_tokens`, `temperature`, `response_format` …) is left out from then on.
    """

    def __init__(
        self,
        model: str,
        *,
        base_url: str = OPENAI_URL,
        api_key: str | None = None,
        name: str | None = None,
        context_tokens: int = 128_000,
        slots: int = 8,
        timeout: float = 300.0,
        connect_timeout: float = 10.0,
        openai_account: bool = False,
    ) -> None:
        self.model = model
        self.base_url = base_url
        self._name = name if name is not None else f"{base_url}#{model}"
        self._key = SecretStr(api_key if api_key else "")
        self._context_tokens = context_tokens
        self._slots = slots
        self._timeout = timeout
        self._connect_timeout = connect_timeout
        self._openai_account = openai_account
        self._quirks: frozenset[_Quirk] = frozenset()
        self._tls: ssl.SSLContext | None = None
        self._kept: dict[asyncio.AbstractEventLoop, _Kept] = {}

    @property
    def name(self) -> str:
        """How the user spells this model."""
        return self._name

    @property
    def slots(self) -> int:
        """How many requests may run at once."""
        return self._slots

    @property
    def context_tokens(self) -> int:
        """Size of the context window, in tokens; a guess, as the protocol has no word for it."""
        return self._context_tokens

    async def warm(self) -> None:
        """Import the client library (0.8 s) in a thread; nothing is sent."""
        if _LIBRARY not in sys.modules:
            await asyncio.to_thread(import_module, _LIBRARY)

    async def close(self) -> None:
        """Do nothing: connections end with `keep_connected`, or with their call."""

    @asynccontextmanager
    async def keep_connected(self) -> AsyncIterator[None]:
        """Keep connections open from call to call of this event loop; may be entered many times at once."""
        loop = asyncio.get_running_loop()
        kept = self._kept.setdefault(loop, _Kept())
        kept.users += 1
        try:
            yield
        finally:
            kept.users -= 1
            if not kept.users:
                del self._kept[loop]
                if kept.client is not None:
                    await kept.client.close()

    async def complete(self, request: Request) -> Reply:
        """Answer one request within `timeout` seconds.

        Raises:
            ModelError: with the kind of fault; nothing is retried here except what the server
                refuses by name and is then left out.
        """
        return await self.complete_streaming(request, None)

    async def complete_streaming(self, request: Request, listener: Listener | None) -> Reply:
        """Answer one request like `complete`; the listener hears what is said while it comes, where servers can."""
        await self.warm()
        try:
            async with asyncio.timeout(self._timeout):
                return await self._complete_adapting(request, listener)
        except TimeoutError as error:
            message = f"{self._name} did not finish its answer in {self._timeout:.0f} s"
            raise ServerFault(message, kind="transient") from error

    async def _complete_adapting(self, request: Request, listener: Listener | None) -> Reply:
        while True:
            quirks = self._quirks
            heard = None if "no_stream" in quirks else listener
            try:
                return read_reply(await self._post(request, quirks, heard), request)
            except _Refused as refused:
                quirk = _quirk_behind(refused, request, quirks, streamed=heard is not None)
                if quirk is None:
                    raise refused.fault from refused.__cause__
                self._quirks = self._quirks.union((quirk,))

    async def _post(self, request: Request, quirks: frozenset[_Quirk], listener: Listener | None) -> bytes:
        """Send one request and return the body of a successful reply."""
        import openai

        transport = _transport()
        try:
            async with self._client() as client:
                create = cast("Any", client.chat.completions.with_streaming_response.create)
                # `extra_body` goes out as it is: looking through a schema for parameters takes longer than the call
                body = self._arguments(request, quirks)
                if listener is not None:
                    body |= {"stream": True, "stream_options": {"include_usage": True}}
                async with create(
                    model=self.model, messages=[], extra_body=body, extra_headers=self._headers()
                ) as response:
                    chunks = _capped(response.iter_bytes(None if listener is not None else 65_536))
                    if listener is not None and "event-stream" in response.headers.get("content-type", ""):
                        return await gathered(_lines(chunks), listener)
                    return b"".join([chunk async for chunk in chunks])
        except openai.APIStatusError as error:
            raise self._refusal(error) from error
        except (openai.APIConnectionError, transport.HTTPError, OSError) as error:
            reason = one_line(str(error.__cause__ if error.__cause__ is not None else error))
            message = f"no answer from {self._name}: {reason or type(error).__name__}"
            raise ServerFault(message, kind="transient") from error
        except openai.OpenAIError as error:
            raise ServerFault(f"{self._name}: {one_line(str(error))}", kind="fatal") from error

    @asynccontextmanager
    async def _client(self) -> AsyncIterator["AsyncOpenAI"]:
        kept = self._kept.get(asyncio.get_running_loop())
        if kept is None:
            async with self._new_client() as client:
                yield client
            return
        if kept.client is None:
            kept.client = self._new_client()
        yield kept.client

    def _new_client(self) -> "AsyncOpenAI":
        import openai

        limit = openai.Timeout(self._timeout, connect=self._connect_timeout)
        trusted = not _is_loopback(self.base_url)  # a proxy from the environment cannot reach our loopback
        pool = _transport().Limits(max_keepalive_connections=self._slots, keepalive_expiry=KEEP_SECONDS)
        return openai.AsyncOpenAI(
            # The library looks for a key of its own when it gets none.
            api_key=self._key.get_secret_value() if self._key else "none",
            base_url=self.base_url,
            max_retries=0,
            timeout=limit,
            http_client=openai.DefaultAsyncHttpxClient(
                verify=self._tls_context(), trust_env=trusted, timeout=limit, limits=pool
            ),
        )

    def _tls_context(self) -> ssl.SSLContext | bool:
        """Return a context that all calls share: loading the certificates takes 30 ms."""
        if not self.base_url.startswith("https:"):
            return False
        if self._tls is None:
            self._tls = cast("ssl.SSLContext", _transport().create_ssl_context())
        return self._tls

    def _arguments(self, request: Request, quirks: frozenset[_Quirk]) -> dict[str, Any]:
        schema = request.schema
        if schema is not None and "schema_in_prompt" in quirks:
            request = with_schema_in_prompt(request)
        if request.tools and "tools_in_prompt" in quirks:
            request = replace(with_tools_in_prompt(request), tools=())
        arguments: dict[str, Any] = {
            "model": self.model,
            "messages": [_message(message) for message in request.messages],
        }
        if "max_completion_tokens" in quirks:
            arguments["max_completion_tokens"] = request.max_tokens + REASONING_TOKENS
        else:
            arguments["max_tokens"] = request.max_tokens
        if "no_temperature" not in quirks:
            arguments["temperature"] = request.temperature
        if request.seed is not None and "no_seed" not in quirks:
            arguments["seed"] = request.seed
        if request.logprobs and "no_logprobs" not in quirks:
            arguments["logprobs"] = True
        if request.schema is not None:
            arguments["response_format"] = _response_format(request.schema)
        if request.tools:
            arguments["tools"] = described(request.tools)
            arguments["tool_choice"] = _tool_choice(request, quirks)
        return arguments

    def _headers(self) -> dict[str, Any]:
        """Return headers that undo what the library takes from the environment."""
        from openai import omit

        headers: dict[str, Any] = {"Accept-Encoding": "identity"}
        if not self._key:
            headers["Authorization"] = omit
        if not self._openai_account:
            lines = os.environ.get("OPENAI_CUSTOM_HEADERS", "").splitlines()
            ambient = [line.partition(":")[0].strip() for line in lines]
            names = ["OpenAI-Organization", "OpenAI-Project", *filter(None, ambient)]
            headers |= {name: omit for name in names if name.lower() != "authorization"}
            if self._key:
                headers["Authorization"] = f"Bearer {self._key.get_secret_value()}"
        return headers

    def _refusal(self, error: "APIStatusError") -> "_Refused":
        body = read_error(error.body)
        kind = classify(error.status_code, body)
        said = self._redact(body.message) or "no reason given"
        wait = retry_after(cast("Mapping[str, str]", error.response.headers), datetime.now(UTC))
        message = f"{self._name} answered {error.status_code}: {said}{_ADVICE.get(kind, '')}"
        return _Refused(ServerFault(message, kind=kind, retry_after=wait), body)

    def _redact(self, text: str) -> str:
        return text.replace(self._key.get_secret_value(), "***") if self._key else text


_ADVICE = {
    "auth": " (check the key: OPENAI_API_KEY for openai:…, CROWQUILL_API_KEY for a server of your own)",
    "quota": " (the account has no credit left)",
}


class _Refused(Exception):
    """An HTTP error, together with the body from which a quirk of the server can be learned."""

    def __init__(self, fault: ServerFault, error: ErrorBody) -> None:
        super().__init__(str(fault))
        self.fault = fault
        self.error = error


_REFUSED_WORDS: tuple[tuple[re.Pattern[str], _Quirk], ...] = (
    (re.compile(r"max_completion_tokens"), "max_completion_tokens"),
    (
        re.compile(r"response_format|json_schema|json schema|structured output|grammar", re.I),
        "schema_in_prompt",
    ),
    (re.compile(r"\bstream(?:ing|_options)?\b"), "no_stream"),
    (re.compile(r"logprobs"), "no_logprobs"),
    (re.compile(r"temperature"), "no_temperature"),
    (re.compile(r"\bseed\b"), "no_seed"),
    (re.compile(r"allowed_tools|tool_choice"), "any_tool"),
    (re.compile(r"tool_choice|required"), "free_choice"),
    (re.compile(r"\btools?\b|function.?call", re.I), "tools_in_prompt"),
)


def _transport() -> Any:
    """Return the HTTP library that openai uses below, which comes with it: httpx2 since version 3."""
    import openai

    return import_module("httpx2" if int(openai.__version__.partition(".")[0]) >= 3 else "httpx")


def _quirk_behind(
    refused: _Refused, request: Request, known: frozenset[_Quirk], *, streamed: bool
) -> _Quirk | None:
    """Name what the server would not take, if its message says so, we sent it, and it is not left out already."""
    if refused.fault.kind != "fatal":
        return None
    said = f"{refused.error.param} {refused.error.message}"
    sent: dict[_Quirk, bool] = {
        "max_completion_tokens": True,
        "no_temperature": True,
        "schema_in_prompt": request.schema is not None,
        "no_logprobs": request.logprobs,
        "no_seed": request.seed is not None,
        "any_tool": bool(request.tools),
        "free_choice": bool(request.tools),
        "tools_in_prompt": bool(request.tools),
        "no_stream": streamed,
    }
    for words, quirk in _REFUSED_WORDS:
        if sent[quirk] and quirk not in known and words.search(said):
            return quirk
    return None


def _tool_choice(request: Request, quirks: frozenset[_Quirk]) -> Any:
    """Say which tools may be called: only some of those in the prompt, where the server has a word for that."""
    if "free_choice" in quirks:
        return "auto"
    names = [entry.name for entry in request.tools if entry.name in request.allowed]
    if "any_tool" in quirks or not names or len(names) == len(request.tools):
        return "required"
    return allowed_only(names)


def _message(message: Message) -> dict[str, Any]:
    return {"role": message.role, "content": clean(message.content), **spelled(message)}


def _response_format(schema: Mapping[str, Any]) -> dict[str, Any]:
    described = {"name": "reply", "schema": dict(schema), "strict": is_strict(schema)}
    return {"type": "json_schema", "json_schema": described}


async def _capped(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        if size > MAX_REPLY_BYTES:
            reason = f"the reply is larger than {MAX_REPLY_BYTES // 1_000_000} MB"
            raise UnusableReply(reason, kind="malformed", text="", usage=Usage(calls=1))
        yield chunk


async def _lines(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    rest = b""
    async for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line
    yield rest


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname
    if host is None or host == "localhost":
        return host == "localhost"
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
