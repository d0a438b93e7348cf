"""A server on loopback that stands for the model hub (files with ranges) and a package index (PEP 503)."""

import re
import threading
import zipfile
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any


@dataclass
class HostedFile:
    """One file of the hub, and how the hub treats it."""

    data: bytes
    etag: str = '"v1"'
    ranges: bool = True
    breaks_after: list[int] = field(default_factory=list)
    """For each request in turn, after how many bytes the connection breaks; then no more."""


class FakeHub:
    """Use as a context manager; `ranges` holds the Range header of every request for a file."""

    def __init__(self) -> None:
        self.files: dict[str, HostedFile] = {}
        self.wheels: dict[str, Path] = {}
        self.ranges: list[str | None] = []
        self.downloads: list[str] = []
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        """Address of the hub; the index is below `/simple/`."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def add_wheel(self, folder: Path, name: str, version: str, members: dict[str, bytes]) -> None:
        """Build a wheel and list it in the index."""
        stem = name.replace("-", "_")
        path = folder / f"{stem}-{version}-py3-none-any.whl"
        info = f"{stem}-{version}.dist-info"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
            for member, data in members.items():
                wheel.writestr(member, data)
            wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
            wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{info}/RECORD", "")
        self.wheels[name] = path

    def __enter__(self) -> "FakeHub":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                package = re.fullmatch(r"/simple/([^/]+)/", self.path)
                if package and package[1] in hub.wheels:
                    name = hub.wheels[package[1]].name
                    self._send(200, f'<a href="/wheels/{name}">{name}</a>'.encode(), {"Content-Type": "text/html"})
                elif self.path.startswith("/wheels/"):
                    hub.downloads.append(self.path.removeprefix("/wheels/"))
                    paths = {path.name: path for path in hub.wheels.values()}
                    self._send(200, paths[hub.downloads[-1]].read_bytes(), {})
                elif self.path in hub.files:
                    self._file(hub.files[self.path])
                else:
                    self._send(404, b"", {})

            def _file(self, file: HostedFile) -> None:
                wanted = self.headers.get("Range")
                hub.ranges.append(wanted)
                start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted else 0
                if not file.ranges or self.headers.get("If-Range") != file.etag:
                    start = 0
                total = len(file.data)
                part = {"Content-Range": f"bytes {start}-{total - 1}/{total}"} if start else {}
                headers = {"ETag": file.etag, **part}
                limit = file.breaks_after.pop(0) if file.breaks_after else None
                self._send(206 if start else 200, file.data[start:], headers, limit)

            def _send(self, status: int, body: bytes, headers: dict[str, str], limit: int | None = None) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body[:limit])
                self.close_connection = limit is not None

            def log_message(self, *args: Any, **more: Any) -> None:
                """Keep the test output clean."""

        return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients that hang up are part of the tests."""
