"""Prices: the user's own first, then a table, and nothing is guessed."""

from pathlib import Path

import pytest

from crowquill import Agent, Budget, ScriptedModel
from crowquill.agent.budget import Price
from crowquill.agent.events import Noticed
from crowquill.agent.models.openai import OpenAIModel
from crowquill.agent.prices import find_prices
from crowquill.agent.workspace import Workspace
from crowquill.errors import UserError


def test_the_table_knows_models_of_providers_and_no_servers_of_ones_own(tmp_path: Path) -> None:
    names = ["openai:gpt-4o-mini", "openai:no-such-model", "http://127.0.0.1:1/v1#gpt-4o-mini", "local"]
    found = find_prices(names, tmp_path)
    assert set(found) == {"openai:gpt-4o-mini"}
    price = found["openai:gpt-4o-mini"]
    assert 0 < price.cached < price.prompt < price.completion


def test_the_users_own_prices_come_first(tmp_path: Path) -> None:
    own = ('"http://gpu*": {prompt: 1, completion: 2.5}', '"openai:*": {prompt: 9, cached: 1, completion: 9}')
    (tmp_path / "prices.yaml").write_text("\n  ".join(["prices:", *own]))
    found = find_prices(["http://gpu:1/v1#x", "openai:gpt-4o-mini"], tmp_path)
    assert found == {"http://gpu:1/v1#x": Price(1.0, 1.0, 2.5), "openai:gpt-4o-mini": Price(9.0, 1.0, 9.0)}


def test_a_bad_table_is_refused_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "prices.yaml").write_text("prices:\n  local: {promt: 1, completion: 2}\n")
    with pytest.raises(UserError, match=r"prices.yaml:2:\d+: "):
        find_prices(["local"], tmp_path)


async def test_an_unknown_price_is_said(tmp_path: Path) -> None:
    model = OpenAIModel("x", base_url="http://127.0.0.1:9/v1", timeout=0.2)
    agent = Agent(
        models={"plan": ScriptedModel([])},
        model=model,
        policy="json",
        budget=Budget(usd=1.0),
        workspace=Workspace(tmp_path / "w"),
    )
    notices = [event.message async for event in agent.stream("What?") if isinstance(event, Noticed)]
    assert notices[0].startswith("no price is known for http://127.0.0.1:9/v1#x")
