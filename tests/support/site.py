"""A web site on loopback, for tests: pages by path, and handlers that misbehave as they like.

with Site() as site:
    site.page("/a", "<p>Hello</p>")
    Fetcher(allow_hosts=[site.host]) ... site.url("/a")
"""

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType

Handler = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True)
class Asked:
    """A request as it came: path with query, headers in lower case, and body."""

    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class Site:
    """Serves what it was given; everything else is what "*" was given, or 404.

    `asked` lists the requests, `connections` counts them.
    """

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.connections = 0
        self._pages: dict[str, bytes | Handler] = {}
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="test-site", daemon=True)
        self._stop: asyncio.Event | None = None
        self._port = 0

    def page(
        self,
        path: str,
        body: str | bytes = b"",
        media_type: str | None = "text/html; charset=utf-8",
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> str:
        """Serve a page and return its URL."""
        data = body.encode() if isinstance(body, str) else body
        head = {"Content-Length": str(len(data)), "Connection": "close"}
        if media_type is not None:
            head["Content-Type"] = media_type
        head.update(headers if headers is not None else {})
        lines = [f"HTTP/1.1 {status} Status", *(f"{name}: {value}" for name, value in head.items())]
        return self.raw(path, "\r\n".join(lines).encode() + b"\r\n\r\n" + data)

    def redirect(self, path: str, location: str, status: int = 302) -> str:
        """Serve a redirect and return its URL."""
        return self.page(path, b"moved", status=status, headers={"Location": location})

    def raw(self, path: str, answer: bytes | Handler) -> str:
        """Serve bytes as they are, or let a handler write what it likes; return the URL."""
        self._pages[path] = answer
        return self.url(path)

    def url(self, path: str = "/") -> str:
        """Return the URL of a path."""
        return f"http://{self.host}{path}"

    @property
    def host(self) -> str:
        """Host and port, as one lists them in `allow_hosts`."""
        return f"127.0.0.1:{self._port}"

    @property
    def paths(self) -> list[str]:
        """The paths that were asked for, without robots.txt."""
        return [asked.path for asked in self.asked if asked.path != "/robots.txt"]

    def __enter__(self) -> "Site":
        self._thread.start()
        self._ready.wait(5)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._stop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(5)

    def _run(self) -> None:
        with contextlib.closing(self._loop):
            self._loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        self._port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            path = head[0].split(" ")[1]
            headers = dict(line.lower().split(": ", 1) for line in head[1:] if ": " in line)
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            self.asked.append(Asked(path, headers, body))
            missing = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
            answer = self._pages.get(path, self._pages.get("*", missing))
            if isinstance(answer, bytes):
                writer.write(answer)
                await writer.drain()
            else:
                await answer(writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client has left
        finally:
            writer.close()
