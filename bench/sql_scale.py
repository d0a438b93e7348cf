"""Wide schemas and large tables: what narrowing finds, and whether the caps hold.

    python bench/sql_scale.py wide [--questions 200] [--seed 1]
    python bench/sql_scale.py large [--rows 10000000]

wide   500 tables in 20 areas of a firm, names in the styles that such schemas have (`crm_customer`, `CRM_CUST_ADDR`,
       abbreviated every third time, a comment on every second), keys between them; questions name two things in
       plain words, every third by a synonym. Recall is the share of needed tables (the two, and those between them
       in the key graph) among the 12 that a prompt gets. Our ranking with and without meaning, beside plain BM25 over
       the same texts (tantivy), which is what a retrieval library would do.
large  a Parquet file and a SQLite table of so many rows: a full scan, a sort, a result over every cap and a query that
       is cancelled; seconds, rows that came, the peak of this process's memory and of the child's.
"""

import argparse
import asyncio
import random
import resource
import sqlite3
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from common import interval, mean

from crowquill.errors import ToolError
from crowquill.memory.embed import SentenceEmbedder
from crowquill.memory.lexical import LexicalIndex
from crowquill.tools.sql.desk import Desk
from crowquill.tools.sql.linking import TABLES, connect, joins_of, narrow, rank_tables
from crowquill.tools.sql.schema import Column, Schema, TableInfo
from crowquill.tools.sql.source import Database, data_source, jobs_of
from crowquill.tools.worker import JOBS, Worker

AREAS = [
    "crm",
    "sales",
    "billing",
    "hr",
    "payroll",
    "stock",
    "purchasing",
    "logistics",
    "fleet",
    "support",
    "marketing",
    "web",
    "legal",
    "finance",
    "assets",
    "quality",
    "production",
    "research",
    "travel",
    "training",
]
THINGS = {
    "customer": ("client", "cust"), "address": ("place of residence", "addr"), "order": ("purchase", "ord"),
    "invoice": ("bill", "inv"), "payment": ("remittance", "pmt"), "product": ("article", "prod"),
    "supplier": ("vendor", "supp"), "employee": ("staff member", "emp"), "department": ("division", "dept"),
    "contract": ("agreement", "ctr"), "shipment": ("delivery", "shpm"), "vehicle": ("truck", "veh"),
    "ticket": ("complaint", "tkt"), "campaign": ("promotion", "cmp"), "visit": ("session", "vis"),
    "account": ("ledger", "acct"), "asset": ("equipment", "ast"), "inspection": ("check", "insp"),
    "machine": ("device", "mach"), "project": ("study", "proj"), "booking": ("reservation", "bkg"),
    "course": ("lesson", "crs"), "warehouse": ("depot", "whs"), "category": ("kind", "catg"), "refund": ("repayment", "rfd"),
}  # fmt: skip
MEASURES = ["amount", "quantity", "weight", "duration", "cost", "price", "score", "distance", "rating", "budget"]


def wide(rng: random.Random) -> tuple[Schema, list[tuple[str, str]]]:
    """Return a schema of 500 tables, and pairs of tables that a question may ask about."""
    names = list(THINGS)
    tables: dict[str, TableInfo] = {}
    for area in AREAS:
        made: list[tuple[str, str]] = []
        for thing in rng.sample(names, len(names)):
            short = THINGS[thing][1] if rng.random() < 1 / 3 else thing
            name = f"{area}_{short}" if rng.random() < 0.5 else f"{area}_{short}".upper()
            columns = [
                Column("id", "INTEGER", True),
                Column("name", "TEXT", False),
                Column("created_at", "DATE", False),
            ]
            columns += [Column(measure, "NUMERIC", False) for measure in rng.sample(MEASURES, 2)]
            links = []
            for other, other_thing in rng.sample(made, min(2, len(made))):
                column = f"{other_thing}_id"
                columns.append(Column(column, "INTEGER", False))
                links.append((column, other, "id"))
            comment = f"{thing}s of {area}" if rng.random() < 0.5 else ""
            tables[name] = TableInfo(name, tuple(columns), tuple(links), 1000, comment=comment)
            made.append((name, thing))
    schema = Schema("firm", tuple(tables.values()), "PostgreSQL")
    near = [(table.name, other) for table in schema.tables for _, other, _ in table.links]
    far = [(a, d) for a, b in near for c, d in near if b == c and a != d]
    return schema, rng.sample(near, 150) + rng.sample(far, 150)


def question(rng: random.Random, schema: Schema, pair: tuple[str, str]) -> str:
    """Ask about two tables in plain words."""
    shorts = {short: thing for thing, (_, short) in THINGS.items()}

    def plain(name: str) -> tuple[str, str]:
        area, _, short = name.lower().partition("_")
        thing = shorts.get(short, short)
        return area, THINGS[thing][0] if rng.random() < 1 / 3 else thing

    (area, first), (_, second) = plain(pair[0]), plain(pair[1])
    table = next(table for table in schema.tables if table.name == pair[0])
    measure = next(column.name for column in table.columns if column.name in MEASURES)
    forms = (
        "In {area}, what is the total {measure} of the {first}s of each {second}?",
        "Which {second} has the {first} with the highest {measure} in {area}?",
        "How many {first}s of {area} belong to a {second} created in 2024?",
    )
    return rng.choice(forms).format(area=area, first=first, second=second, measure=measure)


