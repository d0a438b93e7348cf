"""Rules that do not trust the model: which URLs may be opened, and what may leave the machine."""

import base64
import binascii
import re
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import unquote_plus, urldefrag

from crowquill.agent.approvals import Act, ApprovalRequest, Planned
from crowquill.errors import ToolFailed, ToolRetry
from crowquill.memory.evidence import Evidence, Quote, Table
from crowquill.tasks.task import Task
from crowquill.tools.search.urls import is_of

CLEAN = frozenset({"math"})
"""Tools whose results are our own: they compute what they are told, and read nothing from outside."""
_URL = re.compile(r"https?://[^\s<>\"'`]+")
_PRIVATE_LENGTH = 12
"""Letters and digits in a row that, when they stand in a database, do not leave the machine (RELIABILITY R4)."""
_MAX_CELL = 20_000
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{16,}")
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2}){12,}")


class Rules:
    """The egress rules of one run.

    A URL may be opened only when the user wrote it, a search returned it or a fetched page links to it,
    unchanged. Once a database was read, no 12 letters and digits in a row of its cells may appear in a URL or a
    search, but for what the user has written.
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
        self._offered = set(map(_key, urls_in(objective)))
        self._private: set[str] = set()
        self._own = set(_windows(_squeeze(objective)))

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
        self._private |= lane._private
        self.taint(lane.tainted)

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

    def offer(self, urls: list[str]) -> None:
        """Make URLs openable."""
        self._offered.update(map(_key, urls))

    def protect(self, table: Table) -> None:
        """Remember the cells of a query result as private."""
        self.keep(str(cell) for row in table.rows for cell in row if cell is not None)

    def take_up(self, evidence: Evidence) -> None:
        """Take over what an earlier run has found: its page may be opened, its cells are private."""
        match evidence:
            case Quote():
                self.offer([evidence.source.url])
                self.taint(evidence.source.url)
            case Table():
                self.protect(evidence)
                self.taint(evidence.database)
            case _:
                pass

    def keep(self, texts: Iterable[str]) -> None:
        """Remember texts as private."""
        for text in texts:
            self._private.update(_windows(_squeeze(text[:_MAX_CELL])))

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
        """Say whether text carries private data, plain, percent-encoded, in base64, hex or reversed."""
        return bool(self._private) and any(
            window in self._private and window not in self._own
            for form in _readings(text)
            for plain in (_squeeze(form), _squeeze(form)[::-1])
            for window in _windows(plain)
        )


def urls_in(text: str) -> list[str]:
    """Return the URLs that stand in a text, without the punctuation after them."""
    return [url.rstrip(".,;:!?)") for url in _URL.findall(text)]


def _key(url: str) -> str:
    return urldefrag(url).url


def _squeeze(text: str) -> str:
    """Return the letters and digits alone, case folded: spaces and punctuation disguise nothing."""
    return "".join(letter for letter in text.casefold() if letter.isalnum())


def _windows(text: str) -> Iterator[str]:
    """Yield every run of `_PRIVATE_LENGTH` characters."""
    return (text[at : at + _PRIVATE_LENGTH] for at in range(len(text) - _PRIVATE_LENGTH + 1))


def _readings(text: str) -> Iterator[str]:
    """Yield what a text says: as it is, percent-decoded (twice), and its parts in base64 and hex decoded."""
    for form in dict.fromkeys((text, unquote_plus(text), unquote_plus(unquote_plus(text)))):
        yield form
        for run in _HEX.findall(form):
            yield bytes.fromhex(run).decode("utf-8", "replace")
        for run in _BASE64.findall(form):
            for skip in range(4):  # letters before the code shift it
                part = run[skip : skip + (len(run) - skip) // 4 * 4]
                try:
                    yield base64.b64decode(part, altchars=b"-_" if {"-", "_"} & {*part} else None).decode(
                        "utf-8", "replace"
                    )
                except binascii.Error:
                    continue
