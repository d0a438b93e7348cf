"""What all schemas of YAML files have in common."""

from pydantic import ConfigDict

STRICT = ConfigDict(extra="forbid", strict=True, frozen=True, use_attribute_docstrings=True)
"""Takes what is described and nothing else. Each module has a base class with it: the linter knows only those."""
