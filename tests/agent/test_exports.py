"""Exports of recorded runs, each read back as its consumer would."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from tests.support.pages import indexed
from typer.testing import CliRunner, Result

from crowquill import Agent, Answer, Price, ScriptedModel
from crowquill.agent.agent import run_in_thread
from crowquill.agent.cli.main import app
from crowquill.agent.models.base import Usage
from crowquill.agent.models.scripted import ScriptedReply
from crowquill.agent.replay import replay
from crowquill.agent.workspace import Workspace
from crowquill.errors import UserError

QUESTION = "How long is the River [Aske]?"
SENTENCE = "The River Aske is 212 kilometres long."
PAGES = {"River Aske": f"{SENTENCE} It rises in the *Fells*."}


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    place = indexed(tmp_path, PAGES, "rivers")
    yield place
    place.close()


def act(tool: str, **arguments: Any) -> ScriptedReply:
    return ScriptedReply(
        "act", json={"thought": "so", "action": {"tool": tool, **arguments}}, usage=Usage(100, 10, 20, 1)
    )


@pytest.fixture
def answer(workspace: Workspace) -> Answer:
    plan = {"tasks": [{"id": "a", "goal": "Find it", "done_when": "", "needs": []}]}
    claims = [{"text": SENTENCE, "cites": [1]}]
    model = ScriptedModel(
        [
            ScriptedReply("plan", json=plan, usage=Usage(50, 0, 10, 1)),
            act("search", query="Aske"),
            act("open", target="no such page"),
            act("open", target="corpus:rivers/River Aske.html"),
            act("quote", text=SENTENCE),
            act("answer", short="212 kilometres", claims=claims),
        ]
    )
    agent = Agent(
        model=model,
        policy="json",
        corpora=["rivers"],
        memory=False,
        prices={"scripted": Price(1.0, 0.5, 2.0)},
        workspace=workspace,
    )
    return agent.ask(QUESTION)


def export(workspace: Workspace, *arguments: str) -> Result:
    result = CliRunner().invoke(app, ["runs", "export", *arguments, "--workspace", str(workspace.path)])
    assert result.exit_code == 0, result.output
    return result


def lines(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_demonstrations_are_states_and_the_next_action(workspace: Workspace, answer: Answer) -> None:
    steps = lines(export(workspace, "last", "--format", "demonstrations"))
    assert [step["action"]["tool"] for step in steps] == [
        "search",
        "open",
        "quote",
        "answer",
    ]  # what failed is none
    assert steps[0]["step"] == "t1/s1"
    assert steps[0]["state"].startswith("Objective: How long is the River [Aske]?")
    assert "Past actions" in steps[2]["state"]


def test_demonstrations_are_read_in_as_examples(workspace: Workspace, answer: Answer, tmp_path: Path) -> None:
    out = tmp_path / "demos.jsonl"
    export(workspace, "last", "--format", "demonstrations", "--out", str(out))
    give_up = act("give_up", reason="not_found", note="")
    plan = ScriptedReply("plan", json={"tasks": [{"id": "a", "goal": "Look", "done_when": "", "needs": []}]})
    model = ScriptedModel([plan, act("math", expression="1+1"), give_up])
    again = Agent(model=model, policy="json", memory=False, workspace=workspace, examples=out)
    answered = again.ask("Where does it rise?")
    shown = model.calls[1].messages[1].content
    assert "Task: Find it | done: search, open | next: quote(text=The River Aske is 212 kilometres long.)" in shown
    assert run_in_thread(replay(workspace, answered.run_id)) > 3
    with pytest.raises(UserError, match="examples are for the policies json and tools"):
        Agent(model=model, policy="guided", workspace=workspace, examples=out)
    out.write_text('{"no": 1}\n')
    with pytest.raises(UserError, match="line 1: this is no demonstration"):
        Agent(model=model, policy="json", workspace=workspace, examples=out)


def test_demonstrations_of_a_guided_run_say_what_was_known(workspace: Workspace) -> None:
    reading = {"quotes": [1], "sentence": SENTENCE, "answer": "212 kilometres"}
    model = ScriptedModel([ScriptedReply("act", json=reading)])
    Agent(model=model, policy="guided", corpora=["rivers"], memory=False, workspace=workspace).ask(QUESTION)
    steps = lines(export(workspace, "last", "--format", "demonstrations"))
    assert {"search", "open", "quote", "answer"} <= {step["action"]["tool"] for step in steps}
    assert f"[1] {SENTENCE}" in steps[-1]["state"]


def test_comparisons_have_the_fields_of_webgpt(workspace: Workspace, answer: Answer, tmp_path: Path) -> None:
    reading = {"quotes": [1], "sentence": SENTENCE, "answer": "212 kilometres"}
    model = ScriptedModel([ScriptedReply("act", json=reading)])
    other = Agent(model=model, policy="guided", corpora=["rivers"], memory=False, workspace=workspace).ask(QUESTION)
    out = tmp_path / "pairs.jsonl"
    export(workspace, answer.run_id, other.run_id, "--format", "comparisons", "--out", str(out))
    (pair,) = map(json.loads, out.read_text().splitlines())
    assert pair["question"]["full_text"] == QUESTION
    assert pair["score_0"] == -pair["score_1"]
    assert pair["quotes_1"] == {"title": ["River Aske"], "extract": [SENTENCE]}
    assert pair["answer_0"] == f"{SENTENCE} [1]"


def test_a_transcript_escapes_what_came_from_outside(workspace: Workspace, answer: Answer) -> None:
    text = export(workspace, "last", "--format", "markdown").stdout
    assert text.startswith("# How long is the River \\[Aske\\]?\n")
    assert f"- `t1/s4` quote(text={SENTENCE})" in text
    assert "“The River Aske is 212 kilometres long.” (River Aske, corpus:rivers/River" in text


def test_usage_adds_up(workspace: Workspace, answer: Answer) -> None:
    (told,) = lines(export(workspace, "last", "--format", "usage", "--json"))
    rows = {(row["by"], row["name"]): row for row in told["usage"]}
    assert rows["role", "act"]["calls"] == 5
    assert rows["role", "act"]["prompt"] == 500
    assert rows["role", "act"]["usd"] == pytest.approx(5 * (90 * 1.0 + 10 * 0.5 + 20 * 2.0) / 1e6)
    assert rows["tool", "search"]["calls"] == 1
    assert rows["task", "run"]["prompt"] == 50
    assert rows["run", "all"]["prompt"] == answer.usage.prompt == 550
    assert "role" in export(workspace, "last", "--format", "usage").stdout


class Collector(BaseHTTPRequestHandler):
    bodies: list[bytes] = []  # noqa: RUF012 - of the one server of the test

    def do_POST(self) -> None:
        self.bodies.append(self.rfile.read(int(self.headers["content-length"])))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
        pass


def test_spans_reach_an_otlp_server(workspace: Workspace, answer: Answer, monkeypatch: pytest.MonkeyPatch) -> None:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    with HTTPServer(("127.0.0.1", 0), Collector) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        export(workspace, "last", "--format", "otel")
        server.shutdown()
        thread.join()
    spans = []
    for body in Collector.bodies:
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            spans += [span for scope in resource.scope_spans for span in scope.spans]
    names = [span.name for span in spans]
    assert names.count("chat scripted") == 6
    assert "execute_tool search" in names
    assert "invoke_agent crowquill" in names
    assert len({span.trace_id for span in spans}) == 1
    chat = next(span for span in spans if span.name == "chat scripted")
    said = {item.key: item.value for item in chat.attributes}
    assert said["gen_ai.usage.input_tokens"].int_value == 50
    assert said["gen_ai.request.model"].string_value == "scripted"


def test_spans_are_printed_without_a_server(workspace: Workspace, answer: Answer) -> None:
    spans = lines(export(workspace, "last", "--format", "otel"))
    assert {span["name"] for span in spans} >= {"chat scripted", "invoke_agent crowquill"}
