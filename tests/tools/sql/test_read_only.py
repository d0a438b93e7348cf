"""Hostile statements, bombs, and databases in every state: nothing changes, leaks or stalls."""

import asyncio
import contextlib
import hashlib
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest
from tests.support.context import FakeContext

from crowquill.errors import ToolError, ToolFailed, ToolRetry
from crowquill.tools.context import Json
from crowquill.tools.sql.source import open_database
from crowquill.tools.sql.sqlite import query
from crowquill.tools.sql.tool import sql_tools
from crowquill.tools.worker import Worker

CANARY = "canary-7f3a"


def hostile(folder: Path) -> list[str]:
    other, new = folder / "other.db", folder / "new.db"
    return [
        "DELETE FROM customers",
        "delete from customers where 1=1",
        "/* SELECT */ DELETE FROM customers",
        "-- SELECT\nDELETE FROM customers",
        "UPDATE customers SET name = 'x'",
        "INSERT INTO customers VALUES (9, 'x', 'y', 'z')",
        "INSERT INTO customers SELECT * FROM customers",
        "REPLACE INTO customers VALUES (1, 'x', 'y', 'z')",
        "INSERT INTO customers VALUES (1, 'x', 'y', 'z') ON CONFLICT DO UPDATE SET name = 'x'",
        "WITH x AS (SELECT 1) DELETE FROM customers",
        "WITH x AS (SELECT 1) INSERT INTO orders SELECT 1, 1, 1, 1",
        "WITH x AS (SELECT 1) UPDATE orders SET total = 0",
        "DELETE FROM customers RETURNING *",
        "UPDATE customers SET name = 'x' RETURNING id",
        "DROP TABLE customers",
        "DROP VIEW spending",
        "DROP TABLE IF EXISTS customers",
        "CREATE TABLE evil (a)",
        "CREATE TEMP TABLE evil (a)",
        "CREATE TABLE evil AS SELECT * FROM customers",
        "CREATE VIEW evil AS SELECT 1",
        "CREATE TEMP VIEW evil AS SELECT 1",
        "CREATE INDEX evil ON customers (name)",
        "CREATE TRIGGER evil AFTER INSERT ON orders BEGIN DELETE FROM customers; END",
        "CREATE TEMP TRIGGER evil AFTER INSERT ON orders BEGIN DELETE FROM customers; END",
        "CREATE VIRTUAL TABLE evil USING fts5(a)",
        "CREATE VIRTUAL TABLE temp.evil USING rtree(a, b, c)",
        "CREATE VIRTUAL TABLE temp.evil USING dbstat",
        "ALTER TABLE customers RENAME TO gone",
        "ALTER TABLE customers ADD COLUMN evil",
        "ALTER TABLE customers DROP COLUMN name",
        "VACUUM",
        f"VACUUM INTO '{new}'",
        f"vacuum main into '{new}'",
        "REINDEX",
        "ANALYZE",
        f"ATTACH '{other}' AS o",
        f"ATTACH DATABASE '{new}' AS n",
        f"ATTACH 'file:{new}?mode=rwc' AS n",
        "ATTACH ':memory:' AS m",
        "ATTACH '/etc/passwd' AS p",
        "DETACH main",
        "PRAGMA query_only=0",
        "PRAGMA writable_schema=1",
        "PRAGMA journal_mode=DELETE",
        "PRAGMA journal_mode=WAL",
        "PRAGMA user_version=7",
        "PRAGMA application_id=7",
        "PRAGMA temp_store_directory='/tmp'",
        "PRAGMA database_list",
        "PRAGMA trusted_schema=1",
        "PRAGMA hard_heap_limit=0",
        "PRAGMA wal_checkpoint",
        "PRAGMA incremental_vacuum",
        "PRAGMA optimize",
        "SELECT * FROM pragma_database_list",
        "SELECT * FROM pragma_query_only(0)",
        "SELECT file FROM pragma_database_list()",
        "SELECT * FROM pragma_table_info('customers')",
        "BEGIN",
        "BEGIN EXCLUSIVE",
        "BEGIN; DELETE FROM customers; COMMIT",
        "COMMIT",
        "ROLLBACK",
        "SAVEPOINT x",
        "RELEASE x",
        "END TRANSACTION",
        "SELECT 1; DELETE FROM customers",
        "SELECT 1;\n\n-- x\nDROP TABLE customers",
        "SELECT 1\x00; DELETE FROM customers",
        "SELECT load_extension('/lib/x86_64-linux-gnu/libc.so.6')",
        "SELECT load_extension('libc', 'system')",
        f"SELECT writefile('{new}', 'x')",
        "SELECT readfile('/etc/passwd')",
        f"SELECT readfile('{other}')",
        "SELECT edit('x', 'sh')",
        "SELECT fts3_tokenizer('simple')",
        "SELECT fts3_tokenizer('x', x'4141414141414141')",
        "SELECT sqlite_log(1, 'x')",
        "SELECT sqlite_compileoption_get(1)",
        "SELECT randomblob(9)",
        "SELECT zeroblob(9)",
        "SELECT * FROM fsdir('/')",
        "SELECT * FROM csv('/etc/passwd')",
        f"SELECT * FROM zipfile('{other}')",
        f"SELECT * FROM '{other}'",
        f"SELECT * FROM other.secrets, '{other}'",
        "SELECT * FROM sqlite_dbpage",
        "SELECT * FROM dbstat",
        "SELECT * FROM sqlite_stmt",
        "SELECT * FROM bytecode('SELECT 1')",
        "SELECT getenv('CANARY')",
        "SELECT shell('id')",
        "SELECT eval('DELETE FROM customers')",
        "EXPLAIN DELETE FROM customers",
        "EXPLAIN QUERY PLAN UPDATE customers SET name = 1",
        ".tables",
        f".output {new}",
        f".open {new}",
        f"SELECT * FROM customers INTO OUTFILE '{new}'",
        f"COPY customers TO '{new}'",
        "SELECT * INTO evil FROM customers",
        "GRANT ALL ON customers TO PUBLIC",
        "TRUNCATE customers",
        "MERGE INTO customers USING orders ON 1 = 1 WHEN MATCHED THEN DELETE",
        "EXEC xp_cmdshell 'id'",
        "SELECT * FROM customers FOR UPDATE",
        "LOCK TABLE customers",
        "＇; DELETE FROM customers",
        "\ud800",
        "SELECT \x1b]0;x\x07",
        "(" * 3000,
        "SELECT " + "(" * 3000 + "1" + ")" * 3000,
        "SELECT " + "-" * 15_000 + "1",
        "SELECT " + "NOT " * 4000 + "1",
        "SELECT 1" + " UNION SELECT 1" * 1200,
        "SELECT 1 WHERE 1" + " AND 1" * 3000,
        "SELECT " + ", ".join(["1"] * 3000),
        "SELECT * FROM customers WHERE name LIKE '" + "%a" * 2000 + "'",
        "SELECT " + "abs(" * 500 + "1" + ")" * 500,
    ]  # fmt: skip


