"""How much of the action loop's prompts a prefix cache serves, with the embedded model.

    python bench/prefix.py [--layout blocks|transcript]

A scripted model takes the steps (search, open, quote, scroll, search, open, quote, math, answer) over the shipped
pages; the prompts of these steps are then sent to the embedded model, one after the other as in a run, with eight
tokens of reply each. Shown are, per prompt: its tokens, the share that is the same as the beginning of the prompt
before (in tokens, as the server itself makes them of template and messages), the share that the server's cache
served, and the share of the head that stays the same for the whole task (instructions, tools, question), which is
taken from characters.
"""

import argparse
import asyncio
import json
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
from common import mean

from crowquill import Agent, ScriptedModel
from crowquill.agent.models.base import Request
from crowquill.agent.models.catalog import find, weights_path
from crowquill.agent.models.local import CONTEXT_TOKENS, SERVER_SCRIPT
from crowquill.agent.models.openai import OpenAIModel
from crowquill.agent.models.scripted import ScriptedReply

STEPS: list[tuple[str, dict[str, Any]]] = [
    ("search", {"query": "length of the Danube"}),
    ("open", {"target": "corpus:pocket/danube.html"}),
    ("quote", {"text": "The Danube is 2,850 kilometres long."}),
    ("scroll", {}),
    ("search", {"query": "length of the Rhine"}),
    ("open", {"target": "corpus:pocket/rhine.html"}),
    ("quote", {"lines": "2"}),
    ("math", {"expression": "2850 - 1230"}),
    ("answer", {"short": "1,620 kilometres", "claims": [{"text": "It is 1,620 kilometres longer.", "cites": [1]}]}),
]
QUESTION = "How many kilometres longer is the Danube than the Rhine?"


def prompts(layout: Any) -> list[Request]:
    """Return the requests of a run."""
    plan = {"tasks": [{"id": "a", "goal": QUESTION, "done_when": "the difference is known", "needs": []}]}
    acts = [ScriptedReply("act", json={"thought": "", "action": {"tool": name, **args}}) for name, args in STEPS]
    model = ScriptedModel([ScriptedReply("plan", json=plan), *acts])
    with tempfile.TemporaryDirectory() as folder:
        Agent(model=model, policy="json", layout=layout, corpora=["pocket"], workspace=Path(folder)).ask(QUESTION)
    return [call for call in model.calls if call.role == "act"]


def text_of(request: Request) -> str:
    """Return a prompt as one text."""
    return "\n".join(message.content for message in request.messages)


@contextmanager
def server() -> Iterator[tuple[OpenAIModel, httpx.Client]]:
    """Start the process of the embedded model; yield the model and a client of what else its server answers."""
    key = secrets.token_urlsafe(24)
    order = {
        "path": str(weights_path(find("local"))),
        "key": key,
        "n_ctx": CONTEXT_TOKENS,
        "threads": os.cpu_count(),
    }
    command = [sys.executable, "-I", str(SERVER_SCRIPT)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        print(json.dumps(order), file=process.stdin, flush=True)
        address = json.loads(process.stdout.readline())["address"]
        headers = {"Authorization": f"Bearer {key}"}
        with httpx.Client(base_url=address, headers=headers, trust_env=False, timeout=60) as client:
            yield OpenAIModel("local", base_url=f"{address}/v1", api_key=key, slots=1), client


def tokens_of(client: httpx.Client, request: Request) -> list[int]:
    """Return the tokens that the server makes of a prompt, template and all."""
    messages = [{"role": message.role, "content": message.content} for message in request.messages]
    prompt = client.post("/apply-template", json={"messages": messages}).raise_for_status().json()["prompt"]
    asked = {"content": prompt, "add_special": True, "parse_special": True}
    found: list[int] = client.post("/tokenize", json=asked).raise_for_status().json()["tokens"]
    return found


def main() -> None:
    """Send the prompts and print the shares."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--layout", default="blocks", choices=["blocks", "transcript"])
    options = parser.parse_args()
    requests = prompts(options.layout)
    ought, was, heads, before = 0, 0, [], list[int]()
    with server() as (model, client):
        for number, request in enumerate(requests, 1):
            tokens, text = tokens_of(client, request), text_of(request)
            same = len(os.path.commonprefix([before, tokens]))  # noqa: RUF071 - no path
            head = text.index("Evidence\n") if options.layout == "blocks" else len(text_of(requests[0]))
            usage = asyncio.run(model.complete(replace(request, schema=None, max_tokens=8))).usage
            heads.append(head / len(text))
            ought, was, before = ought + same, was + (usage.cached if number > 1 else 0), tokens
            print(
                f"{number:>2}. {usage.prompt:>5} tokens ({len(tokens)} counted) · same as before {same:>5}"
                f" · served from the cache {usage.cached:>5} · stable head {heads[-1]:>4.0%}",
                flush=True,
            )
    print(
        f"of the {ought} tokens that were the same as before, {was / ought:.1%} came from the cache;"
        f" stable head: {mean(heads):.0%} of a prompt on average"
    )


if __name__ == "__main__":
    main()
