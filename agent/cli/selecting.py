"""Which records a command means."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import cast, get_args

from crowquill.agent.records import find_run
from crowquill.agent.workspace import Workspace
from crowquill.errors import UserError
from crowquill.memory.record import Filter, Kind

_UNITS = {"h": "hours", "d": "days", "w": "weeks"}


@dataclass(frozen=True, slots=True)
class Selection:
    """Conditions as they were typed."""

    kinds: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    source: str = ""
    since: str = ""
    until: str = ""
    run: str = ""
    shelved: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether every record is meant."""
        return not (self.kinds or self.namespaces or self.source or self.since or self.until or self.run)

    def chosen(self, workspace: Workspace) -> Filter:
        """Return the filter. Raises UserError for a kind or a time that is none, or a run that is not there."""
        if unknown := set(self.kinds) - set(get_args(Kind)):
            raise UserError(f"there is no kind {min(unknown)!r}; kinds are {', '.join(get_args(Kind))}")
        run = workspace.database.read_now(lambda c: find_run(c, self.run).id) if self.run else ""
        return Filter(
            kinds=frozenset(cast("tuple[Kind, ...]", self.kinds)),
            namespaces=frozenset(self.namespaces),
            source=self.source,
            since=_moment(self.since, "--since"),
            until=_moment(self.until, "--until"),
            run=run,
            shelved=self.shelved,
        )


def duration(text: str, option: str) -> timedelta:
    """Read "30d". Raises UserError."""
    match = re.fullmatch(r"(\d{1,6})([hdw])", text.strip())
    if match is None:
        raise UserError(f"{option} {text!r}: write a number and h, d or w, as in 30d")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def _moment(text: str, option: str) -> str:
    """Return a day, or so long ago, as a time in UTC."""
    if not text:
        return ""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = datetime.now(UTC) - duration(text, option)
    return (at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)).isoformat()
