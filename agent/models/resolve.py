"""From the string with which a user names a model to the model."""

import os
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from crowquill.agent.models.base import Model
from crowquill.agent.models.catalog import CATALOG, CatalogEntry, find, installed, models_dir
from crowquill.agent.models.langchain import LangChainModel
from crowquill.agent.models.local import LocalModel
from crowquill.agent.models.openai import OPENAI_URL, OpenAIModel
from crowquill.agent.models.scripted import ScriptedModel
from crowquill.errors import MissingModel, UserError
from crowquill.tools.secrets import environment

SPELLINGS = (
    "local | local:NAME | local:FILE.gguf | openai:NAME | http(s)://HOST:PORT/v1#NAME | "
    "langchain:PROVIDER:NAME | scripted:FILE.yaml"
)
SERVER_CONTEXT_TOKENS = 16_384
"""What is assumed of a server of the user's own, since the protocol does not tell."""


def resolve(spec: str) -> Model:
    """Make the model that `spec` names; nothing is sent, started or downloaded.

    The key in OPENAI_API_KEY goes to `openai:` models (at OPENAI_BASE_URL, if set) and nowhere else; an
    `http(s)://` server gets CROWQUILL_API_KEY, or no key.

    Raises:
        MissingModel: the weights are not on this machine, or the key is not set.
        UserError: the spelling is unknown or incomplete, or a file it names cannot be used.
    """
    scheme, _, rest = spec.partition(":")
    match scheme:
        case "local":
            return _local(spec, rest)
        case "openai" if rest:
            return _openai(spec, rest)
        case "http" | "https":
            return _server(spec)
        case "langchain" if all(rest.partition(":")):
            provider, _, model = rest.partition(":")
            return LangChainModel(provider, model)
        case "scripted" if rest:
            return ScriptedModel.from_yaml(rest)
        case _:
            raise UserError(f"unknown model {spec!r}; models are spelled: {SPELLINGS}")


def default_policy(spec: str) -> Literal["guided", "json"]:
    """Return how a model is steered unless the user says otherwise: small embedded ones are guided."""
    scheme, _, rest = spec.partition(":")
    if scheme != "local":
        return "json"
    return CATALOG[rest].policy if rest in CATALOG else "guided"


def _local(spec: str, rest: str) -> LocalModel:
    if rest.endswith(".gguf"):
        return LocalModel(Path(rest).expanduser(), name=spec)
    entry = find(rest if rest else "local")
    weights = installed(entry)
    if weights is None:
        raise MissingModel(_not_here(entry))
    return LocalModel(weights, name=spec)


def _not_here(entry: CatalogEntry) -> str:
    return (
        f"the weights of {entry.name} ({entry.size / 1e9:.1f} GB) are not in {models_dir()}; "
        "run: crowquill models pull"
    )


def _openai(spec: str, model: str) -> OpenAIModel:
    key = key_of("OPENAI_API_KEY")
    if key is None:
        raise MissingModel(f"{spec} needs a key: set OPENAI_API_KEY, or use another model, such as local")
    base_url = os.environ.get("OPENAI_BASE_URL") or OPENAI_URL  # an empty variable is an unset one
    check_url(base_url, "OPENAI_BASE_URL")
    return OpenAIModel(model, base_url=base_url, api_key=key, name=spec, openai_account=True)


def _server(spec: str) -> OpenAIModel:
    base_url, model = server_of(spec)
    return OpenAIModel(
        model,
        base_url=base_url,
        api_key=key_of("CROWQUILL_API_KEY"),
        name=spec,
        context_tokens=SERVER_CONTEXT_TOKENS,
    )


def server_of(spec: str) -> tuple[str, str]:
    """Return address and model of `http(s)://HOST:PORT/v1#NAME`. Raises UserError."""
    base_url, _, model = spec.partition("#")
    if not model:
        raise UserError(f"{spec!r} does not say which model: add #NAME, as in http://localhost:11434/v1#llama3")
    check_url(base_url, spec)
    return base_url, model


def check_url(url: str, where: str) -> None:
    """Check the address of a server. Raises UserError."""
    if "@" in url.partition("://")[2].partition("/")[0]:
        raise UserError("a key must not stand in the address of a model: set CROWQUILL_API_KEY instead")
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise UserError(f"{where} is not an address of a server, such as http://localhost:11434/v1")


def key_of(variable: str) -> str | None:
    """Return the key in an environment variable, None without one. Raises UserError for what no key can be."""
    key = environment().get(variable, "").strip()
    if not key:
        return None
    if not (key.isascii() and key.isprintable()):
        raise UserError(f"{variable} has characters that no key has; was it copied whole?")
    return key
