"""How much of the action loop's prompts a prefix cache serves, with the embedded model.

    python bench/prefix.py [--layout blocks|transcript]

A scripted model takes the steps (search, open, quote, scroll, search, open, quote, math, answer) over the shipped
pages; the prompts of these steps are then sent to the embedded model, one after the other as in a run, with eight
tokens of reply each. Shown are, per prompt: its tokens, the share that is byte-identical with the beginning of the
prompt before, the share that the server's cache served, and the share of the head that stays the same for the whole
task (instructions, tools, question). Shares of tokens are taken from shares of characters.
"""

import argparse
import asyncio
import os
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from common import mean

from crowquill import Agent, ScriptedModel
from crowquill.agent.models.base import Request
from crowquill.agent.models.resolve import resolve
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


async def main() -> None:
    """Send the prompts and print the shares."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--layout", default="blocks", choices=["blocks", "transcript"])
    options = parser.parse_args()
    requests = prompts(options.layout)
    model = resolve("local")
    rows, before = [], ""
    try:
        for number, request in enumerate(requests, 1):
            text = text_of(request)
            same = len(os.path.commonprefix([before, text]))  # noqa: RUF071 - no path
            head = text.index("Evidence\n") if options.layout == "blocks" else len(text_of(requests[0]))
            usage = (await model.complete(replace(request, schema=None, max_tokens=8))).usage
            row = {
                "tokens": usage.prompt,
                "same": same / len(text),
                "served": usage.cached / usage.prompt,
                "head": head / len(text),
            }
            before = text
            rows.append(row)
            print(
                f"{number:>2}. {row['tokens']:>5} tokens · same as before {row['same']:>4.0%}"
                f" · served from the cache {row['served']:>4.0%} · stable head {row['head']:>4.0%}",
                flush=True,
            )
    finally:
        await model.close()
    later = rows[1:]
    ought, was = (sum(row[name] * row["tokens"] for row in later) for name in ("same", "served"))
    print(
        f"of the tokens that were the same as before, {min(was / ought, 1):.1%} came from the cache;"
        f" stable head: {mean([row['head'] for row in rows]):.0%} of a prompt on average"
    )


if __name__ == "__main__":
    asyncio.run(main())
