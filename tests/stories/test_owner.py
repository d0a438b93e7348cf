"""Whatever is written is its owner's alone, under the usual umask and in folders that everybody may look into."""

import os
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.support.site import Site
from typer.testing import CliRunner

from crowquill import Agent, ApprovalRequest, Decision, ScriptedModel
from crowquill.agent.cli.main import app
from crowquill.agent.models.scripted import ScriptedReply
from crowquill.agent.settings import save_defaults
from crowquill.agent.workspace import Workspace
from crowquill.memory.embed import HashingEmbedder
from crowquill.tasks.safety import Defaults

NOBODY = 65534


@pytest.fixture
def around(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with others in it that everybody may look into; pytest's own are closed."""
    before = os.umask(0o022)
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="crowquill-owner-") as folder:
        base = Path(folder)
        base.chmod(0o755)
        for name in ("workspace", "settings", "out", "pages"):
            (base / name).mkdir()
        monkeypatch.setenv("CROWQUILL_WORKSPACE", str(base / "workspace"))
        monkeypatch.setenv("XDG_CONFIG_HOME", str(base / "settings"))
        yield base
    os.umask(before)


def crowquill(*arguments: str) -> None:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == 0, (arguments, result.output, result.exception)


class Yes:
    async def decide(self, request: ApprovalRequest) -> Decision:
        return Decision(True)


def act(tool: str, **arguments: object) -> ScriptedReply:
    return ScriptedReply("act", json={"thought": "", "action": {"tool": tool, **arguments}})


def research(around: Path, site: Site) -> None:
    """Read a page and change a database in one run, which leaves a cassette."""
    with closing(sqlite3.connect(around / "shop.sqlite")) as connection, connection:
        connection.execute("CREATE TABLE clients (name TEXT, city TEXT)")
        connection.execute("INSERT INTO clients VALUES ('Ann', 'Rom')")
    site.page("/a", "<title>Aske</title><p>The quarry of Aske was opened in 1874.</p>")
    replies = [
        ScriptedReply("plan", json={"tasks": [{"id": "a", "goal": "Look", "done_when": "", "needs": []}]}),
        act("open", target=site.url("/a")),
        act("quote", lines="1-2"),
        act("sql_change", statement="UPDATE clients SET city = 'Rome'"),
        act("answer", short="1874", claims=[{"text": "The quarry of Aske was opened in 1874.", "cites": [1]}]),
    ]
    place = Workspace(around / "workspace", embedder=HashingEmbedder())
    agent = Agent(
        model=ScriptedModel(replies),
        policy="json",
        workspace=place,
        databases=[str(around / "shop.sqlite")],
        allow_hosts=[site.host],
        approver=Yes(),
        allow_write=True,
        cassette=around / "out" / "cassettes" / "aske.jsonl",
    )
    assert agent.ask(f"When was it opened, by {site.url('/a')}?").short == "1874"
    place.close()


def work(around: Path) -> None:
    """Give the commands that write files."""
    out = around / "out"
    (around / "pages" / "a.html").write_text("<title>Aske</title><p>The quarry of Aske was opened in 1874.</p>")
    crowquill("index", str(around / "pages"), "--name", "quarries")
    crowquill("memory", "import", str(around / "pages"), "--name", "vouched")
    crowquill("memory", "export", str(out / "memory.jsonl"))
    crowquill("run", "danube", "--quiet", "--output", str(out / "answer.md"))
    crowquill("runs", "report", "last", "--out", str(out / "report.html"))
    for name in ("cassette", "markdown"):
        crowquill("runs", "export", "last", "--format", name, "--out", str(out / name))
    save_defaults(Defaults(model="local"))


def seen_by_others(folder: Path) -> Iterator[Path]:
    """Yield what others could come to in a folder and would have any right to."""
    for path in folder.iterdir():
        mode = path.stat().st_mode
        if mode & 0o077:
            yield path
        if path.is_dir() and mode & 0o011:
            yield from seen_by_others(path)


def test_what_is_written_is_its_owners_alone(around: Path) -> None:
    with Site() as site:
        research(around, site)
    work(around)
    folders = [around / name for name in ("workspace", "settings", "out")]
    assert [path for folder in folders for path in seen_by_others(folder)] == []
    written = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    kinds = {path.relative_to(around).parts[1] for path in written}
    assert kinds >= {"crowquill.db", "blobs", "copies", "corpora", "cassettes", "report.html", "crowquill"}
    if os.geteuid() == 0:
        command = ["find", *map(str, folders), "-readable"]
        found = subprocess.run(command, user=NOBODY, group=NOBODY, extra_groups=[], capture_output=True, text=True)
        assert found.stdout.splitlines() == [str(folder) for folder in folders]  # as they were made
