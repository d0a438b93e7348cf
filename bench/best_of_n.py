"""What more candidates are worth: accuracy against tokens for N = 1, 2, 4, 8, with the embedded model.

    python bench/best_of_n.py --gsm8k ../shared/data/gsm8k_dev.json [-n 60] [--minutes 12] [--slots 4]
    python bench/best_of_n.py --hotpot ../shared/data/hotpot_dev.json [-n 40] [--minutes 12] [--slots 4]

Each question is answered once by the public API with `select=best_of_n:8`; the eight candidates and their rewards
are the journal's own. N = 1, 2, 4, 8 and the strategies are then computed from these stored candidates by the code
that chooses in a run. Word problems share the plan, questions over pages share the evidence. Beside them stands one
chain-of-thought call. Every reply of the model is kept under bench/results/, so that a stopped run goes on where it
was and a change of the checks or the reward costs no model time. `--slots` answers as many requests at once.
`--report` computes the tables from what is there.
"""

import argparse
import asyncio
import hashlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from common import RESULTS, Results, interval, mean
from gsm8k import number_of
from hotpot import f1, pages_of, write_pages

from crowquill import Agent
from crowquill.agent.answer import Candidate, Reward, Stop
from crowquill.agent.events import Judged, RunFinished
from crowquill.agent.models.base import Message, Model, Reply, Request, Usage
from crowquill.agent.models.faults import UnusableReply
from crowquill.agent.models.openai import OpenAIModel
from crowquill.agent.prompting import prompt
from crowquill.agent.select.attempt import Attempt, Sampling
from crowquill.agent.select.candidates import by_strategy, settled
from crowquill.agent.select.options import Select, Strategy
from crowquill.agent.select.vote import choose
from crowquill.agent.workspace import Workspace
from crowquill.errors import ModelError

MOST = 8
SEED = "0123456789abcdef"
STRATEGIES: tuple[Strategy, ...] = ("majority", "best_of_n", "weighted", "auto")
_SERVER = """
import json, os, sys, xllamacpp
order, out = json.loads(sys.stdin.readline()), os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
params = xllamacpp.CommonParams()
params.model.path, params.n_ctx, params.n_parallel = order["path"], 3072 * order["slots"], order["slots"]
params.hostnames, params.port, params.api_keys = ["127.0.0.1"], 0, ["bench"]
params.verbosity, params.ui, params.offline, params.use_jinja = -1, False, True, True
params.fit_params, params.cache_ram_mib = False, 512 # repacked weights: 1.4 times as fast with 4 slots
server = xllamacpp.Server(params)
print(server.listening_address, file=out, flush=True)
sys.stdin.read()
os._exit(0)
"""


