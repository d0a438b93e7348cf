"""What is kept about the tools of the user's own program, so that a run is replayed where they are not at hand."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Never

from pydantic import BaseModel, ConfigDict

from crowquill.errors import ReplayMiss
from crowquill.tools.context import Access
from crowquill.tools.tool import Tool


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """What the model is told about a tool, and what it may do; `parameters` is the JSON schema of its arguments.

    `access` is "varies" where the arguments decide: what they decided is in the journal. `order` is that of the
    arguments, which JSON does not keep.
    """

    name: str
    description: str = ""
    access: Access | Literal["varies"] = "read"
    parameters: Mapping[str, Any] | None = None
    usd: float = 0.0
    order: tuple[str, ...] = ()

    @classmethod
    def of(cls, entry: Tool) -> "ToolSpec":
        """Describe a tool."""
        access: Access | Literal["varies"] = "varies" if callable(entry.access) else entry.access
        parameters = entry.parameters
        order = tuple(parameters.get("properties", {}))
        return cls(entry.name, entry.description, access, parameters, entry.usd, order)

    def stand_in(self) -> Tool:
        """Return a tool that looks like this one to the model, and cannot be called."""
        schema = dict(self.parameters if self.parameters is not None else {})
        if self.order:
            schema["properties"] = {name: schema["properties"][name] for name in self.order}

        class Recorded(BaseModel):
            model_config = ConfigDict(extra="allow")

            @classmethod
            def model_json_schema(cls, *args: Any, **keywords: Any) -> dict[str, Any]:
                return dict(schema)

        def absent(*_: object) -> Never:
            raise ReplayMiss(f"a replay called the tool {self.name!r}, which is not at hand")

        access = absent if self.access == "varies" else self.access
        return Tool(self.name, self.description, access, absent, Recorded, None, custom=True, usd=self.usd)
