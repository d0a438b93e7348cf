"""Prompts: YAML files beside the code, with plain named substitution."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from string import Template
from typing import NewType

from ruamel.yaml import YAML

from crowquill.agent.models.base import Message

Instruction = NewType("Instruction", str)
"""Text of ours, or of the user's settings and tools: nothing else enters the system part of a prompt."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """A system and a user part; `$name` stands for a value."""

    system: Template
    user: Template

    def messages(self, told: Mapping[str, Instruction] | None = None, /, **shown: str) -> tuple[Message, ...]:
        """Fill in what the system part is told and what the user part shows. Raises KeyError if one is missing."""
        return (
            Message("system", self.system.substitute({} if told is None else told).strip()),
            Message("user", self.user.substitute(shown).strip()),
        )


@cache
def prompt(name: str) -> Prompt:
    """Return the prompt `agent/prompts/NAME.yaml`."""
    text = (files("crowquill.agent") / "prompts" / f"{name}.yaml").read_text(encoding="utf-8")
    parts = YAML(typ="safe", pure=True).load(text)
    return Prompt(Template(parts["system"]), Template(parts["user"]))
