"""A server on loopback that speaks the OpenAI chat protocol, well or badly, as a test tells it to.

    with FakeOpenAI() as server:
        server.script(error(503, "busy"), completion("hello"))
        model = OpenAIModel("any", base_url=server.url)

Answers are used in order; when none is left, `server.respond` decides, which says "ok" unless replaced.
Every request is kept in `server.received`.
"""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any


@dataclass(frozen=True)
class Received:
    """One request: its headers in lower case, its body, and the client's end of the connection it came by."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    port: int


class Exchange:
    """What an answer may do with one connection."""

    def __init__(self, handler: BaseHTTPRequestHandler, closing: threading.Event) -> None:
        self.handler = handler
        self.closing = closing

    def send(
        self, status: int, body: bytes, headers: Mapping[str, str] | None = None, length: int | None = None
    ) -> None:
        """Send a reply; `length` is the announced one, when it shall be a lie."""
        self.start(status, len(body) if length is None else length, headers)
        self.write(body)

    def start(self, status: int, length: int, headers: Mapping[str, str] | None = None) -> None:
        """Send the head of a reply."""
        self.handler.send_response(status)
        self.handler.send_header("Content-Length", str(length))
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.handler.send_header(name, value)
        self.handler.end_headers()

    def write(self, body: bytes) -> None:
        """Send a piece of the body."""
        self.handler.wfile.write(body)
        self.handler.wfile.flush()

    def wait(self, seconds: float) -> bool:
        """Wait, at most until the server closes; tell whether it is closing."""
        return self.closing.wait(seconds)

    def hang_up(self) -> None:
        """Close the connection as it stands."""
        self.handler.close_connection = True


Answer = Callable[[Exchange], None]


def payload(
    text: str | None,
    *,
    finish: str | None = "stop",
    usage: Mapping[str, Any] | None = None,
    logprobs: list[float] | None = None,
    refusal: str | None = None,
) -> dict[str, Any]:
    """Return the body of a chat completion."""
    choice: dict[str, Any] = {"index": 0, "message": {"role": "assistant", "content": text}}
    if finish is not None:
        choice["finish_reason"] = finish
    if refusal is not None:
        choice["message"]["refusal"] = refusal
    if logprobs is not None:
        choice["logprobs"] = {"content": [{"token": "x", "logprob": value} for value in logprobs]}
    counted = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15} if usage is None else usage
    return {"id": "c1", "object": "chat.completion", "created": 1, "choices": [choice], "usage": counted}


def completion(text: str | None, **parts: Any) -> Answer:
    """Answer with a text; the keywords are those of `payload`."""
    return raw(json.dumps(payload(text, **parts)).encode())


def streamed(*pieces: str, finish: str | None = "stop", usage: bool = True) -> Answer:
    """Answer with a text piece by piece, each with a log-probability of -0.5."""

    def event(**fields: Any) -> bytes:
        return b"data: " + json.dumps({"object": "chat.completion.chunk", **fields}).encode() + b"\n\n"

    def choice(delta: dict[str, Any], **fields: Any) -> list[dict[str, Any]]:
        return [{"index": 0, "delta": delta, "finish_reason": None, **fields}]

    body = b": a comment\n\n" + event(choices=choice({"role": "assistant", "content": None}))
    for piece in pieces:
        logprobs = {"content": [{"token": piece, "logprob": -0.5}]}
        body += event(choices=choice({"content": piece}, logprobs=logprobs))
    if finish is not None:
        body += event(choices=choice({}, finish_reason=finish))
    if usage:
        body += event(choices=[], usage={"prompt_tokens": 10, "completion_tokens": 5})
    return raw(body + b"data: [DONE]\n\n", content_type="text/event-stream; charset=utf-8")


def raw(body: bytes, *, status: int = 200, content_type: str = "application/json") -> Answer:
    """Answer with any body."""
    return lambda exchange: exchange.send(status, body, {"Content-Type": content_type})


def error(
    status: int, message: str, *, code: str = "", param: str = "", headers: Mapping[str, str] | None = None
) -> Answer:
    """Answer with an error in OpenAI's shape."""
    body = json.dumps({"error": {"message": message, "type": "error", "code": code, "param": param}})
    return lambda exchange: exchange.send(status, body.encode(), headers)


def reset(exchange: Exchange) -> None:
    """Close the connection without a word."""
    exchange.hang_up()


def stall(exchange: Exchange) -> None:
    """Say nothing until the server closes."""
    exchange.wait(60)


def cut(text: str) -> Answer:
    """Announce a whole completion, send half of it, hang up."""
    body = json.dumps(payload(text)).encode()

    def answer(exchange: Exchange) -> None:
        exchange.send(200, body[: len(body) // 2], length=len(body))
        exchange.hang_up()

    return answer


def trickle(text: str, seconds: float) -> Answer:
    """Send a completion one byte at a time, with pauses."""
    body = json.dumps(payload(text)).encode()

    def answer(exchange: Exchange) -> None:
        exchange.start(200, len(body))
        for index in range(len(body)):
            exchange.write(body[index : index + 1])
            if exchange.wait(seconds):
                return

    return answer


class FakeOpenAI:
    """The server; use it as a context manager."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.respond: Callable[[dict[str, Any]], Answer] = lambda body: completion("ok")
        self._answers: list[Answer] = []
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        """The base URL for clients."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    @property
    def bodies(self) -> list[dict[str, Any]]:
        """The bodies of all requests so far."""
        return [request.body for request in self.received]

    def script(self, *answers: Answer) -> None:
        """Add answers to the queue."""
        with self._lock:
            self._answers.extend(answers)

    def assert_spent(self) -> None:
        """Check that the queue is empty."""
        assert not self._answers, f"{len(self._answers)} answers were not used"

    def __enter__(self) -> "FakeOpenAI":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _next(self, request: Received) -> Answer:
        with self._lock:
            self.received.append(request)
            return self._answers.pop(0) if self._answers else self.respond(request.body)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length", "0"))
                body = json.loads(self.rfile.read(length))
                headers = {name.lower(): value for name, value in self.headers.items()}
                received = Received(self.path, headers, body, self.client_address[1])
                fake._next(received)(Exchange(self, fake._closing))

            def log_message(self, *args: Any, **more: Any) -> None:
                """Keep the test output clean."""

        return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients that hang up are part of the tests."""
