"""A workspace: the folder that keeps journal, memory, snapshots and corpora."""

import os
import secrets
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from crowquill.agent.critic.reward import read_weights
from crowquill.agent.models.embedding import default_embedder
from crowquill.agent.settings import retrieval_weights
from crowquill.errors import UserError
from crowquill.memory.db import Database
from crowquill.memory.embed import Embedder
from crowquill.memory.index import ChromaIndex
from crowquill.memory.owned import own_folder, write_own
from crowquill.memory.retrieve import Retriever
from crowquill.memory.scoring import Weights
from crowquill.memory.store import MemoryStore
from crowquill.memory.wordindex import WordIndex
from crowquill.tools.search.corpus import BuildReport, Corpus, Progress, corpus_names
from crowquill.tools.search.pocket import POCKET, write_shop
from crowquill.tools.sql.undo import Copies
from crowquill.tools.worker import Worker

FOLDER = ".crowquill"
WEIGHTS = "weights.yaml"
"""Weights of the reward that were fitted to people's choices; the shipped ones count where it is missing."""


def find_workspace(explicit: Path | str | None = None) -> Path:
    """Return the workspace folder.

    That is the given one, $CROWQUILL_WORKSPACE, the nearest `.crowquill/` upward, or the user's data folder.
    """
    if explicit is not None:
        return Path(explicit).expanduser().absolute()
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
    words: WordIndex
    retriever: Retriever

    async def close(self) -> None:
        """Close the indexes and let other processes write them."""
        await self.index.close()
        self.words.close()


class Workspace:
    """Opens what a workspace holds; nothing is created before it is written."""

    def __init__(self, path: Path, *, embedder: Embedder | None = None) -> None:
        self.path = path
        self.embedder: Embedder = embedder if embedder is not None else default_embedder()
        self.database = Database(path / "crowquill.db")
        self.blobs = self.database.blobs

    def memory(self, weights: Weights | None = None) -> Memory:
        """Open the memory for one run, or one command; `weights` are those of the settings when None.

        Raises:
            UserError: the settings cannot be used.
        """
        weights = retrieval_weights(self.path) if weights is None else weights
        store = MemoryStore(self.database, self.embedder)
        index = ChromaIndex(store, self.path / "chroma")
        words = WordIndex(store, self.path / "words")
        return Memory(store, index, words, Retriever(store, vectors=index, words=words, weights=weights))

    def knowledge(self) -> set[str]:
        """Return the namespaces of the memory beside that of runs."""
        query = "SELECT DISTINCT namespace FROM records WHERE namespace <> ''"
        return self.database.read_now(lambda connection: {name for (name,) in connection.execute(query)})

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

    def index(self, source: Path, name: str, *, progress: Progress | None = None) -> BuildReport:
        """Index a folder of pages or a ZIM file, or bring its index up to date (see `corpus_build.build`)."""
        return self.recorded_corpus(name).build(source, progress=progress)

    def database_url(self, spec: str) -> str:
        """Return the URL of a database; `pocket` is the shop that is shipped with the package."""
        if spec != "pocket":
            return spec
        path = self.path / "pocket" / "shop.sqlite"
        if not path.exists():
            write_shop(path)
        return f"sqlite:///{path}"

    def reward_weights(self) -> dict[str, float]:
        """Return the weights of the reward that were fitted in this workspace, none where the shipped ones count.

        Raises:
            UserError: the file cannot be read.
        """
        path = self.path / WEIGHTS
        return read_weights(path) if path.exists() else {}

    def copies(self, worker: Worker) -> Copies:
        """Return the copies of SQLite files from before they were changed; the worker puts them back."""
        return Copies(self.path / "copies", worker)

    def seed(self) -> str:
        """Return the workspace's own secret: prompts of different runs are the same to the letter, for caches."""
        path = self.path / "seed"
        if not path.exists():
            own_folder(self.path)
            fresh = self.path / f"seed.{os.getpid()}"
            write_own(fresh, secrets.token_hex(8))
            with suppress(FileExistsError):
                os.link(fresh, path)  # the first of several processes wins
            fresh.unlink()
        return path.read_text()

    def close(self) -> None:
        """Close the database; it opens again when used."""
        self.database.close()
