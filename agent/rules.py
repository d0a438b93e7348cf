"""Rules that do not trust the model: which URLs may be opened, and what may leave the machine."""

import re
from collections.abc import Iterable, Sequence
from urllib.parse import urldefrag, urlsplit

from crowquill.agent.approvals import Act, ApprovalRequest, Planned
from crowquill.agent.private import SHORT, Private, squeeze, windows
from crowquill.errors import ToolFailed, ToolRetry
from crowquill.memory.evidence import Evidence, Quote, Table
from crowquill.tasks.task import Task
from crowquill.tools.search.urls import is_of

CLEAN = frozenset({"math"})
"""Tools whose results are our own: they compute what they are told, and read nothing from outside."""
_URL = re.compile(r"https?://[^\s<>\"'`]+")
_BARE = re.compile(r"(?<![\w@./-])www\.[\w-]+(?:\.[\w-]+)+(?::\d+)?(?:/[^\s<>\"'`]*)?")


class Rules:
    """The egress rules of one lane.

    A URL may be opened only when the user wrote it, a search returned it or a fetched page links to it,
    unchanged. What databases, the user's files and memory hold may not appear in a URL or a search (see
    `agent.private`), but for what the user has written; and once such was read, links of pages lead only to hosts
    that were known before.
    """

    def __init__(self, objective: str, sites: Sequence[str] = ()) -> None:
        self.sites = sites
        """The only sites that may be fetched; all when there are none."""
        self.tainted = ""
        """Where the first text from outside was read; empty until then."""
        self.task = ""
        """What is being worked on, for a person who is asked."""
        self.acts: list[Act] = []
        """What mode `strict` has planned, and is not done yet."""
        self.reads_only = False
        """Whether the task may only read, since it was made from what was read."""
        self._offered: set[str] = set()
        self._hosts: set[str] = set()
        self._private = Private()
        self._own: frozenset[str] = frozenset()
        self.hear(objective)

    def fork(self, task: Task | None = None) -> "Rules":
        """Return a copy for the lane of a task: what it reads changes others only after both have ended."""
        copy = Rules("", self.sites)
        copy.absorb(self)
        if task is not None:
            copy.task = task.goal
            copy.acts = [act for act in self.acts if act.task == task.id]
            copy.reads_only = task.born_of_reading and bool(self.tainted)
        copy._own = self._own
        return copy

    def absorb(self, lane: "Rules") -> None:
        """Take over what a lane has learned."""
        self._offered |= lane._offered
        self._hosts |= lane._hosts
        self._private.absorb(lane._private)
        self.taint(lane.tainted)

    def hear(self, text: str) -> None:
        """Take in what the user says: its URLs may be opened, and its words may be sent."""
        self.offer(
            [*urls_in(text), *(f"{scheme}://{bare}" for bare in _bare_in(text) for scheme in ("https", "http"))]
        )
        self._own |= frozenset(windows(squeeze(text), SHORT))

    def planned(self, request: ApprovalRequest) -> Planned:
        """Say whether a call was planned; it is taken off the plan, as it was planned once."""
        for act in self.acts:
            if (how := act.fits(request)) != "no":
                self.acts.remove(act)
                return how
        return "no"

    def taint(self, source: str) -> None:
        """Remember that text from outside was read."""
        self.tainted = self.tainted if self.tainted else source

    @property
    def offered(self) -> frozenset[str]:
        """The URLs that may be opened."""
        return frozenset(self._offered)

    def offer(self, urls: Iterable[str], *, page: str = "") -> None:
        """Make URLs openable; `page` is the one whose links they are."""
        if page and self._private:
            known = self._hosts | {_host(page)}
            urls = [url for url in urls if _host(url) in known]
        keys = [_key(url) for url in urls]
        self._offered.update(keys)
        self._hosts.update(map(_host, keys))

    def protect(self, table: Table) -> None:
        """Remember the cells of a query result as private."""
        self.keep(str(cell) for row in table.rows for cell in row if cell is not None)

    def protect_text(self, text: str) -> None:
        """Remember the text of a file of the user's, or of memory, as private."""
        self._private.keep_text(text)

    def take_up(self, evidence: Evidence) -> None:
        """Take over what an earlier run has found: its page may be opened, its cells are private."""
        match evidence:
            case Quote():
                self.offer([evidence.source.url])
                self.protect_text(evidence.text)
                self.taint(evidence.source.url)
            case Table():
                self.protect(evidence)
                self.taint(evidence.database)
            case _:
                pass

    def keep(self, texts: Iterable[str]) -> None:
        """Remember values of a database as private."""
        self._private.keep_cells(texts)

    def knows(self, url: str) -> bool:
        """Say whether a URL was offered, and is of the sites of this run."""
        return _key(url) in self._offered and self.is_inside(url)

    def is_inside(self, url: str) -> bool:
        """Say whether a URL is of the sites of this run."""
        return not self.sites or is_of(url, self.sites)

    def check_known(self, url: str) -> None:
        """Allow a URL that was offered. Raises ToolRetry for another one, ToolFailed for one of another site."""
        if not self.is_inside(url):
            raise ToolFailed(f"refused: only pages of {', '.join(self.sites)} are read in this run")
        if not self.knows(url):
            raise ToolRetry("that URL was not given by the user, a search result or a link on a page")

    def check_url(self, url: str) -> None:
        """Allow a URL. Raises ToolRetry for an invented one, ToolFailed if it carries private data."""
        self.check_known(url)
        self.check_outgoing(url)

    def check_outgoing(self, text: str) -> None:
        """Refuse text that carries private data out. Raises ToolFailed."""
        if self.is_private(text):
            raise ToolFailed("refused: this would send data from the database to the web")

    def is_private(self, text: str) -> bool:
        """Say whether text carries private data, plain or in disguise."""
        return bool(self._private) and self._private.is_in(text, self._own)

    def note_sent(self, text: str) -> None:
        """Remember text that leaves, so that private data cannot leave in pieces."""
        self._private.note_sent(text)


def urls_in(text: str) -> list[str]:
    """Return the URLs that stand in a text, without the punctuation after them."""
    return [url.rstrip(".,;:!?)") for url in _URL.findall(text)]


def _bare_in(text: str) -> list[str]:
    """Return the addresses of a text that people write without `https://`."""
    return [address.rstrip(".,;:!?)") for address in _BARE.findall(text)]


def _key(url: str) -> str:
    return urldefrag(url).url


def _host(url: str) -> str:
    try:
        return urlsplit(url).netloc.lower()
    except ValueError:
        return ""
