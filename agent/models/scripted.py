"""A model that says what it was told to say: for tests, examples and dry runs."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, model_validator

from crowquill.agent.models.base import Reply, Request, Role, Usage
from crowquill.agent.models.faults import one_line
from crowquill.agent.models.reply import estimate_usage, finish_reply
from crowquill.errors import ModelError, ModelFault
from crowquill.memory.clock import Clock, SystemClock
from crowquill.tasks.yaml_text import load_yaml


@dataclass(frozen=True, slots=True)
class ScriptedReply:
    """One reply: a text, a JSON object, or a fault.

    `match` is a part of the request's last message, or a regular expression between slashes; without it
    the reply fits every request of its role. `delay` is in seconds; `repeat` lets the reply serve for ever. `calls`
    are calls of tools, each with `name` and `arguments`.
    """

    role: Role
    text: str | None = None
    json: Mapping[str, Any] | None = None
    match: str | None = None
    usage: Usage | None = None
    delay: float = 0.0
    repeat: bool = False
    fault: ModelFault | None = None
    calls: Sequence[Mapping[str, Any]] = ()

    def fits(self, request: Request) -> bool:
        """Tell whether this reply may answer the request."""
        if self.role != request.role:
            return False
        if self.match is None:
            return True
        last = request.messages[-1].content if request.messages else ""
        pattern = _compile(self.match)
        return self.match in last if pattern is None else pattern.search(last) is not None


class ScriptedModel:
    """Answers from a list: each request takes the first unused reply that fits it.

    `calls` holds every request in order, also those that found no reply.
    """

    def __init__(
        self,
        replies: Iterable[ScriptedReply],
        *,
        name: str = "scripted",
        context_tokens: int = 32_768,
        slots: int = 8,
        clock: Clock | None = None,
    ) -> None:
        self.calls: list[Request] = []
        self._unused = list(replies)
        self._name = name
        self._context_tokens = context_tokens
        self._slots = slots
        self._clock = SystemClock() if clock is None else clock

    @classmethod
    def from_yaml(cls, path: Path | str, *, clock: Clock | None = None) -> "ScriptedModel":
        """Read a script: `replies:`, a list of `role`, `match?`, `text?` or `json?`, `usage?`, `delay?` …

        Raises:
            UserError: the file cannot be read or says something else.
        """
        return cls(read_script(Path(path)), name=f"scripted:{path}", clock=clock)

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
        """Size of the pretended context window, in tokens."""
        return self._context_tokens

    async def complete(self, request: Request) -> Reply:
        """Answer with the first unused reply that fits.

        Raises:
            ModelError: fatal when no reply fits, the reply's own kind when it is a fault, and what a
                real model raises when the text does not fit the request's schema.
        """
        self.calls.append(request)
        scripted = self._take(request)
        if scripted.delay:
            await self._clock.sleep(scripted.delay)
        if scripted.fault is not None:
            raise ModelError(f"scripted fault: {scripted.fault}", kind=scripted.fault)
        text = _text(scripted)
        usage = estimate_usage(request.messages, text) if scripted.usage is None else scripted.usage
        calls = [{"id": f"call_{at}", "function": call} for at, call in enumerate(scripted.calls, 1)]
        return finish_reply(request, text=text, usage=usage, finish="stop", calls=calls)

    def skip(self, request: Request, text: str) -> None:
        """Pass over the replies up to the one that said `text` to this request before the run was resumed."""
        fitting = [index for index, reply in enumerate(self._unused) if reply.fits(request) and not reply.repeat]
        said = next((place for place, index in enumerate(fitting) if _text(self._unused[index]) == text), None)
        if said is not None:
            for index in reversed(fitting[: said + 1]):
                del self._unused[index]

    async def warm(self) -> None:
        """Do nothing."""

    async def close(self) -> None:
        """Do nothing."""

    def assert_spent(self) -> None:
        """Check that every reply was used.

        Raises:
            AssertionError: one was not; repeated ones do not count.
        """
        left = [reply for reply in self._unused if not reply.repeat]
        if left:
            shown = "; ".join(f"{r.role} {r.match or ''}".strip() for r in left[:5])
            raise AssertionError(f"{len(left)} scripted replies were not used: {shown}")

    def _take(self, request: Request) -> ScriptedReply:
        for index, reply in enumerate(self._unused):
            if reply.fits(request):
                return reply if reply.repeat else self._unused.pop(index)
        head = one_line(request.messages[-1].content) if request.messages else ""
        raise ModelError(f"no scripted reply for role {request.role!r} fits the message {head!r}")


def _text(reply: ScriptedReply) -> str:
    if reply.calls and reply.text is None and reply.json is None:
        return ""
    return json.dumps(reply.json, ensure_ascii=False) if reply.text is None else reply.text


def read_script(path: Path) -> list[ScriptedReply]:
    """Read the replies of a script file.

    Raises:
        UserError: the file cannot be read or says something else; with line and column.
    """
    return [item.reply() for item in load_yaml(path, _Script).replies]


class _UsageItem(BaseModel, extra="forbid", strict=True):
    prompt: int = Field(0, ge=0)
    cached: int = Field(0, ge=0)
    completion: int = Field(0, ge=0)


class _ReplyItem(BaseModel, extra="forbid", strict=True):
    role: Role
    text: str | None = None
    value: dict[str, Any] | None = Field(None, alias="json")
    match: str | None = None
    usage: _UsageItem | None = None
    delay: float = Field(0.0, ge=0, allow_inf_nan=False)
    repeat: bool = False
    fault: ModelFault | None = None

    @model_validator(mode="after")
    def _says_one_thing(self) -> "_ReplyItem":
        if sum(part is not None for part in (self.text, self.value, self.fault)) != 1:
            raise ValueError("needs exactly one of text, json and fault")
        if self.match is not None:
            _compile(self.match)
        return self

    def reply(self) -> ScriptedReply:
        used = self.usage
        return ScriptedReply(
            role=self.role,
            text=self.text,
            json=self.value,
            match=self.match,
            usage=None if used is None else Usage(used.prompt, used.cached, used.completion, 1),
            delay=self.delay,
            repeat=self.repeat,
            fault=self.fault,
        )


class _Script(BaseModel, extra="forbid", strict=True):
    replies: list[_ReplyItem]


def _compile(match: str) -> re.Pattern[str] | None:
    """Return the pattern of a match between slashes, or nothing for a plain one."""
    if len(match) < 3 or not (match.startswith("/") and match.endswith("/")):
        return None
    try:
        return re.compile(match[1:-1], re.S)
    except re.error as error:
        raise ValueError(f"match is not a regular expression: {error}") from error
