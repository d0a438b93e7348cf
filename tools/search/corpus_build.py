"""Builds a corpus: finds the files of a folder, renders what changed, resolves links between the pages."""

import contextlib
import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from crowquill.errors import StorageError, ToolError, UserError
from crowquill.memory.embed import Embedder
from crowquill.memory.lexical import LexicalIndex
from crowquill.memory.owned import own_folder
from crowquill.memory.snapshot import Link, Snapshot
from crowquill.tools.browser.page import RENDERER
from crowquill.tools.search.gather import SUFFIXES, Document, Gatherer
from crowquill.tools.search.shelf import Page, Shelf

LEAD = 700
"""Characters of a page from which, with its title, the page's vector is made. The encoder averages what it reads:
on 60 HotpotQA questions 400, 700 and 1,200 (whole pages) find 0.925, 0.933 and 0.917 of the supporting pages."""

Progress = Callable[[str, int, int], None]
"""Gets what is being done, and how many pages of how many are done."""

_BATCH = 32
# Pages are rendered under an address that every URL library can join links to; `corpus:` is no such scheme.
_BASE = "https://corpus.invalid/"


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a build did, in numbers of pages. `skipped` counts links that lead out of the folder.

    `problems` names the failed and skipped files with the reason, one line each, at most fifty.
    """

    added: int
    changed: int
    removed: int
    unchanged: int
    failed: int
    skipped: int = 0
    problems: tuple[str, ...] = ()


def build(directory: Path, source: Path, embedder: Embedder, *, progress: Progress | None) -> BuildReport:
    """Bring the corpus in `directory` up to date with the folder, or the ZIM file, `source`.

    Only documents whose size, time and content changed are rendered. Searches see the old state until the end.

    Raises:
        UserError: `source` is neither, or holds nothing that can be indexed.
        StorageError: the index cannot be written, or another process is building it.
    """
    root = source.expanduser().resolve()
    if not root.is_dir() and root.suffix.lower() != ".zim":
        raise UserError(f"{source} is not a folder; give the folder whose pages are to be searched, or a ZIM file")
    with _one_builder(directory):
        shelf = Shelf(directory / "pages.db")
        shelf.prepare({"embedder": embedder.name, "renderer": RENDERER})
        return _Build(directory, root, shelf, embedder).run(progress)


@contextlib.contextmanager
def _one_builder(directory: Path) -> Iterator[None]:
    try:
        own_folder(directory)
        lock = os.open(directory / "build.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StorageError(f"cannot write the corpus {directory}: {error.strerror}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise StorageError(f"another process is building the corpus {directory.name}; try again later") from error
    finally:
        os.close(lock)


class _Build:
    def __init__(self, directory: Path, root: Path, shelf: Shelf, embedder: Embedder) -> None:
        self._directory = directory
        self._root = root
        self._shelf = shelf
        self._embedder = embedder
        self._gatherer = Gatherer(root)

    def run(self, progress: Progress | None) -> BuildReport:
        say = (lambda *_: None) if progress is None else progress
        found: dict[str, Document] = {}
        for document in self._gatherer.walk():
            found[document.path] = document
            if len(found) % 1000 == 0:
                say("finding pages", len(found), 0)
        known, staged = self._shelf.known("pages"), self._shelf.known("staged")
        if not found and not known:
            raise UserError(f"{self._root} holds no page to index ({', '.join(sorted(SUFFIXES))})")
        ready: list[str] = []
        touched: dict[str, tuple[int, int]] = {}
        failed: set[str] = set()
        waiting: list[tuple[Document, str, Snapshot]] = []
        for done, document in enumerate(found.values(), 1):
            if (document.size, document.mtime) != known.get(document.path, ("", ""))[:2]:
                outcome = self._examine(document, known, staged)
                if isinstance(outcome, tuple):
                    waiting.append((document, *outcome))
                    ready.append(document.path)
                elif outcome == "staged":
                    ready.append(document.path)
                elif outcome == "touched":
                    touched[document.path] = (document.size, document.mtime)
                else:
                    failed.add(document.path)
            if len(waiting) >= _BATCH:
                self._stage(waiting, found)
                waiting.clear()
            say("reading pages", done, len(found))
        self._stage(waiting, found)
        removed = [path for path in known if path not in found]
        before = self._shelf.get_meta("version")
        if ready or removed or touched or before is None:
            self._shelf.publish(ready, removed, touched)
        self._index(before, ready, removed, say)
        self._shelf.set_meta("source", str(self._root))
        return BuildReport(
            added=sum(path not in known for path in ready),
            changed=sum(path in known for path in ready),
            removed=len(removed),
            unchanged=len(found) - len(ready) - len(failed),
            failed=self._gatherer.failed,
            skipped=self._gatherer.skipped,
            problems=tuple(self._gatherer.problems[:50]),
        )

    def _examine(
        self, document: Document, known: dict[str, tuple[int, int, str]], staged: dict[str, tuple[int, int, str]]
    ) -> tuple[str, Snapshot] | str:
        """Return hash and rendering of a document that changed, or what else is the case with it."""
        try:
            raw_sha256 = hashlib.sha256(document.read()).hexdigest()
            if known.get(document.path, ("", "", ""))[2] == raw_sha256:
                return "touched"
            if staged.get(document.path) == (document.size, document.mtime, raw_sha256):
                return "staged"
            return raw_sha256, document.render(_BASE + quote(document.path))
        except OSError as error:
            self._gatherer.fail(document.path, error.strerror)
        except ToolError as error:
            self._gatherer.fail(document.path, str(error))
        return "failed"

    def _stage(self, waiting: Sequence[tuple[Document, str, Snapshot]], found: dict[str, Document]) -> None:
        if not waiting:
            return
        snapshots = [self._adopt(file, snapshot, found) for file, _, snapshot in waiting]
        vectors = self._embedder.embed([f"{page.title}\n{page.text[:LEAD]}" for page in snapshots])
        self._shelf.stage(
            [
                Page(file.path, file.size, file.mtime, raw, snapshot, self._inner(snapshot), vector)
                for (file, raw, _), snapshot, vector in zip(waiting, snapshots, vectors, strict=True)
            ]
        )

    def _adopt(self, file: Document, snapshot: Snapshot, found: dict[str, Document]) -> Snapshot:
        """Give a page its corpus URL, a title, and the corpus URLs of its links."""
        links = tuple(self._resolved(link, found) for link in snapshot.links)
        named = snapshot.title.strip() and snapshot.title != snapshot.url.rpartition("/")[2]
        title = snapshot.title if named else Path(file.path).stem.replace("_", " ")
        return replace(snapshot, url=self._url(file.path), title=title, links=links, kind="corpus")

    def _resolved(self, link: Link, found: dict[str, Document]) -> Link:
        if not link.url.startswith(_BASE):
            return link
        path = unquote(urlsplit(link.url).path).lstrip("/")
        folder = path.rstrip("/")
        for candidate in (path, f"{path}.html", f"{path}.md", f"{folder}/index.html".lstrip("/")):
            if candidate in found:
                return replace(link, url=self._url(candidate))
        return replace(link, url=self._url(path))

    def _url(self, path: str) -> str:
        return f"corpus:{self._directory.name}/{path}"

    def _inner(self, snapshot: Snapshot) -> tuple[tuple[str, int], ...]:
        prefix = self._url("")
        return tuple(
            (link.url.removeprefix(prefix), link.line)
            for link in snapshot.links
            if link.url.startswith(prefix) and link.url != snapshot.url and link.line <= snapshot.main_lines
        )

    def _index(self, before: str | None, ready: Sequence[str], removed: Sequence[str], say: Progress) -> None:
        """Bring the text index from version `before` to that of the pages; if it is not at `before`, anew."""
        version = str(self._shelf.get_meta("version"))
        name, indexed = self._shelf.get_meta("text"), self._shelf.get_meta("indexed")
        if name is not None and (self._directory / name).is_dir():
            if indexed == version:
                return
            if indexed == before:
                self._shelf.set_meta("indexed", "")
                with contextlib.suppress(StorageError):  # damaged: the next lines replace it
                    self._fill(self._directory / name, ready, removed, say)
                    self._shelf.set_meta("indexed", version)
                    return
        name = f"text-{version}"
        shutil.rmtree(self._directory / name, ignore_errors=True)
        self._fill(self._directory / name, self._shelf.paths(), (), say)
        self._shelf.set_meta("text", name)
        self._shelf.set_meta("indexed", version)
        for old in self._directory.glob("text-*"):
            if old.name != name:
                shutil.rmtree(old, ignore_errors=True)

    def _fill(self, folder: Path, added: Sequence[str], removed: Sequence[str], say: Progress) -> None:
        index = LexicalIndex(folder)
        for path in removed:
            index.delete(path)
        for done, (path, title, text) in enumerate(self._shelf.texts(added), 1):
            index.add(path, title=title, body=text)
            say("indexing words", done, len(added))
        index.commit()
