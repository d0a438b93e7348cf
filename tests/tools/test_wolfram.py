"""The `wolfram` tool against a loopback server in the shape of the WolframAlpha LLM API."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.support.context import FakeContext

from crowquill.errors import ToolFailed, ToolRetry
from crowquill.tools.wolfram import KEY, MAX_ANSWER, wolfram_tool, wolfram_tools

ANSWER = """\
Query:
"population of france"

Input interpretation:
France | population

Result:
66.4 million people (world rank: 23rd) (2025 estimate)

Wolfram|Alpha website result for "population of france":
https://www.wolframalpha.com/input?i=population+of+france"""


class Alpha(BaseHTTPRequestHandler):
    asked: list[dict[str, list[str]]] = []  # noqa: RUF012 - one server, one list

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = parse_qs(parts.query)
        self.asked.append(query)
        if parts.path != "/api/v1/llm-api":
            self._send(404, "")
        elif query["appid"] != ["secret-key"]:
            self._send(403, "Error 1: Invalid appid")
        elif query["input"] == ["colourless green ideas"]:
            self._send(501, "Wolfram|Alpha did not understand your input")
        else:
            self._send(200, ANSWER if "long" not in query["input"] else "x" * 50_000)

    def _send(self, status: int, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain;charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of http.server
        pass


@pytest.fixture
def host() -> Iterator[str]:
    Alpha.asked.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Alpha)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


async def ask(host: str, query: str, folder: Path, key: str = "secret-key") -> tuple[str, str, FakeContext]:
    context = FakeContext(folder)
    tool = wolfram_tool(key, address=f"http://{host}/api/v1/llm-api", allow_hosts=(host,))
    observation = await tool.call({"query": query}, context)
    return observation.text.text, observation.status, context


async def test_an_answer_is_shown_and_recorded_without_the_key(host: str, tmp_path: Path) -> None:
    text, status, context = await ask(host, "population of france", tmp_path)
    assert "66.4 million people" in text
    assert status == f"WolframAlpha answered, {len(ANSWER)} characters"
    assert Alpha.asked == [
        {"appid": ["secret-key"], "input": ["population of france"], "maxchars": [str(MAX_ANSWER)]}
    ]
    assert "secret-key" not in repr(context.effects)
    assert context.asked == ["population of france"]  # the egress rules were asked


async def test_what_is_not_understood_is_for_the_model_to_mend(host: str, tmp_path: Path) -> None:
    with pytest.raises(ToolRetry, match="did not understand"):
        await ask(host, "colourless green ideas", tmp_path)


async def test_a_wrong_key_is_said_in_one_line(host: str, tmp_path: Path) -> None:
    with pytest.raises(ToolFailed, match=KEY):
        await ask(host, "2+2", tmp_path, key="wrong")


async def test_a_long_answer_is_cut(host: str, tmp_path: Path) -> None:
    text, _, _ = await ask(host, "long", tmp_path)
    assert len(text) == MAX_ANSWER


@pytest.mark.parametrize("query", ["", " ", "x" * 401])
async def test_only_short_questions_are_sent(host: str, tmp_path: Path, query: str) -> None:
    with pytest.raises(ToolRetry):
        await ask(host, query, tmp_path)
    assert Alpha.asked == []


def test_there_is_no_tool_without_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KEY, raising=False)
    assert wolfram_tools() == []
    monkeypatch.setenv(KEY, "secret-key")
    assert [tool.name for tool in wolfram_tools()] == ["wolfram"]
