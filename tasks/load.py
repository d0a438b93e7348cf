"""Finds and reads task files, with what they extend."""

from pathlib import Path
from typing import Any

from crowquill.errors import UserError
from crowquill.tasks.beside import read_beside
from crowquill.tasks.filling import placeholders
from crowquill.tasks.spec import RunSpec
from crowquill.tasks.yaml_text import YamlText, nearest, read_text, read_yaml

PRESETS = Path(__file__).parent / "presets"
MAX_EXTENDS = 3
"""How many files may extend each other in a row."""


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
    raise UserError(f"no task file {name!r}{nearest(name, presets())}; shipped tasks: {', '.join(presets())}")


def load_task_file(path: Path) -> RunSpec:
    """Read and check a task file. Raises UserError with file, line and column."""
    return parse_task(read_text(path), str(path), path.parent)


def parse_task(text: str, name: str, folder: Path | None = None) -> RunSpec:
    """Check the text of a task file; `name` stands in error messages, files that it extends lie in `folder`.

    Raises:
        UserError: with line and column.
    """
    read = read_yaml(text, name)
    spec = read.validate(RunSpec, _extended(read, folder, (name,)))
    for undeclared in sorted(placeholders(spec) - set(spec.inputs)):
        hint = nearest(undeclared, spec.inputs) or "; declare it under inputs:"
        raise UserError(f"{read.find(undeclared)}: {{{{{undeclared}}}}} is no input{hint}")
    return spec


def _extended(read: YamlText, folder: Path | None, chain: tuple[str, ...]) -> dict[str, Any]:
    """Return the content with what it extends below it."""
    own = read.content if folder is None else _anchored(read.content, folder.absolute())
    base = own.get("extends")
    if not isinstance(base, str):
        return own
    place = read.place(("extends",))
    if len(chain) > MAX_EXTENDS:
        raise UserError(f"{place}: {' extends '.join(chain)}: that is deeper than {MAX_EXTENDS} files")
    if base in presets():
        below, where, label = (PRESETS / f"{base}.yaml").read_text(encoding="utf-8"), PRESETS, f"{base}.yaml"
    elif folder is None or not base.endswith((".yaml", ".yml")):
        near = nearest(base, presets())
        raise UserError(f"{place}: extends: {base!r} is neither a shipped task nor a .yaml file{near}")
    else:
        label, where = str(folder / base), (folder / base).parent
        if label in chain:
            raise UserError(f"{place}: extends: {base!r} extends itself")
        try:
            below = read_beside(folder, base)
        except UserError as error:
            raise UserError(f"{place}: extends: {error}") from None
    under = read_yaml(below, label)
    content = _extended(under, where, (*chain, label))
    under.validate(RunSpec, {"objective": "any", **content})  # so that its faults are told with its own lines
    return _merged(content, {key: value for key, value in own.items() if key != "extends"})


def _anchored(content: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Return the content with the files that it names beside itself by their whole paths."""
    changed = dict(content)
    for key in ("data", "db"):
        if isinstance(content.get(key), list):
            changed[key] = [_absolute(entry, folder, key) for entry in content[key]]
    if isinstance(content.get("inputs"), dict):
        changed["inputs"] = {name: _with_path(entry, folder) for name, entry in content["inputs"].items()}
    if isinstance(content.get("profile"), str):
        changed["profile"] = str(folder / content["profile"])
    if isinstance(content.get("model"), str):
        changed["model"] = _beside(content["model"], folder)
    if isinstance(content.get("models"), dict):
        changed["models"] = {role: _beside(name, folder) for role, name in content["models"].items()}
    return changed


def _absolute(entry: Any, folder: Path, key: str) -> Any:
    """Return where a file lies; what is no file (an address, a value to be filled in) is returned as it is."""
    if not isinstance(entry, str) or entry == "pocket" or "://" in entry or entry.startswith(("{{", "${", "~")):
        return entry
    name, equals, path = entry.rpartition("=") if key == "db" else ("", "", entry)
    return entry if path.startswith(("{{", "${")) else f"{name}{equals}{folder / path}"


def _with_path(entry: Any, folder: Path) -> Any:
    """Return an input whose default path lies beside the file that says so."""
    if not isinstance(entry, dict) or entry.get("type") != "path" or not isinstance(entry.get("default"), str):
        return entry
    return {**entry, "default": str(folder / entry["default"])}


def _beside(model: Any, folder: Path) -> Any:
    if not isinstance(model, str) or not model.startswith("scripted:"):
        return model
    return f"scripted:{folder / model.removeprefix('scripted:')}"


def _merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Return mappings laid over each other key by key; everything else is replaced."""
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        merged[key] = _merged(under, value) if isinstance(under, dict) and isinstance(value, dict) else value
    return merged
