"""Questions of ours over the Chinook music shop, with the embedded model, beside what a person would do with it.

    python bench/sql.py ../shared/data/chinook.sqlite [-n 64] [--ways tool,full] [--model local] [--every 1]

tool  the public API with that database: `Agent(databases=[…])`; the last result set is compared
full  one call with the whole schema (its CREATE statements), run as it is under the same guard

An answer is right when each column of the gold result is a column of ours, row for row in any order, figures to
four digits; further columns do no harm. Every second question (`half: a`) was looked at while the tool was made,
the other half (b) was only counted until the first full run, after which its failures were read, too.
Both are printed.

A line of JSON per question and way is kept under bench/results/, and a stopped run is continued; a change of the
program's code begins the tool's way anew.
"""

import argparse
import asyncio
import sqlite3
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from common import Results, fingerprint, interval, mean, paired
from ruamel.yaml import YAML

from crowquill import Agent
from crowquill.agent.events import Acted, EvidenceFound, Observed, RunFinished
from crowquill.agent.models.base import Message, Model, Request
from crowquill.agent.models.resolve import resolve
from crowquill.errors import ToolError
from crowquill.memory.evidence import Table
from crowquill.tools.worker import Worker

Case = dict[str, Any]
Rows = Sequence[Sequence[Any]]
QUESTIONS = Path(__file__).with_suffix("").with_name("sql_questions.yaml")


def same(ours: Rows, gold: Rows) -> bool:
    """Say whether each column of the gold rows can be found among our columns so that the rows are the same."""
    if len(ours) != len(gold):
        return False
    width = len(gold[0]) if gold else 0
    columns = [[_plain(row[at]) for row in ours] for at in range(len(ours[0]) if ours else 0)]
    wanted = [[_plain(row[at]) for row in gold] for at in range(width)]
    choices = [
        [number for number, column in enumerate(columns) if sorted(column) == sorted(want)] for want in wanted
    ]
    target = sorted(zip(*wanted, strict=True))
    return any(
        sorted(zip(*(columns[number] for number in chosen), strict=True)) == target for chosen in _products(choices)
    )


def _products(choices: Sequence[Sequence[int]]) -> list[tuple[int, ...]]:
    found: list[tuple[int, ...]] = [()]
    for choice in choices:
        found = [(*start, number) for start in found for number in choice][:1000]
    return found


def _plain(value: Any) -> str:
    """Return a cell in the form in which it is compared."""
    try:
        return f"{float(value):.4g}"
    except (TypeError, ValueError):
        return str(value).strip().casefold()


class Bench:
    """Answers a question in each of the ways."""

    def __init__(self, path: Path, model: Model, folder: Path) -> None:
        self._path, self._model, self._folder = path, model, folder
        self._worker = Worker()
        with closing(sqlite3.connect(path)) as connection:
            found = connection.execute("SELECT sql FROM sqlite_master WHERE type IN ('table', 'view')").fetchall()
        self._schema = "\n".join(" ".join(sql.split()) for (sql,) in found)

    async def answer(self, way: str, case: Case) -> dict[str, Any]:
        """Answer one question and return its row."""
        gold = await self._run(case["gold"])
        started = time.perf_counter()
        row = await (self._full(case["ask"]) if way == "full" else self._tool(case["ask"]))
        rows = row.pop("rows")
        right = rows is not None and same(rows, gold)
        return {**case, **row, "right": float(right), "seconds": round(time.perf_counter() - started, 2)}

    async def _run(self, sql: str) -> Rows:
        request: Any = {"path": str(self._path), "sql": sql, "seconds": 10}
        answer: Any = await self._worker.run("query", request, seconds=10)
        return [tuple(row) for row in answer["rows"]]

    async def _full(self, question: str) -> dict[str, Any]:
        text = (
            f"{self._schema}\n\nWrite one SQLite SELECT statement that answers the question. Reply with SQL only."
        )
        messages = (Message("system", text), Message("user", f"Question: {question}"))
        reply = await self._model.complete(Request("act", messages, 200))
        sql = reply.text.strip().removeprefix("```sql").removesuffix("```").strip().rstrip(";")
        usage = reply.usage
        spent = {"prompt": usage.prompt, "cached": usage.cached, "completion": usage.completion, "calls": 1}
        try:
            return {"sql": sql, "rows": await self._run(sql), "error": "", "repairs": 0, **spent}
        except ToolError as error:
            return {"sql": sql, "rows": None, "error": str(error), "repairs": 0, **spent}

    async def _tool(self, question: str) -> dict[str, Any]:
        agent = Agent(model=self._model, databases=[str(self._path)], memory=False, workspace=self._folder)
        table, errors, queries = None, [], 0
        async for event in agent.stream(question):
            if isinstance(event, EvidenceFound) and isinstance(event.evidence, Table):
                table = event.evidence
            elif isinstance(event, Acted):
                queries += event.tool == "sql"
            elif isinstance(event, Observed) and event.error:
                errors.append(event.error)
            elif isinstance(event, RunFinished):
                answer = event.answer
        return {
            "sql": table.sql if table is not None else "",
            "rows": table.rows if table is not None else None,
            "error": " | ".join(errors),
            "repairs": max(queries - 1, 0),
            "short": answer.short,
            "text": answer.text,
            "statuses": [claim.status for claim in answer.claims],
            "prompt": answer.usage.prompt,
            "cached": answer.usage.cached,
            "completion": answer.usage.completion,
            "calls": answer.usage.calls,
        }

    def close(self) -> None:
        """End the process that runs the gold statements."""
        self._worker.close()


