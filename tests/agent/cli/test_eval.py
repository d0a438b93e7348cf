"""`crowquill eval`: figures, baselines, and going on after an interruption."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from crowquill.agent.cli.main import app
from crowquill.errors import UserError

TASK = "objective: Who wrote {name}?\nmodel: scripted:none.replies\npolicy: json\nexpect: {expect}\n"
RIGHT = TASK.format(name="this", expect="{not_found: true}")
WRONG = TASK.format(name="that", expect="{not_found: true, short: Homer}")
REPLIES = """\
replies:
  - {role: plan, repeat: true, json: {tasks: [{id: a, goal: Find it, done_when: "", needs: []}]}}
  - {role: act, json: {thought: "", action: {tool: recall, query: it}}}
  - {role: act, json: {thought: "", action: {tool: give_up, reason: not_found, note: ""}}}
"""


def crowquill(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture
def tasks(tmp_path: Path) -> Path:
    folder = tmp_path / "tasks"
    folder.mkdir()
    (folder / "none.replies").write_text(REPLIES)
    (folder / "right.yaml").write_text(RIGHT)
    (folder / "wrong.yaml").write_text(WRONG)
    return folder


def test_figures_as_a_table_and_as_json(tasks: Path) -> None:
    result = crowquill("eval", str(tasks), "-k", "2")
    assert result.exit_code == 6
    assert "✓ right.yaml" in result.stderr
    assert "✗ wrong.yaml" in result.stderr
    assert "short answer is '', expected 'Homer'" in result.stderr
    assert "pass@1 50.0% (95 %: 9.5% to 90.5%) · pass@2 50.0% · all 2 passed 50.0%" in result.stdout
    assert "criteria: not_found 4/4, short 0/2" in result.stdout
    figures = json.loads(crowquill("eval", str(tasks), "--json").stdout)
    assert [(task["case"], task["passed"], task["runs"]) for task in figures["tasks"]] == [
        ("right.yaml", 1, 1),
        ("wrong.yaml", 0, 1),
    ]
    assert figures["spent"]["usd"] == 0.0
    assert Path(figures["results"]).read_text().count("\n") == 2


def test_a_baseline_fails_on_what_is_worse_and_not_on_what_is_known(tasks: Path, tmp_path: Path) -> None:
    baseline = str(tmp_path / "baseline.json")
    assert crowquill("eval", str(tasks), "--save-baseline", baseline).exit_code == 6
    result = crowquill("eval", str(tasks), "--baseline", baseline)
    assert result.exit_code == 0
    assert "nothing is worse than the baseline" in result.stdout
    (tasks / "right.yaml").write_text(RIGHT.replace("not_found", "supported: true, short: x, not_found"))
    result = crowquill("eval", str(tasks), "--baseline", baseline, "--json")
    assert result.exit_code == 6
    assert (
        json.loads(result.stdout)["comparison"]["regressions"][0] == "right.yaml always passed, and never does now"
    )


@pytest.mark.parametrize(
    ("content", "message"), [(None, "cannot be read"), ("[]", "this is not what"), ("{", "this is not what")]
)
def test_a_baseline_that_is_none_is_said_before_anything_runs(
    tasks: Path, tmp_path: Path, content: str | None, message: str
) -> None:
    if content is not None:
        (tmp_path / "b.json").write_text(content)
    result = crowquill("eval", str(tasks), "--baseline", str(tmp_path / "b.json"))
    assert isinstance(result.exception, UserError)
    assert message in str(result.exception)


def test_a_task_that_cannot_run_fails_and_the_others_run(tasks: Path) -> None:
    (tasks / "broken.yaml").write_text("objective: What?\nmodel: scripted:none.replies\ncorpus: [nowhere]\n")
    result = crowquill("eval", str(tasks))
    assert "✗ broken.yaml · 0.0 s · no corpus 'nowhere'" in result.stderr
    assert "✓ right.yaml" in result.stderr


def test_what_is_interrupted_goes_on(tasks: Path, tmp_path: Path) -> None:
    (tasks / "slow.replies").write_text("replies:\n- {role: plan, repeat: true, delay: 30, text: x}\n")
    (tasks / "slow.yaml").write_text(RIGHT.replace("none.replies", "slow.replies"))
    (tasks / "wrong.yaml").unlink()
    command = [sys.executable, "-m", "crowquill", "eval", str(tasks)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    assert process.stderr.readline().startswith("✓ right.yaml")
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    assert "cancelled; 1 of 2 runs are kept" in process.communicate(timeout=20)[1]
    assert process.returncode == 130
    (tasks / "slow.replies").write_text(REPLIES)
    result = crowquill("eval", str(tasks))
    assert "going on: 1 of 2 runs are done" in result.stderr
    assert "right.yaml ·" not in result.stderr
    assert "going on" not in crowquill("eval", str(tasks)).stderr
