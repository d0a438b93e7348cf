"""The search that ends every test run finds what it looks for."""

import base64
import json
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from urllib.parse import quote

import pytest
from tests.support.canaries import CANARIES, found_in, is_told

from crowquill.agent.redact import Redactor


def in_base64(before: int, value: str) -> str:
    """Return a value in base64, with some letters before it in the same code."""
    return base64.b64encode(b"abc"[:before] + value.encode() + b"!").decode()


WRITERS: dict[str, Callable[[str], str]] = {
    "raw": str,
    "backwards": lambda value: value[::-1],
    "percent": lambda value: quote(value, safe=""),
    "json": json.dumps,
    "hexadecimal": lambda value: value.encode().hex(),
    **{f"base64, {before} before": partial(in_base64, before) for before in range(3)},
}


@pytest.mark.parametrize("how", WRITERS)
def test_each_secret_is_in_the_environment_and_is_found_in_a_file(how: str, tmp_path: Path) -> None:
    (tmp_path / "harmless").write_text("The crow is a bird.")
    for name in CANARIES:
        file = tmp_path / "deep" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text("x" * 2**20 + WRITERS[how](os.environ[name]) + "y", encoding="utf-8")
        assert list(found_in(tmp_path)) == [file]
        file.unlink()
    assert list(found_in(tmp_path)) == []


@pytest.mark.parametrize("how", WRITERS)
def test_none_of_them_gets_through_the_sink(how: str) -> None:
    for name in CANARIES:
        told = f"before {WRITERS[how](os.environ[name])} after"
        assert is_told(told.encode())
        assert not is_told(Redactor().text(told).encode()), name
