"""Whole runs over the pocket web with a scripted model: what a user sees, and the proof that it replays."""

import sqlite3
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from crowquill import Agent, Answer, Budget, ScriptedModel
from crowquill.agent.agent import run_in_thread
from crowquill.agent.events import Acted, Event, EvidenceFound, Observed, RunFinished, TaskFinished
from crowquill.agent.models.scripted import ScriptedReply
from crowquill.agent.replay import replay
from crowquill.agent.tape import load_events
from crowquill.agent.workspace import Workspace
from crowquill.errors import ReplayMiss, UserError
from crowquill.memory.embed import SentenceEmbedder
from crowquill.memory.evidence import Computation, Quote, Table

EMBEDDER = SentenceEmbedder()


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with the pocket web indexed once for all stories."""
    path = tmp_path_factory.mktemp("workspace")
    place = Workspace(path, embedder=EMBEDDER)
    place.corpus("pocket")
    place.close()
    return path


@pytest.fixture
def workspace(indexed: Path, tmp_path: Path) -> Iterator[Workspace]:
    place = Workspace(tmp_path / "w", embedder=EMBEDDER)
    place.path.mkdir()
    (place.path / "corpora").symlink_to(indexed / "corpora")
    yield place
    place.close()


def read(**reply: Any) -> ScriptedReply:
    return ScriptedReply("act", json=reply)


def act(tool: str, *, match: str | None = None, **arguments: Any) -> ScriptedReply:
    return ScriptedReply("act", json={"thought": "", "action": {"tool": tool, **arguments}}, match=match)


def events_of(agent: Agent, question: str) -> list[Event]:
    async def collect() -> list[Event]:
        return [event async for event in agent.stream(question)]

    return run_in_thread(collect())


def finished(events: list[Event]) -> Answer:
    last = events[-1]
    assert isinstance(last, RunFinished)
    return last.answer


def test_a_lookup_is_answered_with_a_verified_quote(workspace: Workspace) -> None:
    model = ScriptedModel(
        [read(quotes=[1], sentence="The Danube is 2,850 kilometres long.", answer="2,850 kilometres")]
    )
    agent = Agent(model=model, policy="guided", corpora=["pocket"], workspace=workspace)
    events = events_of(agent, "How long is the Danube?")
    answer = finished(events)
    assert answer.stopped == "answered"
    assert answer.short == "2,850 kilometres"
    assert answer.claims[0].status in ("quoted", "derived")
    assert answer.text.startswith("The Danube is 2,850 kilometres long. [1]")
    for event in events:
        if isinstance(event, EvidenceFound) and isinstance(event.evidence, Quote):
            quote = event.evidence
            text = workspace.blobs.get(quote.source.sha256).decode()
            assert text[quote.start : quote.end] == quote.text
    assert answer.usage.calls == 1
    model.assert_spent()


def test_a_number_that_no_quote_holds_is_never_an_answer(workspace: Workspace) -> None:
    model = ScriptedModel(
        [
            read(quotes=[1], sentence="The Danube is 2,851 km long.", answer="2,851 km"),
            read(facts="It is 2,852 km long.", answer="2,852 km"),
        ]
    )
    answer = Agent(model=model, policy="guided", corpora=["pocket"], workspace=workspace).ask(
        "How long is the Danube?"
    )
    assert answer.stopped == "not_found"
    assert answer.short == ""
    assert answer.claims == ()
    model.assert_spent()


def test_what_the_first_reading_has_not_found_a_second_look_at_the_pages_finds(workspace: Workspace) -> None:
    model = ScriptedModel(
        [
            read(quotes=[1], sentence="The quotes do not say it.", answer="not found"),
            read(facts="The Danube is 2,850 kilometres long.", answer="2,850 kilometres"),
        ]
    )
    agent = Agent(model=model, policy="guided", corpora=["pocket"], workspace=workspace)
    events = events_of(agent, "How long is the Danube?")
    answer = finished(events)
    assert answer.short == "2,850 kilometres"
    assert "2,850 kilometres" in answer.claims[0].text
    assert answer.claims[0].status == "quoted"
    quoted = [event.evidence for event in events if isinstance(event, EvidenceFound)]
    assert len({item.id for item in quoted}) == len(quoted)
    shown = [call.messages[-1].content for call in model.calls]
    assert len(shown[1].splitlines()) > len(shown[0].splitlines())


def test_arithmetic_on_quoted_numbers_is_computed(workspace: Workspace) -> None:
    model = ScriptedModel(
        [
            ScriptedReply(
                "act",
                json={
                    "quotes": [1],
                    "calculation": "2850 - 1230",
                    "sentence": "The Danube is RESULT kilometres longer than the Rhine.",
                },
            )
        ]
    )
    agent = Agent(model=model, policy="guided", corpora=["pocket"], workspace=workspace)
    answer = agent.ask("How many kilometres longer is the Danube than the Rhine?")
    assert answer.short == "1620"
    assert answer.claims[0].status == "computed"
    assert answer.text.startswith("The Danube is 1620 kilometres longer than the Rhine.")
    kinds = {type(item) for item in answer.evidence}
    assert kinds == {Quote, Computation}


def test_replies_that_cannot_be_read_are_paid_for_and_replayed(workspace: Workspace) -> None:
    task = {"id": "t1", "goal": "Find it", "done_when": "it is known", "needs": []}
    planned = ScriptedReply("plan", json={"tasks": [task]})
    model = ScriptedModel([planned, ScriptedReply("act", text="I would rather not.", repeat=True)])
    agent = Agent(model=model, policy="json", corpora=["pocket"], workspace=workspace)
    answer = agent.ask("How long is the Danube?")
    assert answer.stopped == "stalled"
    assert answer.usage.calls == 5
    assert answer.usage.completion > len(model.calls)
    assert run_in_thread(replay(workspace, answer.run_id)) > 5


def test_plain_arithmetic_needs_no_model(workspace: Workspace) -> None:
    model = ScriptedModel([])
    answer = Agent(model=model, policy="guided", workspace=workspace).ask("What is 17% of 2340?")
    assert answer.short == "397.8"
    assert answer.claims[0].status == "computed"
    assert answer.usage.calls == 0


def test_a_database_question_cites_its_cells(workspace: Workspace) -> None:
    model = ScriptedModel(
        [
            read(query="SELECT count(*) AS customers FROM customers"),
            read(sentence="The shop has 24 customers.", answer="24"),
        ]
    )
    agent = Agent(model=model, policy="guided", databases=["pocket"], workspace=workspace)
    answer = agent.ask("How many customers are in the customers table?")
    assert answer.short == "24"
    assert answer.claims[0].status == "queried"
    assert isinstance(answer.evidence[0], Table)
    assert answer.usage.calls == 2


def test_a_table_that_does_not_answer_the_question_is_no_answer(workspace: Workspace) -> None:
    told = [
        read(query="SELECT name FROM customers"),
        read(sentence="The table does not say it.", answer="not found"),
    ]
    agent = Agent(model=ScriptedModel(told), policy="guided", databases=["pocket"], workspace=workspace)
    answer = agent.ask("Which customers of the shop complained?")
    assert (answer.stopped, answer.short) == ("not_found", "")


def test_the_answer_to_a_part_of_the_objective_is_not_published_as_the_whole(workspace: Workspace) -> None:
    tasks = [
        {"id": "a", "goal": "Compute 6*7", "done_when": "known", "needs": []},
        {"id": "b", "goal": "Divide it by 2", "done_when": "known", "needs": ["a"]},
    ]
    met = {"add": [], "drop": [], "order": [], "objective_met": True}
    whole = {"short": "21", "claims": [{"text": "Half of 6*7 is 21.", "cites": [1]}]}
    model = ScriptedModel(
        [
            ScriptedReply("plan", json={"tasks": tasks}),
            act("math", expression="6*7"),
            act("answer", short="42", claims=[{"text": "It is 42.", "cites": [1]}]),
            ScriptedReply("plan", json=met),
            ScriptedReply("write", json=whole),
        ]
    )
    answer = Agent(model=model, policy="json", workspace=workspace).ask("What is half of 6*7?")
    assert answer.short != "42"
    assert answer.claims[0].status == "unsupported"  # the writer calculates in its head
    model.assert_spent()


def test_a_reply_that_cannot_be_read_does_not_end_as_not_found(workspace: Workspace) -> None:
    model = ScriptedModel(
        [
            ScriptedReply("act", text="garbage"),
            ScriptedReply("act", text="garbage"),
            read(quotes=[1], sentence="The Danube is 2,850 kilometres long.", answer="2,850 kilometres"),
        ]
    )
    agent = Agent(model=model, policy="guided", corpora=["pocket"], workspace=workspace)
    assert agent.ask("How long is the Danube?").short == "2,850 kilometres"


def test_a_failed_query_is_repaired_once_and_told_by_code(workspace: Workspace) -> None:
    model = ScriptedModel(
        [
            read(query="SELECT count(*) FROM custommers"),
            read(query="SELECT count(*) AS customers FROM customers"),
        ]
    )
    agent = Agent(model=model, policy="guided", databases=["pocket"], workspace=workspace)
    answer = agent.ask("How many customers are in the customers table?")
    assert answer.short == "24"
    assert answer.usage.calls == 2
    assert "customers" in model.calls[1].messages[-1].content.split("The last try failed")[1]


def parallel_model() -> ScriptedModel:
    plan = {
        "tasks": [
            {"id": "a", "goal": "Find the length of the Danube", "done_when": "known", "needs": []},
            {
                "id": "b",
                "goal": "Find who wrote the music of The Third Man",
                "done_when": "known",
                "needs": [],
            },
        ]
    }
    danube, film = "Task: Find the length", "Task: Find who wrote"
    return ScriptedModel(
        [
            ScriptedReply("plan", json=plan),
            act("search", query="length of the Danube", match=danube),
            act("open", target="corpus:pocket/danube.html", match=danube),
            act("quote", text="The Danube is 2,850 kilometres long.", match=danube),
            act(
                "answer",
                short="2,850 kilometres",
                claims=[{"text": "The Danube is 2,850 kilometres long.", "cites": [1]}],
                match=danube,
            ),
            act("search", query="music of The Third Man", match=film),
            act("open", target="corpus:pocket/the-third-man.html", match=film),
            act("quote", lines="1-6", match=film),
            act(
                "answer",
                short="Anton Karas",
                claims=[{"text": "Anton Karas wrote it.", "cites": [1]}],
                match=film,
            ),
            ScriptedReply("plan", json={"add": [], "drop": [], "order": [], "objective_met": True}),
            ScriptedReply(
                "write",
                json={
                    "short": "2,850 kilometres",
                    "claims": [
                        {"text": "The Danube is 2,850 kilometres long.", "cites": [1]},
                        {"text": "The Danube has 99 bridges.", "cites": [1]},
                    ],
                },
            ),
        ]
    )


def test_two_tasks_run_in_parallel_and_replay_identically(workspace: Workspace) -> None:
    model = parallel_model()
    agent = Agent(model=model, policy="json", corpora=["pocket"], workspace=workspace)
    events = events_of(agent, "How long is the Danube, and who wrote the music of The Third Man?")
    answer = finished(events)
    assert answer.stopped == "answered"
    assert [claim.status for claim in answer.claims] == ["quoted", "unsupported"]
    assert "99 bridges. [1] (no receipt)" in answer.text
    assert sum(isinstance(event, TaskFinished) for event in events) == 2
    model.assert_spent()

    recorded = workspace.database.read_now(
        lambda connection: load_events(connection, answer.run_id, workspace.blobs)
    )
    assert [item.event for item in recorded if item.lane == "run"] == [
        event for event in events if any(item.event == event and item.lane == "run" for item in recorded)
    ]
    count = run_in_thread(replay(workspace, answer.run_id))
    assert count == len(recorded)


def test_a_replay_needs_neither_corpus_nor_model(workspace: Workspace) -> None:
    answer = Agent(model=parallel_model(), policy="json", corpora=["pocket"], workspace=workspace).ask(
        "Two things?"
    )
    (workspace.path / "corpora").unlink()
    assert run_in_thread(replay(workspace, answer.run_id)) > 10


def test_a_replay_notices_a_tampered_journal(workspace: Workspace) -> None:
    answer = Agent(model=parallel_model(), policy="json", corpora=["pocket"], workspace=workspace).ask(
        "Two things?"
    )
    workspace.database.write_now(
        lambda connection: connection.execute("DELETE FROM effects WHERE kind = 'search' AND lane LIKE 't2%'")
    )
    with pytest.raises(ReplayMiss):
        run_in_thread(replay(workspace, answer.run_id))


def test_at_the_limit_the_run_answers_with_what_it_has(workspace: Workspace) -> None:
    model = ScriptedModel(
        [read(quotes=[1], sentence="The Danube is 2,850 kilometres long.", answer="2,850 kilometres")]
    )
    agent = Agent(model=model, policy="guided", corpora=["pocket"], budget=Budget(steps=4), workspace=workspace)
    answer = agent.ask("How long is the Danube?")
    assert answer.stopped == "budget"
    assert "all 4 steps are used" in answer.why
    assert answer.short == "2,850 kilometres"


def test_a_model_that_goes_in_circles_is_stopped(workspace: Workspace) -> None:
    plan = {"tasks": [{"id": "a", "goal": "Find it", "done_when": "", "needs": []}]}
    model = ScriptedModel(
        [
            ScriptedReply("plan", json=plan),
            ScriptedReply("act", json={"thought": "", "action": {"tool": "search", "query": "x"}}, repeat=True),
        ]
    )
    answer = Agent(model=model, policy="json", corpora=["pocket"], workspace=workspace).ask("What is x?")
    assert answer.stopped in ("stalled", "budget")
    assert len(model.calls) < 10


def test_an_invented_url_and_an_unknown_tool_cost_a_step_and_nothing_else(workspace: Workspace) -> None:
    plan = {"tasks": [{"id": "a", "goal": "Find it", "done_when": "", "needs": []}]}
    model = ScriptedModel(
        [
            ScriptedReply("plan", json=plan),
            act("open", target="https://evil.example/steal"),
            act("format_disk"),
            act("give_up", reason="not_found", note="nothing there"),
        ]
    )
    events = events_of(Agent(model=model, policy="json", corpora=["pocket"], workspace=workspace), "What is x?")
    errors = [event.error for event in events if isinstance(event, Observed) and event.error]
    assert len(errors) == 1
    assert "format_disk" not in [event.tool for event in events if isinstance(event, Acted)]
    assert finished(events).stopped == "not_found"
    assert "nothing there" in finished(events).text


def test_the_second_question_finds_the_first_ones_quotes(workspace: Workspace) -> None:
    first = ScriptedModel(
        [read(quotes=[1], sentence="The Danube is 2,850 kilometres long.", answer="2,850 kilometres")]
    )
    Agent(model=first, policy="guided", corpora=["pocket"], workspace=workspace).ask("How long is the Danube?")
    second = ScriptedModel(
        [read(quotes=[1], sentence="The Danube is 2,850 kilometres long.", answer="2,850 kilometres")]
    )
    events = events_of(
        Agent(model=second, policy="guided", workspace=workspace), "What is the length of the Danube?"
    )
    assert any(isinstance(event, Acted) and event.tool == "recall" for event in events)
    assert any(
        isinstance(event, EvidenceFound) and "2,850 kilometres long" in getattr(event.evidence, "text", "")
        for event in events
    )


def test_recalled_evidence_must_still_stand_in_its_snapshot(workspace: Workspace) -> None:
    found = read(quotes=[1], sentence="The Danube is 2,850 kilometres long.", answer="2,850 kilometres")
    Agent(model=ScriptedModel([found]), policy="guided", corpora=["pocket"], workspace=workspace).ask(
        "How long is the Danube?"
    )

    def forge(connection: sqlite3.Connection) -> None:
        connection.execute("UPDATE records SET json = replace(json, '2,850', '9,999')")

    run_in_thread(workspace.database.write(forge))
    events = events_of(
        Agent(model=ScriptedModel([]), policy="guided", workspace=workspace), "What is the length of the Danube?"
    )
    assert not any("9,999" in str(event) for event in events)
    assert finished(events).stopped in ("not_found", "error")


def test_a_secret_reaches_neither_the_memory_nor_the_model(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_PASSWORD", "kilometres-4711")
    model = ScriptedModel(
        [ScriptedReply("act", json={"quotes": [1], "sentence": "x", "answer": "not found"}, repeat=True)]
    )
    Agent(model=model, policy="guided", corpora=["pocket"], workspace=workspace).ask(
        "Does kilometres-4711 tell how long the Danube is?"
    )
    assert model.calls
    assert not any("kilometres-4711" in message.content for call in model.calls for message in call.messages)
    for file in workspace.path.glob("crowquill.db*"):
        assert b"kilometres-4711" not in file.read_bytes()


def test_unusable_settings_are_said_in_one_line(workspace: Workspace, tmp_path: Path) -> None:
    model = ScriptedModel([])
    with pytest.raises(UserError, match="crowquill index"):
        Agent(model=model, corpora=["nowhere"], workspace=workspace).ask("What?")
    with pytest.raises(UserError, match="no question"):
        Agent(model=model, workspace=workspace).ask("  ")
    with pytest.raises(UserError):
        Agent(model=model, databases=[str(tmp_path / "missing.db")], workspace=workspace).ask("What?")


class _Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b"<title>Zorn</title><main><h1>Zorn</h1><p>The tower of Zorn is 41 metres high.</p></main>"
        self.send_response(200)
        self.send_header("content-type", "text/html; charset=utf-8")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass


@pytest.fixture
def site() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_page_named_in_the_question_is_fetched_quoted_and_replayed_without_it(
    workspace: Workspace, site: str
) -> None:
    model = ScriptedModel([read(quotes=[1], answer="41 metres", sentence="The tower of Zorn is 41 metres high.")])
    agent = Agent(model=model, policy="guided", allow_hosts=[site], workspace=workspace)
    answer = agent.ask(f"How high is the tower of Zorn? See http://{site}/zorn.")
    assert answer.short == "41 metres", answer.why
    assert answer.claims[0].status == "quoted"
    assert answer.sources[0].url == f"http://{site}/zorn"
    assert run_in_thread(replay(workspace, answer.run_id)) > 4


def test_a_private_host_that_is_not_listed_is_refused_and_said(workspace: Workspace, site: str) -> None:
    agent = Agent(model=ScriptedModel([]), policy="guided", web=True, workspace=workspace)
    answer = agent.ask(f"How high is the tower of Zorn? See http://{site}/zorn.")
    assert answer.stopped == "not_found"
    assert f"--allow-host {site}" in answer.text
