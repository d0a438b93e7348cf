"""The session from a pipe: a line at a time, commands, errors that say what to do, and exit codes."""

import asyncio
import json
from pathlib import Path

import pytest
from rich.console import Console
from tests.support.pages import indexed
from typer.testing import CliRunner, Result

from crowquill import ApprovalRequest, Decision
from crowquill.agent.cli.ask import AskOptions
from crowquill.agent.cli.chat.approving import Terminal
from crowquill.agent.cli.chat.complete import complete
from crowquill.agent.cli.chat.loop import ALL
from crowquill.agent.cli.chat.screen import Screen
from crowquill.agent.cli.chat.session import Chat
from crowquill.agent.cli.live import LiveView
from crowquill.agent.cli.main import app
from crowquill.agent.critic.choices import FILE, read_comparisons
from crowquill.agent.settings import load_defaults, save_defaults
from crowquill.agent.workspace import Workspace, find_workspace
from crowquill.tasks.safety import Defaults

PAGES = {"Lake Tarn": "Lake Tarn is a Norwegian lake. It is 310 metres deep. Lake Tarn was dammed in 1931."}
REPLIES = """\
replies:
  - {role: act, repeat: true,
     json: {quotes: [1], sentence: "Lake Tarn was dammed in 1931.", answer: "1931"}}
"""
QUESTION = "When was Lake Tarn dammed?"


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    place = indexed(tmp_path, PAGES, "lakes")
    place.close()
    monkeypatch.setenv("CROWQUILL_WORKSPACE", str(place.path))
    monkeypatch.setenv("CROWQUILL_EMBEDDER", "hashing")
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "model.replies"
    path.write_text(REPLIES)
    return f"scripted:{path}"


def session(script: str, *lines: str) -> Result:
    options = ["chat", "-q", "--model", script, "--policy", "guided", "--corpus", "lakes"]
    return CliRunner().invoke(app, options, input="\n".join(lines) + "\n")


def test_answers_and_commands_come_in_the_order_of_the_lines(script: str) -> None:
    result = session(
        script, QUESTION, "/plan", "/quotes", "/open 1", "/source 1.1", "/why",
        '/fix "give the year alone"', "/budget steps=9", "/best-of 2",
        "/use", "/model", "/memory", "/tools", "/math 2+3", "/runs", "/save talk.md", "/save talk.json",
        "/save r.html", "/export usage use.jsonl", "/new", "/keep", "/quit", "never read",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    out = result.stdout
    parts = (
        "Lake Tarn was dammed in 1931. [1]", " ✓ t1", "1.1 Lake Tarn was dammed", "It is 310 metres deep.",
        ">> Lake Tarn was dammed in 1931. <<", "SHA-256", "quoted",
        "kept: questions like it", "steps    9", "best_of_n: 2 candidates",
        "searches corpus lakes",
        "steered by the guided policy", "verified items", "math      read", "2 + 3 = 5",
        "talk.md written", "kept in",
    )  # fmt: skip
    at = 0
    for part in parts:
        assert part in out[at:], f"{part!r} not after {out[max(0, at - 80) : at]!r}"
        at = out.index(part, at)
    assert "never read" not in out
    assert "# When was Lake Tarn dammed?" in Path("talk.md").read_text()
    assert json.loads(Path("talk.json").read_text())[0]["short"] == "1931"
    assert "<!doctype html>" in Path("r.html").read_text()
    assert load_defaults().corpus == ["lakes"]


def test_what_a_person_says_of_an_answer_is_kept_as_a_choice(script: str) -> None:
    result = session(script, QUESTION, "/good", "/bad give the year alone", '/fix "give the year alone"')
    assert result.exit_code == 0, result.output
    assert "kept as a good answer" in result.stdout
    assert result.stdout.count("Lake Tarn was dammed in 1931. [1]") == 2  # asked again
    kept = read_comparisons(Workspace(find_workspace(None)).path / FILE)
    assert [(comparison.by, comparison.score) for comparison in kept] == [
        ("acceptance", -0.5),
        ("acceptance", 0.5),
        ("acceptance", 0.5),
    ]
    assert {comparison.question for comparison in kept} == {QUESTION}


MISTAKES = {
    "/qutes": "did you mean /quotes",
    "/open 1": "which receipt?",
    "/why": "ask a question first",
    "/task add x": "hold one with Ctrl-C",
    "/budget steps=ten": "must be a number",
    "/model nowhere:x": "unknown model",
    "/use corpus nowhere": "no corpus 'nowhere'",
    "/sql select 1": "/use db",
    "/save talk.doc": "ask a question first",
    "/export pdf": "formats are",
    "/fork": "write /fork STEP",
    "/resume nowhere": "no run 'nowhere'",
}


def test_what_cannot_be_done_is_said_in_a_line_and_changes_nothing(script: str) -> None:
    result = session(script, *MISTAKES, "/math 1+1")
    assert result.exit_code == 2
    assert [says for says in MISTAKES.values() if says not in result.stderr] == []
    assert len(result.stderr.splitlines()) == len(MISTAKES)
    assert "1 + 1 = 2" in result.stdout


def test_commands_complete_with_what_may_follow(script: str) -> None:
    chat = Chat(AskOptions(model=script, corpora=("lakes",)), Console(), _never, interactive=False)
    assert list(complete(chat, ALL, "/bu")) == ["/budget "]
    assert list(complete(chat, ALL, "/use c")) == ["corpus"]
    assert "lakes" in list(complete(chat, ALL, "/use corpus l"))
    assert list(complete(chat, ALL, "/save mod")) == ["model.replies"]
    assert list(complete(chat, ALL, "How deep")) == []


async def _never(prompt: str) -> str | None:
    raise AssertionError(prompt)


@pytest.mark.parametrize(
    ("typed", "decision"),
    [
        (["y"], Decision(True)),
        (["", "a"], Decision(True, "run")),
        (["what?", "n"], Decision(False)),
        (["not this customer"], Decision(False, why="not this customer")),
        ([None], Decision(False, why="the person ended the question")),
    ],
)
async def test_an_approval_is_a_clear_yes_or_it_is_a_no(
    script: str, typed: list[str | None], decision: Decision, capsys: pytest.CaptureFixture[str]
) -> None:
    async def ask(prompt: str) -> str | None:
        return typed.pop(0)

    chat = Chat(AskOptions(model=script), Console(width=80), ask, interactive=True)
    chat.screen = Screen(Console(), LiveView(chat.agent.config, chat.agent.clock), animated=False)
    terminal = Terminal()
    terminal.chat = chat
    request = ApprovalRequest("post", "send", {"to": "\x1b[2Ja@x.example [bold]"}, effect="a letter goes out")
    assert await asyncio.wait_for(terminal.decide(request), 5) == decision
    shown = capsys.readouterr().out
    assert "a letter goes out" in shown
    assert "a@x.example [bold]" in shown
    assert "\x1b[2J" not in shown


def test_defaults_are_kept_beside_what_else_is_in_the_file(tmp_path: Path) -> None:
    path = save_defaults(Defaults(model="local"))
    path.write_text(path.read_text() + "# mine\nsafety:\n  deny_hosts: [x.example]\n")
    save_defaults(Defaults(model="local", budget="steps=9"))
    text = path.read_text()
    assert "# mine" in text
    assert "x.example" in text
    chosen = AskOptions(model="scripted:x", corpora=("a",)).with_defaults(load_defaults())
    assert (chosen.model, chosen.corpora, chosen.budget) == ("scripted:x", ("a",), "steps=9")