def state(folder: Path) -> dict[str, str]:
    """Return every file below a folder with the hash of its content."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


async def test_hostile_statements_change_make_and_leak_nothing(
    shop: Path, worker: Worker, context: FakeContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CANARY", CANARY)
    with closing(sqlite3.connect(shop.parent / "other.db")) as other:
        other.execute("CREATE TABLE secrets AS SELECT ? AS secret", (CANARY,))
        other.commit()
    before = state(shop.parent)
    sql = sql_tools([open_database(str(shop))], worker, [])[0]
    statements = hostile(shop.parent)
    assert len(statements) >= 60
    refused = 0
    for statement in statements:
        try:
            said = (await sql.call({"query": statement}, context)).text.text
        except ToolError as error:
            refused += 1
            said = str(error)
        assert CANARY not in said, statement[:80]
        assert "root:" not in said, statement[:80]
        assert "internal error" not in said, (statement[:80], said)
        assert "ended early" not in said, statement[:80]
        assert state(shop.parent) == before, statement[:80]
    # A comma list of ones, and a LIKE that is too long for the pattern limit on an empty match, may be answered.
    assert refused >= len(statements) - 3
    assert len((await sql.call({"query": "SELECT * FROM customers"}, context)).evidence) == 1


BOMBS = [
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n WHERE i < 0",
    "WITH RECURSIVE n(i) AS (SELECT 'x' UNION ALL SELECT i || i FROM n) SELECT max(length(i)) FROM n",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 900000) SELECT group_concat(i) FROM n",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION SELECT i + 1 FROM n) SELECT json_group_array(i) FROM n",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION SELECT i + 1 FROM n) SELECT i FROM n ORDER BY -i",
    f"SELECT count(*) FROM {', '.join(f'customers c{number}' for number in range(20))}",
    "SELECT printf('%.*c', 1000000000, 'x')",
    "SELECT length(printf('%1000000000d', 1))",
    "SELECT replace(printf('%.*c', 900000, 'x'), 'x', printf('%.*c', 900000, 'y'))",
    "SELECT printf('%.*c', 900000, 'a') LIKE '%a%a%a%a%a%a%a%a%a%a%a%a%b'",
    "SELECT hex(hex(hex(hex(hex(printf('%.*c', 900000, 'x'))))))",
]


@pytest.mark.parametrize("bomb", BOMBS, ids=range(len(BOMBS)))
async def test_a_bomb_is_answered_or_stopped_in_time(shop: Path, worker: Worker, bomb: str) -> None:
    await worker.run("query", {"path": str(shop), "sql": "SELECT 1", "seconds": 5}, seconds=5)
    before = state(shop.parent)
    started = time.monotonic()
    with contextlib.suppress(ToolFailed, ToolRetry):
        await worker.run("query", {"path": str(shop), "sql": bomb, "seconds": 0.4}, seconds=0.4)
    assert time.monotonic() - started < 1.4
    assert state(shop.parent) == before


async def test_the_time_limit_says_what_to_do(shop: Path, worker: Worker) -> None:
    with pytest.raises(ToolFailed, match=r"took longer than 0\.2 seconds; make it narrower"):
        await worker.run("query", {"path": str(shop), "sql": BOMBS[0], "seconds": 0.2}, seconds=5)


async def test_a_query_keeps_to_what_is_left_of_the_run(shop: Path, worker: Worker, context: FakeContext) -> None:
    context.deadline = context.clock.monotonic() + 0.3
    sql = sql_tools([open_database(str(shop))], worker, [])[0]
    with pytest.raises(ToolFailed, match="took longer than 0"):
        await sql.call({"query": BOMBS[0]}, context)
    assert context.clock.monotonic() < context.deadline + 1
    with pytest.raises(ToolFailed, match=r"took longer than 0\.1 seconds"):
        await sql.call({"query": BOMBS[0]}, context)


async def test_sorting_much_needs_no_temporary_file(shop: Path, worker: Worker) -> None:
    much = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000)"
    sql = f"SELECT i, printf('%.*c', 50, 'x') AS x FROM ({much} SELECT i FROM n) ORDER BY -i"
    answer = await worker.run("query", {"path": str(shop), "sql": sql, "seconds": 8}, seconds=8)
    assert isinstance(answer, dict)
    assert isinstance(answer["rows"], list)
    assert answer["rows"][0] == [200000, "x" * 50]


def test_a_hostile_view_can_do_no_more_than_a_statement(tmp_path: Path) -> None:
    path = tmp_path / "views.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE VIEW v AS SELECT load_extension('x') AS y")
    with pytest.raises(ToolRetry, match="unsafe use of load_extension"):
        query({"path": str(path), "sql": "SELECT * FROM v", "seconds": 5})


def test_wide_tables_big_rows_and_bad_text_are_readable(tmp_path: Path) -> None:
    path = tmp_path / "odd.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"CREATE TABLE wide ({', '.join(f'c{number}' for number in range(600))})")
        connection.execute("INSERT INTO wide (c0, c599) VALUES (1, 2)")
        connection.execute("CREATE TABLE files (name TEXT, data BLOB)")
        connection.execute("INSERT INTO files VALUES (CAST(x'61ff62' AS TEXT), zeroblob(5000000))")
        connection.commit()

    def ask(sql: str) -> Json:
        return query({"path": str(path), "sql": sql, "seconds": 5})

    assert ask("SELECT c0, c599 FROM wide") == {
        "columns": ["c0", "c599"],
        "rows": [[1, 2]],
        "truncated": False,
        "timeless": True,
    }
    assert ask("SELECT name, length(data) AS n FROM files") == {
        "columns": ["name", "n"],
        "rows": [["a\ufffdb", 5_000_000]],
        "truncated": False,
        "timeless": True,
    }
    with pytest.raises(ToolRetry, match="too big"):
        ask("SELECT data FROM files")


def test_full_text_search_works(tmp_path: Path) -> None:
    path = tmp_path / "text.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE VIRTUAL TABLE pages USING fts5(title, body)")
        connection.execute("INSERT INTO pages VALUES ('Crow', 'a clever bird'), ('Quill', 'a pen')")
        connection.commit()
    before = state(tmp_path)
    sql = "SELECT title, snippet(pages, 1, '[', ']', '…', 5) FROM pages WHERE pages MATCH 'bird' ORDER BY rank"
    answer = query({"path": str(path), "sql": sql, "seconds": 5})
    assert isinstance(answer, dict)
    assert answer["rows"] == [["Crow", "a clever [bird]"]]
    assert state(tmp_path) == before


# --- databases in WAL mode, at rest, in use and after a crash ---

COUNT: dict[str, Json] = {"sql": "SELECT count(*) AS n FROM t", "seconds": 5}


async def count_rows(worker: Worker, path: Path) -> Json:
    answer = await worker.run("query", {**COUNT, "path": str(path)}, seconds=6)
    assert isinstance(answer, dict)
    return answer["rows"]


def make_wal(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, check_same_thread=False)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE t (a)")
    connection.execute("INSERT INTO t VALUES (1)")
    connection.commit()
    return connection


async def test_a_wal_database_at_rest_is_read_without_making_files(tmp_path: Path, worker: Worker) -> None:
    make_wal(tmp_path / "w.db").close()
    before = state(tmp_path)
    assert list(before) == ["w.db"]
    assert await count_rows(worker, tmp_path / "w.db") == [[1]]
    assert state(tmp_path) == before


WRITER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.execute("PRAGMA journal_mode=WAL")
connection.execute("CREATE TABLE t (a)")
for line in sys.stdin:
    connection.execute("INSERT INTO t VALUES (1)")
    connection.commit()
    print("done", flush=True)
"""


