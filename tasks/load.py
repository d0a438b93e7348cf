"""Reads task files: YAML that cannot run code, alias itself into a bomb, or hide a second meaning.

The text is scanned before anything is built from it: anchors, aliases, tags, merge keys and second documents
are refused, as are files over 256 kB, 20 levels or 10,000 nodes. Duplicate keys are refused by the loader.
"""

import difflib
import io
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from crowquill.errors import UserError
from crowquill.tasks.spec import RunSpec

PRESETS = Path(__file__).parent / "presets"
MAX_BYTES, MAX_DEPTH, MAX_NODES = 256_000, 20, 10_000

Schema = TypeVar("Schema", bound=BaseModel)


def presets() -> list[str]:
    """Return the names of the task files shipped with Crowquill."""
    return sorted(path.stem for path in PRESETS.glob("*.yaml"))


def find_task_file(name: str) -> Path:
    """Return the file of that path, or the shipped task of that name. Raises UserError."""
    path = Path(name)
    if path.is_file():
        return path
    if name in presets():
        return PRESETS / f"{name}.yaml"
    raise UserError(f"no task file {name!r}; shipped tasks: {', '.join(presets())}")


def load_task_file(path: Path) -> RunSpec:
    """Read and check a task file. Raises UserError with file, line and column."""
    return load_yaml(path, RunSpec)


def load_yaml(path: Path, schema: type[Schema]) -> Schema:
    """Read a YAML file and check it against a schema. Raises UserError with file, line and column."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from error
    if len(data) > MAX_BYTES:
        raise UserError(f"{path}: larger than {MAX_BYTES // 1000} kB, which no such file needs")
    try:
        return parse_yaml(data.decode("utf-8"), str(path), schema)
    except UnicodeDecodeError:
        raise UserError(f"{path}: not UTF-8 text") from None


def parse_task(text: str, name: str) -> RunSpec:
    """Check the text of a task file; `name` stands in error messages. Raises UserError."""
    return parse_yaml(text, name, RunSpec)


def parse_yaml(text: str, name: str, schema: type[Schema]) -> Schema:
    """Check YAML text against a schema; `name` stands in error messages. Raises UserError."""
    yaml = YAML(typ="safe", pure=True)
    try:
        _scan(yaml, text, name)
        content = yaml.load(text)
        tree = yaml.compose(io.StringIO(text))
    except MarkedYAMLError as error:
        mark = error.problem_mark if error.problem_mark is not None else error.context_mark
        where = f":{mark.line + 1}:{mark.column + 1}" if mark is not None else ""
        raise UserError(f"{name}{where}: {str(error.problem).splitlines()[0]}") from None
    except (YAMLError, RecursionError, ValueError) as error:
        raise UserError(f"{name}: not YAML: {str(error).splitlines()[0]}") from None
    if not isinstance(content, dict):
        first = next(iter(schema.model_fields))
        raise UserError(f"{name}:1:1: the file is a mapping that begins with {first}: …")
    try:
        return schema.model_validate(content)
    except ValidationError as error:
        problem = error.errors()[0]
        location = tuple(problem["loc"])
        raise UserError(f"{name}{_place(tree, location)}: {_describe(location, problem, schema)}") from None


def _scan(yaml: YAML, text: str, name: str) -> None:
    depth = nodes = documents = 0
    for event in yaml.parse(io.StringIO(text)):
        place = f"{name}:{event.start_mark.line + 1}:{event.start_mark.column + 1}"
        if isinstance(event, DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise UserError(f"{place}: a task file holds one document")
        if isinstance(event, MappingEndEvent | SequenceEndEvent):
            depth -= 1
        if not isinstance(event, NodeEvent):
            continue
        if isinstance(event, AliasEvent) or event.anchor is not None:
            raise UserError(f"{place}: anchors and aliases are not allowed in task files")
        if isinstance(event, ScalarEvent) and event.value == "<<":
            raise UserError(f"{place}: merge keys are not allowed in task files")
        if getattr(event, "ctag", None) is not None or getattr(event, "tag", None) is not None:
            raise UserError(f"{place}: tags such as !!python are not allowed in task files")
        nodes += 1
        depth += isinstance(event, MappingStartEvent | SequenceStartEvent)
        if depth > MAX_DEPTH or nodes > MAX_NODES:
            raise UserError(f"{place}: nested or long beyond what a task file needs")


def _place(tree: Node, location: tuple[Any, ...]) -> str:
    """Return `:line:column` of the node at a validation error's location, as deep as it can be followed."""
    node, mark = tree, tree.start_mark
    for part in location:
        if isinstance(node, MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == str(part)), None)
            if found is None:
                break
            mark, node = found[0].start_mark, found[1]
        elif isinstance(node, SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            mark = node.start_mark
        else:
            break
    return f":{mark.line + 1}:{mark.column + 1}"


def _describe(location: tuple[Any, ...], problem: Any, schema: type[BaseModel]) -> str:
    key = ".".join(str(part) for part in location)
    if problem["type"] == "extra_forbidden":
        near = difflib.get_close_matches(str(location[-1]), _keys(schema), n=1)
        return f"unknown key {key!r}" + (f"; did you mean {near[0]!r}?" if near else "")
    if problem["type"] == "missing":
        return f"{key!r} is missing"
    return f"{key}: {problem['msg']}"


def _keys(model: type[BaseModel]) -> list[str]:
    schema = model.model_json_schema()
    nested = [name for part in schema.get("$defs", {}).values() for name in part.get("properties", {})]
    return [*schema["properties"], *nested]
