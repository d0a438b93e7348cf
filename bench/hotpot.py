"""HotpotQA with the embedded model, side by side with what a person would otherwise do with it.

    python bench/hotpot.py ../shared/data/hotpot_dev.json [-n 60] [--oracle] [--ways agent,stuffed,closed]
        [--without PART …] [--policy guided] [--model local] [--folder FOLDER] [--fresh]

The pages of all questions become one folder of HTML, in which a page links to another where it mentions its title,
as on Wikipedia. The folder is indexed, and each question is answered in each way:

agent    the public API with that corpus; `--without` leaves parts of the recipe out, each in a way of its own
         (a question on which the part had done nothing counts with the row of the whole recipe)
oracle   the same, with a corpus of the question's supporting pages only: the ceiling of the reader
stuffed  the five best pages by BM25 in one prompt, whole
closed   the question alone

A line of JSON per question and way is kept under bench/results/, and a stopped run is continued; a change of the
program's code begins anew, but in a `--folder` that is kept no request is sent twice (nor are its tokens counted).
Exact match, F1 and contains are HotpotQA's, on `Answer.short`.
"""

import argparse
import asyncio
import html
import json
import re
import string
import tempfile
import time
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote
from zlib import crc32

from common import Results, fingerprint, interval, mean, paired

from crowquill import Agent, Answer
from crowquill.agent.annotate import answer_pattern
from crowquill.agent.config import PARTS, Part
from crowquill.agent.events import Acted, RunFinished
from crowquill.agent.guided_pages import PAGES
from crowquill.agent.models.base import Message, Model, Request
from crowquill.agent.models.resolve import resolve
from crowquill.agent.workspace import Workspace
from crowquill.memory.evidence import Quote
from crowquill.memory.lexical import LexicalIndex

Case = dict[str, Any]
BASELINES = ("stuffed", "closed")
STUFFED_PAGES = 5


def normalise(text: str) -> str:
    """Lower case, no punctuation, no articles, single spaces: as in HotpotQA's evaluation script."""
    text = "".join(letter for letter in text.lower() if letter not in string.punctuation)
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split())


def f1(short: str, gold: str) -> float:
    """Return the F1 of the words, 0 where one side is yes or no and the other is not, as HotpotQA has it."""
    ours, theirs = normalise(short), normalise(gold)
    if ours != theirs and {ours, theirs} & {"yes", "no", "noanswer"}:
        return 0.0
    common = sum((Counter(ours.split()) & Counter(theirs.split())).values())
    if not common:
        return 0.0
    precision, recall = common / len(ours.split()), common / len(theirs.split())
    return 2 * precision * recall / (precision + recall)


def score(short: str, gold: str) -> dict[str, float]:
    """Return exact match, F1 and whether the answer contains the gold words."""
    ours, theirs = normalise(short), normalise(gold)
    return {"em": float(ours == theirs), "f1": f1(short, gold), "contains": float(f" {theirs} " in f" {ours} ")}


def pages_of(cases: Iterable[Case]) -> dict[str, str]:
    """Return title → text of all pages."""
    return {title: text for case in cases for title, text in case["pages"].items()}


def file_name(title: str) -> str:
    """Return a file name for a page: its title in safe characters."""
    return re.sub(r"[^\w().,-]", "_", title)[:100] + ".html"


def write_pages(pages: dict[str, str], folder: Path) -> None:
    """Write pages as HTML that link to each other where a page mentions another's title."""
    folder.mkdir(parents=True, exist_ok=True)
    bare = {re.sub(r" \([^)]*\)$", "", title): title for title in reversed(pages)}
    longest_first = sorted(bare, key=len, reverse=True)
    mention = re.compile(r"(?<!\w)(" + "|".join(map(re.escape, longest_first)) + r")(?!\w)")
    for title, text in pages.items():
        body, at = "", 0
        for match in mention.finditer(text):
            target = bare[match[1]]
            if target != title:
                link = f'<a href="{quote(file_name(target))}">{html.escape(match[1])}</a>'
                body, at = body + html.escape(text[at : match.start()]) + link, match.end()
        body += html.escape(text[at:])
        name = html.escape(title)
        page = f"<!doctype html><title>{name}</title><h1>{name}</h1><p>{body}</p>\n"
        (folder / file_name(title)).write_text(page, encoding="utf-8")


