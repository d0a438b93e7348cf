"""Questions to databases and data files, up to the checked answer: whole runs with a scripted model."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from crowquill import Agent, Answer
from crowquill.agent.models.scripted import ScriptedModel, ScriptedReply
from crowquill.agent.workspace import Workspace
from crowquill.errors import UserError
from crowquill.memory.evidence import Table
from crowquill.memory.lessons import LessonStore

SHOP = """
CREATE TABLE clients (id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE sales (id INTEGER PRIMARY KEY, client_id INTEGER REFERENCES clients(id), day TEXT, amount REAL);
INSERT INTO clients VALUES (1, 'Ann'), (2, 'Ben'), (3, 'Cleo');
INSERT INTO sales VALUES (1, 1, '2025-05-01', 10), (2, 1, '2026-02-01', 20), (3, 2, '2025-07-01', 5);
"""
NONE_THIS_YEAR = "SELECT name FROM clients WHERE id NOT IN (SELECT client_id FROM sales WHERE day >= '2026-01-01')"
BUT_BEFORE = NONE_THIS_YEAR + " AND id IN (SELECT client_id FROM sales WHERE day < '2026-01-01')"


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    made = Workspace(tmp_path / "workspace")
    yield made
    made.close()


@pytest.fixture
def shop(tmp_path: Path) -> str:
    with closing(sqlite3.connect(tmp_path / "shop.db")) as connection:
        connection.executescript(SHOP)
    return str(tmp_path / "shop.db")


def query(sql: str, match: str | None = None) -> ScriptedReply:
    return ScriptedReply("act", json={"query": sql}, match=match)


def told(sentence: str, answer: str) -> ScriptedReply:
    return ScriptedReply("act", json={"sentence": sentence, "answer": answer})


def rows(answer: Answer) -> list[object]:
    (table,) = (item for item in answer.evidence if isinstance(item, Table))
    return [row[0] for row in table.rows]


def test_a_follow_up_gives_the_same_rows_in_two_turns_as_in_one(workspace: Workspace, shop: str) -> None:
    model = ScriptedModel(
        [
            query(NONE_THIS_YEAR),
            told("Ben and Cleo have no sales this year.", "Ben, Cleo"),
            query(BUT_BEFORE, match="The question refines the earlier one."),
            told("Ben had sales before.", "Ben"),
            query(BUT_BEFORE),
            told("Ben has no sales this year but had some before.", "Ben"),
        ]
    )
    agent = Agent(model=model, policy="guided", databases=[shop], workspace=workspace)
    first = agent.ask("Which clients have no sales this year?")
    second = agent.following(first).ask("but with sales before")
    at_once = agent.ask("Which clients have no sales this year, but had sales before?")
    assert (rows(first), rows(second), rows(at_once)) == (["Ben", "Cleo"], ["Ben"], ["Ben"])
    asked = model.calls[2].messages[-1].content
    assert f"Earlier question: Which clients have no sales this year? Its query: {NONE_THIS_YEAR}" in asked
    model.assert_spent()


def test_the_same_correction_is_never_needed_twice(tmp_path: Path, shop: str) -> None:
    """A session corrects; a later one, with a fresh agent, asks a like question and is told so from the start."""
    wrong, right = "SELECT max(amount) FROM sales", "SELECT amount FROM sales ORDER BY day DESC LIMIT 1"
    rule = "use the latest sale, not the largest"
    place = tmp_path / "workspace"
    first = Agent(
        model=ScriptedModel([query(wrong), told("It is 20.", "20.0")]),
        policy="guided",
        databases=[shop],
        workspace=place,
    )
    answer = first.ask("What was the amount of the last sale?")
    first.teach(answer, rule)
    first.workspace.close()
    model = ScriptedModel([query(right, match=rule), told("The last sale was 20.", "20.0")])
    later = Agent(model=model, policy="guided", databases=[shop], workspace=place)
    assert later.ask("What amount had the last sale?").ok
    assert wrong in model.calls[0].messages[-1].content
    unrelated = ScriptedModel([query("SELECT count(*) FROM clients"), told("There are 3 clients.", "3")])
    Agent(model=unrelated, policy="guided", databases=[shop], workspace=place).ask("How many clients are there?")
    assert rule not in unrelated.calls[0].messages[-1].content
    store = LessonStore(later.workspace.database)
    assert [lesson.correction for lesson in store.all()] == [rule]
    assert store.forget(store.all()[0].number)
    assert store.all() == []
    later.workspace.close()


def test_a_good_query_is_an_example_for_the_same_question(workspace: Workspace, shop: str) -> None:
    model = ScriptedModel(
        [
            query("SELECT sum(amount) FROM sales"),
            told("Sales were 35.", "35.0"),
            query("SELECT sum(amount) FROM sales"),
        ]
    )
    agent = Agent(model=model, policy="guided", databases=[shop], workspace=workspace)
    agent.teach(agent.ask("What were the total sales?"))
    agent.ask("What are the total sales?")
    assert "The query for the question 'What were the total sales?' was: SELECT sum" in str(model.calls[2].messages)


def test_larger_models_are_told_the_same(workspace: Workspace, shop: str) -> None:
    act = {"thought": "", "action": {"tool": "give_up", "reason": "not_found", "note": "x"}}
    plan = {"tasks": [{"id": "a", "goal": "Find them", "done_when": "known", "needs": []}]}
    model = ScriptedModel([query(NONE_THIS_YEAR), told("Ben and Cleo have none.", "Ben, Cleo")])
    first = Agent(model=model, policy="guided", databases=[shop], workspace=workspace).ask(
        "Which clients have no sales?"
    )
    larger = ScriptedModel([ScriptedReply("plan", json=plan), ScriptedReply("act", json=act, repeat=True)])
    agent = Agent(model=larger, policy="json", databases=[shop], workspace=workspace)
    agent.following(first).ask("but with sales before")
    assert "The question refines the earlier one." in str([call.messages for call in larger.calls])


def test_an_answer_without_a_query_teaches_nothing(workspace: Workspace) -> None:
    agent = Agent(model=ScriptedModel([]), policy="guided", workspace=workspace, databases=["pocket"])
    answer = agent.ask("What is 2 + 2?")
    with pytest.raises(UserError, match="no query"):
        agent.teach(answer)


def test_a_query_without_rows_is_respelled_and_a_forgetful_one_is_repaired(workspace: Workspace, shop: str) -> None:
    model = ScriptedModel(
        [
            query("SELECT sum(amount) FROM sales JOIN clients ON clients.id = client_id WHERE name = 'Anne'"),
            told("Ann bought for 30.", "30.0"),
        ]
    )
    agent = Agent(model=model, policy="guided", databases=[shop], workspace=workspace)
    table = agent.ask("How much did our client Anne buy?").evidence[0]
    assert isinstance(table, Table)
    assert (table.rows, "name = 'Ann'" in table.sql) == (((30.0,),), True)
    model = ScriptedModel(
        [
            query("SELECT count(*) FROM clients"),
            query("SELECT count(*) FROM clients WHERE id NOT IN (SELECT client_id FROM sales)", match="NOT IN"),
        ]
    )
    agent = Agent(model=model, policy="guided", databases=[shop], workspace=workspace)
    assert agent.ask("How many clients have never bought anything?").short == "1"
    model.assert_spent()


def test_data_files_are_a_database_and_the_run_replays_without_them(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "umsatz.csv"
    path.write_text("Region;Umsatz\nNord;1.000,50\nSüd;2.000,25\n")
    model = ScriptedModel(
        [query("SELECT sum(Umsatz) AS umsatz FROM umsatz"), told("The total is 3000.75.", "3000.75")]
    )
    agent = Agent(model=model, policy="guided", data=[path], workspace=workspace)
    answer = agent.ask("What is the total Umsatz of all regions?")
    assert (answer.short, answer.claims[0].status) == ("3000.75", "queried")


def test_two_sources_are_asked_each_by_its_name(workspace: Workspace, shop: str, tmp_path: Path) -> None:
    (tmp_path / "targets.csv").write_text("client,target\nAnn,25\nBen,30\n")
    model = ScriptedModel(
        [
            query("SELECT sum(amount) FROM sales", match="sales"),
            query("SELECT sum(amount) FROM sales WHERE 1 = 1"),
            told("Sales were 35.", "35.0"),
        ]
    )
    agent = Agent(
        model=model,
        policy="guided",
        databases=[f"books={shop}"],
        data=[tmp_path / "targets.csv"],
        workspace=workspace,
    )
    answer = agent.ask("What were the total sales?")
    assert [item.database for item in answer.evidence if isinstance(item, Table)] == ["books"]


def test_a_source_that_cannot_be_read_is_said_before_the_run(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "bad.parquet").write_bytes(b"nothing")
    agent = Agent(model=ScriptedModel([]), policy="guided", data=[tmp_path / "bad.parquet"], workspace=workspace)
    with pytest.raises(UserError, match=r"bad\.parquet cannot be read"):
        agent.ask("What is in it?")
