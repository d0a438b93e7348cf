"""The JSON Schema of task files, for editors that complete and check while one types."""

from typing import Any

from crowquill.tasks.spec import RunSpec


def task_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a task file."""
    schema = RunSpec.model_json_schema(by_alias=True)
    schema.pop("title", None)
    if "extends" in schema["properties"]:
        schema["required"] = []  # the objective may stand in what is extended
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Crowquill task file",
        **{name: _without_titles(value) for name, value in schema.items()},
    }


def _without_titles(part: Any) -> Any:
    if isinstance(part, dict):
        return {
            name: _without_titles(value)
            for name, value in part.items()
            if not (name == "title" and isinstance(value, str))
        }
    return [_without_titles(value) for value in part] if isinstance(part, list) else part