class Bench:
    """Answers a question in each of the ways."""

    def __init__(self, cases: Sequence[Case], folder: Path, model: Model, policy: str | None) -> None:
        self._model = model
        self._policy: Any = policy
        self._workspace = Workspace(folder / "workspace")
        self._folder = folder
        self._pages = pages_of(cases)
        self._lexical = LexicalIndex()
        for title, text in self._pages.items():
            self._lexical.add(title, title=title, body=text)
        self._lexical.commit()
        write_pages(self._pages, folder / "all")
        self._workspace.index(folder / "all", "all")

    async def answer(self, way: str, case: Case) -> dict[str, Any]:
        """Answer one question and return its row."""
        started = time.perf_counter()
        if way in BASELINES:
            row = await self._baseline(way, case)
        else:
            row = await self._agent(way, case)
        row |= score(row["short"], case["answer"])
        seconds = round(time.perf_counter() - started, 2)
        return {
            "question": case["question"],
            "gold": case["answer"],
            "type": case["type"],
            **row,
            "seconds": seconds,
        }

    async def _baseline(self, way: str, case: Case) -> dict[str, Any]:
        instruction = "Answer the question with the short answer alone: a name, a number, a phrase, yes or no."
        text = f"Question: {case['question']}\nShort answer:"
        if way == "stuffed":
            found = [title for title, _ in self._lexical.search(case["question"], STUFFED_PAGES)]
            text = "\n\n".join(f"{title}\n{self._pages[title]}" for title in found) + "\n\n" + text
            instruction = "Read the pages. " + instruction
        messages = (Message("system", instruction), Message("user", text))
        reply = await self._model.complete(Request("act", messages, 40))
        lines = reply.text.strip().splitlines()
        usage = reply.usage
        return {
            "short": lines[0].strip().rstrip(".") if lines else "",
            "prompt": usage.prompt,
            "cached": usage.cached,
            "completion": usage.completion,
        }

    async def _agent(self, way: str, case: Case) -> dict[str, Any]:
        corpus = "all"
        if way == "oracle":
            corpus = f"oracle-{crc32(case['question'].encode()):08x}"
            folder = self._folder / corpus
            write_pages({title: self._pages[title] for title in case["support"]}, folder)
            await asyncio.to_thread(self._workspace.index, folder, corpus)
        without: Any = [way.removeprefix("agent-")] if way.startswith("agent-") else []
        agent = Agent(
            model=self._model,
            policy=self._policy,
            corpora=[corpus],
            memory=False,
            workspace=self._workspace,
            without=without,
        )
        thoughts = []
        async for event in agent.stream(case["question"]):
            if isinstance(event, Acted):
                thoughts.append(event.thought)
            elif isinstance(event, RunFinished):
                parts = self._parts_at_work(case["question"], " ".join(thoughts))
                return _row(event.answer, case, self._pages) | {"parts": parts}
        raise AssertionError("a run ends with RunFinished or an exception")

    def _parts_at_work(self, question: str, told: str) -> list[str]:
        """Return the parts of the recipe without which the question might have been answered in another way."""
        searched_on = "is there a page about what was answered?" in told
        at_work = {
            "comparison": "what it says about " in told,
            "types": answer_pattern(question) is not None,
            "second look": "not found at first" in told,
            "bridge": "is it what is asked for" in told,
        }
        return [
            part
            for part in PARTS
            if (
                at_work[part]
                if part in at_work
                else searched_on or self._lines(question) != self._lines(question, part)
            )
        ]

    def _lines(self, question: str, *without: Part) -> list[tuple[str, list[tuple[int, int]]]]:
        """Return the lines that the search of a question brings: pages, best first, and ranges of lines."""
        hits = self._workspace.corpus("all", without)._search(question, PAGES)
        return [(hit.url, [(at.first, at.last) for at in hit.passages]) for hit in hits]


def _row(answer: Answer, case: Case, pages: dict[str, str]) -> dict[str, Any]:
    cited = {
        receipt.evidence.id: receipt.evidence
        for claim in answer.claims
        for receipt in claim.support
        if isinstance(receipt.evidence, Quote)
    }
    titles = {item.source.title for item in answer.evidence if isinstance(item, Quote)}
    receipts = bool(answer.claims) and all(claim.status != "unsupported" for claim in answer.claims)
    return {
        "short": answer.short,
        "stopped": answer.stopped,
        "statuses": [claim.status for claim in answer.claims],
        "receipts": float(receipts),
        "quotes_cited": len(cited),
        "quotes_verified": sum(_stands(item, pages) for item in cited.values()),
        "support": mean([float(title in titles) for title in case["support"]]),
        "prompt": answer.usage.prompt,
        "cached": answer.usage.cached,
        "completion": answer.usage.completion,
        "calls": answer.usage.calls,
    }


def _stands(item: Quote, pages: dict[str, str]) -> bool:
    """Say whether a quote stands on its page, checked against the benchmark's own text of it."""
    quoted, page = (
        unicodedata.normalize("NFC", "".join(text.split())) for text in (item.text, pages[item.source.title])
    )
    return quoted in page


