"""Reads YAML that cannot run code, alias itself into a bomb, or hide a second meaning.

The text is scanned before anything is built from it: anchors, aliases, tags, merge keys and second documents
are refused, as are texts over 256 kB, 20 levels or 10,000 nodes. Duplicate keys are refused by the loader.
"""

import difflib
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
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

MAX_BYTES, MAX_DEPTH, MAX_NODES = 256_000, 20, 10_000

M = TypeVar("M", bound=BaseModel)
Location = tuple[int | str, ...]
_OWN = "Value error, "
"""What pydantic puts before a message of ours."""


@dataclass(frozen=True, slots=True)
class YamlText:
    """A mapping that was read, and where in the text of that `name` each part of it stands."""

    name: str
    content: dict[str, Any]
    tree: Node
    text: str

    def find(self, placeholder: str) -> str:
        """Return `name:line:column` of `{{placeholder}}`, else the name alone."""
        found = re.search(rf"\{{\{{ ?{placeholder} ?\}}\}}", self.text)
        if found is None:
            return self.name
        before = self.text[: found.start()]
        return f"{self.name}:{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}"

    def place(self, location: Location) -> str:
        """Return `name:line:column` of the node at a location, as deep as it can be followed."""
        node, mark = self.tree, self.tree.start_mark
        for part in location:
            if isinstance(node, MappingNode):
                found = next(((key, value) for key, value in node.value if key.value == str(part)), None)
                if found is None:
                    continue  # pydantic names the kinds of a union, too, which stand in no file
                mark, node = found[0].start_mark, found[1]
            elif isinstance(node, SequenceNode) and isinstance(part, int) and part < len(node.value):
                node = node.value[part]
                mark = node.start_mark
        return f"{self.name}:{mark.line + 1}:{mark.column + 1}"

    def validate(self, model: type[M], content: dict[str, Any] | None = None) -> M:
        """Make a model of the content, or of what was made of it. Raises UserError with line and column."""
        try:
            return model.model_validate(self.content if content is None else content)
        except ValidationError as error:
            first, *others = [self._told(problem, model) for problem in _problems(error)]
            fault = UserError(first)
            fault.others = tuple(others)
            raise fault from None

    def _told(self, problem: Any, model: type[BaseModel]) -> str:
        location = tuple(problem["loc"])
        if not location and problem["type"] == "value_error":  # a rule about several keys names the first
            location = (problem["msg"].removeprefix(_OWN).partition(":")[0],)
            return f"{self.place(location)}: {problem['msg'].removeprefix(_OWN)}"
        return f"{self.place(location)}: {_describe(location, problem, model)}"


