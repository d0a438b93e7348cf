"""`run`, `validate` and `schema` for task files, as a person or a script uses them."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import jsonschema
import pytest
from ruamel.yaml import YAML
from typer.testing import CliRunner, Result

from crowquill.agent.cli.main import app
from crowquill.errors import UserError
from crowquill.tasks.load import PRESETS, find_task_file

RIVER = """\
objective: What is the length_km of the {{river}} in the table rivers?
inputs: {river: Danube, length: {type: number, default: 2850}}
model: scripted:model.replies
policy: guided
memory: false
db: [rivers.sqlite]
expect: {number: {value: "{{length}}"}, max_steps: 20, tools: [sql]}
"""
REPLIES = """\
replies:
  - {role: act, match: of the Danube, json: {query: SELECT length_km FROM rivers WHERE name = 'Danube'}}
  - {role: act, match: of the Danube, json: {sentence: The length_km of the Danube is 2850., answer: "2850"}}
  - {role: act, match: of the Rhine, json: {query: SELECT length_km FROM rivers WHERE name = 'Rhine'}}
  - {role: act, match: of the Rhine, json: {sentence: The length_km of the Rhine is 1230., answer: "1230"}}
"""


def crowquill(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def measure(path: Path, **lengths: int) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DROP TABLE IF EXISTS rivers")
        connection.execute("CREATE TABLE rivers (name TEXT, length_km INTEGER)")
        connection.executemany("INSERT INTO rivers VALUES (?, ?)", lengths.items())


@pytest.fixture
def task(tmp_path: Path) -> Path:
    measure(tmp_path / "rivers.sqlite", Danube=2850, Rhine=1230)
    (tmp_path / "model.replies").write_text(REPLIES)
    path = tmp_path / "river.yaml"
    path.write_text(RIVER)
    return path


def test_an_input_is_given_on_the_command_line_or_from_a_file(task: Path, tmp_path: Path) -> None:
    result = crowquill("run", str(task), "--json")
    assert result.exit_code == 0, result.stderr
    published = json.loads(result.stdout)
    assert published["inputs"] == {"river": "Danube", "length": 2850}
    assert published["spent"]["tools"]["sql"] == 1
    assert published["spent"]["steps"] > 1
    (tmp_path / "river.txt").write_text("Rhine\n")
    result = crowquill("run", str(task), "-i", f"river=@{tmp_path / 'river.txt'}", "-i", "length=1,230", "--json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["short"] == "1230"
    assert crowquill("run", str(task), "-i", "river=Rhine", "-q").exit_code == 6


@pytest.mark.slow
def test_a_matrix_runs_all_its_combinations(task: Path) -> None:
    task.write_text(RIVER + "matrix:\n- {river: Danube, length: 2850}\n- {river: Rhine, length: 1230}\n")
    result = crowquill("run", str(task), "-q")
    assert result.exit_code == 0, result.stderr
    assert "2850" in result.stdout
    assert "1230" in result.stdout
    assert "[river=Rhine, length=1230]" in result.stderr


@pytest.mark.slow
def test_what_has_changed_since_the_last_run_is_said(task: Path) -> None:
    task.write_text(RIVER + "since_last: true\n")
    assert "first run of this question" in crowquill("run", str(task), "-q").stdout
    assert "nothing has changed" in crowquill("run", str(task), "-q").stdout
    measure(task.parent / "rivers.sqlite", Danube=2860, Rhine=1230)
    (task.parent / "model.replies").write_text(REPLIES.replace("2850", "2860"))
    found = json.loads(crowquill("run", str(task), "-q", "-i", "length=2860", "--json").stdout)["since_last"]
    assert found["changed"] is True
    assert "the answer was '2850' and is '2860'" in found["changes"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-i", "river"], "write it as NAME=VALUE"),
        (["-i", "river=@/none"], "--input @/none: cannot be read"),
        (["-i", "rivre=x"], "there is no input 'rivre'; did you mean 'river'?"),
    ],
)
def test_a_wrong_input_is_said_before_anything_runs(task: Path, arguments: list[str], message: str) -> None:
    result = crowquill("run", str(task), *arguments)
    assert isinstance(result.exception, UserError)
    assert message in str(result.exception)


def test_validate_names_every_file_and_fault(task: Path) -> None:
    (task.parent / "bad.yaml").write_text("objective: x\nbugdet: {steps: 3}\ncorpus: pocket\n")
    (task.parent / "worse.yaml").write_text("objective: [\n")
    result = crowquill("validate", str(task.parent))
    assert result.exit_code == 2
    assert "bad.yaml:2:1: unknown key 'bugdet'; did you mean 'budget'?" in result.stderr
    assert "bad.yaml:3:1: corpus: has to be a list, as in corpus: [pocket]" in result.stderr
    assert "worse.yaml:2:1: " in result.stderr
    assert "river.yaml: ok" in result.stdout
    files = json.loads(crowquill("validate", str(task.parent), "--json").stdout)["files"]
    lines = {Path(entry["file"]).name: [fault["line"] for fault in entry["faults"]] for entry in files}
    assert lines == {"bad.yaml": [2, 3], "river.yaml": [], "worse.yaml": [2]}
    assert crowquill("validate", str(task), "danube").exit_code == 0


def test_the_schema_takes_what_is_shipped_and_refuses_what_is_not_known() -> None:
    schema = json.loads(crowquill("schema").stdout)
    checker = jsonschema.Draft202012Validator(schema)
    jsonschema.Draft202012Validator.check_schema(schema)
    for path in PRESETS.glob("*.yaml"):
        checker.validate(YAML(typ="safe", pure=True).load(path.read_text()))
    assert list(checker.iter_errors({"objective": "x", "bugdet": {}}))
    assert list(checker.iter_errors({"objective": "x", "budget": {"steps": "many"}}))
    assert "description" in schema["properties"]["objective"]
    assert find_task_file("danube").parent == PRESETS


@pytest.mark.slow
def test_several_answers_are_written_to_a_folder(task: Path) -> None:
    out = task.parent / "out"
    out.mkdir()
    task.write_text(RIVER + "output: {format: markdown}\nmatrix: {river: [Danube]}\n")
    (task.parent / "page.yaml").write_text("extends: river.yaml\noutput: {format: html}\n")
    page = task.parent / "page.yaml"
    assert crowquill("run", str(task), str(page), "-q", "-o", str(out)).exit_code == 0
    assert sorted(path.name for path in out.iterdir()) == ["page--river-Danube-.html", "river--river-Danube-.md"]
    assert (out / "river--river-Danube-.md").read_text().startswith("# What is the length\\_km of the Danube")
    result = crowquill("run", str(task), str(page), "-q", "-o", str(out / "none"))
    assert isinstance(result.exception, UserError)
