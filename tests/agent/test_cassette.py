"""Cassettes: a run is recorded once, and played without model, network and database."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.pages import indexed

from crowquill import Agent, ScriptedModel
from crowquill.agent.models.scripted import ScriptedReply
from crowquill.agent.workspace import Workspace
from crowquill.errors import ReplayMiss, UserError
from crowquill.memory.embed import HashingEmbedder

QUESTION = "How long is the River Aske?"
PAGES = {"River Aske": "The River Aske is 212 kilometres long. It rises in the Fells."}
READING = {"quotes": [1], "sentence": "The River Aske is 212 kilometres long.", "answer": "212 kilometres"}


def agent(workspace: Workspace, cassette: Path, *replies: ScriptedReply, corpus: str = "rivers") -> Agent:
    return Agent(
        model=ScriptedModel(replies),
        policy="guided",
        corpora=[corpus],
        memory=False,
        workspace=workspace,
        cassette=cassette,
    )


@pytest.fixture
def cassette(tmp_path: Path) -> Path:
    """A recording of two runs."""
    path = tmp_path / "cassettes" / "aske.jsonl"
    workspace = indexed(tmp_path, PAGES, "rivers")
    recording = agent(workspace, path, *[ScriptedReply("act", json=READING)] * 2)
    assert recording.ask(QUESTION).short == "212 kilometres"
    assert recording.ask("Where is the River Aske?").stopped == "answered"
    workspace.close()
    return path


def elsewhere(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "elsewhere", embedder=HashingEmbedder())


def test_a_recording_is_played_without_its_sources(tmp_path: Path, cassette: Path) -> None:
    before = cassette.read_bytes()
    playing = agent(elsewhere(tmp_path), cassette)
    second, first = playing.ask("Where is the River Aske?"), playing.ask(QUESTION)
    assert (first.short, first.claims[0].status, second.stopped) == ("212 kilometres", "quoted", "answered")
    with pytest.raises(ReplayMiss, match=r"holds no recording of 'How long is the River Aske\?'; .*: nothing"):
        playing.ask(QUESTION)
    assert cassette.read_bytes() == before


def test_no_key_is_needed_to_play(tmp_path: Path, cassette: Path) -> None:
    place = elsewhere(tmp_path)
    played = Agent(
        model="openai:gpt-5-mini",
        policy="guided",
        corpora=["rivers"],
        memory=False,
        cassette=cassette,
        workspace=place,
    )
    with pytest.raises(ReplayMiss, match=r'-model: "scripted"\n\+model: "openai:gpt-5-mini"'):
        played.ask(QUESTION)


def test_what_differs_from_the_recording_is_shown(tmp_path: Path, cassette: Path) -> None:
    cassette.write_text(cassette.read_text().replace("\\nQuestion: How long is", "\\nQuestion: How very long is"))
    with pytest.raises(ReplayMiss, match=r"(?s)no recorded .* the nearest recorded one differs so:.*\n-.*\n\+"):
        agent(elsewhere(tmp_path), cassette).ask(QUESTION)


def test_a_recording_is_the_same_again_but_for_what_was_drawn(tmp_path: Path, cassette: Path) -> None:
    lines = [json.loads(line) for line in cassette.read_text().splitlines()]
    assert {line["kind"] for line in lines if "kind" in line} >= {"model", "search", "page", "recall", "random"}
    assert not any("seconds" in line or "started_at" in line for line in lines)


def test_secrets_do_not_get_into_a_recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", "swordfish-4711")
    path = tmp_path / "c.jsonl"
    workspace = indexed(tmp_path, {"Aske": "The River Aske is 212 kilometres long."}, "rivers")
    recording = agent(workspace, path, ScriptedReply("act", json={**READING, "answer": "swordfish-4711"}))
    recording.ask("Is swordfish-4711 the length of the River Aske?")
    assert "swordfish" not in path.read_text()
    (tmp_path / "b").mkdir()
    pages = {"Aske": "The River Aske is 212 long, by swordfish-4711 and sk-proj-abcdefghijklmnop0123."}
    leaky = indexed(tmp_path / "b", pages, "b")
    with pytest.raises(UserError, match="holds what looks like a secret"):
        agent(leaky, tmp_path / "d.jsonl", *[ScriptedReply("act", json=READING)] * 3, corpus="b").ask(QUESTION)
    assert not (tmp_path / "d.jsonl").exists()


@pytest.mark.parametrize(
    ("text", "problem"),
    [("[1]\n", "no cassette"), ('{"cassette": 9, "objective": "x"}\n', "its version is 9"), ("{", "no cassette")],
)
def test_what_is_no_cassette_is_said(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "c.jsonl"
    path.write_text(text)
    with pytest.raises(UserError, match=problem):
        agent(elsewhere(tmp_path), path)


TEST = """
from crowquill import Agent, ScriptedModel
from crowquill.agent.models.scripted import ScriptedReply

PLAN = {"tasks": [{"id": "a", "goal": "Add", "done_when": "", "needs": []}]}
MATH = {"thought": "", "action": {"tool": "math", "expression": "2+2"}}
CLAIMS = [{"text": "2 + 2 = 4", "cites": [1]}]
ANSWER = {"thought": "", "action": {"tool": "answer", "short": "4", "claims": CLAIMS}}

def test_it(crowquill_cassette, tmp_path):
    roles = [("plan", PLAN), ("act", MATH), ("act", ANSWER)]
    replies = [] if crowquill_cassette.exists() else [ScriptedReply(role, json=json) for role, json in roles]
    agent = Agent(model=ScriptedModel(replies), policy="json", cassette=crowquill_cassette, workspace=tmp_path)
    assert agent.ask("What is 2 and 2?").short == "4"
"""


PLUGIN = ("-p", "crowquill_cassette")
"""Our plugin by the name of its entry point; those of others, which start with pytest, too, take seconds."""


def test_the_pytest_plugin_records_once_and_plays_then(tmp_path: Path) -> None:
    (tmp_path / "test_sum.py").write_text(TEST)

    def pytest_run(*options: str) -> str:
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *PLUGIN, *options]
        alone = {"COLUMNS": "200", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=os.environ | alone)
        return done.stdout + done.stderr

    assert "1 passed" in pytest_run()
    recorded = tmp_path / "cassettes" / "test_sum" / "test_it.jsonl"
    before = recorded.read_bytes()
    (tmp_path / "test_new.py").write_text(TEST)
    told = pytest_run("--crowquill-record", "none")
    assert "1 passed, 1 error" in told
    assert "make it with: pytest --crowquill-record once" in told
    assert recorded.read_bytes() == before
