"""Builds a corpus: finds the files of a folder, renders what changed, resolves links between the pages."""

import contextlib
import fcntl
import hashlib
import os
import shutil
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from crowquill.errors import StorageError, ToolError, UserError
from crowquill.memory.embed import Embedder
from crowquill.memory.lexical import LexicalIndex
from crowquill.memory.snapshot import Link, Snapshot
from crowquill.tools.browser.page import RENDERER, render_file
from crowquill.tools.search.shelf import Page, Shelf

SUFFIXES = frozenset({".html", ".htm", ".xhtml", ".md", ".markdown", ".txt", ".text"})
"""Files that are taken in, by suffix in lower case."""

LARGEST = 20_000_000
"""Bytes above which a file is not taken in."""

LEAD = 1200
"""Characters of a page from which, with its title, the page's vector is made."""

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


@dataclass(frozen=True, slots=True)
class _Found:
    path: str
    size: int
    mtime: int


def build(
    directory: Path, source: Path, embedder: Embedder, *, progress: Callable[[int, int], None] | None
) -> BuildReport:
    """Bring the corpus in `directory` up to date with the folder `source`.

    Only files whose size, time and content changed are rendered. Searches see the old state until the end.
    `progress` gets the number of pages done and the number of all.

    Raises:
        UserError: `source` is no folder, or holds nothing that can be indexed.
        StorageError: the index cannot be written, or another process is building it.
    """
    root = source.expanduser().resolve()
    if not root.is_dir():
        raise UserError(f"{source} is not a folder; give the folder whose pages are to be searched")
    with _one_builder(directory):
        shelf = Shelf(directory / "pages.db")
        shelf.prepare({"embedder": embedder.name, "renderer": RENDERER})
        return _Build(directory, root, shelf, embedder).run(progress)


