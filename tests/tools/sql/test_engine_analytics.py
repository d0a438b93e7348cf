"""Ordinary analysis on PostgreSQL, MariaDB and DuckDB gives what an unrestricted connection gives, by cells.

The statements are those of `test_analytics`, put into each dialect; what an engine itself cannot run is left out.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pymysql
import pytest
import sqlglot
from sqlalchemy.engine import make_url
from tests.support.servers import mariadb, postgres
from tests.tools.sql.test_analytics import QUERIES

from crowquill.errors import ToolError
from crowquill.tools.search.pocket import write_shop
from crowquill.tools.sql.cells import cell
from crowquill.tools.sql.source import Database, jobs_of, locate_database
from crowquill.tools.worker import JOBS, Worker

Run = Callable[[str], list[tuple[Any, ...]]]
TABLES = ("customers", "products", "orders", "order_items")
COLUMNS = {
    "customers": "id INTEGER, name VARCHAR(80), city VARCHAR(80), country VARCHAR(80), joined_on VARCHAR(10)",
    "products": "id INTEGER, name VARCHAR(80), category VARCHAR(20), price_eur DOUBLE PRECISION",
    "orders": "id INTEGER, customer_id INTEGER, ordered_on VARCHAR(10)",
    "order_items": "order_id INTEGER, product_id INTEGER, quantity INTEGER, unit_price_eur DOUBLE PRECISION",
}
VIEW = (
    "CREATE VIEW order_totals AS SELECT o.id AS order_id, o.customer_id, o.ordered_on,"
    " sum(i.quantity * i.unit_price_eur) AS total_eur FROM orders o JOIN order_items i ON i.order_id = o.id"
    " GROUP BY o.id, o.customer_id, o.ordered_on"
)


@dataclass
class Plain:
    """A database, an unrestricted connection to it, and sqlglot's name of its dialect."""

    database: Database
    run: Run
    dialect: str


def fill(path: Path, run: Run) -> None:
    """Make the pocket shop's tables."""
    write_shop(path)
    with closing(sqlite3.connect(path)) as shop:
        for table in TABLES:
            run(f"CREATE TABLE {table} ({COLUMNS[table]})")
            for row in shop.execute(f"SELECT * FROM {table}"):
                values = ", ".join(
                    "'" + value.replace("'", "''") + "'" if isinstance(value, str) else str(value) for value in row
                )
                run(f"INSERT INTO {table} VALUES ({values})")
    run(VIEW)


@pytest.fixture(scope="module")
def pg(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plain]:
    with postgres() as url, psycopg.connect(url, autocommit=True) as admin:

        def run(sql: str) -> list[tuple[Any, ...]]:
            cursor = admin.execute(sql.encode())
            return list(cursor.fetchall()) if cursor.description else []

        fill(tmp_path_factory.mktemp("pg") / "shop.db", run)
        run("REVOKE CREATE ON SCHEMA public FROM PUBLIC; CREATE ROLE reader LOGIN")
        run("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
        yield Plain(locate_database(url.replace("admin@", "reader@")), run, "postgres")


@pytest.fixture(scope="module")
def maria(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plain]:
    with mariadb() as url:
        at = make_url(url.replace("mariadb", "mysql", 1)).translate_connect_args(
            username="user", database="database"
        )
        with pymysql.connect(**at, autocommit=True) as admin, admin.cursor() as cursor:

            def run(sql: str) -> list[tuple[Any, ...]]:
                cursor.execute(sql)
                return list(cursor.fetchall())

            for statement in (
                "CREATE DATABASE shop CHARACTER SET utf8mb4",
                "USE shop",
                "CREATE USER reader@'127.0.0.1'",
            ):
                run(statement)
            run("GRANT SELECT ON shop.* TO reader@'127.0.0.1'")
            fill(tmp_path_factory.mktemp("maria") / "shop.db", run)
            yield Plain(locate_database(f"mariadb://reader@127.0.0.1:{at['port']}/shop"), run, "mysql")


@pytest.fixture(scope="module")
def duck(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plain]:
    folder = tmp_path_factory.mktemp("duck")
    with duckdb.connect(str(folder / "shop.duckdb")) as admin:
        fill(folder / "shop.db", lambda sql: admin.execute(sql).fetchall())
    with duckdb.connect(str(folder / "shop.duckdb"), read_only=True) as reader:
        yield Plain(
            locate_database(str(folder / "shop.duckdb")), lambda sql: reader.execute(sql).fetchall(), "duckdb"
        )


@pytest.mark.slow
@pytest.mark.parametrize("name", ["pg", "maria", "duck"])
async def test_the_cells_are_those_of_an_unrestricted_run(name: str, request: pytest.FixtureRequest) -> None:
    plain: Plain = request.getfixturevalue(name)
    worker = Worker({**JOBS, **jobs_of([plain.database])})
    counted, refused = 0, []
    try:
        for query in (query for query in QUERIES if "sqlite_master" not in query):
            sql = sqlglot.transpile(query, read="sqlite", write=plain.dialect)[0]
            try:
                expected = plain.run(sql)
            except (psycopg.Error, pymysql.MySQLError, duckdb.Error):
                continue
            counted += 1
            asked = plain.database.request(sql=sql, seconds=5)
            try:
                answer: Any = await worker.run(plain.database.job("query"), asked, seconds=5)
            except ToolError as error:
                refused.append(f"{sql}: {error}")
                continue
            assert answer["rows"] == cells(expected), sql
    finally:
        worker.close()
    assert counted >= 30
    known = ["VALUES (1, 'one'), (2, 'two')"] if name == "maria" else []  # sqlglot reads no bare VALUES of MySQL
    assert [line.partition(": ")[0] for line in refused] == known


def cells(rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
    return [[cell(value)[0] for value in row] for row in rows]
