"""The `guided` policy beside two agents of other libraries: the same model server, the same search, the same pages.

    python -m venv /tmp/peers && /tmp/peers/bin/pip install 'smolagents[openai]' langchain langchain-openai
    python bench/peers.py ../shared/data/hotpot_dev.json --python /tmp/peers/bin/python [-n 5] [--fresh]

The peers (smolagents' `ToolCallingAgent`, LangChain's `create_agent`) run in an environment of their own. They
get our corpus search and our rendering of pages as two tools over HTTP on loopback, and the embedded model's
server. Each has at most 12 steps and 300 seconds a question. A line of JSON per question and way is kept under
bench/results/, and a stopped run is continued. Exact match and F1 are HotpotQA's; for the peers they are taken on
the last message, of which they are asked to make the bare answer.
"""

import argparse
import asyncio
import json
import subprocess
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from common import Results, interval, mean
from hotpot import pages_of, score, write_pages

from crowquill import Agent
from crowquill.agent.direct import DirectContext
from crowquill.agent.models.local import LocalModel
from crowquill.agent.models.resolve import resolve
from crowquill.agent.render import clean
from crowquill.agent.workspace import Workspace
from crowquill.tools.browser.browser import Browser

PEERS = ("smolagents", "langchain")
SECONDS = 300


class Tools:
    """`/search?q=` and `/open?target=` on loopback, with a browser of its own for each question."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        self.reset()
        tools = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                text = tools.call(parts.path.strip("/"), parse_qs(parts.query).get("q", [""])[0])
                body = text.encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        """Where the tools are."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def reset(self) -> None:
        """Begin a question."""
        corpus = self._workspace.corpus("all")
        self._browser = Browser([corpus], [corpus])
        self._context = DirectContext(self._workspace.blobs, lambda message: None)

    def call(self, name: str, text: str) -> str:
        """Run a tool and return what it shows."""

        async def run() -> str:
            shown = await (
                self._browser.search(text, self._context)
                if name == "search"
                else self._browser.open(text, self._context)
            )
            return clean(shown.text.text)

        try:
            return asyncio.run_coroutine_threadsafe(run(), self._loop).result(60)
        except Exception as error:  # whatever it is, the peer's model may read it
            return f"failed: {error}"


def ours(model: LocalModel, workspace: Workspace, question: str) -> dict[str, Any]:
    """Answer with the public API."""
    answer = Agent(
        model=model, policy="guided", corpora=["all"], memory=False, cache=False, workspace=workspace
    ).ask(question)
    usage = answer.usage
    return {"short": answer.short, "tokens": usage.prompt + usage.completion, "calls": usage.calls}


def theirs(python: str, peer: str, server: tuple[str, str], tools: str, question: str) -> dict[str, Any]:
    """Answer with a peer, in a process of its own."""
    job = {"peer": peer, "url": server[0], "key": server[1], "tools": tools, "question": question}
    script = Path(__file__).with_name("peers_worker.py")
    try:
        done = subprocess.run(
            [python, str(script)], input=json.dumps(job), capture_output=True, text=True, timeout=SECONDS
        )
    except subprocess.TimeoutExpired:
        return {"short": "", "tokens": 0, "calls": 0, "error": f"not in {SECONDS} s"}
    lines = done.stdout.strip().splitlines()
    if done.returncode or not lines:
        return {"short": "", "tokens": 0, "calls": 0, "error": done.stderr.strip()[-300:]}
    row: dict[str, Any] = json.loads(lines[-1])
    return row


def main() -> None:
    """Answer the questions in each way and print a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("file", type=Path)
    parser.add_argument("-n", type=int, default=5)
    parser.add_argument("--python", required=True, help="Python of the environment with the peers")
    parser.add_argument("--ways", default=",".join(("guided", *PEERS)))
    parser.add_argument("--fresh", action="store_true")
    options = parser.parse_args()
    everything = json.loads(options.file.read_text(encoding="utf-8"))
    cases = everything[: options.n]
    results = Results("peers", fresh=options.fresh)
    model = resolve("local")
    assert isinstance(model, LocalModel)
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder) / "workspace")
        write_pages(pages_of(everything), Path(folder) / "all")
        workspace.index(Path(folder) / "all", "all")
        tools = Tools(workspace)
        for case in cases:
            for way in options.ways.split(","):
                key = f"{way} {case['question']}"
                if results.get(key) is not None:
                    continue
                tools.reset()
                started = time.perf_counter()
                if way == "guided":
                    row = ours(model, workspace, case["question"])
                else:
                    served = model._child.start(1)  # ended meanwhile, it has another key
                    server = (served.base_url, served._key.get_secret_value())
                    row = theirs(options.python, way, server, tools.url, case["question"])
                row |= {"seconds": round(time.perf_counter() - started, 1), "gold": case["answer"]}
                print(results.keep(key, {**row, **score(row["short"], case["answer"])}), flush=True)
        asyncio.run(model.close())
    for way in options.ways.split(","):
        rows = [row for case in cases if (row := results.get(f"{way} {case['question']}")) is not None]
        em, f1 = [row["em"] for row in rows], [row["f1"] for row in rows]
        low, high = interval(f1)
        seconds, tokens = mean([row["seconds"] for row in rows]), mean([row["tokens"] for row in rows])
        print(
            f"{way:<11} {sum(em):.0f} of {len(rows)} exact · F1 {mean(f1):.2f} [{low:.2f}, {high:.2f}]"
            f" · {seconds:.0f} s · {tokens:.0f} tokens a question"
        )


if __name__ == "__main__":
    main()
