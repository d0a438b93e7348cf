"""Live search: what comes back is cleaned, and without a network it fails soon and says so."""

import threading
import time
from pathlib import Path
from typing import Any

import pytest
from tests.support.context import FakeContext

from crowquill.errors import ToolFailed
from crowquill.tools.search.base import SearchProvider
from crowquill.tools.search.web import WebSearch, distinct


@pytest.fixture
def context(tmp_path: Path) -> FakeContext:
    return FakeContext(tmp_path)


def entry(url: str, title: str = "T") -> dict[str, Any]:
    return {"href": url, "title": title, "body": "B"}


async def test_hits_come_through_one_effect_and_are_offered(context: FakeContext) -> None:
    def ask(query: str, limit: int) -> list[dict[str, Any]]:
        return [entry("https://a.example/"), entry("https://b.example/")]

    provider: SearchProvider = WebSearch(ask)
    hits = await provider.search("crows", context, limit=2)
    assert [(hit.url, hit.title, hit.snippet) for hit in hits] == [
        ("https://a.example/", "T", "B"),
        ("https://b.example/", "T", "B"),
    ]
    assert hits[0].score > hits[1].score
    assert context.offered == {"https://a.example/", "https://b.example/"}
    assert context.asked == ["crows"]
    [(kind, request, _)] = context.effects
    assert (kind, request) == ("search", {"provider": "web", "query": "crows", "limit": 2})


def test_pages_come_once_and_only_from_the_web() -> None:
    found = distinct(
        [
            entry("https://www.a.example/x/", "first"),
            entry("http://A.example/x#part", "second"),
            entry("https://a.example/x?q=1"),
            entry("javascript:alert(1)"),
            entry("https://[x"),
            entry("/relative"),
            {"title": "no address"},
            {"href": "https://c.example", "title": None, "body": "b" * 5000},
        ]
    )
    assert [one["url"] for one in found] == [
        "https://www.a.example/x/",
        "https://a.example/x?q=1",
        "https://c.example",
    ]
    assert len(found[2]["snippet"]) == 500


async def test_private_queries_do_not_leave(tmp_path: Path) -> None:
    class Private(FakeContext):
        def check_outgoing(self, text: str) -> None:
            raise ToolFailed("refused: private")

    def ask(query: str, limit: int) -> list[dict[str, Any]]:
        raise AssertionError("asked")

    with pytest.raises(ToolFailed, match="private"):
        await WebSearch(ask).search("secret", Private(tmp_path))


async def test_engines_that_hang_are_left_behind(context: FakeContext) -> None:
    release = threading.Event()

    def hang(query: str, limit: int) -> list[dict[str, Any]]:
        release.wait(10)
        return []

    started = time.monotonic()
    with pytest.raises(ToolFailed, match=r"within 0\.2 seconds"):
        await WebSearch(hang, seconds=0.2).search("crows", context)
    assert time.monotonic() - started < 1
    release.set()


async def test_answers_that_cannot_be_read_are_the_worlds_fault(context: FakeContext) -> None:
    def broken(query: str, limit: int) -> list[dict[str, Any]]:
        raise KeyError("vqd")

    with pytest.raises(ToolFailed, match=r"cannot be read \(KeyError\)"):
        await WebSearch(broken).search("crows", context)


async def test_ddgs_without_a_network_fails_soon_and_in_our_words(
    context: FakeContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # nothing listens there: the same on any machine
    monkeypatch.setenv("DDGS_PROXY", "http://127.0.0.1:9")
    started = time.monotonic()
    with pytest.raises(ToolFailed) as caught:
        await WebSearch().search("crows", context)
    assert time.monotonic() - started < 6
    assert "http" not in str(caught.value)
