"""The policies that let a model choose: seven blocks, transcripts, native calls, compaction."""

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from tests.support import fake_openai as fake
from tests.support.pages import indexed

from crowquill import Agent, Budget, ScriptedModel
from crowquill.agent.agent import run_in_thread
from crowquill.agent.answer import Answer
from crowquill.agent.models.base import Request
from crowquill.agent.models.openai import OpenAIModel
from crowquill.agent.models.scripted import ScriptedReply
from crowquill.agent.replay import replay
from crowquill.agent.workspace import Workspace

GOLDEN = Path(__file__).parent / "golden"
LONG = " ".join(f"The mill number {number} of the Aske was built by miller {number}." for number in range(400))
PAGES = {
    "River Aske": "The River Aske is 212 kilometres long. It rises in the Fells.",
    "Mills": LONG,
}
QUESTION = "How long is the River Aske?"
PLAN = ScriptedReply(
    "plan", json={"tasks": [{"id": "a", "goal": "Find its length", "done_when": "known", "needs": []}]}
)
CLAIM = {"text": "The River Aske is 212 kilometres long.", "cites": [1]}


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    place = indexed(tmp_path, PAGES, "rivers")
    (place.path / "seed").write_text("0011223344556677")
    yield place
    place.close()


def act(tool: str, match: str | None = None, **arguments: object) -> ScriptedReply:
    return ScriptedReply("act", json={"thought": "", "action": {"tool": tool, **arguments}}, match=match)


def calls(*made: tuple[str, dict[str, Any]], text: str = "") -> ScriptedReply:
    return ScriptedReply("act", text=text, calls=[{"name": name, "arguments": args} for name, args in made])


def ask(workspace: Workspace, model: ScriptedModel, **settings: Any) -> Answer:
    settings = {"policy": "json", **settings}
    return Agent(model=model, corpora=["rivers"], memory=False, workspace=workspace, **settings).ask(QUESTION)


def written(request: Request) -> str:
    """Return a request as text: its messages, and what may be chosen."""
    lines = []
    for message in request.messages:
        lines.append(f"=== {message.role}{' for ' + message.answers if message.answers else ''}")
        lines.append(message.content)
        lines += [f"-> {call.name} {json.dumps(dict(call.arguments))}" for call in message.calls]
    return "\n".join(lines) + "\n"


def compare(name: str, text: str) -> None:
    """Compare with the golden file; write it anew by deleting it first."""
    file = GOLDEN / f"{name}.txt"
    if not file.exists():
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
        pytest.fail(f"{file} was written: look at it, and keep it")
    assert text == file.read_text(encoding="utf-8")


STEPS: list[tuple[str, dict[str, Any]]] = [
    ("search", {"query": "length of the Aske"}),
    ("open", {"target": "1"}),
    ("quote", {"lines": "2"}),
]


def test_the_seven_blocks(workspace: Workspace) -> None:
    model = ScriptedModel(
        [PLAN, *(act(name, **args) for name, args in STEPS), act("answer", short="212 kilometres", claims=[CLAIM])]
    )
    answer = ask(workspace, model, budget=Budget(steps=9))
    assert (answer.short, answer.claims[0].status) == ("212 kilometres", "quoted")
    compare("blocks", written(model.calls[-1]))


def test_a_prompt_begins_like_the_one_before(workspace: Workspace) -> None:
    model = ScriptedModel(
        [PLAN, *(act(name, **args) for name, args in STEPS), act("answer", short="212 kilometres", claims=[CLAIM])]
    )
    ask(workspace, model)
    prompts = ["".join(message.content for message in call.messages) for call in model.calls[1:]]
    for before, after in pairwise(prompts):
        same = next((at for at, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), len(before))
        assert same / len(after) > 0.5


@pytest.mark.parametrize("policy", ["json", "tools"])
def test_a_transcript_grows_at_its_end(policy: Any, workspace: Workspace) -> None:
    made = [calls(step) if policy == "tools" else act(step[0], **step[1]) for step in STEPS]
    end: dict[str, Any] = {"short": "212 kilometres", "claims": [CLAIM]}
    last = calls(("answer", end)) if policy == "tools" else act("answer", **end)
    model = ScriptedModel([PLAN, *made, last])
    answer = ask(workspace, model, policy=policy, layout="transcript", budget=Budget(steps=9))
    assert (answer.short, answer.claims[0].status) == ("212 kilometres", "quoted")
    for before, after in pairwise(model.calls[1:]):
        assert after.messages[: len(before.messages)] == before.messages
    compare(f"transcript-{policy}", written(model.calls[-1]))
    assert run_in_thread(replay(workspace, answer.run_id, strict=True)) > 5


