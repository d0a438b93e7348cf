"""What a step costs beside the model: a model server that answers at once, and the same agent in three libraries.

    python -m venv /tmp/peers
    /tmp/peers/bin/pip install 'smolagents[openai]' langchain langchain-openai langgraph-checkpoint-sqlite memray
    pip install memray
    python bench/overhead.py --python /tmp/peers/bin/python [--steps 20] [--at-once 1,16,128] [--libraries …]

Each run takes so many steps, each one model call and one call of a tool that adds two numbers. Ours writes its
journal, LangGraph its checkpoints to SQLite, smolagents nothing. Every library runs in a process of its own, the
server in another. Shown are milliseconds of wall and processor time per step, allocations per step and the peak of
what they hold (a run by itself, under memray), and steps a second. Rounds of the libraries alternate and the best
of each counts, as the machine is shared.
"""

import argparse
import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
LIBRARIES = ("crowquill", "smolagents", "langgraph")


async def serve(steps: int) -> None:
    """Be the model server: a call of `add` until a conversation has had its steps, then the end of it."""
    count = 0

    def reply(body: dict[str, Any]) -> dict[str, Any]:
        nonlocal count
        count += 1
        schema = json.dumps(body.get("response_format", {}))
        if "tasks" in schema:
            plan = {"tasks": [{"id": "a", "goal": "add numbers", "done_when": "added", "needs": []}]}
            return {"content": json.dumps(plan)}
        if schema != "{}":
            action = (
                {"tool": "add", "a": count, "b": 1}
                if '"add"' in schema
                else {"tool": "give_up", "reason": "not_found", "note": ""}
            )
            return {"content": json.dumps({"thought": "", "action": action})}
        done = sum(message["role"] == "tool" for message in body["messages"])
        if done < steps:
            name, arguments = "add", {"a": count, "b": 1}
        elif any(entry["function"]["name"] == "final_answer" for entry in body.get("tools", [])):
            name, arguments = "final_answer", {"answer": "done"}
        else:
            return {"content": "done"}
        call = {
            "id": f"c{count}",
            "type": "function",
            "function": {"name": name, "arguments": json.dumps(arguments)},
        }
        return {"content": None, "tool_calls": [call]}

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = next(
                    int(line.split(b":")[1])
                    for line in head.lower().split(b"\r\n")
                    if line.startswith(b"content-length")
                )
                message = reply(json.loads(await reader.readexactly(length)))
                finish = "tool_calls" if message.get("tool_calls") else "stop"
                choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}
                usage = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
                body = json.dumps(
                    {
                        "id": "c",
                        "object": "chat.completion",
                        "created": 1,
                        "model": "m",
                        "choices": [choice],
                        "usage": usage,
                    }
                ).encode()
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
                    + body
                )
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def measure(python: str, library: str, url: str, steps: int, at_once: int) -> dict[str, Any]:
    """Run a library once, in a process of its own."""
    job = json.dumps({"library": library, "url": url, "steps": steps, "at_once": at_once})
    done = subprocess.run(
        [python, str(HERE / "overhead_worker.py")], input=job, capture_output=True, text=True, timeout=600
    )
    if done.returncode:
        raise SystemExit(f"{library}: {done.stderr[-2000:]}")
    row: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return row


def main() -> None:
    """Measure every library at every level and print a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--serve", type=int)
    parser.add_argument("--python", help="Python of the environment with the peers")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--at-once", default="1,16,128")
    parser.add_argument("--libraries", default=",".join(LIBRARIES))
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    if options.serve is not None:
        asyncio.run(serve(options.serve))
        return
    server = subprocess.Popen(
        [sys.executable, __file__, "--serve", str(options.steps)], stdout=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    url = f"http://127.0.0.1:{server.stdout.readline().strip()}/v1"
    libraries = options.libraries.split(",")
    try:
        for at_once in map(int, options.at_once.split(",")):
            rows: dict[str, list[dict[str, Any]]] = {library: [] for library in libraries}
            for _ in range(options.rounds):
                for library in libraries:
                    python = sys.executable if library == "crowquill" else options.python
                    rows[library].append(measure(python, library, url, options.steps, at_once))
            for library in libraries:
                best = min(rows[library], key=lambda row: row["wall_ms"])
                cpu = min(row["cpu_ms"] for row in rows[library])
                print(
                    f"{at_once:>4} at once  {library:<11} {best['wall_ms']:>7.2f} ms a step"
                    f" · {cpu:>7.2f} ms of processor · {best['steps_s']:>6.0f} steps/s"
                    f" · {best['allocations']:>7,.0f} allocations · peak {best['peak_kb']:>6.0f} kB",
                    flush=True,
                )
    finally:
        server.terminate()


if __name__ == "__main__":
    main()
