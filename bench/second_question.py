"""What a memory is worth: ten pairs of questions on the pocket web; the second shares evidence with the first.

    python bench/second_question.py [--model reader|local] [--fresh]

Each second question is asked twice: in a workspace in which the first one was answered, and in one that knows
nothing. Steps, model calls and tokens are of the second question alone; `right` is whether its short answer is.

`reader` is no model but a stand-in that knows which words answer a question, and finds them when they stand in the
quotes that it is shown, never otherwise: what it needs is what the program needs, with reading taken out. `local`
is the embedded model.
"""

import argparse
import asyncio
import json
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common import Results, fingerprint, interval, mean

from crowquill import Agent
from crowquill.agent.events import Acted, RunFinished
from crowquill.agent.models.base import Model, Reply, Request, Usage
from crowquill.agent.models.reply import finish_reply
from crowquill.agent.models.resolve import resolve
from crowquill.agent.workspace import Workspace
from crowquill.memory.packing import tokens

PAIRS = (
    ("How long is the Danube in kilometres?", "What is the length of the Danube, in kilometres?", "2,850"),
    ("Who directed The Third Man?", "Which director made the film The Third Man?", "Carol Reed"),
    ("When was Carol Reed born?", "In which city was Carol Reed born?", "London"),
    ("Who wrote the music of The Third Man?", "Whose music is played in The Third Man?", "Anton Karas"),
    ("Who directed The Birds?", "Which director made The Birds?", "Alfred Hitchcock"),
    ("In which year was Lise Meitner born?", "In which city was Lise Meitner born?", "Vienna"),
    ("When was Tower Bridge opened?", "On what date was Tower Bridge opened?", "30 June 1894"),
    ("How long is the Rhine?", "How many kilometres long is the Rhine?", "1,230"),
    ("When was the University of Vienna founded?", "In which year was the University of Vienna founded?", "1365"),
    ("Where was Marie Curie born?", "In which city was Marie Curie born?", "Warsaw"),
)
FIRST = (
    "2,850",
    "Carol Reed",
    "1906",
    "Anton Karas",
    "Alfred Hitchcock",
    "1878",
    "1894",
    "1,230",
    "1365",
    "Warsaw",
)
_QUOTE = re.compile(r"^\[(\d+)\] (.*)$", re.MULTILINE)


@dataclass
class Reader:
    """Finds the words of the answer among the quotes of a prompt."""

    answer: str = ""
    name = "scripted:reader"
    slots = 1
    context_tokens = 8192

    async def warm(self) -> None:
        """Do nothing."""

    async def close(self) -> None:
        """Do nothing."""

    async def complete(self, request: Request) -> Reply:
        prompt = "\n".join(message.content for message in request.messages)
        found = [(int(number), text) for number, text in _QUOTE.findall(prompt) if self.answer in text]
        said: dict[str, Any] = {"quotes": [1], "sentence": "The quotes do not say it.", "answer": "not found"}
        if found:
            number, text = found[0]
            said = {"quotes": [number], "sentence": text.partition(": ")[2] or text, "answer": self.answer}
        properties = (request.schema or {}).get("properties", {})
        text = json.dumps({name: value for name, value in said.items() if name in properties})
        usage = Usage(tokens(prompt), 0, tokens(text), 1)
        return finish_reply(request, text=text, usage=usage, finish="stop")


async def ask(workspace: Workspace, model: Model, question: str) -> dict[str, Any]:
    """Ask a question and return what it took."""
    agent = Agent(model=model, policy="guided", corpora=["pocket"], workspace=workspace, cache=False)
    steps = 0
    async for event in agent.stream(question):
        steps += isinstance(event, Acted)
        if isinstance(event, RunFinished):
            usage = event.answer.usage
            return {
                "steps": steps,
                "calls": usage.calls,
                "tokens": usage.prompt + usage.completion,
                "short": event.answer.short,
                "seconds": event.answer.seconds,
            }
    raise AssertionError("a run ends with RunFinished")


async def work(options: argparse.Namespace) -> None:
    """Ask all pairs, and print the sums."""
    results = Results(f"second-{fingerprint()}", fresh=options.fresh)
    model: Model = Reader() if options.model == "reader" else resolve(options.model)
    rows: dict[str, list[dict[str, Any]]] = {"with": [], "without": []}
    for (first, second, gold), before in zip(PAIRS, FIRST, strict=True):
        for way, known in rows.items():
            row = results.get(f"{options.model} {way} {second}")
            if row is None:
                with tempfile.TemporaryDirectory() as folder:
                    workspace = Workspace(Path(folder))
                    if way == "with":
                        _expect(model, before)
                        await ask(workspace, model, first)
                    _expect(model, gold)
                    row = await ask(workspace, model, second)
                    workspace.close()
                row |= {"right": gold.lower() in row["short"].lower()}
                row = results.keep(f"{options.model} {way} {second}", row)
            known.append(row)
            print(
                f"{way:<8} {row['steps']:>2} steps {row['calls']} calls {row['tokens']:>5} tokens  {second}",
                flush=True,
            )
    await model.close()
    for way, known in rows.items():
        print(f"{way:<8} {summary(known)}")
    for name in ("steps", "tokens"):
        saved = [1 - a[name] / b[name] for a, b in zip(rows["with"], rows["without"], strict=True)]
        low, high = interval(saved)
        print(f"{name} saved: {mean(saved):.0%} [{low:.0%}, {high:.0%}]")


def _expect(model: Model, answer: str) -> None:
    if isinstance(model, Reader):
        model.answer = answer


def summary(rows: Sequence[dict[str, Any]]) -> str:
    """Return the means of a way."""
    figures = {name: mean([float(row[name]) for row in rows]) for name in ("steps", "calls", "tokens", "seconds")}
    right = sum(row["right"] for row in rows)
    return ", ".join(f"{name} {value:.1f}" for name, value in figures.items()) + f", right {right} of {len(rows)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="reader")
    parser.add_argument("--fresh", action="store_true", help="forget results of an earlier run of the same code")
    asyncio.run(work(parser.parse_args()))


if __name__ == "__main__":
    main()
