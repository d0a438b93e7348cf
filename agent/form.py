"""The form in which an answer is wanted."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from crowquill.agent.schemas import object_schema

Format = Literal["text", "markdown", "json", "csv", "html"]
MAX_ROWS = 100


@dataclass(frozen=True, slots=True)
class Form:
    """What is wanted: for `json` a JSON Schema of an object, for `csv` the names of the columns.

    The text has at most `max_words`; 0 sets no limit.
    """

    format: Format = "text"
    schema: Mapping[str, Any] = field(default_factory=dict)
    columns: tuple[str, ...] = ()
    max_words: int = 0

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Form":
        """Restore what `dataclasses.asdict` gave."""
        return cls(**{**data, "columns": tuple(data.get("columns", ()))})

    @property
    def is_filled_in(self) -> bool:
        """Whether the model is asked for it; the other forms are views of the answer."""
        return self.format in ("json", "csv")

    @property
    def asked(self) -> dict[str, Any]:
        """The schema of what the model is asked for."""
        if self.format == "json":
            return dict(self.schema)
        cell = {"type": ["string", "null"], "maxLength": 300}
        rows = {"type": "array", "maxItems": MAX_ROWS, "items": object_schema(dict.fromkeys(self.columns, cell))}
        return object_schema({"rows": rows})
