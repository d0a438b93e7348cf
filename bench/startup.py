"""How long until something happens: `--version`, and the first model request of a run.

    python bench/startup.py [-n 5] [--profile] [--local]

Each case is a fresh process. The first request is timed by a loopback server that notes when it arrives; it then
answers with an error, which ends the run. With --local the embedded model is loaded, with a corpus, and the time is
that until its first request begins. Results are appended to bench/results/startup.jsonl.
"""

import argparse
import json
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

CROWQUILL = [sys.executable, "-m", "crowquill"]
RESULTS = Path(__file__).parent / "results" / "startup.jsonl"


def version() -> float:
    started = time.perf_counter()
    subprocess.run([*CROWQUILL, "--version"], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def first_request() -> float:
    """Seconds from the start of the process to the first byte of its first model request, policy json."""
    arrived: list[float] = []
    with socket.create_server(("127.0.0.1", 0)) as server, tempfile.TemporaryDirectory() as workspace:
        threading.Thread(target=_note_arrival, args=(server, arrived), daemon=True).start()
        model = f"http://127.0.0.1:{server.getsockname()[1]}/v1#none"
        command = [
            *CROWQUILL,
            "ask",
            "-q",
            "--policy",
            "json",
            "--no-web",
            "--model",
            model,
            "--workspace",
            workspace,
        ]
        started = time.perf_counter()
        subprocess.run([*command, "How long is the Danube?"], capture_output=True)
    return arrived[0] - started


def _note_arrival(server: socket.socket, arrived: list[float]) -> None:
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        with connection:
            connection.recv(1)
            arrived.append(time.perf_counter())
            body = b'{"error": {"message": "bench", "type": "invalid_request_error"}}'
            head = f"HTTP/1.1 401 No\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
            connection.sendall(head.encode() + body)


def local_request(workspace: str) -> float:
    """Seconds from the start of the process until the embedded model gets its first request, with a corpus."""
    command = [
        *CROWQUILL,
        "ask",
        "--events",
        "-q",
        "--corpus",
        "pocket",
        "--no-memory",
        "--workspace",
        workspace,
    ]
    started = time.perf_counter()
    process = subprocess.Popen([*command, "How long is the Danube?"], stdout=subprocess.PIPE)
    assert process.stdout is not None
    at = 0.0
    for line in process.stdout:
        event = json.loads(line)
        if event["kind"] == "acted" and event["tool"] == "quote":
            at = time.perf_counter()
    process.wait()
    return at - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-n", type=int, default=5)
    parser.add_argument("--profile", action="store_true", help="also print the slowest imports")
    parser.add_argument("--local", action="store_true", help="also time the embedded model with a corpus")
    options = parser.parse_args()
    cases = {"version": version, "first request, json, loopback": first_request}
    workspace = tempfile.TemporaryDirectory()
    if options.local:
        local_request(workspace.name)  # builds the pocket corpus
        cases["last quote before the first request, local, corpus"] = lambda: local_request(workspace.name)
    RESULTS.parent.mkdir(exist_ok=True)
    for name, case in cases.items():
        seconds = [case() for _ in range(options.n)]
        row = {
            "case": name,
            "median": round(statistics.median(seconds), 3),
            "all": [round(s, 3) for s in seconds],
        }
        print(f"{name:<52} median {row['median']:.3f} s of {options.n}, max {max(seconds):.3f}")
        with RESULTS.open("a") as file:
            file.write(json.dumps(row) + "\n")
    if options.profile:
        command = [sys.executable, "-X", "importtime", "-c", "import crowquill.agent.cli.ask"]
        lines = subprocess.run(command, capture_output=True, text=True, check=True).stderr.splitlines()[1:]
        times = [
            (int(parts[1]), parts[2].strip())
            for parts in (line.split("|") for line in lines)
            if len(parts) == 3 and parts[1].strip().isdigit()
        ]
        for microseconds, module in sorted(times, reverse=True)[:25]:
            print(f"{microseconds / 1000:8.1f} ms  {module}")


if __name__ == "__main__":
    main()
