"""What is kept about the tools of the user's own program, so that a run is replayed where they are not at hand."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict

from crowquill.errors import ReplayMiss
from crowquill.tools.tool import Access, Tool


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """What the model is told about a tool, and what it may do; `parameters` is the JSON schema of its arguments."""

    name: str
    description: str = ""
    access: Access = "read"
    parameters: Mapping[str, Any] | None = None

    @classmethod
    def of(cls, entry: Tool) -> "ToolSpec":
        """Describe a tool."""
        return cls(entry.name, entry.description, entry.access, entry.parameters)

    def stand_in(self) -> Tool:
        """Return a tool that looks like this one to the model, and cannot be called."""
        schema = dict(self.parameters if self.parameters is not None else {})

        class Recorded(BaseModel):
            model_config = ConfigDict(extra="allow")

            @classmethod
            def model_json_schema(cls, *args: Any, **keywords: Any) -> dict[str, Any]:
                return dict(schema)

        def absent() -> str:
            raise ReplayMiss(f"a replay called the tool {self.name!r}, which is not at hand")

        return Tool(self.name, self.description, self.access, absent, Recorded, None, custom=True)
