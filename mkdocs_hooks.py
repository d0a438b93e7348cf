"""What mkdocs does beside rendering: pages made from the code, those of the root folder, a place for new ones."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import typer
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from typer.core import TyperGroup
from typer.testing import CliRunner

import crowquill
from crowquill.agent.cli.main import app
from crowquill.tasks.schema import task_schema

ROOT = Path(__file__).parent
Schema = Mapping[str, Any]
LATER = "How to"
"""The part of the navigation in which a page appears that nobody has placed."""


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Give pages that stand in no menu a place, by their titles."""
    assert config.nav is not None
    placed = set(re.findall(r"[\w/-]+\.md", str(config.nav)))
    section: list[Any] = next(entry[LATER] for entry in config.nav if LATER in entry)
    for path in sorted((ROOT / "docs").glob("*.md")):
        if path.name not in placed:
            title = path.read_text(encoding="utf-8").partition("\n")[0].lstrip("# ")
            section.append({title: path.name})
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made."""
    made = {
        "reference/cli.md": cli_page(),
        "reference/task-file.md": task_file_page(),
        "reference/python.md": python_page(),
        "contributing.md": _of_root("CONTRIBUTING.md"),
        "changelog.md": _of_root("CHANGELOG.md"),
    }
    for name, content in made.items():
        files.append(File.generated(config, name, content=content))
    return files


def _of_root(name: str) -> str:
    """Return a page of the root folder, with its links as they are from here."""
    text = (ROOT / name).read_text(encoding="utf-8")
    return re.sub(r"\]\(docs/", "](", text.replace("](SECURITY.md)", "](security.md)"))


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Return a page without its links to the source code, which is no part of the site."""
    return re.sub(r"\[([^\]]+)\]\(\.\./(?!reference|task-files)[^)]*\)", r"\1", markdown)


def cli_page() -> str:
    """Return a page with the help of all commands."""
    lines = ["# Command line", "", "What `crowquill COMMAND --help` says.", ""]
    for path in _commands(typer.main.get_command(app), []):
        shown = CliRunner(env={"COLUMNS": "110", "TERM": "dumb"}).invoke(app, [*path, "--help"]).stdout
        lines += [f"## crowquill {' '.join(path)}", "", "```text", shown.strip(), "```", ""]
    return "\n".join(lines)


def _commands(command: Any, path: list[str]) -> Iterator[list[str]]:
    if not isinstance(command, TyperGroup):
        yield path
        return
    for name, below in command.commands.items():
        yield from _commands(below, [*path, name])


def _cell(text: str | None) -> str:
    return " ".join((text if text is not None else "").split()).replace("|", "\\|")


def task_file_page() -> str:
    """Return a page about all keys of a task file."""
    schema = task_schema()
    parts: Mapping[str, Schema] = schema["$defs"]
    lines = [
        "# Keys of a task file",
        "",
        "Made from the schema that checks them (`crowquill schema`); [Task files](../task-files.md) explains them.",
        "",
        *_keys(schema, parts),
    ]
    for name, part in parts.items():
        lines += [f"## {_title(name)}", "", _cell(part.get("description")), "", *_keys(part, parts)]
    return "\n".join(lines)


def _keys(schema: Schema, parts: Mapping[str, Schema]) -> list[str]:
    required = schema.get("required", [])
    rows = ["| key | type | meaning |", "|---|---|---|"]
    for name, part in schema["properties"].items():
        must = " (required)" if name in required else ""
        default = part.get("default")
        usual = f" Default: `{str(default).lower()}`." if isinstance(default, int | float | str) and default else ""
        about = part.get("description") or parts.get(_target(part), {}).get("description", "")
        rows.append(f"| `{name}` | {_type(part)}{must} | {_cell(about)}{usual} |")
    return [*rows, ""]


def _target(part: Schema) -> str:
    return str(part.get("$ref", "")).rpartition("/")[2]


def _title(name: str) -> str:
    return name.removesuffix("Spec").lower()


def _type(part: Schema) -> str:
    """Return the type of a value in words."""
    if "$ref" in part:
        name = _title(_target(part))
        return f"[{name}](#{name})"
    if "anyOf" in part:
        kinds = [_type(choice) for choice in part["anyOf"] if choice.get("type") != "null"]
        return " or ".join(dict.fromkeys(kinds))
    if "enum" in part:
        return ", ".join(f"`{value}`" for value in part["enum"])
    if "const" in part:
        return f"`{part['const']}`"
    match part.get("type"):
        case "array":
            return f"list of {_type(part.get('items', {}))}"
        case "object":
            below = part.get("additionalProperties", part.get("patternProperties", {}))
            inner = next(iter(below.values()), {}) if "patternProperties" in part else below
            return f"mapping to {_type(inner)}" if isinstance(inner, dict) and inner else "mapping"
        case "string":
            return "text"
        case "boolean":
            return "true or false"
        case "integer":
            return "whole number"
        case "number":
            return "number"
        case _:
            return "anything"


def python_page() -> str:
    """Return a page about all public names, for mkdocstrings to fill."""
    lines = ["# Python", "", "All names are imported from `crowquill`; they are loaded when first used.", ""]
    for name in crowquill.__all__:
        lines += [f"::: crowquill.{crowquill._HOMES[name]}.{name}", ""]
    return "\n".join(lines)
