"""The layout of the package: what is shipped, and who may import whom."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ALLOWED = {
    "memory": {"memory"},
    "tasks": {"tasks"},
    "tools": {"tools", "memory"},
    "agent": {"agent", "tools", "memory", "tasks"},
}
EVERYBODY = {"errors", "__version__"}


def modules() -> list[Path]:
    return [path for layer in ALLOWED for path in sorted((ROOT / layer).rglob("*.py"))]


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_layers_import_only_what_is_below_them(path: Path) -> None:
    layer = path.relative_to(ROOT).parts[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for name in names:
            first, _, rest = name.partition(".")
            assert first not in ALLOWED, f"line {node.lineno}: import {name} as crowquill.{name}"
            if first == "crowquill":
                below = rest.partition(".")[0]
                assert below in ALLOWED[layer] | EVERYBODY, f"line {node.lineno}: {layer} must not import {name}"


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_our_own_modules_are_imported_at_the_top(path: Path) -> None:
    if path.parts[-2] == "cli" and (path.name == "main.py" or path.name.endswith("_app.py")):
        return  # commands import what they need when they run
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    for function in functions:
        for node in ast.walk(function):
            if isinstance(node, ast.ImportFrom):
                assert not str(node.module).startswith("crowquill"), f"line {node.lineno}: {node.module}"


def test_pyproject_lists_every_package_folder() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    folders = {path.parent for layer in ALLOWED for path in (ROOT / layer).rglob("*.py")}
    expected = {"crowquill", "crowquill.guide"} | {
        "crowquill." + ".".join(folder.relative_to(ROOT).parts) for folder in folders
    }
    assert set(settings["packages"]) == expected


def test_only_one_module_unwraps_untrusted_text() -> None:
    for path in modules():
        if path.name != "render.py" and path.parts[-2] == "agent":
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if (
                    isinstance(node, ast.Attribute)
                    and node.attr == "text"
                    and isinstance(node.value, ast.Attribute)
                ):
                    assert node.value.attr != "view", f"{path.name}:{node.lineno} unwraps the view"


def test_only_the_worker_and_the_embedded_model_start_processes() -> None:
    allowed = {"worker.py", "local.py", "pull.py"}
    for path in modules():
        if path.name in allowed:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [str(node.module)]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            assert "subprocess" not in names, f"{path}: subprocess"
            assert "multiprocessing" not in names, f"{path}: multiprocessing"


def test_the_lock_file_names_every_dependency_of_ci() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    needed = {
        re.split(r"[^\w.-]", line)[0].lower().replace("_", "-")
        for line in [*project["dependencies"], *extras["dev"], *extras["local"]]
    }
    lines = (ROOT / ".ci" / "constraints.txt").read_text(encoding="utf-8").splitlines()
    locked = {line.partition("==")[0].replace(".", "-") for line in lines}
    assert {name.replace(".", "-") for name in needed} <= locked, "renew it with: make lock"
