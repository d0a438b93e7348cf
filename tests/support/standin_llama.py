"""Runs the embedded model's server script with a stand-in for the native library.

The script under test is the real one; only `xllamacpp`, which needs a gigabyte of weights, is replaced by a
class of the same shape that serves canned replies. Requests whose text is `die` kill the process.
"""

import json
import os
import runpy
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

SCRIPT = Path(__file__).resolve().parents[2] / "agent" / "models" / "local_server.py"


class Params(SimpleNamespace):
    def __init__(self) -> None:
        super().__init__(model=SimpleNamespace(), cpuparams=SimpleNamespace(), cpuparams_batch=SimpleNamespace())


class Server:
    """Replies with its own settings and process id, as JSON."""

    def __init__(self, params: Any) -> None:
        if "refused" in params.model.path:
            raise RuntimeError("failed to start server")
        http = ThreadingHTTPServer((params.hostnames[0], params.port), _handler(params))
        self.listening_address = f"http://127.0.0.1:{http.server_address[1]}"
        threading.Thread(target=http.serve_forever, daemon=True).start()
        os.write(1, b"noise on standard output")


def _handler(params: Any) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if body["messages"][-1]["content"] == "die":
                os._exit(9)
            allowed = self.headers.get("Authorization") == f"Bearer {params.api_keys[0]}"
            settings = {
                name: value for name, value in vars(params).items() if not isinstance(value, SimpleNamespace)
            }
            del settings["api_keys"]
            said = json.dumps({"pid": os.getpid(), "threads": params.cpuparams.n_threads, **settings})
            choice = {"message": {"content": said}, "finish_reason": "stop"}
            reply = json.dumps({"choices": [choice]} if allowed else {"error": "key"}).encode()
            self.send_response(200 if allowed else 401)
            self.send_header("Content-Length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

        def log_message(self, *args: Any, **more: Any) -> None:
            """Keep standard error clean."""

    return Handler


if __name__ == "__main__":
    library = ModuleType("xllamacpp")
    vars(library).update(CommonParams=Params, Server=Server)
    sys.modules["xllamacpp"] = library
    runpy.run_path(str(SCRIPT), run_name="__main__")