async def test_a_wal_database_in_use_is_read_with_its_newest_rows(tmp_path: Path, worker: Worker) -> None:
    # The writer is another process: reading its files here would drop the locks of our own.
    command = [sys.executable, "-c", WRITER, str(tmp_path / "w.db")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdin is not None
        assert writer.stdout is not None
        for count in range(1, 6):
            writer.stdin.write("\n")
            writer.stdin.flush()
            assert writer.stdout.readline() == "done\n"
            before = state(tmp_path)
            assert await count_rows(worker, tmp_path / "w.db") == [[count]]
            assert state(tmp_path) == before


CRASH = """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.execute("PRAGMA journal_mode=WAL")
connection.execute("CREATE TABLE t (a)")
connection.execute("INSERT INTO t VALUES (1)")
connection.commit()
os._exit(9)
"""


async def test_what_a_crash_left_behind_is_read_and_left_as_it_is(tmp_path: Path, worker: Worker) -> None:
    folder = tmp_path / "crash"
    folder.mkdir()
    subprocess.run([sys.executable, "-c", CRASH, str(folder / "w.db")], check=False)
    before = state(folder)
    assert list(before) == ["w.db", "w.db-shm", "w.db-wal"]
    assert await count_rows(worker, folder / "w.db") == [[1]]
    assert state(folder) == before
    (folder / "w.db-shm").unlink()
    with pytest.raises(ToolFailed, match="left behind by a crash"):
        await count_rows(worker, folder / "w.db")
    assert list(state(folder)) == ["w.db", "w.db-wal"]


async def test_a_hot_journal_is_not_rolled_back(tmp_path: Path, worker: Worker) -> None:
    with closing(sqlite3.connect(tmp_path / "j.db")) as writer:
        writer.execute("CREATE TABLE t (a)")
        writer.execute("INSERT INTO t VALUES (1)")
        writer.commit()
        writer.execute("PRAGMA cache_spill=0")
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("INSERT INTO t VALUES (2)")
        assert await count_rows(worker, tmp_path / "j.db") == [
            [1]
        ]  # before it is written, readers see the old state
        copy = tmp_path / "copy"
        copy.mkdir()
        shutil.copy(tmp_path / "j.db", copy / "j.db")
        journal = (tmp_path / "j.db-journal").read_bytes()
        (copy / "j.db-journal").write_bytes(b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7" + journal[8:])
    before = state(copy)
    with contextlib.suppress(ToolError):  # to read it or to refuse are both right, to change it is not
        assert await count_rows(worker, copy / "j.db") == [[1]]
    assert state(copy) == before


@pytest.mark.parametrize("reads", [40, pytest.param(1000, marks=pytest.mark.slow)])
async def test_readers_beside_a_busy_writer_are_never_locked_out(
    tmp_path: Path, worker: Worker, reads: int
) -> None:
    writer = make_wal(tmp_path / "w.db")
    done = threading.Event()

    def write() -> None:
        while not done.is_set():
            writer.execute("INSERT INTO t SELECT 1 FROM t LIMIT 50")
            writer.commit()

    thread = threading.Thread(target=write)
    thread.start()
    try:
        for _ in range(0, reads, 4):
            for rows in await asyncio.gather(*(count_rows(worker, tmp_path / "w.db") for _ in range(4))):
                assert isinstance(rows, list)
    finally:
        done.set()
        thread.join()
        writer.close()


@pytest.mark.parametrize("times", [10, pytest.param(50, marks=pytest.mark.slow)])
async def test_killing_a_query_leaves_the_database_sound(tmp_path: Path, worker: Worker, times: int) -> None:
    with closing(make_wal(tmp_path / "w.db")) as writer:
        for _ in range(times):
            request: Json = {"path": str(tmp_path / "w.db"), "sql": BOMBS[0], "seconds": 60}
            task = asyncio.create_task(worker.run("query", request, seconds=60))
            await asyncio.sleep(0.03)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            writer.execute("INSERT INTO t VALUES (1)")
            writer.commit()
        assert writer.execute("PRAGMA integrity_check").fetchone() == ("ok",)


async def test_an_unreadable_file_is_said(tmp_path: Path, worker: Worker) -> None:
    with pytest.raises(ToolFailed, match="No such file"):
        await count_rows(worker, tmp_path / "missing.db")
    assert not os.path.lexists(tmp_path / "missing.db")
    (tmp_path / "bad.db").write_bytes(b"SQLite format 3\x00" + b"\xff" * 5000)
    with pytest.raises(ToolFailed, match="cannot be read"):
        await count_rows(worker, tmp_path / "bad.db")


@pytest.mark.slow
async def test_mutated_statements_never_break_the_guard(shop: Path, worker: Worker) -> None:
    """5,000 statements, made of hostile ones by cutting, doubling, swapping and inserting."""
    choose = random.Random(11)
    seeds = [statement for statement in hostile(shop.parent) if len(statement) < 300]
    before = state(shop.parent)

    def mutated() -> str:
        text = choose.choice(seeds)
        for _ in range(choose.randint(1, 4)):
            start, end = sorted(choose.randint(0, len(text)) for _ in range(2))
            insert = choose.choice(
                ["", text[start:end] * 2, ";", "'", '"', "--", "/*", "*/", "\x00", "SELECT ", "(", ")"]
            )
            text = text[:start] + insert + text[end:]
        return text

    async def attack(statement: str) -> None:
        request: Json = {"path": str(shop), "sql": statement, "seconds": 2}
        try:
            await worker.run("query", request, seconds=2)
        except ToolRetry:
            return
        except ToolFailed as error:
            raise AssertionError(f"{statement!r}: {error}") from error

    for _ in range(1250):
        await asyncio.gather(*(attack(mutated()) for _ in range(4)))
    assert state(shop.parent) == before
