"""What a web search engine is to us, and how its failures are told apart."""

import asyncio
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from html import unescape
from typing import Any, Literal, Protocol
from urllib.parse import urlencode

from crowquill.errors import FetchFailed
from crowquill.memory.clock import Clock
from crowquill.tools.exchange import Ask, Exchange, Limits
from crowquill.tools.freshness import moment, wait_asked
from crowquill.tools.guard import Target
from crowquill.tools.search.query import Filter, Query

Fault = Literal["key", "quota", "rate", "request", "down", "time", "malformed"]

LIMITS = Limits(wire=2**20, body=4 * 2**20, errors=True)
_TITLE, _SNIPPET, _URL = 200, 500, 2000
_TAG = re.compile(r"<[^<>]{0,200}>")
_ISO = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T ]|$)")


class EngineFault(Exception):
    """An engine gave no results; `wait` is how long it asks to be left alone, in seconds."""

    def __init__(self, kind: Fault, message: str, wait: float | None = None) -> None:
        super().__init__(message)
        self.kind: Fault = kind
        self.wait = wait


@dataclass(frozen=True, slots=True)
class Entry:
    """One result as an engine gives it, cut to size and free of markup. `date` is YYYY-MM-DD or empty."""

    url: str
    title: str
    snippet: str
    date: str = ""


class Engine(Protocol):
    """One engine: its name, which filters it has, the least seconds between two requests, and how it is asked."""

    @property
    def name(self) -> str:
        """Name shown to the user, as in `--search`."""
        ...

    @property
    def filters(self) -> frozenset[Filter]:
        """The filters that it applies by itself."""
        ...

    @property
    def pause(self) -> float:
        """Least seconds between the starts of two requests."""
        ...

    async def ask(self, query: Query, limit: int, clock: Clock) -> list[Entry]:
        """Send one request and return what came, best first. Raises EngineFault."""
        ...


@dataclass(frozen=True, slots=True)
class Api:
    """An HTTP interface that answers with JSON."""

    exchange: Exchange
    target: Target

    async def get(
        self, parameters: Mapping[str, str], clock: Clock, headers: Iterable[tuple[str, str]] = ()
    ) -> Any:
        """Send a GET request with these parameters. Raises EngineFault."""
        path = f"{self.target.path}?{urlencode(parameters)}"
        target = Target(self.target.scheme, self.target.host, self.target.port, path)
        return await self._send(target, Ask("application/json", headers=tuple(headers)), clock)

    async def post(self, data: Mapping[str, Any], clock: Clock, headers: Iterable[tuple[str, str]] = ()) -> Any:
        """Send a POST request with JSON. Raises EngineFault."""
        body = json.dumps(data).encode()
        sent = (("Content-Type", "application/json"), *headers)
        return await self._send(self.target, Ask("application/json", "POST", sent, body), clock)

    async def _send(self, target: Target, ask: Ask, clock: Clock) -> Any:
        try:
            reply = await self.exchange.send(target, LIMITS, ask)
        except FetchFailed as error:
            raise EngineFault("down", str(error)) from error
        try:
            data = json.loads(reply.body) if reply.body else None
        except (ValueError, RecursionError):
            data = None
        if reply.status >= 300:
            raise _status_fault(reply.status, data, wait_asked(reply.headers, clock.now()))
        if not isinstance(data, dict):
            raise EngineFault("malformed", "the answer is not JSON")
        return data


def _status_fault(status: int, data: Any, wait: float | None) -> EngineFault:
    """Say what a status means at every engine; what is particular to one, it sees for itself by `code`."""
    match status:
        case 401 | 403:
            return EngineFault("key", f"the key is not accepted (status {status})")
        case 402 | 432 | 433:
            return EngineFault("quota", f"the plan's limit is used up (status {status})")
        case 429:
            return EngineFault("rate", "it asks to slow down", wait)
        case 422 if "TOKEN" in str(error_of(data).get("code", "")).upper():
            return EngineFault("key", "the key is not accepted (status 422)")
        case _ if status >= 500:
            return EngineFault("down", f"it has a fault of its own (status {status})", wait)
        case _ if status < 400:
            return EngineFault("request", f"it redirects (status {status}); is its address right?")
        case _:
            return EngineFault("request", f"it does not understand the request (status {status})")


def error_of(data: Any) -> Mapping[str, Any]:
    """Return the `error` object of an answer, empty when there is none."""
    error = data.get("error") if isinstance(data, dict) else None
    return error if isinstance(error, dict) else {}


def entries(items: Any, *, title: str, url: str, snippet: str, date: str) -> list[Entry]:
    """Make entries of a list of objects with these names for the fields; an object without a URL is left out.

    Raises EngineFault when it is no list, or when not one object is usable.
    """
    if not isinstance(items, list):
        raise EngineFault("malformed", "the answer has no list of results")
    found = [
        Entry(
            item[url].strip()[:_URL],
            plain(item.get(title), _TITLE),
            plain(item.get(snippet), _SNIPPET),
            day(item.get(date)),
        )
        for item in items
        if isinstance(item, dict) and isinstance(item.get(url), str) and item[url].strip()
    ]
    if items and not found:
        raise EngineFault("malformed", "the results have no addresses")
    return found


def plain(value: Any, limit: int) -> str:
    """Return text without the tags that engines mark words with."""
    return " ".join(unescape(_TAG.sub("", value)).split())[:limit] if isinstance(value, str) else ""


def day(value: Any) -> str:
    """Return the day of a date in ISO or HTTP form as YYYY-MM-DD, empty for anything else."""
    if not isinstance(value, str):
        return ""
    match = _ISO.match(value.strip())
    if match is not None:
        try:
            return datetime.fromisoformat(match[1]).date().isoformat()
        except ValueError:
            return ""
    found = moment(value)
    return "" if found is None else found.date().isoformat()


@dataclass(slots=True)
class Pace:
    """When an engine may be asked again: a pause between requests, and longer ones after failures."""

    pause: float
    next: float = 0.0
    closed_until: float = 0.0
    failures: int = 0
    why: str = ""

    async def turn(self, clock: Clock) -> None:
        """Wait for the pause to pass. Raises EngineFault while the engine is left alone."""
        now = clock.monotonic()
        if now < self.closed_until:
            raise EngineFault(
                "rate", f"{self.why}; it is left alone for {self.closed_until - now:.0f} seconds more"
            )
        start = max(now, self.next)
        self.next = start + self.pause
        if start > now:
            await clock.sleep(start - now)

    def settle(self, fault: EngineFault | None, clock: Clock) -> None:
        """Note how a request ended: after a failure an engine is left alone, each time for longer."""
        if fault is None:
            self.failures = 0
            return
        self.failures += 1
        self.why = str(fault)
        self.closed_until = clock.monotonic() + self._rest(fault)

    def _rest(self, fault: EngineFault) -> float:
        if fault.kind in ("key", "quota"):
            return 3600.0
        if fault.kind in ("request", "malformed"):
            return 0.0
        return fault.wait if fault.wait is not None else min(600.0, 15.0 * 2.0 ** (self.failures - 1))


async def in_time(seconds: float, work: Any) -> list[Entry]:
    """Await an engine's answer for so many seconds. Raises EngineFault."""
    try:
        async with asyncio.timeout(seconds):
            result: list[Entry] = await work
            return result
    except TimeoutError:
        raise EngineFault("time", f"it did not answer within {seconds:.3g} seconds") from None