def run_wide(options: argparse.Namespace) -> None:
    rng = random.Random(options.seed)
    schema, pairs = wide(rng)
    joins = joins_of(schema)
    embedder = SentenceEmbedder()
    embedder.warm()
    desk = Desk([Database("firm", Path("/x"))], Worker(), embedder)
    index = LexicalIndex()
    for table in schema.tables:
        columns = ", ".join(column.name.replace("_", " ") for column in table.columns)
        index.add(table.name, title=table.name.replace("_", " "), body=f"{table.comment}: {columns}")
    index.commit()
    rows: dict[str, list[float]] = {"words and meaning": [], "words": [], "bm25": []}
    seconds: dict[str, list[float]] = {way: [] for way in rows}
    for pair in rng.sample(pairs, options.questions):
        asked = question(rng, schema, pair)
        needed = set(connect(joins, pair))
        for way in rows:
            started = time.perf_counter()
            if way == "bm25":
                found = {name for name, _ in index.search(asked, TABLES)}
            else:
                akin = desk.akin(schema, asked) if way != "words" else {}
                kept = narrow(schema, rank_tables(schema, asked, akin))
                found = {table.name for table in kept.tables}
                assert len(found) <= TABLES
            seconds[way].append(time.perf_counter() - started)
            rows[way].append(len(needed & found) / len(needed))
    print(f"{len(schema.tables)} tables, {options.questions} questions, {TABLES} tables kept")
    for way, values in rows.items():
        low, high = interval(values)
        first, rest = seconds[way][0], seconds[way][1:]
        print(
            f"{way:<18} recall {mean(values):.3f} [{low:.3f}, {high:.3f}]  first {first:.2f} s, then {mean(rest):.3f} s"
        )


async def run_large(options: argparse.Namespace) -> None:
    import duckdb  # makes the files

    with tempfile.TemporaryDirectory() as folder:
        parquet, sqlite = Path(folder) / "big.parquet", Path(folder) / "big.db"
        made = f"SELECT range AS id, range % 1000 AS k, 'name ' || range AS name, random() AS x FROM range({options.rows})"
        duckdb.sql(f"COPY ({made}) TO '{parquet}'")
        with closing(sqlite3.connect(sqlite)) as connection:
            connection.execute("CREATE TABLE big (id INTEGER PRIMARY KEY, k INTEGER, name TEXT, x REAL)")
            numbers = (
                f"WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {options.rows - 1})"
            )
            connection.execute(f"INSERT INTO big {numbers} SELECT i, i % 1000, 'name ' || i, 0.5 FROM n")
            connection.commit()
        for database in (data_source([parquet]), Database("big", sqlite)):
            worker = Worker({**JOBS, **jobs_of([database])})
            print(
                f"{database.kind}: {options.rows} rows, {(parquet if database.files else sqlite).stat().st_size >> 20} MB"
            )
            for sql in (
                "SELECT count(*), avg(x) FROM big",
                "SELECT k, count(*) FROM big GROUP BY k ORDER BY 2 DESC, 1 LIMIT 5",
                "SELECT * FROM big",
                "SELECT * FROM big ORDER BY x, name",
                "SELECT name FROM big ORDER BY id DESC LIMIT 3",
            ):
                await _timed(worker, database, sql)
            task = asyncio.create_task(
                _ask(worker, database, "SELECT count(*) FROM big a JOIN big b ON a.x < b.x", 60)
            )
            await asyncio.sleep(1)
            started = time.perf_counter()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            print(f"  cancelled after {time.perf_counter() - started:.3f} s")
            worker.close()
    peak, child = (
        resource.getrusage(who).ru_maxrss >> 10 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    print(
        f"peak memory: this process {peak} MB (with making the files), the process that forks the children {child} MB"
    )


async def _ask(worker: Worker, database: Database, sql: str, seconds: float) -> Any:
    return await worker.run(database.job("query"), database.request(sql=sql, seconds=seconds), seconds=seconds)


async def _timed(worker: Worker, database: Database, sql: str) -> None:
    before = _memory()
    started = time.perf_counter()
    try:
        answer = await _ask(worker, database, sql, 10)
        said = f"{len(answer['rows'])} rows, truncated {answer['truncated']}"
    except ToolError as error:
        said = str(error)
    print(f"  {time.perf_counter() - started:6.2f} s  +{_memory() - before} MB here  {sql}: {said}", flush=True)


def _memory() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4 >> 10


def main() -> None:
    """Read the options and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["wide", "large"])
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rows", type=int, default=10_000_000)
    options = parser.parse_args()
    if options.what == "wide":
        run_wide(options)
    else:
        asyncio.run(run_large(options))


if __name__ == "__main__":
    main()
