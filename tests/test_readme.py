"""Every command of the README is executed as it stands; `CROWQUILL_BIN` names the program of another installation.

In place of models there is a server on loopback that looks something up twice and then gives up, and in place of
the web a site on loopback.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.fake_openai import Answer, FakeOpenAI, completion, error
from tests.support.site import Site

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PROGRAM = [os.environ["CROWQUILL_BIN"]] if "CROWQUILL_BIN" in os.environ else [sys.executable, "-m", "crowquill"]
PYTHON = str(Path(PROGRAM[0]).parent / "python") if len(PROGRAM) == 1 else sys.executable

pytestmark = pytest.mark.slow


def block(kind: str, nth: int = 0) -> str:
    found: list[str] = re.findall(rf"```{kind}\n(.*?)```", README, re.DOTALL)
    return found[nth]


def lines() -> list[str]:
    shell = "\n".join(re.findall(r"```sh\n(.*?)```", README, re.DOTALL))
    return [re.split(r"\s+#\s", line)[0].strip() for line in shell.splitlines() if line.strip()]


def reply(body: dict[str, Any]) -> Answer:
    """Plan one task, look something up twice, give up."""
    asked, said = json.dumps(body.get("response_format", {})), str(body["messages"][-1]["content"])
    if '"tasks"' in asked:
        data: object = {"tasks": [{"id": "t1", "goal": "Find it", "done_when": "", "needs": []}]}
    elif "\n2. " in said:
        data = {"thought": "", "action": {"tool": "give_up", "reason": "not_found", "note": "nothing there"}}
    else:
        query = "second" if "\n1. " in said else "first"
        data = {"thought": "", "action": {"tool": "recall", "query": query}}
    return completion(json.dumps(data))


@pytest.fixture
def server() -> Iterator[FakeOpenAI]:
    with FakeOpenAI() as running:
        running.respond = reply
        yield running


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with what the README takes for granted."""
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "survey.md").write_text("# Survey\n\nThe 2019 survey found 12 pairs of crows.\n")
    (tmp_path / "style-guide").mkdir()
    (tmp_path / "style-guide" / "dates.md").write_text("# Dates\n\nDates are written as 29 November 2026.\n")
    (tmp_path / "sales.csv").write_text("region,revenue\nnorth,12\nsouth,7\n")
    (tmp_path / "my-task.yaml").write_text(block("yaml"))
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks" / "longer.yaml").write_text("extends: danube\n")
    return tmp_path


def execute(command: str, home: Path, server: FakeOpenAI) -> "subprocess.CompletedProcess[str]":
    kept = {name: os.environ[name] for name in ("PATH", "XDG_CACHE_HOME") if name in os.environ}
    environment = {
        **kept,
        "HOME": str(home),
        "CROWQUILL_WORKSPACE": str(home / "workspace"),
        "CROWQUILL_MODEL": f"{server.url}#fake",
        "OPENAI_BASE_URL": server.url,
        "OPENAI_API_KEY": "sk-none-at-all-0000",
        "SHELL": "/bin/sh",
    }
    if re.search(r"danube$|eval tasks/", command):  # whose model is a script
        del environment["CROWQUILL_MODEL"]
    return subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=ROOT if command.startswith("make") else home,
        env=environment,
        input="1 + 1\n" if command.endswith(" math") else "",
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_every_command_is_executed(server: FakeOpenAI, home: Path) -> None:
    ran = []
    with Site() as site:
        page = site.page("/csv.html", "<h1>csv</h1><p>CSV File Reading and Writing.</p>")
        for line in lines():
            command = line.replace("http://127.0.0.1:11434/v1", server.url)
            command = re.sub(r"browse https://\S+", f"browse --allow-host {site.host} {page}", command)
            command = re.sub(r"^crowquill\b", " ".join(PROGRAM), command)
            command = re.sub(r"^make\b", "make -n", command)
            if "runs resume" in line:  # something has to have stopped before
                server.script(error(401, "no such key"))
                stopped = execute(f"{' '.join(PROGRAM)} ask --corpus pocket 'Who?'", home, server)
                assert stopped.returncode == 5, stopped.stderr
            result = execute(command, home, server)
            wanted = (0, 3, 6) if "my-task.yaml" in line else (0, 3)
            assert result.returncode in wanted, f"{line}\n{result.stdout}\n{result.stderr}"
            assert "Traceback" not in result.stderr
            ran.append(line)
    assert len(ran) > 20


def test_the_python_example_runs(server: FakeOpenAI, home: Path) -> None:
    example = block("python").replace('model="local"', f'model="{server.url}#fake"')
    (home / "example.py").write_text(example)
    result = execute(f"{PYTHON} example.py", home, server)
    assert result.returncode == 0, result.stderr
    assert "not_found" in result.stdout
