"""Changes of rows: what may be said, what is shown before, and what can be undone."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.tools.sql.conftest import SHOP, as_role, make_database, run_mysql

from crowquill.errors import ToolError, ToolFailed, ToolRetry, UserError
from crowquill.tools.sql.change_tool import in_one_line, make_change, show_change
from crowquill.tools.sql.changes import checked_change
from crowquill.tools.sql.source import Database, jobs_of, locate_database, made_writable, open_database
from crowquill.tools.sql.undo import Copies
from crowquill.tools.worker import JOBS, Worker

DIALECTS = ("sqlite", "postgres", "mysql")


def worker_of(database: Database) -> Worker:
    return Worker({**JOBS, **jobs_of([database])})


@pytest.fixture(scope="module")
def writer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    some = make_database(tmp_path_factory.mktemp("some") / "some.db", SHOP)
    made = worker_of(made_writable(open_database(str(some))))
    yield made
    made.close()


@pytest.fixture
def database(shop: Path) -> Database:
    return made_writable(open_database(str(shop)))


@pytest.fixture
def copies(tmp_path: Path, writer: Worker) -> Copies:
    return Copies(tmp_path / "copies", writer)


def rows(path: Path, sql: str) -> list[Any]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchall()


async def change(database: Database, statement: str, writer: Worker, copies: Copies) -> dict[str, Any]:
    shown = await show_change(database, statement, writer)
    return dict(await make_change(database, statement, shown, writer, copies))


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE t SET a = 1, b = b + 1 WHERE id IN (SELECT id FROM u)",
        "INSERT INTO t (a, b) VALUES (1, 'x'), (2, DEFAULT)",
        "INSERT INTO t SELECT * FROM u WHERE a > 3",
        "DELETE FROM t WHERE a > 3",
    ],
)
def test_plain_changes_are_written_anew(dialect: str, statement: str) -> None:
    assert checked_change(f"{statement} -- said a model\n;", dialect).statement == statement


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 1",
        "DROP TABLE t",
        "CREATE TABLE t (a INT)",
        "TRUNCATE TABLE t",
        "INSERT OR REPLACE INTO t VALUES (1)",
        "REPLACE INTO t VALUES (1)",
        "INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING",
        "INSERT INTO t VALUES (1) RETURNING a",
        "UPDATE t SET a = 1 FROM u WHERE u.x = t.x",
        "UPDATE t, u SET t.a = 1 WHERE t.x = u.x",
        "UPDATE t SET a = 1 ORDER BY id LIMIT 3",
        "DELETE FROM t USING u WHERE t.x = u.x",
        "DELETE t FROM t JOIN u ON t.x = u.x",
        "WITH x AS (DELETE FROM t RETURNING *) INSERT INTO u SELECT * FROM x",
        "INSERT INTO u SELECT * FROM (DELETE FROM t RETURNING *)",
        "UPDATE t SET a = 1; DROP TABLE t",
        "UPDATE t SET a = pg_sleep(10)",
        "UPDATE t SET a = load_file('/etc/passwd')",
        "UPDATE t SET a = load_extension('x')",
        "UPDATE t SET a = /*!50000 1 */ 2",
        "COPY t FROM '/etc/passwd'",
        "GRANT ALL ON t TO PUBLIC",
        "PRAGMA writable_schema = 1",
        "ATTACH 'x.db' AS x",
        "VACUUM INTO 'x.db'",
        "UPDATE t SET a = " + "(" * 3000 + "1" + ")" * 3000,
    ],
)
def test_what_is_more_than_a_plain_change_is_refused(dialect: str, statement: str) -> None:
    with pytest.raises(ToolRetry):
        checked_change(statement, dialect)


async def test_what_is_shown_is_rolled_back(database: Database, shop: Path, writer: Worker) -> None:
    before = shop.read_bytes()
    shown: Any = await show_change(database, "UPDATE orders SET total = total * 2 WHERE customer_id = 1", writer)
    assert (shown["kind"], shown["table"], shown["rows"], shown["whole"]) == ("update", "orders", 2, False)
    assert [row[2] for row in shown["before"]["rows"]] == [12.5, 7.25]
    assert [row[2] for row in shown["after"]["rows"]] == [25, 14.5]
    assert in_one_line(database, shown) == "2 rows of orders in shop are changed; can be undone"
    assert shop.read_bytes() == before
    assert [path.name for path in shop.parent.iterdir()] == ["shop.db"]


async def test_without_where_it_says_that_every_row_is_meant(database: Database, writer: Worker) -> None:
    shown = await show_change(database, "DELETE FROM orders", writer)
    assert shown["after"] is None
    assert in_one_line(database, shown) == (
        "3 rows of orders in shop are deleted; there is no WHERE: every row; can be undone"
    )


@pytest.mark.parametrize("journal", ["delete", "wal"])
async def test_changes_are_undone_one_after_the_other(
    database: Database, shop: Path, writer: Worker, copies: Copies, journal: str
) -> None:
    rows(shop, f"PRAGMA journal_mode={journal}")
    whole = "SELECT id, total, note FROM orders"
    states = [rows(shop, whole)]
    for statement in (
        "INSERT INTO orders VALUES (13, 3, 1, 'it''s new')",
        "UPDATE orders SET total = 0 WHERE customer_id = 1",
        "DELETE FROM orders WHERE id > 10",
    ):
        await change(database, statement, writer, copies)
        states.append(rows(shop, whole))
    assert [len(state) for state in states] == [3, 4, 4, 1]
    assert len(copies.all(shop)) == 3
    for state in reversed(states[:-1]):
        await copies.undo(shop, seconds=10)
        assert rows(shop, whole) == state
    with pytest.raises(UserError, match="there is no change"):
        await copies.undo(shop, seconds=10)
    assert not list((shop.parent.parent / "copies").glob("*.sqlite"))
    assert rows(shop, "PRAGMA integrity_check") == [("ok",)]


async def test_what_others_have_written_since_is_not_undone_unasked(
    database: Database, shop: Path, writer: Worker, copies: Copies
) -> None:
    await change(database, "DELETE FROM orders WHERE id = 10", writer, copies)
    with closing(sqlite3.connect(shop)) as other, other:
        other.execute("INSERT INTO customers VALUES (4, 'Mine', NULL, NULL)")
    with pytest.raises(UserError, match="perhaps by another program"):
        await copies.undo(shop, seconds=10)
    assert rows(shop, "SELECT name FROM customers WHERE id = 4") == [("Mine",)]
    await copies.undo(shop, seconds=10, force=True)
    assert rows(shop, "SELECT count(*) FROM orders") == [(3,)]


async def test_a_change_that_is_no_longer_the_one_shown_is_not_made(
    database: Database, shop: Path, writer: Worker, copies: Copies
) -> None:
    statement = "DELETE FROM orders WHERE customer_id = 1"
    shown = await show_change(database, statement, writer)
    with closing(sqlite3.connect(shop)) as other, other:
        other.execute("UPDATE orders SET note = 'paid' WHERE id = 10")
    with pytest.raises(ToolRetry, match="have changed since they were shown"):
        await make_change(database, statement, shown, writer, copies)
    assert rows(shop, "SELECT count(*) FROM orders") == [(3,)]
    assert not copies.all(shop)


async def test_a_writer_at_work_is_waited_for_and_then_told(database: Database, shop: Path, writer: Worker) -> None:
    with closing(sqlite3.connect(shop)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(ToolFailed, match="locked"):
            await show_change(database, "DELETE FROM orders", writer)


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE order_s SET total = 1", "nearest: orders"),
        ("UPDATE orders SET totl = 1", "total"),
        ("UPDATE orders SET total = 1 WHERE \"contry\" = 'x'", "no such column"),
        ("DELETE FROM customers WHERE id = 1", "FOREIGN KEY"),
        ("INSERT INTO customers VALUES (1, 'twice', NULL, NULL)", "UNIQUE"),
        ("UPDATE sqlite_sequence SET seq = 1", "sqlite_sequence"),
        ("DELETE FROM sqlite_master", "sqlite_master"),
    ],
)
async def test_what_the_engine_refuses_is_told(
    database: Database, shop: Path, writer: Worker, statement: str, said: str
) -> None:
    before = shop.read_bytes()
    with pytest.raises(ToolError, match=said):
        await show_change(database, statement, writer)
    assert shop.read_bytes() == before


async def test_no_copy_no_change(database: Database, shop: Path, writer: Worker, tmp_path: Path) -> None:
    (tmp_path / "full").write_text("a file, no folder")
    shown = await show_change(database, "DELETE FROM orders", writer)
    with pytest.raises(UserError, match="cannot be written"):
        await make_change(database, "DELETE FROM orders", shown, writer, Copies(tmp_path / "full", writer))
    blocked = Copies(tmp_path / "copies", writer)
    kept = blocked.begin(shop, "DELETE FROM orders", shown)
    shutil.rmtree(tmp_path / "copies")
    request = database.request(sql="DELETE FROM orders", seconds=5, expected=shown["digest"])
    with pytest.raises(ToolFailed, match="cannot be copied, so nothing was changed"):
        await writer.run("change", {**request, "copy": str(blocked.path_of(kept))}, seconds=5, writes=True)  # type: ignore[dict-item]
    assert rows(shop, "SELECT count(*) FROM orders") == [(3,)]


def test_kinds_that_are_only_read(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="DuckDB is only read here"):
        made_writable(locate_database(f"duckdb:///{tmp_path}/some.duckdb"))


@pytest.fixture(scope="module")
def pg_writer(postgres_admin: str) -> Iterator[tuple[Database, Worker, str]]:
    with psycopg.connect(postgres_admin, autocommit=True) as admin:
        admin.execute("CREATE TABLE tasks (id INT PRIMARY KEY, title TEXT, done BOOLEAN)")
        admin.execute("INSERT INTO tasks VALUES (1, 'sow', false), (2, 'reap', false)")
        admin.execute("CREATE ROLE clerk LOGIN; GRANT SELECT, INSERT, UPDATE, DELETE ON tasks TO clerk")
    database = locate_database(f"shop={as_role(postgres_admin, 'clerk')}")
    worker = worker_of(made_writable(database))
    yield database, worker, postgres_admin
    worker.close()
    with psycopg.connect(postgres_admin, autocommit=True) as admin:
        admin.execute("DROP TABLE tasks; DROP ROLE clerk")


async def test_postgres_changes_only_where_that_is_allowed(
    pg_writer: tuple[Database, Worker, str], copies: Copies
) -> None:
    plain, worker, admin_url = pg_writer
    with pytest.raises(ToolFailed, match="this role can write"):
        await worker.run(plain.job("query"), plain.request(sql="SELECT 1", seconds=5), seconds=5)
    database = made_writable(plain)
    read = database.request(sql="SELECT count(*) FROM tasks", seconds=5)
    assert (await worker.run(database.job("query"), read, seconds=5))["rows"] == [[2]]  # type: ignore[index, call-overload]
    shown: Any = await show_change(database, "UPDATE tasks SET done = true WHERE id = 2", worker)
    assert (shown["rows"], shown["before"]["rows"], shown["after"]["rows"]) == (
        1,
        [[2, "reap", "false"]],
        [[2, "reap", "true"]],
    )
    assert in_one_line(database, shown) == "1 row of tasks in shop is changed; cannot be undone"
    await make_change(database, "UPDATE tasks SET done = true WHERE id = 2", shown, worker, copies)
    with psycopg.connect(admin_url) as admin:
        assert admin.execute("SELECT id FROM tasks WHERE done").fetchall() == [(2,)]
    for statement in ("DELETE FROM customers", "UPDATE pg_catalog.pg_class SET relname = 'x'"):
        with pytest.raises(ToolRetry):
            await show_change(database, statement, worker)
    mighty = made_writable(replace(database, url=admin_url))
    with pytest.raises(ToolFailed, match="superuser"):
        await show_change(mighty, "DELETE FROM tasks", worker)


async def test_mariadb_changes_only_where_that_is_allowed(mariadb_admin: str, copies: Copies) -> None:
    run_mysql(
        mariadb_admin,
        ["CREATE TABLE shop.tasks (id INT PRIMARY KEY, title TEXT)", "INSERT INTO shop.tasks VALUES (1, 'sow')"],
        ["CREATE TABLE shop.notes (id INT) ENGINE=MyISAM", "CREATE USER clerk@'127.0.0.1' IDENTIFIED BY 'pw'"],
        ["GRANT SELECT, INSERT, UPDATE, DELETE ON shop.* TO clerk@'127.0.0.1'"],
    )
    plain = locate_database(as_role(mariadb_admin, "clerk:pw", "shop"))
    database = made_writable(plain)
    worker = worker_of(database)
    try:
        with pytest.raises(ToolFailed, match="this account can write"):
            await worker.run(plain.job("query"), plain.request(sql="SELECT 1", seconds=5), seconds=5)
        shown: Any = await show_change(database, "INSERT INTO tasks VALUES (2, 'reap')", worker)
        assert (shown["rows"], shown["before"], shown["after"]) == (1, None, None)
        assert run_mysql(mariadb_admin, ["SELECT count(*) FROM shop.tasks"]) == [(1,)]
        await make_change(database, "INSERT INTO tasks VALUES (2, 'reap')", shown, worker, copies)
        assert run_mysql(mariadb_admin, ["SELECT count(*) FROM shop.tasks"]) == [(2,)]
        with pytest.raises(ToolFailed, match="MyISAM cannot take a change back"):
            await show_change(database, "INSERT INTO notes VALUES (1)", worker)
        mighty = made_writable(replace(plain, url=mariadb_admin))
        with pytest.raises(ToolFailed, match="SELECT, INSERT, UPDATE and DELETE only"):
            await show_change(mighty, "DELETE FROM user", worker)
    finally:
        worker.close()
        run_mysql(mariadb_admin, ["DROP TABLE shop.tasks, shop.notes", "DROP USER clerk@'127.0.0.1'"])
