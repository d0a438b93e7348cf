"""`crowquill sql`: statements, files, sessions, and one-line errors."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.support.screen import Screened
from typer.testing import CliRunner, Result

from crowquill.agent.cli.main import app
from crowquill.agent.critic.choices import FILE, read_comparisons
from crowquill.errors import UserError

REPLIES = """\
replies:
  - role: act
    match: "Earlier question"
    json: {query: "SELECT name FROM people WHERE age > 40 AND city = 'Rome'"}
  - role: act
    match: "give real names"
    json: {query: "SELECT name FROM people WHERE age > 40 ORDER BY name"}
  - role: act
    match: "Which people"
    json: {query: "SELECT name FROM people WHERE age > 40"}
"""


@pytest.fixture
def people(tmp_path: Path) -> str:
    path = tmp_path / "people.csv"
    path.write_text("name;age;city\nAda;36;London\nBo;41;Rome\nCy;52;Oslo\n")
    return str(path)


def crowquill(*arguments: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(app, ["sql", *arguments], input=typed)


def test_a_statement_is_run_shown_and_said_in_words(people: str) -> None:
    result = crowquill("--data", people, "SELECT city, age FROM people WHERE age > 40 ORDER BY age")
    assert result.exit_code == 0
    assert "Rome  41" in result.stdout
    assert "2 rows. City, age, from people, where age > 40, sorted by age." in result.stdout


def test_json_for_scripts(people: str) -> None:
    result = crowquill("--data", people, "--json", "SELECT max(age) AS oldest FROM people")
    data = json.loads(result.stdout)
    assert (data["schema"], data["columns"], data["rows"], data["truncated"]) == (1, ["oldest"], [[52]], False)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("out.csv", 'name,x\r\nAda,"\'=1+1"\r\n'),
        ("out.jsonl", '{"name": "Ada", "x": "=1+1"}\n'),
        ("out.json", '[\n {\n  "name": "Ada",\n  "x": "=1+1"\n }\n]'),
        ("out.tsv", "name\tx\r\nAda\t'=1+1\r\n"),
    ],
)
def test_rows_are_saved_and_no_file_is_overwritten(people: str, tmp_path: Path, name: str, content: str) -> None:
    command = ("--data", people, "SELECT name, '=1+1' AS x FROM people LIMIT 1", "--save", str(tmp_path / name))
    assert crowquill(*command).exit_code == 0
    assert (tmp_path / name).read_bytes().decode() == content.replace('"\'=1+1"', "'=1+1")
    again = crowquill(*command)
    assert isinstance(again.exception, UserError)
    assert "exists already" in str(again.exception)


def test_more_rows_are_saved_than_are_shown(tmp_path: Path) -> None:
    path = tmp_path / "many.csv"
    path.write_text("n\n" + "\n".join(map(str, range(5000))))
    result = crowquill("--data", str(path), "SELECT n FROM many", "--save", str(tmp_path / "out.csv"))
    assert "5000 rows written" in result.stderr
    shown = crowquill("--data", str(path), "SELECT n FROM many")
    assert "1000 rows (truncated: there are more), 40 shown" in shown.stdout


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT nam FROM people", "nearest: name (in people)"),
        ("DELETE FROM people", "only SELECT is allowed"),
        ("SELECT * FROM read_csv('/etc/passwd')", "is not allowed here"),
    ],
)
def test_mistakes_are_one_line_and_exit_1(people: str, sql: str, said: str) -> None:
    result = crowquill("--data", people, sql)
    assert result.exit_code == 1
    assert said in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_session_of_commands_statements_and_questions(
    people: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CROWQUILL_WORKSPACE", str(tmp_path / "w"))
    replies = tmp_path / "m.replies"
    replies.write_text(REPLIES)
    script = "\n".join(
        [
            ".tables",
            ".schema people",
            "SELECT count(*) AS n FROM people",
            "Which people are older than 40?",
            "but only those in Rome",
            "Which people are older than 40?",
            ".wrong give real names",
            ".lessons",
            f".save {tmp_path / 'last.csv'}",
            ".quit",
        ]
    )
    result = crowquill("--data", people, "--model", f"scripted:{replies}", "--policy", "guided", typed=script)
    assert result.exit_code == 0, result.output
    assert "3 rows  data" in result.stdout
    assert "people(name VARCHAR" in result.stdout
    assert "1. data: Which people are older than 40? → give real names" in result.stdout
    assert (tmp_path / "last.csv").read_text().split() == ["name", "Bo", "Cy"]
    kept = read_comparisons(tmp_path / "w" / FILE)
    assert [(comparison.by, comparison.score) for comparison in kept] == [("acceptance", 0.5)]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (".nothing", "there is no command .nothing"),
        (".save x.csv", "there is no result yet"),
        (".use other", "there is no database 'other'; there are data"),
        (".wrong", "there is no answer yet"),
        (".forget 99", "there is no lesson 99"),
        ("DROP TABLE people", "only SELECT is allowed"),
    ],
)
def test_a_failing_line_is_said_and_a_script_then_exits_1(people: str, line: str, said: str) -> None:
    result = crowquill("--data", people, typed=f"{line}\n.help\n")
    assert said in result.stdout
    assert ".quit" in result.stdout
    assert result.exit_code == 1


def test_no_source_is_a_mistake_of_usage() -> None:
    assert isinstance(crowquill("SELECT 1").exception, UserError)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    path = tmp_path / "shop.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("CREATE TABLE t (id INTEGER, name TEXT); INSERT INTO t VALUES (1, 'a'), (2, 'b');")
    return path


def names(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return [row[0] for row in connection.execute("SELECT name FROM t ORDER BY id")]


def test_changes_are_refused_unless_they_are_allowed(shop: Path) -> None:
    result = crowquill("--db", str(shop), "UPDATE t SET name = 'z'")
    assert result.exit_code == 1
    assert "only SELECT is allowed" in result.stderr
    assert crowquill("--db", str(shop), typed=".undo\n").exit_code == 1


def test_a_change_needs_a_person(shop: Path) -> None:
    result = crowquill("--db", str(shop), "--allow-write", "UPDATE t SET name = 'z' WHERE id = 2")
    assert isinstance(result.exception, UserError)
    assert "1 row of t in shop is changed" in str(result.exception)
    assert "2 | b" in result.stdout
    assert "2 | z" in result.stdout
    assert names(shop) == ["a", "b"]


def test_a_person_changes_and_takes_it_back(shop: Path, tmp_path: Path) -> None:
    options = ["--workspace", str(tmp_path / "w"), "--allow-write"]
    terminal = Screened(["sql", "--db", str(shop), *options], columns=100, lines=40)
    for awaited, typed in (
        ("shop>", "UPDATE t SET name = 'z' WHERE id = 2"),
        ("[N]o:", "n"),
        ("nothing was changed", "DELETE FROM t WHERE id = 1"),
        ("[N]o:", "y"),
        ("takes it back", ".changes"),
        ("t, 1 row", ".quit"),
    ):
        terminal.wait_for_next(awaited)
        terminal.type(f"{typed}\n")
    assert terminal.end() == 0
    terminal.close()
    assert names(shop) == ["b"]
    undone = crowquill("--db", str(shop), "--undo", "--workspace", str(tmp_path / "w"))
    assert "undone: DELETE FROM t WHERE id = 1" in undone.stdout
    assert names(shop) == ["a", "b"]
    again = crowquill("--db", str(shop), "--undo", "--workspace", str(tmp_path / "w"))
    assert isinstance(again.exception, UserError)


def test_a_result_is_drawn(tmp_path: Path) -> None:
    sales = tmp_path / "sales.csv"
    sales.write_text("month,units,returns\n2024-01,5,1\n2024-02,7,0\n2024-03,4,\n")
    line, bars = tmp_path / "line.svg", tmp_path / "bars.png"
    statement = "SELECT month, units, returns FROM sales"
    result = crowquill("--data", str(sales), statement, "--chart", str(line))
    assert (result.exit_code, result.exception) == (0, None)
    drawing = line.read_text()
    assert drawing.startswith("<?xml")
    assert all(f"<!-- {text} -->" in drawing for text in ("2024-02", "units", "returns", "month"))
    crowquill("--data", str(sales), typed=f"{statement}\n.chart {bars} bar\n.quit\n")
    assert bars.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("statement", "name", "said"),
    [
        ("SELECT name FROM people", "x.svg", "no column of numbers"),
        ("SELECT name, age FROM people", "x.gif", "saved as .svg or .png"),
        ("SELECT name, age FROM people", "people.csv", "saved as .svg or .png"),
        ("SELECT i, i FROM range(41) AS t(i)", "x.svg", "41 rows are too many for a bar chart"),
    ],
)
def test_what_cannot_be_drawn_is_said(people: str, tmp_path: Path, statement: str, name: str, said: str) -> None:
    result = crowquill("--data", people, statement, "--chart", str(tmp_path / name))
    assert said in f"{result.exception}{result.stderr}"
    assert not (tmp_path / "x.svg").exists()
