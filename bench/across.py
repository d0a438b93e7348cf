"""Questions in one language over pages in another, with the embedded model: Russian, English and back.

    python bench/across.py [-n 32] [--minutes 15] [--wrong]

The pages are those of critic_claims.yaml, the questions (across.yaml) are asked of all of them; six of these have
no answer there. An answer is right when its short answer, or a statement with receipts, holds what it has to, in
either spelling. Replies of the model are kept under bench/results/: a stopped run goes on, and a change of the
checks costs no model time.
"""

import argparse
import asyncio
import tempfile
import time
from pathlib import Path
from typing import Any

from best_of_n import SEED, Remembering
from common import interval, mean
from ruamel.yaml import YAML

from crowquill import Agent
from crowquill.agent.workspace import Workspace
from crowquill.memory.textual import is_cyrillic


def read_yaml(name: str) -> list[dict[str, Any]]:
    """Return the list of a YAML file beside this one."""
    entries: list[dict[str, Any]] = YAML(typ="safe", pure=True).load(
        Path(__file__).with_name(name).read_text("utf-8")
    )
    return entries


async def work(options: argparse.Namespace) -> None:
    """Ask as many questions as there is time for, and report."""
    end, rows = time.monotonic() + options.minutes * 60, []
    model = Remembering("across", 1)
    with tempfile.TemporaryDirectory() as folder:
        pages = Path(folder) / "pages"
        pages.mkdir()
        for number, page in enumerate(read_yaml("critic_claims.yaml")):
            text = f"# {page['title']}\n\n{' '.join(page['evidence'])}\n"
            (pages / f"{number}.md").write_text(text, encoding="utf-8")
        home = Path(folder) / "workspace"
        home.mkdir()
        (home / "seed").write_text(SEED)  # part of the prompts: the same in every run of the benchmark
        workspace = Workspace(home)
        workspace.index(pages, "all")
        try:
            for case in read_yaml("across.yaml")[: options.n]:
                if time.monotonic() > end:
                    break
                agent = Agent(
                    model=model, policy="guided", corpora=["all"], memory=False, workspace=workspace, budget=None
                )
                answer = await agent.answer(case["ask"])
                told = " ".join(
                    [answer.short, *(claim.text for claim in answer.claims if claim.status != "unsupported")]
                )
                row = {
                    "hopeless": not case["gold"],
                    "answered": bool(answer.claims),
                    "right": any(gold in told for gold in case["gold"]),
                    "own": all(is_cyrillic(claim.text) == is_cyrillic(case["ask"]) for claim in answer.claims),
                    "flagged": any(claim.status == "unsupported" for claim in answer.claims),
                    "calls": answer.usage.calls,
                }
                rows.append(row)
                if options.wrong:
                    print(f"{case['ask']} {case['gold']} -> {answer.short!r}: {answer.text}", flush=True)
        finally:
            model.end()
    report(rows)


def report(rows: list[dict[str, Any]]) -> None:
    """Print how many were answered rightly, and in which language."""
    answerable = [row for row in rows if not row["hopeless"]]
    given = [row for row in answerable if row["answered"]]
    right = [float(row["right"]) for row in answerable]
    low, high = interval(right)
    print(f"right {sum(right):.0f} of {len(right)} = {mean(right):.2f} [{low:.2f}, {high:.2f}]")
    print(f"not found {len(answerable) - len(given)}, wrong {sum(not row['right'] for row in given)}")
    print(f"in the language of the question {sum(row['own'] for row in given)} of {len(given)}")
    print(f"with a statement without receipt {sum(row['flagged'] for row in given)}")
    hopeless = [row for row in rows if row["hopeless"]]
    print(f"answered though the pages do not say it {sum(row['answered'] for row in hopeless)} of {len(hopeless)}")
    print(f"calls a question {mean([float(row['calls']) for row in rows]):.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-n", type=int, help="questions, from the first; all when not given")
    parser.add_argument("--minutes", type=float, default=600, help="begin no question after so many minutes")
    parser.add_argument("--wrong", action="store_true", help="show every answer")
    asyncio.run(work(parser.parse_args()))


if __name__ == "__main__":
    main()
