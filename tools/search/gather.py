"""Finds the documents of a folder: files by their suffix, and the articles of ZIM files (offline Wikipedia)."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from crowquill.errors import UserError
from crowquill.memory.snapshot import Snapshot
from crowquill.tools.browser.page import render, render_file

if TYPE_CHECKING:
    from libzim.reader import Archive

SUFFIXES = frozenset({".html", ".htm", ".xhtml", ".md", ".markdown", ".pdf", ".txt", ".text", ".zim"})
"""Files that are taken in, by suffix in lower case."""

LARGEST = 20_000_000
"""Bytes above which a file is not taken in, nor an article of a ZIM file."""

_ARTICLES = ("text/html", "application/xhtml+xml", "application/pdf", "text/plain", "text/markdown")


class Document(Protocol):
    """One page to be: `path` is relative to the folder, `size` and `mtime` (ns) change when it does."""

    @property
    def path(self) -> str:
        """Where it lies, and its part of the page's URL."""
        ...

    @property
    def size(self) -> int:
        """Bytes of the file that it is in."""
        ...

    @property
    def mtime(self) -> int:
        """When that file was changed, in nanoseconds."""
        ...

    def read(self) -> bytes:
        """Return its bytes. Raises OSError."""
        ...

    def render(self, url: str) -> Snapshot:
        """Make a page of it. Raises OSError or ToolFailed."""
        ...


@dataclass(frozen=True, slots=True)
class FileDocument:
    """A file of its own."""

    file: Path
    path: str
    size: int
    mtime: int

    def read(self) -> bytes:
        """Return its bytes. Raises OSError."""
        return self.file.read_bytes()

    def render(self, url: str) -> Snapshot:
        """Make a page of it. Raises OSError or ToolFailed."""
        return render_file(self.file, url)


@dataclass(frozen=True, slots=True)
class ZimDocument:
    """An article of a ZIM file; `size` and `mtime` are the file's."""

    archive: "Archive"
    number: int
    path: str
    size: int
    mtime: int

    def read(self) -> bytes:
        """Return its bytes. Raises OSError when the file is damaged there, or the article too large."""
        try:
            item = self.archive._get_entry_by_id(self.number).get_item()
            if item.size > LARGEST:
                raise OSError(0, f"larger than {LARGEST // 1_000_000} MB")
            return bytes(item.content)
        except RuntimeError as error:
            raise OSError(0, "cannot be unpacked") from error

    def render(self, url: str) -> Snapshot:
        """Make a page of it. Raises OSError or ToolFailed."""
        entry = self.archive._get_entry_by_id(self.number)
        return render(self.read(), entry.get_item().mimetype, url, kind="corpus", trust=0.6)


class Gatherer:
    """Walks a folder; `problems` says what was not taken in, `skipped` counts links that lead out."""

    def __init__(self, root: Path) -> None:
        self.problems: list[str] = []
        self.failed = 0
        self.skipped = 0
        self._root = root

    def walk(self) -> Iterator[Document]:
        """Yield the documents in a fixed order. Raises UserError for a ZIM file when `libzim` is not installed."""
        if self._root.is_file():
            yield from self._admit(self._root)
        else:
            yield from self._walk(self._root)

    def fail(self, path: str, reason: str | None) -> None:
        """Note that a document cannot be taken in."""
        self.failed += 1
        self.problems.append(f"{path}: {reason}")

    def _walk(self, folder: Path) -> Iterator[Document]:
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            self.fail(self._shown(folder), error.strerror)
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

    def _follow(self, link: Path) -> Iterator[Document]:
        """Take in a linked file of the folder; a linked folder inside it comes by its own name."""
        target = Path(os.path.realpath(link))
        if not target.is_relative_to(self._root):
            self.skipped += 1
            self.problems.append(f"{self._shown(link)}: a link that leads out of the folder")
        elif target.is_file() and link.suffix.lower() in SUFFIXES:
            yield from self._admit(link)

    def _admit(self, path: Path) -> Iterator[Document]:
        try:
            relative = self._relative(path)
            relative.encode()
            status = path.stat()
        except UnicodeEncodeError:
            return self.fail(self._shown(path), "the name is not UTF-8")
        except OSError as error:
            return self.fail(self._shown(path), error.strerror)
        if not stat.S_ISREG(status.st_mode):
            return self.fail(self._shown(path), "not a regular file")
        if path.suffix.lower() == ".zim":
            yield from self._articles(path, relative, status)
        elif status.st_size > LARGEST:
            self.fail(self._shown(path), f"larger than {LARGEST // 1_000_000} MB")
        else:
            yield FileDocument(path, relative, status.st_size, status.st_mtime_ns)

    def _articles(self, path: Path, relative: str, status: os.stat_result) -> Iterator[Document]:
        try:
            from libzim.reader import Archive  # 27 MB, and an extra: only ZIM files need it
        except ImportError:
            raise UserError(f"{path.name} is a ZIM file; to read it: pip install 'crowquill[zim]'") from None
        try:
            archive = Archive(path)
        except RuntimeError:
            return self.fail(self._shown(path), "not a ZIM file, or damaged")
        is_new = archive.has_new_namespace_scheme  # there the articles come first; before, they were under A/
        for number in range(archive.entry_count if is_new else archive.all_entry_count):
            try:
                entry = archive._get_entry_by_id(number)
                is_article = not entry.is_redirect and (is_new or entry.path.startswith("A/"))
                is_article = is_article and entry.get_item().mimetype.startswith(_ARTICLES)
            except RuntimeError:
                self.fail(f"{relative}, entry {number}", "damaged")
                continue
            if is_article:
                yield ZimDocument(archive, number, f"{relative}/{entry.path}", status.st_size, status.st_mtime_ns)

    def _relative(self, path: Path) -> str:
        return path.name if path == self._root else path.relative_to(self._root).as_posix()

    def _shown(self, path: Path) -> str:
        return self._relative(path).encode("utf-8", "backslashreplace").decode()
