"""The embedded model's process: serves one GGUF file on loopback until its parent goes away.

Run as `python -I local_server.py`. It imports nothing of ours, so that it starts fast and so that a crash
in the native code below cannot touch the agent. On stdin comes one JSON line with `path`, `key`, `n_ctx`
and `threads` (a pipe, because arguments and environment can be read by others); on stdout goes one JSON
line with `address`, or with `error`. End of stdin means that the parent has ended, however it ended.
"""

import json
import os
import sys
import threading
from importlib import import_module
from typing import Any


def main() -> None:
    """Serve until stdin ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # the native library prints where it likes; the answer must stand alone
    order = json.loads(sys.stdin.readline())
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    try:
        server = _serve(order)
        answer = {"address": server.listening_address}
    except ImportError:
        answer = {"missing": "xllamacpp"}
    except Exception as error:  # whatever it is, the parent must hear of it
        answer = {"error": f"{type(error).__name__}: {error}"}
    answers.write(json.dumps(answer) + "\n")
    answers.flush()
    if "address" in answer:
        threading.Event().wait()
    os._exit(1)


def _leave_with_parent() -> None:
    sys.stdin.read()
    # No clean-up: deleting the server can hang, and there is nothing to save.
    os._exit(0)


def _serve(order: dict[str, Any]) -> Any:
    xllamacpp: Any = import_module("xllamacpp")
    params = xllamacpp.CommonParams()
    params.model.path = order["path"]
    params.n_ctx = order["n_ctx"]
    params.n_parallel = 1
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [order["key"]]
    params.verbosity = -1
    params.ui = False
    params.cors_origins = ""
    params.cache_ram_mib = 512
    params.offline = True
    params.use_jinja = True
    params.fit_params = False  # one slot and a small context always fit; asking costs 3 s
    # Measured on two AVX2 cores: repacked weights take 0.6 GB and 1–2 s more and read prompts no faster.
    params.no_extra_bufts = True
    params.cpuparams.n_threads = order["threads"]
    params.cpuparams_batch.n_threads = order["threads"]
    return xllamacpp.Server(params)


if __name__ == "__main__":
    main()
