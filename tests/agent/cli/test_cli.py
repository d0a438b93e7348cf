"""The command line, as scripts and people use it: every command of the README, exit codes, one-line errors."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from crowquill import __version__
from crowquill.agent.cli.main import app, main
from crowquill.errors import UserError

REPLIES = """\
replies:
  - role: act
    repeat: true
    json: {quotes: [1], sentence: "The Danube is 2,850 kilometres long.", answer: "2,850 kilometres"}
"""


def crowquill(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture
def model(tmp_path: Path) -> str:
    path = tmp_path / "model.replies"
    path.write_text(REPLIES)
    return f"scripted:{path}"


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    folder = tmp_path / "My Rivers"
    folder.mkdir()
    (folder / "danube.md").write_text(
        "# Danube\n\nThe Danube is 2,850 kilometres long. It ends in the Black Sea.\n"
    )
    (folder / "rhine.html").write_text("<title>Rhine</title><p>The Rhine is 1,230 kilometres long.</p>")
    (folder / "notes.txt").write_text("Nothing about rivers here.")
    return folder


def test_version_and_help() -> None:
    assert crowquill("--version").stdout == f"crowquill {__version__}\n"
    for command in ([], ["ask"], ["run"], ["index"], ["runs"], ["models"], ["doctor"], ["runs", "replay"]):
        result = crowquill(*command, "--help")
        assert result.exit_code == 0
        assert "Usage" in result.stdout


def test_index_ask_list_show_and_replay(pages: Path, model: str) -> None:
    result = crowquill("index", str(pages))
    assert result.exit_code == 0
    assert "corpus 'my-rivers': 3 added" in result.stdout
    assert "3 unchanged" in crowquill("index", str(pages)).stdout

    ask = ("ask", "--model", model, "--policy", "guided", "--corpus", "my-rivers", "How long is the Danube?")
    result = crowquill(*ask)
    assert result.exit_code == 0
    assert result.stdout.startswith("The Danube is 2,850 kilometres long. [1]\n")
    assert "corpus:my-rivers/danube.md" in result.stdout
    assert "answered" in result.stdout
    assert "quote(" in result.stderr

    listed = json.loads(crowquill("runs", "list", "--json").stdout)
    assert [(run["state"], run["short"]) for run in listed] == [("answered", "2,850 kilometres")]
    assert "How long is the Danube?" in crowquill("runs", "list").stdout
    shown = crowquill("runs", "show", "last")
    assert "search(How long is the Danube?)" in shown.stdout
    replayed = crowquill("runs", "replay", listed[0]["id"][:12], "--json")
    assert replayed.exit_code == 0
    assert json.loads(replayed.stdout)["identical"] is True


def test_json_is_one_object_and_events_are_lines(pages: Path, model: str) -> None:
    crowquill("index", str(pages), "--name", "rivers")
    ask = ("ask", "-q", "--model", model, "--policy", "guided", "--corpus", "rivers", "How long is the Danube?")
    result = crowquill(*ask, "--json")
    answer = json.loads(result.stdout)
    assert answer["schema"] == 1
    assert answer["short"] == "2,850 kilometres"
    assert answer["claims"][0]["status"] == "quoted"
    assert answer["claims"][0]["support"][0]["evidence"] == 1
    assert answer["evidence"][0]["text"] == "The Danube is 2,850 kilometres long."
    assert result.stderr == ""
    lines = [json.loads(line) for line in crowquill(*ask, "--events").stdout.splitlines()]
    assert lines[0]["kind"] == "run_started"
    assert lines[-1]["kind"] == "run_finished"
    assert all(line["schema"] == 1 for line in lines)


def test_not_found_has_its_exit_code(pages: Path, tmp_path: Path) -> None:
    crowquill("index", str(pages), "--name", "rivers")
    script = tmp_path / "none.replies"
    script.write_text(REPLIES.replace("2,850 kilometres", "not found"))
    result = crowquill("ask", "--model", f"scripted:{script}", "--policy", "guided", "--corpus", "rivers", "Who?")
    assert result.exit_code == 3
    assert result.stdout.startswith("Not found")


def test_budget_has_its_exit_code(pages: Path, model: str) -> None:
    crowquill("index", str(pages), "--name", "rivers")
    options = ("--model", model, "--policy", "guided", "--corpus", "rivers", "--budget", "steps=3")
    assert crowquill("ask", *options, "How long is the Danube?").exit_code == 4


def test_shipped_tasks_run_as_tests(tmp_path: Path) -> None:
    assert "danube" in crowquill("run", "--list").stdout
    listed = {task["name"]: task for task in json.loads(crowquill("run", "--list", "--json").stdout)["tasks"]}
    assert listed["travel"]["inputs"] == ["city", "corpus"]
    result = crowquill("run", "danube", "--quiet")
    assert result.exit_code == 0, result.stderr
    assert "2850 - 1230 = 1620" in result.stdout
    assert crowquill("runs", "replay", "last").exit_code == 0


def test_a_failed_expectation_is_exit_code_6(pages: Path, model: str, tmp_path: Path) -> None:
    crowquill("index", str(pages), "--name", "rivers")
    path = tmp_path / "task.yaml"
    path.write_text(
        f"objective: How long is the Danube?\nmodel: '{model}'\npolicy: guided\ncorpus: [rivers]\n"
        "expect: {short: 3 km, min_quotes: 1}\n"
    )
    result = crowquill("run", str(path), "--json", "-q")
    assert result.exit_code == 6
    assert json.loads(result.stdout)["failed"] == ["short answer is '2,850 kilometres', expected '3 km'"]


def test_ctrl_c_ends_all_task_files(pages: Path, tmp_path: Path) -> None:
    crowquill("index", str(pages), "--name", "rivers")
    script = tmp_path / "slow.replies"
    script.write_text(REPLIES.replace("repeat: true", "repeat: true\n    delay: 30"))
    files = [tmp_path / "a.yaml", tmp_path / "b.yaml"]
    for path in files:
        path.write_text(
            f"objective: How long is the Danube?\nmodel: 'scripted:{script}'\npolicy: guided\ncorpus: [rivers]\n"
        )
    command = [sys.executable, "-m", "crowquill", "run", *map(str, files)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    for _ in range(2):  # the name of the file, and what is said when the first run is under way
        process.stderr.readline()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode == 130
    runs = json.loads(crowquill("runs", "list", "--json").stdout)
    assert [run["state"] for run in runs] == ["cancelled"]


@pytest.mark.parametrize(
    ("model", "state", "what"),
    [
        ("nonsense:x", "broken", "unknown model 'nonsense:x'"),
        ("openai:gpt-5-mini", "missing", "set OPENAI_API_KEY"),
        ("http://localhost:1/v1#small", "ok", "http://localhost:1/v1#small (json)"),
    ],
)
def test_doctor_says_whether_the_chosen_model_can_be_used(
    monkeypatch: pytest.MonkeyPatch, model: str, state: str, what: str
) -> None:
    monkeypatch.setenv("CROWQUILL_MODEL", model)
    result = crowquill("doctor", "--json")
    finding = next(entry for entry in json.loads(result.stdout) if entry["part"] == "model, act")
    assert finding["state"] == state
    assert what in finding["what"]
    if state == "broken":
        assert result.exit_code == 1


def test_models_and_doctor_say_what_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CROWQUILL_MODELS", str(tmp_path / "models"))
    listed = crowquill("models", "list")
    assert "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046" in listed.stdout
    assert "a stranger's" in listed.stdout
    assert json.loads(crowquill("models", "list", "--json").stdout)[0]["path"] is None
    result = crowquill("doctor", "--json")
    states = {finding["part"]: finding["state"] for finding in json.loads(result.stdout)}
    assert states["weights"] == "missing"
    assert states["worker"] == "ok"
    assert "crowquill models pull" in crowquill("doctor").stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["ask", "--corpus", "nowhere", "--model", "MODEL", "What?"], "no corpus 'nowhere'"),
        (["ask", "--db", "/nowhere.db", "--model", "MODEL", "What?"], "/nowhere.db"),
        (["ask", "--budget", "stepps=3", "--model", "MODEL", "What?"], "unknown limit 'stepps'"),
        (["ask", "--policy", "clever", "--model", "MODEL", "What?"], "unknown policy 'clever'"),
        (["ask", "--model", "gpt", "What?"], "gpt"),
        (["ask", "--no-web", "--model", "MODEL", " "], "no question"),
        (["run", "nothing.yaml"], "no task file 'nothing.yaml'"),
        (["runs", "show", "x"], "no run 'x'"),
        (["models", "pull", "gpt-9"], "unknown model 'gpt-9'"),
    ],
)
def test_bad_input_is_one_line_and_a_non_zero_exit(
    arguments: list[str],
    message: str,
    model: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.argv", ["crowquill", *(model if word == "MODEL" else word for word in arguments)])
    with pytest.raises(SystemExit) as caught:
        main()
    error = capsys.readouterr().err
    assert caught.value.code == 2
    assert message in error
    assert error.count("\n") == 1
    assert "Traceback" not in error


def test_a_workspace_that_cannot_be_written_is_said(model: str, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    result = CliRunner().invoke(
        app, ["ask", "--model", model, "--no-web", "--workspace", str(blocked / "w"), "What?"]
    )
    assert result.exit_code != 0
    assert "cannot write to the workspace" in str(result.exception)
    assert not isinstance(result.exception, UserError)


def test_a_crash_leaves_no_image_of_the_memory() -> None:
    code = """
import resource, sys
from crowquill.agent.cli.main import main
most = resource.getrlimit(resource.RLIMIT_CORE)[1]
resource.setrlimit(resource.RLIMIT_CORE, (most, most))
sys.argv = ["crowquill", "--version"]
try:
    main()
finally:
    print(resource.getrlimit(resource.RLIMIT_CORE)[0])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.split()[-1] == "0", done.stderr