def test_several_calls_of_one_reply_are_made_one_after_the_other(workspace: Workspace) -> None:
    model = ScriptedModel(
        [PLAN, calls(*STEPS, text="all at once"), calls(("answer", {"short": "212 kilometres", "claims": [CLAIM]}))]
    )
    answer = ask(workspace, model, policy="tools")
    assert (answer.short, len(model.calls)) == ("212 kilometres", 3)
    roles = [message.role for message in model.calls[-1].messages]
    assert roles == ["system", "user", "assistant", "tool", "tool", "tool"]
    assert run_in_thread(replay(workspace, answer.run_id, strict=True)) > 5


def test_calls_that_the_budget_has_no_room_for_are_answered_all_the_same(workspace: Workspace) -> None:
    model = ScriptedModel([PLAN, calls(*STEPS), calls(("give_up", {"reason": "not_found", "note": ""}))])
    answer = ask(workspace, model, policy="tools", budget=Budget(steps=2))
    assert answer.stopped == "budget"
    asked = model.calls[-1].messages
    assert {call.id for message in asked for call in message.calls} == {m.answers for m in asked if m.answers}
    assert model.calls[-1].allowed == {"answer", "give_up"}


@pytest.mark.parametrize("layout", ["blocks", "transcript"])
def test_a_prompt_that_is_too_long_is_compacted_once_and_keeps_what_counts(
    layout: Any, workspace: Workspace
) -> None:
    model = ScriptedModel(
        [
            PLAN,
            *(act(name, **args) for name, args in STEPS),
            act("open", target="corpus:rivers/Mills.html"),
            ScriptedReply("act", fault="context"),
            act("answer", short="212 kilometres", claims=[CLAIM]),
        ]
    )
    answer = ask(workspace, model, layout=layout)
    assert (answer.short, answer.stopped) == ("212 kilometres", "answered")
    whole, compacted = ("".join(m.content for m in call.messages) for call in model.calls[-2:])
    assert len(compacted) < len(whole)
    for kept in ("Objective: " + QUESTION, "Task: Find its length", "The River Aske is 212 kilometres long."):
        assert kept in compacted


@pytest.mark.parametrize("tokens", [1800, 2400, 4000])
def test_a_small_model_gets_prompts_that_fit_it(tokens: int, workspace: Workspace) -> None:
    steps = [*STEPS, ("open", {"target": "corpus:rivers/Mills.html"}), ("scroll", {}), ("scroll", {})]
    model = ScriptedModel(
        [PLAN, *(act(name, **args) for name, args in steps), act("answer", short="212 kilometres", claims=[CLAIM])],
        context_tokens=tokens,
    )
    assert ask(workspace, model, layout="transcript").short == "212 kilometres"
    for call in model.calls[4:]:
        text = "".join(message.content for message in call.messages)
        assert len(text) / 3.5 + call.max_tokens <= max(tokens, 2000)
        assert "Objective: " + QUESTION in text
        assert "The River Aske is 212 kilometres long." in text


def test_native_calls_over_http(workspace: Workspace) -> None:
    """A server that knows no `allowed_tools`, then one that knows no tools at all."""

    def reply(name: str, arguments: dict[str, Any]) -> fake.Answer:
        call = {"id": "x1", "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
        message = {"role": "assistant", "content": None, "tool_calls": [call]}
        choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
        return fake.raw(json.dumps({**fake.payload(None), "choices": [choice]}).encode())

    with fake.FakeOpenAI() as server:
        server.script(
            fake.completion(json.dumps(PLAN.json)),
            fake.error(400, "Invalid value for tool_choice: allowed_tools"),
            reply(*STEPS[0]),
            reply(*STEPS[1]),
            fake.error(400, "this model does not support tools"),
            fake.completion('```json\n{"name": "quote", "arguments": {"lines": "2"}}\n```'),
            fake.completion(json.dumps({"name": "answer", "arguments": {"short": "212", "claims": [CLAIM]}})),
        )
        model = OpenAIModel("any", base_url=server.url)
        answer = Agent(
            model=model, policy="tools", corpora=["rivers"], memory=False, cache=False, workspace=workspace
        ).ask(QUESTION)
        assert (answer.short, answer.claims[0].status) == ("212", "quoted")
        choices = [body.get("tool_choice") for body in server.bodies[1:]]
        assert choices[0] is not None
        assert choices[0]["type"] == "allowed_tools"
        assert choices[1:4] == ["required", "required", "required"]
        assert "tools" not in server.bodies[-1]
        assert server.bodies[3]["messages"][-1]["tool_call_id"] == "x1"
