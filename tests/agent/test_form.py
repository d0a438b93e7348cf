"""Answers in a form: data whose values code has found in the evidence, tables, and what has no receipt."""

import csv
import io
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from crowquill import Agent, ScriptedModel
from crowquill.agent.agent import run_in_thread
from crowquill.agent.answer import Answer, Revise
from crowquill.agent.form import Form
from crowquill.agent.models.scripted import ScriptedReply
from crowquill.agent.replay import replay
from crowquill.agent.workspace import Workspace
from crowquill.agent.written import as_csv, as_json, as_markdown
from crowquill.memory.embed import HashingEmbedder

SCHEMA = {
    "type": "object",
    "properties": {
        "river": {"type": "string"},
        "length_km": {"type": "integer"},
        "longer_than_the_rhine": {"type": "boolean"},
        "size": {"enum": ["long", "short"]},
        "people": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["river", "length_km"],
}
READ = {"quotes": [1], "sentence": "The Danube is 2,850 kilometres long.", "answer": "2,850 kilometres"}


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    place = Workspace(tmp_path / "w", embedder=HashingEmbedder())
    pages = tmp_path / "pages"
    pages.mkdir()
    (pages / "danube.md").write_text("# Danube\n\nThe Danube is 2,850 kilometres long.\n")
    (pages / "rhine.md").write_text("# Rhine\n\nThe Rhine is 1,230 kilometres long.\n")
    place.index(pages, "rivers")
    yield place
    place.close()


def ask(workspace: Workspace, form: Form, filled: dict[str, Any], **settings: Any) -> Answer:
    model = ScriptedModel([ScriptedReply("act", json=READ), ScriptedReply("write", json=filled)])
    agent = Agent(model=model, policy="guided", corpora=["rivers"], workspace=workspace, form=form, **settings)
    return agent.ask("How long is the Danube?")


def test_every_value_has_a_receipt_or_is_told(workspace: Workspace) -> None:
    filled = {
        "river": "Danube",
        "length_km": 2850,
        "longer_than_the_rhine": True,
        "size": "long",
        "people": ["Anton Karas", ""],
    }
    answer = ask(workspace, Form("json", SCHEMA), filled)
    assert answer.output is not None
    assert answer.output.data == filled
    assert answer.output.missing == ("/people/0",)
    assert [pointer for pointer, _ in answer.output.receipts] == ["/length_km", "/river"]
    for _, numbers in answer.output.receipts:
        assert "2,850" in str(answer.evidence[numbers[0] - 1])
    assert as_json(answer.output).startswith('{\n  "river": "Danube"')
    assert run_in_thread(replay(workspace, answer.run_id)) > 4


def test_a_table_cites_each_cell_also_from_evidence_that_the_answer_does_not_cite(workspace: Workspace) -> None:
    rows = [{"river": "Danube", "km": "2,850"}, {"river": "Rhine", "km": "1,230"}, {"river": "=Volga", "km": None}]
    answer = ask(workspace, Form("csv", columns=("river", "km")), {"rows": rows})
    assert answer.output is not None
    assert answer.output.missing == ("/rows/2/river",)
    table = list(csv.DictReader(io.StringIO(as_csv(answer.output, ("river", "km"), answer.evidence))))
    assert [row["river"] for row in table] == ["Danube", "Rhine", "'=Volga"]
    assert table[1]["km (source)"] == "corpus:rivers/rhine.md line 2: “The Rhine is 1,230 kilometres long.”"
    assert table[2]["river (source)"] == "no receipt"
    assert table[2]["km (source)"] == ""
    assert len(answer.sources) == 2


def test_a_query_result_with_these_columns_is_the_table(workspace: Workspace, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "r.sqlite")) as connection, connection:
        connection.execute("CREATE TABLE rivers (name TEXT, km INTEGER)")
        connection.executemany("INSERT INTO rivers VALUES (?, ?)", [("Danube", 2850), ("Rhine", 1230)])
    query = {"query": "SELECT name, km FROM rivers ORDER BY km"}
    told = {"sentence": "The rivers are Rhine with 1230 and Danube with 2850 km.", "answer": "Rhine, Danube"}
    model = ScriptedModel([ScriptedReply("act", json=query), ScriptedReply("act", json=told)])
    agent = Agent(
        model=model,
        policy="guided",
        databases=[str(tmp_path / "r.sqlite")],
        workspace=workspace,
        form=Form("csv", columns=("Name", "km")),
    )
    answer = agent.ask("Which rivers are in the table rivers, with name and km?")
    assert answer.output is not None
    assert answer.output.data == {"rows": [{"Name": "Rhine", "km": 1230}, {"Name": "Danube", "km": 2850}]}
    assert answer.output.missing == ()


def test_a_model_that_cannot_fill_it_in_leaves_the_answer_as_it_is(workspace: Workspace) -> None:
    model = ScriptedModel(
        [
            ScriptedReply("act", json=READ),
            ScriptedReply("write", text="no JSON"),
            ScriptedReply("write", text="none"),
        ]
    )
    agent = Agent(model=model, policy="guided", corpora=["rivers"], workspace=workspace, form=Form("json", SCHEMA))
    answer = agent.ask("How long is the Danube?")
    assert (answer.short, answer.output) == ("2,850 kilometres", None)


def test_markdown_has_readable_citations_and_no_markup_from_outside(workspace: Workspace) -> None:
    answer = ask(workspace, Form("markdown"), {})
    text = as_markdown(answer)
    assert text.startswith("# How long is the Danube?\n\nThe Danube is 2,850 kilometres long. [1]\n\n## Sources\n")
    assert "1. “The Danube is 2,850 kilometres long.” — Danube, line 2, <corpus:rivers/danube.md>" in text


def test_tools_that_are_taken_away_are_not_called(workspace: Workspace) -> None:
    agent = Agent(model=ScriptedModel([]), policy="guided", workspace=workspace, without_tools=["math"])
    answer = agent.ask("What is 17 * 23?")
    assert answer.short != "391"
    assert (
        Agent(model=ScriptedModel([]), policy="guided", workspace=workspace).ask("What is 17 * 23?").short == "391"
    )


def test_what_is_wrong_with_the_form_stands_in_the_verdict_and_costs_score(workspace: Workspace) -> None:
    good = ask(workspace, Form("csv", columns=("river", "km")), {"rows": [{"river": "Danube", "km": "2,850"}]})
    bad = ask(workspace, Form("csv", columns=("river", "km"), max_words=3), {"rows": []})
    assert good.verdict.kind == "accept"
    assert isinstance(bad.verdict, Revise)
    assert bad.problems == ("the answer has 6 words, at most 3 were asked for", "the table has no rows")
    assert bad.verdict.why == "; ".join(bad.problems)
    assert bad.reward.total == pytest.approx(good.reward.total - 2.0)  # two problems, and no short form any more
    assert "- the table has no rows" in as_markdown(bad)


def test_the_writer_is_told_how_long_an_answer_may_be(workspace: Workspace) -> None:
    plan = {"tasks": [{"id": "t1", "goal": "How long is the Danube?", "done_when": "", "needs": []}]}
    give_up = {"thought": "", "action": {"tool": "give_up", "reason": "not_found", "note": ""}}
    model = ScriptedModel([ScriptedReply("plan", json=plan), ScriptedReply("act", json=give_up)])
    agent = Agent(model=model, policy="json", corpora=["rivers"], workspace=workspace, form=Form(max_words=40))
    agent.ask("How long is the Danube?")
    assert all("at most 40 words" in call.messages[0].content for call in model.calls)
