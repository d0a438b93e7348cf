from pathlib import Path
from typing import Any

import pytest

from crowquill.agent.models.base import Message, Request, Role, Usage
from crowquill.agent.models.scripted import ScriptedModel, ScriptedReply
from crowquill.errors import ModelError, UserError


def ask(text: str, role: Role = "act", **parts: Any) -> Request:
    return Request(role=role, messages=(Message("system", "S"), Message("user", text)), max_tokens=9, **parts)


async def test_replies_are_taken_in_order_among_those_that_fit() -> None:
    model = ScriptedModel(
        [
            ScriptedReply(role="plan", text="a plan"),
            ScriptedReply(role="act", match="Paris", text="about Paris"),
            ScriptedReply(role="act", match="/^step \\d+$/", text="a step"),
            ScriptedReply(role="act", text="anything"),
        ]
    )
    said = [(await model.complete(ask(text))).text for text in ("step 12", "in Paris", "in Paris")]
    assert said == ["a step", "about Paris", "anything"]
    assert (await model.complete(ask("x", role="plan"))).text == "a plan"
    assert [call.messages[-1].content for call in model.calls] == ["step 12", "in Paris", "in Paris", "x"]
    model.assert_spent()


async def test_no_match_names_the_role_and_quotes_the_message() -> None:
    model = ScriptedModel([ScriptedReply(role="act", text="hello")])
    with pytest.raises(ModelError, match=r"role 'judge' fits the message 'Is this\? Yes") as caught:
        await model.complete(ask("Is this?\nYes " + "x" * 500, role="judge"))
    assert caught.value.kind == "fatal"
    assert len(str(caught.value)) < 300
    with pytest.raises(AssertionError, match="1 scripted replies"):
        model.assert_spent()


async def test_a_repeated_reply_serves_for_ever() -> None:
    model = ScriptedModel([ScriptedReply(role="judge", json={"ok": True}, repeat=True)])
    schema = {"type": "object", "properties": {"ok": {"type": "boolean"}}}
    replies = [await model.complete(ask("?", role="judge", schema=schema)) for _ in range(3)]
    assert [reply.parsed for reply in replies] == [{"ok": True}] * 3
    model.assert_spent()


async def test_usage_is_given_or_estimated() -> None:
    given = ScriptedReply(role="act", text="x", usage=Usage(7, 3, 2, 1))
    model = ScriptedModel([given, ScriptedReply(role="act", text="12345")])
    assert (await model.complete(ask("Q"))).usage == Usage(7, 3, 2, 1)
    assert (await model.complete(ask("123456789"))).usage == Usage(prompt=1 + 3, completion=2, calls=1)


async def test_a_text_that_does_not_fit_the_schema_fails_like_a_real_one() -> None:
    model = ScriptedModel([ScriptedReply(role="act", text="no object")])
    with pytest.raises(ModelError) as caught:
        await model.complete(ask("Q", schema={"type": "object"}))
    assert caught.value.kind == "malformed"


async def test_a_script_file(tmp_path: Path) -> None:
    path = tmp_path / "script.yaml"
    path.write_text(
        """
replies:
  - {role: plan, json: {tasks: [one]}, usage: {prompt: 9, completion: 3}}
  - {role: act, match: "/open/", text: "no", delay: 0.01}
  - {role: act, fault: rate}
  - role: write
    repeat: true
    text: |
      Two lines,
      both kept.
""",
        encoding="utf-8",
    )
    model = ScriptedModel.from_yaml(path)
    assert model.name == f"scripted:{path}"
    plan = await model.complete(ask("Q", role="plan", schema={"type": "object"}))
    assert (plan.parsed, plan.usage) == ({"tasks": ["one"]}, Usage(9, 0, 3, 1))
    with pytest.raises(ModelError) as caught:
        await model.complete(ask("close"))
    assert caught.value.kind == "rate"
    assert (await model.complete(ask("open it"))).text == "no"
    assert (await model.complete(ask("Q", role="write"))).text == "Two lines,\nboth kept.\n"
    model.assert_spent()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("replies: 3", "1:1: replies: has to be a list"),
        ("[]", "1:1: the file has to be a mapping"),
        ("replies: []\nmore: 1", "2:1: unknown key 'more'"),
        ("replies:\n- {role: act}", "exactly one of text, json and fault"),
        ("replies:\n- {role: act, text: a, fault: rate}", "exactly one"),
        ("replies:\n- {role: boss, text: a}", r"2:4: replies\.0\.role"),
        (
            "replies:\n- {role: act, text: a}\n- {role: act, txt: a}",
            r"3:15: unknown key 'replies\.1\.txt'; did you mean 'text'",
        ),
        ("replies:\n- {role: act, text: 3}", "text"),
        ("replies:\n- {role: act, text: a, match: '/(/'}", "regular expression"),
        ("replies:\n- {role: act, text: a, delay: -1}", "delay"),
        ("replies:\n- {role: act, role: act, text: a}", "duplicate key"),
        ("replies:\n- &a {role: act, text: a}\n- *a", "anchors"),
        ("replies:\n- !!python/object/apply:os.system [id]", "2:3: tags"),
        ("replies: [", "script.yaml"),
        ("[" * 3_000, "nested"),
    ],
)
def test_a_wrong_script_is_refused_in_one_line(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "script.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=why) as caught:
        ScriptedModel.from_yaml(path)
    assert "\n" not in str(caught.value)


def test_a_missing_script(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        ScriptedModel.from_yaml(tmp_path / "none.yaml")
