"""How long a response may be used again, as RFC 9111 has it for a private cache."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

UNSAID = 600.0
"""Seconds for which a page is used that says nothing of its age (a heuristic, as section 4.2.2 allows)."""
LONGEST = 30 * 86400.0
"""Seconds beyond which no page is used without asking its site, whatever it says."""
_HEURISTIC_SHARE, _HEURISTIC_LONGEST = 0.1, 86400.0
_DIRECTIVE = re.compile(r'([a-z-]+)\s*(?:=\s*(?:"([^"]*)"|([^,\s]*)))?', re.IGNORECASE)
_KEPT = frozenset({200, 203, 301, 308})
"""Statuses that are kept without being told to; a passing redirect is kept only with a stated time."""


def lifetime(status: int, headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the seconds for which a response is fresh: 0 to ask again each time, None to keep nothing of it.

    Header names are in lower case.
    """
    directives = _directives(headers.get("cache-control", ""))
    if "no-store" in directives:
        return None
    stated = _stated(directives, headers, now)
    if status not in _KEPT and not stated:
        return None
    if "no-cache" in directives or "*" in headers.get("vary", ""):
        return 0.0
    if not directives and "no-cache" in headers.get("pragma", "").lower():
        return 0.0
    return min(LONGEST, max(0.0, _heuristic(headers, now) if stated is None else stated))


def _directives(text: str) -> dict[str, str]:
    return {name.lower(): quoted or plain for name, quoted, plain in _DIRECTIVE.findall(text[:2000])}


def _stated(directives: Mapping[str, str], headers: Mapping[str, str], now: datetime) -> float | None:
    """Return what the response says: `max-age`, else `Expires`; what cannot be read is stale."""
    age = _seconds(headers.get("age", "0"))
    if "max-age" in directives:
        return _seconds(directives["max-age"]) - age
    if "expires" in headers:
        expires = moment(headers["expires"])
        date = moment(headers.get("date", ""))
        return 0.0 if expires is None else (expires - (now if date is None else date)).total_seconds() - age
    return None


def _heuristic(headers: Mapping[str, str], now: datetime) -> float:
    changed = moment(headers.get("last-modified", ""))
    if changed is None:
        return UNSAID
    return min(_HEURISTIC_LONGEST, _HEURISTIC_SHARE * (now - changed).total_seconds())


def moment(text: str) -> datetime | None:
    """Return the time that an HTTP date names, in UTC; None when it is none."""
    try:
        found = parsedate_to_datetime(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _seconds(text: str) -> float:
    return float(text) if text.isdecimal() and len(text) < 12 else 0.0


def wait_asked(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the seconds that a `Retry-After` asks to wait, at most a day; None when it says nothing."""
    text = headers.get("retry-after", "").strip()
    if text.isdecimal():
        return min(86400.0, _seconds(text) if len(text) < 12 else 86400.0)
    until = moment(text)
    return None if until is None else min(86400.0, max(0.0, (until - now).total_seconds()))
