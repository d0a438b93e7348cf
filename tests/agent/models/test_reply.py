"""Bodies and texts that are cut, doubled, deep or odd: never taken for whole."""

import json
import random
from typing import Any

import pytest
from tests.support.fake_openai import payload

from crowquill.agent.models.base import Message, Request
from crowquill.agent.models.reply import estimate_tokens, read_reply
from crowquill.agent.models.structured import (
    NotThatObject,
    clean,
    is_strict,
    parse_object,
    with_schema_in_prompt,
    without_thoughts,
)
from crowquill.errors import ModelError

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "tool": {"enum": ["search", "open"]},
        "args": {"type": "object", "properties": {"q": {"type": "string"}}, "required": ["q"]},
    },
    "required": ["tool", "args"],
    "additionalProperties": False,
}
GOOD = '{"tool": "search", "args": {"q": "crows and quills"}}'


def ask(**parts: Any) -> Request:
    return Request(role="act", messages=(Message("user", "Q"),), max_tokens=50, **parts)


def test_a_body_cut_at_any_byte_is_never_taken_for_whole() -> None:
    body = json.dumps(payload("word " * 300)).encode()
    assert read_reply(body, ask()).finish == "stop"
    for end in range(len(body)):
        with pytest.raises(ModelError) as caught:
            read_reply(body[:end], ask())
        assert caught.value.kind == "transient"


def test_an_object_cut_at_any_character_is_never_taken_for_whole() -> None:
    for end in range(len(GOOD)):
        with pytest.raises(NotThatObject):
            parse_object(GOOD[:end], SCHEMA)


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        f"```json\n{GOOD}\n```",
        f"```\n{GOOD}\n```",
        f"Sure, here it is:\n{GOOD}\nAnything else?",
        f"I use the {{}} form.\n```json\n{GOOD}\n```",
    ],
)
def test_an_object_is_found_bare_fenced_and_after_prose(text: str) -> None:
    assert parse_object(text, SCHEMA) == json.loads(GOOD)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"tool": "delete", "args": {"q": ""}}', "tool"),
        ('{"tool": "open", "args": {"q": 1}}', "args.q"),
        ('{"tool": "open"}', "'args' is a required property"),
        ('{"tool": "open", "args": {"q": ""}, "more": 1}', "more"),
        ('{"tool": "open", "tool": "open", "args": {"q": ""}}', "twice"),
        ('{"tool": "open", "args": {"q": Infinity}}', "Infinity"),
        ('{"a":' * 50_000, ""),
        ("9" * 5_000, "no JSON object"),
        ('{"n": ' + "9" * 5_000 + "}", ""),
    ],
)
def test_what_is_wrong_with_an_object_is_said(text: str, why: str) -> None:
    with pytest.raises(NotThatObject) as caught:
        parse_object(text, SCHEMA)
    assert why in str(caught.value)


def test_mutated_objects_are_accepted_only_when_they_fit() -> None:
    """2,000 mutations: nothing but our error comes out, and what is accepted obeys the schema."""
    chance = random.Random(7)
    alphabet = '{}[]":,\\\0\ud800é0-aNnul'
    for _ in range(2_000):
        letters = list(GOOD)
        for _ in range(chance.randint(1, 4)):
            where = chance.randrange(len(letters))
            letters[where : where + chance.randint(0, 2)] = chance.choice(alphabet)
        try:
            value = parse_object("".join(letters), SCHEMA)
        except NotThatObject:
            continue
        assert set(value) == {"tool", "args"}
        assert value["tool"] in ("search", "open")
        assert isinstance(value["args"]["q"], str)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<think>long\nthought</think>\n\nParis", "Paris"),
        ("thought that the template opened</think>\nParis", "Paris"),
        ("<think>never ends", ""),
        ("Use <think> tags", "Use <think> tags"),
        ("Paris", "Paris"),
    ],
)
def test_thoughts_are_dropped(text: str, shown: str) -> None:
    assert without_thoughts(text) == shown


def test_clean_keeps_ordinary_text() -> None:
    text = "naïve – 東京 😀\n\ttab"
    assert clean(text) == text


def test_strict_schemas_are_closed_all_the_way_down() -> None:
    inner = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
    closed = {**inner, "additionalProperties": False}
    assert is_strict({"type": "object", "properties": {}, "required": [], "additionalProperties": False})
    assert is_strict({**closed, "properties": {"a": {"type": "array", "items": closed}}})
    assert not is_strict({**closed, "properties": {"a": {"type": "array", "items": inner}}})
    assert not is_strict({"anyOf": [closed, inner]})
    assert not is_strict({"$defs": {"x": inner}})


def test_a_schema_in_the_prompt_leaves_the_earlier_messages_alone() -> None:
    request = Request(
        role="plan",
        messages=(Message("system", "S"), Message("user", "U")),
        max_tokens=9,
        schema=SCHEMA,
        temperature=0.5,
        seed=3,
    )
    asked = with_schema_in_prompt(request)
    assert asked.messages[0] == request.messages[0]
    assert asked.messages[1].content.startswith("U\n\n")
    assert json.dumps(SCHEMA, separators=(",", ":")) in asked.messages[1].content
    assert (asked.schema, asked.seed, asked.temperature, asked.max_tokens) == (None, 3, 0.5, 9)


def test_tokens_are_guessed_upwards() -> None:
    assert [estimate_tokens("x" * n) for n in (0, 1, 4, 5)] == [0, 1, 1, 2]
