"""`crowquill call` and `crowquill math`, as people and scripts use them."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from crowquill.agent.cli.main import app, main


@pytest.fixture(autouse=True)
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CROWQUILL_WORKSPACE", str(tmp_path / "workspace"))
    return tmp_path


def crowquill(*arguments: str, typed: str = "") -> Result:
    return CliRunner().invoke(app, list(arguments), input=typed)


def test_plain_words_or_json_for_a_tool_with_one_argument() -> None:
    for given in ("17% of 2340", '{"expression": "17% of 2340"}'):
        result = crowquill("call", "math", given)
        assert (result.exit_code, result.stdout) == (0, "17% of 2340 = 397.8\n")
    assert "exact" in result.stderr


def test_the_result_as_json_with_its_evidence() -> None:
    said = json.loads(crowquill("call", "math", "--json", "5 miles in km").stdout)
    assert (said["schema"], said["tool"], said["status"]) == (1, "math", "exact")
    assert said["evidence"][0]["unit"] == "km"


def test_a_graph_is_written_to_a_file(workspace: Path) -> None:
    picture = workspace / "sine.png"
    assert crowquill("call", "math", "--plot", str(picture), "plot sin x").exit_code == 0
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_what_the_tool_refuses_is_one_line_and_exit_code_1() -> None:
    result = crowquill("call", "math", "five apples")
    assert result.exit_code == 1
    assert result.stderr.startswith("crowquill: math: 'five' has no meaning here")


def test_other_tools_and_more_sources() -> None:
    assert "24" in crowquill("call", "sql", "--db", "pocket", "SELECT count(*) FROM customers").stdout
    assert "Danube" in crowquill("call", "search", "--corpus", "pocket", "length of the Danube").stdout


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("nonsense",), "there is no tool 'nonsense' here; there are math"),
        (("math", "--plot", "x.png", "1 + 1"), "there is no picture to write"),
        (("quote", "--corpus", "pocket", "{"), "no JSON object"),
    ],
)
def test_wrong_calls_are_one_line_and_exit_code_2(
    arguments: tuple[str, ...], problem: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["crowquill", "call", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert problem in capsys.readouterr().err


def test_lines_of_a_pipe_are_computed_one_by_one() -> None:
    result = crowquill("math", typed="2 + 2\n\nx^2 = 4\nquit\n7 + 4\n")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[:2] == ["  2 + 2 = 4", "  x^2 = 4: x = -2 or x = 2"]
    assert "11" not in result.stdout


def test_a_line_without_meaning_does_not_end_the_others_but_fails_a_pipe() -> None:
    result = crowquill("math", typed="happiness / 2\n2 + 2\n")
    assert result.exit_code == 1
    assert result.stdout == "  2 + 2 = 4\n"
    assert "has no meaning" in result.stderr
