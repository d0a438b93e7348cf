"""The web from the command line: a whole run over loopback servers, its replay, kept pages, and doctor."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.site import Site
from typer.testing import CliRunner, Result

from crowquill import Agent, Fetching, ScriptedModel, UserError
from crowquill.agent.cli.main import app
from crowquill.tasks.load import parse_task

KEY = "tvly-0123456789abcdef"
PLAN = {"tasks": [{"id": "t1", "goal": "find what crows bring", "done_when": "known", "needs": []}]}
ACTIONS = [
    {"tool": "search", "query": "crows gifts"},
    {"tool": "open", "target": "1"},
    {"tool": "quote", "lines": "1"},
    {"tool": "answer", "short": "gifts", "claims": [{"text": "Crows bring gifts.", "cites": [1]}]},
]


def crowquill(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as running:
        running.page(
            "/crows", "<title>Crows</title><p>Crows bring gifts.</p>", headers={"Cache-Control": "max-age=60"}
        )
        found = {"results": [{"url": running.url("/crows"), "title": "Crows", "content": "gifts", "score": 1}]}
        running.page("/search", json.dumps(found), "application/json")
        yield running


@pytest.fixture
def ask(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setenv("TAVILY_API_KEY", KEY)
    replies = [{"role": "plan", "json": PLAN}]
    replies += [{"role": "act", "json": {"thought": "", "action": action}} for action in ACTIONS]
    script = tmp_path / "web.replies"
    script.write_text(json.dumps({"replies": replies}))
    where = ["--search", f"tavily:{site.url('/search')}", "--allow-host", site.host]
    return ["ask", "--model", f"scripted:{script}", "--policy", "json", *where, "--json", "What do crows bring?"]


def test_a_run_over_the_web_is_replayed_and_shows_its_key_to_nobody(
    ask: list[str], site: Site, tmp_path: Path
) -> None:
    result = crowquill(*ask)
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["short"] == "gifts"
    searched = next(asked for asked in site.asked if asked.path == "/search")
    assert searched.headers["authorization"] == f"bearer {KEY}"
    before = len(site.asked)
    assert crowquill("runs", "replay", "last").exit_code == 0
    assert len(site.asked) == before
    kept = [file.read_bytes() for file in (tmp_path / "workspace").rglob("*") if file.is_file()]
    assert kept
    assert not any(KEY.encode() in data for data in kept)
    assert KEY not in result.stdout + result.stderr


def test_a_kept_page_is_not_fetched_again_unless_asked_for(ask: list[str], site: Site) -> None:
    for options, fetched in ([], 1), ([], 1), (["--refresh", "--contact", "owner@lab.example"], 2):
        assert crowquill(*ask, *options).exit_code == 0
        assert [asked.path for asked in site.asked].count("/crows") == fetched
    assert "owner@lab.example" in site.asked[-1].headers["user-agent"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--search", "google"], "there are tavily, brave, searxng, wikipedia, ddg"),
        (["--search", "brave"], "brave needs BRAVE_API_KEY"),
        (["--search", "ddg", "--no-web"], "--search asks the web and --no-web forbids it"),
        (["--proxy", "proxy:3128"], "is no proxy; write it as http://HOST:PORT"),
        (["--contact", "a b"], "is no contact"),
    ],
)
def test_what_cannot_be_used_is_said_in_one_line(options: list[str], says: str, ask: list[str]) -> None:
    result = crowquill(*ask[:5], *options, "What?")
    assert result.exit_code != 0
    assert isinstance(result.exception, UserError)
    assert says in str(result.exception)


def test_doctor_shows_which_providers_can_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRAVE_API_KEY", KEY)
    monkeypatch.delenv("TAVILY_API_KEY", raising=False)
    monkeypatch.delenv("SEARXNG_URL", raising=False)
    result = crowquill("doctor", "--json")
    findings = {finding["part"]: finding for finding in json.loads(result.stdout)}
    states = {
        name: findings[f"search, {name}"]["state"] for name in ("tavily", "brave", "searxng", "wikipedia", "ddg")
    }
    assert states == {"tavily": "missing", "brave": "ok", "searxng": "missing", "wikipedia": "ok", "ddg": "ok"}
    assert "TAVILY_API_KEY (https://tavily.com)" in findings["search, tavily"]["what"]
    assert KEY not in result.stdout


def test_providers_in_a_task_file() -> None:
    assert parse_task("objective: x\nsearch: [tavily, brave+wikipedia:de]\n", "t").search == [
        "tavily",
        "brave+wikipedia:de",
    ]
    for wrong in ("google", "searxng:http://10.0.0.1", "tavily,brave"):
        with pytest.raises(UserError, match=r"t:2:10: search\.0"):
            parse_task(f"objective: x\nsearch: [{wrong!r}]\n", "t")


def test_an_agent_that_names_providers_uses_the_web(tmp_path: Path) -> None:
    fetching = Fetching(contact="a@b.example")
    agent = Agent(model=ScriptedModel([]), search=["ddg"], fetching=fetching, workspace=tmp_path)
    assert agent.config.web
    again = type(agent.config).from_json(json.loads(json.dumps(agent.config.to_json())))
    assert again == agent.config
