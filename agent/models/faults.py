"""What went wrong with a model call, as one of the kinds that decide what happens next."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import cast

from crowquill.agent.models.base import Usage
from crowquill.errors import ModelError, ModelFault

SHOWN_CHARACTERS = 200

_QUOTA_CODES = {
    "insufficient_quota",
    "billing_hard_limit_reached",
    "billing_not_active",
    "insufficient_balance",
    "insufficient_credits",
}
_QUOTA_WORDS = re.compile(r"insufficient (balance|credit|quota|funds)|credit balance is too low", re.I)
_CONTEXT_CODES = {"context_length_exceeded", "exceed_context_size_error", "string_above_max_length"}
_CONTEXT_WORDS = re.compile(
    r"context (length|size|window)|maximum context|prompt is too long|too many (input |prompt )?tokens", re.I
)
_REFUSAL_CODES = {"content_filter", "content_policy_violation", "responsible_ai_policy_violation"}


class ServerFault(ModelError):
    """A server failed or refused. `retry_after` is the wait that it asked for, in seconds."""

    def __init__(self, message: str, *, kind: ModelFault, retry_after: float | None = None) -> None:
        super().__init__(message, kind=kind)
        self.retry_after = retry_after


class UnusableReply(ModelError):
    """A complete reply that cannot be used: `text` is what the model said, `usage` what it cost."""

    def __init__(self, message: str, *, kind: ModelFault, text: str, usage: Usage) -> None:
        super().__init__(message, kind=kind)
        self.text = text
        self.usage = usage


@dataclass(frozen=True, slots=True)
class ErrorBody:
    """The parts of an error reply that servers agree on, roughly; missing ones are empty."""

    code: str = ""
    message: str = ""
    param: str = ""


def read_error(body: object) -> ErrorBody:
    """Find code, message and parameter in an error body, whatever shape the server gave it."""
    inner = cast("Mapping[str, object]", body).get("error", body) if isinstance(body, Mapping) else body
    if not isinstance(inner, Mapping):
        return ErrorBody(message=one_line(inner if isinstance(inner, str) else ""))
    fields = cast("Mapping[str, object]", inner)
    # llama.cpp puts the HTTP status into `code` and the name of the fault into `type`.
    names = [fields.get(key) for key in ("code", "type")]
    code = next((name for name in names if isinstance(name, str) and name), "")
    text = next((fields[key] for key in ("message", "detail") if isinstance(fields.get(key), str)), "")
    param = fields.get("param")
    return ErrorBody(code, one_line(str(text)), param if isinstance(param, str) else "")


def classify(status: int, error: ErrorBody) -> ModelFault:
    """Name the kind of fault behind an HTTP status and its error body.

    `insufficient_quota` comes as a 429 but no wait will help; a message about a quota alone does not
    mean it, because some servers use those words for a limit per minute.
    """
    if status == 402 or error.code in _QUOTA_CODES or _QUOTA_WORDS.search(error.message):
        return "quota"
    if status == 413 or error.code in _CONTEXT_CODES:
        return "context"
    if status in (400, 422) and _CONTEXT_WORDS.search(error.message):
        return "context"
    if error.code in _REFUSAL_CODES:
        return "refusal"
    if status in (401, 403):
        return "auth"
    if status == 429:
        return "rate"
    if status in (408, 409, 425) or (status >= 500 and status != 501):
        return "transient"
    return "fatal"


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Read how many seconds the server asks to wait (RFC 9110 §10.2.3, or the millisecond variant)."""
    milliseconds = _seconds(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    value = headers.get("retry-after")
    seconds = _seconds(value)
    if seconds is not None or value is None:
        return seconds
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        return None
    return max(0.0, (moment - now).total_seconds())


def _seconds(value: str | None) -> float | None:
    try:
        number = float(value) if value is not None else math.nan
    except ValueError:
        return None
    return max(0.0, number) if math.isfinite(number) else None


def one_line(text: str) -> str:
    """Fold foreign text to one printable line that is short enough for an error message."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * SHOWN_CHARACTERS]).split())
    return line if len(line) <= SHOWN_CHARACTERS else line[: SHOWN_CHARACTERS - 1] + "…"
