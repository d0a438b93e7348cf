"""Profiles: who the agent is for one kind of work, as a YAML file.

A profile governs wording, sources and tools, never facts: the rules of evidence come first in every prompt, and
what the critic checks by code does not know of profiles.
"""

import re
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from crowquill.tasks.yaml_text import load_yaml

_LIMIT = "What follows governs how you work and word things, never what counts as evidence."
_Line = Annotated[str, Field(min_length=1, max_length=500)]


class Profile(BaseModel):
    """Name, manner and means of an agent. `knowledge` is relative to the profile's file."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    name: Annotated[str, Field(pattern=r"^\w[\w .-]{0,59}$")]
    """Shown with the run, and in prompts."""
    style: Annotated[str, Field(max_length=500)] = ""
    """How answers are worded, as in `short sentences, figures first`."""
    rules: tuple[_Line, ...] = Field(default=(), max_length=20, strict=False)
    """What to keep to while working, a line each."""
    instructions: Annotated[str, Field(max_length=4000)] = ""
    """What to know about the work: who asks, what the words mean, which sources are good."""
    knowledge: str | None = None
    """A folder of pages that is indexed, and searched with the other sources."""
    tools: tuple[_Line, ...] | None = Field(default=None, strict=False)
    """Names, or patterns of names, of the tools that may be used; all of the run's when not given."""

    @property
    def corpus(self) -> str:
        """The name under which the knowledge folder is indexed."""
        return "knowledge-" + re.sub(r"[^\w-]+", "-", self.name.lower()).strip("-")

    @property
    def persona(self) -> str:
        """The lines that prompts hold of this profile; empty when it says nothing about wording or work."""
        said = [
            f"Style: {' '.join(self.style.split())}" if self.style else "",
            *(f"- {' '.join(rule.split())}" for rule in self.rules),
            self.instructions.strip(),
        ]
        lines = [line for line in said if line]
        return "\n".join([f"You work as {self.name}. {_LIMIT}", *lines]) if lines else ""


def load_profile(path: Path) -> Profile:
    """Read and check a profile. Raises UserError with file, line and column."""
    profile = load_yaml(path, Profile)
    if profile.knowledge is None:
        return profile
    folder = (path.parent / Path(profile.knowledge).expanduser()).absolute()
    return profile.model_copy(update={"knowledge": str(folder)})