def read_text(path: Path) -> str:
    """Return the text of a file. Raises UserError."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from error
    if len(data) > MAX_BYTES:
        raise UserError(f"{path}: larger than {MAX_BYTES // 1000} kB, which no such file needs")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise UserError(f"{path}: not UTF-8 text") from None


def load_yaml(path: Path, model: type[M]) -> M:
    """Read a file and make a model of it. Raises UserError with file, line and column."""
    return read_yaml(read_text(path), str(path)).validate(model)


def read_yaml(text: str, name: str) -> YamlText:
    """Read a mapping; `name` stands in error messages. Raises UserError with line and column."""
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise UserError(f"{name}:1:1: larger than {MAX_BYTES // 1000} kB, which no such file needs")
    yaml = YAML(typ="safe", pure=True)
    try:
        _scan(yaml, text, name)
        tree = yaml.compose(io.StringIO(text))
        content = None if tree is None else yaml.constructor.construct_document(tree)
    except MarkedYAMLError as error:
        mark = error.problem_mark if error.problem_mark is not None else error.context_mark
        where = f":{mark.line + 1}:{mark.column + 1}" if mark is not None else ""
        raise UserError(f"{name}{where}: {str(error.problem).splitlines()[0]}") from None
    except (YAMLError, RecursionError, ValueError) as error:
        raise UserError(f"{name}:1:1: not YAML: {str(error).splitlines()[0]}") from None
    if tree is None or not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        raise UserError(f"{name}:1:1: the file has to be a mapping of names to values, as in objective: …")
    return YamlText(name, content, tree, text)


def _scan(yaml: YAML, text: str, name: str) -> None:
    depth = nodes = documents = 0
    for event in yaml.parse(io.StringIO(text)):
        place = f"{name}:{event.start_mark.line + 1}:{event.start_mark.column + 1}"
        if isinstance(event, DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise UserError(f"{place}: a file holds one document")
        if isinstance(event, MappingEndEvent | SequenceEndEvent):
            depth -= 1
        if not isinstance(event, NodeEvent):
            continue
        if isinstance(event, AliasEvent) or event.anchor is not None:
            raise UserError(f"{place}: anchors and aliases are not allowed")
        if isinstance(event, ScalarEvent) and event.value == "<<":
            raise UserError(f"{place}: merge keys are not allowed")
        if getattr(event, "ctag", None) is not None or getattr(event, "tag", None) is not None:
            raise UserError(f"{place}: tags such as !!python are not allowed")
        nodes += 1
        depth += isinstance(event, MappingStartEvent | SequenceStartEvent)
        if depth > MAX_DEPTH or nodes > MAX_NODES:
            raise UserError(f"{place}: nested or long beyond what such a file needs")


def nearest(word: str, known: Iterable[str]) -> str:
    """Return `; did you mean 'x'?` when a known word is near, else nothing."""
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _problems(error: ValidationError) -> list[Any]:
    """Return a problem for each key: where a value may be of several kinds, that of the one which fits best."""
    problems = error.errors(include_url=False, include_context=False)
    if problems[0]["type"] == "missing" and (misspelt := _misspelt(problems[0]["loc"], problems)) is not None:
        problems[0] = misspelt
    of_key: dict[Any, list[Any]] = {}
    for problem in problems:
        of_key.setdefault(problem["loc"][:1], []).append(problem)
    return [
        max(found, key=lambda problem: len(problem["loc"]) + (problem["type"] == "extra_forbidden"))
        for found in of_key.values()
    ]


def _misspelt(missing: Location, problems: Iterable[Any]) -> Any | None:
    """Return the problem with a key beside the missing one that was likely meant to be it."""
    for problem in problems:
        *parents, key = problem["loc"] if problem["loc"] else ("",)
        beside = problem["type"] == "extra_forbidden" and tuple(parents) == missing[:-1]
        if beside and difflib.get_close_matches(str(key), [str(missing[-1])]):
            return problem
    return None


def _describe(location: Location, problem: Any, model: type[BaseModel]) -> str:
    key = ".".join(str(part) for part in location if _is_written(part))
    told = problem["msg"].replace("Input should be", "has to be")
    match problem["type"]:
        case "extra_forbidden":
            return f"unknown key {key!r}{nearest(str(location[-1]), _keys(model))}"
        case "missing":
            return f"{key!r} is missing"
        case "literal_error" if isinstance(problem["input"], str):
            near = nearest(problem["input"], problem["msg"].split("'")[1::2])
            return f"{key}: {told}, not {problem['input']!r}{near}"
        case "list_type":
            return f"{key}: has to be a list, as in {key}: [{problem['input']}]"
        case "model_type" | "model_attributes_type" | "dict_type":
            return f"{key}: has to be a mapping of keys to values"
        case "string_pattern_mismatch":
            return f"{key}: {problem['input']!r} is not written as it has to be"
        case "value_error":
            return f"{key}: {problem['msg'].removeprefix(_OWN)}"
        case _:
            return f"{key}: {told}"


def _is_written(part: int | str) -> bool:
    """Say whether a part of pydantic's location stands in the file; kinds of a union are called by their types."""
    if isinstance(part, int):
        return True
    return part not in ("bool", "int", "float", "str", "none") and "[" not in part and part.islower()


def _keys(model: type[BaseModel]) -> list[str]:
    schema = model.model_json_schema()
    nested = [name for part in schema.get("$defs", {}).values() for name in part.get("properties", ())]
    return [*schema["properties"], *nested]
