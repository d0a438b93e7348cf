"""A run that is killed leaves a workspace in which nothing is damaged and nothing acknowledged is lost."""

import json
import os
import random
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from crowquill.agent.workspace import Workspace
from crowquill.memory.blobs import BlobStore
from crowquill.memory.evidence import Quote
from crowquill.memory.evidence_json import decode

QUESTION = "How long is the Danube?"


def crowquill(workspace: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "crowquill", *arguments, "--workspace", str(workspace)]


@pytest.fixture
def command(tmp_path: Path) -> tuple[Path, list[str]]:
    pages = tmp_path / "rivers"
    pages.mkdir()
    for name, length in (("Danube", "2,850"), ("Rhine", "1,230"), ("Thames", "346"), ("Seine", "777")):
        text = f"<title>{name}</title><p>The {name} is {length} kilometres long. The {name} is a river.</p>"
        (pages / f"{name}.html").write_text(text)
    script = tmp_path / "slow.replies"
    script.write_text(
        "replies:\n  - role: act\n    repeat: true\n    delay: 0.8\n"
        "    json: {quotes: [1], sentence: 'The Danube is 2,850 kilometres long.', answer: '2,850 kilometres'}\n"
    )
    workspace = tmp_path / "workspace"
    place = Workspace(workspace)
    place.index(pages, "rivers")
    place.close()
    ask = (
        "ask",
        QUESTION,
        "--model",
        f"scripted:{script}",
        "--policy",
        "guided",
        "--corpus",
        "rivers",
        "--events",
        "-q",
    )
    return workspace, crowquill(workspace, *ask)


def kill_after_events(command: list[str], count: int, seconds: float = 0.0) -> list[str]:
    """Start a run, kill -9 it after so many events and then seconds, and return the lines that it had printed."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(count)]
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    lines += process.stdout.readlines()
    process.wait()
    process.stdout.close()
    return [line for line in lines if line.endswith("\n")]


def check(workspace: Path, acknowledged: list[str]) -> None:
    connection = sqlite3.connect(workspace / "crowquill.db")
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    stored = [json.loads(row[0]) for row in connection.execute("SELECT payload FROM events ORDER BY run, position")]
    for line in acknowledged:
        event = json.loads(line)
        del event["schema"]
        assert event in stored
    blobs = BlobStore(workspace / "blobs")
    for (text,) in connection.execute("SELECT json FROM records WHERE json ->> 'kind' = 'quote'"):
        quote = decode(json.loads(text))
        assert isinstance(quote, Quote)
        page = blobs.get(quote.source.sha256).decode()
        assert page[quote.start : quote.end] == quote.text
    connection.close()


@pytest.mark.slow
def test_kill_minus_nine_damages_nothing(command: tuple[Path, list[str]]) -> None:
    workspace, ask = command
    draw = random.Random(3)
    for _ in range(3):
        check(workspace, kill_after_events(ask, draw.randint(1, 12)))
    listed = json.loads(subprocess.run(crowquill(workspace, "runs", "list", "--json"), capture_output=True).stdout)
    assert [run["state"] for run in listed] == ["interrupted"] * 3
    finished = subprocess.run(ask, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr
    replayed = subprocess.run(crowquill(workspace, "runs", "replay", "last"), capture_output=True, text=True)
    assert "all identical" in replayed.stdout


@pytest.mark.parametrize("kills", [1, pytest.param(50, marks=pytest.mark.slow)])
def test_killed_runs_are_resumed(command: tuple[Path, list[str]], kills: int) -> None:
    workspace, ask = command
    draw = random.Random(kills)
    resume = crowquill(workspace, "runs", "resume", "last", "--json", "-q")
    whole = json.loads(subprocess.run([*ask[:-4], "--json", *ask[-3:]], capture_output=True).stdout)
    for _ in range(kills):
        check(workspace, kill_after_events(ask, draw.randint(1, 8), draw.random()))
        process = subprocess.Popen(resume, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(draw.random() * 3)
        process.kill()  # and once more while it is resumed, or after
        process.wait()
        resumed = subprocess.run(resume, capture_output=True, text=True)
        if resumed.returncode == 2:
            assert "came to its end (answered)" in resumed.stderr
        else:
            answer = json.loads(resumed.stdout)
            for name in ("text", "short", "stopped", "claims"):
                assert answer[name] == whole[name]
        replayed = subprocess.run(crowquill(workspace, "runs", "replay", "last"), capture_output=True, text=True)
        assert "all identical" in replayed.stdout


def test_ctrl_c_ends_a_run_and_says_where_it_is_kept(command: tuple[Path, list[str]]) -> None:
    workspace, ask = command
    process = subprocess.Popen(
        [part for part in ask if part != "-q"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.readline()
    started = time.monotonic()
    os.kill(process.pid, signal.SIGINT)
    _, error = process.communicate(timeout=20)
    assert process.returncode == 130
    assert time.monotonic() - started < 5
    assert b"crowquill runs resume" in error
    assert b"Traceback" not in error
    listed = json.loads(subprocess.run(crowquill(workspace, "runs", "list", "--json"), capture_output=True).stdout)
    assert listed[0]["state"] == "cancelled"


@pytest.mark.slow
@pytest.mark.parametrize("kibibytes", [60, 160])
def test_a_run_on_a_full_disk_says_so_and_is_resumed(command: tuple[Path, list[str]], kibibytes: int) -> None:
    workspace, ask = command

    def fill() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (kibibytes * 1024, kibibytes * 1024))

    subprocess.run(ask, check=True, capture_output=True)
    full = subprocess.run(ask, capture_output=True, text=True, preexec_fn=fill)
    assert full.returncode == 1
    assert full.stderr.startswith(f"crowquill: {workspace}")
    assert "Traceback" not in full.stderr
    resumed = subprocess.run(crowquill(workspace, "runs", "resume", "last"), capture_output=True, text=True)
    assert resumed.returncode == 0, resumed.stderr
    assert "2,850 kilometres" in resumed.stdout
