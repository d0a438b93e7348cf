"""Word problems of GSM8K with the embedded model, with the math tool and without it.

    python bench/gsm8k.py ../shared/data/gsm8k_dev.json [-n 60] [--ways tool,reason,direct] [--model local]
        [--minutes 20] [--fresh]

tool     the public API, `Agent.ask`: the model writes named steps, the tool computes them
reason   the same model by itself: it thinks step by step and ends with the number
direct   the same model by itself: the number alone

A line of JSON per problem and way is kept under bench/results/, and a stopped run is continued; a change of the
program's code begins anew, but no request is sent twice. `--minutes` ends a run in time for others, to be continued
later. An answer is right when it is the number of the data set.
"""

import argparse
import asyncio
import hashlib
import json
import re
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from common import Results, fingerprint, interval, mean, paired

from crowquill import Agent
from crowquill.agent.models.base import Message, Model, Reply, Request, Usage
from crowquill.agent.models.faults import UnusableReply
from crowquill.agent.models.resolve import resolve
from crowquill.agent.prompting import prompt
from crowquill.agent.workspace import Workspace

Case = dict[str, str]


class Remembering:
    """A model that answers a request which it has answered before from the file of its replies.

    `tool` and `reason` begin with the same request, at temperature 0: it is sent once, and counts for both.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self._replies = Results("gsm8k-replies")
        self.name, self.slots, self.context_tokens = model.name, model.slots, model.context_tokens
        self.seconds = 0.0

    async def complete(self, request: Request) -> Reply:
        """Answer from the file, or ask and write down; `seconds` grows by what the answer took when it was new."""
        key = hashlib.sha256(json.dumps([self.name, asdict(request)], sort_keys=True).encode()).hexdigest()
        row = self._replies.get(key)
        if row is None:
            started = time.perf_counter()
            try:
                reply = asdict(await self._model.complete(request))
            except UnusableReply as cut:
                reply = {"cut": str(cut), "kind": cut.kind, "text": cut.text, "usage": asdict(cut.usage)}
            row = self._replies.keep(key, {"reply": reply, "seconds": time.perf_counter() - started})
        self.seconds += row["seconds"]
        reply, usage = row["reply"], Usage(**row["reply"]["usage"])
        if "cut" in reply:
            raise UnusableReply(reply["cut"], kind=reply["kind"], text=reply["text"], usage=usage)
        return Reply(**{**reply, "usage": usage, "logprobs": tuple(reply["logprobs"])})

    async def warm(self) -> None:
        """Load the model."""
        await self._model.warm()

    async def close(self) -> None:
        """Release the model at the end of the benchmark only: an agent closes what it was given."""


BASELINES = {
    "reason": (prompt("reason").system.template.strip(), 400),
    "direct": ("Answer the word problem with the number alone.", 20),
}
_NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?")


def number_of(text: str, *, last: bool) -> float | None:
    """Return the first or last number of a text."""
    found = [float(number.replace(",", "")) for number in _NUMBER.findall(text)]
    return found[-1 if last else 0] if found else None


class Bench:
    """Answers a problem in each of the ways."""

    def __init__(self, model: Remembering, folder: Path) -> None:
        self._model = model
        self._workspace = Workspace(folder)

    async def answer(self, way: str, case: Case) -> dict[str, Any]:
        """Answer one problem and return its row."""
        self._model.seconds = 0.0
        row = await (self._baseline(way, case) if way in BASELINES else self._agent(case))
        gold = float(case["answer"].replace(",", ""))
        value = row["value"]
        right = value is not None and abs(value - gold) < 1e-6
        return {
            "question": case["question"],
            "gold": gold,
            **row,
            "right": float(right),
            "seconds": round(self._model.seconds, 2),
        }

    async def _baseline(self, way: str, case: Case) -> dict[str, Any]:
        instruction, most = BASELINES[way]
        messages = (Message("system", instruction), Message("user", f"Problem: {case['question']}"))
        try:
            reply = await self._model.complete(Request("act", messages, most))
        except UnusableReply as cut:  # it talks on until it is cut off
            return {
                "value": None,
                "said": "",
                "prompt": cut.usage.prompt,
                "completion": cut.usage.completion,
                "calls": 1,
            }
        text = reply.text.rpartition("Answer:")[2]
        value = number_of(text, last="Answer:" not in reply.text)
        usage = reply.usage
        return {
            "value": value,
            "said": reply.text,
            "prompt": usage.prompt,
            "completion": usage.completion,
            "calls": 1,
        }

    async def _agent(self, case: Case) -> dict[str, Any]:
        agent = Agent(model=self._model, policy="guided", memory=False, workspace=self._workspace)
        answer = await agent.answer(case["question"])
        usage = answer.usage
        return {
            "value": number_of(answer.short.replace("≈ ", ""), last=False),
            "said": answer.text[:600],
            "stopped": answer.stopped,
            "statuses": [claim.status for claim in answer.claims],
            "prompt": usage.prompt,
            "completion": usage.completion,
            "calls": usage.calls,
        }


def summary(way: str, rows: Sequence[dict[str, Any]]) -> str:
    """Return the line that sums a way up."""
    low, high = interval([row["right"] for row in rows])
    tokens = " + ".join(f"{mean([row[name] for row in rows]):.0f}" for name in ("prompt", "completion"))
    spent = {name: mean([row[name] for row in rows]) for name in ("calls", "seconds")}
    line = (
        f"{way:<8} right {mean([row['right'] for row in rows]):.3f} [{low:.3f}, {high:.3f}] of {len(rows)}  "
        f"tokens {tokens}  calls {spent['calls']:.2f}  {spent['seconds']:.1f} s"
    )
    if "stopped" in rows[0]:
        statuses = Counter(status for row in rows for status in row["statuses"])
        line += f"  ended {dict(Counter(row['stopped'] for row in rows))}, claims {dict(statuses)}"
    return line


async def work(options: argparse.Namespace, cases: Sequence[Case], ways: Sequence[str]) -> None:
    """Run all cases in all ways, then print the summaries and the comparisons."""
    results = Results(f"gsm8k-{fingerprint()}", fresh=options.fresh)
    embedded = resolve(options.model)
    model = Remembering(embedded)
    rows: dict[str, list[dict[str, Any]]] = {way: [] for way in ways}
    end = time.monotonic() + options.minutes * 60
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(model, Path(folder))
        await model.warm()
        try:
            for count, case in enumerate(cases, 1):
                if time.monotonic() > end:
                    print(f"stopped after {options.minutes} minutes; start again to continue")
                    break
                for way in ways:
                    key = f"{options.model} {way} {case['question']}"
                    row = results.get(key)
                    if row is None:
                        row = results.keep(key, await bench.answer(way, case))
                    rows[way].append(row)
                    sign = "+" if row["right"] else "-"
                    print(
                        f"{count:3} {sign} {way:<7} {row['value']} ({row['gold']:g})  {row['seconds']:.1f} s",
                        flush=True,
                    )
        finally:
            await embedded.close()
    print(f"\nmodel {options.model}, results in {results.path}")
    for way in ways:
        print(summary(way, rows[way]))
    first = ways[0]
    for other in ways[1:]:
        ours, theirs = ([row["right"] for row in rows[way]] for way in (first, other))
        difference, low, high, p = paired(ours, theirs)
        print(f"{first} - {other}: {difference:+.3f} [{low:+.3f}, {high:+.3f}], p = {p:.4f} (not better)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path, help="a file of word problems: question, answer")
    parser.add_argument("-n", type=int, help="problems, from the first; all when not given")
    parser.add_argument("--ways", default="tool,reason,direct")
    parser.add_argument("--model", default="local")
    parser.add_argument("--minutes", type=float, default=600, help="stop after so many minutes")
    parser.add_argument("--fresh", action="store_true", help="forget results of an earlier run of the same code")
    options = parser.parse_args()
    cases = json.loads(options.path.read_text(encoding="utf-8"))[: options.n]
    asyncio.run(work(options, cases, options.ways.split(",")))


if __name__ == "__main__":
    main()
