import subprocess
import sys
from pathlib import Path

import pytest
from tests.support import fake_openai as fake
from tests.support.fake_openai import FakeOpenAI

from crowquill.agent.models.base import Message, Request
from crowquill.agent.models.catalog import DEFAULT_LOCAL, marker_path, marker_text
from crowquill.agent.models.langchain import LangChainModel
from crowquill.agent.models.local import LocalModel
from crowquill.agent.models.openai import OpenAIModel
from crowquill.agent.models.resolve import default_policy, resolve
from crowquill.agent.models.scripted import ScriptedModel
from crowquill.errors import MissingModel, ModelError, UserError

REQUEST = Request(role="act", messages=(Message("system", "S"), Message("user", "Q")), max_tokens=9)


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "CROWQUILL_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CROWQUILL_MODELS", str(tmp_path / "models"))


def test_every_spelling_gives_its_model(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1")
    (tmp_path / "own.gguf").write_bytes(b"GGUF")
    (tmp_path / "s.yaml").write_text("replies: []")
    spellings = {
        "openai:gpt-5-mini": OpenAIModel,
        "http://localhost:11434/v1#llama3": OpenAIModel,
        "https://models.example/v1#org/model:tag": OpenAIModel,
        "langchain:anthropic:claude-x": LangChainModel,
        f"local:{tmp_path}/own.gguf": LocalModel,
        f"scripted:{tmp_path}/s.yaml": ScriptedModel,
    }
    for spec, kind in spellings.items():
        model = resolve(spec)
        assert isinstance(model, kind)
        assert model.name == spec


@pytest.mark.parametrize(
    "spec", ["", "gpt-5", "openai:", "scripted:", "langchain:", "langchain:x", "langchain:x:", "ftp://x/v1#m"]
)
def test_an_unknown_spelling_lists_the_known_ones(spec: str) -> None:
    with pytest.raises(UserError, match=r"models are spelled: local \| .*scripted:FILE.yaml"):
        resolve(spec)


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ("http://localhost:1/v1", "add #NAME"),
        ("http:///v1#m", "not an address"),
        ("http://localhost:x/v1#m", "not an address"),
        ("http://[::1/v1#m", "not an address"),
        ("https://me:secret@host/v1#m", "must not stand in the address"),
        ("local:none.gguf", "cannot read"),
        ("local:gpt-9", "the catalog has"),
    ],
)
def test_a_spelling_that_leads_nowhere(spec: str, why: str) -> None:
    with pytest.raises(UserError, match=why) as caught:
        resolve(spec)
    assert "secret" not in str(caught.value)


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(MissingModel, match="run: crowquill models pull") as caught:
        resolve("local")
    assert str(tmp_path / "models") in str(caught.value)
    with pytest.raises(MissingModel, match="set OPENAI_API_KEY"):
        resolve("openai:gpt-5-mini")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1…")
    with pytest.raises(UserError, match="copied whole"):
        resolve("openai:gpt-5-mini")


def test_installed_weights_are_found(tmp_path: Path) -> None:
    weights = tmp_path / "models" / DEFAULT_LOCAL.file
    weights.parent.mkdir()
    with weights.open("wb") as file:
        file.write(b"GGUF")
        file.truncate(DEFAULT_LOCAL.size)  # sparse: takes no room
    marker_path(weights).write_text(marker_text(DEFAULT_LOCAL))
    for spec in ("local", "local:qwen2.5-coder-1.5b"):
        model = resolve(spec)
        assert (model.name, model.slots, model.context_tokens) == (spec, 1, 4096)
    weights.unlink()  # what tests leave is looked through for secrets, holes and all


async def test_the_openai_key_goes_to_openai_models_only(
    fake_openai: FakeOpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", " sk-openai\n")
    monkeypatch.setenv("OPENAI_BASE_URL", fake_openai.url)
    await resolve("openai:gpt-5-mini").complete(REQUEST)
    await resolve(f"{fake_openai.url}#tiny").complete(REQUEST)
    monkeypatch.setenv("CROWQUILL_API_KEY", "cq-key")
    await resolve(f"{fake_openai.url}#tiny").complete(REQUEST)
    keys = [request.headers.get("authorization") for request in fake_openai.received]
    assert keys == ["Bearer sk-openai", None, "Bearer cq-key"]
    assert [body["model"] for body in fake_openai.bodies] == ["gpt-5-mini", "tiny", "tiny"]


def test_policies_follow_the_size_of_the_model() -> None:
    guided = ["local", "local:qwen2.5-coder-1.5b", "local:some.gguf"]
    assert [default_policy(spec) for spec in guided] == ["guided"] * 3
    assert [default_policy(spec) for spec in ("openai:x", "http://h/v1#m", "scripted:f")] == ["json"] * 3


def test_importing_the_models_loads_no_heavy_library() -> None:
    program = """
import sys
import crowquill.agent.models.resolve, crowquill.agent.models.pull, crowquill.agent.models.retry
heavy = {"openai", "httpx", "httpx2", "xllamacpp", "langchain", "langchain_core", "jsonschema"}
print(sorted(heavy & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


class TestLangChain:
    """LangChain's own client for OpenAI, against the fake server."""

    @pytest.fixture(autouse=True)
    def at_the_fake_server(self, fake_openai: FakeOpenAI, monkeypatch: pytest.MonkeyPatch) -> None:
        pytest.importorskip("langchain_openai")
        monkeypatch.setenv("OPENAI_API_KEY", "k")
        monkeypatch.setenv("OPENAI_BASE_URL", fake_openai.url)
        monkeypatch.setenv("OPENAI_API_BASE", fake_openai.url)

    async def test_a_reply_and_its_schema(self, fake_openai: FakeOpenAI) -> None:
        usage = {
            "prompt_tokens": 30,
            "completion_tokens": 2,
            "total_tokens": 32,
            "prompt_tokens_details": {"cached_tokens": 20},
        }
        fake_openai.script(fake.completion('```json\n{"n": 4}\n```', usage=usage))
        schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
        model = resolve("langchain:openai:tiny")
        reply = await model.complete(Request(role="act", messages=REQUEST.messages, max_tokens=9, schema=schema))
        assert reply.parsed == {"n": 4}
        assert (reply.usage.prompt, reply.usage.cached, reply.usage.completion) == (30, 20, 2)
        system, user = fake_openai.bodies[0]["messages"]
        assert (system["role"], system["content"]) == ("system", "S")
        assert user["content"].startswith("Q\n\nReply with one JSON object")

    @pytest.mark.parametrize(
        ("answer", "kind"),
        [
            (fake.error(429, "m", code="insufficient_quota"), "quota"),
            (fake.error(503, "busy"), "transient"),
            (fake.reset, "transient"),
            (fake.completion("{", finish="length"), "length"),
        ],
    )
    async def test_faults_have_kinds_and_cost_one_call(
        self, fake_openai: FakeOpenAI, answer: fake.Answer, kind: str
    ) -> None:
        fake_openai.script(answer)
        request = Request(role="act", messages=REQUEST.messages, max_tokens=9, schema={"type": "object"})
        with pytest.raises(ModelError) as caught:
            await resolve("langchain:openai:tiny").complete(request)
        assert caught.value.kind == kind
        assert len(fake_openai.received) == 1

    async def test_an_unknown_provider(self) -> None:
        with pytest.raises(UserError, match="langchain:nobody:tiny: "):
            await resolve("langchain:nobody:tiny").warm()