def summary(way: str, rows: Sequence[dict[str, Any]]) -> list[str]:
    """Return the lines that sum a way up."""
    low, high = interval([row["right"] for row in rows])
    figures = {
        name: mean([row[name] for row in rows]) for name in ("seconds", "prompt", "cached", "completion", "calls")
    }
    spent = "  ".join(f"{name} {value:.1f}" for name, value in figures.items())
    lines = [
        f"{way:<5} right {sum(row['right'] for row in rows):.0f} of {len(rows)} = "
        f"{mean([row['right'] for row in rows]):.3f} [{low:.3f}, {high:.3f}]  {spent}  "
        f"repairs {mean([row['repairs'] for row in rows]):.2f}"
    ]
    for key in ("level", "half"):
        for value in sorted({row[key] for row in rows}):
            part = [row["right"] for row in rows if row[key] == value]
            lines.append(f"      {key} {value}: {sum(part):.0f} of {len(part)}")
    return lines


async def work(options: argparse.Namespace, cases: Sequence[Case], ways: Sequence[str]) -> None:
    """Run all cases in all ways, then print the summaries and the comparison."""
    model = resolve(options.model)
    kept = {way: Results("sql-full" if way == "full" else f"sql-{fingerprint()}") for way in ways}
    rows: dict[str, list[dict[str, Any]]] = {way: [] for way in ways}
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(options.path, model, Path(folder))
        await model.warm()
        try:
            for way in ways:  # one way after the other: the model's prefix cache serves each as it would a user
                for case in cases:
                    key = f"{options.model} {way} {case['ask']}"
                    row = kept[way].get(key)
                    if row is None:
                        row = kept[way].keep(key, await bench.answer(way, case))
                    rows[way].append(row)
                    mark = "+" if row["right"] else "-"
                    print(f"{way} {mark} {row['seconds']:5.1f} s  {case['ask']}\n    {row['sql']}", flush=True)
        finally:
            await model.close()
            bench.close()
    for way in ways:
        print("\n".join(summary(way, rows[way])))
    if len(ways) == 2:
        difference, low, high, p = paired(*([row["right"] for row in rows[way]] for way in ways))
        print(f"{ways[0]} - {ways[1]}: {difference:+.3f} [{low:+.3f}, {high:+.3f}], p = {p:.4f} (not better)")


def main() -> None:
    """Read the options and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path, help="the Chinook database")
    parser.add_argument("-n", type=int, help="questions, from the first; all when not given")
    parser.add_argument("--ways", default="tool,full")
    parser.add_argument("--half", choices=["a", "b"], help="only this half of the questions")
    parser.add_argument("--model", default="local")
    options = parser.parse_args()
    cases = YAML(typ="safe", pure=True).load(QUESTIONS.read_text(encoding="utf-8"))
    cases = [{**case, "half": "ab"[number % 2]} for number, case in enumerate(cases)][: options.n]
    options.path = options.path.resolve()
    options.path = options.path.resolve()  # the worker has another working folder
    asyncio.run(work(options, [c for c in cases if options.half in (None, c["half"])], options.ways.split(",")))


if __name__ == "__main__":
    main()
