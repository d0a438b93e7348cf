"""Sentences, items and rows are statements of their own."""

from pathlib import Path
from typing import Any

import pytest
from tests.support.pages import indexed

from crowquill import Agent, ScriptedModel
from crowquill.agent.agent import run_in_thread
from crowquill.agent.answer import Candidate, DraftClaim
from crowquill.agent.critic.checks import check_claim
from crowquill.agent.critic.choices import Side
from crowquill.agent.critic.statements import statements
from crowquill.agent.models.scripted import ScriptedReply
from crowquill.agent.replay import replay
from crowquill.agent.writer import compose
from crowquill.memory.evidence import Evidence, Quote, Source, Table, plain_text

TABLE = """Here they are:

| River | Length (km) | Basin |
|:------|------------:|-------|
| Danube | 2,850 | ten countries |
| Rhine | 1,230 [2] | six countries |
"""


def quote(text: str, start: int = 0) -> Quote:
    source = Source("corpus:x/rivers", "Rivers", "2026-01-01", "0" * 64, "corpus")
    return Quote(text, source, start, start + len(text), (1, 1))


EVIDENCE: tuple[Evidence, ...] = (
    quote("The Danube is 2,850 kilometres long and its basin lies in ten countries."),
    quote("The Rhine is 1,230 kilometres long and its basin lies in six countries.", 100),
)


def texts(text: str) -> list[str]:
    return [part.text for part in statements(DraftClaim(text, (1,)))]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("It was opened in 1874. It is 3 – 4 m deep.", ["It was opened in 1874.", "It is 3 – 4 m deep."]),
        ("The Danube is long.", ["The Danube is long."]),
        ("The Danube is long. It ends in a delta.", ["The Danube is long.", "It ends in a delta."]),
        ("The rivers are:\n- the Danube\n- the Rhine", ["the Danube", "the Rhine"]),
        ("Two are long.\n1. The Danube.\n2) The Rhine.", ["Two are long.", "The Danube.", "The Rhine."]),
        ("# Rivers\n\nThe Danube is\nlong.", ["The Danube is long."]),
        ("a | b is no table", ["a | b is no table"]),
        ("| a | b |\n|---|---|\n| x\\|y | |", ["a: x|y"]),
        ("| | Danube | Rhine |\n|---|---|---|\n| Length | 2,850 km | 1,230 km |",
         ["Danube length: 2,850 km; Rhine length: 1,230 km"]),
        ("", [""]),
    ],
)  # fmt: skip
def test_what_counts_as_a_statement(text: str, parts: list[str]) -> None:
    assert texts(text) == parts


def test_a_row_is_read_with_its_header_and_has_its_own_citations() -> None:
    rows = statements(DraftClaim(TABLE, (1, 2)))
    assert [row.text for row in rows] == [
        "river: Danube; length: 2,850 km; basin: ten countries",
        "river: Rhine; length: 1,230 km; basin: six countries",
    ]
    assert [row.cites for row in rows] == [(1, 2), (2,)]
    assert rows[0].row == (("River", "Danube"), ("Length (km)", "2,850"), ("Basin", "ten countries"))
    assert statements(rows[0]) == [rows[0]]


def test_each_row_is_checked_and_the_table_is_shown_again() -> None:
    swapped = TABLE.replace("1,230 [2]", "2,850 [2]")
    claims = tuple(check_claim(row, EVIDENCE, "q") for row in statements(DraftClaim(swapped, (1,))))
    assert [claim.status for claim in claims] == ["quoted", "unsupported"]
    assert compose(Candidate("", claims, EVIDENCE)).splitlines() == [
        "| River | Length (km) | Basin |  |",
        "| --- | --- | --- | --- |",
        "| Danube | 2,850 | ten countries | [1] |",
        "| Rhine | 2,850 | six countries | [2] (no receipt) |",
    ]
    again = Side(compose(Candidate("", claims, EVIDENCE)), (("Rivers", plain_text(EVIDENCE[0])),) * 2)
    assert again.candidate("q").claims[0].text == claims[0].text


def test_numbers_of_a_query_belong_to_their_row() -> None:
    table = Table("SELECT * FROM t", "shop", ("name", "orders"), (("Clara Steinbach", 7), ("Jürgen Weiß", 3)), 2)
    for text, status in [
        ("Clara Steinbach placed 7 orders.", "queried"),
        ("Clara Steinbach placed 3 orders.", "unsupported"),
        ("Clara Steinbach placed 7 orders and Jürgen Weiß 3.", "queried"),
        ("The fewest orders are 3.", "queried"),
    ]:
        assert check_claim(DraftClaim(text, (1,)), (table,), "Who placed how many orders?").status == status, text


def test_a_run_whose_answer_is_a_table(tmp_path: Path) -> None:
    pages = {"Rivers": " ".join(item.text for item in EVIDENCE if isinstance(item, Quote))}
    workspace = indexed(tmp_path, pages, "rivers")
    steps: list[dict[str, Any]] = [
        {"tool": "search", "query": "rivers"},
        {"tool": "open", "target": "1"},
        {"tool": "quote", "lines": "2"},
        {"tool": "quote", "lines": "3"},
        {"tool": "answer", "short": "two rivers", "claims": [{"text": TABLE, "cites": [1, 2]}]},
    ]
    plan = {"tasks": [{"id": "t1", "goal": "How long are the rivers?", "done_when": "", "needs": []}]}
    acts = [ScriptedReply("act", json={"thought": "", "action": step}) for step in steps]
    model = ScriptedModel([ScriptedReply("plan", json=plan), *acts])
    agent = Agent(model=model, policy="json", corpora=["rivers"], memory=False, workspace=workspace)
    answer = agent.ask("How long are the rivers?")
    assert [claim.status for claim in answer.claims] == ["quoted", "quoted"]
    assert [len(claim.support) for claim in answer.claims] == [1, 1]
    assert "| Danube | 2,850 | ten countries | [1] |\n| Rhine | 1,230 | six countries | [2] |" in answer.text
    assert run_in_thread(replay(workspace, answer.run_id)) > 5
    workspace.close()
