"""A workspace: the folder that keeps journal, memory, snapshots and corpora."""

import os
import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from crowquill.errors import StorageError, UserError
from crowquill.memory.blobs import BlobStore
from crowquill.memory.db import Database
from crowquill.memory.embed import Embedder, SentenceEmbedder
from crowquill.memory.index import ChromaIndex
from crowquill.memory.retrieve import Retriever
from crowquill.memory.store import MemoryStore
from crowquill.tools.search.corpus import BuildReport, Corpus, corpus_names
from crowquill.tools.search.pocket import POCKET, write_shop

FOLDER = ".crowquill"


def find_workspace(explicit: Path | None = None) -> Path:
    """Return the workspace folder.

    That is the given one, $CROWQUILL_WORKSPACE, the nearest `.crowquill/` upward, or the user's data folder.
    """
    if explicit is not None:
        return explicit.expanduser().absolute()
    from_environment = os.environ.get("CROWQUILL_WORKSPACE")
    if from_environment:
        return Path(from_environment).expanduser().absolute()
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / FOLDER).is_dir():
            return folder / FOLDER
    return platformdirs.user_data_path("crowquill", appauthor=False)


@dataclass(frozen=True)
class Memory:
    """The evidence of earlier runs, as one run sees it; bound to that run's event loop."""

    store: MemoryStore
    index: ChromaIndex
    retriever: Retriever


class Workspace:
    """Opens what a workspace holds; nothing is created before it is written."""

    def __init__(self, path: Path, *, embedder: Embedder | None = None) -> None:
        self.path = path
        self.embedder: Embedder = embedder if embedder is not None else SentenceEmbedder()
        self.database = Database(path / "crowquill.db")
        self.blobs = BlobStore(path / "blobs")

    def memory(self) -> Memory:
        """Open the memory for one run."""
        store = MemoryStore(self.database, self.embedder)
        index = ChromaIndex(store, self.path / "chroma")
        return Memory(store, index, Retriever(store, vectors=index))

    def corpora(self) -> list[str]:
        """Return the names of the indexed folders."""
        return corpus_names(self.path)

    def corpus(self, name: str, without: Collection[str] = ()) -> Corpus:
        """Open a corpus; `pocket` is built from the package when it is asked for first. For `without` see `Corpus`.

        Raises:
            UserError: there is no corpus of that name.
        """
        if name == "pocket" and name not in self.corpora():
            self.index(POCKET / "web", "pocket")
        if name not in self.corpora():
            known = ", ".join(self.corpora()) or "none yet"
            raise UserError(
                f"no corpus {name!r} in {self.path} (known: {known}); make one with: crowquill index DIR"
            )
        return self.recorded_corpus(name, without)

    def recorded_corpus(self, name: str, without: Collection[str] = ()) -> Corpus:
        """Return a corpus by name without looking for it: a replay needs only its name."""
        return Corpus(self.path / "corpora" / name, self.embedder, without)

    def index(self, source: Path, name: str, *, progress: Callable[[int, int], None] | None = None) -> BuildReport:
        """Index a folder of HTML, Markdown and text files, or bring its index up to date."""
        return self.recorded_corpus(name).build(source, progress=progress)

    def database_url(self, spec: str) -> str:
        """Return the URL of a database; `pocket` is the shop that is shipped with the package."""
        if spec != "pocket":
            return spec
        path = self.path / "pocket" / "shop.sqlite"
        if not path.exists():
            write_shop(path)
        return f"sqlite:///{path}"

    def fence_key(self) -> str:
        """Return what fences around schemas are derived from: the same in all runs, for a prefix cache.

        An outsider still cannot foresee it.
        """
        path = self.path / "fence.key"
        try:
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(secrets.token_hex(16))
        except FileExistsError:
            pass
        except OSError as error:
            raise StorageError(f"cannot write to the workspace {self.path}: {error.strerror}") from error
        return path.read_text()

    def close(self) -> None:
        """Close the database; it opens again when used."""
        self.database.close()
