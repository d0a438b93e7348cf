"""What models cost: the user's own table first, then the one of the package `genai-prices`, which calls nobody.

The own table is `prices.yaml` in the workspace, else in the user's configuration folder: dollars per million
tokens, by a model's spelling or a pattern of it.

    prices:
      "http://gpu.example:8000/v1#*": {prompt: 0.10, completion: 0.40}
      openai:gpt-5-mini: {prompt: 0.25, cached: 0.025, completion: 2.00}
"""

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any

import platformdirs
from pydantic import BaseModel, ConfigDict, Field

from crowquill.agent.budget import Price
from crowquill.tasks.yaml_text import load_yaml

FILE = "prices.yaml"
_FREE = ("local", "scripted")
_SAMPLE = 1000
"""Tokens of which the price is asked: a small prompt, since some models cost more beyond a length."""

_Dollars = Annotated[float, Field(ge=0, strict=False)]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    prompt: _Dollars
    completion: _Dollars
    cached: _Dollars | None = None


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    prices: dict[str, _Entry]


def find_prices(models: Iterable[str], workspace: Path) -> dict[str, Price]:
    """Return the prices of these models, by their spelling; those that nobody knows are missing.

    Raises:
        UserError: a `prices.yaml` cannot be used.
    """
    own = _own_table(workspace)
    found = {}
    for name in set(models):
        price = _of_own(name, own)
        price = _of_package(name) if price is None else price
        if price is not None:
            found[name] = price
    return found


def _own_table(workspace: Path) -> Mapping[str, _Entry]:
    for folder in (workspace, platformdirs.user_config_path("crowquill", appauthor=False)):
        if (folder / FILE).is_file():
            return load_yaml(folder / FILE, _Table).prices
    return {}


def _of_own(name: str, table: Mapping[str, _Entry]) -> Price | None:
    for pattern, entry in table.items():
        if fnmatchcase(name, pattern):
            return Price(entry.prompt, entry.prompt if entry.cached is None else entry.cached, entry.completion)
    return None


def _of_package(name: str) -> Price | None:
    """Look a model up by provider and name; a server of the user's own is not guessed at."""
    scheme, _, rest = name.partition(":")
    provider, _, model = ("openai", "", rest) if scheme == "openai" else rest.partition(":")
    if scheme not in ("openai", "langchain") or not model:
        return None
    try:
        return Price(
            prompt=_dollars(provider, model, input_tokens=_SAMPLE),
            cached=_dollars(provider, model, input_tokens=_SAMPLE, cache_read_tokens=_SAMPLE),
            completion=_dollars(provider, model, output_tokens=_SAMPLE),
        )
    except LookupError:
        return None


def _dollars(provider: str, model: str, **tokens: int) -> float:
    from genai_prices import Usage, calc_price  # 0.4 s: its table is a module

    usage: Any = Usage(**tokens)
    return float(calc_price(usage, model, provider_id=provider).total_price) / _SAMPLE * 1e6


def is_free(name: str) -> bool:
    """Say whether a model runs on this machine and costs nothing."""
    return name.startswith(_FREE)
