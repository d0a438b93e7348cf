"""Secrets do not get through the sink."""

import base64
import json
from urllib.parse import quote

import pytest

from crowquill.agent.redact import MASK, Redactor, plain_words_of, secrets_of

SECRET = "canary+secret/0123456789"


@pytest.mark.parametrize(
    "text",
    [
        SECRET,
        f"before{SECRET}after",
        base64.b64encode(SECRET.encode()).decode(),
        quote(SECRET, safe=""),
        "Authorization: Bearer abcdef0123456789abcdef",
        "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789",
        "AKIAABCDEFGHIJKLMNOP",
        "postgres://user:hunter2hunter2@db/x",
    ],
)
def test_secrets_are_masked(text: str) -> None:
    masked = Redactor([SECRET]).text(text)
    assert MASK in masked
    assert "canary" not in masked
    assert "hunter2" not in masked
    assert "abcdef0123456789" not in masked


def test_data_is_redacted_at_any_depth() -> None:
    masked = Redactor([SECRET]).data({"a": [{"b": f"x{SECRET}"}], SECRET: 1, "n": 3, "none": None})
    assert SECRET not in json.dumps(masked)
    assert masked["n"] == 3


def test_ordinary_text_is_left_alone() -> None:
    text = "The Danube is 2,850 km long; see https://example.org/a?b=c and ask-the-crow."
    assert Redactor([]).text(text) == text


def test_secrets_are_found_by_the_names_of_variables() -> None:
    environment = {
        "OPENAI_API_KEY": "k" * 20,
        "PATH": "/usr/bin:/bin",
        "DB_PASSWORD": "short",
        "MY_TOKEN": "t0" * 6,
    }
    assert secrets_of(environment) == ["k" * 20, "t0" * 6]


def test_a_plain_word_is_a_secret_only_where_it_is_a_key_of_ours() -> None:
    environment = {
        "APP_SECRET": "development",
        "HOME_KEY": "Wellington",
        "PGPASSWORD": "sunshine",
        "OTHER_TOKEN": "hVqRtXkLmNpS",
        "LONG_TOKEN": "abcdefghijklmnop",
        "PIN_SECRET": "31415926",
        "DATABASE_URL": "postgresql://crow:password@db/x",
    }
    assert plain_words_of(environment) == ["APP_SECRET", "HOME_KEY"]
    assert secrets_of(environment) == ["sunshine", "hVqRtXkLmNpS", "abcdefghijklmnop", "31415926", "password"]
