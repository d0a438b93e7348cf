"""What a task file says becomes the agent's settings; what it may not loosen it does not."""

import typing
from pathlib import Path

import pytest

from crowquill.agent.models.scripted import ScriptedModel
from crowquill.agent.select.options import JUDGINGS, SHARES, STRATEGIES
from crowquill.agent.tasking import Wishes, task_agent
from crowquill.errors import UserError
from crowquill.tasks.load import parse_task
from crowquill.tasks.spec import CriticSpec, RunSpec, SelectionSpec

WISHES = Wishes(find=lambda spec: ScriptedModel([]))


def agent_of(text: str, tmp_path: Path, wishes: Wishes = WISHES) -> typing.Any:
    return task_agent(parse_task(f"objective: x\n{text}", "t"), wishes, tmp_path).config


def choices(model: type, field: str) -> tuple[str, ...]:
    return typing.get_args(typing.get_type_hints(model)[field])


def test_the_choices_in_a_file_are_those_of_the_agent() -> None:
    assert choices(SelectionSpec, "strategy") == STRATEGIES
    assert choices(SelectionSpec, "share") == SHARES
    assert choices(CriticSpec, "judge") == JUDGINGS


def test_settings_reach_the_agent(tmp_path: Path) -> None:
    config = agent_of(
        "selection: {strategy: best_of_n, share: plan}\ncritic: {judge: gold, weights: {receipts: 3}}\n"
        "sites: [example.org]\ntools: {math: false, browser: {refresh: true}}\n"
        "budget: {steps: 3, usd: 0.5, calls: {search: 2}}\n"
        "approvals: [{decide: deny, tool: 'mail_*'}]\noutput: {format: csv, columns: [a]}\n",
        tmp_path,
    )
    assert (config.select.strategy, config.select.n, config.select.share) == ("best_of_n", 4, "plan")
    assert config.select.judge == "gold"
    assert config.weights["receipts"] == 3
    assert config.weights["answered"] == 1
    assert (config.web, config.sites, config.without_tools) == (True, ("example.org",), ("math",))
    assert config.fetching.refresh
    assert not config.cache
    assert (config.budget.steps, config.budget.usd, config.budget.calls) == (3, 0.5, {"search": 2})
    assert [(rule.decide, rule.tool) for rule in config.safety.approvals] == [("deny", "mail_*")]
    assert config.form.columns == ("a",)


def test_a_fresh_run_uses_nothing_of_before_unless_the_file_wants_its_memory(tmp_path: Path) -> None:
    fresh = Wishes(fresh=True, find=lambda spec: ScriptedModel([]))
    assert (agent_of("", tmp_path).memory, agent_of("", tmp_path).cache) == (True, True)
    assert (agent_of("", tmp_path, fresh).memory, agent_of("", tmp_path, fresh).cache) == (False, False)
    assert agent_of("memory: true\n", tmp_path, fresh).memory


def test_a_database_address_of_the_environment_is_only_read_when_the_agent_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "db: ['${env:SHOP_DATABASE_URL}']\n"
    spec = parse_task(f"objective: x\n{text}", "t")
    assert spec.db == ["${env:SHOP_DATABASE_URL}"]
    with pytest.raises(UserError, match="SHOP_DATABASE_URL is not set"):
        agent_of(text, tmp_path)
    monkeypatch.setenv("SHOP_DATABASE_URL", "sqlite:////shop.db")
    assert agent_of(text, tmp_path).databases == ("sqlite:////shop.db",)


@pytest.mark.parametrize(
    "text",
    ["approvals: [{decide: allow}]\n", "allow_hosts: [127.0.0.1]\n", "allow: [mail]\n", "allow_write: true\n"],
)
def test_a_file_cannot_allow_anything(text: str) -> None:
    with pytest.raises(UserError):
        parse_task(f"objective: x\n{text}", "t")


def test_a_weight_of_no_part_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no part 'beauty' of the score"):
        agent_of("critic: {weights: {beauty: 1}}\n", tmp_path)


def test_every_key_is_described_in_the_schema() -> None:
    for name, part in RunSpec.model_json_schema()["properties"].items():
        assert "description" in part or "$ref" in part, name
