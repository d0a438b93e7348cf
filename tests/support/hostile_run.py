"""A run in which everything from outside is hostile, for what is checked of its report."""

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crowquill import Agent, Answer, ScriptedModel
from crowquill.agent.models.scripted import ScriptedReply
from crowquill.agent.report.page import render_report
from crowquill.agent.story import read_story
from crowquill.agent.workspace import Workspace
from crowquill.memory.embed import HashingEmbedder

HOSTILE = (
    """<script>document.title='owned'</script><img src=x onerror="fetch('http://127.0.0.1:9/')"> </pre></style>"""
)
LINE = f"The quarry of Aske was opened in 1874 {HOSTILE} and closed."


def act(tool: str, **arguments: Any) -> ScriptedReply:
    thought = f"I think {HOSTILE}"
    return ScriptedReply("act", json={"thought": thought, "action": {"tool": tool, **arguments}})


@dataclass(frozen=True)
class Run:
    workspace: Workspace
    answer: Answer
    html: str


def hostile_run(base: Path) -> Run:
    """Make a run in which everything from outside is hostile: page, title, cells, model, question."""
    pages = base / "pages"
    pages.mkdir()
    escaped = LINE.replace("&", "&amp;").replace("<", "&lt;")
    title = HOSTILE.replace("<", "&lt;")
    (pages / "aske.html").write_text(
        f"<title>Aske {title}</title><h1>Aske</h1><p>{escaped}</p><p>A \u202elast line.</p>"
    )
    with sqlite3.connect(base / "quarries.sqlite") as connection:
        connection.execute('CREATE TABLE quarries (name TEXT, "opened <b>in</b>" INTEGER)')
        connection.executemany("INSERT INTO quarries VALUES (?, ?)", [(HOSTILE, 1874), ("Borrow", 1901)])
    connection.close()
    workspace = Workspace(base / "w", embedder=HashingEmbedder())
    workspace.index(pages, "aske")
    claims = [
        {"text": f"The quarry of Aske was opened in 1874. {HOSTILE}", "cites": [1]},
        {"text": "Another was opened in 1901.", "cites": [2]},
        {"text": "They were opened 27 years apart.", "cites": [3]},
        {"text": "It closed in 1920.", "cites": [1]},
    ]
    model = ScriptedModel(
        [
            ScriptedReply(
                "plan", json={"tasks": [{"id": "a", "goal": f"look {HOSTILE}", "done_when": "", "needs": []}]}
            ),
            act("search", query="quarry Aske"),
            act("open", target="1"),
            act("quote", lines="2-3"),
            act("sql", query='SELECT name, "opened <b>in</b>" AS "opened <b>in</b>" FROM quarries'),
            act("math", expression="1901 - 1874"),
            act("open", target="javascript:alert(1)"),
            act("answer", short="27 years", claims=claims),
        ]
    )
    database = f"sqlite:///{base / 'quarries.sqlite'}"
    agent = Agent(model=model, corpora=["aske"], databases=[database], workspace=workspace, memory=False)
    answer = agent.ask(f"How far apart? {HOSTILE}")
    return Run(workspace, answer, render_report(read_story(workspace, "last"), workspace.blobs))