class Remembering:
    """The embedded model behind as many slots as are asked for; a reply is asked for once, and kept."""

    def __init__(self, name: str, slots: int) -> None:
        self.name, self.slots, self.context_tokens = "local", slots, 3072
        self.spent: dict[int | None, Usage] = {}
        self._replies = Results(f"{name}-replies")
        self._model: Model | None = None
        self._process: subprocess.Popen[str] | None = None

    async def complete(self, request: Request) -> Reply:
        """Answer from the file, or ask and write down; `spent` grows by candidate, which the seed tells apart."""
        key = hashlib.sha256(json.dumps(asdict(request), sort_keys=True, default=sorted).encode()).hexdigest()
        row = self._replies.get(key)
        if row is None:
            row = self._replies.keep(key, {"reply": await self._ask(request)})
        usage = Usage(**row["reply"]["usage"])
        self.spent[request.seed] = self.spent.get(request.seed, Usage()) + usage
        if "cut" in row["reply"]:
            reply = row["reply"]
            raise UnusableReply(reply["cut"], kind=reply["kind"], text=reply["text"], usage=usage)
        return Reply(**{**row["reply"], "usage": usage, "logprobs": tuple(row["reply"]["logprobs"])})

    async def _ask(self, request: Request) -> dict[str, Any]:
        try:
            return asdict(await self._started().complete(request))
        except UnusableReply as cut:
            return {"cut": str(cut), "kind": cut.kind, "text": cut.text, "usage": asdict(cut.usage)}

    def _started(self) -> Model:
        if self._model is None:
            path = next((Path.home() / ".cache" / "crowquill" / "models").glob("*.gguf"))
            pipe = subprocess.PIPE
            self._process = subprocess.Popen(
                [sys.executable, "-c", _SERVER], stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True
            )
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            self._process.stdin.write(json.dumps({"path": str(path), "slots": self.slots}) + "\n")
            self._process.stdin.flush()
            url = f"{self._process.stdout.readline().strip()}/v1"
            self._model = OpenAIModel("q", base_url=url, api_key="bench", slots=self.slots, timeout=900)
        return self._model

    async def warm(self) -> None:
        """Do nothing: the model starts when a reply is not known."""

    async def close(self) -> None:
        """Do nothing: an agent closes what it was given."""

    def end(self) -> None:
        """End the server."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            self._process.wait()


class Bench:
    """Makes, or makes again, the candidates of a question."""

    def __init__(self, kind: str, cases: Sequence[dict[str, Any]], model: Remembering, folder: Path) -> None:
        self.kind = kind
        self._model = model
        folder.mkdir(exist_ok=True)
        (folder / "seed").write_text(SEED)  # part of the prompts: the same in every run of the benchmark
        self._workspace = Workspace(folder)
        self._share = "plan"
        if kind == "hotpot":
            write_pages(pages_of(cases), folder / "pages")
            self._workspace.index(folder / "pages", "all")
            self._share = "evidence"

    async def candidates(self, case: dict[str, Any]) -> dict[str, Any]:
        """Return the candidates of a question with their tokens, and the chain-of-thought answer beside them."""
        self._model.spent = {}
        agent = Agent(
            model=self._model,
            policy="guided",
            corpora=["all"] if self.kind == "hotpot" else [],
            memory=False,
            workspace=self._workspace,
            budget=None,
            select=Select("best_of_n", MOST, self._share, at_once=self._model.slots),  # type: ignore[arg-type]
        )
        judged = {}
        async for event in agent.stream(case["question"]):
            if isinstance(event, Judged):
                judged[event.number] = event
            if isinstance(event, RunFinished) and event.stopped in ("error", "paused"):
                raise SystemExit(f"stopped: {event.answer.why}; start again to go on")
        rows = []
        for number in range(1, MOST + 1):
            sampling = Sampling(number, SEED, nudged=self._share != "evidence")
            seed = None if number == 1 else sampling.applied(Request("act", (), 1)).seed
            usage = self._model.spent.get(seed, Usage())
            event = judged.get(number)
            row: dict[str, Any] = {"number": number, "tokens": usage.prompt + usage.completion, "short": ""}
            if event is not None:
                statuses = [claim.status for claim in event.claims]
                row |= {"short": event.short, "parts": dict(event.reward.parts), "statuses": statuses}
                row["score"] = self._score(event.short, case["answer"])
                row["attempt"] = Attempt(
                    number, Candidate(event.short, event.claims, ()), event.reward, event.verdict, "answered"
                )
            else:
                row["score"] = 0.0
                nothing = Candidate("", (), ())
                row["attempt"] = Attempt(number, nothing, Reward(0.0, ()), Stop("no answer"), "not_found")
            rows.append(row)
        return {"candidates": rows, "thought": await self._thought(case)}

    async def _thought(self, case: dict[str, Any]) -> dict[str, Any]:
        """One call that reasons step by step, without tools: what most people would do."""
        instruction = (
            "Answer the question. Think step by step in a few words. The last line is: Answer: SHORT ANSWER"
        )
        name, most = "Question", 250
        if self.kind == "gsm8k":
            instruction, name, most = prompt("reason").system.template.strip(), "Problem", 400
        messages = (Message("system", instruction), Message("user", f"{name}: {case['question']}"))
        try:
            reply = await self._model.complete(Request("act", messages, most))
        except ModelError:
            return {"score": 0.0, "tokens": most}
        said = reply.text.rpartition("Answer:")[2].strip()
        return {
            "score": self._score(said.rstrip("."), case["answer"], last="Answer:" not in reply.text),
            "tokens": reply.usage.prompt + reply.usage.completion,
            "said": said[:80],
        }

    def _score(self, short: str, gold: str, *, last: bool = False) -> float:
        """Score a short answer; `last`: a reasoning that does not name it, whose last number is meant."""
        if self.kind == "hotpot":
            return f1(short, gold)
        value = number_of(short.replace("≈ ", ""), last=last)
        return float(value is not None and abs(value - float(gold.replace(",", ""))) < 1e-6)


def chosen(strategy: Strategy, n: int, rows: Sequence[dict[str, Any]]) -> tuple[float, int]:
    """Return the score and the tokens of a strategy with at most `n` of the candidates."""
    select, used = Select(strategy, n), []
    for row in rows[:n]:
        if used and strategy == "auto" and settled(select, [entry["attempt"] for entry in used]):
            break
        used.append(row)
    attempts = [row["attempt"] for row in used]
    winner = choose(by_strategy(select, attempts), attempts).winner
    return rows[winner.number - 1]["score"], sum(row["tokens"] for row in used)


def report(kind: str, found: Sequence[dict[str, Any]]) -> None:
    """Print the tables."""
    measure = "F1" if kind == "hotpot" else "right"
    print(f"\n{kind}: {len(found)} questions, {measure} with 95 % bootstrap intervals")
    thought = [entry["thought"] for entry in found]
    low, high = interval([row["score"] for row in thought])
    tokens = mean([row["tokens"] for row in thought])
    print(
        f"one chain-of-thought call  {mean([row['score'] for row in thought]):.3f} "
        f"[{low:.3f}, {high:.3f}] {tokens:6.0f} tokens"
    )
    for strategy in STRATEGIES:
        for n in (1, 2, 4, MOST):
            results = [chosen(strategy, n, entry["candidates"]) for entry in found]
            scores = [score for score, _ in results]
            low, high = interval(scores)
            tokens = mean([float(spent) for _, spent in results])
            print(
                f"{strategy:<10} N = {n}           {mean(scores):.3f} [{low:.3f}, {high:.3f}] {tokens:6.0f} tokens"
            )
    best = [max(row["score"] for row in entry["candidates"]) for entry in found]
    print(f"the best of {MOST}, if one knew  {mean(best):.3f}")


async def work(options: argparse.Namespace, kind: str, cases: Sequence[dict[str, Any]]) -> None:
    """Make the candidates of as many questions as there is time for, and report."""
    model, found = Remembering(f"best-of-n-{kind}", options.slots), []
    done = RESULTS / f"best-of-n-{kind}-done.json"
    known: list[str] = json.loads(done.read_text()) if done.exists() else []
    end = time.monotonic() + options.minutes * 60
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(kind, cases, model, Path(folder) / "workspace")
        try:
            for number, case in enumerate(cases, 1):
                if case["question"] not in known and (options.report or time.monotonic() > end):
                    break
                found.append(await bench.candidates(case))
                if case["question"] not in known:
                    known.append(case["question"])
                    done.write_text(json.dumps(known))
                shorts = " | ".join(row["short"] or "-" for row in found[-1]["candidates"])
                print(f"{number:3} gold {case['answer']}: {shorts}", flush=True)
        finally:
            model.end()
    if found:
        report(kind, found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gsm8k", type=Path, help="a file of word problems: question, answer")
    parser.add_argument("--hotpot", type=Path, help="a HotpotQA file: question, answer, type, support, pages")
    parser.add_argument("-n", type=int, help="questions, from the first; all when not given")
    parser.add_argument("--slots", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=600, help="begin no question after so many minutes")
    parser.add_argument("--report", action="store_true", help="ask no model; report what is there")
    options = parser.parse_args()
    for kind, path in (("gsm8k", options.gsm8k), ("hotpot", options.hotpot)):
        if path is not None:
            every = json.loads(path.read_text(encoding="utf-8"))
            asyncio.run(work(options, kind, every[: options.n]))


if __name__ == "__main__":
    main()
