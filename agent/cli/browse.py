"""`crowquill browse`: the text browser that models use, for a person."""

import asyncio
import os
import re
import sys
from collections.abc import Callable, Coroutine
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from crowquill.agent.cli.browse_keys import HELP, Ask, terminal_prompt
from crowquill.agent.cli.session import print_json
from crowquill.agent.direct import DirectContext
from crowquill.agent.render import clean
from crowquill.agent.workspace import Workspace, find_workspace
from crowquill.errors import CrowquillError, ToolRetry
from crowquill.memory.evidence import Quote
from crowquill.memory.snapshot import Line, Snapshot
from crowquill.tools.browser.browser import Browser
from crowquill.tools.browser.page import render_file
from crowquill.tools.browser.prefetch import Prefetch
from crowquill.tools.browser.window import WINDOW
from crowquill.tools.context import ToolContext
from crowquill.tools.fetch import Fetcher
from crowquill.tools.fetching import Fetching
from crowquill.tools.observation import Observation
from crowquill.tools.page_cache import PageCache
from crowquill.tools.script_fetch import ScriptFetcher, find_chromium
from crowquill.tools.search.base import PageSource, SearchProvider
from crowquill.tools.search.registry import DEFAULT, Setup, make_providers, split_specs

_DOMAIN = re.compile(r"(?:[\w-]+\.)+[a-z]{2,}(?::\d+)?(?:/\S*)?", re.IGNORECASE)
_PLACE = re.compile(r"(?P<page>p\.?\s*\d+)|(?P<line>\d+)|(?P<anchor>#\S+)")
_MARKS = re.compile(r"\[(?:\d{1,4}✓?|form \d+: [^\]]*)\]")


@dataclass(frozen=True, slots=True)
class BrowseOptions:
    """The command's options, as given."""

    corpora: tuple[str, ...] = ()
    allow_hosts: tuple[str, ...] = ()
    window: int = WINDOW
    search: str | None = None
    refresh: bool = False
    js: bool = False
    workspace: Path | None = None

    @property
    def fetching(self) -> Fetching:
        """How pages are fetched. Raises UserError."""
        return replace(Fetching.of_environment(os.environ), refresh=self.refresh, js=self.js)

    @property
    def providers(self) -> tuple[str, ...]:
        """The web search providers, in order."""
        return DEFAULT if self.search is None else split_specs(self.search)


class File:
    """A page source for the one file that the person has named."""

    def __init__(self, path: Path) -> None:
        self.url = path.absolute().as_uri()
        self._path = path

    def handles(self, url: str) -> bool:
        """Say whether this is the file."""
        return url == self.url

    async def open(self, url: str, context: ToolContext) -> Snapshot:
        """Render the file. Raises ToolFailed when it is no text."""
        return await asyncio.to_thread(render_file, self._path, url)


def run_browse(target: str, options: BrowseOptions, *, as_json: bool, whole: bool) -> int:
    """Show a page or the results of a search, and go on from there with keys, or with commands from a pipe."""
    if options.js:
        find_chromium()
    file = File(Path(target)) if Path(target).is_file() else None
    return asyncio.run(browse(target, file, options, as_json=as_json, whole=whole))


async def browse(target: str, file: File | None, options: BrowseOptions, *, as_json: bool, whole: bool) -> int:
    """Show a page or results, and carry out commands until there are no more; return the exit code."""
    workspace = Workspace(find_workspace(options.workspace))
    errors = Console(stderr=True, highlight=False)
    corpora = [workspace.corpus(name) for name in options.corpora]
    setup = Setup(os.environ, options.fetching)
    fetcher = (ScriptFetcher if options.js else Fetcher)(
        allow_hosts=options.allow_hosts,
        options=setup.options,
        proxy_password=setup.password,
        cache=PageCache(workspace.database),
    )
    sources: list[PageSource] = [*([file] if file is not None else []), *corpora, fetcher]
    providers: list[SearchProvider] = [*corpora] if corpora else make_providers(options.providers, setup)
    prefetch = Prefetch([fetcher])
    browser = Browser(providers, sources, window=options.window, prefetch=prefetch)
    context = DirectContext(workspace.blobs, lambda message: errors.print(Text(f"{message} …", "dim")))
    session = Session(browser, context)
    try:
        await session.go(target if file is None else file.url)
        if as_json:
            print_json(_json(browser))
        elif whole or (sys.stdin.isatty() and not sys.stdout.isatty()):
            session.print_whole()
        else:
            session.print_shown()
            return await _converse(session, errors)
        return 0
    finally:
        prefetch.cancel()
        fetcher.close()
        workspace.close()


async def _converse(session: "Session", errors: Console) -> int:
    """Carry out commands until there are no more; return 1 when one from a pipe has failed."""
    ask: Ask = terminal_prompt() if sys.stdin.isatty() else _next_line
    failed = False
    while (command := await ask()) is not None and command not in ("x", "q", "quit", "exit"):
        try:
            await session.do(command)
        except CrowquillError as error:
            failed = True
            errors.print(Text(clean(str(error)), "yellow"), soft_wrap=True)
    return int(failed and not sys.stdin.isatty())


async def _next_line() -> str | None:
    line = await asyncio.to_thread(sys.stdin.readline)
    return line.strip("\n") if line else None


