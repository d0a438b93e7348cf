"""Weights from the model hub, by HTTP with resume."""

import asyncio
import contextlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from crowquill.agent.models.catalog import CatalogEntry, HubFile

if TYPE_CHECKING:
    import httpx

CHUNK = 1 << 16
"""Small, because what has come of a chunk when the connection breaks is lost."""
CONNECT_SECONDS = 5.0
SILENT_SECONDS = 60.0
RESUMES = 3
"""How often a connection that broke after some progress is taken up again in one go."""

Progress = Callable[[str, int, int], None]


class SourceFailed(Exception):
    """A source of weights gave nothing; the message says why, in one line."""


async def download_from_hub(entry: CatalogEntry, source: HubFile, partial: Path, *, progress: Progress) -> None:
    """Fill `partial` up to the entry's size, going on where an earlier download stopped.

    Raises:
        SourceFailed: the hub cannot be reached, has no such file, or one of another size.
    """
    import httpx  # 0.1 s, and only downloads need it

    timeout = httpx.Timeout(SILENT_SECONDS, connect=CONNECT_SECONDS)
    async with httpx.AsyncClient(timeout=timeout, follow_redirects=True) as client:
        for last in (*[False] * RESUMES, True):
            before = _size(partial)
            try:
                await _fetch(client, entry, source.url(), partial, progress)
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                if last or _size(partial) == before:
                    raise SourceFailed(f"{type(error).__name__}: {error}") from error
            else:
                return


async def _fetch(
    client: "httpx.AsyncClient", entry: CatalogEntry, url: str, partial: Path, progress: Progress
) -> None:
    headers = {"Accept-Encoding": "identity", **_resume_headers(partial)}
    async with client.stream("GET", url, headers=headers) as response:
        if response.status_code == 416:  # what we have does not belong to what the hub has now
            await asyncio.to_thread(partial.unlink)
            raise SourceFailed("the hub's file has changed; run again to start over")
        if response.status_code not in (200, 206):
            raise SourceFailed(f"the hub answered {response.status_code}")
        start = _start(response, partial)
        length = response.headers.get("content-length")
        if length is not None and length.isdigit() and start + int(length) != entry.size:
            raise SourceFailed(f"the hub's file has {start + int(length)} bytes instead of {entry.size}")
        _remember_version(partial, response.headers.get("etag", ""))
        with await asyncio.to_thread(_open_at, partial, start) as file:
            done = start
            async for chunk in response.aiter_bytes(CHUNK):
                done += len(chunk)
                if done > entry.size:
                    raise SourceFailed(f"the hub's file is larger than {entry.size} bytes")
                file.write(chunk)
                progress("downloading from the hub", done, entry.size)
        if done != entry.size:
            raise SourceFailed(f"the hub's file ended after {done} of {entry.size} bytes")


def _start(response: "httpx.Response", partial: Path) -> int:
    """Return the offset at which the reply begins; a server without ranges starts at 0."""
    if response.status_code == 200:
        return 0
    match = re.fullmatch(r"bytes (\d+)-\d+/(?:\d+|\*)", response.headers.get("content-range", ""))
    if match is None or int(match[1]) != _size(partial):
        raise SourceFailed("the hub sent another range than was asked for")
    return int(match[1])


def _resume_headers(partial: Path) -> dict[str, str]:
    """Ask for the rest, on condition that the file is still the one that we have the beginning of."""
    size, etag = _size(partial), _version(partial)
    if size == 0 or etag == "":
        return {}
    return {"Range": f"bytes={size}-", "If-Range": etag}


def version_path(partial: Path) -> Path:
    """Return the small file beside a partial one that says which version it is of."""
    return partial.with_name(partial.name + ".json")


def _version(partial: Path) -> str:
    with contextlib.suppress(OSError, ValueError, AttributeError):
        etag = json.loads(version_path(partial).read_text(encoding="utf-8")).get("etag", "")
        return etag if isinstance(etag, str) else ""
    return ""


def _remember_version(partial: Path, etag: str) -> None:
    # A weak validator does not promise equal bytes and must not be used with a range (RFC 9110 §13.1.5).
    strong = "" if etag.startswith("W/") else etag
    version_path(partial).write_text(json.dumps({"etag": strong}), encoding="utf-8")


def _open_at(partial: Path, start: int) -> BinaryIO:
    file = partial.open("r+b" if start else "wb")
    file.truncate(start)
    file.seek(start)
    return file


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
