"""The tools of one lane, and which of them make sense in a given state."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from crowquill.agent.approvals import Safety, may_ever
from crowquill.agent.state import ENDINGS, State
from crowquill.errors import UserError
from crowquill.memory.evidence import Evidence
from crowquill.memory.snapshot import Snapshot
from crowquill.memory.untrusted import Untrusted
from crowquill.tools.browser.actions import browser_tools
from crowquill.tools.browser.browser import Browser
from crowquill.tools.context import ToolContext
from crowquill.tools.observation import Observation
from crowquill.tools.search.base import Passage
from crowquill.tools.sql.desk import Desk
from crowquill.tools.sql.schema import Schema
from crowquill.tools.tool import Tool, tool

_SEARCHES = 4
_SCROLLS = 3


BUILT_IN = ENDINGS | {
    *("search", "open", "find", "next", "scroll", "top", "outline", "goto", "all", "submit", "back", "quote"),
    *("math", "sql", "schema", "sql_change", "recall", "remember", "revise", "forget", "wolfram", "ask_user"),
}
"""Names that a custom tool may not take, whether or not the run has the tool."""

Rank = Callable[[Snapshot, str, ToolContext], Awaitable[list[Passage]]]
"""Finds the lines of a page that are closest to a question."""


@dataclass(frozen=True, slots=True)
class Toolkit:
    """Tools by name. Browser, ranking, schemas and the desk are also used by policies that choose by code."""

    tools: dict[str, Tool]
    rank: Rank
    browser: Browser | None = None
    schemas: tuple[Schema, ...] = ()
    desk: Desk | None = None

    def only(self, patterns: Sequence[str]) -> "Toolkit":
        """Return a toolkit with those tools alone whose names fit one of the patterns."""
        kept = {name: entry for name, entry in self.tools.items() if any(fnmatchcase(name, p) for p in patterns)}
        return replace(self, tools=kept)

    def without(self, names: Collection[str]) -> "Toolkit":
        """Return a toolkit without these tools."""
        return replace(self, tools={name: entry for name, entry in self.tools.items() if name not in names})

    def legal(self, state: State) -> frozenset[str]:
        """Return the actions that make sense now.

        Steadying rules: at most 3 scrolls in a row, at most 4 searches without opening a page, no answer
        before there is evidence, no giving up before anything was tried.
        """
        names = set(self.tools)
        if self.browser is not None:
            names -= _browser_names(self.browser) - self.browser.legal()
        past = [step.action.tool for step in state.steps]
        if past[-_SCROLLS:] == ["scroll"] * _SCROLLS:
            names.discard("scroll")
        since_open = past[len(past) - past[::-1].index("open") :] if "open" in past else past
        if since_open.count("search") >= _SEARCHES:
            names.discard("search")
        if state.evidence:
            names.add("answer")
        if past:
            names.add("give_up")
        return frozenset(names) or ENDINGS


def _browser_names(browser: Browser) -> set[str]:
    return {entry.name for entry in browser_tools(browser)}


def recall_tool() -> Tool:
    """The tool that looks up evidence which earlier runs have verified."""

    @tool
    async def recall(query: str, context: ToolContext) -> Observation:
        """Look up quotes and results that were verified earlier in this workspace."""
        found = await context.memory.recall(query, limit=5)
        return Observation(
            Untrusted("", "memory"), evidence=found, status=f"{len(found)} verified items from earlier runs"
        )

    return recall


def check_custom(tools: Sequence[Tool], safety: Safety) -> None:
    """Check the tools that a user has added.

    Raises:
        UserError: a name is taken, or a tool does more than read, which could never be allowed.
    """
    taken = set(BUILT_IN)
    for entry in tools:
        if entry.name in taken:
            owner = "is built in" if entry.name in BUILT_IN else "is there twice"
            raise UserError(f'a tool called {entry.name!r} {owner}: rename it, as in @tool(name="...")')
        if not callable(entry.access) and not may_ever(entry.name, entry.access, safety):
            raise UserError(
                f"the tool {entry.name!r} has access {entry.access!r}: name it in "
                f"Agent(…, allow=[{entry.name!r}]) if the model may use it without asking you each time, or give "
                "the agent an approver to ask"
            )
        taken.add(entry.name)


def check_allowed(patterns: Sequence[str] | None, custom: Sequence[Tool]) -> None:
    """Check the patterns of tools that a profile allows. Raises UserError when one fits no tool."""
    known = BUILT_IN | {entry.name for entry in custom}
    for pattern in () if patterns is None else patterns:
        if not any(fnmatchcase(name, pattern) for name in known):
            raise UserError(f"the profile allows {pattern!r}, and no tool is called so; there are {_listed(known)}")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))


def make_toolkit(
    browser: Browser | None,
    tools: Sequence[Tool],
    rank: Rank,
    *,
    schemas: Sequence[Schema] = (),
    desk: Desk | None = None,
) -> Toolkit:
    """Put the tools of a lane together, by name in a fixed order."""
    everything = [*(browser_tools(browser) if browser is not None else ()), *tools, recall_tool()]
    return Toolkit({entry.name: entry for entry in everything}, rank, browser, tuple(schemas), desk)


def numbers_of(evidence: Sequence[Evidence]) -> range:
    """Return the numbers by which prompts and citations name this evidence."""
    return range(1, len(evidence) + 1)