@contextlib.contextmanager
def _one_builder(directory: Path) -> Iterator[None]:
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
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
        self._problems: list[str] = []
        self._failed = 0
        self._skipped = 0

    def run(self, progress: Callable[[int, int], None] | None) -> BuildReport:
        found = {file.path: file for file in self._walk(self._root)}
        known, staged = self._shelf.known("pages"), self._shelf.known("staged")
        if not found and not known:
            raise UserError(f"{self._root} holds no page to index ({', '.join(sorted(SUFFIXES))})")
        ready: list[str] = []
        touched: dict[str, tuple[int, int]] = {}
        failed: set[str] = set()
        waiting: list[tuple[_Found, str, Snapshot]] = []
        for done, file in enumerate(found.values(), 1):
            if (file.size, file.mtime) != known.get(file.path, ("", ""))[:2]:
                outcome = self._examine(file, known, staged)
                if isinstance(outcome, tuple):
                    waiting.append((file, *outcome))
                    ready.append(file.path)
                elif outcome == "staged":
                    ready.append(file.path)
                elif outcome == "touched":
                    touched[file.path] = (file.size, file.mtime)
                else:
                    failed.add(file.path)
            if len(waiting) >= _BATCH:
                self._stage(waiting, found)
                waiting.clear()
            if progress is not None:
                progress(done, len(found))
        self._stage(waiting, found)
        removed = [path for path in known if path not in found]
        before = self._shelf.get_meta("version")
        if ready or removed or touched or before is None:
            self._shelf.publish(ready, removed, touched)
        self._index(before, ready, removed)
        self._shelf.set_meta("source", str(self._root))
        return BuildReport(
            added=sum(path not in known for path in ready),
            changed=sum(path in known for path in ready),
            removed=len(removed),
            unchanged=len(found) - len(ready) - len(failed),
            failed=self._failed,
            skipped=self._skipped,
            problems=tuple(self._problems[:50]),
        )

    def _walk(self, folder: Path) -> Iterator[_Found]:
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            self._fail(folder, error.strerror)
            return
        for entry in entries:
            if entry.name.startswith("."):
                continue
            path = Path(entry.path)
            if entry.is_symlink():
                yield from self._follow(path)
            elif entry.is_dir():
                yield from self._walk(path)
            elif path.suffix.lower() in SUFFIXES:
                yield from self._admit(path)

    def _follow(self, link: Path) -> Iterator[_Found]:
        """Take in a linked file of the folder; a linked folder inside it comes by its own name."""
        target = Path(os.path.realpath(link))
        if not target.is_relative_to(self._root):
            self._skipped += 1
            self._problems.append(f"{self._shown(link)}: a link that leads out of the folder")
        elif target.is_file() and link.suffix.lower() in SUFFIXES:
            yield from self._admit(link)

    def _admit(self, path: Path) -> Iterator[_Found]:
        relative = path.relative_to(self._root).as_posix()
        try:
            relative.encode()
            status = path.stat()
        except UnicodeEncodeError:
            return self._fail(path, "the name is not UTF-8")
        except OSError as error:
            return self._fail(path, error.strerror)
        if not stat.S_ISREG(status.st_mode):
            return self._fail(path, "not a regular file")
        if status.st_size > LARGEST:
            return self._fail(path, f"larger than {LARGEST // 1_000_000} MB")
        yield _Found(relative, status.st_size, status.st_mtime_ns)

    def _shown(self, path: Path) -> str:
        return path.relative_to(self._root).as_posix().encode("utf-8", "backslashreplace").decode()

    def _fail(self, path: Path, reason: str | None) -> None:
        self._failed += 1
        self._problems.append(f"{self._shown(path)}: {reason}")

    def _examine(
        self, file: _Found, known: dict[str, tuple[int, int, str]], staged: dict[str, tuple[int, int, str]]
    ) -> tuple[str, Snapshot] | str:
        """Return hash and rendering of a file that changed, or what else is the case with it."""
        path = self._root / file.path
        try:
            raw_sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
            if known.get(file.path, ("", "", ""))[2] == raw_sha256:
                return "touched"
            if staged.get(file.path) == (file.size, file.mtime, raw_sha256):
                return "staged"
            return raw_sha256, render_file(path, _BASE + quote(file.path))
        except OSError as error:
            self._fail(path, error.strerror)
        except ToolError as error:
            self._fail(path, str(error))
        return "failed"

    def _stage(self, waiting: Sequence[tuple[_Found, str, Snapshot]], found: dict[str, _Found]) -> None:
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

    def _adopt(self, file: _Found, snapshot: Snapshot, found: dict[str, _Found]) -> Snapshot:
        """Give a page its corpus URL, a title, and the corpus URLs of its links."""
        links = tuple(self._resolved(link, found) for link in snapshot.links)
        named = snapshot.title.strip() and snapshot.title != snapshot.url.rpartition("/")[2]
        title = snapshot.title if named else Path(file.path).stem.replace("_", " ")
        return replace(snapshot, url=self._url(file.path), title=title, links=links, kind="corpus")

    def _resolved(self, link: Link, found: dict[str, _Found]) -> Link:
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
            if link.url.startswith(prefix) and link.url != snapshot.url
        )

    def _index(self, before: str | None, ready: Sequence[str], removed: Sequence[str]) -> None:
        """Bring the text index from version `before` to that of the pages; if it is not at `before`, anew."""
        version = str(self._shelf.get_meta("version"))
        name, indexed = self._shelf.get_meta("text"), self._shelf.get_meta("indexed")
        if name is not None and (self._directory / name).is_dir():
            if indexed == version:
                return
            if indexed == before:
                self._shelf.set_meta("indexed", "")
                with contextlib.suppress(StorageError):  # damaged: the next lines replace it
                    self._fill(self._directory / name, ready, removed)
                    self._shelf.set_meta("indexed", version)
                    return
        name = f"text-{version}"
        shutil.rmtree(self._directory / name, ignore_errors=True)
        self._fill(self._directory / name, None, ())
        self._shelf.set_meta("text", name)
        self._shelf.set_meta("indexed", version)
        for old in self._directory.glob("text-*"):
            if old.name != name:
                shutil.rmtree(old, ignore_errors=True)

    def _fill(self, folder: Path, added: Sequence[str] | None, removed: Sequence[str]) -> None:
        index = LexicalIndex(folder)
        for path in removed:
            index.delete(path)
        for path, title, text in self._shelf.texts(added):
            index.add(path, title=title, body=text)
        index.commit()
