"""What an answer says of its own footing: one source, sources that differ, translations, a model's own memory."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from tests.support.pages import indexed

from crowquill import Agent, Answer, ScriptedModel
from crowquill.agent.agent import run_in_thread
from crowquill.agent.cli.view import answer_view
from crowquill.agent.models.scripted import ScriptedReply
from crowquill.agent.replay import replay
from crowquill.agent.report.page import render_report
from crowquill.agent.story import read_story
from crowquill.agent.workspace import Workspace
from crowquill.agent.written import as_markdown

QUESTION = "How deep is Lake Tarn?"
RUSSIAN = "Какова глубина озера Tarn?"
PAGES = {
    "Atlas": "Lake Tarn is 310 metres deep. Lake Orrin is 45 metres deep.",
    "Guide": "Lake Tarn is 301 metres deep. It is cold.",
    "Survey": "Lake Tarn is 301 metres deep. It is quiet.",
}


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    place = indexed(tmp_path, PAGES, "lakes")
    yield place
    place.close()


def act(tool: str, **arguments: Any) -> ScriptedReply:
    return ScriptedReply("act", json={"thought": "", "action": {"tool": tool, **arguments}})


def ask(
    workspace: Workspace, question: str, pages: dict[str, str], short: str, claims: list[Any], *more: ScriptedReply,
    **settings: Any,
) -> Answer:  # fmt: skip
    """Quote lines of pages by title, then answer."""
    plan = {"tasks": [{"id": "t1", "goal": question, "done_when": "", "needs": []}]}
    reading = [
        step
        for title, lines in pages.items()
        for step in (act("open", target=f"corpus:lakes/{title}.html"), act("quote", lines=lines))
    ]
    steps = [act("search", query="Lake Tarn deep Atlas Guide Survey"), *reading]
    answer = act("answer", short=short, claims=claims)
    model = ScriptedModel([ScriptedReply("plan", json=plan), *steps, answer, *more])
    agent = Agent(model=model, policy="json", corpora=["lakes"], workspace=workspace, **settings)
    found = agent.ask(question)
    model.assert_spent()
    assert run_in_thread(replay(workspace, found.run_id)) > 5
    return found


def seen(answer: Answer) -> str:
    console = Console(width=200, record=True, file=io.StringIO())
    for line in answer_view(answer, wrapped=False):
        console.print(line)
    return console.export_text()


def test_an_answer_that_hangs_on_one_source_says_so(workspace: Workspace) -> None:
    claims = [{"text": "Lake Tarn is 310 metres deep.", "cites": [1]}]
    answer = ask(workspace, QUESTION, {"Atlas": "2"}, "310 metres", claims)
    assert answer.carrier == "corpus:lakes/Atlas.html"
    assert "all of it rests on one source: corpus:lakes/Atlas.html" in seen(answer)
    assert "- All of it rests on one source" in as_markdown(answer)
    both = [*claims, {"text": "Lake Tarn is cold.", "cites": [2]}]
    assert ask(workspace, QUESTION, {"Atlas": "2", "Guide": "3"}, "310 metres", both, memory=False).carrier == ""


def test_what_earlier_runs_have_found_of_a_source_counts_where_sources_differ(workspace: Workspace) -> None:
    claims = [
        {"text": "Lake Tarn is 310 metres deep.", "cites": [1]},
        {"text": "It is cold.", "cites": [3]},
    ]
    pages = {"Atlas": "2", "Guide": "2-3", "Survey": "2"}
    alone = ask(workspace, QUESTION, pages, "310 metres", claims, memory=False)
    assert [claim.text for claim in alone.claims] == ["It is cold."]
    assert any("most sources differ" in problem for problem in alone.problems)
    orrin = [{"text": "Lake Orrin is 45 metres deep.", "cites": [1]}]
    for _ in range(2):
        assert (
            ask(workspace, "How deep is Lake Orrin?", {"Atlas": "3"}, "45 metres", orrin).verdict.kind == "accept"
        )
    known = ask(workspace, QUESTION, pages, "310 metres", claims)
    assert [claim.text for claim in known.claims] == [claim["text"] for claim in claims]
    assert known.disagreements


def test_quotes_in_another_language_get_a_translation_that_is_marked_and_checked(workspace: Workspace) -> None:
    claims = [{"text": "Глубина озера Tarn 310 метров.", "cites": [1]}]
    said = ScriptedReply("write", json={"translations": ["Глубина озера Тарн 310 метров."]})
    answer = ask(workspace, RUSSIAN, {"Atlas": "2"}, "310 метров", claims, said)
    assert answer.translations == ((1, "Глубина озера Тарн 310 метров."),)
    text = seen(answer)
    assert "“Lake Tarn is 310 metres deep.”" in text
    assert "translated by the model: “Глубина озера Тарн 310 метров.”" in text
    assert "(translated by the model: “Глубина озера Тарн 310 метров.”)" in as_markdown(answer)
    assert "translated by the model" in answer._repr_html_()
    page = render_report(read_story(workspace, answer.run_id), workspace.blobs)
    assert "translated by the model: “Глубина озера Тарн 310 метров.”" in page
    assert "All of it rests on one source: corpus:lakes/Atlas.html" in page
    others = ("Глубина озера Тарн 130 метров.", "Озеро Тарн глубокое.", "Зарплата 310 рублей.", RUSSIAN)
    for wrong in (*others, "Lake Tarn is 310 metres deep.", ""):
        said = ScriptedReply("write", json={"translations": [wrong]})
        assert ask(workspace, RUSSIAN, {"Atlas": "2"}, "310 метров", claims, said, cache=False).translations == ()


def test_what_a_model_knows_anyway_is_a_weak_sign(workspace: Workspace) -> None:
    claims = [{"text": "Lake Tarn is 310 metres deep.", "cites": [1]}]
    parts = {}
    for said in ("310 metres.", "300 metres", "Unknown."):
        judge = ScriptedModel([ScriptedReply("judge", text=said)], name="judge")
        answer = ask(
            workspace, QUESTION, {"Atlas": "2"}, "310 metres", claims, select="single,closed_book=yes",
            models={"judge": judge}, memory=False, cache=False,
        )  # fmt: skip
        judge.assert_spent()
        assert "310" not in judge.calls[0].messages[-1].content
        parts[said] = dict(answer.reward.parts)["closed book"]
    assert parts == {"310 metres.": 0.25, "300 metres": 0.0, "Unknown.": 0.0}