class Session:
    """Carries out a person's commands, and prints what the browser shows."""

    def __init__(self, browser: Browser, context: DirectContext) -> None:
        self._browser = browser
        self._context = context
        self._console = Console(highlight=False)
        self._shown: Observation | None = None

    async def go(self, target: str) -> None:
        """Open a URL, a file or a corpus page; everything else is searched for."""
        if _DOMAIN.fullmatch(target):
            target = f"https://{target}"
        if target.startswith(("http://", "https://", "corpus:", "file:")):
            self._shown = await self._browser.open(target, self._context)
        else:
            self._shown = await self._browser.search(target, self._context)

    async def do(self, command: str) -> None:
        """Carry out one command and print what it shows. Raises ToolError."""
        command = command.strip()
        simple: dict[str, Callable[[], Observation]] = {
            "": lambda: self._browser.scroll("down"),
            "d": lambda: self._browser.scroll("down"),
            "u": lambda: self._browser.scroll("up"),
            "t": lambda: self._browser.goto(1),
            "b": self._browser.back,
            "n": self._browser.next,
            "o": self._browser.outline,
            "a": self._browser.show_all,
        }
        if command in ("?", "h", "help"):
            self._console.print(Text(HELP))
        elif command in simple:
            self._show(simple[command]())
        elif command.isdecimal() or command.startswith("#"):
            self._show(await self._browser.open(command, self._context))
        elif command.startswith("/"):
            self._show(self._find(command[1:]))
        else:
            name, _, rest = command.partition(" ")
            self._show(await self._with_argument(name, rest.strip(), command))

    def _with_argument(self, name: str, rest: str, command: str) -> Coroutine[Any, Any, Observation]:
        if rest and name == "g":
            return self._goto(rest)
        if rest and name == "q":
            return self._quote(rest)
        if rest and name == "s":
            return self._browser.search(rest, self._context)
        if rest and name == "f":
            return self._browser.submit(rest, self._context)
        if command.startswith(("http://", "https://", "corpus:")):
            return self._browser.open(command, self._context)
        raise ToolRetry(f"there is no command {name[:20]!r}; ? lists them")

    def _find(self, text: str) -> Observation:
        ignore = text.endswith("/~")
        return self._browser.find(text.removesuffix("/~"), ignore_accents=ignore)

    async def _goto(self, place: str) -> Observation:
        match = _PLACE.fullmatch(place)
        if match is None:
            raise ToolRetry("go to a line, a page or a place: g 40, g p7, g #history")
        if match["anchor"]:
            return self._browser.goto(anchor=place)
        if match["page"]:
            return self._browser.goto(page=int(re.sub(r"\D", "", place)))
        return self._browser.goto(int(place))

    async def _quote(self, what: str) -> Observation:
        text = what.strip("\"“”„'") if not what[:1].isdecimal() else ""
        return await self._browser.quote(self._context, lines="" if text else what, text=text)

    def _show(self, shown: Observation) -> None:
        self._shown = shown
        self.print_shown()

    def print_shown(self) -> None:
        """Print what was shown last."""
        if self._shown is None:
            return
        for evidence in self._shown.evidence:
            if isinstance(evidence, Quote):
                self._print_quote(evidence)
        if self._shown.text:
            self._print_text(clean(self._shown.text.text))
        self._console.print(Text(self._shown.status, "dim"), soft_wrap=True)

    def print_whole(self) -> None:
        """Print the open page to its end, or the results."""
        while self._shown is not None:
            self._print_text(clean(self._shown.text.text))
            try:
                self._shown = self._browser.scroll("down")
            except ToolRetry:
                return

    def _print_text(self, text: str) -> None:
        head, _, rest = text.partition("\n")
        self._console.print(Text(head, "bold"), soft_wrap=True)
        shown = Text(rest)
        shown.highlight_regex(_MARKS, "cyan")
        shown.highlight_regex(re.compile(r"^ *\d+(?=  )", re.MULTILINE), "dim")
        self._console.print(shown, soft_wrap=True)

    def _print_quote(self, quote: Quote) -> None:
        page = f", p. {quote.page}" if quote.page is not None else ""
        self._console.print(Text(f"“{clean(quote.text)}”", "green"), soft_wrap=True)
        self._console.print(Text(f"  {clean(quote.source.title)}{page}, {clean(quote.source.url)}"), soft_wrap=True)


def _json(browser: Browser) -> dict[str, Any]:
    page = browser.current
    if page is None:
        hits = [{"url": hit.url, "title": hit.title, "snippet": hit.snippet} for hit in browser.hits]
        return {"schema": 1, "results": hits}
    lines = [
        {"number": number, "page": page.page_of(number), "text": page.line_text(number), **_kind(line)}
        for number, line in enumerate(page.lines, 1)
    ]
    return {
        "schema": 1,
        "url": page.url,
        "title": page.title,
        "sha256": page.sha256,
        "hidden": page.hidden,
        "main": page.main_lines,
        "lines": lines,
        "links": [asdict(link) for link in page.links],
        "forms": [asdict(form) for form in page.forms],
    }


def _kind(line: Line) -> dict[str, Any]:
    return {"kind": line.kind, "level": line.level, "mark": line.mark}
