"""Replies that come piece by piece (server-sent events), gathered into the body they would have been at once."""

import json
import re
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from crowquill.agent.models.reply import decode, mapping

Listener = Callable[[str], None]
"""Is told what a reply says so far: its text, from the beginning."""

_LAST_STRING = re.compile(r'"\s*:\s*"((?:[^"\\]|\\.)*)')


async def gathered(lines: AsyncIterator[bytes], listener: Listener) -> bytes:
    """Return the pieces of a chat completion as one, in JSON; the listener hears of each.

    What is missing at the end (a finish reason, usage) is missing in the result, too.

    Raises:
        ServerFault: a piece is no JSON object, or tells an error.
    """
    gathering = _Gathering()
    async for line in lines:
        name, _, value = line.partition(b":")
        if name != b"data" or value.strip() == b"[DONE]":
            continue
        if gathering.add(decode(value)):
            listener(gathering.text)
    return json.dumps(gathering.whole()).encode()


def being_written(text: str) -> str:
    """Return what a person may read of a reply under way: of a JSON object the last string, else the text."""
    if not text.lstrip().startswith(("{", "```")):
        return text
    found = _LAST_STRING.findall(text)
    return re.sub(r"\\(.)", lambda escape: " " if escape[1] in "nrt" else escape[1], found[-1]) if found else ""


class _Gathering:
    """A chat completion as far as it has come."""

    def __init__(self) -> None:
        self.text = ""
        self._usage: Any = None
        self._message: dict[str, Any] = {"role": "assistant"}
        self._finish: Any = None
        self._logprobs: list[Any] = []
        self._calls: dict[Any, dict[str, Any]] = {}
        self._begun = False

    def add(self, piece: Mapping[str, Any]) -> bool:
        """Take in a piece; say whether the text has grown."""
        self._usage = piece.get("usage") or self._usage
        choice = mapping(next(iter(_list(piece.get("choices"))), None))
        if not choice:
            return False
        self._begun = True
        self._finish = choice.get("finish_reason") or self._finish
        self._logprobs += _list(mapping(choice.get("logprobs")).get("content"))
        delta = mapping(choice.get("delta"))
        refused = delta.get("refusal")
        if isinstance(refused, str):
            self._message["refusal"] = self._message.get("refusal", "") + refused
        for call in _list(delta.get("tool_calls")):
            self._grow(mapping(call))
        said = delta.get("content")
        if not isinstance(said, str) or not said:
            return False
        self.text += said
        return True

    def _grow(self, part: Mapping[str, Any]) -> None:
        call = self._calls.setdefault(part.get("index"), {"type": "function", "function": {"arguments": ""}})
        if part.get("id"):
            call["id"] = part["id"]
        function = mapping(part.get("function"))
        if function.get("name"):
            call["function"]["name"] = function["name"]
        if isinstance(function.get("arguments"), str):
            call["function"]["arguments"] += function["arguments"]

    def whole(self) -> dict[str, Any]:
        """Return the body of a reply that had come at once."""
        message = {**self._message, "content": self.text if self.text else None}
        if self._calls:
            message["tool_calls"] = list(self._calls.values())
        choice = {"index": 0, "message": message, "finish_reason": self._finish}
        if self._logprobs:
            choice["logprobs"] = {"content": self._logprobs}
        return {"usage": self._usage, "choices": [choice] if self._begun else []}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
