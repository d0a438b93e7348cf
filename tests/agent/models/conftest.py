import os
from collections.abc import Iterator

import pytest
from tests.support.fake_hub import FakeHub
from tests.support.fake_openai import FakeOpenAI


@pytest.fixture
def fake_openai() -> Iterator[FakeOpenAI]:
    with FakeOpenAI() as server:
        yield server


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    """A hub and an index on loopback, with pip told to use nothing else."""
    with FakeHub() as server:
        monkeypatch.setenv("CROWQUILL_HUB", server.url)
        monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
        monkeypatch.setenv("PIP_INDEX_URL", f"{server.url}/simple/")
        monkeypatch.setenv("PIP_RETRIES", "0")
        for name in (
            "PIP_EXTRA_INDEX_URL",
            "PIP_FIND_LINKS",
            "PIP_NO_INDEX",
            "PIP_CERT",
            "PIP_REQUIRE_VIRTUALENV",
        ):
            monkeypatch.delenv(name, raising=False)
        yield server