def summary(way: str, rows: Sequence[dict[str, Any]]) -> list[str]:
    """Return the lines that sum a way up."""
    figures = {name: mean([row[name] for row in rows]) for name in ("em", "f1", "contains", "seconds")}
    low, high = interval([row["f1"] for row in rows])
    tokens = ", ".join(
        f"{mean([row[name] for row in rows]):.0f} {name}" for name in ("prompt", "cached", "completion")
    )
    lines = [
        f"{way:<24} EM {figures['em']:.3f}  F1 {figures['f1']:.3f} [{low:.3f}, {high:.3f}]  "
        f"contains {figures['contains']:.3f}  {figures['seconds']:.1f} s  tokens: {tokens}"
    ]
    for kind in sorted({row["type"] for row in rows}):
        part = [row["f1"] for row in rows if row["type"] == kind]
        lines.append(f"{'':<24} {kind}: F1 {mean(part):.3f} of {len(part)}")
    answered = [row for row in rows if row.get("stopped") == "answered"]
    if answered:
        cited, verified = (sum(row[name] for row in rows) for name in ("quotes_cited", "quotes_verified"))
        wrong = sum(row["f1"] == 0 and row["receipts"] == 1 for row in answered)
        ends = Counter(row["stopped"] for row in rows)
        lines.append(
            f"{'':<24} verified quote on {sum(row['quotes_verified'] > 0 for row in answered)} of {len(answered)} "
            f"answers; quotes verified/cited {verified}/{cited}; supporting pages quoted "
            f"{mean([row['support'] for row in rows]):.3f}; wrong with full receipts {wrong}; "
            f"calls {mean([row['calls'] for row in rows]):.2f}; ended {dict(ends)}"
        )
    return lines


def _works(way: str, whole: Sequence[dict[str, Any]]) -> bool:
    """Say whether the part that a way leaves out had done anything: if not, the way is the whole recipe."""
    part = way.removeprefix("agent-")
    return part == way or not whole or part in whole[0]["parts"]


async def work(options: argparse.Namespace, cases: Sequence[Case], ways: Sequence[str]) -> None:
    """Run all cases in all ways, then print the summaries and the comparisons."""
    results = Results(f"hotpot-{fingerprint()}", fresh=options.fresh)
    model = resolve(options.model)
    rows: dict[str, list[dict[str, Any]]] = {way: [] for way in ("agent", *ways)}
    with tempfile.TemporaryDirectory() as passing:
        bench = Bench(cases, options.folder or Path(passing), model, options.policy)
        await model.warm()
        try:
            for number, case in enumerate(cases, 1):
                print(f"{number}. {case['question']}\n   gold: {case['answer']}")
                for way in ways:
                    key = f"{options.model} {options.policy} {len(cases)} {way} {case['question']}"
                    row = results.get(key)
                    if row is None and not _works(way, rows["agent"][-1:]):
                        row = rows["agent"][-1]
                    if row is None:
                        row = results.keep(key, await bench.answer(way, case))
                    rows[way].append(row)
                    shown = row["short"] or row.get("stopped", "")
                    spent = row["prompt"] + row["completion"]
                    print(
                        f"   {way:<20} F1 {row['f1']:.2f}  {row['seconds']:5.1f} s {spent:5d} tokens  {shown}",
                        flush=True,
                    )
        finally:
            await model.close()
    print(f"\n{len(cases)} questions, model {options.model}, results in {results.path}")
    for way in ways:
        print("\n".join(summary(way, rows[way])))
    first = ways[0]
    for other in ways[1:]:
        ours, theirs = ([row["f1"] for row in rows[way]] for way in (first, other))
        difference, low, high, p = paired(ours, theirs)
        print(f"{first} - {other}: F1 {difference:+.3f} [{low:+.3f}, {high:+.3f}], p = {p:.4f} (not better)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path, help="a HotpotQA file: question, answer, type, support, pages")
    parser.add_argument("-n", type=int, help="questions, from the first; all when not given")
    parser.add_argument("--ways", default="agent,stuffed,closed")
    parser.add_argument("--oracle", action="store_true", help="also with the supporting pages given")
    parser.add_argument("--without", nargs="*", default=[], metavar="PART", help="also without each of these parts")
    parser.add_argument("--policy", help="guided or json; by the model when not given")
    parser.add_argument("--model", default="local")
    parser.add_argument("--folder", type=Path, help="where the pages, their index and the journal are kept")
    parser.add_argument("--fresh", action="store_true", help="forget results of an earlier run of the same code")
    options = parser.parse_args()
    cases = json.loads(options.path.read_text(encoding="utf-8"))[: options.n]
    ways = [*options.ways.split(","), *(["oracle"] if options.oracle else [])]
    ways += [f"agent-{part}" for part in options.without]
    asyncio.run(work(options, cases, ways))


if __name__ == "__main__":
    main()
