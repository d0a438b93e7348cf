"""Twelve secrets in the environment, met everywhere: none of them is in anything that a run leaves behind."""

import base64
import html
import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from tests.support.injections import Action, Patient
from tests.support.site import Site

from crowquill import Agent, Safety, Tool, tool
from crowquill.agent.cassette import write_cassette
from crowquill.agent.models.base import Reply, Request
from crowquill.agent.publish import answer_json, event_json
from crowquill.agent.records import find_run
from crowquill.agent.report.page import write_report
from crowquill.agent.story import read_story
from crowquill.agent.workspace import Workspace
from crowquill.memory.embed import HashingEmbedder
from crowquill.tools.context import ToolContext

SECRETS = {
    "OPENAI_API_KEY": "sk-canary-0001-abcdefghijkl",
    "CROWQUILL_API_KEY": "canary/0002+slash=plus",
    "TAVILY_API_KEY": "tvly-canary0003QUILL",
    "BRAVE_API_KEY": "BSA_canary_0004_x",
    "WOLFRAM_APP_ID": "CANARY-0005WOLFRAM",
    "CROWQUILL_PROXY_PASSWORD": "canary 0006 with spaces",
    "PGPASSWORD": 'canary"0007"quotes\\slash',
    "MYSQL_PWD": "canary0008<html>&amp",
    "SHOP_DATABASE_URL": "postgresql://crow:canary0009pass@db.example/shop",
    "MAIL_TOKEN": "канарейка-0010-ключ",
    "AWS_SECRET": "canary0011/" + "x" * 200,
    "SIGNING_CREDENTIALS": "canary0012=={};$(id)",
}
VALUES = ["canary0009pass" if name == "SHOP_DATABASE_URL" else value for name, value in SECRETS.items()]


def spellings(secret: str) -> list[str]:
    """How a secret may stand in a text; made apart from the code that takes them out."""
    raw = secret.encode()
    coded = [base64.b64encode(b"x" * before + raw).decode()[2 + 2 * before : -4] for before in range(3)]
    return [
        *(secret, secret[::-1], quote(secret, safe=""), json.dumps(secret)[1:-1], html.escape(secret), raw.hex()),
        *(form for form in coded if len(form) > 7),
    ]


def hits(data: bytes) -> list[str]:
    """Return the names of the secrets that stand in some bytes."""
    text = data.decode("utf-8", "replace")
    return [value for value in VALUES if any(form in text for form in spellings(value))]


class Noting(Patient):
    """A model that notes what it is told."""

    def __init__(self, *actions: Action) -> None:
        super().__init__(*actions)
        self.told: list[str] = []

    async def complete(self, request: Request) -> Reply:
        self.told += [message.content for message in request.messages]
        return await super().complete(request)


def tools() -> list[Tool]:
    @tool
    def environment() -> str:
        """Show the settings."""
        coded = [
            base64.b64encode(b"xyz"[:at] + value.encode() + b"and so on").decode()
            for value in VALUES
            for at in range(3)
        ]
        return "\n".join([*coded, *(form for value in VALUES for form in spellings(value)[:6])])

    @tool
    def breaks() -> str:
        """Break."""
        raise RuntimeError("cannot log in with " + VALUES[3])

    @tool
    async def sends(context: ToolContext) -> str:
        """Send."""
        await context.check_outgoing(VALUES[4])
        return "sent"

    return [environment, breaks, sends]


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as running:
        yield running


async def test_no_secret_is_in_anything_that_a_run_leaves(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    lines = "".join(f"<p>The key is {html.escape(value)} indeed.</p>" for value in VALUES)
    site.page("/a", f"<title>{html.escape(VALUES[0])}</title>{lines}")
    actions: list[Action] = [
        *(("open", {"target": site.url("/a")}), ("quote", {"lines": "2-4"}), ("environment", {}), ("breaks", {})),
        ("math", {"expression": "1 + 1"}),
        ("sends", {}),
        ("answer", {"short": VALUES[1], "claims": [{"text": f"It is {VALUES[2]}.", "cites": [1]}]}),
    ]
    model = Noting(*actions)
    place = Workspace(tmp_path / "w", embedder=HashingEmbedder())
    agent = Agent(
        model=model, policy="json", workspace=place, allow_hosts=[site.host], tools=tools(), safety=Safety("ask")
    )
    objective = f"Is {VALUES[5]} at {site.url('/a')}?"
    events: list[Any] = [event async for event in agent.stream(objective)]
    answer = events[-1].answer
    record = place.database.read_now(lambda connection: find_run(connection, "last"))
    write_cassette(place.database, record, tmp_path / "w" / "cassette.jsonl")
    write_report(read_story(place, answer.run_id), place.blobs, tmp_path / "w" / "report.html")
    await agent.close()
    kept = {str(path): path.read_bytes() for path in (tmp_path / "w").rglob("*") if path.is_file()}
    kept["events"] = json.dumps([event_json(event) for event in events], ensure_ascii=False).encode()
    kept["answer"] = (json.dumps(answer_json(answer), ensure_ascii=False) + answer.text).encode()
    kept["prompts"] = "\n".join(model.told).encode()
    kept["log"] = caplog.text.encode()
    kept["children"] = b"".join(_of_children("environ")) + b"".join(_of_children("cmdline"))
    assert [f"{name}: {hit}" for name, data in kept.items() for hit in hits(data)] == []
    assert model.left == 0
    assert len(kept) > 8
    assert any(b"[redacted]" in data for data in kept.values())


def _of_children(what: str) -> list[bytes]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
            if int(parent) == os.getpid():
                found.append((folder / what).read_bytes())
        except OSError:
            continue  # it has ended
    return found
