"""Prompts: YAML files beside the code, with plain named substitution."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from string import Template

from ruamel.yaml import YAML

from crowquill.agent.models.base import Message


@dataclass(frozen=True, slots=True)
class Prompt:
    """A system and a user part; `$name` stands for a value."""

    system: Template
    user: Template

    def messages(self, **values: str) -> tuple[Message, ...]:
        """Fill in the values. Raises KeyError when one is missing."""
        return (
            Message("system", self.system.substitute(values).strip()),
            Message("user", self.user.substitute(values).strip()),
        )


@cache
def prompt(name: str) -> Prompt:
    """Return the prompt `agent/prompts/NAME.yaml`."""
    text = (files("crowquill.agent") / "prompts" / f"{name}.yaml").read_text(encoding="utf-8")
    parts = YAML(typ="safe", pure=True).load(text)
    return Prompt(Template(parts["system"]), Template(parts["user"]))
